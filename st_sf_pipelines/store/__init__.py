"""What we remember: the only SQL. Schemas: `servicetitan` (records), `customers` (derived), `sync` (log and ledger)."""
