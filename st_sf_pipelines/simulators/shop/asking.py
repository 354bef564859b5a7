"""Leads and bookings: most became a job; none that is open is younger than what a first run looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import shapes
from .stamps import TICKS_A_MINUTE

if TYPE_CHECKING:
    from .calendar import Calendar
    from .columns import Rows
    from .lots import Column, Lots
    from .records import Records

LEAD = {name: place for place, name in enumerate(shapes.LEAD_STATUSES)}
BOOKING = {name: place for place, name in enumerate(shapes.BOOKING_STATUSES)}
YOUNGEST, OLDEST = 20, 400
"""Ages in days of leads that led to nothing: an open lead of the last 14 days would be an opportunity of its own."""


def fill(records: Records, calendar: Calendar, lots: Lots, leads: int, bookings: int) -> None:
    """Write so many leads and bookings."""
    if len(records.jobs):
        _leads(records, calendar, lots, leads)
        _bookings(records, calendar, lots, bookings)


def _leads(records: Records, calendar: Calendar, lots: Lots, count: int) -> None:
    job = lots.some("lead's job", np.arange(len(records.jobs)), count * 6 // 10)
    other = count - len(job)
    made = records.jobs.seen("created")[job]
    created, when = made - (10 + lots.below("waits", len(job), 2_000)) * TICKS_A_MINUTE, _any_day(calendar, lots, other)
    customer = lots.below("asks", other, len(records.customers))
    # An open lead's customer may be a stranger, and a stranger's lead may have been dismissed too.
    customer[lots.chance("stranger", other) < 0.5] = -1
    status = np.where(lots.chance("lost", other) < 0.55, LEAD["Dismissed"], LEAD["Open"])
    later = when + lots.below("later", other, 5 * 24 * 60) * TICKS_A_MINUTE
    _written(
        records.leads,
        lots,
        "lead",
        customer=np.concatenate([records.jobs.seen("customer")[job], customer]),
        job=np.concatenate([job, np.full(other, -1)]),
        status=np.concatenate([np.full(len(job), LEAD["Converted"]), status]),
        created=np.concatenate([created, when]),
        modified=np.concatenate([made, np.where(status == LEAD["Dismissed"], later, when)]),
    )


def _bookings(records: Records, calendar: Calendar, lots: Lots, count: int) -> None:
    job = lots.some("booking's job", np.arange(len(records.jobs)), count // 2)
    other = count - len(job)
    made, when = records.jobs.seen("created")[job], _any_day(calendar, lots, other)
    status = np.array([BOOKING["New"], BOOKING["Dismissed"], BOOKING["Accepted"]])[lots.below("book", other, 3)]
    rows = records.bookings
    _written(
        rows,
        lots,
        "booking",
        customer=np.concatenate(
            [records.jobs.seen("customer")[job], lots.below("books", other, len(records.customers))]
        ),
        job=np.concatenate([job, np.full(other, -1)]),
        status=np.concatenate([np.full(len(job), BOOKING["Converted"]), status]),
        created=np.concatenate([made - 15 * TICKS_A_MINUTE, when]),
        modified=np.concatenate([made, when + 30 * TICKS_A_MINUTE]),
    )
    booked = np.full(len(records.jobs), -1)
    led = np.flatnonzero(rows.seen("job") >= 0)
    booked[rows.seen("job")[led]] = led
    records.jobs.set("booking", booked)


def _any_day(calendar: Calendar, lots: Lots, count: int) -> Column:
    age = YOUNGEST + lots.below(f"age {count}", count, OLDEST - YOUNGEST)
    return calendar.openings[age] + lots.below(f"minute {count}", count, 600) * TICKS_A_MINUTE + age * 7


def _written(rows: Rows[Any], lots: Lots, word: str, **columns: Column) -> None:
    order = np.argsort(columns["created"], kind="stable")
    draws = lots.draws(word, len(order))
    active = (lots.chance(f"{word} stays", len(order)) > 0.03).astype(np.int64)
    rows.extend(draw=draws, active=active, **{name: values[order] for name, values in columns.items()})
