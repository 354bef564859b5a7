"""The rules against a second, plain reading of the same page, over small worlds drawn at random."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from st_sf_pipelines.config import Pipelines
from st_sf_pipelines.rules.by_hand import set_by_hand
from st_sf_pipelines.rules.deals import Deal
from st_sf_pipelines.rules.facts import AsOf, Estimate, Facts, Job
from st_sf_pipelines.rules.fold import fold
from st_sf_pipelines.rules.handover import hand_over
from st_sf_pipelines_tests.rules.dealing import (
    CABLES,
    INSTALLS,
    SELLS,
    SERVES,
    WIRES,
    ZONE,
    ago,
    estimate,
    facts,
    job,
    lead,
)
from st_sf_pipelines_tests.rules.plain_book import INSTALL, SALES
from st_sf_pipelines_tests.rules.plain_deals import plain_deals
from st_sf_pipelines_tests.rules.plain_people import plain_hand, plain_hand_over

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from st_sf_pipelines.rules.facts import Lead

    Deals = dict[int, tuple[Deal, ...]]

JOB_STATUSES = ("scheduled", "dispatched", "inprogress", "hold", "completed", "canceled")
VISITS = ("scheduled", "dispatched", "working", "hold", "done", "canceled")
UNITS = (SELLS, SERVES, CABLES, INSTALLS, WIRES)
SURVIVOR, MERGED = 7, 8
ESTIMATE = 50  # the first one's number
LAST = 70  # the days of a world
DAYS = st.sampled_from([0, 1, 14, 15, 16, 29, 30, 31, 44, 45, 46, 60, 70])  # many are 14, 15, 30 or 31 days apart


@dataclass(frozen=True)
class Story:
    """One record: the day of its creation, what it came to be on which day, and whose it is."""

    id: int
    day: int
    changes: tuple[tuple[int, str], ...]
    of: int
    more: dict[str, Any]

    def ago(self, day: float) -> float:
        """Give one of its days as an age; no two records share a moment, and a change comes after the creation."""
        return LAST - day - self.id / 1000

    def at(self, day: int) -> tuple[str, datetime] | None:
        """Give its status on a day, and when it came to that; None if it does not exist yet."""
        past = [(when, place, status) for place, (when, status) in enumerate(self.changes) if when <= day]
        if not past:
            return None
        when, place, status = past[-1]
        return status, ago(self.ago(when) - (place + 1) / 100)

    def later(self, days: int) -> Story:
        """Give it so many days later."""
        return replace(self, day=self.day + days, changes=tuple((day + days, to) for day, to in self.changes))


@dataclass(frozen=True)
class World:
    """Two customers' records, the days on which a round looks, and what befalls them at one look or another."""

    jobs: list[Story]
    estimates: list[Story]  # their days count from their job's
    leads: list[Story]
    looks: list[int]
    hands: dict[int, str]  # after which look a person sets which stage
    pinned_after: int = 9
    inactive_from: int = 9
    renamed_from: int = 9
    merged_from: int = 9
    unmerged_from: int = 9
    appears_from: int = 0  # a lead's customer
    outage: bool = False  # the last good round was the look before

    def of_customer(self, customer: int) -> list[Story]:
        """Give the estimates of a customer; one that names a job comes after it, and is its customer's."""
        born = {each.id: (each.day, each.of) for each in self.jobs}
        placed = ((each, born.get(each.more["job"], (0, each.of))) for each in self.estimates)
        return [each.later(day) for each, (day, of) in placed if of == customer]

    def is_merged(self, look: int) -> bool:
        """Tell whether the one customer is merged into the other at a look."""
        return self.merged_from <= look < self.unmerged_from

    def seen(self, subject: int, look: int) -> Iterator[Job | Estimate | Lead]:
        """Give a subject's records as they stand at a look."""
        day = self.looks[look]
        customers = {SURVIVOR, MERGED} if self.is_merged(look) else {subject}
        customers -= {MERGED} if self.is_merged(look) and subject == MERGED else set()
        if self.is_merged(look) and subject != SURVIVOR:
            customers = set()
        for each in self.jobs:
            if each.of in customers and (now := each.at(day)):
                yield _job(each, day, *now)
        for customer in customers:
            for each in self.of_customer(customer):
                if now := each.at(day):
                    yield _estimate(each, *now)
        for each in self.leads:
            mine = each.of in customers if look >= self.appears_from else subject == -each.id
            if mine and (now := each.at(day)):
                yield lead(each.id, each.ago(each.day), now[0], modified_at=now[1])

    def followed(self, jobs: set[int], look: int) -> Iterator[Job | Estimate]:
        """Give some jobs, whoever's they are, with their estimates, as they stand at a look."""
        for each in (each for customer in (SURVIVOR, MERGED) for each in self.of_customer(customer)):
            if each.more["job"] in jobs and (now := each.at(self.looks[look])):
                yield _estimate(each, *now)
        for each in self.jobs:
            if each.id in jobs and (now := each.at(self.looks[look])):
                yield _job(each, self.looks[look], *now)


def _job(story: Story, day: int, status: str, since: datetime) -> Job:
    visits = [status for after, status in story.more["visits"] if story.day + after <= day][-1:]
    return job(
        story.id,
        story.ago(story.day),
        status,
        story.more["unit"],
        visits=visits,
        modified_at=since,
        completed_at=since if status == "completed" else None,
        total_cents=story.more["total"],
        created_from_estimate_id=story.more["made_by"],
        customer_id=story.of,
    )


def _estimate(story: Story, status: str, since: datetime) -> Estimate:
    made = estimate(story.id, story.ago(story.day), status, story.more["dollars"], job_id=story.more["job"])
    return replace(made, modified_at=since, sold_on=since if status == "sold" else None)


def _ours_by_hand(deal: Deal, stage: str, at: datetime, seen: Facts) -> Deal:
    done = set_by_hand(deal, stage, at, seen)
    return done if isinstance(done, Deal) else deal


def _ours_handed_over(deals: Deals, keepers: dict[int, int], as_of: AsOf) -> Deals:
    return hand_over((deal for each in deals.values() for deal in each), keepers, {}, as_of).deals


def _plainly_handed_over(deals: Deals, keepers: dict[int, int], as_of: AsOf) -> Deals:
    every = tuple(deal for each in deals.values() for deal in each)
    since = {deal.subject: deal.since_at for deal in every}
    for gone, keeper in sorted(keepers.items(), key=lambda pair: since.get(pair[0], datetime.max.replace(tzinfo=UTC))):
        every = plain_hand_over(every, gone, keepers.get(keeper, keeper), as_of)
    return {subject: tuple(deal for deal in every if deal.subject == subject) for subject in {d.subject for d in every}}


@dataclass(frozen=True)
class Reading:
    """One of the two readings of the page."""

    fold: Callable[[Facts, tuple[Deal, ...], AsOf, Pipelines], tuple[Deal, ...]]
    by_hand: Callable[[Deal, str, datetime, Facts], Deal]
    handed_over: Callable[[Deals, dict[int, int], AsOf], Deals]

    def play(self, world: World) -> Iterator[list[tuple[object, ...]]]:
        """Work all rounds of a world, and tell after each how the deals are."""
        deals: Deals = {}
        for look, day in enumerate(world.looks):
            last_good = AsOf(ago(LAST - world.looks[look - 1]), ZONE).today if world.outage and look else None
            as_of = AsOf(ago(LAST - day), ZONE, last_good)
            keepers = {-each.id: each.of for each in world.leads if look >= world.appears_from}
            deals = self.handed_over(deals, keepers | ({MERGED: SURVIVOR} if world.is_merged(look) else {}), as_of)
            seen = {}
            for subject in (SURVIVOR, MERGED, *(-each.id for each in world.leads if look < world.appears_from)):
                every = [deal for each in deals.values() for deal in each]
                others = [deal for deal in every if deal.subject != subject]
                own = list(world.seen(subject, look))
                has = {nr for deal in every if deal not in others and deal.status != "lost" for nr in deal.job_ids}
                elsewhere = list(world.followed(has - {each.id for each in own if isinstance(each, Job)}, look))
                seen[subject] = facts(
                    *own,
                    *(each for each in elsewhere if isinstance(each, Estimate)),
                    followed=tuple(each for each in elsewhere if isinstance(each, Job)),
                    subject=subject,
                    name="Ann Li" if look >= world.renamed_from else "Ann Lee",
                    active=look < world.inactive_from,
                    taken=frozenset(nr for deal in others if deal.status != "lost" for nr in deal.job_ids),
                    lapsed=frozenset(nr for deal in others if deal.status == "lost" for nr in deal.job_ids),
                    last_number=max((deal.number for deal in every if deal.opened_for == subject), default=0),
                )
                now = deals.get(subject, ())
                if look - 1 == world.pinned_after:
                    now = tuple(replace(deal, pinned=True) for deal in now)
                if stage := world.hands.get(look - 1):  # some hours after the last look; later facts are read with it
                    at = ago(LAST - world.looks[look - 1]) + timedelta(hours=12)
                    now = tuple(self.by_hand(deal, stage, at, seen[subject]) for deal in now)
                deals[subject] = self.fold(seen[subject], now, as_of, Pipelines())
            yield sorted(told(deal) for each in deals.values() for deal in each)


OURS = Reading(lambda *round_: fold(*round_).deals, _ours_by_hand, _ours_handed_over)
PLAIN = Reading(plain_deals, plain_hand, _plainly_handed_over)


def told(deal: Deal) -> tuple[object, ...]:
    """Tell what both must agree on."""
    return (
        deal.key,
        deal.subject,
        deal.place,
        deal.title,
        deal.value_cents or 0,
        deal.job_id,
        deal.estimate_id,
        deal.lead_id,
        deal.closed_at and deal.closed_at.astimezone(ZONE).date(),
        deal.close_on,
        deal.lost_reason,
        deal.notes,
    )


@st.composite
def records(draw: st.DrawFn, /, first: int, most: int, statuses: tuple[str, ...], **more: Any) -> list[Story]:
    """Draw some records and what they come to be."""
    made = []
    for nr in range(first, first + draw(st.integers(0, most))):
        day = draw(st.integers(0, 25) if first == ESTIMATE else DAYS)
        steps = draw(
            st.lists(st.tuples(st.sampled_from([0, 1, 4, 14, 15]), st.sampled_from(statuses)), min_size=1, max_size=3)
        )
        ends = accumulate((after for after, _ in steps[1:]), initial=day)
        changes = tuple((end, status) for end, (_, status) in zip(ends, steps, strict=True))
        fields = {key: draw(each) for key, each in more.items()}
        made.append(Story(nr, day, changes, draw(st.sampled_from([SURVIVOR, SURVIVOR, MERGED])), fields))
    return made


# fmt: off
JOBS = records(1, 4, JOB_STATUSES,
    unit=st.sampled_from(UNITS),
    visits=st.lists(st.tuples(st.integers(0, 30), st.sampled_from(VISITS)), max_size=2).map(sorted),
    total=st.sampled_from([None, 0, 5000]),
    made_by=st.sampled_from([None, 50, 51]),
)
ESTIMATES = records(ESTIMATE, 4, ("open", "sold", "dismissed"),
    dollars=st.sampled_from([1000, 0, 250, -5]),
    job=st.sampled_from([1, 2, 3, None]),
)
LEADS = records(90, 2, ("open", "converted", "dismissed"))
# fmt: on
LOOKS = st.lists(DAYS, min_size=1, max_size=4, unique=True).map(sorted)
LATE = st.sampled_from([9, 9, 9, 0, 1, 2])


CANCELED = Story(
    1,
    14,
    ((14, "scheduled"), (16, "canceled")),
    SURVIVOR,
    {"unit": SELLS, "visits": [], "total": None, "made_by": None},
)


@given(st.builds(World, JOBS, ESTIMATES, LEADS, LOOKS, st.just({})))
@example(World([CANCELED], [], [], [14, 45, 46], {}))  # 29 days later, and 30
@settings(max_examples=100, deadline=None, derandomize=True)
def test_the_deals_of_two_customers_and_their_leads_are_what_the_page_says(world: World) -> None:
    for ours, plain in zip(OURS.play(world), PLAIN.play(world), strict=True):
        assert ours == plain


HANDS = st.dictionaries(st.integers(0, 2), st.sampled_from([*SALES, *INSTALL, "estimate-lost"]), max_size=1)


@given(st.builds(World, JOBS, ESTIMATES, LEADS, LOOKS, HANDS, LATE, LATE, LATE, LATE, LATE, LATE, st.booleans()))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_so_are_they_where_people_set_stages_and_pin_and_customers_are_merged_renamed_and_inactive(
    world: World,
) -> None:
    for ours, plain in zip(OURS.play(world), PLAIN.play(world), strict=True):
        assert ours == plain
