"""The round over one subject: the steps CRM-1 to CRM-8 in their order, repeated until none of them moves anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from st_sf_pipelines.rules.activities import activities
from st_sf_pipelines.rules.by_hand import closed_by_hand
from st_sf_pipelines.rules.deals import Concluded, Deal
from st_sf_pipelines.rules.desk import Desk
from st_sf_pipelines.rules.hands import assignees
from st_sf_pipelines.rules.installing import install_jobs, job_status
from st_sf_pipelines.rules.listing import list_install_jobs, list_strays, list_units, listed_until
from st_sf_pipelines.rules.opening import after_loss, leads, new_customers
from st_sf_pipelines.rules.selling import appointments, estimates, sold_or_lost
from st_sf_pipelines.rules.titles import listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from st_sf_pipelines.config import Pipelines
    from st_sf_pipelines.rules.facts import AsOf, Facts


@dataclass(frozen=True)
class Step:
    """One row: the rule's number, and the function that works it on a subject's deals."""

    rule: str
    work: Callable[[Desk], None]


_PASSES: Final = 1_000  # a handful is usual; each deal that is opened takes one
# fmt: off
STEPS: Final = (
    Step("CRM-7", closed_by_hand),
    Step("CRM-1", new_customers),
    Step("Leads", leads),
    Step("CRM-2", appointments),
    Step("CRM-3", estimates),
    Step("CRM-4", sold_or_lost),
    Step("CRM-5", install_jobs),
    Step("CRM-6", job_status),
    Step("CRM-8", after_loss),
    Step("CRM-1", new_customers),  # looks once more
)
# fmt: on


def fold(facts: Facts, deals_before: Iterable[Deal], as_of: AsOf, rules: Pipelines) -> Concluded:
    """Conclude a subject's deals from its facts and from the deals as they were; the same again changes nothing.

    Raise RuntimeError if the steps do not come to rest: rather a round that fails and says where than one that hangs.
    """
    desk = Desk(facts, deals_before, as_of, rules)
    known = dict(desk.deals)
    for _ in range(_PASSES):
        before = dict(desk.deals)
        desk.held.clear()
        for step in STEPS:
            step.work(desk)
        if desk.deals == before:
            break
    else:
        msg = f"the steps CRM-1 to CRM-8 do not come to rest for subject {facts.subject}"
        raise RuntimeError(msg)
    rename(desk)
    note_estimates(desk, known)
    assignees(desk)
    list_install_jobs(desk)
    list_units(desk)
    list_strays(desk)
    contact = wants_contact(desk)
    told = activities(desk, known, contact)
    return Concluded(
        deals=tuple(sorted(desk.deals.values(), key=lambda deal: (deal.opened_for, deal.number))),
        moves=tuple(desk.moves),
        held=tuple(desk.held),
        activities=tuple(told),
        wants_contact=contact,
        due_on=due_on(desk),
    )


def rename(desk: Desk) -> None:
    """A renamed customer's title follows in the same round; a lost deal's title stays."""
    for deal in desk.in_order:
        if deal.status != "lost":
            desk.write(deal)


def note_estimates(desk: Desk, known: Mapping[str, Deal]) -> None:
    """All of its estimates are listed in an opportunity's notes, by how they stand: open, sold, dismissed.

    A lost one keeps what they told when it was lost, a won one whose estimates are another customer's now what they
    told at last.
    """
    for deal in desk.in_order:
        before = known.get(deal.key)
        if before is None or before.status != "lost":
            desk.write(deal, notes=listing(desk.seen(deal)) or (None if deal.is_open else deal.notes))


def wants_contact(desk: Desk) -> Literal["customer", "lead"] | None:
    """Each active customer with a job created in the last 90 days has a CRM contact, and keeps it from then on.

    So has everybody with an opportunity; while that is a lead's, and there is no job, the contact's type is lead.
    """
    facts, days = desk.facts, desk.rules.contact_window_days
    recent = (job.stands and desk.as_of.is_within(job.created_at, days) for job in facts.jobs)
    has_job = any(deal.job_ids or deal.lead_id is None for deal in desk.deals.values())
    if facts.contact == "customer" or has_job or (facts.active and any(recent)):
        return "customer"
    return "lead" if desk.deals else facts.contact


def due_on(desk: Desk) -> date | None:
    """Give the next day on which time alone changes something: the last of a canceled job's 30, or a listing's end."""
    days = [
        desk.as_of.day(deal.canceled_at) + timedelta(days=desk.rules.canceled_days)
        for deal in desk.deals.values()
        if deal.is_open and deal.canceled_at and not deal.pinned
    ]
    return min((day for day in (*days, *listed_until(desk)) if day > desk.as_of.today), default=None)
