"""What a handler of a single call is given, and the few things that nearly all of them do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.simulators.shop import stamps

from . import lists
from .answers import RefusalError, invalid
from .entities import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from st_sf_pipelines.simulators.shop import Tenant
    from st_sf_pipelines.simulators.shop.table import Record


@dataclass
class Papers:
    """What is kept beside the records: notes, and the contacts of bookings, by entity and record."""

    notes: dict[tuple[int, str, int], list[Record]] = field(default_factory=dict)
    contacts: dict[tuple[int, int], list[Record]] = field(default_factory=dict)
    last_id: int = 70_000_000

    def new_id(self) -> int:
        """Give an id that no other paper has."""
        self.last_id += 1
        return self.last_id


@dataclass(frozen=True)
class Call:
    """One call on a tenant's records: the ids in its path, its checked body, its query, and when it is."""

    tenant: Tenant
    papers: Papers
    now: int
    ids: tuple[int, ...]
    body: dict[str, Any]
    query: Mapping[str, str]

    @property
    def moment(self) -> str:
        """The time of the call as the API writes it."""
        return stamps.written(self.now)

    def found(self, entity: str, key: int | None = None) -> Record:
        """Give the record that the path names, or refuse the call."""
        key = self.ids[0] if key is None else key
        table = self.tenant.tables[entity]
        if key not in table:
            raise RefusalError(404, f"No record of {entity} has the id {key}.")
        return table.get(key)

    def must_be(self, entity: str, name: str, *, among: Mapping[str, Any] | None = None) -> None:
        """Refuse a body whose field names no record of an entity; an absent field names none, and that is no fault."""
        key = (self.body if among is None else among).get(name)
        if key is not None and key not in self.tenant.tables[entity]:
            raise invalid(name, f"The record with id {key} was not found.")

    def put(self, entity: str, record: Mapping[str, Any]) -> Record:
        """Write a record, and give it as single answers have it."""
        [key] = self.tenant.put(entity, [record], self.now)
        return lists.listed(BY_NAME[entity], self.tenant.tables[entity].get(key))

    def page(self, records: list[Record]) -> dict[str, Any]:
        """Give the page of a short list that the call asks for."""
        number, size = lists.page_asked(self.query)
        start = (number - 1) * size
        return {
            "page": number,
            "pageSize": size,
            "hasMore": start + size < len(records),
            "totalCount": len(records) if self.query.get("includeTotal", "").lower() == "true" else None,
            "data": records[start : start + size],
        }


def conflict(title: str) -> RefusalError:
    """Refuse a call that the record's state forbids."""
    return RefusalError(409, title)


def with_external(before: list[Record], told: Mapping[str, Any] | None) -> list[Record]:
    """Give external data as a body changes them: replaced, or merged by key, where no value takes a key away."""
    if told is None:
        return before
    kept = {each["key"]: each for each in before} if told.get("patchMode") == "Merge" else {}
    kept |= {each["key"]: {"key": each["key"], "value": each["value"]} for each in told["externalData"]}
    return [each for each in kept.values() if each["value"] is not None]


def with_fields(told: list[Record] | None) -> list[Record]:
    """Give custom fields as records have them."""
    return [
        {"typeId": each["typeId"], "name": f"Field {each['typeId']}", "value": each.get("value") or ""}
        for each in told or []
    ]
