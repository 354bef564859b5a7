"""The nightly sweep: whole lists against the store, within a budget of calls; it finds what no feed told (EXT-5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Final

from st_sf_pipelines.store import sweeps
from st_sf_pipelines.sync.one_by_one import one_by_one
from st_sf_pipelines.sync.pages import Desk, ids_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from st_sf_pipelines.errors import RemoteError
    from st_sf_pipelines.ports import Entity, Source
    from st_sf_pipelines.store.database import Database

PICKS: Final = 50
"""So many records can be asked for by their ids in one call."""

FEW: Final = 10
"""Of more than these, half of what we hold may not vanish in one night: then rather the list is wrong."""


@dataclass
class Swept:
    """What the sweep of one entity came to this night; one that is not finished goes on the next night.

    `listed` is the list's own count at the end, `held` ours; `gone` are the ids that the list no longer shows;
    `doubt` says why none were marked although some are missing.
    """

    read: int = 0
    new: int = 0
    changed: int = 0
    calls: int = 0
    listed: int | None = None
    held: int = 0
    finished: bool = False
    doubt: str = ""
    gone: list[int] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether the store holds what the list shows, as far as is known by now."""
        return not self.doubt and (not self.finished or self.listed in (None, self.held))


def sweep(
    db: Database, source: Source, tenant_id: int, entities: Sequence[Entity], budget: int
) -> Iterator[tuple[Entity, Swept | RemoteError]]:
    """Sweep the entities that have a list, the least recently swept first, until the budget is spent.

    One that fails is given with its error; what was read of it by then is stored, and its sweep goes on from there.
    """
    named = {entity.name: entity for entity in entities if entity.is_listed}
    end = source.calls + budget
    asked = takewhile(lambda _: source.calls < end, sweeps.order(db, tenant_id, list(named)))
    return one_by_one(
        (named[name] for name in asked),
        lambda entity: _Sweep(db, source, tenant_id, entity, end - source.calls).run(),
    )


class _Sweep:
    """One entity's sweep in one night."""

    def __init__(self, db: Database, source: Source, tenant_id: int, entity: Entity, budget: int) -> None:
        self._db = db
        self._source = source
        self._tenant_id = tenant_id
        self._entity = entity
        self._desk = Desk(db, tenant_id, entity)
        self._began = source.calls
        self._budget = budget
        self._came = Swept()
        self._page = 1
        self._is_blank = False

    def run(self) -> Swept:
        """Read the list from where it stands, ask for what it did not show, mark what is gone."""
        if self._read_list() and self._settle_missing():
            self._came.held = self._held()
            self._came.finished = True
            sweeps.finish(self._db, self._tenant_id, self._entity.name, self._came.listed, self._came.held)
        self._came.calls = self._source.calls - self._began
        return self._came

    def _may_call(self) -> bool:
        return self._source.calls - self._began < self._budget

    def _read_list(self) -> bool:
        """Read the rest of the list; tell whether its end was reached. The last page is read again after a break."""
        number = sweeps.begin(self._db, self._tenant_id, self._entity.name)
        while self._may_call():
            page = self._source.listed(self._entity.name, number)
            follows = page.has_more and bool(page.records)
            self._keep(page.records, number + 1 if follows else number)
            if not follows:
                self._came.listed = page.total
                self._is_blank = not page.records and (number == 1 or page.has_more)
                return True
            number += 1
        return False

    def _keep(self, records: list[dict[str, object]], page: int) -> None:
        kept = self._desk.keep(records, listed=True)
        sweeps.met(self._db, self._tenant_id, self._entity.name, ids_of(records), page)
        self._came.read += len(records)
        self._came.new += kept.new
        self._came.changed += kept.changed
        self._page = page

    def _settle_missing(self) -> bool:
        """Mark as gone what the list did not show, and shows not even by its id; tell whether all is settled.

        A list that is asked for no ids counts only if one page shows it whole: between pages its records slide.
        One that is empty, or breaks off, is never believed.
        """
        picks = self._entity.picks
        column = picks[1] if picks else "id"
        missing = self._missing(column)
        if not missing:
            return True
        if self._is_blank:
            self._came.doubt = f"page {self._page} of the list is empty, and {len(missing)} of our records not shown"
            return True
        if len(missing) > max(FEW, self._held() // 2):
            self._came.doubt = f"the list does not show {len(missing)} of our records: too many to be believed"
            return True
        if picks is None:
            if self._page > 1:
                self._came.doubt = f"{len(missing)} of our records may be missing, or slid from one page to another"
            elif self._came.listed == self._held() - len(missing):
                self._mark(missing)
            return True
        for chunk in _chunks(sorted(set(missing.values()))):
            if not self._may_call():
                return False
            page = self._source.listed(self._entity.name, 1, picks=chunk)
            self._keep(page.records, self._page)
            shown = set(ids_of(page.records))
            if page.has_more:  # more contacts of these customers than fit on a page: look again another night
                continue
            self._mark({st_id: pick for st_id, pick in missing.items() if pick in chunk and st_id not in shown})
        return True

    def _missing(self, column: str) -> dict[int, int]:
        return sweeps.missing(
            self._db,
            self._tenant_id,
            self._entity.table,
            column,
            with_inactive=self._entity.lists_inactive,
        )

    def _mark(self, missing: Mapping[int, int]) -> None:
        sweeps.mark_gone(self._db, self._tenant_id, self._entity.table, missing)
        self._came.gone += missing

    def _held(self) -> int:
        return sweeps.held(self._db, self._tenant_id, self._entity.table, with_inactive=self._entity.lists_inactive)


def _chunks(ids: Sequence[int]) -> Iterator[list[int]]:
    rest = iter(ids)
    while chunk := list(islice(rest, PICKS)):
        yield chunk
