"""References: values that stand for a record of the target until it is sent, by our asset and our id of it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.mapping import REF
from st_sf_pipelines.store import standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from st_sf_pipelines.store.database import Database

    RemoteIds = Mapping[tuple[str, Any], str]


def is_reference(value: Any) -> bool:
    """Tell whether a value stands for a record of the target (see `mapping.Field`)."""
    return isinstance(value, dict) and REF in value


def remote_ids(db: Database, tenant_id: int, payloads: Iterable[Mapping[str, Any]]) -> RemoteIds:
    """Look up the target's ids of all records that the payloads point to, one question for each asset."""
    wanted: dict[str, set[Any]] = defaultdict(set)
    for fields in payloads:
        for value in fields.values():
            if is_reference(value):
                wanted[value[REF]].add(value["subject"])
    return standing.resolve(db, tenant_id, wanted) if wanted else {}


def resolved(fields: Mapping[str, Any], found: RemoteIds) -> dict[str, Any]:
    """Put the target's own ids in; what points to a record that is not there points to nothing."""
    return {
        name: found.get((value[REF], value["subject"])) if is_reference(value) else value
        for name, value in fields.items()
    }
