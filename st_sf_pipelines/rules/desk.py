"""One subject's deals while they are worked: what each rests on, and the only ways in which they change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.rules.deals import Deal, Held, Move, Place, Status
from st_sf_pipelines.rules.facts import AsOf, Facts, Job, Seen
from st_sf_pipelines.rules.pipelines import PIPELINE_OF_STAGE, STAGE, pipeline_of_unit
from st_sf_pipelines.rules.protection import PINNED, refusal
from st_sf_pipelines.rules.shares import owners
from st_sf_pipelines.rules.titles import titled

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from st_sf_pipelines.config import Pipelines
    from st_sf_pipelines.rules.facts import Record


class Desk:
    """Holds the deals of one subject; the steps ask it, and move deals through it, so that CRM-7 stands at one door."""

    def __init__(self, facts: Facts, deals: Iterable[Deal], as_of: AsOf, rules: Pipelines) -> None:
        """Take the facts, and the deals as they were kept."""
        self.facts, self.as_of, self.rules = facts, as_of, rules
        self.deals = {deal.key: deal for deal in deals}
        self.moves: list[Move] = []
        self.held: dict[Held, None] = {}
        self._jobs = {job.id: job for job in (*facts.followed, *facts.jobs)}
        self._leads = {lead.id: lead for lead in facts.leads}

    @property
    def in_order(self) -> list[Deal]:
        """The deals, the oldest first."""
        return sorted(self.deals.values(), key=lambda deal: deal.age)

    @property
    def taken(self) -> frozenset[int]:
        """The jobs that have a deal, whoever's it is."""
        return self.facts.taken.union(self.facts.lapsed, *(deal.job_ids for deal in self.deals.values()))

    def open_in(self, pipeline: str) -> Deal | None:
        """Give the open deal in a pipeline; there is never a second."""
        return next((deal for deal in self.in_order if deal.is_open and deal.pipeline == pipeline), None)

    def pipeline_of(self, job: Job) -> str:
        """Give the pipeline of a job, by its business unit."""
        return pipeline_of_unit(job.unit, self.rules.business_units)[0]

    def free_jobs(self, pipeline: str) -> list[Job]:
        """Give the jobs of a pipeline that stand and have no deal, the oldest first."""
        taken = self.taken
        return [
            job for job in self.facts.jobs if job.stands and job.id not in taken and self.pipeline_of(job) == pipeline
        ]

    def job_of(self, deal: Deal) -> Job | None:
        """Give the job that a deal is tied to, whoever its customer is now; None if it has none."""
        return self._jobs.get(deal.job_id) if deal.job_id is not None else None

    def job(self, job_id: int | None) -> Job | None:
        """Give one of the subject's jobs, or of those that its deals follow."""
        return None if job_id is None else self._jobs.get(job_id)

    def jobs_of(self, deal: Deal) -> list[Job]:
        """Give all jobs of a deal, the oldest first."""
        return sorted((job for job in self._jobs.values() if job.id in deal.job_ids), key=lambda job: job.age)

    def seen(self, deal: Deal) -> Seen:
        """Give what a deal rests on."""
        owner = owners(self.facts, self.in_order)
        return Seen(
            self._leads.get(deal.lead_id) if deal.lead_id is not None else None,
            self.job_of(deal),
            tuple(each for each in self.facts.estimates if owner.get(each.id) == deal.key),
        )

    def open(self, stage: str, label: str, rule: str, because: Record, **fields: Any) -> None:
        """Open the subject's next deal because of a job, a lead or an estimate; `fields` tell what it is tied to."""
        numbers = (deal.number for deal in self.deals.values() if deal.opened_for == self.facts.subject)
        usual = {
            "since_at": because.created_at,
            "close_on": self.as_of.today + timedelta(days=self.rules.close_after_days),
        }
        deal = Deal(
            subject=self.facts.subject,
            opened_for=self.facts.subject,
            number=max(self.facts.last_number, *numbers, 0) + 1,
            pipeline=PIPELINE_OF_STAGE[stage],
            stage=stage,
            title=titled(self.facts.called, label),
            label=label,
            opened_at=self.as_of.at,
            **(usual | fields),
        )
        self.deals[deal.key] = deal
        self._record(deal, None, rule, (because,))

    def move(self, deal: Deal, stage: str, rule: str, because: Iterable[Record], **more: Any) -> Deal:
        """Move a deal to a stage (and a status: `status`), unless CRM-7 holds it back; give it as it is then."""
        because = tuple(because)
        pipeline = PIPELINE_OF_STAGE[stage]
        if reason := refusal(deal, pipeline, stage, because):
            self.hold(deal, rule, reason, because)
            return deal
        moved = replace(deal, pipeline=pipeline, stage=stage, hand_stage=None, hand_at=None, hand_facts=())
        return self._change(deal, moved, rule, because, more)

    def close(
        self, deal: Deal, status: Status, rule: str, because: Iterable[Record], at: datetime, **more: Any
    ) -> Deal:
        """Close a deal in its stage, on the day of the fact, unless it is pinned; give it as it is then."""
        because = tuple(because)
        if deal.pinned:
            self.hold(deal, rule, PINNED, because)
            return deal
        return self.settle(deal, status, rule, because, at, **more)

    def settle(
        self, deal: Deal, status: Status, rule: str, because: Iterable[Record], at: datetime, **more: Any
    ) -> Deal:
        """Close a deal in its stage, pinned or not; give it as it is then."""
        closed = replace(deal, status=status, closed_at=at, close_on=self.as_of.day(at))
        return self._change(deal, closed, rule, tuple(because), more)

    def write(self, deal: Deal, **fields: Any) -> Deal:
        """Write fields that are no move, unless a person has pinned the deal; give it as it is then."""
        if deal.pinned:
            return deal
        return self._keep(replace(deal, **fields))

    def hold(self, deal: Deal | None, rule: str, reason: str, because: Iterable[Record] = ()) -> None:
        """List what is held back, with its reason."""
        names = tuple(record.name for record in because)
        self.held[Held(deal.key if deal else None, rule, reason, names)] = None

    def _change(self, deal: Deal, after: Deal, rule: str, because: tuple[Record, ...], more: dict[str, Any]) -> Deal:
        kept = self._keep(replace(after, changes=deal.changes + 1, **more))
        self._record(kept, deal.place, rule, because)
        return kept

    def _keep(self, deal: Deal) -> Deal:
        title = deal.title if deal.pinned else titled(self.facts.called, deal.label)
        self.deals[deal.key] = replace(deal, title=title)
        return self.deals[deal.key]

    def _record(self, deal: Deal, before: Place | None, rule: str, because: tuple[Record, ...]) -> None:
        names = tuple(record.name for record in because)
        self.moves.append(Move(deal.key, before, deal.place, rule, names, self.as_of.at))


def stage_order(deal: Deal) -> int:
    """Give the place of a deal's stage in its pipeline."""
    return STAGE[deal.stage].order
