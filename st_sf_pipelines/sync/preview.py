"""Rehearses a rule before it is adopted, today or on a past date: who would be moved from where to where (SEG-6)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from st_sf_pipelines.rules.segments import SEGMENT_RULES, conclude
from st_sf_pipelines.store import segments
from st_sf_pipelines.sync.derive import day_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from st_sf_pipelines.config import Site, Tenant
    from st_sf_pipelines.store.database import Connection, Database

    Frames = Iterator[pd.DataFrame]


@dataclass(frozen=True)
class Previewed:
    """One conclusion that can be rehearsed; a row of `PREVIEWED` puts it into `preview` and `backtest`.

    Frames of facts have a row a subject: `st_id`, what the rules read, and, of today's, `stored`, the value in force.
    """

    name: str
    """The section of the report."""
    sections: tuple[str, ...]
    """The sections of the site file that its rules read, which `--set` may edit."""
    values: tuple[str, ...]
    """Whatever it may conclude, in the order in which people read it."""
    facts: Callable[[Connection, Tenant], Frames]
    past: Callable[[Connection, Tenant, datetime], Frames]
    """Today's records less those dated after an instant."""
    conclude: Callable[[pd.DataFrame, Site, Tenant, datetime], pd.DataFrame]
    """Facts under a configuration as of an instant → `value` and `rule`, a row for each row of the facts."""
    rules: Callable[[Site, Tenant], dict[str, str]]
    """Each rule's name and its sentence."""
    evidence: Callable[[Any, date], dict[str, Any]]
    """A row of the facts, in words, on a day of the tenant's."""


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

    def add(self, facts: pd.DataFrame, before: pd.Series, concluded: pd.DataFrame) -> None:
        """Take a frame of subjects: their facts, their values before, and what is concluded of them."""
        after = concluded["value"]
        was = before.notna()
        self.before.update(before[was])
        self.after.update(after)
        self.new += int((~was).sum())
        moves = was & (before != after)
        self.between.update(zip(before[moves], after[moves], strict=True))
        told = pd.DataFrame({"before": before, "after": after, "rule": concluded["rule"]})[moves]
        self._movers.append(facts[moves].drop(columns="stored").join(told.astype("category")))

    @property
    def moved(self) -> int:
        """How many move."""
        return self.between.total()

    def movers(self) -> Iterator[dict[str, Any]]:
        """Give each mover by its id: from, to, the rule that holds, and on what evidence."""
        for frame in self._movers:
            for row in frame.itertuples(index=False):
                evidence = self.previewed.evidence(row, self.day)
                yield {"st_id": row.st_id, "from": row.before, "to": row.after, "rule": row.rule, "evidence": evidence}


def preview(db: Database, tenant: Tenant, site: Site, as_of: datetime) -> dict[str, Moves]:
    """Compare what is in force with what a site's rules conclude as of an instant; nothing is written."""
    return {each.name: _preview(db, each, tenant, site, as_of) for each in PREVIEWED}


def backtest(db: Database, tenant: Tenant, site: Site, until: datetime, now: datetime) -> dict[str, Moves]:
    """Compare what a site's rules would have concluded on a past date with what they conclude now."""
    return {each.name: _backtest(db, each, tenant, site, until, now) for each in PREVIEWED}


def _preview(db: Database, previewed: Previewed, tenant: Tenant, site: Site, as_of: datetime) -> Moves:
    moves = Moves(previewed, previewed.rules(site, tenant), day_of(tenant, as_of))
    with db.connect() as connection:
        for facts in previewed.facts(connection, tenant):
            moves.add(facts, facts["stored"], previewed.conclude(facts, site, tenant, as_of))
    return moves


def _backtest(db: Database, previewed: Previewed, tenant: Tenant, site: Site, until: datetime, now: datetime) -> Moves:
    moves = Moves(previewed, previewed.rules(site, tenant), day_of(tenant, now))
    with db.connect() as connection:
        then = pd.concat(
            [
                pd.Series(pd.Categorical(concluded["value"], categories=previewed.values), index=facts["st_id"])
                for facts in previewed.past(connection, tenant, until)
                for concluded in [previewed.conclude(facts, site, tenant, until)]
            ]
            or [pd.Series(dtype="object")]
        )
        for facts in previewed.facts(connection, tenant):
            before = then.reindex(facts["st_id"]).astype("object").set_axis(facts.index)
            moves.add(facts, before, previewed.conclude(facts, site, tenant, now))
    return moves


def _segment_of(facts: pd.DataFrame, site: Site, tenant: Tenant, as_of: datetime) -> pd.DataFrame:
    found = conclude(facts, day_of(tenant, as_of), site.segments_of(tenant))
    return found.rename(columns={"segment": "value"})


def _evidence(row: Any, day: date) -> dict[str, Any]:
    known = row.last_job_day == row.last_job_day  # not a number for a customer without a completed job
    last = date(1970, 1, 1) + timedelta(days=int(row.last_job_day)) if known else None
    return {
        "lifetime_value": Decimal(int(row.lifetime_cents)) / 100,
        "last_job_date": last,
        "days_since_last_job": (day - last).days if last else None,
    }


PREVIEWED: Final = (
    Previewed(
        name="segments",
        sections=("segments",),
        values=tuple(rule.segment.value for rule in SEGMENT_RULES),
        facts=lambda connection, tenant: segments.facts(connection, tenant.id),
        past=lambda connection, tenant, until: segments.past_facts(connection, tenant.id, tenant.timezone, until),
        conclude=_segment_of,
        rules=lambda site, tenant: {rule.name: rule.sentence(site.segments_of(tenant)) for rule in SEGMENT_RULES},
        evidence=_evidence,
    ),
)
