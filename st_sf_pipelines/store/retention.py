"""What we forget: rounds, receipts and log entries that nobody needs any longer, in small transactions (OPS-7)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.store.audit import CONCLUDED, GOOD, PUSHED
from st_sf_pipelines.store.database import barrier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from st_sf_pipelines.config import Retention
    from st_sf_pipelines.store.database import Database

BATCH: Final = 10_000
"""How many rows one transaction deletes."""

# The next round asks for the last ones that concluded, that pushed, and that were good; of the good the latest as_of.
_NEWEST: Final = "started_at DESC"
_KEPT: Final = " UNION ".join(
    f"(SELECT DISTINCT ON (tenant_id) tenant_id, run_id FROM sync.rounds r WHERE {which} ORDER BY tenant_id, {by})"
    for which, by in (("true", _NEWEST), (CONCLUDED, _NEWEST), (PUSHED, _NEWEST), (GOOD, f"as_of DESC, {_NEWEST}"))
)

# fmt: off
SWEPT: Final = (  # table, which of its rows may go
    ("sync.rounds",     f"started_at < %(audit)s AND ended_at IS NOT NULL AND (tenant_id, run_id) NOT IN ({_KEPT})"),
    ("sync.operations", f"at < %(audit)s AND (tenant_id, run_id) NOT IN ({_KEPT})"),
    ("sync.receipts",   """at < %(receipts)s AND EXISTS (
                           SELECT FROM sync.receipts newer WHERE newer.tenant_id = receipts.tenant_id
                           AND newer.asset = receipts.asset AND newer.subject = receipts.subject
                           AND newer.id > receipts.id)"""),
)
# fmt: on
"""Not here, and so never deleted: records, histories, quarantine, what is agreed with a target. Raw pages are not kept
at all: a record is stored whole in its own table, in the version that is in force."""

_FOLLOWS: Final = "(SELECT unnest(%(consumers)s::text[]) AS consumer, unnest(%(assets)s::text[]) AS asset) AS follows"
# An asset that has not read its log for so long that it is dearer to keep the log than to look at everybody.
_STANDS_STILL: Final = f"""
p.moved_at < %(standstill)s AND EXISTS (
    SELECT FROM {_FOLLOWS} JOIN sync.touched t ON t.tenant_id = p.tenant_id AND t.asset = follows.asset
    WHERE follows.consumer = p.consumer AND t.seq > p.seq)
"""
# Behind the slowest of those who follow an asset; the newest entry stays, as it tells where the log ends.
_READ_BY_ALL: Final = f"""
SELECT newest.tenant_id, newest.asset, least(newest.seq - 1, slowest.seq) AS through
FROM (SELECT tenant_id, asset, max(seq) AS seq FROM sync.touched GROUP BY tenant_id, asset) newest
LEFT JOIN (
    SELECT p.tenant_id, follows.asset, min(p.seq) AS seq
    FROM sync.positions p JOIN {_FOLLOWS} ON follows.consumer = p.consumer
    WHERE NOT (%(dry_run)s AND {_STANDS_STILL})
    GROUP BY p.tenant_id, follows.asset) slowest
ON slowest.tenant_id = newest.tenant_id AND slowest.asset = newest.asset
"""


def clean(
    db: Database, retention: Retention, follows: Mapping[str, Sequence[str]], now: datetime, *, dry_run: bool
) -> dict[str, int]:
    """Delete what is older than its retention, and the log that everybody has read; give the rows of each table.

    `follows` says whose log each asset reads. Dry, it only counts. Rounds may run meanwhile.
    """
    pairs = [(consumer, asset) for consumer, assets in follows.items() for asset in assets]
    values: dict[str, Any] = {
        "audit": now - timedelta(days=retention.audit_days),
        "receipts": now - timedelta(days=retention.receipts_days),
        "standstill": now - timedelta(days=retention.standstill_days),
        "consumers": [consumer for consumer, _ in pairs],
        "assets": [asset for _, asset in pairs],
        "dry_run": dry_run,
    }
    deleted = {table: _sweep(db, table, where, values, dry_run=dry_run) for table, where in SWEPT}
    deleted["sync.positions"] = _forget(db, values, dry_run=dry_run)
    with db.connect() as connection:
        logs = connection.execute(_READ_BY_ALL, values).fetchall()
    read = "tenant_id = %(tenant_id)s AND asset = %(asset)s AND seq <= %(through)s"
    deleted["sync.touched"] = sum(_sweep(db, "sync.touched", read, each, dry_run=dry_run) for each in logs)
    return deleted


def _sweep(db: Database, table: str, where: str, values: Mapping[str, Any], *, dry_run: bool) -> int:
    """Delete the rows of a table batch by batch, or only count them."""
    if dry_run:
        with db.connect() as connection:
            row = connection.execute(f"SELECT count(*) AS count FROM {table} WHERE {where}", values).fetchone()
        return row["count"] if row else 0
    batch = f"DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE {where} LIMIT {BATCH}))"
    total = 0
    while True:
        with db.connect() as connection:
            count = connection.execute(batch, values).rowcount
        total += count
        if count < BATCH:
            return total


def _forget(db: Database, values: Mapping[str, Any], *, dry_run: bool) -> int:
    """Forget the positions that stand still; whoever lost its own looks at everybody, as at its first look.

    A reader of the log may just be coming back: it holds the log while it reads, and so do we.
    """
    with db.connect() as connection:
        still = connection.execute(
            f"SELECT DISTINCT tenant_id FROM sync.positions p WHERE {_STANDS_STILL}", values
        ).fetchall()
        if dry_run:
            row = connection.execute(
                f"SELECT count(*) AS count FROM sync.positions p WHERE {_STANDS_STILL}", values
            ).fetchone()
            return row["count"] if row else 0
    total = 0
    for each in still:
        with db.connect() as connection:
            barrier(connection, f"touched:{each['tenant_id']}", exclusive=True)
            total += connection.execute(
                f"DELETE FROM sync.positions p WHERE p.tenant_id = %(tenant_id)s AND {_STANDS_STILL}",
                {**values, **each},
            ).rowcount
    return total
