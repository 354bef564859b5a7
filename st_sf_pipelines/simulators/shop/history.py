"""Three years of a shop, made from one seed: customers of every kind, and all that came of them."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from . import asking, cohorts, listed, merging, offers, payments, shapes, visits
from .calendar import DAYS
from .draw import DRAW_BITS
from .lots import Lots
from .records import UNITS, Records
from .rows import ContactRow, CustomerRow, InvoiceRow, JobRow
from .stamps import TICKS_A_MINUTE

if TYPE_CHECKING:
    from .calendar import Calendar
    from .cohorts import Cohort

COMPLETED, CANCELED = shapes.JOB_STATUSES.index("Completed"), shapes.JOB_STATUSES.index("Canceled")
MOBILE, PHONE, EMAIL = (shapes.CONTACT_KINDS.index(kind) for kind in ("MobilePhone", "Phone", "Email"))

CONTACT_KINDS = (
    (),
    (MOBILE,),
    (PHONE,),
    (MOBILE, EMAIL),
    (PHONE, EMAIL),
    (MOBILE, EMAIL, PHONE),
    (MOBILE, EMAIL) * 2,
)
CONTACT_WEIGHTS = (4, 14, 8, 30, 12, 24, 8)
SETTLED_DAYS = 94
"""A customer whose latest job is older than this may be inactive."""


def fill(records: Records, calendar: Calendar, customers: int, seed: str) -> None:
    """Fill a tenant's rows with a history; the same seed gives the same history."""
    listed.fill(records, calendar)
    if not customers:
        return
    history = History(records, calendar, Random(seed))  # noqa: S311 - made-up people need no secrets
    history.live(customers)
    history.bill_more(cohorts.scaled(cohorts.INVOICES, customers) - len(records.invoices))
    history.number_by_age()
    lots = Lots(seed)
    merging.fill(records, calendar, lots, cohorts.scaled(cohorts.MERGED, customers))
    visits.fill(records, calendar, lots, cohorts.scaled(cohorts.APPOINTMENTS, customers))
    offers.fill(records, calendar, lots, cohorts.scaled(cohorts.ESTIMATES, customers))
    payments.fill(records, lots)
    leads, bookings = (cohorts.scaled(count, customers) for count in (cohorts.LEADS, cohorts.BOOKINGS))
    asking.fill(records, calendar, lots, leads, bookings)


class History:
    """Writes one customer after another into the rows."""

    def __init__(self, records: Records, calendar: Calendar, random: Random) -> None:
        self.records, self.calendar, self.random = records, calendar, random

    def live(self, customers: int) -> None:
        """Let customers of each cohort come, with as many jobs in all as the ratio asks for."""
        counts = cohorts.apportion(customers)
        kinds = [cohort for cohort, n in zip(cohorts.COHORTS, counts, strict=True) for _ in range(n)]
        self.random.shuffle(kinds)
        jobs = [int(kind.statuses != ("Canceled",) or place % 3 == 0) for place, kind in enumerate(kinds)]
        repeats = [place for place, kind in enumerate(kinds) if kind.statuses != ("Canceled",)]
        for _ in range(cohorts.scaled(cohorts.JOBS, customers) - sum(jobs)):
            jobs[self.random.choice(repeats)] += 1
        for kind, count in zip(kinds, jobs, strict=True):
            self._customer(kind, count)

    def _customer(self, kind: Cohort, jobs: int) -> None:
        random, calendar, number = self.random, self.calendar, len(self.records.customers)
        latest = calendar.in_season(random, *kind.created_days_ago)
        ages = [latest] + [calendar.in_season(random, max(latest + 12, 18), DAYS - 8) for _ in range(jobs - 1)]
        oldest = max(ages) + random.randrange(3)
        # Customers made first thing in the morning: before each of their jobs.
        created = calendar.instant(random, oldest + 1)
        inactive = latest > SETTLED_DAYS and random.random() < 0.05
        low, high = random.choice(kind.dollars)
        value = 100 * low if low == high else random.randrange(100 * low, 100 * high)
        balance = self._jobs(number, kind, ages[:jobs], value)
        modified = max(created, calendar.touched(random, created))
        draw, commercial = random.getrandbits(DRAW_BITS), int(random.random() < 0.08)
        place = cohorts.COHORTS.index(kind)
        row = CustomerRow(draw, created, modified, int(not inactive), commercial, balance, place, -1)
        self.records.customers.append(row)
        self._contacts(number, created)

    def _contacts(self, customer: int, created: int) -> None:
        random = self.random
        for kind in random.choices(CONTACT_KINDS, CONTACT_WEIGHTS)[0]:
            since = created + int(random.random() * 20) * TICKS_A_MINUTE
            modified = self.calendar.touched(random, since)
            active = int(random.random() >= 0.06)
            draw = random.getrandbits(DRAW_BITS)
            self.records.contacts.append(ContactRow(customer, kind, draw, since, modified, active))

    def _jobs(self, customer: int, kind: Cohort, ages: list[int], value: int) -> int:
        """Write a customer's jobs, the latest first, whose invoices add up to its value; give what it still owes."""
        random, owed = self.random, 0
        left = value
        for place, age in enumerate(ages):
            latest = place == 0
            status = random.choice(kind.statuses) if latest else "Canceled" if random.random() < 0.12 else "Completed"
            if status == "Completed":
                more = place < len(ages) - 1
                # About half of all completed jobs are free: sales visits, estimates, recalls.
                amount = left if not more else int(left * random.choice((0.0, 0.5, 0.8, 1.0)))
            else:
                amount = 0
            left -= amount
            owed += self._job(customer, self._unit(kind.unit if latest else "", amount), status, age, kind, amount)
        return owed

    def _unit(self, wanted: str, amount: int) -> int:
        kinds = wanted.split() or (["Install"] if amount > 200_000 else ["Sales", "Service", "Service"])
        trade = "Pool" if self.random.random() < 0.7 else "Electrical"
        return UNITS.index(f"{trade} - {self.random.choice(kinds)}")

    def _job(self, customer: int, unit: int, status: str, age: int, kind: Cohort, amount: int) -> int:
        random, calendar = self.random, self.calendar
        created = calendar.instant(random, age)
        completed = -1
        modified = created + int(random.random() * 60) * TICKS_A_MINUTE
        if status == "Completed":
            done_age = max(1, age - random.randint(0, kind.work_days))
            completed = modified = max(created + 20 * TICKS_A_MINUTE, calendar.instant(random, done_age))
        modified = min(modified, calendar.anchor - TICKS_A_MINUTE)
        owed = amount if random.random() < 0.06 else 0
        invoices, jobs = self.records.invoices, self.records.jobs
        billed = calendar.nightly(modified) if status == "Completed" else created
        invoice = invoices.append(InvoiceRow(customer, len(jobs), -1, created, billed, 1, amount, owed))
        draw, place = random.getrandbits(DRAW_BITS), shapes.JOB_STATUSES.index(status)
        jobs.append(JobRow(customer, unit, place, draw, created, modified, completed, amount, invoice, -1, -1))
        return owed

    def bill_more(self, count: int) -> None:
        """Add invoices beside those of the jobs: adjustments, counter sales and voided ones; none changes a value."""
        invoices = self.records.invoices
        billed = len(invoices)
        total = invoices.columns["total"]
        paid = [number for number in range(billed) if total[number] > 20_000] or [0]
        for place in range(count):
            number = self.random.choice(paid)
            row = invoices[number]
            amount = self.random.randrange(2_500, 15_000)
            later = self.calendar.nightly(row.modified)
            more = row._replace(created=row.modified, modified=later, balance=0)
            if place % 3 < 2 and total[number]:
                total[number] += amount
                invoices.append(more._replace(adjusts=number, total=-amount))
            elif place % 2 and total[number] > 20_000:
                total[number] -= amount
                invoices.append(more._replace(job=-1, total=amount))
            else:
                invoices.append(more._replace(active=0, total=amount))

    def number_by_age(self) -> None:
        """Give later records higher ids, as the real system does."""
        records = self.records
        customers = records.customers.sort(by="created")
        records.contacts.sort(by="created")
        jobs, invoices = records.jobs.sort(by="created"), records.invoices.sort(by="created")
        records.contacts.renumber("customer", customers)
        records.jobs.renumber("customer", customers)
        records.invoices.renumber("customer", customers)
        records.jobs.renumber("invoice", invoices)
        records.invoices.renumber("job", jobs)
        records.invoices.renumber("adjusts", invoices)
