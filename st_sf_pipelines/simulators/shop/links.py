"""How records lead to others: a job to its appointments, those to technicians, a phone number to its owners."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .shop import Tenant
    from .table import Record


def appointments_of(tenant: Tenant, job: int) -> list[Record]:
    """Give a job's appointments, deleted ones too."""
    return tenant.tables["appointments"].sought("jobId", job)


def assignments_of(tenant: Tenant, appointment: int) -> list[Record]:
    """Give the assignments to an appointment, ended ones too."""
    return tenant.tables["appointment_assignments"].sought("appointmentId", appointment)


def technicians_of(tenant: Tenant, appointment: int) -> set[int]:
    """Give the technicians who are sent to an appointment."""
    return {each["technicianId"] for each in assignments_of(tenant, appointment) if each["active"]}


def contacts_of(tenant: Tenant, customer: int) -> list[Record]:
    """Give a customer's contacts that were not deleted."""
    return [each for each in _referring(tenant, "customer_contacts", "customerId", customer) if each["active"]]


def canceled_logs_of(tenant: Tenant, job: int) -> list[Record]:
    """Give the notes of a job's cancellations, the newest first."""
    return _referring(tenant, "job_canceled_logs", "jobId", job)


def _referring(tenant: Tenant, entity: str, field: str, wanted: int) -> list[Record]:
    table = tenant.tables[entity]
    records = map(table.get, table.referring(field, {wanted}) or [])
    return [record for record in records if record.get(field) == wanted]


def owners_of_phone(tenant: Tenant, phone: str) -> set[int]:
    """Give the customers of whom some contact holds the digits of a phone number."""
    wanted = _digits(phone)
    table = tenant.tables["customer_contacts"]
    records = (table.get(key) for key in table.keys())  # noqa: SIM118 - a table's keys are walked in order
    return {record["customerId"] for record in records if wanted and wanted in _digits(str(record.get("value")))}


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdigit())
