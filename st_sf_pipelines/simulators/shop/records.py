"""All rows of one tenant, how its ids come about, and a table of records for each entity."""

from __future__ import annotations

from array import array
from functools import partial
from typing import TYPE_CHECKING, Any

from . import listed, people, records_of_customers, records_of_jobs, records_of_money
from .columns import Rows
from .draw import Draw
from .made import ID_STEP, Made, Record, Refers
from .rows import (
    AppointmentRow,
    AssignmentRow,
    BookingRow,
    CanceledRow,
    ContactRow,
    CustomerRow,
    EstimateRow,
    InvoiceRow,
    JobRow,
    LeadRow,
    ListedRow,
    PaymentRow,
)
from .table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

UNITS = listed.UNITS

# fmt: off
FIRST_ID = {
    "customers":               41_000_003,
    "customer_contacts":       42_000_011,
    "locations":               41_000_004,
    "leads":                   45_000_002,
    "bookings":                46_000_008,
    "jobs":                    43_000_005,
    "job_canceled_logs":       49_000_001,
    "appointments":            47_000_006,
    "appointment_assignments": 48_000_010,
    "estimates":               52_000_007,
    "invoices":                44_000_009,
    "payments":                53_000_012,
    "business_units":           1_000_013,
    "job_types":               60_000_011,
    "job_cancel_reasons":      61_000_015,
    "campaigns":               50_000_003,
    "technicians":             31_000_009,
    "employees":               30_000_017,
    "tag_types":               62_000_007,
}
# fmt: on
# Fields by which records are sought, the column behind each, and the entity that it names.
OWNED = {"customerId": ("customer", "customers")}
REFERS: dict[str, dict[str, tuple[str, str]]] = {
    "customer_contacts": OWNED,
    "leads": OWNED,
    "jobs": {**OWNED, "invoiceId": ("invoice", "invoices"), "businessUnitId": ("unit", "business_units")},
    "job_canceled_logs": {"jobId": ("job", "jobs")},
    "appointments": {"jobId": ("job", "jobs")},
    "appointment_assignments": {"appointmentId": ("appointment", "appointments")},
    "estimates": {"jobId": ("job", "jobs")},
    "invoices": {"customer.id": ("customer", "customers"), "job.id": ("job", "jobs")},
}
ROOM = 100_000_000
"""Ids of one entity have this much room before the next tenant's begin: no two tenants share an id by chance."""


class Records:
    """The rows of one tenant, and the record of each."""

    def __init__(self, tenant: tuple[int, str, str], place: int = 0) -> None:
        self.tenant_id, self.tenant_name, timezone = tenant
        self.place, self.cities = place, people.cities_for(timezone)
        self.customers = Rows(CustomerRow)
        self.contacts = Rows(ContactRow)
        self.leads = Rows(LeadRow)
        self.bookings = Rows(BookingRow)
        self.jobs = Rows(JobRow)
        self.canceled = Rows(CanceledRow)
        self.appointments = Rows(AppointmentRow)
        self.assignments = Rows(AssignmentRow)
        self.estimates = Rows(EstimateRow)
        self.invoices = Rows(InvoiceRow)
        self.payments = Rows(PaymentRow)
        self.listed: dict[str, Rows[ListedRow]] = {entity: Rows(ListedRow) for entity in listed.LENGTHS}
        # Where the appointments and estimates of each job begin; those of the last one end at the last number.
        self.first_appointment: array[int] = array("q", [0])
        self.first_estimate: array[int] = array("q", [0])
        self._first_id = {entity: first + place * ROOM for entity, first in FIRST_ID.items()}
        self.office = self.id_of("employees", 0)

    def tables(self) -> dict[str, Table]:
        """Give a table of records for each entity."""
        made: dict[str, tuple[Rows[Any], Callable[[Records, int], Record]]] = {
            "customers": (self.customers, records_of_customers.customer),
            "customer_contacts": (self.contacts, records_of_customers.contact),
            "locations": (self.customers, records_of_customers.location),
            "leads": (self.leads, records_of_customers.lead),
            "bookings": (self.bookings, records_of_customers.booking),
            "jobs": (self.jobs, records_of_jobs.job),
            "job_canceled_logs": (self.canceled, records_of_jobs.canceled_log),
            "appointments": (self.appointments, records_of_jobs.appointment),
            "appointment_assignments": (self.assignments, records_of_jobs.assignment),
            "estimates": (self.estimates, records_of_money.estimate),
            "invoices": (self.invoices, records_of_money.invoice),
            "payments": (self.payments, records_of_money.payment),
            **{entity: (rows, getattr(listed, entity.removesuffix("s"))) for entity, rows in self.listed.items()},
        }
        return {entity: Table(self._made(entity, rows, record)) for entity, (rows, record) in made.items()}

    def _made(self, entity: str, rows: Rows[Any], record: Callable[[Records, int], Record]) -> Made:
        first, columns = self._first_id[entity], rows.columns
        ids = range(first, first + ID_STEP * len(rows), ID_STEP)
        # A job is never deleted and a log never changed, so they carry no column of their own for that.
        active, modified = columns.get("active", columns["created"]), columns.get("modified", columns["created"])
        refers = {
            field: Refers(columns[column], self._first_id[other])
            for field, (column, other) in REFERS.get(entity, {}).items()
        }
        return Made(ids, columns["created"], modified, active, partial(record, self), refers)

    def id_of(self, entity: str, row: int) -> int:
        """Give the id of a row."""
        return self._first_id[entity] + ID_STEP * row

    def maybe_id(self, entity: str, row: int) -> int | None:
        """Give the id of a row, or None for -1."""
        return self.id_of(entity, row) if row >= 0 else None

    def name_of(self, customer: int) -> str:
        """Give a customer's name as the office typed it."""
        columns = self.customers.columns
        return people.name(Draw(columns["draw"][customer]), columns["commercial"][customer])
