"""What the rules of deals see: one subject's jobs, estimates and leads, as ServiceTitan tells them, and the moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

CANCELED = "canceled"
BEGINNINGS = frozenset({"open", "scheduled"})
"""How records stand when they are created."""


@dataclass(frozen=True, slots=True)
class Record:
    """What every record has. Statuses are folded: lower case, no spaces. Instants are aware and UTC."""

    id: int
    status: str
    created_at: datetime
    modified_at: datetime

    @property
    def name(self) -> str:
        """The record as moves name it: 'estimate 52'."""
        return f"{type(self).__name__.lower()} {self.id}"

    @property
    def fact(self) -> str:
        """The record as it stands: 'estimate 52 open'."""
        return f"{self.name} {self.status}"

    @property
    def changed_at(self) -> datetime:
        """When its status last changed, as far as ServiceTitan tells: when it was last touched."""
        return self.modified_at

    @property
    def fact_at(self) -> datetime:
        """Since when it stands as it does: one that stands as records begin, since it was created."""
        return self.created_at if self.status in BEGINNINGS else self.changed_at

    @property
    def age(self) -> tuple[datetime, int]:
        """What records are put in order by, the oldest first."""
        return self.created_at, self.id


@dataclass(frozen=True, slots=True)
class Appointment(Record):
    """A visit of a job: scheduled, dispatched, working, hold, done or canceled."""


@dataclass(frozen=True, slots=True)
class Job(Record):
    """A job with its visits: scheduled, dispatched, inprogress, hold, completed or canceled (deleted is canceled).

    `unit` is its business unit's name, `technicians` those on their way or at work, the last one sent first.
    """

    customer_id: int
    unit: str | None = None
    number: str | None = None
    completed_at: datetime | None = None
    total_cents: int | None = None
    created_from_estimate_id: int | None = None
    sold_by: int | None = None
    campaign_id: int | None = None
    technicians: tuple[int, ...] = ()
    appointments: tuple[Appointment, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether it is not canceled."""
        return self.status != CANCELED

    @property
    def changed_at(self) -> datetime:
        """When it was completed; otherwise when it was last touched."""
        return (self.completed_at if self.status == "completed" else None) or self.modified_at


@dataclass(frozen=True, slots=True)
class Estimate(Record):
    """An estimate: open, sold or dismissed; its value is subtotal and tax in whole cents."""

    job_id: int | None = None
    label: str | None = None
    value_cents: int = 0
    sold_on: datetime | None = None
    sold_by: int | None = None

    @property
    def sold_at(self) -> datetime:
        """When it was sold; where ServiceTitan does not say, when it was last touched."""
        return self.sold_on or self.modified_at

    @property
    def changed_at(self) -> datetime:
        """When it was sold; otherwise when it was last touched."""
        return self.sold_at if self.status == "sold" else self.modified_at


@dataclass(frozen=True, slots=True)
class Lead(Record):
    """A lead: open, converted or dismissed (deleted is dismissed)."""

    campaign_id: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """One subject: a customer with its records and those of the customers merged into it, or a lead without a customer.

    A lead without a customer has the subject -lead_id. Records stand in order of age. `followed` are the jobs of its
    open and won deals that another customer has now: they move those deals, open none, and their estimates stand among
    the others. `taken` are those of its own jobs that an open or won deal of another subject has, `lapsed` those that a
    lost one has. `last_number` is the highest number that a deal opened for this subject has had, `contact` the type of
    the CRM contact that it has already.
    """

    subject: int
    name: str | None
    active: bool = True
    jobs: tuple[Job, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    leads: tuple[Lead, ...] = ()
    followed: tuple[Job, ...] = ()
    taken: frozenset[int] = frozenset()
    lapsed: frozenset[int] = frozenset()
    last_number: int = 0
    contact: Literal["customer", "lead"] | None = None

    @property
    def called(self) -> str:
        """The name in titles, never empty."""
        fallback = f"Customer st_{self.subject}" if self.subject > 0 else f"Lead lead_{-self.subject}"
        return (self.name or "").strip() or fallback

    def there_at(self, instant: datetime) -> frozenset[str]:
        """Every fact that was there at an instant, in words such as 'estimate 52 open'."""
        jobs = (*self.jobs, *self.followed)
        visits = (visit for job in jobs for visit in job.appointments)
        records = (*jobs, *visits, *self.estimates, *self.leads)
        return frozenset(record.fact for record in records if record.fact_at <= instant)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one deal rests on: its lead, the job that it is tied to, and its estimates in order of age."""

    lead: Lead | None = None
    job: Job | None = None
    estimates: tuple[Estimate, ...] = ()

    def offers(self, status: str) -> tuple[Estimate, ...]:
        """Give its estimates that stand at a status."""
        return tuple(estimate for estimate in self.estimates if estimate.status == status)

    def valued(self, status: str) -> tuple[Estimate, ...]:
        """Give those of them that have a value above 0."""
        return tuple(estimate for estimate in self.offers(status) if estimate.value_cents > 0)


@dataclass(frozen=True, slots=True)
class AsOf:
    """The moment that the rules are evaluated for, the tenant's zone, and the day of the last good round."""

    at: datetime
    zone: ZoneInfo
    last_good_on: date | None = None

    @property
    def today(self) -> date:
        """The tenant's own day."""
        return self.day(self.at)

    def day(self, instant: datetime) -> date:
        """Give the tenant's own calendar day at an instant."""
        return instant.astimezone(self.zone).date()

    def days_since(self, instant: datetime) -> int:
        """Count the whole days between two calendar days in the tenant's zone."""
        return (self.today - self.day(instant)).days

    def is_within(self, instant: datetime, days: int | Literal["all"]) -> bool:
        """In the last N days is a local calendar age of at most N; the windows reach back to the last good round."""
        if days == "all":
            return True
        outage = (self.today - self.last_good_on).days if self.last_good_on else 0
        return self.days_since(instant) <= max(days, outage)


def before(facts: Facts, instant: datetime) -> Facts:
    """Cut what is dated after an instant: a record, a completion, a sale; all else stands as it does today (SEG-6)."""
    return replace(
        facts,
        jobs=tuple(_job_before(job, instant) for job in facts.jobs if job.created_at <= instant),
        followed=tuple(_job_before(job, instant) for job in facts.followed if job.created_at <= instant),
        estimates=tuple(
            replace(estimate, status="open", sold_on=None, sold_by=None)
            if estimate.status == "sold" and estimate.sold_on and estimate.sold_on > instant
            else estimate
            for estimate in facts.estimates
            if estimate.created_at <= instant
        ),
        leads=tuple(lead for lead in facts.leads if lead.created_at <= instant),
    )


def _job_before(job: Job, instant: datetime) -> Job:
    job = replace(job, appointments=tuple(visit for visit in job.appointments if visit.created_at <= instant))
    if job.status == "completed" and job.completed_at and job.completed_at > instant:
        return replace(job, status="scheduled", completed_at=None)
    return job
