"""How a row of numbers becomes the record that the API sends, one function for each entity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import people, shapes, words
from .draw import Draw
from .rows import ContactRow, CustomerRow, InvoiceRow, JobRow, Rows, UnitRow
from .stamps import written
from .table import ID_STEP, Made, Record, Table

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

UNITS = tuple(words.WORK)

# fmt: off
FIRST_ID = {
    "customers":         41_000_003,
    "customer_contacts": 42_000_011,
    "jobs":              43_000_005,
    "invoices":          44_000_009,
    "business_units":     1_000_013,
}
# fmt: on
ROOM = 100_000_000
"""Ids of one entity have this much room before the next tenant's begin: no two tenants share an id by chance."""


class Records:
    """The rows of one tenant, and the record of each."""

    def __init__(self, tenant: tuple[int, str, str], place: int = 0) -> None:
        self.tenant_id, self.tenant_name, timezone = tenant
        self.cities = people.cities_for(timezone)
        self.customers = Rows(CustomerRow)
        self.contacts = Rows(ContactRow)
        self.jobs = Rows(JobRow)
        self.invoices = Rows(InvoiceRow)
        self.units = Rows(UnitRow)
        self._first_id = {entity: first + place * ROOM for entity, first in FIRST_ID.items()}

    def tables(self) -> dict[str, Table]:
        """Give a table of records for each entity."""
        made: dict[str, tuple[Rows[Any], Callable[[int], Record]]] = {
            "customers": (self.customers, self.customer),
            "customer_contacts": (self.contacts, self.contact),
            "jobs": (self.jobs, self.job),
            "invoices": (self.invoices, self.invoice),
            "business_units": (self.units, self.unit),
        }
        return {entity: Table(self._made(entity, rows, record)) for entity, (rows, record) in made.items()}

    def _made(self, entity: str, rows: Rows[Any], record: Callable[[int], Record]) -> Made:
        first, columns = self._first_id[entity], rows.columns
        ids = range(first, first + ID_STEP * len(rows), ID_STEP)
        # Jobs are never deleted, so they carry no active column of their own.
        active = columns.get("active") or columns["created"]
        return Made(ids, columns["created"], columns["modified"], active, record)

    def id_of(self, entity: str, row: int) -> int:
        """Give the id of a row."""
        return self._first_id[entity] + ID_STEP * row

    def name_of(self, customer: int) -> str:
        """Give a customer's name as the office typed it."""
        columns = self.customers.columns
        return _name(Draw(columns["draw"][customer]), columns["commercial"][customer])

    def customer(self, number: int) -> Record:
        """Give a customer."""
        row = self.customers[number]
        draw = Draw(row.draw)
        name = _name(draw, row.commercial)
        return {
            **shapes.CUSTOMER,
            "id": self.id_of("customers", number),
            "active": bool(row.active),
            "name": name,
            "type": "Commercial" if row.commercial else "Residential",
            "address": people.address(draw, self.cities),
            "balance": row.balance / 100,
            "doNotMail": draw.below(25) == 0,
            "doNotService": draw.below(120) == 0,
            "createdOn": written(row.created),
            "modifiedOn": written(row.modified),
        }

    def contact(self, number: int) -> Record:
        """Give a phone, mobile or email of a customer."""
        row = self.contacts[number]
        draw = Draw(row.draw)
        kind = shapes.CONTACT_KINDS[row.kind]
        if kind == "Email":
            value = people.email(draw, self.name_of(row.customer))
            settings = None
        else:
            value = people.phone(draw, self.cities)
            settings = {"phoneNumber": value, "doNotText": draw.below(20) == 0}
        return {
            **shapes.CUSTOMER_CONTACT,
            "modifiedOn": written(row.modified),
            "phoneSettings": settings,
            "createdOn": written(row.created),
            "id": self.id_of("customer_contacts", number),
            "type": kind,
            "value": value,
            "memo": "spouse" if draw.below(15) == 0 else None,
            "customerId": self.id_of("customers", row.customer),
            "active": bool(row.active),
        }

    def job(self, number: int) -> Record:
        """Give a job."""
        row = self.jobs[number]
        draw = Draw(row.draw)
        record_id = self.id_of("jobs", number)
        return {
            **shapes.JOB,
            "id": record_id,
            "jobNumber": str(record_id),
            "customerId": self.id_of("customers", row.customer),
            "locationId": self.id_of("customers", row.customer) + 1,
            "jobStatus": shapes.JOB_STATUSES[row.status],
            "completedOn": written(row.completed) if row.completed >= 0 else None,
            "businessUnitId": self.id_of("business_units", row.unit),
            "priority": draw.pick(("Normal", "Normal", "Normal", "Low", "High", "Urgent")),
            "firstAppointmentId": record_id + 1,
            "lastAppointmentId": record_id + 1,
            "createdOn": written(row.created),
            "modifiedOn": written(row.modified),
            "invoiceId": self.id_of("invoices", row.invoice),
            "total": row.total / 100,
            "summary": f"<p>{draw.pick(words.WORK[UNITS[row.unit]])}</p>",
        }

    def invoice(self, number: int) -> Record:
        """Give an invoice, or an adjustment to one."""
        row = self.invoices[number]
        record_id, customer_id = self.id_of("invoices", number), self.id_of("customers", row.customer)
        name, day, total = self.name_of(row.customer), shapes.midnight(row.created), shapes.money(row.total)
        job = unit = None
        if row.job >= 0:
            place, job_id = self.jobs.columns["unit"][row.job], self.id_of("jobs", row.job)
            job = {"id": job_id, "number": str(job_id), "type": "Service"}
            unit = {"id": self.id_of("business_units", place), "name": UNITS[place]}
        return {
            **shapes.INVOICE,
            "id": record_id,
            "syncStatus": "Posted" if row.balance == 0 else "Pending",
            "referenceNumber": str(record_id),
            "invoiceDate": day,
            "dueDate": day,
            "subTotal": total,
            "total": total,
            "balance": shapes.money(row.balance),
            "customer": {"id": customer_id, "name": name},
            "location": {"id": customer_id + 1, "name": name},
            "businessUnit": unit,
            "createdOn": written(row.created),
            "modifiedOn": written(row.modified),
            "adjustmentToId": self.id_of("invoices", row.adjusts) if row.adjusts >= 0 else None,
            "job": job,
            "sentStatus": "Sent" if row.total else "NotSent",
            "reviewStatus": "Reviewed" if row.balance == 0 else "NeedsReview",
            "active": bool(row.active),
            "paidOn": written(row.modified) if row.total > 0 and row.balance == 0 else None,
            "invoiceConfiguration": "JobInvoice" if job else "CounterSales",
        }

    def unit(self, number: int) -> Record:
        """Give a business unit."""
        row = self.units[number]
        name = UNITS[row.unit]
        return {
            **shapes.BUSINESS_UNIT,
            "id": self.id_of("business_units", number),
            "active": bool(row.active),
            "name": name,
            "officialName": f"{self.tenant_name} {name}",
            "trade": {"id": 700 + number // 3, "name": name.split(" - ")[0]},
            "tenant": {"id": self.tenant_id, "name": self.tenant_name, "modifiedOn": written(row.modified)},
            "createdOn": written(row.created),
            "modifiedOn": written(row.modified),
        }


def _name(draw: Draw, commercial: int) -> str:
    return people.company_name(draw) if commercial else people.person_name(draw)
