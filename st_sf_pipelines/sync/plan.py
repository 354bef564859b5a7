"""Plans an object of a target: maps the changed rows of ours, and lays the payloads over what is agreed (SF-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from st_sf_pipelines.mapping import digest, payload
from st_sf_pipelines.store import ledger, log, outgoing
from st_sf_pipelines.store.ledger import Intended
from st_sf_pipelines.sync.derive import FOLLOWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from st_sf_pipelines.config import Tenant
    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.store.database import Connection, Database
    from st_sf_pipelines.store.ledger import Planned
    from st_sf_pipelines.store.log import Scope


def plan_version(target: ObjectMap, key_format: str) -> str:
    """Change when a row of the map or the format of the key changes, so that everything is planned anew."""
    return f"{target.digest} {key_format}"


def plan(
    db: Database,
    tenant: Tenant,
    target: ObjectMap,
    key_format: str,
    as_of: datetime,
    scope: Scope,
    values: Mapping[str, Any] | None = None,
) -> Planned:
    """Make the payloads of every changed customer's rows, and note as pending what differs from the acknowledged.

    `values` are what the source's statement asks of the system's section (outgoing.Source).
    """
    version = plan_version(target, key_format)
    with db.connect() as connection:
        seq = log.look(connection, tenant.id, target.asset, FOLLOWS[target.asset], version, scope)
        intended = _intended(connection, tenant, target, key_format, as_of, values)
        planned = ledger.plan(connection, tenant.id, target.asset, intended)
        log.move(connection, tenant.id, target.asset, seq, version)
    return planned


def is_behind(db: Database, tenant: Tenant, target: ObjectMap, key_format: str) -> bool:
    """Tell whether customers changed, or the map was edited, since the last plan."""
    version = plan_version(target, key_format)
    with db.connect() as connection:
        return log.behind(connection, tenant.id, target.asset, FOLLOWS[target.asset], version)


def _intended(
    connection: Connection,
    tenant: Tenant,
    target: ObjectMap,
    key_format: str,
    as_of: datetime,
    values: Mapping[str, Any] | None,
) -> Iterator[Intended]:
    others = outgoing.SOURCES[target.source].keys
    for row in outgoing.rows(connection, tenant.id, target.source, values):
        key = key_format.format(id=row["key_id"])
        keys = {name: key_format.format(id=row[name]) for name in others if row[name] is not None}
        wanted = payload(target, {**row, **keys, "key": key, "synced_at": as_of})
        yield Intended(row["subject"], key, wanted, digest(target, wanted), _parent(target, row))


def _parent(target: ObjectMap, row: dict[str, Any]) -> tuple[str, int] | None:
    asset = row.get("parent_asset", target.parent)
    return (asset, row.get("parent_subject", row["subject"])) if asset else None
