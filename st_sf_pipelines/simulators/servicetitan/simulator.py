"""The stand-in in this process: a server on a thread, started and stopped by a with statement."""

from __future__ import annotations

import socket
import time
from threading import Thread
from typing import TYPE_CHECKING, Any, Self

import uvicorn

from st_sf_pipelines.simulators.shop import Shop, make_shop

from . import access
from .app import ServiceTitanApp
from .clock import Clock, wall_clock
from .counters import TOKEN_PATH
from .world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from types import TracebackType

PAGE_SIZE = 1_000
"""Records on a page of a feed; the real number is not published."""


class ServiceTitanSimulator:
    """A ServiceTitan that listens on a loopback port inside a with statement.

    `shop` is a shop, the name of one, a file's path, or what such a file holds. `faults` are rules as in a faults file,
    `live` the seconds between two events of the living shop, `rate_limit` the calls a second for each tenant (None: no
    limit), `clock` gives the time from which the stand-in's own clock runs.
    """

    def __init__(
        self,
        shop: Shop | str | Mapping[str, Any] | None = None,
        *,
        customers: int | None = None,
        page_size: int | None = None,
        faults: Iterable[Mapping[str, Any]] = (),
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
        self.app = ServiceTitanApp(self.world, faults, live)
        self._port = port
        self.url = ""

    def __enter__(self) -> Self:
        """Start to serve."""
        listener = socket.create_server(("127.0.0.1", self._port), backlog=256)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            self.app.http, lifespan="on", ws="none", log_config=None, access_log=False, log_level="critical",
            server_header=False, timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._listener, self._server = listener, uvicorn.Server(config)
        self._thread = Thread(target=self._server.run, args=([listener],), name="servicetitan", daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.002)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop serving."""
        self.world.ending = self._server.should_exit = True
        self._thread.join()
        self._listener.close()

    @property
    def credentials(self) -> dict[str, Any]:
        """All that a client needs; the same at each start, the address aside."""
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
