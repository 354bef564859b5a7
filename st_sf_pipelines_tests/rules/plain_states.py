"""STATE-1 and STATE-2 once more, read off the page sentence by sentence, over one customer's raw records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

Record = dict[str, Any]
Support = tuple[float, datetime]  # a state, and when its fact came to be


@dataclass
class Customer:
    """One customer's records, those of the customers merged into it among them; `units` names the business units."""

    created_on: str
    jobs: list[Record]
    visits: list[Record]
    estimates: list[Record]
    leads: list[Record]
    units: dict[int, str]

    def is_install(self, job: Record) -> bool:
        """Tell whether it is a job of the Install pipeline: its unit's name contains 'install'."""
        return "install" in self.units.get(job["businessUnitId"], "").lower()

    def installs(self) -> list[tuple[datetime, datetime]]:
        """Give when each completed install job was completed (never before it was created) and created, in order."""
        done = [job for job in self.jobs if job["active"] and job["jobStatus"] == "Completed" and self.is_install(job)]
        ends = [(at(job.get("completedOn") or job["modifiedOn"]), at(job["createdOn"])) for job in done]
        return sorted((max(end, created), created) for end, created in ends)

    def supported_after(self, begin: datetime | None) -> list[Support]:
        """Give what today's facts support within the journey that began at an install's end (None: the first)."""
        jobs = [job for job in self.jobs if begin is None or at(job["createdOn"]) > begin]
        found: list[Support] = []
        for lead in self.leads:
            is_newer = begin is None or at(lead["createdOn"]) > begin
            if lead["active"] and lead["status"] in {"Open", "Converted"} and is_newer:
                found.append((1, at(lead["createdOn"])))
        for job in jobs:
            found += self.of_job(job, jobs)
        known = {job["id"] for job in self.jobs}
        mine = {job["id"] for job in jobs}
        for estimate in self.estimates:
            if estimate["jobId"] in mine:
                found += self.of_estimate(estimate)
        # One that names no job is the journey's that it was made in, and begins none.
        for estimate in self.estimates:
            if estimate["jobId"] not in known and (begin is None or (found and at(estimate["createdOn"]) > begin)):
                found += self.of_estimate(estimate)
        return found

    def of_job(self, job: Record, jobs: list[Record]) -> list[Support]:
        """2, 5: an appointment that is not canceled; 2.5, 5.5: that job was canceled, and no other stands."""
        booked, canceled = (5.0, 5.5) if self.is_install(job) else (2.0, 2.5)
        visits = [visit for visit in self.visits if visit["jobId"] == job["id"]]
        if stands(job):
            good = [at(visit["createdOn"]) for visit in visits if visit["active"] and visit["status"] != "Canceled"]
            return [(booked, max(good))] if good else []
        others = [each for each in jobs if stands(each) and self.is_install(each) == self.is_install(job)]
        return [(canceled, at(job["modifiedOn"]))] if visits and not others else []

    @staticmethod
    def of_estimate(estimate: Record) -> list[Support]:
        """3: an open estimate; 4: an estimate sold."""
        status = estimate["status"]["name"]
        if not estimate["active"] or status == "Dismissed":
            return []
        if status == "Open":
            return [(3, at(estimate["createdOn"]))]
        return [(4, at(estimate.get("soldOn") or estimate["modifiedOn"]))]

    def state(self, today: date, zone: ZoneInfo, reset_after: int = 90) -> tuple[str, date, date | None]:
        """Give the state, the local day on which it was entered, and the one on which time alone ends it."""
        begin = None
        for end, created in self.installs():
            if begin is None or created > begin:
                begin = end
        found = self.supported_after(begin)
        if found:
            state, when = max(found)
        elif begin:
            state, when = 6.0, begin
        else:
            state, when = 0.0, at(self.created_on)
        entered = when.astimezone(zone).date()
        ends = entered + timedelta(days=reset_after) if state in {1, 6} else None
        if ends and ends <= today:
            return "0", ends, None
        return f"{state:g}", entered, ends


def stands(job: Record) -> bool:
    """Tell whether a job is neither canceled nor deleted."""
    return bool(job["active"]) and job["jobStatus"] != "Canceled"


def at(text: str) -> datetime:
    """Read an instant as ServiceTitan writes it."""
    return datetime.fromisoformat(text)
