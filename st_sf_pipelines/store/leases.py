"""Leases of calls: processes that talk to one tenant share its rate through one row of the database (EXT-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from st_sf_pipelines.store.database import Database


def lease(db: Database, tenant_id: int, calls: int, per_second: float) -> float:
    """Take the next free stretch of time for so many calls; give the seconds from now to its beginning.

    Time that nobody took is lost: a quiet hour earns no burst.
    """
    with db.connect() as connection:
        row = connection.execute(
            """INSERT INTO sync.pace AS stored (tenant_id, free_at)
               VALUES (%(tenant)s, clock_timestamp() + %(takes)s * interval '1 second')
               ON CONFLICT (tenant_id) DO UPDATE
               SET free_at = greatest(stored.free_at, clock_timestamp()) + %(takes)s * interval '1 second'
               RETURNING extract(epoch FROM free_at - clock_timestamp())::float8 - %(takes)s AS wait""",
            {"tenant": tenant_id, "takes": calls / per_second},
        ).fetchone()
    return float(row["wait"]) if row else 0.0
