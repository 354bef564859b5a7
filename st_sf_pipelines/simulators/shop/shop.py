"""A shop: some tenants, each with a table of records for every entity."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from . import files, shapes, stamps
from .calendar import Calendar
from .history import fill
from .records import ROOM, Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .files import ShopPlan, TenantPlan
    from .table import Record, Table

LAG = 15 * stamps.TICKS_A_MINUTE
"""A change shows in a feed this much later, unless recent changes are asked for."""


@dataclass(frozen=True)
class Tenant:
    """One ServiceTitan account of the shop, and its records."""

    id: int
    name: str
    timezone: str
    tables: dict[str, Table] = field(repr=False)
    shift: int = 0
    """So much higher are this tenant's ids than the first one's."""
    lacks: tuple[str, ...] = ()
    """Scopes that its client was not granted."""

    @property
    def office(self) -> int:
        """The employee who does what nobody else does."""
        return shapes.OFFICE_EMPLOYEE + self.shift

    def _completed(self, entity: str, given: Record, before: Record | None, now: int) -> Record:
        """Complete a record; what a new one refers to by default is the tenant's own."""
        record = shapes.completed(entity, given, before, now)
        if before is None and self.shift:
            record |= {
                name: record[name] + self.shift for name in shapes.REFERS if record.get(name) and name not in given
            }
        return record

    def put(
        self,
        entity: str,
        records: Iterable[Mapping[str, Any]],
        now: int,
        *,
        raw: bool = False,
        accounting: bool = False,
        silent: bool = False,
    ) -> list[int]:
        """Add or replace records, and give their keys.

        What a record leaves out comes from its version before, or from a new record of that entity; `modifiedOn` is now
        unless it is told. With `raw` the record stands as given, however broken. An `accounting` change moves the
        record in the feed and in modified ranges, and leaves its modifiedOn alone. A `silent` one of a known record
        moves nothing: no feed tells it, and no range finds it. A customer that is merged turns inactive, and is
        active again when its `mergedToId` is cleared, unless `active` is told.
        """
        table, keys = self.tables[entity], []
        for given in records:
            record: Record = dict(given)
            if not raw:
                record.setdefault("id", None)
                record["id"] = table.new_id() if record["id"] is None else record["id"]
                before = table.get(record["id"]) if record["id"] in table else None
                if (accounting or silent) and before is not None and "modifiedOn" in before:
                    record.setdefault("modifiedOn", before["modifiedOn"])
                record = self._completed(entity, record, before, now)
                if silent and before is not None:
                    table.replace_unseen(record)
                    keys.append(record["id"])
                    continue
            modified = stamps.read(record.get("modifiedOn", record.get("createdOn")))
            # A change that comes with an old stamp is late: it surfaces where readers that wait for the lag stand now,
            # so that no token, which may be far past its stamp, misses it.
            arrived = now if accounting or modified is None else max(modified, now - LAG)
            keys.append(table.put(record, arrived=arrived, ranged=now if accounting else None))
        return keys

    def load(self, entity: str, records: Iterable[Mapping[str, Any]], anchor: int, *, raw: bool = False) -> None:
        """Add the records that a shop starts with: each stands in the feed at its own modifiedOn."""
        table = self.tables[entity]
        for given in records:
            record: Record = dict(given)
            if not raw:
                record["id"] = record.get("id") or table.new_id()
                stamped = record.get("createdOn") or stamps.written(anchor)
                if entity not in shapes.STAMPS or "modifiedOn" in shapes.STAMPS[entity]:
                    stamped = record.setdefault("modifiedOn", stamped)
                record.setdefault("createdOn", stamped)
                record = self._completed(entity, record, None, anchor)
            modified = stamps.read(record.get("modifiedOn", record.get("createdOn")))
            table.put(record, arrived=anchor if modified is None else modified)


@dataclass(frozen=True)
class Shop:
    """A shop with its tenants, by id."""

    name: str
    seed: int
    anchor: datetime
    tenants: dict[int, Tenant]

    def tenant(self, name_or_id: str | int | None = None) -> Tenant:
        """Give a tenant by name or id; without either, the first."""
        for tenant in self.tenants.values():
            if name_or_id in {None, tenant.id, tenant.name, str(tenant.id)}:
                return tenant
        raise KeyError(name_or_id)


def make_shop(
    name_or_config: str | Mapping[str, Any] | None = None,
    customers: int | None = None,
    seed: int | None = None,
    anchor: datetime | None = None,
) -> Shop:
    """Make a shop from a name (none: `perfect-catch`), the path of a JSON file, or what such a file holds.

    The same arguments give the same shop, record by record. The anchor is the moment up to which the shop has lived;
    without one it is the start of the current day (UTC).
    """
    today = datetime.now(tz=UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    name_or_config = name_or_config or files.DEFAULT_SHOP
    plan = files.plan(name_or_config, customers=customers, seed=seed, anchor=anchor, today=today)
    tenants = [_tenant(plan, place) for place in range(len(plan.tenants))]
    return Shop(plan.name, plan.seed, plan.anchor, {tenant.id: tenant for tenant in tenants})


def _tenant(plan: ShopPlan, place: int) -> Tenant:
    told: TenantPlan = plan.tenants[place]
    records = Records((told.id, told.name, told.timezone), place)
    calendar = Calendar(plan.anchor, told.timezone)
    if not told.records or told.customers:
        fill(records, calendar, told.customers, f"{plan.name} {plan.seed} {place}")
    tenant = Tenant(told.id, told.name, told.timezone, records.tables(), place * ROOM, told.lacks)
    for entity, given in told.records.items():
        tenant.load(entity, given, calendar.anchor, raw=told.raw)
    return tenant
