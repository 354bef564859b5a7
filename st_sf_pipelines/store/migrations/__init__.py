"""The schema's history, one plain SQL step a file, run by Alembic."""
