"""ServiceTitan: its entities, the records we check, the client of its feeds and the token that opens them."""
