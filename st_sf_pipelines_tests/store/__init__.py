"""What the store promises, proved on real PostgreSQL servers."""
