"""What a running stand-in holds: the shop and its life, the clock, tokens and the rate limit."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.simulators.shop import progress
from st_sf_pipelines.simulators.shop.live import Life

from .access import RateLimit, Tokens
from .calls import Papers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from st_sf_pipelines.simulators.shop import Shop

    from .clock import Clock


class World:
    """The state behind the HTTP application; changes from another thread take the lock."""

    def __init__(
        self,
        shop: Shop,
        clock: Clock,
        *,
        page_size: int,
        token_seconds: int,
        rate_limit: float | None,
    ) -> None:
        self.shop, self.clock, self.page_size = shop, clock, page_size
        self.tokens = Tokens(shop, clock, token_seconds)
        self.rate_limit = RateLimit(rate_limit)
        self.life = Life(shop)
        self.lock, self.ending = RLock(), False
        self.feed_epoch, self.papers = 0, Papers()

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
        """Add or replace records of an entity now, and give their ids."""
        with self.lock:
            now = self.clock.ticks()
            return self.shop.tenant(tenant).put(entity, records, now, raw=raw, accounting=accounting, silent=silent)

    def merge(self, customer: int, into: int | None, tenant: str | int | None = None, *, silent: bool = False) -> None:
        """Merge a customer into another, or with None take a merge back; a silent merge moves no modifiedOn."""
        known = self.shop.tenant(tenant).tables["customers"]
        for key in (customer, into):
            if key is not None and key not in known:
                raise KeyError(key)
        self.put("customers", [{"id": customer, "mergedToId": into}], tenant, silent=silent)

    def move_appointment(self, appointment: int, status: str, tenant: str | int | None = None) -> dict[str, int]:
        """Let an appointment go on to a status, its technicians and its job with it, as dispatching does."""
        with self.lock:
            return progress.move(self.shop.tenant(tenant), appointment, status, self.clock.ticks())

    def forget_feed_tokens(self) -> None:
        """Let the server accept no feed token that it has given so far."""
        self.feed_epoch += 1

    def tick(self, events: int) -> list[dict[str, Any]]:
        """Let some events happen in the shop, and tell them."""
        with self.lock:
            return [self.life.step(self.clock.ticks()) for _ in range(events)]
