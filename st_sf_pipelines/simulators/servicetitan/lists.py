"""The list endpoints: filters, order and pages over a moving set, as the transactional API has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from st_sf_pipelines.simulators.shop import stamps

from . import documents, filters
from .answers import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from st_sf_pipelines.simulators.shop import Tenant
    from st_sf_pipelines.simulators.shop.table import Meta, Record

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
        documents.check_query(f"{entity.module}/{entity.listed}", query)
        number, size = page_asked(query)
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
            "data": [listed(entity, table.get(key)) for key in keys[start : start + size]],
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
    for test in filters.tests(tenant, entity, query):
        found = [meta for meta in found if test(table.get(meta.key))]
    return [meta.key for meta in _sorted(tenant, entity, query, found)]


def _active(entity: Entity, query: Mapping[str, str]) -> Test:
    if entity.active_filter is None:
        return lambda meta: meta.active
    shown = chosen(entity.active_filter, query)
    return lambda meta: meta.active in shown


def chosen(name: str, query: Mapping[str, str], default: str | None = None) -> tuple[bool, ...]:
    """Tell whether a call wants active records, the others, or both."""
    choices = CHOICES_NAMED[name]
    given = query.get(name) or default or next(iter(choices))
    if given.lower() not in choices:
        raise invalid(name, f"The value '{given}' is not valid for {name}.")
    return choices[given.lower()]


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


def _sorted(tenant: Tenant, entity: Entity, query: Mapping[str, str], found: list[Meta]) -> list[Meta]:
    given = query.get("sort", "")
    # A plus that was not encoded arrives as a blank.
    direction, name = (given[:1], given[1:]) if given[:1] in {"+", "-", " "} else ("+", given)
    if not given and query.get("orderBy"):
        name, direction = query["orderBy"], "-" if query.get("orderByDirection", "").lower().startswith("desc") else "+"
    known = {sort.lower(): sort for sort in entity.sorts}
    if not name or not entity.sorts:
        return found
    if name.lower() not in known:
        field = "sort" if given else "orderBy"
        raise invalid(field, f"Sorting by '{name}' is not supported; supported: {', '.join(entity.sorts)}.")
    column, table = COLUMNS.get(name.lower()), tenant.tables[entity.name]

    def value(meta: Meta) -> tuple[Any, int]:
        return getattr(meta, column) if column else str(table.get(meta.key)[name.lower()]), meta.key

    return sorted(found, key=value, reverse=direction == "-")


COLUMNS = {"modifiedon": "modified", "createdon": "created", "id": "key"}


def page_asked(query: Mapping[str, str]) -> tuple[int, int]:
    """Give the number and the size of the page that a call asks for."""
    return _number(query, "page", 1, 1, 1 << 31), _number(query, "pageSize", 50, 1, MAX_PAGE_SIZE)


def _number(query: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    given = query.get(name)
    if given is None or not given:
        return default
    if not given.lstrip("-").isdigit():
        raise invalid(name, f"The value '{given}' is not valid for {name}.")
    if not low <= int(given) <= high:
        raise invalid(name, f"The field {name} must be between {low} and {high}.")
    return int(given)


def listed(entity: Entity, record: Record) -> Record:
    """Give a record as lists and single answers have it."""
    if not entity.feed_only:
        return record
    return {name: value for name, value in record.items() if name not in entity.feed_only}
