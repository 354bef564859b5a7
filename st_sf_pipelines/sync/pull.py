"""Pulls an entity: page after page, each checked and stored with its token before the next is asked for (EXT-3)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson

from st_sf_pipelines.errors import PermanentError, TransientError
from st_sf_pipelines.ports import Reject
from st_sf_pipelines.rules.stamps import ticks
from st_sf_pipelines.store import records

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from st_sf_pipelines.ports import Entity, Page, Row, Source
    from st_sf_pipelines.store.database import Database

STUCK_AFTER: Final = 3
"""So many pages in a row that say 'more waits' and bring neither a new token nor a new record are an error."""


OVERLAP: Final = timedelta(hours=1)
REFUSED_TOKEN: Final = 400


@dataclass(frozen=True)
class Window:
    """A stretch of modifiedOn to be read again without moving the cursor (EXT-4); no `since` is the beginning."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Pulled:
    """What pulling one entity came to; `quarantined` counts all that stand in quarantine, `newest` is in ticks.

    `restarted` is 1 if the server no longer accepted the stored token, and the feed began again from the last stamp.
    """

    read: int = 0
    new: int = 0
    changed: int = 0
    quarantined: int = 0
    calls: int = 0
    newest: int = 0
    restarted: int = 0


def pull(db: Database, source: Source, tenant_id: int, entity: Entity, window: Window | None = None) -> Pulled:
    """Read a feed to its end, from where its stored token stands, or a window of it. Raise RemoteError.

    What was committed stays when a later page fails: the next round goes on from there. A token that the server no
    longer accepts is given up for the newest stamp that we have, less an overlap.
    """
    called = source.calls_of(entity.name)
    token = _stamp(window.since) if window else records.token(db, tenant_id, entity.table.name)[0]
    read = new = changed = stuck = newest = restarted = 0
    while True:
        try:
            page = source.page(entity.name, token)
        except PermanentError as error:
            if error.status != REFUSED_TOKEN or token is None or window or restarted:
                raise
            restarted, token = 1, _stamp(records.newest(db, tenant_id, entity.table) - OVERLAP)
            continue
        follows = page.token or token  # an empty token at the end of a feed keeps the one before it
        fresh = news(db, tenant_id, entity, page.records)
        if records.quarantined(db, tenant_id).get(entity.table.name):
            records.release(db, tenant_id, entity.table, [_fingerprint(record)[0] for record in page.records])
        rows, rejects = check(entity, _within(fresh, window))
        feed = None if window else (follows, not page.has_more)
        if rows or rejects or feed:
            written = records.write_page(db, tenant_id, entity.table, rows, rejects, feed)
            new, changed = new + written.new, changed + written.changed
        read += len(page.records)
        newest = max([newest, *(row.modified for row in rows)])
        if not page.has_more:
            break
        stuck = stuck + 1 if follows == token and not rows else 0
        if stuck >= STUCK_AFTER:
            raise TransientError("servicetitan", str(tenant_id), entity.name, "the feed does not move on")
        token = follows
    standing = records.quarantined(db, tenant_id).get(entity.table.name, 0)
    return Pulled(read, new, changed, standing, source.calls_of(entity.name) - called, newest, restarted)


def news(db: Database, tenant_id: int, entity: Entity, raw: Iterable[Any]) -> list[tuple[Any, bytes, bytes]]:
    """Leave out what the store knows to the letter; give the rest as (record, fingerprint, JSON) (OPS-2)."""
    marked = [(record, *_fingerprint(record)) for record in raw]
    ids = [record["id"] for record, _, _ in marked if _has_id(record)]
    seen = records.known(db, tenant_id, entity.table, ids, [digest for _, digest, _ in marked]) if marked else set()
    return [mark for mark in marked if mark[1] not in seen]


def has_news(db: Database, tenant_id: int, entity: Entity, page: Page) -> bool:
    """Tell whether a page holds anything that the store does not know, or says that more waits."""
    return page.has_more or bool(news(db, tenant_id, entity, page.records))


def check(entity: Entity, marked: Iterable[tuple[Any, bytes, bytes]]) -> tuple[list[Row], list[Reject]]:
    """Part the records that fit from those that do not; one that does not fit never holds up its page (EXT-6)."""
    rows: list[Row] = []
    rejects: dict[str, Reject] = {}
    for record, digest, body in marked:
        if not _has_id(record):
            rejects[digest.hex()] = Reject(digest.hex(), digest, "id: is missing, or is no number", body)
            continue
        key = str(record["id"])
        try:
            rows.append(entity.check(record, digest, body))
            rejects.pop(key, None)  # a good version behind a bad one
        except ValueError as error:
            rejects[key] = Reject(key, digest, str(error), body)
    return rows, list(rejects.values())


def _fingerprint(record: Any) -> tuple[bytes, bytes]:
    body = orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(body, digest_size=16).digest(), body


def _has_id(record: Any) -> bool:
    return isinstance(record, dict) and type(record.get("id")) is int and 0 < record["id"] < 2**63


def _stamp(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment else None


def _within(marked: list[tuple[Any, bytes, bytes]], window: Window | None) -> list[tuple[Any, bytes, bytes]]:
    """Leave out what was modified at `until` or later; a record whose stamp cannot be read stays, to be told."""
    if window is None or window.until is None:
        return marked
    end = ticks(str(_stamp(window.until)))

    def inside(record: Any) -> bool:
        try:
            return ticks(record["modifiedOn"]) < end
        except (KeyError, TypeError, ValueError):
            return True

    return [mark for mark in marked if inside(mark[0])]
