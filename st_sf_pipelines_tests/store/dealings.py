"""A shop of a few customers drawn at random, and the facts that plain Python makes of its records."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from st_sf_pipelines.rules.facts import Appointment, Estimate, Facts, Job, Lead

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 31, 20, tzinfo=UTC)
UNITS = {1: "Pool - Sales", 2: "Pool - Install", 3: "Roof"}
JOB_STATUSES = ("Scheduled", "Dispatched", "InProgress", "Hold", "Completed", "Completed", "Canceled")
VISITS = ("Scheduled", "Dispatched", "Working", "Hold", "Done", "Canceled")

Record = dict[str, Any]


def stamp(instant: datetime) -> str:
    """Write an instant as ServiceTitan does."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def at(text: str) -> datetime:
    """Read it again."""
    return datetime.fromisoformat(text)


@dataclass
class Dealings:
    """Records by entity, and who was merged into whom."""

    records: dict[str, dict[int, Record]] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)

    @classmethod
    def drawn(cls, seed: int, customers: int) -> Dealings:
        """Draw customers 1, 2, ... with jobs, visits, estimates and leads of all kinds; every tenth is merged."""
        random = Random(seed)  # noqa: S311 - made-up people need no secrets
        made = cls({name: {} for name in ENTITIES})
        made.records["business_units"] = {
            nr: {"id": nr, "active": True, "name": name, "modifiedOn": stamp(EPOCH)} for nr, name in UNITS.items()
        }
        for customer in range(1, customers + 1):
            made._add("customers", random, 400, id=customer, name=f"Customer {customer}", type="Residential")
            for _ in range(random.randrange(5)):
                made._job(random, customer)
            for _ in range(random.randrange(3)):
                job = random.choice([None, 999_999, *made.records["jobs"]])
                made._estimate(random, random.choice([customer, None]) if job else customer, job)
            if random.random() < 0.4:
                owner = random.choice([customer, None])
                status = random.choice(["Open", "Dismissed", "Converted"])
                made._add("leads", random, 40, status=status, customerId=owner, leadCustomerName="Li", campaignId=7)
        made.merged = {nr: nr + 1 for nr in range(10, customers, 10)}
        return made

    def _job(self, random: Random, customer: int) -> None:
        status = random.choice(JOB_STATUSES)
        fields: Record = {"jobStatus": status, "businessUnitId": random.choice([*UNITS, None, 77])}
        fields |= {"total": random.choice([None, 0, 12.34]), "soldById": random.choice([None, 5]), "campaignId": 8}
        fields |= {"createdFromEstimateId": random.choice([None, 3]), "jobNumber": str(random.randrange(9))}
        job = self._add("jobs", random, 120, customerId=customer, **fields)
        created = at(self.records["jobs"][job]["createdOn"])
        if status == "Completed" and random.random() < 0.8:
            done = created + (NOW - created) * random.random()
            self.records["jobs"][job]["completedOn"] = stamp(done)
        for _ in range(random.randrange(3)):
            visit = self._add("appointments", random, 100, jobId=job, status=random.choice(VISITS))
            for technician in random.sample(range(20, 25), random.randrange(3)):
                sent = {"technicianId": technician, "status": "Scheduled", "assignedOn": stamp(NOW)}
                self._add("appointment_assignments", random, 90, jobId=job, appointmentId=visit, **sent)

    def _estimate(self, random: Random, customer: int | None, job: int | None) -> None:
        status = random.choice(["Open", "Sold", "Dismissed"])
        money: Record = {"subtotal": random.choice([0, 100.1, -5]), "tax": random.choice([0, 8.25])}
        sold: Record = {"soldOn": stamp(NOW - timedelta(days=random.randrange(9))), "soldBy": 6}
        sold = sold if status == "Sold" and random.random() < 0.8 else {}
        fields = {"status": {"value": 0, "name": status}, "name": random.choice([None, "Heater"])}
        self._add("estimates", random, 100, customerId=customer, jobId=job, **fields, **money, **sold)

    def _add(self, entity: str, random: Random, days: int, **fields: Any) -> int:
        nr: int = fields.setdefault("id", len(self.records[entity]) + 1)
        created = NOW - timedelta(seconds=random.randrange(days * 86400))
        touched = created + (NOW - created) * random.random()
        dates = {"createdOn": stamp(created), "modifiedOn": stamp(touched)}
        self.records[entity][nr] = {**dates, "active": random.random() < 0.9, **fields}
        return nr

    def keeper(self, customer: int) -> int:
        """Give who keeps a customer's records."""
        return self.merged.get(customer, customer)

    def rows(self, entity: str, keeper: int) -> list[Record]:
        """Give the records that count for a customer, the oldest first: those of its jobs, else its own."""
        jobs = self.records["jobs"]
        found = []
        for row in self.records[entity].values():
            job = jobs.get(row.get("jobId") or 0) if entity == "estimates" else None
            owner = job["customerId"] if job else row["customerId"]
            if owner is not None and self.keeper(owner) == keeper:
                found.append(row)
        return sorted(found, key=lambda row: (row["createdOn"], row["id"]))

    def facts(self, subject: int) -> Facts:
        """Make a subject's facts."""
        if subject < 0:
            row = self.records["leads"][-subject]
            return Facts(subject, row["leadCustomerName"], leads=(lead(row),))
        row = self.records["customers"][subject]
        leads = tuple(lead(each) for each in self.rows("leads", subject))
        estimates = tuple(estimate(each) for each in self.rows("estimates", subject) if each["active"])
        jobs = tuple(self.job(each) for each in self.rows("jobs", subject))
        active = row["active"] and subject not in self.merged
        return Facts(subject, row["name"], active, jobs, estimates, leads)

    def job(self, row: Record) -> Job:
        """Make a job of its records."""
        visits = [each for each in self.records["appointments"].values() if each["jobId"] == row["id"]]
        sent = [each for each in self.records["appointment_assignments"].values() if each["jobId"] == row["id"]]
        crew = [each["technicianId"] for each in sorted(sent, key=lambda each: -each["id"]) if each["active"]]
        done = row.get("completedOn")
        return Job(
            row["id"],
            row["jobStatus"].lower() if row["active"] else "canceled",
            at(row["createdOn"]),
            at(row["modifiedOn"]),
            row["customerId"],
            UNITS.get(row["businessUnitId"]),
            row["jobNumber"],
            at(done) if done else None,
            None if row["total"] is None else round(row["total"] * 100),
            row["createdFromEstimateId"],
            row["soldById"],
            row["campaignId"],
            tuple(dict.fromkeys(crew)),
            tuple(
                Appointment(each["id"], each["status"].lower(), at(each["createdOn"]), at(each["modifiedOn"]))
                for each in sorted(visits, key=lambda each: (each["createdOn"], each["id"]))
                if each["active"]
            ),
        )

    def state(self, customer: int, reset_after: int = 90) -> tuple[str, int, date, int | None]:
        """Say STATE-1 and STATE-2 once more, in the plainest way: state, journey, the fact's day (UTC), its job."""
        rows = {entity: self.rows(entity, customer) for entity in ("jobs", "leads", "estimates")}
        since, journey, old = "", 1, None
        done = sorted(
            (max(row.get("completedOn") or row["modifiedOn"], row["createdOn"]), row["id"], row["createdOn"])
            for row in rows["jobs"]
            if row["active"] and row["jobStatus"] == "Completed" and row["businessUnitId"] == 2
        )
        while ended := next((each for each in done if each[2] > since), None):
            since, journey, old = ended[0], journey + 1, ended
        jobs = {row["id"]: row for row in rows["jobs"] if row["createdOn"] > since}
        support: list[tuple[str, str, int]] = []
        support += [
            ("1", row["createdOn"], 0)
            for row in rows["leads"]
            if row["active"] and row["status"] != "Dismissed" and row["createdOn"] > since
        ]
        for is_install, booked, canceled in ((False, "2", "2.5"), (True, "5", "5.5")):
            mine = [row for row in jobs.values() if (row["businessUnitId"] == 2) == is_install]
            standing = [row["id"] for row in mine if row["active"] and row["jobStatus"] != "Canceled"]
            for row in mine:
                visits = [each for each in self.records["appointments"].values() if each["jobId"] == row["id"]]
                live = [each["createdOn"] for each in visits if each["active"] and each["status"] != "Canceled"]
                if row["id"] in standing and live:
                    support.append((booked, max(live), row["id"]))
                elif visits and not standing:
                    support.append((canceled, row["modifiedOn"], row["id"]))
        offers = [row for row in rows["estimates"] if row["active"] and row["status"]["name"] != "Dismissed"]
        of_jobs = [row for row in offers if row["jobId"] in jobs]
        loose = [row for row in offers if row["jobId"] not in self.records["jobs"] and row["createdOn"] > since]
        for row in of_jobs + (loose if support or of_jobs or not old else []):
            sold = row["status"]["name"] == "Sold"
            when = (row.get("soldOn") or row["modifiedOn"]) if sold else row["createdOn"]
            support.append(("4" if sold else "3", when, row["jobId"] if row["jobId"] in jobs else 0))
        if support:
            state, when, job = max(support, key=lambda each: (float(each[0]), each[1], each[2]))
        elif old:
            state, when, job, journey = "6", old[0], old[1], journey - 1
        else:
            state, when, job = "0", self.records["customers"][customer]["createdOn"], 0
        day = at(when).date()
        if state in {"1", "6"} and (NOW.date() - day).days >= reset_after:
            return "0", journey, day + timedelta(days=reset_after), None
        return state, journey, day, job or None


ENTITIES = ("business_units", "customers", "jobs", "appointments", "appointment_assignments", "estimates", "leads")


def estimate(row: Record) -> Estimate:
    """Make an estimate of its record."""
    return Estimate(
        row["id"],
        row["status"]["name"].lower(),
        at(row["createdOn"]),
        at(row["modifiedOn"]),
        row["jobId"],
        row["name"],
        round((row["subtotal"] + row["tax"]) * 100),
        at(row["soldOn"]) if row.get("soldOn") else None,
        row.get("soldBy"),
    )


def lead(row: Record) -> Lead:
    """Make a lead of its record."""
    status = row["status"].lower() if row["active"] else "dismissed"
    return Lead(row["id"], status, at(row["createdOn"]), at(row["modifiedOn"]), row["campaignId"])
