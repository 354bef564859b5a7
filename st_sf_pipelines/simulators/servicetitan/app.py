"""The HTTP application: token endpoint, feeds and lists, and the control paths beside them."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import orjson
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from . import answers, control, entities, feed, routing, scopes
from .counters import TOKEN_PATH, Counters
from .faults import Faults, rules
from .lists import Lists, chosen, listed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

    from starlette.requests import Request

    from st_sf_pipelines.simulators.shop import Tenant

    from .world import World


METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class ServiceTitanApp:
    """Serves one world; `http` is the ASGI application."""

    def __init__(self, world: World, faults: Any, live: float | None) -> None:
        self.world, self._live, self._lists, self._pages = world, live, Lists(), feed.Pages()
        routes = [
            Route(TOKEN_PATH, self._token, methods=["POST"]),
            Route("/{module}/v2/tenant/{tenant}/{rest:path}", self._api, methods=METHODS),
            *control.routes(self),
            Route("/{rest:path}", self._nothing, methods=METHODS),
        ]
        self.faults = Faults(Starlette(routes=routes, lifespan=self._life), world)
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

    async def _api(self, request: Request) -> Response:
        place, call = entities.at(request.url.path), self._call(request)
        if call is None and (place is None or request.method != "GET"):
            return answers.no_such_resource()
        body = await request.body()
        try:
            path = request.path_params
            scope = scopes.needed(request.method, path["module"], path["rest"])
            tenant_id = self.world.tokens.check(request, path["tenant"], scope)
            self.world.rate_limit.take(tenant_id)
            with self.world.lock:
                tenant = self.world.shop.tenants[tenant_id]
                if call is not None:
                    return self._called(call, tenant, request, body)
                return answers.ready(self._shown(tenant, request))
        except answers.RefusalError as refusal:
            return refusal.answer()

    @staticmethod
    def _call(request: Request) -> str | None:
        """Give the name of the call's own handler; feeds, lists and single records have none."""
        return routing.known(request.method, request.path_params["module"], request.path_params["rest"])

    def _called(self, call: str, tenant: Tenant, request: Request, body: bytes) -> Response:
        now, rest = self.world.clock.ticks(), request.path_params["rest"]
        answer = routing.answer(call, tenant, self.world.papers, now, rest, request.query_params, body)
        return Response(b"", 200) if answer is None else answers.json(answer)

    def _shown(self, tenant: Tenant, request: Request) -> bytes:
        """Show a page of a feed or a list, or one record."""
        entity, kind = entities.at(request.url.path) or (entities.ENTITIES[0], "one")
        query, world = request.query_params, self.world
        if kind == "one":
            return orjson.dumps(self._single(tenant, entity, request.path_params["rest"]))
        if kind == "list":
            return orjson.dumps(self._lists.page(tenant, entity, query))
        shown = chosen("active", query, "Any") if entity.feed_active else (True, False)
        terms = feed.Terms(world.page_size, shown, world.feed_epoch)
        return self._pages.body(tenant.tables[entity.name], query, world.clock.ticks(), terms)

    @staticmethod
    def _single(tenant: Tenant, entity: entities.Entity, rest: str) -> Any:
        key = rest.removeprefix(f"{entity.listed}/")
        table = tenant.tables[entity.name]
        if not entity.single or not key.isdigit() or int(key) not in table:
            raise answers.RefusalError(404, f"Nothing was found at {rest}.")
        return listed(entity, table.get(int(key)))

    async def _nothing(self, _request: Request) -> Response:
        return answers.no_such_resource()
