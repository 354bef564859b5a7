"""Estimates: open ones of this week's quotes, sold ones behind install jobs, and the mixed rest of three years."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from . import cohorts, listed, shapes
from .stamps import TICKS_A_DAY, TICKS_A_MINUTE

if TYPE_CHECKING:
    from .calendar import Calendar
    from .lots import Column, Lots
    from .records import Records

CANCELED = shapes.JOB_STATUSES.index("Canceled")
OPEN, SOLD, DISMISSED = range(len(shapes.ESTIMATE_STATUSES))
INSTALL = np.array(["Install" in name for name in listed.UNITS])
QUOTED, VISITED = cohorts.place_of("quoted this week"), cohorts.place_of("visited this week")
RECENT_DAYS = 16
"""Only this week's quotes have estimates with a value on jobs this young: they decide what a first run finds."""


class Offers(NamedTuple):
    """Estimates about to be written, by column; `makes` is the install job that one led to, or -1."""

    job: Column
    status: Column
    subtotal: Column
    created: Column
    modified: Column
    makes: Column

    @classmethod
    def joined(cls, parts: list[Offers]) -> Offers:
        """Join some, in the order of their jobs and ages."""
        whole = cls(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
        order = np.lexsort((whole.created, whole.job))
        return cls(*(column[order] for column in whole))


def fill(records: Records, calendar: Calendar, lots: Lots, count: int) -> None:
    """Write so many estimates."""
    jobs = records.jobs
    young = [_quoted(records, calendar, lots), _empty(records, calendar)]
    left = count - sum(len(each.job) for each in young)
    behind = _behind_installs(records, calendar, lots, left)
    rest = _rest(records, calendar, lots, left - len(behind.job))
    offers = Offers.joined([*young, behind, rest])
    total = len(offers.job)
    chance = lots.chance("odd", total)
    old = offers.created < calendar.opening(RECENT_DAYS)
    plain = old & (offers.makes < 0)
    records.estimates.extend(
        job=offers.job,
        status=offers.status,
        subtotal=offers.subtotal,
        draw=lots.draws("estimate", total),
        created=offers.created,
        modified=offers.modified,
        sold=np.where(offers.status == SOLD, offers.modified, -1),
        active=1 - (plain & (chance < 0.04)),
        loose=(plain & (chance > 0.97)).astype(np.int64),
    )
    ends = np.cumsum(np.bincount(offers.job, minlength=len(jobs)))
    records.first_estimate = array("q", [0, *ends.tolist()])
    made_from = np.full(len(jobs), -1)
    led = np.flatnonzero(offers.makes >= 0)
    made_from[offers.makes[led]] = led
    jobs.set("made_from", made_from)


def _quoted(records: Records, calendar: Calendar, lots: Lots) -> Offers:
    """Give each of this week's quotes one open estimate with a value, and every third of them another."""
    jobs = records.jobs
    young = _young(records, calendar, QUOTED)
    job = np.concatenate([young, young[::3]])
    after = (20 + 100 * (np.arange(len(job)) >= len(young)) + lots.below("told", len(job), 60)) * TICKS_A_MINUTE
    created = jobs.seen("created")[job] + after
    second = np.arange(len(job)) >= len(young)
    # Of the second ones a third was turned down: the first, which is open, decides.
    status = np.where(second & (np.arange(len(job)) % 3 == 0), DISMISSED, OPEN)
    cents = 30_000 + 2_500 * lots.below("worth", len(job), 720)
    return Offers(job, status, cents, created, created + TICKS_A_MINUTE, np.full(len(job), -1))


def _young(records: Records, calendar: Calendar, kind: int) -> Column:
    """Give the young jobs of a kind of customer."""
    jobs = records.jobs
    kinds = records.customers.seen("kind")[jobs.seen("customer")]
    young: Column = np.flatnonzero((kinds == kind) & (jobs.seen("created") >= calendar.opening(RECENT_DAYS)))
    return young


def _empty(records: Records, calendar: Calendar) -> Offers:
    """Give every sixth of this week's other visits an estimate that was begun and has no value: it moves no deal."""
    job = _young(records, calendar, VISITED)[::6]
    none = np.zeros(len(job), dtype=np.int64)
    created = records.jobs.seen("created")[job] + 40 * TICKS_A_MINUTE
    return Offers(job, none + OPEN, none, created, created + TICKS_A_MINUTE, none - 1)


def _behind_installs(records: Records, calendar: Calendar, lots: Lots, most: int) -> Offers:
    """Give most install jobs an estimate that was sold on the customer's job before, not long before they were made."""
    jobs = records.jobs
    customer, created = jobs.seen("customer"), jobs.seen("created")
    order = np.lexsort((created, customer))
    before = np.full(len(order), -1)
    follows = np.append(False, customer[order][1:] == customer[order][:-1])
    before[order] = np.where(follows, np.roll(order, 1), -1)
    status = jobs.seen("status")
    fit = INSTALL[jobs.seen("unit")] & (status != CANCELED) & (before >= 0)
    fit &= (status[before] != CANCELED) & (lots.chance("sells", len(order)) < 0.8)
    install = lots.some("install", np.flatnonzero(fit), most)
    job = before[install]
    asked = _asked(created[job], lots, "asked before")
    sold = np.maximum(asked + TICKS_A_MINUTE, np.minimum(asked + 6 * TICKS_A_DAY, created[install] - TICKS_A_MINUTE))
    total = jobs.seen("total")[install]
    cents = np.where(total > 0, total, 150_000 + 10_000 * lots.below("install worth", len(job), 140))
    return Offers(job, np.full(len(job), SOLD), cents, asked, np.minimum(sold, calendar.anchor - 1), install)


def _rest(records: Records, calendar: Calendar, lots: Lots, count: int) -> Offers:
    """Spread the other estimates over older jobs that stand, sales visits before all; some jobs have several."""
    jobs = records.jobs
    created, standing = jobs.seen("created"), jobs.seen("status") != CANCELED
    old = np.flatnonzero(standing & (created < calendar.opening(RECENT_DAYS)) & ~INSTALL[jobs.seen("unit")])
    chosen = lots.below("which", max(count, 0) if len(old) else 0, len(old))
    job, chance = old[chosen], lots.chance("ends", len(chosen))
    status = np.where(chance < 0.4, SOLD, np.where(chance < 0.75, DISMISSED, OPEN))
    asked = _asked(created[job], lots, "asked")
    closed = asked + TICKS_A_MINUTE + lots.below("thinks", len(job), 9 * 24 * 60) * TICKS_A_MINUTE
    modified = np.where(status == OPEN, asked + 5 * TICKS_A_MINUTE, np.minimum(closed, calendar.anchor - TICKS_A_DAY))
    cents = 9_900 + 2_500 * lots.below("rest worth", len(job), 600)
    cents[lots.chance("without a value", len(job)) < 0.03] = 0
    return Offers(job, status, cents, asked, np.maximum(modified, asked), np.full(len(job), -1))


def _asked(created: Column, lots: Lots, word: str) -> Column:
    """Tell when an estimate was made: within three days of its job, well before the customer's next job."""
    return created + (30 + lots.below(word, len(created), 3 * 24 * 60)) * TICKS_A_MINUTE
