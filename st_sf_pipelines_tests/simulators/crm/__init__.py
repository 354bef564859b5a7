"""The stand-in for the CRM: what only it can do, beside what the contract suite asks of it and of a real Payload."""
