"""What a first run finds in a shop, by the rules CRM-1 to CRM-8 of the specification in the plainest words."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from st_sf_pipelines.simulators.shop import Tenant

Record = dict[str, Any]
INSTALL_STAGES = {
    "Scheduled": "scheduled", "InProgress": "in-progress", "Hold": "on-hold", "Completed": "job-completed",
}  # fmt: skip


@dataclass
class Deal:
    """An opportunity of a first run; `jobs` are its own, `since` is when the first of them (or its lead) was made."""

    customer: int | None
    pipeline: str
    stage: str
    since: str
    job: Record | None = None
    status: str = "open"
    jobs: set[int] = field(default_factory=set)


class FirstRun:
    """Works the rules over a tenant's records until nothing moves."""

    def __init__(self, tenant: Tenant, as_of: datetime) -> None:
        self.zone, self.as_of = ZoneInfo(tenant.timezone), as_of
        self.customers = {each["id"]: each for each in records(tenant, "customers")}
        self.units = {each["id"]: each["name"] for each in records(tenant, "business_units")}
        self.jobs: dict[int, list[Record]] = defaultdict(list)
        for job in records(tenant, "jobs"):
            if job["active"] and job["jobStatus"] != "Canceled":
                self.jobs[self.keeper(job["customerId"])].append(job)
        for jobs in self.jobs.values():
            jobs.sort(key=lambda job: (job["createdOn"], job["id"]))
        self.estimates: dict[int, list[Record]] = defaultdict(list)
        for each in records(tenant, "estimates"):
            if each["active"]:
                self.estimates[self.keeper(each["customerId"])].append(each)
        self.visits: dict[int, set[str]] = defaultdict(set)
        for each in records(tenant, "appointments"):
            if each["active"]:
                self.visits[each["jobId"]].add(each["status"])
        self.leads = [each for each in records(tenant, "leads") if each["active"] and each["status"] == "Open"]
        self.contacts: set[object] = set()
        self.deals: list[Deal] = []
        self.run()

    def keeper(self, customer: int) -> int:
        """Follow merges to the customer who keeps the records."""
        seen = set()
        while (into := self.customers[customer]["mergedToId"]) is not None and customer not in seen:
            seen.add(customer)
            customer = into
        return customer

    def age(self, stamp: str) -> int:
        """Give the local calendar days between a stamp and the moment of the run."""
        then = datetime.fromisoformat(stamp[:19] + "+00:00").astimezone(self.zone).date()
        return (self.as_of.astimezone(self.zone).date() - then).days

    def run(self) -> None:
        """Work the steps in their order, again and again until they move nothing."""
        before = None
        while before != (state := [(deal.pipeline, deal.stage, deal.status, len(deal.jobs)) for deal in self.deals]):
            before = state
            self.new_customers()
            self.new_leads()
            for deal in self.deals:
                self.sales_steps(deal)
                self.install_steps(deal)
            self.new_customers()

    def new_customers(self) -> None:
        """CRM-1: contacts for jobs of 90 days, opportunities for jobs of 14."""
        for customer, jobs in self.jobs.items():
            if not self.customers[customer]["active"]:
                continue
            if any(self.age(job["createdOn"]) <= 90 for job in jobs):
                self.contacts.add(customer)
            mine = [deal for deal in self.deals if deal.customer == customer]
            taken = {job for deal in mine for job in deal.jobs}
            young = [job for job in jobs if self.age(job["createdOn"]) <= 14 and job["id"] not in taken]
            for pipeline in ("Sales", "Install"):
                fit = [job for job in young if self.pipeline(job) == pipeline]
                if fit and not any(deal.status == "open" and deal.pipeline == pipeline for deal in mine):
                    offered = [job for job in fit if self.statuses([job]) & {"Open", "Sold"}]
                    job = offered[0] if offered else fit[-1]
                    stage = "contacted" if pipeline == "Sales" else "estimate-approved"
                    self.deals.append(Deal(customer, pipeline, stage, job["createdOn"], job, jobs={job["id"]}))
                    break

    def new_leads(self) -> None:
        """Open leads of 14 days whose customer has no job since."""
        known = {deal.since for deal in self.deals}
        for lead in self.leads:
            owner = None if lead["customerId"] is None else self.keeper(lead["customerId"])
            jobs = [] if owner is None else [job for job in self.jobs[owner] if job["createdOn"] >= lead["createdOn"]]
            if self.age(lead["createdOn"]) <= 14 and not jobs and lead["createdOn"] not in known:
                self.contacts.add(owner or f"lead_{lead['id']}")
                self.deals.append(Deal(owner, "Sales", "new-lead", lead["createdOn"]))

    def pipeline(self, job: Record) -> str:
        """Give the pipeline of a job's business unit."""
        return "Install" if "install" in self.units[job["businessUnitId"]].lower() else "Sales"

    def statuses(self, jobs: list[Record]) -> set[str]:
        """Tell how the estimates of some jobs stand."""
        ids = {job["id"] for job in jobs}
        owners = {self.keeper(job["customerId"]) for job in jobs}
        return {each["status"]["name"] for owner in owners for each in self.estimates[owner] if each["jobId"] in ids}

    def its_estimates(self, deal: Deal) -> list[Record]:
        """Give a deal's estimates: those of its jobs, and the customer's others made since, before the next deal."""
        after = [each.since for each in self.deals if each.customer == deal.customer and each.since > deal.since]
        return [
            each
            for each in self.estimates[deal.customer or 0]
            if each["jobId"] in deal.jobs or deal.since <= each["createdOn"] < min(after, default="9")
        ]

    def sales_steps(self, deal: Deal) -> None:
        """CRM-2 to CRM-4."""
        offers = self.its_estimates(deal)
        names = {each["status"]["name"] for each in offers}
        if "Sold" in names:
            deal.status = "won"
            deal.stage = "job-sold" if deal.pipeline == "Sales" else deal.stage
        if deal.pipeline != "Sales" or deal.status != "open":
            return
        if any(each["status"]["name"] == "Open" and each["subtotal"] + each["tax"] > 0 for each in offers):
            deal.stage = "proposal-sent"
        elif "Dismissed" in names and "Open" not in names:
            deal.stage, deal.status = "estimate-lost", "lost"
        elif deal.job and deal.stage == "contacted" and self.visits[deal.job["id"]] & {"Scheduled", "Dispatched"}:
            deal.stage = "appointment-scheduled"

    def install_steps(self, deal: Deal) -> None:
        """CRM-5 and CRM-6."""
        taken = {job for other in self.deals for job in other.jobs}
        for job in self.jobs.get(deal.customer or 0, []):
            fit = self.pipeline(job) == "Install" and job["createdOn"] >= deal.since and job["id"] not in taken
            if fit and deal.pipeline == "Sales" and deal.status != "lost":
                deal.pipeline, deal.stage, deal.job = "Install", "estimate-approved", job
                deal.jobs.add(job["id"])
                break
        if deal.pipeline == "Install" and deal.job:
            working = "Working" in self.visits[deal.job["id"]]
            status = "InProgress" if working else deal.job["jobStatus"]
            deal.stage = INSTALL_STAGES.get(status, deal.stage)
            if deal.stage == "job-completed":
                deal.status = "won"

    def counts(self) -> tuple[int, dict[str, int]]:
        """Give the contacts, and the opportunities in Install and in each stage of Sales."""
        where = Counter("Install" if deal.pipeline == "Install" else deal.stage for deal in self.deals)
        return len(self.contacts), dict(where)


def records(tenant: Tenant, entity: str) -> list[Record]:
    """Give all records of an entity."""
    table = tenant.tables[entity]
    return [table.get(key) for key in table.keys()]  # noqa: SIM118 - a table is no dict


def first_run(tenant: Tenant, as_of: datetime, *, days_later: int = 0) -> tuple[int, dict[str, int]]:
    """Count what a first run finds at a moment."""
    return FirstRun(tenant, as_of + timedelta(days=days_later)).counts()
