"""The export feeds: opaque tokens, the 15 minutes of lag, and young records that repeat.

Without `includeRecentChanges` a record shows 15 minutes after its change, and the token at the end answers an empty
page until something is due: a reader that stops only at an empty page ends.
With it a record shows at once, and the token at the end of the feed stays behind the last 15 minutes, so that young
records come again with each call until they are old. `hasMore` is false there: it is the only sign to stop. A reader
that asks for recent changes and waits for an empty page goes round until no record is younger than 15 minutes.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from st_sf_pipelines.simulators.shop import stamps
from st_sf_pipelines.simulators.shop.shop import LAG
from st_sf_pipelines.simulators.shop.table import Place

from .answers import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from st_sf_pipelines.simulators.shop.table import Table

START = Place(-1, -1)
KEPT_BYTES = 128_000_000
"""Pages up to so many bytes in all are kept, the oldest given up first."""


def token(place: Place, since: int | None = None, epoch: int = 0) -> str:
    """Write a place in a feed, and the date that the pass began with, as an opaque token of some epoch."""
    return base64.urlsafe_b64encode(orjson.dumps([*place, since, epoch])).rstrip(b"=").decode()


def read_from(given: str, epoch: int = 0) -> tuple[Place, int | None]:
    """Read `from`: empty, a date or date-time (inclusive), or a token; one of an earlier epoch is refused."""
    if not given:
        return START, None
    since = stamps.read(given)
    if since is not None:
        return Place(since, -1), since
    try:
        arrived, order, since, told = orjson.loads(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)))
        place, since = Place(int(arrived), int(order)), None if since is None else int(since)
    except (binascii.Error, ValueError, TypeError) as wrong:
        raise invalid("from", "The continuation token is not valid.") from wrong
    if told != epoch:
        raise invalid("from", "The continuation token is no longer valid.")
    return place, since


class Terms(NamedTuple):
    """How a feed is read: records on a page, which of active and deleted ones, and the epoch of its tokens."""

    size: int
    shown: tuple[bool, ...] = (True, False)
    epoch: int = 0


def page(table: Table, query: Mapping[str, str], now: int, terms: Terms) -> dict[str, Any]:
    """Give the page of a feed that a call asks for."""
    recent, shown = _is_true(query.get("includeRecentChanges")), terms.shown
    last, since = read_from(query.get("from", ""), terms.epoch)
    settled = now - LAG
    data: list[dict[str, Any]] = []
    has_more = False
    for place, key in table.walk(last):
        if not recent and place.arrived > settled:
            break
        if (since is not None and table.meta(key).ranged < since) or (
            len(shown) == 1 and table.meta(key).active is not shown[0]
        ):
            last = place
            continue
        if len(data) == terms.size:
            has_more = True
            break
        data.append(table.get(key))
        last = place
    if not has_more:
        since = None
        if recent:
            last = min(last, table.last_place(settled))
    return {"hasMore": has_more, "continueFrom": token(last, since, terms.epoch), "data": data}


class Pages:
    """Keeps pages as they were sent: making records again for each reader would measure us, and not the reader.

    A page of recent changes that has more behind it stays the same for as long as its table does.
    """

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self._most_bytes, self._bytes = most_bytes, 0
        self._kept: dict[tuple[object, ...], bytes] = {}

    def body(self, table: Table, query: Mapping[str, str], now: int, terms: Terms) -> bytes:
        """Give the body of the page that a call asks for."""
        key = (id(table), table.version, query.get("from"), terms)
        if not _is_true(query.get("includeRecentChanges")):
            return orjson.dumps(page(table, query, now, terms))
        body = self._kept.get(key)
        if body is None:
            made = page(table, query, now, terms)
            body = orjson.dumps(made)
            if made["hasMore"]:
                self._keep(key, body)
        return body

    def _keep(self, key: tuple[object, ...], body: bytes) -> None:
        self._kept[key] = body
        self._bytes += len(body)
        while self._bytes > self._most_bytes:
            oldest = next(iter(self._kept))
            self._bytes -= len(self._kept.pop(oldest))


def _is_true(given: str | None) -> bool:
    if given is None or given.lower() in {"", "false"}:
        return False
    if given.lower() != "true":
        raise invalid("includeRecentChanges", f"The value '{given}' is not valid for IncludeRecentChanges.")
    return True
