"""Who we talk to: one folder a system, each of one shape: tables, client, authentication."""
