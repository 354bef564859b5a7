"""Faults on purpose: rules that say which calls go wrong, and how."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from time import monotonic as _clock
from typing import TYPE_CHECKING, Any, ClassVar

from starlette.requests import ClientDisconnect

from st_sf_pipelines.simulators.faults import Fault, FaultError
from st_sf_pipelines.simulators.shop.draw import Draw

from . import entities
from .answers import invalid
from .spoiling import Answer, Spoiler, body_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from .world import World

SILENCE_SECONDS = 100
"""The server's own time limit: after so long it would have given up."""
GARBAGE = b"<html><body><h1>502 - Web server received an invalid response</h1></body></html>"


@dataclass
class Rule(Fault):
    """One rule: calls that match go wrong in its way, which may be several at once; `done` counts those that did."""

    MATCHES = Fault.MATCHES | {"entity", "share"}
    DEEDS: ClassVar = {
        "status", "headers", "body", "reset", "truncate", "garbage", "silence", "expire_token", "repeat_page",
        "null_token", "late_record", "out_of_order", "missing_id", "wrong_type", "silent_change", "refuse_token",
    }  # fmt: skip

    done: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Refuse a rule with words that mean nothing, rather than let a test pass without its fault."""
        unknown = (set(self.match) - self.MATCHES) | (set(self.do) - self.DEEDS)
        if unknown or not self.do:
            raise FaultError(f"a fault rule needs a deed and known words only; unknown: {sorted(unknown)}")

    def matches(self, method: str, path: str) -> bool:
        """Tell whether a call is one of those that are counted."""
        place = entities.at(path)
        name = place and place[0].name
        return super().matches(method, path) and self.match.get("entity", name) == name

    def takes_turn(self) -> bool:
        """Tell whether the call that was counted last goes wrong.

        `nth` is the first matching call that fails (alone, unless `times` says how many), `every` each k-th one, and
        `share` the part of them, from 0 to 1, that fails here and there, the same ones each time.
        """
        match = self.match
        first, every = match.get("nth", 1), match.get("every", 1)
        times = match.get("times", 1 if "nth" in match and "every" not in match else None)
        if self.seen < first or (self.seen if "nth" not in match else self.seen - first) % every:
            return False
        if times is not None and self.done >= times:
            return False
        if Draw(self.seen).below(1_000) >= 1_000 * match.get("share", 1):
            return False
        self.done += 1
        return True


def rules(given: Any) -> list[Rule]:
    """Read rules as a faults file has them: a list, or an object with `rules`."""
    return Rule.read_all(given.get("rules") if isinstance(given, dict) else given)


class Faults:
    """Lets calls go wrong by the rules in force, before and behind the real answer."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app, self._world, self._spoiler = app, world, Spoiler()
        self.rules: list[Rule] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call, rightly or not."""
        if scope["type"] != "http" or scope["path"].startswith("/_sim"):
            await self._app(scope, receive, send)
            return
        with contextlib.suppress(ClientDisconnect):
            await self._strike(scope, receive, send)

    async def _strike(self, scope: Scope, receive: Receive, send: Send) -> None:
        rule = next((rule for rule in self.rules if rule.hits(scope["method"], scope["path"])), None)
        if rule is None and not self._spoiler.holds_back(scope):
            await self._app(scope, receive, send)
            return
        deed = rule.do if rule else {}
        if "silence" in deed:
            await self._keep_silent(SILENCE_SECONDS if deed["silence"] is True else deed["silence"])
        if deed.get("expire_token"):
            self._world.tokens.expire_all()
        if deed.get("silent_change"):
            self._change_silently(scope, deed["silent_change"])
        if "status" in deed:
            headers = {"content-type": "application/json", **deed.get("headers", {})}
            answer = Answer(int(deed["status"]), headers, body_of(deed.get("body", {})))
        elif deed.get("refuse_token"):
            answer = Answer.of_response(invalid("from", "The continuation token is no longer valid.").answer())
        elif deed.get("garbage"):
            answer = Answer(200, {"content-type": "text/html"}, GARBAGE)
        else:
            answer = await Answer.of(self._app, scope, receive)
        if answer.status == 200 and not deed.get("garbage"):
            self._spoiler.spoil(answer, scope, deed)
        if "truncate" in deed:
            answer.body = answer.body[: int(deed["truncate"])]
        await answer.give(scope, receive, send, broken=bool(deed.get("reset")))

    async def _keep_silent(self, seconds: float) -> None:
        """Let time pass, but end with the server: a test that is over must not wait."""
        until = _clock() + seconds
        while not self._world.ending and (left := until - _clock()) > 0:  # noqa: ASYNC110 - another thread tells the end
            await asyncio.sleep(min(left, 0.02))

    def _change_silently(self, scope: Scope, change: Mapping[str, Any]) -> None:
        """Change a record of the entity that is called so that no feed tells it: `{"id": 1, "name": "x"}`."""
        place, parts = entities.at(scope["path"]), entities.split(scope["path"])
        if place and parts:
            self._world.put(place[0].name, [change], parts[1], silent=True)
