"""What is listed beside the moves: units that nobody mapped, install jobs and estimates that no deal has."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from st_sf_pipelines.rules.pipelines import INSTALL, pipeline_of_unit
from st_sf_pipelines.rules.shares import owners

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from st_sf_pipelines.rules.desk import Desk


def list_units(desk: Desk) -> None:
    """A unit that is not in the table is reported as unmapped until somebody maps it."""
    for job in desk.facts.jobs:
        is_recent = job.stands and desk.as_of.is_within(job.created_at, desk.rules.opportunity_window_days)
        of_deal = any(deal.is_open and job.id in deal.job_ids for deal in desk.deals.values())
        pipeline, is_mapped = pipeline_of_unit(job.unit, desk.rules.business_units)
        if (is_recent or of_deal) and not is_mapped:
            what = f"nobody mapped the business unit {job.unit!r}" if job.unit else "it has no business unit"
            desk.hold(None, "CRM-1", f"{what}; it counts as {pipeline}", (job,))


def list_install_jobs(desk: Desk) -> None:
    """A recent install job that neither has an opportunity nor is held for one is listed: it opens none."""
    named = {name for held in desk.held for name in held.records}
    for job in desk.free_jobs(INSTALL):
        is_recent = desk.as_of.is_within(job.created_at, desk.rules.opportunity_window_days)
        if is_recent and job.name not in named:
            why = "it was created before the last close" if desk.facts.active else "the customer is inactive"
            desk.hold(None, "CRM-8", f"the install job opens no opportunity: {why}", (job,))


def list_strays(desk: Desk) -> None:
    """An estimate that was touched in the last 14 days and has no opportunity is listed: it moves nothing."""
    has_deal = owners(desk.facts, desk.in_order)
    for estimate in desk.facts.estimates:
        is_recent = desk.as_of.is_within(estimate.modified_at, desk.rules.opportunity_window_days)
        known = estimate.id in has_deal or estimate.job_id in desk.facts.taken
        if known or not is_recent or estimate.status == "dismissed":
            continue
        if estimate.job_id is None:
            why = "names no job"
        elif estimate.job_id in desk.facts.lapsed:
            why = "is of a job whose opportunity was lost, and stayed with another customer"
        else:
            why = "is of a job without an opportunity, and the customer has no opportunity from before it"
        desk.hold(None, "CRM-3", f"the estimate {why}", (estimate,))


def listed_until(desk: Desk) -> Iterator[date]:
    """Give the days on which what is listed for being recent is recent no more."""
    window, tomorrow = desk.rules.opportunity_window_days, desk.as_of.today + timedelta(days=1)
    instants = {job.name: job.created_at for job in desk.facts.jobs}
    instants |= {estimate.name: estimate.modified_at for estimate in desk.facts.estimates}
    for instant in (instants[name] for held in desk.held if held.deal is None for name in held.records):
        if desk.as_of.is_within(instant, window):
            # One that only an outage has made recent is so no more in the next round.
            yield max(desk.as_of.day(instant) + timedelta(days=window + 1), tomorrow)
