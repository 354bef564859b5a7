"""Reads lists: pages over a set that moves, so that a reading counts only when the totals say that nothing was lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from st_sf_pipelines.errors import TransientError
from st_sf_pipelines.ports import Window
from st_sf_pipelines.rules.stamps import instant
from st_sf_pipelines.store import cursors, records
from st_sf_pipelines.sync.pages import Desk, has_news, ids_of

if TYPE_CHECKING:
    from st_sf_pipelines.ports import Entity, Source
    from st_sf_pipelines.store.database import Database

OVERLAP: Final = timedelta(minutes=10)
EVERY: Final = timedelta(hours=1)
"""How often a list is read, where there is no feed."""

NOTHING: Final = instant(0)
READINGS: Final = 3
STUCK_AFTER: Final = 3
"""So many pages in a row that say 'more follow' and show no record that was not met before are an error."""


@dataclass(frozen=True)
class Read:
    """What reading a list came to; `total` is the list's own count (None: it told none)."""

    read: int = 0
    new: int = 0
    changed: int = 0
    newest: int = 0
    total: int | None = None
    drift: tuple[str, ...] = ()


def pull_list(
    db: Database, source: Source, tenant_id: int, entity: Entity, window: Window | None, now: datetime | None = None
) -> Read:
    """Read what a list has new since its watermark, less an overlap; or a window, which leaves the watermark alone.

    The watermark is the moment at which the reading began, or the newest stamp that we hold where that is older:
    clocks that differ lose nothing. It moves only after a whole reading. Raise RemoteError.
    """
    if window:
        return read_list(db, source, tenant_id, entity, window)
    began = now or datetime.now(UTC)
    read = read_list(db, source, tenant_id, entity, _since(db, tenant_id, entity))
    watermark = min(began, records.newest(db, tenant_id, entity.table))
    cursors.keep_watermark(db, tenant_id, entity.name, watermark.isoformat() if watermark > NOTHING else None)
    return read


def read_list(db: Database, source: Source, tenant_id: int, entity: Entity, window: Window) -> Read:
    """Read a window of a list, anew if records moved between its pages. Raise TransientError if they do not settle.

    Rows slide from page to page when one of them leaves its place, and one that slides backward is not shown again.
    Then either the total differs from page to page, or fewer ids were met than the list has. A page that is empty and
    says that more follow is an error too, and so is a list that shows the same records for ever.
    """
    desk = Desk(db, tenant_id, entity)
    read = new = changed = 0
    drift: list[str] = []
    for _ in range(READINGS):
        met: set[int] = set()
        totals: set[int | None] = set()
        count, unusable, number, has_more, stuck = 0, 0, 1, True, 0
        while has_more:
            page = source.listed(entity.name, number, window)
            if page.has_more and not page.records:
                cause = f"page {number} of the list is empty, and says that more follow"
                raise TransientError("servicetitan", str(tenant_id), entity.name, cause)
            kept = desk.keep(page.records, listed=True)
            ids = ids_of(page.records)
            stuck = 0 if set(ids) - met else stuck + 1
            if stuck >= STUCK_AFTER and page.has_more:
                raise TransientError("servicetitan", str(tenant_id), entity.name, "the list does not move on")
            met.update(ids)
            totals.add(page.total)
            unusable += len(page.records) - len(ids)
            count, number, has_more = count + len(page.records), number + 1, page.has_more
            new, changed = new + kept.new, changed + kept.changed
            drift += kept.drift
        read += count
        [total, *others] = totals
        if not others and (total is None or len(met) + unusable >= total):
            return Read(read, new, changed, desk.newest, total, tuple(drift))
    cause = f"the list changed under each of {READINGS} readings, or shows less than it counts; what was met is stored"
    raise TransientError("servicetitan", str(tenant_id), entity.name, cause)


def is_due(db: Database, tenant_id: int, entity: Entity, now: datetime) -> bool:
    """Tell whether a list's hour has come."""
    last = cursors.read_at(db, tenant_id, entity.name)
    return last is None or now - last >= EVERY


def list_has_news(db: Database, source: Source, tenant_id: int, entity: Entity) -> bool:
    """Look at a list's first page; where it shows nothing new, its hour begins anew. Raise RemoteError."""
    watermark, _ = cursors.token(db, tenant_id, entity.name)
    page = source.listed(entity.name, 1, _since(db, tenant_id, entity))
    if page.has_more or has_news(db, tenant_id, entity, page.records, listed=True):
        return True
    cursors.keep_watermark(db, tenant_id, entity.name, watermark)
    return False


def _since(db: Database, tenant_id: int, entity: Entity) -> Window:
    watermark, _ = cursors.token(db, tenant_id, entity.name)
    return Window(datetime.fromisoformat(watermark) - OVERLAP if watermark else None)
