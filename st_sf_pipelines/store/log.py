"""The touched log: which subjects each asset changed, and how far each asset that follows has read (EXT-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from st_sf_pipelines.store.database import barrier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from st_sf_pipelines.store.database import Connection, Database


_OF_LEADS: Final = frozenset({"servicetitan/leads", "pipeline/opportunities"})
"""Whoever follows these looks at leads without a customer too, each under its own id below zero."""


@dataclass(frozen=True)
class Scope:
    """Whom an asset looks at: the changed since its last look, everybody, or the customers named."""

    everybody: bool = False
    ids: tuple[int, ...] = ()


def share(connection: Connection, tenant_id: int) -> None:
    """Announce, within this transaction, that it writes to the log."""
    barrier(connection, f"touched:{tenant_id}", exclusive=False)


def look(
    connection: Connection, tenant_id: int, consumer: str, follows: Sequence[str], version: str, scope: Scope
) -> int | None:
    """Fill the temporary table `subject` with the customers that `consumer` has to look at.

    Return the log's end, to be given to `move` in the same transaction; None where no position may move because only
    the customers named were looked at. Another `version` (an edited rule or map) makes it everybody.
    """
    barrier(connection, f"touched:{tenant_id}", exclusive=True)
    if scope.ids:
        _nobody(connection)
        connection.execute("INSERT INTO subject SELECT DISTINCT unnest(%s::bigint[])", [list(scope.ids)])
        return None
    end = connection.execute(
        "SELECT coalesce(max(seq), 0) AS seq FROM sync.touched WHERE tenant_id = %s AND asset = ANY(%s)",
        [tenant_id, list(follows)],
    ).fetchone()
    stands = connection.execute(
        "SELECT seq, version FROM sync.positions WHERE tenant_id = %s AND consumer = %s", [tenant_id, consumer]
    ).fetchone()
    if scope.everybody or stands is None or stands["version"] != version:
        take_everybody(connection, tenant_id, leads=not _OF_LEADS.isdisjoint(follows))
    else:
        _nobody(connection)
        connection.execute(
            """INSERT INTO subject SELECT DISTINCT subject FROM sync.touched
               WHERE tenant_id = %s AND asset = ANY(%s) AND seq > %s""",
            [tenant_id, list(follows), stands["seq"]],
        )
        connection.execute("ANALYZE subject")
    return end["seq"] if end else 0


def take_everybody(connection: Connection, tenant_id: int, *, leads: bool) -> None:
    """Fill the temporary table `subject` with all customers, and with the leads without one, below zero, if asked."""
    _nobody(connection)
    connection.execute("INSERT INTO subject SELECT id FROM servicetitan.customers WHERE tenant_id = %s", [tenant_id])
    if leads:
        connection.execute(
            "INSERT INTO subject SELECT -id FROM servicetitan.leads WHERE tenant_id = %s AND customer_id IS NULL",
            [tenant_id],
        )
    connection.execute("ANALYZE subject")


def _nobody(connection: Connection) -> None:
    connection.execute("CREATE TEMP TABLE subject (st_id bigint PRIMARY KEY) ON COMMIT DROP")


def move(connection: Connection, tenant_id: int, consumer: str, seq: int | None, version: str) -> None:
    """Keep how far `consumer` has read, in the transaction that holds what it concluded."""
    if seq is not None:
        connection.execute(
            """INSERT INTO sync.positions (tenant_id, consumer, seq, version) VALUES (%s, %s, %s, %s)
               ON CONFLICT (tenant_id, consumer)
               DO UPDATE SET seq = excluded.seq, version = excluded.version, moved_at = now()
               WHERE (positions.seq, positions.version) IS DISTINCT FROM (excluded.seq, excluded.version)""",
            [tenant_id, consumer, seq, version],
        )


def position(db: Database, tenant_id: int, consumer: str) -> int:
    """Give how far `consumer` has read: the place in the log up to which every change is in what it concluded."""
    with db.connect() as connection:
        row = connection.execute(
            "SELECT seq FROM sync.positions WHERE tenant_id = %s AND consumer = %s", [tenant_id, consumer]
        ).fetchone()
    return int(row["seq"]) if row else 0


def behind(connection: Connection, tenant_id: int, consumer: str, follows: Sequence[str], version: str) -> bool:
    """Tell whether `consumer` has something to look at: the log went on, or its rule was edited."""
    row = connection.execute(
        """SELECT coalesce((SELECT max(seq) FROM sync.touched
                            WHERE tenant_id = %(tenant)s AND asset = ANY(%(follows)s)), 0)
                  > coalesce((SELECT seq FROM sync.positions
                              WHERE tenant_id = %(tenant)s AND consumer = %(consumer)s), 0)
               OR EXISTS (SELECT FROM sync.positions WHERE tenant_id = %(tenant)s AND consumer = %(consumer)s
                          AND version <> %(version)s) AS behind""",
        {"tenant": tenant_id, "follows": list(follows), "consumer": consumer, "version": version},
    ).fetchone()
    return bool(row and row["behind"])
