"""What keeps the order of things: how far a feed came by its own stamps, and when what stands aside was modified."""

from alembic import op

revision = "0007"
down_revision = "0006"

# In ticks, as `modified` is; 0 until a feed is next read to its end: a token refused before then begins it anew.
FEEDS = "ALTER TABLE sync.feeds ADD COLUMN newest bigint NOT NULL DEFAULT 0"

# In ticks too; null where it cannot be read. What stands there already is released by any good version, as before.
QUARANTINE = "ALTER TABLE servicetitan.quarantine ADD COLUMN modified bigint"


def upgrade() -> None:
    """Add the columns."""
    for step in (FEEDS, QUARANTINE):
        op.execute(step)
