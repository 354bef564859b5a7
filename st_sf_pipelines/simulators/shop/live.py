"""The living shop: customers come and ask, jobs go on, estimates are decided, bills are paid, people are merged."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from . import events_of_customers, events_of_jobs, events_of_money
from .draw import DRAW_BITS, Draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from .shop import Shop, Tenant
    from .table import Record

    Touched = list[tuple[str, int]]
    Event = Callable[["Life", Tenant, int], Touched]

# An event's number tells how often it happens among all.
EVENTS: tuple[tuple[Event, int], ...] = (
    (events_of_customers.new_customer, 3),
    (events_of_customers.new_lead, 2),
    (events_of_customers.lead_decided, 1),
    (events_of_customers.booking_made, 1),
    (events_of_customers.booking_decided, 1),
    (events_of_customers.phone_changed, 2),
    (events_of_customers.customers_merged, 1),
    (events_of_jobs.job_moves_on, 8),
    (events_of_jobs.return_visit_added, 1),
    (events_of_money.estimate_made, 3),
    (events_of_money.estimate_decided, 3),
    (events_of_money.invoice_added, 2),
    (events_of_money.payment_made, 3),
    (events_of_money.balance_changed, 1),
)
LOOK_BACK = 90
"""Things happen to so many of the newest: older jobs are nearly all done, and older estimates move no deal."""


class Life:
    """Lets one plausible event after another happen; the same shop, seed and instants give the same events."""

    def __init__(self, shop: Shop, seed: int | None = None) -> None:
        self._shop = shop
        self.random = Random(shop.seed if seed is None else seed)  # noqa: S311 - made-up events

    def step(self, now: int) -> dict[str, Any]:
        """Let one event happen, and tell its name, tenant and the records that it touched."""
        tenants = list(self._shop.tenants.values())
        [tenant] = self.random.choices(tenants, [1 + len(tenant.tables["customers"]) for tenant in tenants])
        [event] = self.random.choices([event for event, _ in EVENTS], [weight for _, weight in EVENTS])
        touched = event(self, tenant, now)
        if not touched:
            event, touched = events_of_customers.new_customer, events_of_customers.new_customer(self, tenant, now)
        return {"event": event.__name__, "tenant": tenant.name, "records": touched}

    def draw(self) -> Draw:
        """Give a draw for somebody new."""
        return Draw(self.random.getrandbits(DRAW_BITS))

    def some(self, tenant: Tenant, entity: str, wanted: Callable[[Record], bool]) -> Record | None:
        """Find one of the newest records that is as wanted, from a random one on."""
        table = tenant.tables[entity]
        keys = [key for key in table.newest_ids(LOOK_BACK) if key > 0]
        start = self.random.randrange(len(keys)) if keys else 0
        for key in keys[start:] + keys[:start]:
            record = table.get(key)
            if wanted(record):
                return record
        return None
