"""What a running stand-in holds: the shop and its life, the clock, tokens and the rate limit."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.simulators.shop.live import Life

from .access import RateLimit, Tokens

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
        self.lock = RLock()

    def put(
        self,
        entity: str,
        records: Iterable[Mapping[str, Any]],
        tenant: str | int | None = None,
        *,
        raw: bool = False,
        accounting: bool = False,
    ) -> list[int]:
        """Add or replace records of an entity now, and give their ids."""
        with self.lock:
            now = self.clock.ticks()
            return self.shop.tenant(tenant).put(entity, records, now, raw=raw, accounting=accounting)

    def tick(self, events: int) -> list[dict[str, Any]]:
        """Let some events happen in the shop, and tell them."""
        with self.lock:
            return [self.life.step(self.clock.ticks()) for _ in range(events)]
