"""How a deal goes through Install: which one an install job belongs to, and how its status moves it (CRM-5, CRM-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from st_sf_pipelines.rules.pipelines import INSTALL, INSTALL_STAGES, SALES, estimate_sold, trade
from st_sf_pipelines.rules.shares import owners
from st_sf_pipelines.rules.titles import installing

if TYPE_CHECKING:
    from st_sf_pipelines.rules.deals import Deal
    from st_sf_pipelines.rules.desk import Desk
    from st_sf_pipelines.rules.facts import Job


def install_jobs(desk: Desk) -> None:
    """A job in an install unit that stands moves the opportunity that it belongs to from Sales to Install.

    It goes to Estimate Approved, 'NAME - Install Job #NUMBER - $1,234.56', now tied to that job. Won stays won; one
    that was not sold stays open until Job Completed. With one open in Install already the job is listed. A job whose
    unit became an install unit under its opportunity moves that one.
    """
    for deal in desk.in_order:
        if (own := _own_install_job(desk, deal)) and not (deal.is_open and desk.open_in(INSTALL)):
            _to_install(desk, deal, own)
    for job in desk.free_jobs(INSTALL):
        claims = claimant(desk, job)
        if claims is None:
            running = desk.open_in(INSTALL)
            if running and job.created_at >= running.since_at:
                desk.hold(running, "CRM-5", "another install job has the open opportunity", (job,))
        elif claims.pipeline == SALES:
            _to_install(desk, claims, job)
    for deal in desk.in_order:
        _title(desk, deal)


def _own_install_job(desk: Desk, deal: Deal) -> Job | None:
    """Give the job of an opportunity in Sales if it stands and is an install job: its unit was mapped, or corrected."""
    job = desk.job_of(deal) if deal.pipeline == SALES and deal.status != "lost" else None
    return job if job and job.stands and desk.pipeline_of(job) == INSTALL else None


def _to_install(desk: Desk, deal: Deal, job: Job) -> None:
    label = installing(job, deal.value_cents)
    desk.move(deal, "estimate-approved", "CRM-5", (job,), label=label, **_tied(deal, job))


def claimant(desk: Desk, job: Job) -> Deal | None:
    """Give the opportunity that an install job without one belongs to, None if it is to open its own.

    The job is created at or after the opportunity's first job (or lead). Of the won opportunities without an install
    job that stands: the one whose estimate made it, else one of the same trade, else the oldest; with none won, the
    open one that lost its install job, else the one open in Sales, unless one is open in Install already.
    """
    won = [deal for deal in desk.in_order if deal.status == "won" and _waits_for(desk, deal, job)]
    if won:
        maker = owners(desk.facts, desk.in_order).get(job.created_from_estimate_id or 0)
        by_estimate = (deal for deal in won if deal.key == maker)
        by_trade = (deal for deal in won if _trade(desk, deal) == trade(job.unit))
        return next(by_estimate, None) or next(by_trade, None) or won[0]
    candidate = desk.open_in(INSTALL) or desk.open_in(SALES)
    return candidate if candidate and _waits_for(desk, candidate, job) else None


def _waits_for(desk: Desk, deal: Deal, job: Job) -> bool:
    if deal.pipeline == SALES:
        return deal.since_at <= job.created_at
    current = desk.job_of(deal)
    return current is not None and not current.stands and job.age > current.age


def _trade(desk: Desk, deal: Deal) -> str | None:
    job = desk.job_of(deal)
    return trade(job.unit) if job else None


def successor(desk: Desk, deal: Deal, canceled: Job) -> Job | None:
    """Give the next job that stands in a deal's pipeline after its canceled one; None if there is none."""
    return next((job for job in desk.free_jobs(deal.pipeline) if job.age > canceled.age), None)


def job_status(desk: Desk) -> None:
    """The install job's status sets the Install stage; In Progress and On Hold may alternate, nothing else moves back.

    A canceled install job: no move; the next install job that stands takes its place, and goes forward only. One that
    was not sold stays open until Job Completed, which wins it.
    """
    for deal in desk.in_order:
        job = desk.job_of(deal)
        if deal.pipeline != INSTALL or deal.status == "lost" or job is None:
            continue
        if not job.stands:
            _replace_job(desk, deal)
        else:
            _follow(desk, deal, job)


def _replace_job(desk: Desk, deal: Deal) -> None:
    for job in desk.free_jobs(INSTALL):
        owner = claimant(desk, job)
        if owner and owner.key == deal.key:
            _title(desk, desk.write(deal, **_tied(deal, job)))
            return


def _follow(desk: Desk, deal: Deal, job: Job) -> None:
    seen = desk.seen(deal)
    for stage in INSTALL_STAGES:
        # Once it is in Install, that its job was created leads nowhere.
        because = stage.when(seen) if stage.when and stage.order > 1 else ()
        if not because:
            continue
        done = job.completed_at or job.modified_at
        fields: dict[str, object] = {"status": "won", "closed_at": done} if stage.closes and deal.is_open else {}
        if stage.closes and not estimate_sold(seen):
            fields["close_on"] = desk.as_of.day(done)
        if stage.slug == deal.stage:
            desk.write(deal, **fields)  # completed again: on another day
        else:
            desk.move(deal, stage.slug, "CRM-6", because, **fields)


def _tied(deal: Deal, job: Job) -> dict[str, object]:
    job_ids = deal.job_ids if job.id in deal.job_ids else (*deal.job_ids, job.id)
    return {"job_id": job.id, "job_ids": job_ids, "canceled_at": None}


def _title(desk: Desk, deal: Deal) -> None:
    """Write the title again when number or value changes: its value, else the job's total, which then is its value.

    A total that is gone, or not above 0, leaves it without a value, as if it had never had one: $0.00.
    """
    job = desk.job_of(deal)
    if deal.pipeline != INSTALL or deal.status == "lost" or job is None:
        return
    if deal.valued_by == "job" or not deal.value_cents:
        total = max(job.total_cents or 0, 0) or None
        deal = desk.write(deal, value_cents=total, valued_by="job" if total else None)
    desk.write(deal, label=installing(job, deal.value_cents))
