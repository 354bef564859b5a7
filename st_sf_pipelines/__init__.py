"""ServiceTitan to Salesforce and a CRM, and back: systems send records, rules conclude, sync plans and pushes."""
