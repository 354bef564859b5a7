"""What we use of each ServiceTitan record, by subject: strict in these fields, blind to all others."""
