"""The list endpoints: filters, order and pages over a moving set, as the transactional API has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from st_sf_pipelines.simulators.shop import stamps
from st_sf_pipelines.simulators.shop.table import Bound

from . import documents, filters
from .answers import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from st_sf_pipelines.simulators.shop import Tenant
    from st_sf_pipelines.simulators.shop.table import Record, Table

    from .entities import Entity

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
        query = documents.asked(f"{entity.module}/{entity.listed}", query)
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
    table, shown, bounds = tenant.tables[entity.name], _shown(entity, query), _bounds(query)
    wanted = _ids(query)
    keys = _referring(table, entity, query) if wanted is None else [key for key in wanted if key in table]
    if keys is None:
        keys = table.chosen(shown, bounds)
    else:
        metas = [table.meta(key) for key in sorted(keys, reverse=True)]
        fit = [meta for meta in metas if meta.active in shown and all(bound.holds(meta) for bound in bounds)]
        keys = [meta.key for meta in fit]
    for test in filters.tests(tenant, entity, query):
        keys = [key for key in keys if test(table.get(key))]
    return _sorted(tenant, entity, query, keys)


def _referring(table: Table, entity: Entity, query: Mapping[str, str]) -> list[int] | None:
    """Give the ids that a filter by another record's id leaves, if one is given."""
    for name, rule in entity.filters.items():
        words = query.get(name, "").split(",")
        if rule.test == "is" and all(word.strip().isdigit() for word in words):
            keys = table.referring(rule.path, {int(word) for word in words})
            if keys is not None:
                return keys
    return None


def _shown(entity: Entity, query: Mapping[str, str]) -> tuple[bool, ...]:
    return (True,) if entity.active_filter is None else chosen(entity.active_filter, query)


def chosen(name: str, query: Mapping[str, str], default: str | None = None) -> tuple[bool, ...]:
    """Tell whether a call wants active records, the others, or both."""
    choices = CHOICES_NAMED[name]
    given = query.get(name) or default or next(iter(choices))
    if given.lower() not in choices:
        raise invalid(name, f"The value '{given}' is not valid for {name}.")
    return choices[given.lower()]


def _bounds(query: Mapping[str, str]) -> list[Bound]:
    # A balance that moved brings a customer into the modified range, though its modifiedOn stays.
    aside = query.get("excludeAccountingChangesFromModifiedDateRange", "").lower() == "true"
    modified = "modified" if aside else "ranged"
    bounds = []
    for prefix, column in (("created", "created"), ("modified", modified)):
        for suffix, is_first in (("OnOrAfter", True), ("Before", False)):
            moment = stamps.read(query.get(prefix + suffix))
            if moment is not None:
                bounds.append(Bound(column, moment if is_first else None, None if is_first else moment))
    return bounds


def _ids(query: Mapping[str, str]) -> list[int] | None:
    if not query.get("ids"):
        return None
    parts = [part.strip() for part in query["ids"].split(",")]
    if len(parts) > MAX_IDS:
        raise invalid("ids", f"The maximum number of ids is {MAX_IDS}.")
    if not all(part.isdigit() for part in parts):
        raise invalid("ids", f"The value '{query['ids']}' is not valid for ids.")
    return sorted({int(part) for part in parts})


def _sorted(tenant: Tenant, entity: Entity, query: Mapping[str, str], found: list[int]) -> list[int]:
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

    def value(key: int) -> tuple[Any, int]:
        return getattr(table.meta(key), column) if column else str(table.get(key)[name.lower()]), key

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
