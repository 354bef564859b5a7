"""What the business says: pure functions of facts, with no input, no output and no clock."""
