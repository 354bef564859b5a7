"""Counts every call that reaches the stand-in: by path, by entity and kind, by status."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from . import entities

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN_PATH = "/connect/token"  # noqa: S105 - a path


class Counters:
    """Stands outermost, so that calls that were refused or broken on purpose count too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._counts: Counter[tuple[str, str, str]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, and count it by the status of its answer."""
        if scope["type"] != "http" or scope["path"].startswith("/_sim"):
            await self._app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._counts[scope["method"], scope["path"], str(message["status"])] += 1
            await send(message)

        await self._app(scope, receive, counted)

    def clear(self) -> None:
        """Count from zero again."""
        self._counts.clear()

    def told(self) -> dict[str, Any]:
        """Tell the counts; `calls` and `by_entity` leave token calls aside."""
        by_path: Counter[str] = Counter()
        by_status: Counter[str] = Counter()
        by_entity: dict[str, Counter[str]] = {}
        for (method, path, status), count in self._counts.items():
            by_path[path] += count
            by_status[status] += count
            place = entities.at(path)
            if place:
                kind = place[1] if method == "GET" else "write"
                by_entity.setdefault(place[0].name, Counter())[kind] += count
        tokens = by_path[TOKEN_PATH]
        return {
            "calls": by_path.total() - tokens,
            "token_calls": tokens,
            "by_path": dict(by_path),
            "by_entity": {name: dict(counts) for name, counts in by_entity.items()},
            "by_status": dict(by_status),
        }
