"""What opens a deal: a recent job, an open lead, an estimate after a loss (CRM-1, Leads, CRM-8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from st_sf_pipelines.rules.installing import claimant
from st_sf_pipelines.rules.pipelines import INSTALL, SALES
from st_sf_pipelines.rules.shares import owners
from st_sf_pipelines.rules.titles import QUALIFYING, installing, offered

if TYPE_CHECKING:
    from datetime import datetime

    from st_sf_pipelines.rules.deals import Deal
    from st_sf_pipelines.rules.desk import Desk
    from st_sf_pipelines.rules.facts import Estimate, Job


def new_customers(desk: Desk) -> None:
    """An active customer with a job created in the last 14 days and no open opportunity in that job's pipeline.

    It gets one, tied to the oldest such job that has an estimate open or sold, else to the newest, in Contacted; if
    that is an install job, in Install at Estimate Approved. Where both kinds qualify at once, the Sales-pipeline job
    opens, and an install job that CRM-5 does not claim opens its own at the next look. After a close in its pipeline
    only a job created since opens the next one (CRM-8).
    """
    if not desk.facts.active:
        return
    offered_on = {each.job_id for each in desk.facts.estimates if each.status in {"open", "sold"}}
    for pipeline, stage in ((SALES, "contacted"), (INSTALL, "estimate-approved")):
        jobs = [job for job in desk.free_jobs(pipeline) if _opens(desk, job, pipeline)]
        if not jobs or desk.open_in(pipeline):
            continue
        job = next((job for job in jobs if job.id in offered_on), jobs[-1])
        label = QUALIFYING if pipeline == SALES else installing(job, job.total_cents)
        desk.open(stage, label, "CRM-1", job, job_id=job.id, job_ids=(job.id,))
        return


def _opens(desk: Desk, job: Job, pipeline: str) -> bool:
    return (
        desk.as_of.is_within(job.created_at, desk.rules.opportunity_window_days)
        and all(job.created_at > at for at in _closes(desk, pipeline, job.created_at))
        and (pipeline == SALES or claimant(desk, job) is None)
    )


def _closes(desk: Desk, pipeline: str, at: datetime) -> list[datetime]:
    """Give the closes that what was created at an instant has to come after: those in its pipeline.

    An install job that was created while an opportunity was under way in Sales was that one's to claim.
    """
    return [
        deal.closed_at
        for deal in desk.deals.values()
        if deal.closed_at and deal.lost_reason != "merged"
        if (where := _closed_in(desk, deal, deal.closed_at)) == pipeline or (where == SALES and at >= deal.since_at)
    ]


def _closed_in(desk: Desk, deal: Deal, closed_at: datetime) -> str:
    """Give the pipeline in which a deal was closed: one that was sold before it had an install job, in Sales."""
    first = next((job for job in desk.jobs_of(deal) if desk.pipeline_of(job) == INSTALL), None)
    return SALES if first and first.created_at > closed_at else deal.pipeline


def leads(desk: Desk) -> None:
    """An open lead of the last 14 days whose customer has no job created since it: an opportunity in New Lead.

    The customer's first job since then takes it over, in Contacted. The lead dismissed, and still no job: status lost,
    in New Lead.
    """
    for deal in desk.in_order:
        if deal.is_open and deal.lead_id is not None and (deal.job_id is None or deal.stage == "new-lead"):
            _go_on(desk, deal)
    known = {deal.lead_id for deal in desk.deals.values()}
    for lead in desk.facts.leads:
        has_job = any(job.stands and job.created_at >= lead.created_at for job in desk.facts.jobs)
        is_recent = desk.as_of.is_within(lead.created_at, desk.rules.opportunity_window_days)
        if lead.status == "open" and is_recent and not has_job and lead.id not in known and not desk.open_in(SALES):
            # What was made or sold before the last close counts for what it closed.
            since_at = max([lead.created_at, *_closes(desk, SALES, lead.created_at)])
            desk.open("new-lead", QUALIFYING, "Leads", lead, lead_id=lead.id, since_at=since_at)


def _go_on(desk: Desk, deal: Deal) -> None:
    job = desk.job_of(deal) or next((job for job in desk.free_jobs(SALES) if job.created_at >= deal.since_at), None)
    lead = desk.seen(deal).lead
    if job and job.stands:
        if deal.job_id is None:
            deal = desk.write(deal, job_id=job.id, job_ids=(*deal.job_ids, job.id))
        if deal.stage == "new-lead":
            desk.move(deal, "contacted", "Leads", (job,))
    elif deal.job_id is None and lead and lead.status == "dismissed":
        desk.close(deal, "lost", "Leads", (lead,), lead.modified_at, lost_reason="lead dismissed")


def after_loss(desk: Desk) -> None:
    """An estimate with a value made or sold after a loss opens one straight in Proposal Sent or Job Sold.

    It has that estimate's title, job and value. While an opportunity is open in Sales, an open estimate opens none.
    """
    for estimate in desk.facts.estimates:
        lost = desk.deals.get(owners(desk.facts, desk.in_order).get(estimate.id, ""))
        if lost is None or lost.status != "lost" or estimate.status not in {"open", "sold"}:
            continue
        if any(job.id == estimate.job_id for job in desk.facts.followed):
            desk.hold(lost, "CRM-8", "the estimate's job is another customer's now", (estimate,))
        elif not _is_after(desk, estimate, lost):
            desk.hold(lost, "CRM-8", "the opportunity was lost since, and a lost one stays lost", (estimate,))
        elif estimate.value_cents <= 0:
            desk.hold(lost, "CRM-8", "the estimate has no value above 0", (estimate,))
        elif estimate.status == "open" and desk.open_in(SALES):
            desk.hold(lost, "CRM-8", "another opportunity is open in Sales", (estimate,))
        else:
            _open_straight(desk, estimate, lost)


def _is_after(desk: Desk, estimate: Estimate, lost: Deal) -> bool:
    """Tell whether it was made or sold after the loss.

    Without a job the loss comes when the days are over: one that is merely made until then was there when it was lost.
    """
    if lost.closed_at is None:
        return False
    days = desk.rules.canceled_days if lost.lost_reason == "canceled" and estimate.status == "open" else 0
    is_over = (desk.as_of.day(estimate.created_at) - desk.as_of.day(lost.closed_at)).days >= days
    is_sold = estimate.status == "sold" and estimate.sold_at > lost.closed_at
    return is_sold or (estimate.created_at > lost.closed_at and is_over)


def _open_straight(desk: Desk, estimate: Estimate, lost: Deal) -> None:
    job = desk.job(estimate.job_id)
    fields: dict[str, Any] = {
        "estimate_id": estimate.id,
        "value_cents": estimate.value_cents,
        "valued_by": "estimate",
        "job_id": estimate.job_id,
        "job_ids": (estimate.job_id,),
        "since_at": max(job.created_at if job else estimate.created_at, lost.since_at),
        # The days without a job begin again: it was canceled before there was this opportunity.
        "canceled_at": None if job is None or job.stands else max(job.modified_at, estimate.created_at),
    }
    if estimate.status == "sold":
        day = desk.as_of.day(estimate.sold_at)
        fields |= {"status": "won", "closed_at": estimate.sold_at, "close_on": day}
    stage = "job-sold" if estimate.status == "sold" else "proposal-sent"
    desk.open(stage, offered(estimate, estimate.value_cents), "CRM-8", estimate, **fields)
