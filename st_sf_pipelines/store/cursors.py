"""How far each entity has been read: a feed's continuation token, a list's watermark (EXT-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from st_sf_pipelines.store.database import Connection, Database


def token(db: Database, tenant_id: int, entity: str) -> tuple[str | None, bool]:
    """Give the stored token of a feed, or a list's watermark, and whether it has once been read to its end."""
    with db.connect() as connection:
        row = connection.execute(
            "SELECT token, complete FROM sync.feeds WHERE tenant_id = %s AND entity = %s", [tenant_id, entity]
        ).fetchone()
    return (row["token"], row["complete"]) if row else (None, False)


def read_at(db: Database, tenant_id: int, entity: str) -> datetime | None:
    """Give the moment at which an entity's list was last read, or its feed last moved; None before its first end."""
    with db.connect() as connection:
        row = connection.execute(
            "SELECT pulled_at FROM sync.feeds WHERE tenant_id = %s AND entity = %s AND complete", [tenant_id, entity]
        ).fetchone()
    return row["pulled_at"] if row else None


def reached(db: Database, tenant_id: int, entity: str) -> int:
    """Give the newest stamp, in ticks, up to which a feed has delivered all; 0 if it was not yet read to its end."""
    with db.connect() as connection:
        row = connection.execute(
            "SELECT newest FROM sync.feeds WHERE tenant_id = %s AND entity = %s AND complete", [tenant_id, entity]
        ).fetchone()
    return row["newest"] if row else 0


def keep(
    connection: Connection, tenant_id: int, entity: str, token: str | None, *, complete: bool, newest: int = 0
) -> None:
    """Keep a feed's token within the transaction of its page; nothing is written where nothing differs.

    With the page at its end comes the newest stamp that it delivered: in mid-feed, older ones may still be to come.
    """
    connection.execute(
        """INSERT INTO sync.feeds (tenant_id, entity, token, complete, newest) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT (tenant_id, entity) DO UPDATE
           SET token = excluded.token, complete = feeds.complete OR excluded.complete,
               newest = greatest(feeds.newest, excluded.newest), pulled_at = now()
           WHERE (feeds.token, feeds.complete) IS DISTINCT FROM (excluded.token, excluded.complete)
                 OR feeds.newest < excluded.newest""",
        [tenant_id, entity, token, complete, newest if complete else 0],
    )


def keep_watermark(db: Database, tenant_id: int, entity: str, watermark: str | None) -> None:
    """Keep from which moment on a list is to be read next time; and that it was read, whatever came of it."""
    with db.connect() as connection:
        connection.execute(
            """INSERT INTO sync.feeds (tenant_id, entity, token, complete) VALUES (%s, %s, %s, true)
               ON CONFLICT (tenant_id, entity)
               DO UPDATE SET token = excluded.token, complete = true, pulled_at = now()""",
            [tenant_id, entity, watermark],
        )
