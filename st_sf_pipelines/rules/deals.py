"""A deal (the CRM's and Salesforce's opportunity) as it is kept, and what one look at its subject concludes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from datetime import date, datetime

Status = Literal["open", "won", "lost"]


class Place(NamedTuple):
    """Where a deal stands."""

    pipeline: str
    stage: str
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """One deal; every field is a column. Instants are aware and UTC, money is whole cents.

    It belongs to `subject`, and was opened for the customer `opened_for` as its `number`-th; they differ after a merge.
    """

    subject: int
    opened_for: int
    number: int
    pipeline: str
    stage: str
    status: Status = "open"
    title: str
    label: str  # the title without the customer's name, so that a renamed customer's title follows
    value_cents: int | None = None
    valued_by: Literal["estimate", "job"] | None = None  # a value that is the job's total follows the job's total
    notes: str | None = None
    job_id: int | None = None
    job_ids: tuple[int, ...] = ()  # all that it was ever tied to: none of them opens another
    estimate_id: int | None = None
    lead_id: int | None = None
    campaign_id: int | None = None
    technician_id: int | None = None
    seller_id: int | None = None
    opened_at: datetime  # the round's moment
    since_at: datetime  # when its first job, or its lead, was created
    canceled_at: datetime | None = None  # its job's modifiedOn when we first saw it canceled
    closed_at: datetime | None = None
    close_on: date  # Salesforce's CloseDate (SF-3)
    lost_reason: Literal["canceled", "dismissed", "lead dismissed", "merged", "by hand"] | None = None
    hand_stage: str | None = None  # a stage that a person set in the CRM, until a new fact leads on from it
    hand_at: datetime | None = None
    hand_facts: tuple[str, ...] = ()  # the facts that were there then, such as 'estimate 52 open'
    pinned: bool = False
    told: tuple[str, ...] = ()  # the facts that an activity has told of: 'estimate 52 sold', 'job 43 completed'
    changes: int = 0  # how often it moved or changed hands, so that each activity has a key of its own

    @property
    def key(self) -> str:
        """Its key outside: st_CUSTOMER_N (SF-3); while its lead has no customer, lead_ID."""
        return key_of(self.opened_for, self.number)

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.pipeline, self.stage, self.status)

    @property
    def is_open(self) -> bool:
        """Whether it is neither won nor lost."""
        return self.status == "open"

    @property
    def age(self) -> tuple[datetime, datetime, int, int]:
        """What deals are put in order by, the oldest first."""
        return self.since_at, self.opened_at, self.number, self.opened_for


def key_of(opened_for: int, number: int) -> str:
    """Write a deal's key: whom it was opened for, and the how manieth of them it is."""
    return f"st_{opened_for}_{number}" if opened_for > 0 else f"lead_{-opened_for}"


@dataclass(frozen=True, slots=True)
class Move:
    """One move, as it is recorded (CRM-9): from (None: it was opened), to, by which rule, because of which records."""

    deal: str
    before: Place | None
    after: Place
    rule: str
    records: tuple[str, ...]
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """What was held back or has no deal, as it is listed with its reason (CRM-7)."""

    deal: str | None
    rule: str
    reason: str
    records: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Activity:
    """One entry of the CRM's activity log (CRM-11); its key is its own, so that a replay writes no second one."""

    key: str
    kind: Literal[
        "contact_created", "stage_changed", "assignment_changed", "estimate_sold", "job_completed", "job_canceled"
    ]
    subject: int
    deal: str | None
    title: str
    records: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Concluded:
    """What a look at one subject concludes.

    `wants_contact` is the type of the CRM contact that it has from now on, None if it needs none. `due_on` is the next
    local day on which time alone changes something.
    """

    deals: tuple[Deal, ...]
    moves: tuple[Move, ...] = ()
    held: tuple[Held, ...] = ()
    activities: tuple[Activity, ...] = ()
    wants_contact: Literal["customer", "lead"] | None = None
    due_on: date | None = None
