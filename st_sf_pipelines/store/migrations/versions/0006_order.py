"""What keeps the order of things: how far a feed came by its own stamps."""

from alembic import op

revision = "0006"
down_revision = "0005"

# In ticks, as `modified` is; 0 until a feed is next read to its end: a token refused before then begins it anew.
FEEDS = "ALTER TABLE sync.feeds ADD COLUMN newest bigint NOT NULL DEFAULT 0"


def upgrade() -> None:
    """Add the columns."""
    op.execute(FEEDS)
