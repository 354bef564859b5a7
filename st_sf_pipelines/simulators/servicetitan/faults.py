"""Faults on purpose: rules that say which calls go wrong, and how."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import orjson

from . import entities, feed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .access import Tokens

MATCHES = {"path", "method", "entity", "nth", "every", "times"}
DEEDS = {
    "status", "headers", "body", "reset", "truncate", "garbage", "silence", "expire_token", "repeat_page", "null_token",
}  # fmt: skip
GARBAGE = b"<html><body><h1>502 - Web server received an invalid response</h1></body></html>"


@dataclass
class Rule:
    """One rule: calls that match go wrong in its way; `seen` and `done` count them."""

    match: dict[str, Any]
    do: dict[str, Any]
    seen: int = field(default=0, init=False)
    done: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Refuse a rule with words that mean nothing, rather than let a test pass without its fault."""
        unknown = (set(self.match) - MATCHES) | (set(self.do) - DEEDS)
        if unknown or not self.do:
            raise ValueError(f"a fault rule needs a deed and known words only; unknown: {sorted(unknown)}")

    def strikes(self, method: str, path: str) -> bool:
        """Count a call, and tell whether it goes wrong.

        `nth` is the first matching call that fails (alone, unless `times` says how many), `every` each k-th one.
        """
        match, place = self.match, entities.at(path)
        if (
            match.get("path", "") not in path
            or match.get("method", method).upper() != method
            or match.get("entity", place and place[0].name) != (place and place[0].name)
        ):
            return False
        self.seen += 1
        first, every = match.get("nth", 1), match.get("every", 1)
        times = match.get("times", 1 if "nth" in match and "every" not in match else None)
        if self.seen < first or (self.seen if "nth" not in match else self.seen - first) % every:
            return False
        if times is not None and self.done >= times:
            return False
        self.done += 1
        return True


def rules(given: Iterable[Mapping[str, Any]]) -> list[Rule]:
    """Read rules from the objects of a faults file."""
    return [Rule(dict(each.get("match", {})), dict(each.get("do", {}))) for each in given]


class Faults:
    """Lets calls go wrong by the rules in force, before and behind the real answer."""

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        self._app, self._tokens = app, tokens
        self.rules: list[Rule] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call, rightly or not."""
        if scope["type"] != "http" or scope["path"].startswith("/_sim"):
            await self._app(scope, receive, send)
            return
        rule = next((rule for rule in self.rules if rule.strikes(scope["method"], scope["path"])), None)
        if rule is None:
            await self._app(scope, receive, send)
            return
        deed = rule.do
        if "silence" in deed:
            await asyncio.sleep(deed["silence"])
        if deed.get("expire_token"):
            self._tokens.expire_all()
        if "status" in deed:
            headers = {"content-type": "application/json", **deed.get("headers", {})}
            answer = Answer(int(deed["status"]), headers, _body(deed.get("body", {})))
        elif deed.get("garbage"):
            answer = Answer(200, {"content-type": "text/html"}, GARBAGE)
        else:
            answer = await Answer.of(self._app, scope, receive)
        if answer.status == 200 and (deed.get("repeat_page") or deed.get("null_token")):
            answer.body = _other_token(answer.body, scope, repeat=bool(deed.get("repeat_page")))
        if "truncate" in deed:
            answer.body = answer.body[: int(deed["truncate"])]
        await answer.give(send, broken=bool(deed.get("reset")))


@dataclass
class Answer:
    """A whole answer that may still be changed."""

    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    async def of(cls, app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
        """Take the answer that the application gives."""
        answer = cls(500, {}, b"")

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                answer.body += message.get("body", b"")

        await app(scope, receive, keep)
        return answer

    async def give(self, send: Send, *, broken: bool) -> None:
        """Send the answer; a broken one promises more bytes than it sends, and its connection is closed."""
        promised = len(self.body) + 64 * broken
        self.headers["content-length"] = str(promised)
        headers = [(name.lower().encode(), str(value).encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        body = self.body[: len(self.body) // 2] if broken else self.body
        await send({"type": "http.response.body", "body": body, "more_body": broken})


def _body(given: Any) -> bytes:
    return given.encode() if isinstance(given, str) else orjson.dumps(given)


def _other_token(body: bytes, scope: Scope, *, repeat: bool) -> bytes:
    page = orjson.loads(body)
    if "continueFrom" not in page:
        return body
    if not repeat:
        return orjson.dumps({**page, "continueFrom": None})
    asked = parse_qs(scope["query_string"].decode()).get("from", [feed.token(feed.START)])[0]
    return orjson.dumps({**page, "hasMore": True, "continueFrom": asked})
