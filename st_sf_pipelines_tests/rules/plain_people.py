"""What people do to deals, in the plainest way: they set a stage, merge customers, and a lead becomes a customer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.rules.facts import Estimate, Job
from st_sf_pipelines_tests.rules.plain_book import INSTALL

if TYPE_CHECKING:
    from datetime import datetime

    from st_sf_pipelines.rules.deals import Deal
    from st_sf_pipelines.rules.facts import AsOf, Facts, Record


def plain_hand(deal: Deal, stage: str, at: datetime, facts: Facts) -> Deal:
    """Have a person set a stage of the deal's own pipeline; nothing moves backward from Job Sold or Estimate Lost.

    What was there is what was made by then, and stood by then as it does now.
    """
    if deal.stage in {"job-sold", "estimate-lost"} or (stage in INSTALL) != (deal.pipeline == "install"):
        return deal
    visits = [visit for job in facts.jobs for visit in job.appointments]
    there = [
        record.fact
        for record in (*facts.jobs, *visits, *facts.estimates, *facts.leads)
        if (record.created_at if record.status in {"open", "scheduled"} else last_change(record)) <= at
    ]
    return replace(deal, stage=stage, hand_stage=stage, hand_at=at, hand_facts=tuple(there))


def last_change(record: Record) -> datetime:
    """When it was completed or sold, else when it was last touched."""
    if isinstance(record, Job) and record.status == "completed" and record.completed_at:
        return record.completed_at
    if isinstance(record, Estimate) and record.status == "sold" and record.sold_on:
        return record.sold_on
    return record.modified_at


def plain_hand_over(deals: tuple[Deal, ...], gone: int, keeper: int, as_of: AsOf) -> tuple[Deal, ...]:
    """Hand over what is open: a merged customer's keeps its key, a lead's becomes its customer's next.

    If both have one, the older stays open and takes the other's jobs; the other is closed as lost, reason merged. The
    pinned one counts as the older; if both are pinned, both stay.
    """
    number = max((deal.number for deal in deals if deal.opened_for == keeper), default=0) + 1
    key: dict[str, Any] = {"opened_for": keeper, "number": number} if gone < 0 else {}
    after = [
        replace(deal, subject=keeper, **key) if (deal.subject, deal.status) == (gone, "open") else deal
        for deal in deals
    ]
    for pipeline in ("sales", "install"):
        both = [deal for deal in after if (deal.subject, deal.pipeline, deal.status) == (keeper, pipeline, "open")]
        if len(both) > 1 and not all(deal.pinned for deal in both):
            older, other = sorted(both, key=lambda deal: (0 if deal.pinned else 1, deal.age))
            tied: dict[str, Any] = {"job_ids": (*older.job_ids, *other.job_ids), "job_id": older.job_id or other.job_id}
            after[after.index(older)] = replace(older, lead_id=older.lead_id or other.lead_id, **tied)
            lost: dict[str, Any] = {
                "status": "lost",
                "lost_reason": "merged",
                "job_ids": (),
                "subject": other.opened_for,
            }
            after[after.index(other)] = replace(other, closed_at=as_of.at, close_on=as_of.today, **lost)
    return tuple(after)
