"""What must hold: the tree mirrors the source, and acceptance/ has one file for each promise."""
