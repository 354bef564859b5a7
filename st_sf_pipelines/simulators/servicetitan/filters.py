"""How the lists' parameters choose records: each test is made from what a call gives, and asked for each record."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.simulators.shop import links, stamps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from st_sf_pipelines.simulators.shop import Tenant
    from st_sf_pipelines.simulators.shop.table import Record

    from .entities import Entity

    Test = Callable[[Record], bool]
    Compare = Callable[[Any, str], bool]


def tests(tenant: Tenant, entity: Entity, query: Mapping[str, str]) -> list[Test]:
    """Give a test for each filter of a list that a call gives."""
    return [
        _test(tenant, rule.test, rule.path, query[name], query)
        for name, rule in entity.filters.items()
        if query.get(name)
    ]


def _test(tenant: Tenant, kind: str, path: str, given: str, query: Mapping[str, str]) -> Test:
    if kind in COMPARE:
        compare = COMPARE[kind]
        return lambda record: compare(at(record, path), given)
    if kind == "balance":
        comparer = query.get("balanceFilter.Comparer", "Equals").lower()
        return lambda record: _by_comparer(comparer, _number(at(record, path)), _number(given))
    if kind == "phone":
        owners = links.owners_of_phone(tenant, given)
        return lambda record: record["id"] in owners
    if kind == "sent":
        return lambda record: int(given) in links.technicians_of(tenant, record["id"])
    if kind.startswith("customer"):
        return _of_customer(tenant, kind, path, given)
    return _of_visits(tenant, kind, path, given)


def _of_customer(tenant: Tenant, kind: str, path: str, given: str) -> Test:
    table, compare = tenant.tables["customers"], COMPARE[kind.removeprefix("customer").strip() or "is"]

    def holds(record: Record) -> bool:
        owner = record.get("customerId")
        return isinstance(owner, int) and owner in table and compare(at(table.get(owner), path), given)

    return holds


def _of_visits(tenant: Tenant, kind: str, path: str, given: str) -> Test:
    def visits(job: Record) -> list[Record]:
        return [visit for visit in links.appointments_of(tenant, job["id"]) if visit["active"]]

    if kind == "visitor":
        return lambda job: any(int(given) in links.technicians_of(tenant, visit["id"]) for visit in visits(job))
    compare = COMPARE[kind.removeprefix("first ").removeprefix("visit").strip() or "is"]
    most = 1 if kind.startswith("first ") else None
    return lambda job: any(
        compare(visit[path], given) for visit in sorted(visits(job), key=lambda visit: visit["start"])[:most]
    )


def at(record: Record, path: str) -> Any:
    """Give a field, or a field of what a field holds; of a list of objects the field of each."""
    value: Any = record
    for name in path.split("."):
        if isinstance(value, list):
            value = [each.get(name) for each in value]
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value


def _is(value: Any, given: str) -> bool:
    return str(value).lower() in [word.strip().lower() for word in given.split(",")]


def _since(value: Any, given: str) -> bool:
    stamp, bound = stamps.read(value), stamps.read(given)
    return stamp is not None and bound is not None and stamp >= bound


def _before(value: Any, given: str) -> bool:
    stamp, bound = stamps.read(value), stamps.read(given)
    return stamp is not None and bound is not None and stamp < bound


def _number(value: Any) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None


def _by_comparer(comparer: str, value: Decimal | None, bound: Decimal | None) -> bool:
    if value is None or bound is None:
        return False
    results = {"equals": value == bound, "notequals": value != bound, "greater": value > bound, "less": value < bound}
    return results[comparer]


def digits(text: Any) -> str:
    """Give the digits of a phone number as somebody typed it."""
    return "".join(sign for sign in str(text or "") if sign.isdigit())


def _keys(value: Any) -> set[str]:
    return {str(each.get("key")) for each in value or []}


COMPARE: dict[str, Compare] = {
    "is": _is,
    "holds": lambda value, given: given.lower() in str(value or "").lower(),
    "since": _since,
    "before": _before,
    "above": lambda value, given: _by_comparer("greater", _number(value), _number(given)),
    "below": lambda value, given: _by_comparer("less", _number(value), _number(given)),
    "least": lambda value, given: (_number(value) or 0) >= (_number(given) or 0),
    "most": lambda value, given: (_number(value) or 0) <= (_number(given) or 0),
    "any": lambda value, given: any(_is(each, given) for each in value or []),
    "flag": lambda value, given: value is (given.lower() == "true"),
    "none": lambda value, given: (value is None) is (given.lower() == "true"),
    "form": lambda value, given: (value is not None) is (given.lower() == "true"),
    "digits": lambda value, given: bool(digits(given)) and digits(given) in digits(value),
    "key": lambda value, given: given in _keys(value),
    "values": lambda value, given: any(_is(each.get("value"), given) for each in value or []),
}
