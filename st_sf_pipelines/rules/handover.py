"""Whose the deals are after customers were merged, or after a lead's customer appeared (EXT-5, Leads)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from st_sf_pipelines.rules.deals import Deal, Move
from st_sf_pipelines.rules.pipelines import PIPELINES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from st_sf_pipelines.rules.facts import AsOf


@dataclass(frozen=True)
class HandedOver:
    """The deals by subject as they are now (oldest first), the moves made, and the keys that changed (old to new)."""

    deals: dict[int, tuple[Deal, ...]]
    moves: tuple[Move, ...]
    rekeyed: dict[str, str]


def hand_over(
    deals: Iterable[Deal], keepers: Mapping[int, int], last_numbers: Mapping[int, int], as_of: AsOf
) -> HandedOver:
    """Give each subject the deals that are its own now.

    `keepers` names who keeps a subject's records: the survivor of a merged customer, the customer of a lead (-lead_id).
    Closed opportunities stay with the customer that they were opened for, open ones move along. If both have one in a
    pipeline, the older stays open and takes the other's jobs; the other is closed as lost, reason merged. One that a
    person has pinned moves along too, as it would belong to nobody, but is never closed: it counts as the older, and
    two pinned ones both stay open. Nothing ever comes back: unmerging gives the records back, deals stay. A lead's deal
    is opened for its customer from then on, as the next number after its last (`last_numbers`). Doing it again changes
    nothing.
    """
    held: dict[int, dict[str, Deal]] = defaultdict(dict)
    numbers = dict(last_numbers)
    rekeyed: dict[str, str] = {}
    every = sorted(deals, key=lambda deal: deal.age)
    for deal in every:
        if deal.opened_for > 0:
            numbers[deal.opened_for] = max(numbers.get(deal.opened_for, 0), deal.number)
    for deal in every:
        own = _moved_along(deal, keepers, numbers)
        if own.key != deal.key:
            rekeyed[deal.key] = own.key
        held[own.subject][own.key] = own
    moves: list[Move] = []
    for subject in list(held):
        for pipeline in PIPELINES:
            moves += _join(held, subject, pipeline.slug, as_of)
    after = {subject: tuple(sorted(of.values(), key=lambda deal: deal.age)) for subject, of in held.items() if of}
    return HandedOver(after, tuple(moves), rekeyed)


def _moved_along(deal: Deal, keepers: Mapping[int, int], numbers: dict[int, int]) -> Deal:
    keeper = deal.subject
    seen = {keeper}
    while keeper in keepers and keepers[keeper] not in seen:  # a lead's customer may be merged itself
        keeper = keepers[keeper]
        seen.add(keeper)
    if keeper == deal.subject or not deal.is_open:
        return deal
    if deal.opened_for > 0:
        return replace(deal, subject=keeper)
    numbers[keeper] = numbers.get(keeper, 0) + 1
    return replace(deal, subject=keeper, opened_for=keeper, number=numbers[keeper])


def _join(held: dict[int, dict[str, Deal]], subject: int, pipeline: str, as_of: AsOf) -> list[Move]:
    rivals = [deal for deal in held[subject].values() if deal.is_open and deal.pipeline == pipeline]
    rivals.sort(key=lambda deal: (not deal.pinned, deal.age))
    moves = []
    for other in rivals[1:]:
        if other.pinned:
            continue
        older = held[subject][rivals[0].key]
        job_ids = (*older.job_ids, *(job for job in other.job_ids if job not in older.job_ids))
        kept = replace(
            older,
            job_ids=job_ids,
            job_id=older.job_id if older.job_id is not None else other.job_id,
            lead_id=older.lead_id if older.lead_id is not None else other.lead_id,
        )
        lost = replace(
            other,
            subject=other.opened_for,
            status="lost",
            lost_reason="merged",
            job_ids=(),
            closed_at=as_of.at,
            close_on=as_of.today,
            changes=other.changes + 1,
        )
        del held[subject][other.key]
        held[subject][kept.key] = kept
        held[lost.subject][lost.key] = lost
        moves.append(Move(lost.key, other.place, lost.place, "EXT-5", (kept.key,), as_of.at))
    return moves
