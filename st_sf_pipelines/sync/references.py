"""References: values that stand for a record of the target until it is sent, by our asset and our id of it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.mapping import REF
from st_sf_pipelines.store import standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.store.database import Database

    RemoteIds = Mapping[tuple[str, Any], str]
    Pointed = tuple[str, int | str]


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


def pointed_to(fields: Mapping[str, Any], target: ObjectMap, siblings: Sequence[ObjectMap]) -> dict[str, Pointed]:
    """Give, by field, the records of ours that a payload points to: by asset, and our id of it or its key."""
    by_key = {sibling.key: sibling.asset for sibling in siblings}
    found: dict[str, Pointed] = {}
    for name, value in fields.items():
        if is_reference(value):
            found[name] = (value[REF], value["subject"])
        elif value and name in target.parents and (asset := by_key.get(target.parents[name])):
            found[name] = (asset, value[target.parents[name]])
    return found
