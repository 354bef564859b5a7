"""What the business says, example by example and as properties."""
