"""What people changed in the CRM, from where it was read to where the deals take it over (CRM-7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from st_sf_pipelines.mapping import REF

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from st_sf_pipelines.store.database import Connection, Database


@dataclass(frozen=True)
class HandChange:
    """One opportunity that a person changed there: what is new, None where nothing is; `owner` is an e-mail or ''."""

    opportunity_id: int
    at: datetime
    stage: str | None = None
    pinned: bool | None = None
    owner: str | None = None


def watermark(db: Database, tenant_id: int, asset: str) -> datetime | None:
    """Give the instant up to which a target's object was read back."""
    with db.connect() as connection:
        row = connection.execute(
            "SELECT at FROM sync.watermarks WHERE tenant_id = %s AND asset = %s", [tenant_id, asset]
        ).fetchone()
    return row["at"] if row else None


def linked(db: Database, tenant_id: int, asset: str, remote_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Give the deals behind these records of the target: remote id → id, pinned, owner_email, agreed."""
    with db.connect() as connection:
        rows = connection.execute(
            """SELECT d.remote_id, o.id, o.pinned, o.owner_email, d.agreed FROM sync.deliveries d
               JOIN pipeline.opportunities o ON o.id = d.subject
               WHERE d.tenant_id = %s AND d.asset = %s AND d.remote_id = ANY(%s) AND d.agreed IS NOT NULL""",
            [tenant_id, asset, list(remote_ids)],
        )
        return {row["remote_id"]: row for row in rows}


def slugs(db: Database, tenant_id: int, asset: str) -> dict[str, str]:
    """Give the slugs of what is seeded there, by the target's id."""
    with db.connect() as connection:
        rows = connection.execute(
            "SELECT slug, remote_id FROM sync.seeded WHERE tenant_id = %s AND asset = %s", [tenant_id, asset]
        )
        return {row["remote_id"]: row["slug"] for row in rows}


def keep(
    db: Database,
    tenant_id: int,
    asset: str,
    changes: Iterable[HandChange],
    newest: datetime | None,
    *,
    stage_field: str,
    stages: str,
) -> None:
    """Keep what people changed for the next look at their deals, and move the watermark, all or nothing.

    What stands there now is agreed, so that it is not written again, nor taken for a change once more.
    """
    with db.connect() as connection:
        for change in changes:
            if change.stage is not None or change.pinned is not None:
                connection.execute(
                    """INSERT INTO pipeline.seen AS s (opportunity_id, tenant_id, stage, pinned, seen_at)
                       VALUES (%s, %s, %s, %s, %s) ON CONFLICT (opportunity_id) DO UPDATE
                       SET stage = coalesce(excluded.stage, s.stage), pinned = coalesce(excluded.pinned, s.pinned),
                           seen_at = excluded.seen_at""",
                    [change.opportunity_id, tenant_id, change.stage, change.pinned, change.at],
                )
            if change.stage is not None:
                _agree_stage(
                    connection, tenant_id, asset, change, {stage_field: {REF: stages, "subject": change.stage}}
                )
            if change.owner is not None:
                connection.execute(
                    """WITH changed AS (UPDATE pipeline.opportunities SET owner_email = nullif(%s, '')
                                        WHERE id = %s RETURNING tenant_id, subject)
                       INSERT INTO sync.touched (tenant_id, asset, subject)
                       SELECT tenant_id, 'pipeline/opportunities', subject FROM changed""",
                    [change.owner, change.opportunity_id],
                )
        if newest is not None:
            connection.execute(
                """INSERT INTO sync.watermarks (tenant_id, asset, at) VALUES (%s, %s, %s)
                   ON CONFLICT (tenant_id, asset) DO UPDATE SET at = greatest(watermarks.at, excluded.at)""",
                [tenant_id, asset, newest],
            )


def _agree_stage(connection: Connection, tenant_id: int, asset: str, change: HandChange, stage: dict[str, Any]) -> None:
    connection.execute(
        """UPDATE sync.deliveries SET state = CASE WHEN state = 'parked' THEN state ELSE 'pending' END,
               wanted = coalesce(wanted, agreed), wanted_digest = coalesce(wanted_digest, agreed_digest),
               agreed = agreed || %s, agreed_digest = NULL
           WHERE tenant_id = %s AND asset = %s AND subject = %s""",
        [Jsonb(stage), tenant_id, asset, change.opportunity_id],
    )
