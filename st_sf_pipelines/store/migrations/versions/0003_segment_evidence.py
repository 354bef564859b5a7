"""The records that a change of segment rests on, named beside it in the history (SEG-6)."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the last completed job and the number of invoices; changes recorded before know neither."""
    op.execute("ALTER TABLE customers.segment_history ADD COLUMN last_job_id bigint, ADD COLUMN invoices integer")
