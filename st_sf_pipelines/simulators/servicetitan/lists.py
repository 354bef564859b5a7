"""The list endpoints: filters, order and pages over a moving set, as the transactional API has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from st_sf_pipelines.simulators.shop import stamps

from .answers import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from st_sf_pipelines.simulators.shop import Tenant
    from st_sf_pipelines.simulators.shop.table import Meta, Record, Table

    from .entities import Entity

    Test = Callable[[Meta], bool]

MAX_PAGE_SIZE, MAX_IDS = 5_000, 50
# What `active` and `activeState` may say, and which records that means.
ACTIVE = {"true": (True,), "false": (False,), "any": (True, False)}
ACTIVE_STATE = {"activeonly": (True,), "inactiveonly": (False,), "all": (True, False)}
CHOICES_NAMED = {"active": ACTIVE, "activeState": ACTIVE_STATE}
PAGING = {"page", "pageSize", "includeTotal"}


class Lists:
    """Answers lists; the ids of the last question of each table are kept while nothing changes, page after page."""

    def __init__(self) -> None:
        self._asked: dict[int, tuple[object, list[int]]] = {}

    def page(self, tenant: Tenant, entity: Entity, query: Mapping[str, str]) -> dict[str, Any]:
        """Give the page of a list that a call asks for."""
        number = _number(query, "page", 1, 1, 1 << 31)
        size = _number(query, "pageSize", 50, 1, MAX_PAGE_SIZE)
        if entity.needs_one_of and not any(query.get(name) for name in entity.needs_one_of):
            raise invalid(entity.needs_one_of[0], f"One of {', '.join(entity.needs_one_of)} is required.")
        keys = self._keys(tenant, entity, query)
        start = (number - 1) * size
        table = tenant.tables[entity.name]
        return {
            "page": number,
            "pageSize": size,
            "hasMore": start + size < len(keys),
            "totalCount": len(keys) if query.get("includeTotal", "").lower() == "true" else None,
            "data": [_listed(entity, table.get(key)) for key in keys[start : start + size]],
        }

    def _keys(self, tenant: Tenant, entity: Entity, query: Mapping[str, str]) -> list[int]:
        table = tenant.tables[entity.name]
        versions = tuple(other.version for other in tenant.tables.values())
        asked = (
            versions,
            tuple(sorted((name, value) for name, value in query.items() if name not in PAGING)),
        )
        known = self._asked.get(id(table))
        if known and known[0] == asked:
            return known[1]
        keys = _select(tenant, entity, query)
        self._asked[id(table)] = (asked, keys)
        return keys


def _select(tenant: Tenant, entity: Entity, query: Mapping[str, str]) -> list[int]:
    table = tenant.tables[entity.name]
    wanted_ids = _ids(query)
    keys = table.keys() if wanted_ids is None else sorted((key for key in wanted_ids if key in table), reverse=True)
    tests = [_active(entity, query), *_times(query)]
    found = [meta for meta in map(table.meta, keys) if all(test(meta) for test in tests)]
    for name, path in entity.fields.items():
        if query.get(name):
            found = [meta for meta in found if _matches(query[name], name, _at(table.get(meta.key), path))]
    if entity.name == "customers" and query.get("phone"):
        owners = _owners(tenant.tables["customer_contacts"], query["phone"])
        found = [meta for meta in found if meta.key in owners]
    return [meta.key for meta in _sorted(entity, query.get("sort", ""), found)]


def _active(entity: Entity, query: Mapping[str, str]) -> Test:
    if entity.active_filter is None:
        return lambda meta: meta.active
    choices = CHOICES_NAMED[entity.active_filter]
    given = query.get(entity.active_filter) or next(iter(choices))
    if given.lower() not in choices:
        raise invalid(entity.active_filter, f"The value '{given}' is not valid for {entity.active_filter}.")
    shown = choices[given.lower()]
    return lambda meta: meta.active in shown


def _times(query: Mapping[str, str]) -> list[Test]:
    # A balance that moved brings a customer into the modified range, though its modifiedOn stays.
    aside = query.get("excludeAccountingChangesFromModifiedDateRange", "").lower() == "true"
    bounds: dict[str, Callable[[int], Test]] = {
        "createdOnOrAfter": lambda bound: lambda meta: meta.created >= bound,
        "createdBefore": lambda bound: lambda meta: meta.created < bound,
        "modifiedOnOrAfter": lambda bound: lambda meta: (meta.modified if aside else meta.ranged) >= bound,
        "modifiedBefore": lambda bound: lambda meta: (meta.modified if aside else meta.ranged) < bound,
    }
    tests = []
    for name, test in bounds.items():
        if query.get(name):
            bound = stamps.read(query[name])
            if bound is None:
                raise invalid(name, f"The value '{query[name]}' is not valid for {name}.")
            tests.append(test(bound))
    return tests


def _ids(query: Mapping[str, str]) -> list[int] | None:
    if not query.get("ids"):
        return None
    parts = [part.strip() for part in query["ids"].split(",")]
    if len(parts) > MAX_IDS:
        raise invalid("ids", f"The maximum number of ids is {MAX_IDS}.")
    if not all(part.isdigit() for part in parts):
        raise invalid("ids", f"The value '{query['ids']}' is not valid for ids.")
    return sorted({int(part) for part in parts})


def _sorted(entity: Entity, given: str, found: list[Meta]) -> list[Meta]:
    # A plus that was not encoded arrives as a blank.
    direction, name = (given[:1], given[1:]) if given[:1] in {"+", "-", " "} else ("+", given)
    known = {sort.lower(): sort for sort in entity.sorts}
    if not given or not entity.sorts:
        return found
    if name.lower() not in known:
        raise invalid("sort", f"Sorting by '{name}' is not supported; supported: {', '.join(entity.sorts)}.")
    column = {"modifiedon": "modified", "createdon": "created"}.get(name.lower(), "key")
    return sorted(found, key=lambda meta: (getattr(meta, column), meta.key), reverse=direction == "-")


def _number(query: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    given = query.get(name)
    if given is None or not given:
        return default
    if not given.lstrip("-").isdigit():
        raise invalid(name, f"The value '{given}' is not valid for {name}.")
    if not low <= int(given) <= high:
        raise invalid(name, f"The field {name} must be between {low} and {high}.")
    return int(given)


def _at(record: Record, path: str) -> Any:
    value: Any = record
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _matches(wanted: str, name: str, value: Any) -> bool:
    if name == "name":
        return wanted.lower() in str(value or "").lower()
    return str(value).lower() in [part.strip().lower() for part in wanted.split(",")]


def _owners(contacts: Table, phone: str) -> set[int]:
    digits = "".join(sign for sign in phone if sign.isdigit())
    records = (contacts.get(key) for key in contacts.keys())  # noqa: SIM118 - a table's keys are walked in order
    return {
        record["customerId"]
        for record in records
        if digits and digits in "".join(sign for sign in str(record.get("value")) if sign.isdigit())
    }


def _listed(entity: Entity, record: Record) -> Record:
    if not entity.feed_only:
        return record
    return {name: value for name, value in record.items() if name not in entity.feed_only}
