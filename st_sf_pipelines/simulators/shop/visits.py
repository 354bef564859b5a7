"""Appointments, who is sent to them, and the notes of cancellation: all follow from how the jobs stand."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np

from . import shapes, words
from .stamps import TICKS_A_DAY, TICKS_A_MINUTE

if TYPE_CHECKING:
    from .calendar import Calendar
    from .lots import Column, Lots
    from .records import Records

QUARTER, HOUR = 15 * TICKS_A_MINUTE, 60 * TICKS_A_MINUTE
JOB = {name: place for place, name in enumerate(shapes.JOB_STATUSES)}
AT = {name: place for place, name in enumerate(shapes.APPOINTMENT_STATUSES)}
SENT = {name: place for place, name in enumerate(shapes.ASSIGNMENT_STATUSES)}

# How the last appointment of a job stands, and how a technician stands who is sent to an appointment.
LAST = {"Scheduled": "Scheduled", "Dispatched": "Dispatched", "InProgress": "Working", "Hold": "Hold",
        "Completed": "Done", "Canceled": "Canceled"}  # fmt: skip
GOES = {"Scheduled": "Scheduled", "Dispatched": "Dispatched", "Working": "Working", "Hold": "Scheduled",
        "Done": "Done", "Canceled": "Scheduled"}  # fmt: skip


def fill(records: Records, calendar: Calendar, lots: Lots, appointments: int) -> None:
    """Write so many appointments, at least one for each job, with their technicians, and the canceled jobs' logs."""
    jobs = records.jobs
    if not len(jobs):
        return
    status = jobs.seen("status")
    starts = _last_starts(records, calendar, lots)
    # A job that goes on was touched when its visit began.
    under_way = (status == JOB["InProgress"]) | (status == JOB["Hold"])
    modified = np.where(under_way, np.maximum(jobs.seen("modified"), starts), jobs.seen("modified"))
    jobs.set("modified", modified)
    _appointments(records, calendar, lots, _counts(lots, len(jobs), appointments), starts)
    _assignments(records, calendar, lots)
    canceled = np.flatnonzero(status == JOB["Canceled"])
    canceled = canceled[np.argsort(modified[canceled], kind="stable")]
    draws = lots.draws("reason", len(canceled))
    records.canceled.extend(job=canceled, draw=draws, created=modified[canceled])


def _counts(lots: Lots, jobs: int, appointments: int) -> Column:
    counts = np.full(jobs, max(appointments // jobs, 1), dtype=np.int64)
    again = lots.some("return visit", np.arange(jobs), appointments - int(counts.sum()))
    counts[again] += 1
    return counts


def _last_starts(records: Records, calendar: Calendar, lots: Lots) -> Column:
    """Tell when the last visit of each job begins: to come, today, under way, or as it was done or planned."""
    jobs = records.jobs
    count, created, completed, status = len(jobs), *map(jobs.seen, ("created", "completed", "status"))
    minutes = lots.below("minutes", count, 9 * 60) * TICKS_A_MINUTE
    days = (1 + lots.below("days", count, 9)) * TICKS_A_DAY
    under_way = np.minimum(created + days // 4, calendar.anchor - HOUR - minutes // 4)
    begins: Column = np.choose(
        status,
        [
            calendar.opening(0) + days + minutes,
            calendar.opening(0) + minutes,
            under_way,
            under_way,
            completed - HOUR - minutes // 6,
            created + days + minutes,
        ],
    )
    begins -= begins % QUARTER
    return np.maximum(begins, created).astype(np.int64)


def _appointments(records: Records, calendar: Calendar, lots: Lots, counts: Column, starts: Column) -> None:
    jobs, total = records.jobs, int(counts.sum())
    job = np.repeat(np.arange(len(jobs)), counts)
    ends = np.cumsum(counts)
    records.first_appointment = array("q", [0, *ends.tolist()])
    nth = np.arange(total) - np.repeat(ends - counts, counts)
    last = nth == counts[job] - 1
    made, changed = jobs.seen("created")[job], jobs.seen("modified")[job]
    # Earlier visits lie evenly between the making of the job and its last visit; the next one is made when one ends.
    done = np.minimum(starts[job], calendar.anchor - HOUR)
    earlier = made + np.maximum(done - made, 0) * (nth + 1) // (counts[job] + 1)
    earlier -= np.minimum(earlier % QUARTER, np.maximum(earlier - made, 0))
    start = np.where(last, starts[job], earlier)
    created = np.where(nth == 0, made, np.minimum(earlier, changed))
    closed = np.minimum(earlier + HOUR, changed)
    records.appointments.extend(
        job=job,
        status=np.where(
            last, np.array([AT[LAST[name]] for name in shapes.JOB_STATUSES])[jobs.seen("status")[job]], AT["Done"]
        ),
        start=start,
        minutes=60 + 30 * lots.below("length", total, 7),
        created=created,
        modified=np.maximum(np.where(last, changed, closed), created),
    )


def _assignments(records: Records, calendar: Calendar, lots: Lots) -> None:
    visits = records.appointments
    count, status, job = len(visits), visits.seen("status"), visits.seen("job")
    chance = lots.chance("sent", count)
    one = np.flatnonzero((status != AT["Canceled"]) & (chance > 0.05))
    two = np.flatnonzero((status != AT["Canceled"]) & (chance > 0.88))
    appointment = np.sort(np.concatenate([one, two]), kind="stable")
    second = np.append(False, appointment[1:] == appointment[:-1])
    # The same people come again to a job; the last technician of the list has left.
    technician = (job[appointment] * 5 + second * 3) % (words.TECHNICIANS - 1)
    created = np.minimum(visits.seen("created")[appointment] + 20 * TICKS_A_MINUTE, calendar.anchor - TICKS_A_MINUTE)
    goes = np.array([SENT[GOES[name]] for name in shapes.APPOINTMENT_STATUSES])
    records.assignments.extend(
        appointment=appointment,
        technician=technician,
        status=goes[status[appointment]],
        created=created,
        modified=np.maximum(created, visits.seen("modified")[appointment]),
        active=(lots.chance("stays", len(appointment)) > 0.02).astype(np.int64),
    )
