"""What a row of each entity holds: whole numbers only, from which its record is made when it is asked for."""

from __future__ import annotations

from typing import NamedTuple


class CustomerRow(NamedTuple):
    """A customer; name and address are read from the draw, `kind` is its cohort, `merged` a customer's row or -1."""

    draw: int
    created: int
    modified: int
    active: int
    commercial: int
    balance: int
    kind: int
    merged: int


class ContactRow(NamedTuple):
    """A phone, mobile or email of a customer."""

    customer: int
    kind: int
    draw: int
    created: int
    modified: int
    active: int


class JobRow(NamedTuple):
    """A job; `completed` is -1 unless its status is Completed, `total` is in cents, `made_from` an estimate or -1."""

    customer: int
    unit: int
    status: int
    draw: int
    created: int
    modified: int
    completed: int
    total: int
    invoice: int
    booking: int
    made_from: int


class AppointmentRow(NamedTuple):
    """A visit of a job; those of one job stand side by side."""

    job: int
    status: int
    start: int
    minutes: int
    created: int
    modified: int


class AssignmentRow(NamedTuple):
    """A technician who is sent to an appointment."""

    appointment: int
    technician: int
    status: int
    created: int
    modified: int
    active: int


class CanceledRow(NamedTuple):
    """The note that a job was canceled."""

    job: int
    draw: int
    created: int


class EstimateRow(NamedTuple):
    """An estimate in cents; those of one job stand side by side; `sold` is -1 unless it is Sold, `loose` has no job."""

    job: int
    status: int
    subtotal: int
    draw: int
    created: int
    modified: int
    sold: int
    active: int
    loose: int


class InvoiceRow(NamedTuple):
    """An invoice in cents; `job` and `adjusts` are -1 where there is none."""

    customer: int
    job: int
    adjusts: int
    created: int
    modified: int
    active: int
    total: int
    balance: int


class PaymentRow(NamedTuple):
    """A payment in cents, applied to one invoice."""

    invoice: int
    total: int
    draw: int
    created: int
    modified: int
    active: int


class LeadRow(NamedTuple):
    """A lead; `customer` and `job` are -1 where there is none."""

    customer: int
    job: int
    status: int
    draw: int
    created: int
    modified: int
    active: int


class BookingRow(NamedTuple):
    """A booking from a provider; `job` is -1 unless it was converted."""

    customer: int
    job: int
    status: int
    draw: int
    created: int
    modified: int
    active: int


class ListedRow(NamedTuple):
    """Something out of a short list, by its place there: a business unit, a campaign, a technician."""

    place: int
    created: int
    modified: int
    active: int
