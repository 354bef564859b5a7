"""What the CRM's activity log is told of (CRM-11), each thing once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from st_sf_pipelines.rules.deals import Activity
from st_sf_pipelines.rules.pipelines import INSTALL, STAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from st_sf_pipelines.rules.deals import Deal, Move
    from st_sf_pipelines.rules.desk import Desk
    from st_sf_pipelines.rules.facts import Record


def activities(desk: Desk, known: Mapping[str, Deal], contact: Literal["customer", "lead"] | None) -> list[Activity]:
    """Give what happened since the deals were as in `known`, and note in them which facts were told.

    Contact created, stage changed, assignment changed, estimate sold, job completed, and an install job canceled
    (CRM-6). The keys repeat when the same look is done again.
    """
    made = []
    subject, at = desk.facts.subject, desk.as_of.at
    if contact and desk.facts.contact is None:
        title = f"Contact created ({contact})"
        made.append(Activity(f"contact_created:{subject}", "contact_created", subject, None, title, (), at))
    made += [stage_changed(desk.deals[move.deal], move, nr) for nr, move in _numbered(desk.moves, known) if move.before]
    for deal in desk.in_order:
        before = known.get(deal.key)
        if before and (before.technician_id, before.seller_id) != (deal.technician_id, deal.seller_id):
            title = f"{deal.title}: assignment changed"
            key = f"assignment_changed:{deal.key}:{deal.changes}"
            made.append(Activity(key, "assignment_changed", subject, deal.key, title, _job_name(deal), at))
        made += _facts_of(desk, deal)
    return made


def stage_changed(deal: Deal, move: Move, nr: int) -> Activity:
    """Tell of a deal's move, its `nr`-th."""
    stage = STAGE[move.after.stage].name
    became = f" ({move.after.status})" if move.before and move.before.status != move.after.status else ""
    title = f"{deal.title}: {stage}{became}"
    key = f"stage_changed:{deal.key}:{nr}"
    return Activity(key, "stage_changed", deal.subject, deal.key, title, move.records, move.as_of)


def _numbered(moves: list[Move], known: Mapping[str, Deal]) -> Iterator[tuple[int, Move]]:
    """Number each deal's moves from where its own count stood."""
    counts = {key: deal.changes for key, deal in known.items()}
    for move in moves:
        counts[move.deal] = counts.get(move.deal, -1) + 1  # opening is no change
        yield counts[move.deal], move


def _facts_of(desk: Desk, deal: Deal) -> Iterator[Activity]:
    if deal.pinned or deal.status == "lost":
        return
    jobs = desk.jobs_of(deal)
    canceled = [job for job in jobs if not job.stands and deal.pipeline == INSTALL and desk.pipeline_of(job) == INSTALL]
    facts: list[tuple[Literal["estimate_sold", "job_completed", "job_canceled"], Record, str]] = [
        *(("estimate_sold", each, "estimate sold") for each in desk.seen(deal).offers("sold")),
        *(("job_completed", job, "job completed") for job in jobs if job.status == "completed"),
        *(("job_canceled", job, "install job canceled; the stage stays") for job in canceled),
    ]
    fresh = [(kind, record, words) for kind, record, words in facts if record.fact not in deal.told]
    for kind, record, words in fresh:
        title = f"{deal.title}: {words}"
        key = f"{kind}:{record.id}"
        yield Activity(key, kind, desk.facts.subject, deal.key, title, (record.name,), desk.as_of.at)
    desk.write(deal, told=(*deal.told, *(record.fact for _, record, _ in fresh)))


def _job_name(deal: Deal) -> tuple[str, ...]:
    return (f"job {deal.job_id}",) if deal.job_id is not None else ()
