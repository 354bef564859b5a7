"""Answers that go wrong on purpose: records missing, late, broken or in another order, bodies cut and broken off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import orjson

from st_sf_pipelines.simulators.wire import close

from . import feed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


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

    @classmethod
    def of_response(cls, response: Response) -> Answer:
        """Take an answer that is ready."""
        headers = {name.decode(): value.decode() for name, value in response.raw_headers}
        return cls(response.status_code, headers, bytes(response.body))

    async def give(self, scope: Scope, receive: Receive, send: Send, *, broken: bool) -> None:
        """Send the answer; a broken one promises more bytes than it sends, and its connection is closed."""
        promised = len(self.body) + 64 * broken
        self.headers["content-length"] = str(promised)
        headers = [(name.lower().encode(), str(value).encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        body = self.body[: len(self.body) // 2] if broken else self.body
        await send({"type": "http.response.body", "body": body, "more_body": broken})
        if broken:
            await close(scope, receive)


def body_of(given: Any) -> bytes:
    """Give the bytes of a body that a rule tells: text, or anything that JSON can say."""
    return given.encode() if isinstance(given, str) else orjson.dumps(given)


class Spoiler:
    """Spoils pages; a record that it holds back comes with the next page of the same path, late."""

    def __init__(self) -> None:
        self._late: dict[str, list[Any]] = {}

    def holds_back(self, scope: Scope) -> bool:
        """Tell whether records of a path are still to come."""
        return bool(self._late.get(scope["path"]))

    def spoil(self, answer: Answer, scope: Scope, deed: Mapping[str, Any]) -> None:
        """Let a page go wrong, and bring what was held back before."""
        path = scope["path"]
        page = orjson.loads(answer.body) if answer.body else None
        if not isinstance(page, dict) or not isinstance(page.get("data"), list):
            return
        records: list[Any] = self._late.pop(path, []) + page["data"]
        if deed.get("late_record") and records:
            self._late[path] = [records.pop(0) for _ in range(min(int(deed["late_record"]), len(records)))]
        if deed.get("out_of_order"):
            records.reverse()
        if deed.get("missing_id") and records:
            records[0].pop("id", None)
        if deed.get("wrong_type") and records:
            wrong = deed["wrong_type"]
            records[0] |= wrong if isinstance(wrong, dict) else {"modifiedOn": "yesterday"}
        page["data"] = records
        if "continueFrom" in page:
            if deed.get("null_token"):
                page["continueFrom"] = None
            if deed.get("repeat_page"):
                asked = parse_qs(scope["query_string"].decode()).get("from", [feed.token(feed.START)])[0]
                page |= {"hasMore": True, "continueFrom": asked}
        answer.body = orjson.dumps(page)
