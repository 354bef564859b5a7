"""What a person sets in the CRM or in Salesforce, as the deals keep it (CRM-7, CRM-12)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from st_sf_pipelines.rules.deals import Deal, Held
from st_sf_pipelines.rules.pipelines import PIPELINE_OF_STAGE, STAGE

if TYPE_CHECKING:
    from datetime import datetime

    from st_sf_pipelines.rules.desk import Desk
    from st_sf_pipelines.rules.facts import Facts


def set_by_hand(deal: Deal, stage: str, at: datetime, facts: Facts) -> Deal | Held:
    """Put a deal where a person put it, with the facts that were there then; `at` is the CRM's updatedAt.

    It stays until a fact that was not there leads to a later stage; `facts` may know already what came after. What
    cannot be followed is listed instead: a stage of no pipeline or of another one, and any step away from Job Sold or
    Estimate Lost.
    """
    here = STAGE[deal.stage]
    if PIPELINE_OF_STAGE.get(stage) != deal.pipeline:
        return Held(deal.key, "CRM-7", f"a person set {stage!r}, which is no stage of its pipeline")
    if here.protected and stage != here.slug:
        return Held(deal.key, "CRM-7", f"a person set {STAGE[stage].name}, and nothing moves on from {here.name}")
    return replace(deal, stage=stage, hand_stage=stage, hand_at=at, hand_facts=tuple(sorted(facts.there_at(at))))


def closed_by_hand(desk: Desk) -> None:
    """An opportunity that a person put into a stage that closes is closed, on the day of the CRM's updatedAt.

    Also one that is pinned: the pin holds the automatic steps, and this is the person's own.
    """
    for deal in desk.in_order:
        closes = STAGE[deal.stage].closes
        if deal.is_open and deal.hand_stage == deal.stage and deal.hand_at and closes:
            reason = "by hand" if closes == "lost" else None
            desk.settle(deal, closes, "CRM-7", (), deal.hand_at, lost_reason=reason)
