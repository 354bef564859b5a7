"""Which deal each estimate counts for (CRM-3, CRM-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from st_sf_pipelines.rules.deals import Deal
    from st_sf_pipelines.rules.facts import Facts


def owners(facts: Facts, deals: Sequence[Deal]) -> dict[int, str]:
    """Give the key of the deal that each estimate counts for; those that count for none are left out.

    A deal's estimates are those of its jobs, and the customer's others created since its first job (or lead) and before
    the next deal's. An estimate made or sold while the next deal is open counts as that one's. One of a job that
    another subject's deal has stays that deal's, unless that one is lost and a deal here has the job too; one that
    names no job moves nothing. `deals` are the subject's, the oldest first.
    """
    deals = [deal for deal in deals if deal.lost_reason != "merged"]  # the older deal has all that was theirs
    of_job = {job_id: place for place, deal in enumerate(deals) for job_id in deal.job_ids}
    others = facts.taken | (facts.lapsed - of_job.keys())
    found = {}
    for estimate in facts.estimates:
        if estimate.job_id is None or estimate.job_id in others:
            continue
        place = of_job.get(estimate.job_id)
        if place is None:
            place = max((nr for nr, deal in enumerate(deals) if deal.since_at <= estimate.created_at), default=None)
        if place is None:
            continue
        place = _later(deals, place, estimate.created_at)
        if estimate.status == "sold":
            place = _later(deals, place, estimate.sold_at)
        found[estimate.id] = deals[place].key
    return found


def _later(deals: Sequence[Deal], place: int, at: datetime) -> int:
    """Give the place of the next deal that was open at an instant, if the one here was closed by then."""
    closed_at = deals[place].closed_at
    if closed_at is None or at <= closed_at:
        return place
    for later in range(place + 1, len(deals)):
        ended_at = deals[later].closed_at
        if deals[later].since_at <= at and (ended_at is None or at <= ended_at):
            return later
    return place
