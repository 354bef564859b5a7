"""The mass-change guard: how many linked records a plan would close, clear, reassign or overwrite (CRM-15)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from st_sf_pipelines.store.database import Database

SHOWN: Final = 20


@dataclass(frozen=True)
class MassChange:
    """What a plan would do to an object's linked records: how many are changed of how many, by kind, and which.

    `closed`, `cleared`, `reassigned` and `overwritten` count records, one for each kind that it falls under; `keys` are
    those of the first, or of all, that would be changed. What a person has allowed is not counted.
    """

    linked: int
    changed: int
    closed: int
    cleared: int
    reassigned: int
    overwritten: int
    keys: tuple[str, ...]

    def exceeds(self, share: float, at_least: int) -> bool:
        """Tell whether more than this share of the linked records, and at least so many, would change."""
        return self.changed >= at_least and self.changed > share * self.linked


# A field that held nothing is filled, not overwritten; a stamp (`unguarded`) is nobody's loss.
_CHANGES: Final = """
WITH pending AS (
    SELECT d.subject, d.key, d.agreed, d.wanted, coalesce(d.allowed, '{}') AS allowed FROM sync.deliveries d
    WHERE d.tenant_id = %(tenant)s AND d.asset = %(asset)s AND d.state = 'pending' AND d.remote_id IS NOT NULL),
fields AS (
    SELECT p.subject, p.key, f.key AS field, p.wanted -> f.key = 'null' AS cleared, p.wanted ->> f.key AS wanted
    FROM pending p, jsonb_each(p.agreed) f
    WHERE f.value <> 'null' AND p.wanted ? f.key AND p.wanted -> f.key <> f.value
    AND p.allowed -> f.key IS DISTINCT FROM p.wanted -> f.key
    AND NOT f.key = ANY(%(unguarded)s)),
records AS (
    SELECT subject, key, bool_or(cleared) AS cleared, bool_or(NOT cleared) AS overwritten,
           bool_or(field = ANY(%(closing)s) AND wanted = ANY(%(closed)s)) AS closed,
           bool_or(field = ANY(%(owners)s)) AS reassigned
    FROM fields GROUP BY subject, key)
SELECT count(*) AS changed, count(*) FILTER (WHERE closed) AS closed, count(*) FILTER (WHERE cleared) AS cleared,
       count(*) FILTER (WHERE reassigned) AS reassigned, count(*) FILTER (WHERE overwritten) AS overwritten,
       coalesce((array_agg(key ORDER BY closed DESC, subject))[1:coalesce(%(shown)s, count(*)::int)], '{}') AS keys,
       (SELECT count(*) FROM sync.deliveries
        WHERE tenant_id = %(tenant)s AND asset = %(asset)s AND agreed_at IS NOT NULL) AS linked
FROM records
"""


def mass_change(
    db: Database,
    tenant_id: int,
    asset: str,
    *,
    unguarded: Collection[str],
    closing: Sequence[str],
    closed: Sequence[str],
    owners: Sequence[str],
    shown: int | None = SHOWN,
) -> MassChange:
    """Count what the plan would do: `closing` fields that become one of the `closed` values close a record.

    So many keys are `shown`, or all.
    """
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "asset": asset,
        "shown": shown,
        "unguarded": list(unguarded),
        "closing": list(closing),
        "closed": list(closed),
        "owners": list(owners),
    }
    with db.connect() as connection:
        row = connection.execute(_CHANGES, values).fetchone() or {}
    return MassChange(**{**row, "keys": tuple(row["keys"])})


def allow(db: Database, tenant_id: int, asset: str) -> int:
    """Allow what an object's plan holds now, value by value; another value for the same field is counted again."""
    with db.connect() as connection:
        return connection.execute(
            """UPDATE sync.deliveries SET allowed = wanted
               WHERE tenant_id = %s AND asset = %s AND state = 'pending' AND remote_id IS NOT NULL""",
            [tenant_id, asset],
        ).rowcount
