"""Rehearses a rule before it is adopted, today or on a past date: who would be moved from where to where (SEG-6)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.sync.derive import day_of
from st_sf_pipelines.sync.previewed import PREVIEWED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    import pandas as pd

    from st_sf_pipelines.config import Site, Tenant
    from st_sf_pipelines.store.database import Database
    from st_sf_pipelines.sync.previewed import Previewed


@dataclass
class Moves:
    """Who moves from where to where: the counts, and a frame of the movers, some 50 bytes each."""

    previewed: Previewed
    rules: dict[str, str]
    day: date
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    between: Counter[tuple[str, str]] = field(default_factory=Counter)
    new: int = 0
    """Those who had no value before: they are counted, and are no movers."""
    _movers: list[pd.DataFrame] = field(default_factory=list)

    def add(self, compared: pd.DataFrame) -> None:
        """Take a frame of subjects, as `Previewed` tells."""
        before, after = compared["before"], compared["after"]
        was = before.notna()
        self.before.update(before[was])
        self.after.update(after)
        self.new += int((~was).sum())
        movers = compared[was & (before.astype("object") != after.astype("object"))]
        self.between.update(zip(movers["before"], movers["after"], strict=True))
        self._movers.append(movers.astype(dict.fromkeys(("before", "after", "rule"), "category")))

    @property
    def moved(self) -> int:
        """How many move."""
        return self.between.total()

    def movers(self) -> Iterator[dict[str, Any]]:
        """Give each mover by its ids: from, to, the rule that holds, and on what evidence."""
        for frame in self._movers:
            for row in frame.itertuples(index=False):
                ids = {name: getattr(row, name) for name in self.previewed.ids}
                evidence = self.previewed.evidence(row, self.day)
                yield {**ids, "from": row.before, "to": row.after, "rule": row.rule, "evidence": evidence}


def rehearse(
    db: Database, tenant: Tenant, site: Site, now: datetime, until: datetime | None = None
) -> dict[str, Moves]:
    """Compare what is in force (or would have been concluded of the records up to `until`) with what holds as of now.

    Nothing is written.
    """
    found = {each.name: Moves(each, each.rules(site, tenant), day_of(tenant, now)) for each in PREVIEWED}
    for moves in found.values():
        for compared in moves.previewed.compared(db, tenant, site, until, now):
            moves.add(compared)
    return found
