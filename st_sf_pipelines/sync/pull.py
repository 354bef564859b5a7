"""Pulls an entity: page after page, each checked and stored with its token before the next one counts (EXT-3)."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.errors import PermanentError, TransientError
from st_sf_pipelines.ports import Window
from st_sf_pipelines.rules.stamps import instant
from st_sf_pipelines.store import cursors, quarantine
from st_sf_pipelines.sync import lists
from st_sf_pipelines.sync.pages import Desk

if TYPE_CHECKING:
    from datetime import datetime

    from st_sf_pipelines.ports import Entity, Page, Source
    from st_sf_pipelines.store.database import Database

STUCK_AFTER: Final = 3
"""So many pages in a row that say 'more waits' and bring neither a token not met before nor news are an error."""

OVERLAP: Final = timedelta(hours=1)
REFUSED_TOKEN: Final = 400


@dataclass(frozen=True)
class Pulled:
    """What pulling one entity came to; `quarantined` counts all that stand in quarantine, `newest` is in ticks.

    `restarted` is 1 if the server no longer accepted the stored token, and the feed began again further back;
    `drift` names the unknown fields that were met for the first time.
    """

    read: int = 0
    new: int = 0
    changed: int = 0
    quarantined: int = 0
    calls: int = 0
    newest: int = 0
    restarted: int = 0
    drift: tuple[str, ...] = ()


def pull(
    db: Database,
    source: Source,
    tenant_id: int,
    entity: Entity,
    window: Window | None = None,
    so_far: dict[str, Any] | None = None,
) -> Pulled:
    """Read what is new of an entity, by its feed or else by its list; or a window of modifiedOn again.

    A window leaves the cursor where it stands (EXT-4); but all there is, of what was never yet read to its end, is the
    first load itself. What was committed stays when a later page fails: the next round goes on from there; `so_far`
    holds the counts of it. Raise RemoteError.
    """
    called = source.calls_of(entity.name)
    so_far = {} if so_far is None else so_far
    token, complete = cursors.token(db, tenant_id, entity.table.name)
    if window == Window() and not complete:
        window, token = None, None
    try:
        if entity.is_fed:
            pulled = _pull_feed(
                db, source, tenant_id, entity, _stamp(window.since) if window else token, window, so_far
            )
        else:
            read = lists.pull_list(db, source, tenant_id, entity, window)
            pulled = Pulled(read.read, read.new, read.changed, newest=read.newest, drift=read.drift)
    finally:
        so_far["quarantined"] = quarantine.quarantined(db, tenant_id).get(entity.table.name, 0)
        so_far["calls"] = source.calls_of(entity.name) - called
    return replace(pulled, quarantined=so_far["quarantined"], calls=so_far["calls"])


def _pull_feed(
    db: Database,
    source: Source,
    tenant_id: int,
    entity: Entity,
    token: str | None,
    window: Window | None,
    so_far: dict[str, Any],
) -> Pulled:
    """Read a feed to its end, from where a token stands; the next page is fetched while one is stored.

    A token that the server no longer accepts is given up for the stamp up to which this very feed has delivered all,
    less an overlap; what other readings stored tells nothing of it. Before its first end it begins at the beginning.
    """
    met = {token}
    desk = Desk(db, tenant_id, entity)
    read = new = changed = stuck = restarted = 0
    drift: list[str] = []
    with ThreadPoolExecutor(1, thread_name_prefix=f"next {entity.name}") as ahead:
        coming: Future[Page] = ahead.submit(source.page, entity.name, token)
        while True:
            try:
                page = coming.result()
            except PermanentError as error:
                if error.status != REFUSED_TOKEN or token is None or window or restarted:
                    raise
                reached = cursors.reached(db, tenant_id, entity.table.name)
                restarted, token = 1, _stamp(instant(reached) - OVERLAP) if reached else None
                coming = ahead.submit(source.page, entity.name, token)
                continue
            follows = page.token or token  # an empty token at the end of a feed keeps the one before it
            if page.has_more:
                coming = ahead.submit(source.page, entity.name, follows)
            kept = desk.keep(
                page.records,
                feed=None if window else (follows, not page.has_more),
                until=window.until if window else None,
            )
            read, new, changed = read + len(page.records), new + kept.new, changed + kept.changed
            so_far.update(read=read, new=new, changed=changed)
            drift += kept.drift
            if not page.has_more:
                return Pulled(read, new, changed, newest=desk.newest, restarted=restarted, drift=tuple(drift))
            stuck = stuck + 1 if follows in met and not kept.new + kept.changed else 0
            if stuck >= STUCK_AFTER:
                raise TransientError("servicetitan", str(tenant_id), entity.name, "the feed does not move on")
            token = follows
            met.add(token)


def _stamp(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment else None
