"""History: what was created in a month, read by its list, and our count of it against the list's own (EXT-4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from st_sf_pipelines.store import quarantine, sweeps
from st_sf_pipelines.sync.lists import read_list

if TYPE_CHECKING:
    from st_sf_pipelines.ports import Entity, Source, Window
    from st_sf_pipelines.store.database import Database


@dataclass(frozen=True)
class Compared:
    """What a month of one entity came to: `listed` is the API's own count, `held` ours, deleted rows aside."""

    read: int
    new: int
    changed: int
    quarantined: int
    calls: int
    listed: int | None
    held: int

    @property
    def agrees(self) -> bool:
        """Whether we hold as many as the API has."""
        return self.listed in (None, self.held)


def backfill(db: Database, source: Source, tenant_id: int, entity: Entity, month: Window) -> Compared:
    """Read what was created in a month; the cursor stays. Raise RemoteError."""
    called = source.calls_of(entity.name)
    read = read_list(db, source, tenant_id, entity, month)
    held = sweeps.held(db, tenant_id, entity.table, month.since, month.until, with_inactive=entity.lists_inactive)
    standing = quarantine.quarantined(db, tenant_id).get(entity.name, 0)
    calls = source.calls_of(entity.name) - called
    return Compared(read.read, read.new, read.changed, standing, calls, read.total, held)
