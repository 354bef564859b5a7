"""The CRM, a Payload CMS 3: what is written to it, how, and what its refusals mean."""
