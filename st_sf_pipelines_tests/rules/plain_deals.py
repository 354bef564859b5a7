"""The round of CRM-1 to CRM-8 once more, read off the page sentence by sentence: slow, literal, and nobody's code."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from st_sf_pipelines_tests.rules.plain_book import Book

if TYPE_CHECKING:
    from datetime import date

    from st_sf_pipelines.config import Pipelines
    from st_sf_pipelines.rules.deals import Deal
    from st_sf_pipelines.rules.facts import AsOf, Facts, Job, Lead

QUALIFYING = "New Customer Qualifying"


def plain_deals(facts: Facts, before: tuple[Deal, ...], as_of: AsOf, rules: Pipelines) -> tuple[Deal, ...]:
    """Work one round over one subject."""
    book = Round(facts, before, as_of, rules)
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


class Round(Book):
    """The steps, in their order."""

    def closed_by_hand(self) -> None:
        """Won and lost by hand: closed on the CRM's updatedAt."""
        for deal in list(self.deals):
            if deal.status == "open" and deal.hand_at and deal.hand_stage == deal.stage:
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
                and all(job.created_at > close for close in self.closes(pipeline, job.created_at))
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
                since = max([lead.created_at, *self.closes("sales", lead.created_at)])
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
            worth = [each for each in self.its(deal, "sold") if each.value_cents > 0]
            sales = sorted(worth, key=lambda each: (each.sold_at, each.id))
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
        """CRM-5: a standing install job moves its own; else the won one that it belongs to, else the open one."""
        for deal in list(self.deals):
            job = self.job(deal.job_id)
            if (
                deal.pipeline == "sales"
                and deal.status != "lost"
                and job
                and job.status != "canceled"
                and self.pipeline(job) == "install"
                and not (deal.status == "open" and self.open_in("install"))
                and not deal.pinned
                and self.is_news(deal, [job])
            ):
                fields = {"pipeline": "install", "stage": "estimate-approved", "hand_stage": None, "canceled_at": None}
                self.change(deal, **fields)
        for job in self.facts.jobs:
            whose = self.claimant(job) if self.pipeline(job) == "install" and self.is_free(job) else None
            if whose and whose.pipeline == "sales" and not whose.pinned and self.is_news(whose, [job]):
                fields = {"pipeline": "install", "stage": "estimate-approved", "hand_stage": None, "canceled_at": None}
                self.change(whose, job_id=job.id, job_ids=(*whose.job_ids, job.id), **fields)

    def claimant(self, job: Job) -> Deal | None:
        """Whose install job it is: the estimate's that made it, else the same trade's, else the oldest's."""
        won = [deal for deal in self.waiting_for_install() if self.waits_for(deal, job)]
        by_estimate = [deal for deal in won if self._made(deal, job)]
        by_trade = [deal for deal in won if self._trade(self.job(deal.job_id)) == self._trade(job)]
        not_won = [] if won else self.open_in("install") or self.open_in("sales")
        return next(iter(by_estimate + by_trade + won + [deal for deal in not_won if self.waits_for(deal, job)]), None)

    def waits_for(self, deal: Deal, job: Job) -> bool:
        """Tell whether a job came at or after its first job; where its install job was canceled, after that."""
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
            if estimate.job_id in {job.id for job in self.facts.followed}:
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
                    job_id=estimate.job_id,
                    job_ids=(estimate.job_id,),
                )

    def titles_and_days(self) -> None:
        """CRM-5: 'NAME - Install Job #NUMBER - $1,234.56', its value, else the job's total, else $0.00; SF-3."""
        for deal in list(self.deals):
            job = self.job(deal.job_id)
            label, value, by = deal.label, deal.value_cents, deal.valued_by
            if deal.pipeline == "install" and job and not deal.pinned and deal.status != "lost":
                if by != "estimate" or not value:
                    value, by = (job.total_cents, "job") if job.total_cents else (None, None)
                label = f"Install Job #{job.number} - {money(value or 0)}"
            title = deal.title if deal.key in self.lost_before or deal.pinned else self.titled(label)
            is_kept = deal.key in self.lost_before or deal.pinned
            notes = deal.notes if is_kept else self.notes(deal) or (deal.notes if deal.closed_at else None)
            fields: dict[str, Any] = {"title": title, "notes": notes, "close_on": self.close_on(deal, job)}
            self.change(deal, label=label, value_cents=value, valued_by=by, **fields)

    def notes(self, deal: Deal) -> str | None:
        """All its estimates, by how they stand, the newest first; a lost one keeps what they told when it was lost."""
        told = ""
        for status in ("open", "sold", "dismissed"):
            mine = self.its(deal, status)
            lines = [f"Estimate {each.id}: {each.label or 'Estimate'} - {money(each.value_cents)}" for each in mine]
            told += "\n".join(["", f"{status.capitalize()} estimates:", *lines[::-1]]) if lines else ""
        return told.strip() or None

    def titled(self, label: str) -> str:
        """'NAME - ...'."""
        return f"{self.facts.called} - {label}"

    def close_on(self, deal: Deal, job: Job | None) -> date:
        """Sold on (newest sold estimate), else completed on, else the day of the loss, else created + 30 days."""
        if deal.pinned:
            return deal.close_on
        sales = [each for each in self.its(deal, "sold") if each.value_cents > 0]
        if deal.status == "won" and sales:
            return self.day(max(each.sold_at for each in sales))
        if deal.status == "won" and deal.stage == "job-completed" and job and job.status == "completed":
            return self.day(job.completed_at or job.modified_at)
        if deal.status == "lost" and deal.closed_at:
            return self.day(deal.closed_at)
        return deal.close_on  # fixed once set


def money(cents: int) -> str:
    """Write cents as $1,234.56."""
    return f"${Decimal(cents) / 100:,.2f}" if cents >= 0 else f"-{money(-cents)}"
