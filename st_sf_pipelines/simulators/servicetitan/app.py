"""The HTTP application: token endpoint, feeds and lists, and the control paths beside them."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.routing import Route

from . import answers, control, entities, feed
from .counters import TOKEN_PATH, Counters
from .faults import Faults, rules
from .lists import Lists

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping
    from typing import Any

    from starlette.requests import Request
    from starlette.responses import Response

    from .world import World


class ServiceTitanApp:
    """Serves one world; `http` is the ASGI application."""

    def __init__(self, world: World, faults: Iterable[Mapping[str, Any]] = (), live: float | None = None) -> None:
        self.world, self._live, self._lists = world, live, Lists()
        routes = [
            Route(TOKEN_PATH, self._token, methods=["POST"]),
            Route("/{module}/v2/tenant/{tenant}/{rest:path}", self._read, methods=["GET"]),
            *control.routes(self),
            Route("/{rest:path}", self._nothing, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ]
        self.faults = Faults(Starlette(routes=routes, lifespan=self._life), world.tokens)
        self.faults.rules = rules(faults)
        self.counters = Counters(self.faults)
        self.http = self.counters

    @contextlib.asynccontextmanager
    async def _life(self, _app: Starlette) -> AsyncIterator[None]:
        """Let the shop live while the server runs."""
        living = asyncio.create_task(self._live_on(self._live)) if self._live else None
        yield
        if living:
            living.cancel()

    async def _live_on(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            self.world.tick(1)

    async def _token(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        told = [form.get(name, [""])[0] for name in ("grant_type", "client_id", "client_secret")]
        granted = self.world.tokens.grant(*told)
        return answers.json(granted) if granted else answers.json({"error": "invalid_client"}, 400)

    async def _read(self, request: Request) -> Response:
        place = entities.at(request.url.path)
        if place is None:
            return answers.no_such_resource()
        entity, kind = place
        world, query = self.world, request.query_params
        try:
            tenant_id = world.tokens.check(request, request.path_params["tenant"])
            world.rate_limit.take(tenant_id)
            with world.lock:
                tenant = world.shop.tenants[tenant_id]
                if kind == "list":
                    return answers.json(self._lists.page(tenant, entity, query))
                return answers.json(feed.page(tenant.tables[entity.name], query, world.clock.ticks(), world.page_size))
        except answers.RefusalError as refusal:
            return refusal.answer()

    async def _nothing(self, _request: Request) -> Response:
        return answers.no_such_resource()
