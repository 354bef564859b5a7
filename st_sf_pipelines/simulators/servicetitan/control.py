"""The control paths under /_sim, by which a test in another process drives the stand-in."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from starlette.routing import Route

from st_sf_pipelines.simulators.shop import stamps

from . import answers
from .faults import rules

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from .app import ServiceTitanApp

    Action = Callable[[ServiceTitanApp, dict[str, Any]], Any]


def show_counters(app: ServiceTitanApp, _told: dict[str, Any]) -> Any:
    """GET /_sim/counters: tell the calls so far."""
    return app.counters.told()


def clear_counters(app: ServiceTitanApp, _told: dict[str, Any]) -> Any:
    """DELETE /_sim/counters: count from zero again."""
    app.counters.clear()
    return app.counters.told()


def set_faults(app: ServiceTitanApp, told: dict[str, Any]) -> Any:
    """POST /_sim/faults {"rules": [...]}: these rules and no others are in force; an empty list ends all faults."""
    app.faults.rules = rules(told.get("rules", []))
    return show_faults(app, told)


def show_faults(app: ServiceTitanApp, _told: dict[str, Any]) -> Any:
    """GET /_sim/faults: tell the rules in force, and how many calls each has seen and struck."""
    return {"rules": [vars(rule) for rule in app.faults.rules]}


def put_records(app: ServiceTitanApp, told: dict[str, Any]) -> Any:
    """POST /_sim/records {"tenant", "entity", "records", "raw", "accounting", "silent"}: add or replace records now.

    `tenant` (name or id) may be left out for the first; `modifiedOn` beside `records` is set on all of them.
    """
    modified = {"modifiedOn": told["modifiedOn"]} if told.get("modifiedOn") else {}
    records = [{**record, **modified} for record in told["records"]]
    how = {name: bool(told.get(name)) for name in ("raw", "accounting", "silent")}
    return {"ids": app.world.put(told["entity"], records, told.get("tenant"), **how)}


def merge(app: ServiceTitanApp, told: dict[str, Any]) -> Any:
    """POST /_sim/merge {"tenant", "customer", "into", "silent"}: merge a customer; `into` null takes a merge back."""
    app.world.merge(told["customer"], told["into"], told.get("tenant"), silent=bool(told.get("silent")))
    return {}


def move_appointment(app: ServiceTitanApp, told: dict[str, Any]) -> Any:
    """POST /_sim/appointment {"tenant", "id", "status"}: dispatch, arrive, leave; the job follows."""
    return app.world.move_appointment(told["id"], told["status"], told.get("tenant"))


def forget_feed_tokens(app: ServiceTitanApp, _told: dict[str, Any]) -> Any:
    """POST /_sim/forget: accept no feed token any more that was given so far."""
    app.world.forget_feed_tokens()
    return {}


def show_records(app: ServiceTitanApp, told: dict[str, Any]) -> Any:
    """GET /_sim/records?entity=...&tenant=...&ids=1,2: give records as they stand (all without ids)."""
    with app.world.lock:
        table = app.world.shop.tenant(told.get("tenant")).tables[told["entity"]]
        keys = [int(key) for key in told["ids"].split(",")] if told.get("ids") else list(table.keys())
        return {"records": [table.get(key) for key in keys]}


def tick(app: ServiceTitanApp, told: dict[str, Any]) -> Any:
    """POST /_sim/tick {"events": n}: let n events happen in the living shop, and tell them."""
    return {"events": app.world.tick(int(told.get("events", 1)))}


def expire_tokens(app: ServiceTitanApp, _told: dict[str, Any]) -> Any:
    """POST /_sim/expire: let every access token end now."""
    app.world.tokens.expire_all()
    return {}


def withhold_scopes(app: ServiceTitanApp, told: dict[str, Any]) -> Any:
    """POST /_sim/scopes {"tenant", "lacks": ["tn.acc.invoices:r"]}: leave these scopes out of every new token."""
    app.world.tokens.withhold(app.world.shop.tenant(told.get("tenant")).id, told["lacks"])
    return {}


def show_clock(app: ServiceTitanApp, _told: dict[str, Any]) -> Any:
    """GET /_sim/clock: tell the stand-in's time."""
    clock = app.world.clock
    return {"now": stamps.written(clock.ticks()), "stopped": clock.is_stopped}


def set_clock(app: ServiceTitanApp, told: dict[str, Any]) -> Any:
    """POST /_sim/clock {"shift_seconds": n} or {"now": "..."}, and {"stop": true|false}."""
    clock = app.world.clock
    if "now" in told:
        clock.set(datetime.fromisoformat(told["now"]))
    if "shift_seconds" in told:
        clock.shift(float(told["shift_seconds"]))
    if "stop" in told:
        (clock.stop if told["stop"] else clock.run)()
    return show_clock(app, told)


# fmt: off
ACTIONS: tuple[tuple[str, str, Action], ...] = (
    ("GET",    "/_sim/counters", show_counters),
    ("DELETE", "/_sim/counters", clear_counters),
    ("GET",    "/_sim/faults",   show_faults),
    ("POST",   "/_sim/faults",   set_faults),
    ("GET",    "/_sim/records",  show_records),
    ("POST",   "/_sim/records",  put_records),
    ("POST",   "/_sim/merge",    merge),
    ("POST",   "/_sim/appointment", move_appointment),
    ("POST",   "/_sim/forget",   forget_feed_tokens),
    ("POST",   "/_sim/tick",     tick),
    ("POST",   "/_sim/expire",   expire_tokens),
    ("POST",   "/_sim/scopes",   withhold_scopes),
    ("GET",    "/_sim/clock",    show_clock),
    ("POST",   "/_sim/clock",    set_clock),
)
# fmt: on


def routes(app: ServiceTitanApp) -> list[Route]:
    """Give a route for each control action."""
    return [Route(path, _endpoint(app, action), methods=[method]) for method, path, action in ACTIONS]


def _endpoint(app: ServiceTitanApp, action: Action) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        body = await request.body()
        try:
            told = {**request.query_params, **(orjson.loads(body) if body else {})}
            return answers.json(action(app, told))
        except (KeyError, TypeError, ValueError) as wrong:
            return answers.json({"error": f"{type(wrong).__name__}: {wrong}"}, 400)

    return answer
