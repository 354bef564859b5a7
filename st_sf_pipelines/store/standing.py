"""How the records stand with a target: counted, every one of them, listed where refused, and read for the proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from st_sf_pipelines.ports import Remote
    from st_sf_pipelines.store.database import Database


@dataclass(frozen=True)
class Standing:
    """How an object's records stand, all of them: the sum is the number of ours that belong there (SF-11)."""

    source: int
    synced: int
    pending: int
    waiting: int
    parked: int
    parked_by_code: dict[str, int]
    creates: int
    updates: int

    @property
    def accounted(self) -> bool:
        """Tell whether every record of ours has a place."""
        return self.source == self.synced + self.pending + self.waiting + self.parked


def standing(db: Database, tenant_id: int, asset: str, source: int) -> Standing:
    """Count how every record of ours, `source` of them, stands with a target's object; one not planned is pending.

    One count walks an index of the whole base; all else looks only at what is not synced.
    """
    with db.connect() as connection:
        row = (
            connection.execute(
                """WITH open AS (
                   SELECT d.state, d.remote_id, coalesce(d.code, 'UNKNOWN') AS code,
                          d.state = 'pending' AND p.state = 'parked'
                          AND (p.remote_id IS NULL OR d.remote_id IS NULL AND p.agreed = '{}') AS waits
                   FROM sync.deliveries d
                   LEFT JOIN sync.deliveries p
                        ON p.tenant_id = d.tenant_id AND p.asset = d.parent_asset AND p.subject = d.parent_subject
                   WHERE d.tenant_id = %(tenant)s AND d.asset = %(asset)s AND d.state <> 'synced'),
               codes AS (SELECT code, count(*) AS count FROM open WHERE state = 'parked' GROUP BY code ORDER BY code)
               SELECT (SELECT count(*) FROM sync.deliveries
                       WHERE tenant_id = %(tenant)s AND asset = %(asset)s) AS planned,
                      count(*) AS open,
                      count(*) FILTER (WHERE state = 'pending' AND waits IS NOT TRUE) AS pending,
                      count(*) FILTER (WHERE waits) AS waiting,
                      count(*) FILTER (WHERE state = 'parked') AS parked,
                      count(*) FILTER (WHERE state = 'pending' AND waits IS NOT TRUE AND remote_id IS NULL) AS creates,
                      count(*) FILTER (WHERE state = 'pending' AND remote_id IS NOT NULL) AS updates,
                      (SELECT coalesce(jsonb_object_agg(code, count), '{}') FROM codes) AS parked_by_code
               FROM open""",
                {"tenant": tenant_id, "asset": asset},
            ).fetchone()
            or {}
        )
    unplanned = max(0, source - row["planned"])
    return Standing(
        source=source,
        synced=row["planned"] - row["open"],
        pending=row["pending"] + unplanned,
        waiting=row["waiting"],
        parked=row["parked"],
        parked_by_code=row["parked_by_code"],
        creates=row["creates"] + unplanned,
        updates=row["updates"],
    )


def parked(db: Database, tenant_id: int) -> list[dict[str, Any]]:
    """List the parked records of a tenant: asset, key, subject, code, message, fields."""
    with db.connect() as connection:
        return connection.execute(
            """SELECT asset, key, subject, code, message, fields FROM sync.deliveries
               WHERE tenant_id = %s AND state = 'parked' ORDER BY asset, subject""",
            [tenant_id],
        ).fetchall()


def of_remotes(db: Database, tenant_id: int, asset: str, remotes: Sequence[Remote]) -> dict[str, dict[str, Any]]:
    """Give the deliveries that these records of the target are: by its own id, else by our key; remote id → row.

    A row has key, subject, remote_id, agreed.
    """
    keys = {remote.key: remote.remote_id for remote in remotes if remote.key}
    with db.connect() as connection:
        rows = connection.execute(
            """SELECT key, subject, remote_id, agreed FROM sync.deliveries
               WHERE tenant_id = %s AND asset = %s AND (remote_id = ANY(%s) OR key = ANY(%s))""",
            [tenant_id, asset, [remote.remote_id for remote in remotes], list(keys)],
        ).fetchall()
    by_key = {keys[row["key"]]: row for row in rows if row["key"] in keys}
    return by_key | {row["remote_id"]: row for row in rows if row["remote_id"]}


def agreed(db: Database, tenant_id: int, asset: str, sample: int | None = None) -> dict[str, str]:
    """Give the records that the target has acknowledged, all or a random sample of them: remote id → key."""
    with db.connect() as connection:
        rows = connection.execute(
            f"""SELECT key, remote_id FROM sync.deliveries
                WHERE tenant_id = %s AND asset = %s AND agreed IS NOT NULL AND remote_id IS NOT NULL
                ORDER BY {"random()" if sample else "subject"} LIMIT %s""",
            [tenant_id, asset, sample],
        )
        return {row["remote_id"]: row["key"] for row in rows}


def remote_ids(db: Database, tenant_id: int, asset: str) -> dict[int, str]:
    """Give the target's id of every linked record (subject → id)."""
    with db.connect() as connection:
        rows = connection.execute(
            """SELECT subject, remote_id FROM sync.deliveries
               WHERE tenant_id = %s AND asset = %s AND remote_id IS NOT NULL""",
            [tenant_id, asset],
        )
        return {row["subject"]: row["remote_id"] for row in rows}


def linked(db: Database, tenant_id: int, asset: str, names: Iterable[int | str]) -> list[dict[str, Any]]:
    """Give those of these records, by our id or by their key, that are linked: subject, key, remote_id."""
    every = list(names)
    with db.connect() as connection:
        return connection.execute(
            """SELECT subject, key, remote_id FROM sync.deliveries
               WHERE tenant_id = %s AND asset = %s AND remote_id IS NOT NULL AND state <> 'parked'
               AND (subject = ANY(%s) OR key = ANY(%s))""",
            [
                *(tenant_id, asset, [name for name in every if isinstance(name, int)]),
                [name for name in every if isinstance(name, str)],
            ],
        ).fetchall()


def resolve(db: Database, tenant_id: int, wanted: Mapping[str, Iterable[int | str]]) -> dict[tuple[str, Any], str]:
    """Give the target's ids of records named by asset → subjects, or asset → slugs for what is seeded there."""
    found: dict[tuple[str, Any], str] = {}
    with db.connect() as connection:
        for asset, names in wanted.items():
            subjects = [name for name in names if isinstance(name, int)]
            rows = connection.execute(
                """SELECT subject, remote_id FROM sync.deliveries
                   WHERE tenant_id = %s AND asset = %s AND subject = ANY(%s) AND remote_id IS NOT NULL""",
                [tenant_id, asset, subjects],
            )
            found |= {(asset, row["subject"]): row["remote_id"] for row in rows}
            slugs = [name for name in names if isinstance(name, str)]
            rows = connection.execute(
                "SELECT slug, remote_id FROM sync.seeded WHERE tenant_id = %s AND asset = %s AND slug = ANY(%s)",
                [tenant_id, asset, slugs],
            )
            found |= {(asset, row["slug"]): row["remote_id"] for row in rows}
    return found


def taken(db: Database, tenant_id: int, asset: str, remote_ids: Sequence[str]) -> set[str]:
    """Give those of these records of the target that are linked to records of ours already."""
    with db.connect() as connection:
        rows = connection.execute(
            "SELECT remote_id FROM sync.deliveries WHERE tenant_id = %s AND asset = %s AND remote_id = ANY(%s)",
            [tenant_id, asset, list(remote_ids)],
        )
        return {row["remote_id"] for row in rows}


def seeded(db: Database, tenant_id: int) -> set[str]:
    """Give the slugs of what was seeded in a target once."""
    with db.connect() as connection:
        rows = connection.execute("SELECT slug FROM sync.seeded WHERE tenant_id = %s", [tenant_id])
        return {row["slug"] for row in rows}


def keep_seeded(db: Database, tenant_id: int, asset: str, remote_ids: Mapping[str, str]) -> None:
    """Remember the target's ids of what is seeded there by slug (pipelines, stages); what is gone is forgotten."""
    with db.connect() as connection:
        connection.execute(
            "DELETE FROM sync.seeded WHERE tenant_id = %s AND asset = %s AND NOT slug = ANY(%s)",
            [tenant_id, asset, list(remote_ids)],
        )
        connection.execute(
            """INSERT INTO sync.seeded (tenant_id, asset, slug, remote_id)
               SELECT %s, %s, unnest(%s::text[]), unnest(%s::text[])
               ON CONFLICT (tenant_id, asset, slug) DO UPDATE SET remote_id = excluded.remote_id""",
            [tenant_id, asset, list(remote_ids), list(remote_ids.values())],
        )
