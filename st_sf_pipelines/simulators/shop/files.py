"""What a shop is made from: a known name, a JSON file, or an object as in such a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from .cohorts import CUSTOMERS
from .records import FIRST_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_SHOP = "perfect-catch"
DEFAULT_SEED = 7

# fmt: off
SHOPS: dict[str, dict[str, Any]] = {
    DEFAULT_SHOP: {"customers": CUSTOMERS, "tenants": [
        {"id": 881_200_417, "name": "perfect-catch", "timezone": "America/Los_Angeles"},
        {"id": 881_200_602, "name": "desert-air", "timezone": "America/Phoenix", "small": True},
    ]},
    "two-regions": {"customers": CUSTOMERS, "tenants": [
        {"id": 881_200_417, "name": "socal",  "timezone": "America/Los_Angeles"},
        {"id": 881_200_533, "name": "dallas", "timezone": "America/Chicago"},
    ]},
}
# fmt: on
SMALL_PART, SMALL_MOST = 7, 240
"""A small tenant has a seventh of the customers that are asked for, and so many at most."""


@dataclass(frozen=True)
class TenantPlan:
    """One tenant as told: how many customers to make up, records given in so many words, and scopes it lacks."""

    id: int
    name: str
    timezone: str
    customers: int
    records: dict[str, list[dict[str, Any]]]
    raw: bool
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ShopPlan:
    """A whole shop as told."""

    name: str
    seed: int
    anchor: datetime
    tenants: tuple[TenantPlan, ...]


def plan(
    name_or_config: str | Mapping[str, Any],
    *,
    customers: int | None,
    seed: int | None,
    anchor: datetime | None,
    today: datetime,
) -> ShopPlan:
    """Read what a shop is made from; an argument wins over the file."""
    told = _told(name_or_config)
    name = str(told.get("name", DEFAULT_SHOP))
    told_anchor = datetime.fromisoformat(told["anchor"]) if told.get("anchor") else today
    if told_anchor.tzinfo is None:
        told_anchor = told_anchor.replace(tzinfo=UTC)
    size = customers if customers is not None else told.get("customers")
    tenants = told.get("tenants") or SHOPS[DEFAULT_SHOP]["tenants"]
    return ShopPlan(
        name=name,
        seed=seed if seed is not None else int(told.get("seed", DEFAULT_SEED)),
        anchor=anchor or told_anchor,
        tenants=tuple(_tenant(each, size) for each in tenants),
    )


def _told(name_or_config: str | Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(name_or_config, str):
        return name_or_config
    if name_or_config in SHOPS:
        return {"name": name_or_config, **SHOPS[name_or_config]}
    path = Path(name_or_config)
    if not path.is_file():
        raise ValueError(f"{name_or_config!r} is neither a file nor a known shop; known: {', '.join(SHOPS)}")
    told = orjson.loads(path.read_bytes())
    if not isinstance(told, dict):
        raise TypeError(f"{path} must hold one JSON object")
    return told


def _tenant(told: Mapping[str, Any], size: int | None) -> TenantPlan:
    records = told.get("records") or {}
    unknown = set(records) - set(FIRST_ID)
    if unknown:
        raise ValueError(f"unknown entities {sorted(unknown)}; known: {', '.join(FIRST_ID)}")
    return TenantPlan(
        id=int(told["id"]),
        name=str(told["name"]),
        timezone=str(told.get("timezone", "America/Los_Angeles")),
        customers=int(told.get("customers", 0 if records and size is None else _share(told, size))),
        records=records,
        raw=bool(told.get("raw", False)),
        lacks=tuple(told.get("lacks", ())),
    )


def _share(told: Mapping[str, Any], size: int | None) -> int:
    size = CUSTOMERS if size is None else size
    return min(size // SMALL_PART, SMALL_MOST) if told.get("small") else size
