"""The round of CRM-1 to CRM-8 once more, read off the page sentence by sentence: slow, literal, and nobody's code."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.rules.deals import Deal

if TYPE_CHECKING:
    from datetime import date, datetime

    from st_sf_pipelines.config import Pipelines
    from st_sf_pipelines.rules.facts import AsOf, Estimate, Facts, Job, Lead

SALES = ["new-lead", "contacted", "appointment-scheduled", "proposal-sent", "estimate-followup", "job-sold"]
INSTALL = ["estimate-approved", "pre-install-planning", "scheduled", "in-progress", "on-hold", "job-completed"]
QUALIFYING = "New Customer Qualifying"


def plain_deals(facts: Facts, before: tuple[Deal, ...], as_of: AsOf, rules: Pipelines) -> tuple[Deal, ...]:
    """Work one round over one subject."""
    book = Book(facts, before, as_of, rules)
    while True:
        seen = list(book.deals)
        for step in (
            book.closed_by_hand,
            book.new_customers,
            book.leads,
            book.appointments,
            book.estimates,
            book.sold,
            book.lost,
            book.install_jobs,
            book.job_status,
            book.new_customers,
            book.after_a_loss,
        ):
            step()
        if book.deals == seen:
            break
    book.titles_and_days()
    return tuple(sorted(book.deals, key=lambda deal: (deal.opened_for, deal.number)))


class Book:
    """One subject's facts, and its deals as they are at this point of the round."""

    def __init__(self, facts: Facts, before: tuple[Deal, ...], as_of: AsOf, rules: Pipelines) -> None:
        """Begin with the deals as they were."""
        self.facts, self.deals, self.as_of, self.rules = facts, list(before), as_of, rules
        self.lost_before = {deal.key for deal in before if deal.status == "lost"}

    # --- words of the page

    def day(self, instant: datetime) -> date:
        return instant.astimezone(self.as_of.zone).date()

    def age_in_days(self, instant: datetime) -> int:
        return (self.day(self.as_of.at) - self.day(instant)).days

    def is_recent(self, instant: datetime) -> bool:
        """'In the last N days' is an age of at most N; after an outage the windows reach back to the last good round."""
        outage = (self.day(self.as_of.at) - self.as_of.last_good_on).days if self.as_of.last_good_on else 0
        return self.age_in_days(instant) <= max(self.rules.opportunity_window_days, outage)

    def pipeline(self, job: Job) -> str:
        """Install if its name contains 'install', else Sales."""
        unit = "".join((job.unit or "").split()).lower()
        mapped = {"".join(name.split()).lower(): pipeline for name, pipeline in self.rules.business_units.items()}
        return mapped.get(unit, "install" if "install" in unit else "sales")

    def job(self, job_id: int | None) -> Job | None:
        return next((job for job in self.facts.jobs if job.id == job_id), None)

    def is_free(self, job: Job) -> bool:
        """Whether it stands, and has no opportunity."""
        has_one = job.id in self.facts.taken or any(job.id in deal.job_ids for deal in self.deals)
        return job.status != "canceled" and not has_one

    def open_in(self, pipeline: str) -> list[Deal]:
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

    def closes(self) -> list[datetime]:
        """When its opportunities were closed; one that was merged into another lives on in that."""
        return [deal.closed_at for deal in self.deals if deal.closed_at and deal.lost_reason != "merged"]

    def owner(self, estimate: Estimate) -> Deal | None:
        """Its estimates are those of its jobs, and the others since its first job and before the next opportunity's.

        An estimate made or sold while the next deal is open, its own being closed, counts as that one's.
        """
        deals = sorted((deal for deal in self.deals if deal.lost_reason != "merged"), key=lambda deal: deal.age)
        moments = [estimate.created_at, *([estimate.sold_at] if estimate.status == "sold" else [])]
        mine = [deal for deal in deals if estimate.job_id is not None and estimate.job_id in deal.job_ids]
        if estimate.job_id in self.facts.taken:
            return None
        if not mine:
            mine = [deal for deal in deals if self.begin(deal) <= estimate.created_at][-1:]
        if not mine:
            return None
        owner = mine[0]
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
        if deal.status == "open" and fields.get("status", "open") != "open":
            fields = {"canceled_at": None} | fields
        self.deals[self.deals.index(deal)] = replace(deal, **fields)

    def may_move(self, deal: Deal, stage: str, records: list[Any]) -> bool:
        """No automatic step moves an opportunity to an earlier stage; a stage set by hand wants a new fact."""
        stages = SALES if deal.pipeline == "sales" else INSTALL
        if deal.pinned or stage == deal.stage:
            return False
        alternates = {stage, deal.stage} == {"in-progress", "on-hold"}
        return self.is_news(deal, records) and (alternates or stages.index(stage) > stages.index(deal.stage))

    @staticmethod
    def is_news(deal: Deal, records: list[Any]) -> bool:
        """Whether a fact is among them that was not there when a person set the stage."""
        return deal.hand_stage is None or any(record.fact not in deal.hand_facts for record in records)

    def open(self, pipeline: str, stage: str, label: str, since: datetime, **more: Any) -> None:
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

    # --- the steps

    def closed_by_hand(self) -> None:
        """Won and lost by hand: closed on the CRM's updatedAt."""
        for deal in list(self.deals):
            if deal.status == "open" and deal.hand_stage == deal.stage and not deal.pinned:
                if deal.stage in {"job-sold", "job-completed"}:
                    self.change(deal, status="won", closed_at=deal.hand_at, close_on=self.day(deal.hand_at))
                elif deal.stage == "estimate-lost":
                    self.change(deal, status="lost", closed_at=deal.hand_at, lost_reason="by hand")

    def new_customers(self) -> None:
        """CRM-1: no open opportunity in that job's pipeline: gets one, tied to the oldest such job with an estimate."""
        if not self.facts.active:
            return
        for pipeline in ("sales", "install"):
            jobs = [
                job
                for job in self.facts.jobs
                if self.pipeline(job) == pipeline
                and self.is_free(job)
                and self.is_recent(job.created_at)
                and all(job.created_at > close for close in self.closes())
            ]
            if pipeline == "install":
                jobs = [job for job in jobs if self.claimant(job) is None]
            if not jobs or self.open_in(pipeline):
                continue
            offered = {each.job_id for each in self.facts.estimates if each.status in {"open", "sold"}}
            oldest = sorted((job for job in jobs if job.id in offered), key=lambda job: (job.created_at, job.id))
            job = oldest[0] if oldest else max(jobs, key=lambda job: (job.created_at, job.id))
            stage = "contacted" if pipeline == "sales" else "estimate-approved"
            self.open(pipeline, stage, QUALIFYING, job.created_at, job_id=job.id, job_ids=(job.id,))
            return

    def leads(self) -> None:
        """Open a lead's opportunity, have the first job since then take it over, lose it with the lead."""
        for lead in self.facts.leads:
            jobs = [job for job in self.facts.jobs if job.status != "canceled" and job.created_at >= lead.created_at]
            known = any(deal.lead_id == lead.id for deal in self.deals)
            is_new = lead.status == "open" and self.is_recent(lead.created_at) and not jobs and not known
            if is_new and not self.open_in("sales"):
                since = max([lead.created_at, *self.closes()])
                self.open("sales", "new-lead", QUALIFYING, since, lead_id=lead.id)
        for deal in self.open_in("sales"):
            job = self.job(deal.job_id)
            if (
                job
                and deal.lead_id is not None
                and job.status != "canceled"
                and deal.stage == "new-lead"
                and self.may_move(deal, "contacted", [job])
            ):
                self.change(deal, stage="contacted", hand_stage=None)
            elif deal.lead_id is not None and deal.job_id is None and not deal.pinned:
                self._follow_the_lead(deal)

    def _follow_the_lead(self, deal: Deal) -> None:
        lead: Lead | None = next((lead for lead in self.facts.leads if lead.id == deal.lead_id), None)
        jobs = [job for job in self.facts.jobs if self.pipeline(job) == "sales" and job.created_at >= deal.since_at]
        if job := self.first(deal, jobs):
            stage = "contacted" if self.may_move(deal, "contacted", [job]) else deal.stage
            self.change(deal, job_id=job.id, job_ids=(*deal.job_ids, job.id), stage=stage)
        elif lead and lead.status == "dismissed":
            self.change(deal, status="lost", closed_at=lead.modified_at, lost_reason="lead dismissed")

    def first(self, deal: Deal, jobs: list[Job]) -> Job | None:
        """The oldest of some jobs that is free, or its own already, and stands."""
        good = [job for job in jobs if self.is_free(job) or (job.id in deal.job_ids and job.status != "canceled")]
        return min(good, key=lambda job: (job.created_at, job.id), default=None)

    def next_job(self, deal: Deal, canceled: Job) -> Job | None:
        return self.first(
            deal,
            [
                job
                for job in self.facts.jobs
                if self.pipeline(job) == deal.pipeline and (job.created_at, job.id) > (canceled.created_at, canceled.id)
            ],
        )

    def appointments(self) -> None:
        """CRM-2: an appointment; a canceled job's next; none for 30 days: lost, in its stage."""
        for deal in self.open_in("sales") + self.open_in("install"):
            job = self.job(deal.job_id)
            if job is None or deal.pinned:
                continue
            if job.status != "canceled":
                visits = [visit for visit in job.appointments if visit.status in {"scheduled", "dispatched"}]
                if visits and deal.pipeline == "sales" and self.may_move(deal, "appointment-scheduled", visits):
                    self.change(deal, stage="appointment-scheduled", hand_stage=None, canceled_at=None)
                elif deal.canceled_at:
                    self.change(deal, canceled_at=None)
                continue
            following = self.next_job(deal, job)
            if following and deal.pipeline == "install":
                continue  # CRM-6 tells whose it is
            if following:
                ids = (*deal.job_ids, *([] if following.id in deal.job_ids else [following.id]))
                self.change(deal, job_id=following.id, job_ids=ids, canceled_at=None)
                continue
            canceled_at = deal.canceled_at or job.modified_at
            if self.age_in_days(canceled_at) >= self.rules.canceled_days:
                self.change(deal, status="lost", closed_at=canceled_at, lost_reason="canceled")
            elif deal.canceled_at is None:
                self.change(deal, canceled_at=canceled_at)

    def estimates(self) -> None:
        """CRM-3: an open estimate with a value moves it to Proposal Sent; the newest gives name and value."""
        for deal in self.open_in("sales"):
            offers = [each for each in self.its(deal, "open") if each.value_cents > 0]
            if not offers or deal.pinned:
                continue
            moves = self.may_move(deal, "proposal-sent", offers)
            self.change(
                deal,
                stage="proposal-sent" if moves else deal.stage,
                hand_stage=None if moves else deal.hand_stage,
                label=f"{offers[-1].label or 'Estimate'} - {money(offers[-1].value_cents)}",
                value_cents=offers[-1].value_cents,
                valued_by="estimate",
                estimate_id=offers[-1].id,
            )

    def sold(self) -> None:
        """CRM-4: an estimate Sold moves it to Job Sold, won, value = the sum; in Install it keeps stage and title."""
        for deal in list(self.deals):
            sales = sorted(self.its(deal, "sold"), key=lambda each: (each.sold_at, each.id))
            if not sales or deal.pinned or deal.status == "lost":
                continue
            total = sum(each.value_cents for each in sales)
            fields: dict[str, Any] = {"value_cents": total, "valued_by": "estimate", "estimate_id": sales[-1].id}
            if deal.pipeline == "sales":
                if deal.status == "open" and not self.may_move(deal, "job-sold", sales):
                    continue
                label = f"{sales[-1].label or 'Estimate'} - {money(total)}"
                fields |= {"stage": "job-sold", "hand_stage": None, "label": label}
            if deal.status == "open":
                fields |= {"status": "won", "closed_at": sales[0].sold_at}
            self.change(deal, **fields)

    def lost(self) -> None:
        """CRM-4: at least one of its estimates dismissed, none open or sold: Estimate Lost; title and value stay."""
        for deal in self.open_in("sales"):
            gone = self.its(deal, "dismissed")
            if (
                not gone
                or not self.is_news(deal, gone)
                or deal.pinned
                or self.its(deal, "open")
                or self.its(deal, "sold")
            ):
                continue
            on = max(each.modified_at for each in gone)
            self.change(
                deal, stage="estimate-lost", status="lost", closed_at=on, lost_reason="dismissed", hand_stage=None
            )

    def install_jobs(self) -> None:
        """CRM-5: a standing install job at or after the first job: the won one that it belongs to, else the open one."""
        for job in self.facts.jobs:
            deal = self.claimant(job) if self.pipeline(job) == "install" and self.is_free(job) else None
            if deal and deal.pipeline == "sales" and not deal.pinned and self.is_news(deal, [job]):
                fields = {"pipeline": "install", "stage": "estimate-approved", "hand_stage": None, "canceled_at": None}
                self.change(deal, job_id=job.id, job_ids=(*deal.job_ids, job.id), **fields)

    def claimant(self, job: Job) -> Deal | None:
        """Whose install job it is: the estimate's that made it, else the same trade's, else the oldest's."""
        won = [deal for deal in self.waiting_for_install() if self.waits_for(deal, job)]
        by_estimate = [deal for deal in won if self._made(deal, job)]
        by_trade = [deal for deal in won if self._trade(self.job(deal.job_id)) == self._trade(job)]
        not_won = [] if won else self.open_in("install") or self.open_in("sales")
        return next(iter(by_estimate + by_trade + won + [deal for deal in not_won if self.waits_for(deal, job)]), None)

    def waits_for(self, deal: Deal, job: Job) -> bool:
        if deal.pipeline == "sales":
            return job.created_at >= deal.since_at
        canceled = self.canceled(deal)
        return canceled is not None and (job.created_at, job.id) > (canceled.created_at, canceled.id)

    def _made(self, deal: Deal, job: Job) -> bool:
        made = [each for each in self.facts.estimates if each.id == job.created_from_estimate_id]
        return any(self.owner(each) == deal for each in made)

    @staticmethod
    def _trade(job: Job | None) -> str | None:
        return "".join((job.unit or "").split("-")[0].split()).lower() if job else None

    def job_status(self) -> None:
        """CRM-6: the install job's status sets the Install stage; the next one takes a canceled one's place."""
        for deal in list(self.deals):
            job = self.job(deal.job_id)
            if deal.pipeline != "install" or deal.status == "lost" or deal.pinned or job is None:
                continue
            if job.status == "canceled":
                own = [each for each in self.facts.jobs if self.pipeline(each) == "install" and self.is_free(each)]
                if following := next((each for each in own if self.claimant(each) == deal), None):
                    self.change(deal, job_id=following.id, job_ids=(*deal.job_ids, following.id), canceled_at=None)
                continue
            working = [visit for visit in job.appointments if visit.status == "working"]
            stage = {"inprogress": "in-progress", "hold": "on-hold", "completed": "job-completed"}.get(
                job.status, "scheduled"
            )
            records: list[Any] = [job]
            if working and job.status != "completed":
                stage, records = "in-progress", working
            if self.may_move(deal, stage, records):
                fields: dict[str, Any] = {"stage": stage, "hand_stage": None}
                if stage == "job-completed" and deal.status == "open":
                    fields |= {"status": "won", "closed_at": job.completed_at or job.modified_at}
                self.change(deal, **fields)

    def after_a_loss(self) -> None:
        """CRM-8: an estimate with a value made or sold after a loss opens one straight in Proposal Sent or Job Sold."""
        for estimate in self.facts.estimates:
            deal = self.owner(estimate)
            if deal is None or deal.closed_at is None or deal.status != "lost":
                continue
            if estimate.status == "open" and self.open_in("sales"):
                continue
            if estimate.value_cents <= 0 or estimate.status == "dismissed":
                continue
            moment = estimate.sold_at if estimate.status == "sold" else estimate.created_at
            is_open = estimate.status == "open"
            days = self.rules.canceled_days if is_open and deal.lost_reason == "canceled" else 0  # it was lost then
            is_after = moment > deal.closed_at and (self.day(moment) - self.day(deal.closed_at)).days >= days
            if is_after and estimate.status in {"open", "sold"}:
                won, job = estimate.status == "sold", self.job(estimate.job_id)
                self.open(
                    "sales",
                    "job-sold" if won else "proposal-sent",
                    f"{estimate.label or 'Estimate'} - {money(estimate.value_cents)}",
                    job.created_at if job else moment,
                    status="won" if won else "open",
                    closed_at=estimate.sold_at if won else None,
                    canceled_at=max(job.modified_at, moment) if job and job.status == "canceled" else None,
                    value_cents=estimate.value_cents,
                    valued_by="estimate",
                    estimate_id=estimate.id,
                    job_id=job.id if job else None,
                    job_ids=(job.id,) if job else (),
                )

    def titles_and_days(self) -> None:
        """CRM-5: 'NAME - Install Job #NUMBER - $1,234.56', its value, else the job's total, else $0.00; SF-3."""
        for deal in list(self.deals):
            job = self.job(deal.job_id)
            label, value, by = deal.label, deal.value_cents, deal.valued_by
            if deal.pipeline == "install" and job and not deal.pinned and deal.status != "lost":
                if (by != "estimate" or not value) and job.total_cents:
                    value, by = job.total_cents, "job"
                label = f"Install Job #{job.number} - {money(value or 0)}"
            title = deal.title if deal.key in self.lost_before or deal.pinned else self.titled(label)
            self.change(
                deal, label=label, value_cents=value, valued_by=by, title=title, close_on=self.close_on(deal, job)
            )

    def titled(self, label: str) -> str:
        return f"{self.facts.called} - {label}"

    def close_on(self, deal: Deal, job: Job | None) -> date:
        """Sold on (newest sold estimate), else completed on, else the day of the loss, else created + 30 days."""
        if deal.pinned:
            return deal.close_on
        sales = self.its(deal, "sold")
        if deal.status == "won" and sales:
            return self.day(max(each.sold_at for each in sales))
        if deal.status == "won" and deal.pipeline == "install" and job and job.status == "completed":
            return self.day(job.completed_at or job.modified_at)
        if deal.status == "lost" and deal.closed_at:
            return self.day(deal.closed_at)
        return deal.close_on  # fixed once set


def plain_hand(deal: Deal, stage: str, at: datetime, facts: Facts) -> Deal:
    """Have a person set a stage of the deal's own pipeline; nothing moves backward from Job Sold or Estimate Lost."""
    if deal.stage in {"job-sold", "estimate-lost"} or (stage in INSTALL) != (deal.pipeline == "install"):
        return deal
    visits = [visit for job in facts.jobs for visit in job.appointments]
    there = [record.fact for record in (*facts.jobs, *visits, *facts.estimates, *facts.leads)]
    return replace(deal, stage=stage, hand_stage=stage, hand_at=at, hand_facts=tuple(there))


def plain_hand_over(deals: tuple[Deal, ...], gone: int, keeper: int, as_of: AsOf) -> tuple[Deal, ...]:
    """Hand over what is open: a merged customer's keeps its key, a lead's becomes its customer's next.

    If both have one, the older stays open and takes the other's jobs; the other is closed as lost, reason merged.
    """
    number = max((deal.number for deal in deals if deal.opened_for == keeper), default=0) + 1
    key = {"opened_for": keeper, "number": number} if gone < 0 else {}
    after = [
        replace(deal, subject=keeper, **key) if (deal.subject, deal.status) == (gone, "open") else deal
        for deal in deals
    ]
    for pipeline in ("sales", "install"):
        both = [deal for deal in after if (deal.subject, deal.pipeline, deal.status) == (keeper, pipeline, "open")]
        if len(both) > 1:
            older, other = sorted(both, key=lambda deal: deal.age)
            tied = {"job_ids": (*older.job_ids, *other.job_ids), "job_id": older.job_id or other.job_id}
            after[after.index(older)] = replace(older, lead_id=older.lead_id or other.lead_id, **tied)
            lost: dict[str, Any] = {
                "status": "lost",
                "lost_reason": "merged",
                "job_ids": (),
                "subject": other.opened_for,
            }
            after[after.index(other)] = replace(other, closed_at=as_of.at, close_on=as_of.today, **lost)
    return tuple(after)


def money(cents: int) -> str:
    """Write cents as $1,234.56."""
    return f"${Decimal(cents) / 100:,.2f}"
