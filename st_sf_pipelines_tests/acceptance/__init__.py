"""One file for each promise of the specification."""
