"""The words that the page of CRM-1 to CRM-8 uses, each in the plainest way: recent, free, open, its estimates."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.rules.deals import Deal

if TYPE_CHECKING:
    from datetime import date, datetime

    from st_sf_pipelines.config import Pipelines
    from st_sf_pipelines.rules.facts import AsOf, Estimate, Facts, Job

SALES = ["new-lead", "contacted", "appointment-scheduled", "proposal-sent", "estimate-followup", "job-sold"]
INSTALL = ["estimate-approved", "pre-install-planning", "scheduled", "in-progress", "on-hold", "job-completed"]


class Book:
    """One subject's facts, and its deals as they are at this point of the round."""

    def __init__(self, facts: Facts, before: tuple[Deal, ...], as_of: AsOf, rules: Pipelines) -> None:
        """Begin with the deals as they were."""
        self.facts, self.deals, self.as_of, self.rules = facts, list(before), as_of, rules
        self.lost_before = {deal.key for deal in before if deal.status == "lost"}

    def day(self, instant: datetime) -> date:
        """Give the tenant's own day."""
        return instant.astimezone(self.as_of.zone).date()

    def age_in_days(self, instant: datetime) -> int:
        """Days are whole days between two calendar dates in the tenant's time zone."""
        return (self.day(self.as_of.at) - self.day(instant)).days

    def is_recent(self, instant: datetime) -> bool:
        """'In the last N days' is an age of at most N; the windows reach back to the last good round."""
        outage = (self.day(self.as_of.at) - self.as_of.last_good_on).days if self.as_of.last_good_on else 0
        return self.age_in_days(instant) <= max(self.rules.opportunity_window_days, outage)

    def pipeline(self, job: Job) -> str:
        """Install if its name contains 'install', else Sales."""
        unit = "".join((job.unit or "").split()).lower()
        mapped = {"".join(name.split()).lower(): pipeline for name, pipeline in self.rules.business_units.items()}
        return mapped.get(unit, "install" if "install" in unit else "sales")

    def job(self, job_id: int | None) -> Job | None:
        """Give one of the customer's jobs, or one that a deal here has though it is another customer's now."""
        return next((job for job in (*self.facts.jobs, *self.facts.followed) if job.id == job_id), None)

    def is_free(self, job: Job) -> bool:
        """Whether it stands, and has no opportunity."""
        has_one = job.id in self.facts.taken | self.facts.lapsed or any(job.id in deal.job_ids for deal in self.deals)
        return job.status != "canceled" and not has_one

    def open_in(self, pipeline: str) -> list[Deal]:
        """Give the open opportunity in a pipeline, if there is one."""
        return [deal for deal in self.deals if deal.status == "open" and deal.pipeline == pipeline]

    def waiting_for_install(self) -> list[Deal]:
        """The won opportunities without an install job that stands, the oldest first."""
        won = [deal for deal in self.deals if deal.status == "won"]
        return sorted(
            (deal for deal in won if deal.pipeline == "sales" or self.canceled(deal)), key=lambda deal: deal.age
        )

    def canceled(self, deal: Deal) -> Job | None:
        """Its job, if that was canceled."""
        job = self.job(deal.job_id)
        return job if job and job.status == "canceled" else None

    def closes(self, pipeline: str, moment: datetime) -> list[datetime]:
        """When the opportunities of a pipeline were closed; one that was merged into another lives on in that.

        For an install job, those in Sales too that had begun when it was created.
        """
        found = []
        for deal in self.deals:
            if deal.closed_at is None or deal.lost_reason == "merged":
                continue
            jobs = sorted(filter(None, map(self.job, deal.job_ids)), key=lambda job: (job.created_at, job.id))
            installs = [job for job in jobs if self.pipeline(job) == "install"]
            sold_first = deal.pipeline == "install" and installs and installs[0].created_at > deal.closed_at
            where = "sales" if sold_first else deal.pipeline
            if where == pipeline or (pipeline == "install" and where == "sales" and deal.since_at <= moment):
                found.append(deal.closed_at)
        return found

    def owner(self, estimate: Estimate) -> Deal | None:
        """Its estimates are those of its jobs, and the others since its first job and before the next opportunity's.

        An estimate made or sold while the next deal is open, its own being closed, counts as that one's.
        """
        deals = sorted((deal for deal in self.deals if deal.lost_reason != "merged"), key=lambda deal: deal.age)
        moments = [estimate.created_at, *([estimate.sold_at] if estimate.status == "sold" else [])]
        mine = [deal for deal in deals if estimate.job_id in deal.job_ids]
        if estimate.job_id is None or estimate.job_id in self.facts.taken:
            return None
        if not mine and estimate.job_id in self.facts.lapsed:
            return None
        if not mine:
            mine = [deal for deal in deals if self.begin(deal) <= estimate.created_at][-1:]
        if not mine:
            return None
        owner = ([deal for deal in mine if self.begin(deal) <= estimate.created_at] or mine[:1])[-1]
        for later in deals[deals.index(owner) + 1 :]:
            over, until = owner.closed_at, later.closed_at
            if over and any(moment > over and self.begin(later) <= moment <= (until or moment) for moment in moments):
                owner = later
        return owner

    def begin(self, deal: Deal) -> datetime:
        """When its first job or lead was created; if an estimate opened it after a loss, when that was."""
        before = [each for each in self.deals if each.age < deal.age and set(each.job_ids) & set(deal.job_ids)]
        return max([deal.since_at, *(each.closed_at for each in before if each.closed_at)])

    def its(self, deal: Deal, status: str) -> list[Estimate]:
        """Its estimates of one status, the oldest first."""
        mine = [each for each in self.facts.estimates if self.owner(each) == deal and each.status == status]
        return sorted(mine, key=lambda each: (each.created_at, each.id))

    def change(self, deal: Deal, **fields: Any) -> None:
        """Write something into a deal."""
        self.deals[self.deals.index(deal)] = replace(deal, **fields)

    def may_move(self, deal: Deal, stage: str, records: list[Any]) -> bool:
        """No automatic step moves an opportunity to an earlier stage; a stage set by hand wants a new fact."""
        stages = SALES if deal.pipeline == "sales" else INSTALL
        if deal.pinned or stage == deal.stage:
            return False
        alternates = {stage, deal.stage} == {"in-progress", "on-hold"} and deal.hand_stage is None
        return self.is_news(deal, records) and (alternates or stages.index(stage) > stages.index(deal.stage))

    @staticmethod
    def is_news(deal: Deal, records: list[Any]) -> bool:
        """Whether a fact is among them that was not there when a person set the stage."""
        return deal.hand_stage is None or any(record.fact not in deal.hand_facts for record in records)

    def open(self, pipeline: str, stage: str, label: str, since: datetime, **more: Any) -> None:
        """Open the customer's next deal."""
        numbers = [deal.number for deal in self.deals if deal.opened_for == self.facts.subject]
        fields: dict[str, Any] = {
            "subject": self.facts.subject,
            "opened_for": self.facts.subject,
            "number": max([self.facts.last_number, *numbers]) + 1,
            "title": "",
            "opened_at": self.as_of.at,
            "since_at": since,
            "close_on": self.day(self.as_of.at) + timedelta(days=self.rules.close_after_days),
        }
        self.deals.append(Deal(pipeline=pipeline, stage=stage, label=label, **fields | more))

    def first(self, deal: Deal, jobs: list[Job]) -> Job | None:
        """The oldest of some jobs that is free, or its own already, and stands."""
        good = [job for job in jobs if self.is_free(job) or (job.id in deal.job_ids and job.status != "canceled")]
        return min(good, key=lambda job: (job.created_at, job.id), default=None)

    def next_job(self, deal: Deal, canceled: Job) -> Job | None:
        """Give the next job that stands after the canceled one, in the deal's pipeline."""
        return self.first(
            deal,
            [
                job
                for job in self.facts.jobs
                if self.pipeline(job) == deal.pipeline and (job.created_at, job.id) > (canceled.created_at, canceled.id)
            ],
        )
