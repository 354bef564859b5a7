"""What can be rehearsed: segments, customer states and the stages of deals, a row each, in frames of one shape."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from st_sf_pipelines.rules import facts, pipelines, segments, states
from st_sf_pipelines.rules.facts import AsOf
from st_sf_pipelines.rules.fold import STEPS, fold
from st_sf_pipelines.store import audit, deals, log
from st_sf_pipelines.store import segments as segment_store
from st_sf_pipelines.store import states as state_store
from st_sf_pipelines.sync.deals import facts_with_deals, widest_window
from st_sf_pipelines.sync.derive import day_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from st_sf_pipelines.config import Site, Tenant
    from st_sf_pipelines.rules.deals import Place
    from st_sf_pipelines.store.database import Connection, Database

    Frames = Iterator[pd.DataFrame]

AT_ONCE: Final = 10_000
"""How many deals are compared in one frame."""


@dataclass(frozen=True)
class Previewed:
    """One conclusion that can be rehearsed; a row of `PREVIEWED` puts it into `preview` and `backtest`.

    A frame has a row a subject: its ids, `before` (not a number: it had no value), `after`, the `rule` that holds now,
    and what the evidence tells.
    """

    name: str
    """The section of the report."""
    subjects: str
    """What it is concluded of: customers or deals."""
    ids: tuple[str, ...]
    sections: tuple[str, ...]
    """The sections of the site file that its rules read, which `--set` may edit."""
    values: tuple[str, ...]
    """Whatever it may conclude, in the order in which people read it."""
    compared: Callable[[Database, Tenant, Site, datetime | None, datetime], Frames]
    """Before: what is in force, or, with an instant in the past, what is concluded of the records up to it; after: what
    is concluded of today's as of another. Nothing is written."""
    rules: Callable[[Site, Tenant], dict[str, str]]
    """Each rule's name and its sentence."""
    evidence: Callable[[Any, date], dict[str, Any]]
    """A row of a frame, in words, on a day of the tenant's."""


def _segments(db: Database, tenant: Tenant, site: Site, until: datetime | None, now: datetime) -> Frames:
    def conclude(frame: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
        found = segments.conclude(frame, day_of(tenant, as_of), site.segments_of(tenant))
        return frame.assign(after=found["segment"], rule=found["rule"])

    def past(connection: Connection, until: datetime) -> Frames:
        return segment_store.past_facts(connection, tenant.id, tenant.timezone, until)

    def today(connection: Connection) -> Frames:
        return segment_store.facts(connection, tenant.id)

    return _of_customers(db, until, now, past, today, conclude)


def _states(db: Database, tenant: Tenant, site: Site, until: datetime | None, now: datetime) -> Frames:
    units = site.pipelines_of(tenant).business_units

    def conclude(frame: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
        found = states.conclude(frame, day_of(tenant, as_of), tenant.zone, site.states_of(tenant))
        told = found[["st_id", "rule", "journey", "entered_on", "job_id"]]
        return told.assign(after=found["state"], stored=frame["stored"].to_numpy())

    def past(connection: Connection, until: datetime) -> Frames:
        return state_store.past_facts(connection, tenant.id, units, until)

    def today(connection: Connection) -> Frames:
        return state_store.facts(connection, tenant.id, units)

    return _of_customers(db, until, now, past, today, conclude)


def _of_customers(
    db: Database,
    until: datetime | None,
    now: datetime,
    past: Callable[[Connection, datetime], Frames],
    today: Callable[[Connection], Frames],
    conclude: Callable[[pd.DataFrame, datetime], pd.DataFrame],
) -> Frames:
    """Compare frames of customers; of the past, two words for each stay in memory."""
    then = None
    if until is not None:
        with db.connect() as connection:
            found = [conclude(frame, until).set_index("st_id")["after"] for frame in past(connection, until)]
        then = pd.concat(found) if found else pd.Series(dtype="object")
    with db.connect() as connection:
        for frame in today(connection):
            concluded = conclude(frame, now)
            before = concluded["stored"] if then is None else then.reindex(frame["st_id"]).to_numpy()
            yield concluded.assign(before=before).drop(columns="stored")


def _stages(db: Database, tenant: Tenant, site: Site, until: datetime | None, now: datetime) -> Frames:
    names = ["deal", "st_id", "before", "after", "rule", "records"]
    with db.connect() as connection:
        rows = _moved(connection, tenant, site, until, now)
        while some := list(islice(rows, AT_ONCE)):
            yield pd.DataFrame(some, columns=names)


def _moved(
    connection: Connection, tenant: Tenant, site: Site, until: datetime | None, now: datetime
) -> Iterator[tuple[Any, ...]]:
    """Fold every subject that has facts, once more; give each of its deals.

    In the past there were no deals: a round on that day opens what its windows show, and one now goes on from there;
    as after any outage, its windows reach back to the round before.
    """
    rules = site.pipelines_of(tenant)
    log.take_everybody(connection, tenant.id, leads=True)
    deals.show_to_facts(connection, tenant.id, none=until is not None)
    last = until or audit.rounds_before(connection, tenant.id).good
    moment = AsOf(now, tenant.zone, day_of(tenant, last) if last else None)
    then = AsOf(until, tenant.zone) if until else moment
    for known, kept in facts_with_deals(connection, tenant.id, widest_window(rules, then)):
        were = fold(facts.before(known, until), (), then, rules).deals if until else kept
        concluded = fold(known, were, moment, rules)
        places = {deal.key: deal.place for deal in were}
        last_move = {move.deal: move for move in concluded.moves}
        for deal in concluded.deals:
            move = last_move.get(deal.key)
            told = (move.rule, move.records) if move else (None, ())
            yield deal.key, deal.subject, _value(places.get(deal.key)), _value(deal.place), *told


NOT_OPENED: Final = "not opened"
"""Where a deal stands that is not there yet."""


def _value(place: Place | None) -> str:
    return "/".join(place) if place else NOT_OPENED


def _places() -> Iterable[str]:
    for pipeline in pipelines.PIPELINES:
        for stage in pipeline.stages:
            for status in ("open", "won", "lost"):
                yield f"{pipeline.slug}/{stage.slug}/{status}"


def _why_segment(row: Any, day: date) -> dict[str, Any]:
    known = row.last_job_day == row.last_job_day  # not a number for a customer without a completed job
    last = date(1970, 1, 1) + timedelta(days=int(row.last_job_day)) if known else None
    return {
        "lifetime_value": Decimal(int(row.lifetime_cents)) / 100,
        "last_job_date": last,
        "days_since_last_job": (day - last).days if last else None,
    }


def _why_state(row: Any, day: date) -> dict[str, Any]:
    days = (day - row.entered_on).days
    return {"entered_on": row.entered_on, "days_since": days, "job": row.job_id, "journey": row.journey}


PREVIEWED: Final = (
    Previewed(
        name="segments",
        subjects="customers",
        ids=("st_id",),
        sections=("segments",),
        values=tuple(rule.segment.value for rule in segments.SEGMENT_RULES),
        compared=_segments,
        rules=lambda site, tenant: {
            rule.name: rule.sentence(site.segments_of(tenant)) for rule in segments.SEGMENT_RULES
        },
        evidence=_why_segment,
    ),
    Previewed(
        name="states",
        subjects="customers",
        ids=("st_id",),
        sections=("states", "pipelines"),
        values=tuple(rule.state for rule in states.STATE_RULES),
        compared=_states,
        rules=lambda site, tenant: states.sentences(site.states_of(tenant)),
        evidence=_why_state,
    ),
    Previewed(
        name="stages",
        subjects="deals",
        ids=("deal", "st_id"),
        sections=("pipelines",),
        values=(NOT_OPENED, *_places()),
        compared=_stages,
        rules=lambda _site, _tenant: {step.rule: " ".join((step.work.__doc__ or "").split()) for step in STEPS},
        evidence=lambda row, _day: {"records": list(row.records)},
    ),
)
