"""The stand-in as it is started: its options and credentials, and what a test needs to arrange it and to look in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from st_sf_pipelines.simulators.faults import load_faults
from st_sf_pipelines.simulators.served import Served
from st_sf_pipelines.simulators.shop import Shop, make_shop

from . import access
from .app import ServiceTitanApp
from .clock import Clock, wall_clock
from .counters import TOKEN_PATH
from .world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

PAGE_SIZE = 1_000
"""Records on a page of a feed; the real number is not published."""


class ServiceTitanSimulator(Served):
    """A ServiceTitan behind a loopback port.

    `shop` is a shop, the name of one, a file's path, or what such a file holds. `faults` are rules or a file of them,
    `live` the seconds between two events of the living shop, `rate_limit` the calls a second for each tenant (None: no
    limit), `clock` gives the time from which the stand-in's own clock runs.
    """

    def __init__(
        self,
        shop: Shop | str | Mapping[str, Any] | None = None,
        *,
        customers: int | None = None,
        page_size: int | None = None,
        faults: str | Path | list[Any] | None = None,
        live: float | None = None,
        clock: Callable[[], datetime] = wall_clock,
        token_seconds: int = 900,
        rate_limit: float | None = 60,
        port: int = 0,
    ) -> None:
        made = shop if isinstance(shop, Shop) else make_shop(shop, customers=customers)
        self.world = World(
            made,
            Clock(clock),
            page_size=page_size or PAGE_SIZE,
            token_seconds=token_seconds,
            rate_limit=rate_limit,
        )
        self.shop, self.clock = made, self.world.clock
        self.app = ServiceTitanApp(self.world, load_faults(faults), live)
        super().__init__(self.app.http, port)
        self.credentials = self._credentials()

    def __exit__(self, *raised: object) -> None:
        """Stop, and let no call be silent any longer."""
        self.world.ending = True
        super().__exit__(*raised)

    def _credentials(self) -> dict[str, Any]:
        """Give all that a client needs; the same at each start, the address aside."""
        tenants = [
            {
                "name": tenant.name,
                "id": tenant.id,
                "timezone": tenant.timezone,
                "client_id": access.client_of(tenant)[0],
                "client_secret": access.client_of(tenant)[1],
                "app_key": access.app_key(),
            }
            for tenant in self.shop.tenants.values()
        ]
        first = tenants[0]
        return {
            "system": "servicetitan",
            "url": self.url,
            "api_url": self.url,
            "auth_url": self.url + TOKEN_PATH,
            "client_id": first["client_id"],
            "client_secret": first["client_secret"],
            "app_key": first["app_key"],
            "tenant_id": first["id"],
            "timezone": first["timezone"],
            "tenants": tenants,
        }

    @property
    def counters(self) -> dict[str, Any]:
        """The calls so far."""
        return self.app.counters.told()

    def put(
        self,
        entity: str,
        records: Iterable[Mapping[str, Any]],
        tenant: str | int | None = None,
        *,
        raw: bool = False,
        accounting: bool = False,
        silent: bool = False,
    ) -> list[int]:
        """Add or replace records now, and give their ids; see `Tenant.put`."""
        return self.world.put(entity, records, tenant, raw=raw, accounting=accounting, silent=silent)

    def merge(self, customer: int, into: int | None, tenant: str | int | None = None, *, silent: bool = False) -> None:
        """Merge a customer into another, or with None take a merge back; a silent merge moves no modifiedOn."""
        self.world.merge(customer, into, tenant, silent=silent)

    def move_appointment(self, appointment: int, status: str, tenant: str | int | None = None) -> dict[str, int]:
        """Let an appointment go on to a status, its technicians and its job with it; give the touched ids."""
        return self.world.move_appointment(appointment, status, tenant)

    def forget_feed_tokens(self) -> None:
        """Let the server answer 400 to every feed token that it has given so far."""
        self.world.forget_feed_tokens()

    def tick(self, events: int = 1) -> list[dict[str, Any]]:
        """Let some events happen in the shop, and tell them."""
        return self.world.tick(events)
