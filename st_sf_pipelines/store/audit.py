"""The audit: each tenant's rounds, what each asset did in them, and each look that found nothing (OPS-2, OPS-4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from datetime import datetime

    from st_sf_pipelines.store.database import Connection, Database


DEALS: Final = "pipeline/opportunities"
_DID: Final = """EXISTS (SELECT FROM sync.operations o
                      WHERE o.run_id = r.run_id AND o.tenant_id = r.tenant_id AND o.asset"""
CONCLUDED: Final = rf"{_DID} ~ '^(customers|pipeline|salesforce|crm)/\w+$')"
"""Holds for a round `r` that concluded or pushed something; a sweep, a month of history or a proof is none."""
PUSHED: Final = f"NOT r.dry_run AND {CONCLUDED}"
GOOD: Final = f"NOT r.dry_run AND r.whole AND r.status IN ('success', 'parked') AND {_DID} = '{DEALS}')"
"""Holds for a round `r` that knew all of ServiceTitan and worked the deals: one to reach back to (CRM-1)."""

KILLED: Final = "the process ended in the middle"
"""The error of a round that a kill left open."""


@dataclass(frozen=True)
class Before:
    """The `as_of` of the rounds before: of the last that concluded, of the last that pushed, of the last good one."""

    concluded: datetime | None
    pushed: datetime | None
    good: datetime | None


def begin_round(
    db: Database,
    run_id: str,
    tenant_id: int,
    tenant: str,
    as_of: datetime,
    *,
    dry_run: bool,
    triggered_by: str = "person",
    everybody: bool = False,
) -> Before:
    """Note that a round begins, and whether it looks at everybody; give what came before it.

    Rounds that a kill left open are closed: the caller holds the tenant's lock, so none of them can be running.
    """
    with db.connect() as connection:
        connection.execute(
            """UPDATE sync.rounds SET ended_at = now(), status = 'failed', error = %s
               WHERE tenant_id = %s AND ended_at IS NULL""",
            [KILLED, tenant_id],
        )
        before = rounds_before(connection, tenant_id)
        connection.execute(
            """INSERT INTO sync.rounds (run_id, tenant_id, tenant, as_of, dry_run, triggered_by, everybody)
               VALUES (%s, %s, %s, %s, %s, %s, %s)
               ON CONFLICT (run_id, tenant_id) DO UPDATE SET started_at = now(), ended_at = NULL""",
            [run_id, tenant_id, tenant, as_of, dry_run, triggered_by, everybody],
        )
    return before


def rounds_before(connection: Connection, tenant_id: int) -> Before:
    """Tell of the rounds so far."""
    row = connection.execute(
        f"""SELECT (array_agg(as_of ORDER BY started_at DESC) FILTER (WHERE {CONCLUDED}))[1] AS concluded,
                   (array_agg(as_of ORDER BY started_at DESC) FILTER (WHERE {PUSHED}))[1] AS pushed,
                   max(as_of) FILTER (WHERE {GOOD}) AS good
            FROM sync.rounds r WHERE tenant_id = %s""",
        [tenant_id],
    ).fetchone()
    return Before(**row or {})


def end_round(
    db: Database,
    run_id: str,
    tenant_id: int,
    status: str,
    error: str | None,
    *,
    whole: bool = True,
    note: str | None = None,
) -> None:
    """Note how a round ended: success, parked, stopped or failed; whether it was `whole`; a `note` for people."""
    with db.connect() as connection:
        connection.execute(
            """UPDATE sync.rounds SET ended_at = now(), status = %s, error = %s, whole = %s, note = %s
               WHERE run_id = %s AND tenant_id = %s""",
            [status, error, whole, note, run_id, tenant_id],
        )


def running(db: Database, tenant_id: int) -> dict[str, Any] | None:
    """Name the round that holds the tenant's lock: run_id and started_at."""
    with db.connect() as connection:
        return connection.execute(
            """SELECT run_id, started_at FROM sync.rounds WHERE tenant_id = %s AND ended_at IS NULL
               ORDER BY started_at DESC LIMIT 1""",
            [tenant_id],
        ).fetchone()


def keep_operation(
    db: Database, run_id: str, tenant_id: int, asset: str, counts: dict[str, Any], seconds: float, error: str | None
) -> None:
    """Note what an asset did in a round; counts, codes and ids only, never a value (AUTH-2)."""
    with db.connect() as connection:
        connection.execute(
            """INSERT INTO sync.operations (run_id, tenant_id, asset, counts, seconds, error)
               VALUES (%s, %s, %s, %s, %s, %s)
               ON CONFLICT (run_id, tenant_id, asset) DO UPDATE
               SET counts = excluded.counts, seconds = excluded.seconds, error = excluded.error, at = now()""",
            [run_id, tenant_id, asset, Jsonb(counts), seconds, error],
        )


def operations(db: Database, run_id: str, tenant_id: int) -> dict[str, dict[str, Any]]:
    """Give what each asset did in a round: asset → counts, seconds, error."""
    with db.connect() as connection:
        rows = connection.execute(
            """SELECT asset, counts, seconds, error FROM sync.operations
               WHERE run_id = %s AND tenant_id = %s ORDER BY at""",
            [run_id, tenant_id],
        )
        return {row["asset"]: row for row in rows}


def held(db: Database, run_id: str) -> list[dict[str, Any]]:
    """List the objects that the mass-change guard stopped in a run: tenant_id, asset."""
    with db.connect() as connection:
        return connection.execute(
            """SELECT DISTINCT tenant_id, h.key AS asset FROM sync.operations, jsonb_each(counts -> 'stopped') h
               WHERE run_id = %s AND counts ? 'stopped' ORDER BY asset""",
            [run_id],
        ).fetchall()


def round_of(db: Database, run_id: str, tenant_id: int) -> dict[str, Any] | None:
    """Give one round: as_of, status, error, note."""
    with db.connect() as connection:
        return connection.execute(
            "SELECT as_of, status, error, note FROM sync.rounds WHERE run_id = %s AND tenant_id = %s",
            [run_id, tenant_id],
        ).fetchone()


def latest_rounds(db: Database, limit: int) -> list[dict[str, Any]]:
    """List the newest rounds of all tenants with what their assets did, newest first."""
    with db.connect() as connection:
        return connection.execute(
            """SELECT r.run_id, r.tenant, r.started_at, r.ended_at, r.status, r.error,
                      coalesce(jsonb_object_agg(o.asset, o.counts) FILTER (WHERE o.asset IS NOT NULL), '{}') AS counts
               FROM sync.rounds r LEFT JOIN sync.operations o USING (run_id, tenant_id)
               GROUP BY r.run_id, r.tenant_id ORDER BY r.started_at DESC LIMIT %s""",
            [limit],
        ).fetchall()


def keep_look(db: Database, tenant_id: int, at: datetime, outcome: str, *, good: bool) -> None:
    """Note that a tenant was looked at, and what came of it in words (OPS-6)."""
    with db.connect() as connection:
        connection.execute(
            """INSERT INTO sync.looks AS stored (tenant_id, looked_at, good_at, outcome)
               VALUES (%(tenant)s, %(at)s, CASE WHEN %(good)s THEN %(at)s::timestamptz END, %(outcome)s)
               ON CONFLICT (tenant_id) DO UPDATE SET looked_at = excluded.looked_at, outcome = excluded.outcome,
               good_at = coalesce(excluded.good_at, stored.good_at)""",
            {"tenant": tenant_id, "at": at, "good": good, "outcome": outcome},
        )


def last_look(db: Database, tenant_id: int) -> datetime | None:
    """Give the moment of the last look at a tenant."""
    with db.connect() as connection:
        row = connection.execute("SELECT looked_at FROM sync.looks WHERE tenant_id = %s", [tenant_id]).fetchone()
    return row["looked_at"] if row else None
