"""The stand-in for Salesforce answers as the reference says that Salesforce does, to any client."""
