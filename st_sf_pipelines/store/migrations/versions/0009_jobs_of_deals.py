"""The index of the deals' jobs is asked for every page of jobs: what was just written to it is found through it too."""

from alembic import op

revision = "0009"
down_revision = "0008"

# A list of pending entries would be read whole by each look-up, until the next vacuum.
INDEX = "ALTER INDEX pipeline.opportunities_job_ids_idx SET (fastupdate = off)"


def upgrade() -> None:
    """Change the index, and enter what is pending."""
    op.execute(INDEX)
    op.execute("SELECT gin_clean_pending_list('pipeline.opportunities_job_ids_idx'::regclass)")
