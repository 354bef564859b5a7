"""How a deal goes through Sales: appointments, estimates, sold or lost (CRM-2 to CRM-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from st_sf_pipelines.rules.desk import stage_order
from st_sf_pipelines.rules.installing import successor
from st_sf_pipelines.rules.pipelines import (
    SALES,
    STAGE,
    appointment_booked,
    estimate_open,
    estimate_sold,
    estimates_dismissed,
)
from st_sf_pipelines.rules.titles import offered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from st_sf_pipelines.rules.deals import Deal
    from st_sf_pipelines.rules.desk import Desk
    from st_sf_pipelines.rules.facts import Estimate, Job


def appointments(desk: Desk) -> None:
    """An opportunity in New Lead or Contacted whose job has an appointment Scheduled or Dispatched moves on.

    An open opportunity whose job was canceled takes the customer's next job that stands; none for 30 days: lost, in
    its stage.
    """
    for deal in desk.in_order:
        job = desk.job_of(deal)
        if not deal.is_open or job is None:
            continue
        if not job.stands:
            _without_job(desk, deal, job)
            continue
        deal = desk.write(deal, canceled_at=None)  # noqa: PLW2901 - the same deal, written
        if deal.stage in {"new-lead", "contacted"} and (booked := appointment_booked(desk.seen(deal))):
            desk.move(deal, "appointment-scheduled", "CRM-2", booked)


def _without_job(desk: Desk, deal: Deal, job: Job) -> None:
    following = successor(desk, deal, job)
    since = deal.canceled_at or job.modified_at
    if following and deal.pipeline == SALES:
        job_ids = (*deal.job_ids, following.id)
        desk.write(deal, job_id=following.id, job_ids=job_ids, canceled_at=None)
    elif following is None and desk.as_of.days_since(since) >= desk.rules.canceled_days:
        desk.close(deal, "lost", "CRM-2", (job,), since, canceled_at=since, lost_reason="canceled")
    else:
        desk.write(deal, canceled_at=since)


def estimates(desk: Desk) -> None:
    """An open estimate with a value moves it to Proposal Sent, and writes the title and the value.

    Several open estimates: the newest gives name and value. Title and value are written also while it is in a stage set
    by hand.
    """
    for deal in desk.in_order:
        if not deal.is_open or deal.pipeline != SALES:
            continue
        seen = desk.seen(deal)
        _list_worthless(desk, deal, seen.offers("open"), "CRM-3")
        if valued := estimate_open(seen):
            newest = seen.valued("open")[-1]
            deal = desk.write(  # noqa: PLW2901 - the same deal, written
                deal,
                label=offered(newest, newest.value_cents),
                value_cents=newest.value_cents,
                valued_by="estimate",
                estimate_id=newest.id,
            )
            if stage_order(deal) < STAGE["proposal-sent"].order:
                desk.move(deal, "proposal-sent", "CRM-3", valued)


def _list_worthless(desk: Desk, deal: Deal, offers: Iterable[Estimate], rule: str) -> None:
    for offer in offers:
        if offer.value_cents <= 0:
            desk.hold(deal, rule, "the estimate has no value above 0", (offer,))


def sold_or_lost(desk: Desk) -> None:
    """An estimate Sold moves it to Job Sold, status won, its value the sum of its sold estimates.

    One without a value above 0 moves nothing, and is listed. Unselling does not take it back, and a won one is never
    lost again. A sale when already in Install keeps stage and title, wins it, and sets the value. Then: at least one of
    its estimates dismissed, none open or sold: Estimate Lost, status lost; title and value stay.
    """
    for deal in desk.in_order:
        if deal.status == "lost":
            continue
        seen = desk.seen(deal)
        _list_worthless(desk, deal, seen.offers("sold"), "CRM-4")
        if sold := estimate_sold(seen):
            _win(desk, deal, seen.valued("sold"))
        elif deal.is_open and deal.pipeline == SALES and (dismissed := estimates_dismissed(seen)):
            at = max(each.modified_at for each in seen.offers("dismissed"))
            fields = {"closed_at": at, "close_on": desk.as_of.day(at), "lost_reason": "dismissed"}
            desk.move(deal, "estimate-lost", "CRM-4", dismissed, status="lost", **fields)
        if deal.status == "won":
            _list_unsold(desk, deal, {each.fact for each in sold})


def _win(desk: Desk, deal: Deal, sold: tuple[Estimate, ...]) -> None:
    newest = max(sold, key=lambda each: (each.sold_at, each.age))
    total = sum(each.value_cents for each in sold)
    fields = {"value_cents": total, "valued_by": "estimate", "estimate_id": newest.id}
    fields |= {"close_on": desk.as_of.day(newest.sold_at)}
    if deal.pipeline == SALES:
        fields |= {"label": offered(newest, total)}
    first = min(each.sold_at for each in sold)
    if deal.status == "won":
        desk.write(deal, **fields)
    elif deal.pipeline == SALES:
        desk.move(deal, "job-sold", "CRM-4", sold, status="won", closed_at=first, **fields)
    else:
        desk.close(deal, "won", "CRM-4", sold, first, **fields)


def _list_unsold(desk: Desk, deal: Deal, sold: set[str]) -> None:
    was_sold = [each for each in desk.facts.estimates if f"{each.name} sold" in deal.told and each.fact not in sold]
    if unsold := [each for each in was_sold if each.status != "sold"]:
        desk.hold(deal, "CRM-4", "it was sold and is no more; a won opportunity stays won", unsold)
