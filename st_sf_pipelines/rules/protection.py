"""What an automatic step may not do to a deal, and the reason in words (CRM-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from st_sf_pipelines.rules.pipelines import ALTERNATING, STAGE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from st_sf_pipelines.rules.deals import Deal
    from st_sf_pipelines.rules.facts import Record

PINNED = "a person has pinned it"


def refusal(deal: Deal, pipeline: str, stage: str, because: Iterable[Record]) -> str | None:
    """Give the reason why a deal may not move to a stage because of some records; None if it may.

    An opportunity that a person has pinned is left alone. Nothing ever moves backward from Job Sold or Estimate Lost,
    and no automatic step moves an opportunity to an earlier stage of its pipeline; In Progress and On Hold may
    alternate. A stage set by hand stays until a fact that was not there when it was set leads to a later stage: from On
    Hold set by hand nothing leads to In Progress.
    """
    here, there = STAGE[deal.stage], STAGE[stage]
    alternates = deal.hand_stage is None and {here.slug, there.slug} <= ALTERNATING
    if deal.pinned:
        return PINNED
    if pipeline == deal.pipeline:
        if here.protected:
            return f"nothing moves on from {here.name}"
        if there.order < here.order and not alternates:
            return f"it stands in {here.name}, and {there.name} is an earlier stage"
    if deal.hand_stage and all(record.fact in deal.hand_facts for record in because):
        return f"a person set {here.name}, and nothing that leads to {there.name} is new since"
    return None
