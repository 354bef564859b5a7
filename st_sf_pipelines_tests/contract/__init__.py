"""One suite for the CRM, run against the stand-in and against a real Payload CMS: what we rely on, and what we do."""
