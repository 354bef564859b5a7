"""Rounds that knew all of ServiceTitan, apart from those that a person asked a part of."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; of the rounds so far, the whole ones cannot be told from the others."""
    op.execute("ALTER TABLE sync.rounds ADD COLUMN whole boolean NOT NULL DEFAULT true")
