"""Stand-ins for ServiceTitan, Salesforce and the CRM; they share nothing with the code that they test."""
