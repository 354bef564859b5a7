"""The living shop: customers come, jobs go on, invoices are written, phones and balances change."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from . import people, shapes, stamps
from .draw import DRAW_BITS, Draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from .shop import Shop, Tenant
    from .table import Record

# Where a job's status goes next; the first is the common way.
NEXT_STATUS = {
    "Scheduled": ("Dispatched", "Dispatched", "Dispatched", "Canceled"),
    "Dispatched": ("InProgress",),
    "InProgress": ("Completed", "Completed", "Completed", "Hold"),
    "Hold": ("InProgress",),
}
LOOK_BACK = 200
"""Open jobs are sought among so many of the newest: older ones are nearly all done."""


class Life:
    """Lets one plausible event after another happen; the same shop, seed and instants give the same events."""

    def __init__(self, shop: Shop, seed: int | None = None) -> None:
        self._shop = shop
        self._random = Random(shop.seed if seed is None else seed)  # noqa: S311 - made-up events

    def step(self, now: int) -> dict[str, Any]:
        """Let one event happen, and tell its name, tenant and the records that it touched."""
        tenant = self._random.choice(list(self._shop.tenants.values()))
        events: list[Callable[[Tenant, int], list[tuple[str, int]]]] = [
            self.new_customer, self.job_moves_on, self.job_moves_on, self.job_moves_on,
            self.invoice_added, self.phone_changed, self.balance_changed,
        ]  # fmt: skip
        event = self._random.choice(events)
        touched = event(tenant, now) or self.new_customer(tenant, now)
        name = event.__name__ if touched[0][0] != "customers" or event == self.balance_changed else "new_customer"
        return {"event": name, "tenant": tenant.name, "records": touched}

    def new_customer(self, tenant: Tenant, now: int) -> list[tuple[str, int]]:
        """Let a customer call for the first time: with contacts, a job and its empty invoice."""
        draw, cities = Draw(self._random.getrandbits(DRAW_BITS)), people.cities_for(tenant.timezone)
        name = people.person_name(draw)
        [customer] = tenant.put("customers", [{"name": name, "address": people.address(draw, cities)}], now)
        contacts = [
            {"customerId": customer, "type": "MobilePhone", "value": people.phone(draw, cities)},
            {"customerId": customer, "type": "Email", "value": people.email(draw, name)},
        ]
        touched = [("customers", customer)]
        touched += [("customer_contacts", key) for key in tenant.put("customer_contacts", contacts, now)]
        return touched + self._book(tenant, customer, name, now)

    def _book(self, tenant: Tenant, customer: int, name: str, now: int) -> list[tuple[str, int]]:
        units = tenant.tables["business_units"].newest_ids(6)
        unit = self._random.choice(units) if units else 0
        booked = {"customerId": customer, "locationId": customer + 1, "businessUnitId": unit}
        [job] = tenant.put("jobs", [booked], now)
        billed = {
            "customer": {"id": customer, "name": name},
            "job": {"id": job, "number": str(job), "type": "Service"},
        }
        [invoice] = tenant.put("invoices", [billed], now)
        tenant.put("jobs", [{"id": job, "invoiceId": invoice}], now)
        return [("jobs", job), ("invoices", invoice)]

    def job_moves_on(self, tenant: Tenant, now: int) -> list[tuple[str, int]]:
        """Let an open job take its next step; a completed one is billed."""
        job = self._some(tenant, "jobs", lambda record: record["jobStatus"] in NEXT_STATUS)
        if job is None:
            return []
        status = self._random.choice(NEXT_STATUS[job["jobStatus"]])
        if status != "Completed":
            return [("jobs", key) for key in tenant.put("jobs", [{"id": job["id"], "jobStatus": status}], now)]
        cents = self._random.choice((0, 12_500, 38_900, 142_075, 655_000))
        done = {
            "id": job["id"],
            "jobStatus": status,
            "completedOn": stamps.written(now),
            "total": cents / 100,
        }
        tenant.put("jobs", [done], now)
        touched = [("jobs", job["id"])]
        if job["invoiceId"] in tenant.tables["invoices"]:
            written = shapes.money(cents)
            bill = {"id": job["invoiceId"], "subTotal": written, "total": written, "balance": written}
            touched += [("invoices", key) for key in tenant.put("invoices", [bill], now)]
        return touched

    def invoice_added(self, tenant: Tenant, now: int) -> list[tuple[str, int]]:
        """Let something be sold over the counter."""
        customer = self._some(tenant, "customers", lambda record: record["active"])
        if customer is None:
            return []
        total = shapes.money(self._random.randrange(1_500, 90_000))
        sale = {
            "customer": {"id": customer["id"], "name": customer["name"]},
            "subTotal": total, "total": total, "invoiceConfiguration": "CounterSales", "paidOn": stamps.written(now),
        }  # fmt: skip
        return [("invoices", key) for key in tenant.put("invoices", [sale], now)]

    def phone_changed(self, tenant: Tenant, now: int) -> list[tuple[str, int]]:
        """Let a customer's phone change; the customer's own modifiedOn does not move."""
        contact = self._some(tenant, "customer_contacts", lambda record: record["type"] in {"Phone", "MobilePhone"})
        if contact is None:
            return []
        draw = Draw(self._random.getrandbits(DRAW_BITS))
        number = people.phone(draw, people.cities_for(tenant.timezone))
        settings = {"phoneNumber": number, "doNotText": False}
        changed = {"id": contact["id"], "value": number, "phoneSettings": settings}
        return [("customer_contacts", key) for key in tenant.put("customer_contacts", [changed], now)]

    def balance_changed(self, tenant: Tenant, now: int) -> list[tuple[str, int]]:
        """Let a payment or a bill move a balance: in feeds and ranges the customer moves, its modifiedOn stays."""
        customer = self._some(tenant, "customers", lambda record: record["active"])
        if customer is None:
            return []
        changed = {"id": customer["id"], "balance": self._random.randrange(0, 250_000) / 100}
        return [("customers", key) for key in tenant.put("customers", [changed], now, accounting=True)]

    def _some(self, tenant: Tenant, entity: str, wanted: Callable[[Record], bool]) -> Record | None:
        """Find one of the newest records that is as wanted, from a random one on."""
        table = tenant.tables[entity]
        keys = [key for key in table.newest_ids(LOOK_BACK) if key > 0]
        start = self._random.randrange(len(keys)) if keys else 0
        for key in keys[start:] + keys[:start]:
            record = table.get(key)
            if wanted(record):
                return record
        return None
