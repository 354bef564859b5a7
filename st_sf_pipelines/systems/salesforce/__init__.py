"""Salesforce: the object maps, the grants, the session, the codes of its refusals, and the client that writes."""
