"""Rows of whole numbers kept column by column, eight bytes a number."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import numpy as np

if TYPE_CHECKING:
    from .lots import Column


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


Row = TypeVar("Row", bound=tuple[int, ...])


class Rows(Generic[Row]):
    """Many rows of one shape; a row is put together only when it is asked for."""

    def __init__(self, shape: type[Row]) -> None:
        self._make: Any = shape
        self._names: tuple[str, ...] = tuple(shape.__annotations__)
        self.columns: dict[str, array[int]] = {name: array("q") for name in self._names}
        # Sorting fills the columns anew in place, so that these stay the same ones.
        self._columns = tuple(self.columns.values())
        self._appends = [column.append for column in self._columns]

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.columns[self._names[0]])

    def __getitem__(self, number: int) -> Row:
        """Give one row."""
        row: Row = self._make(*[column[number] for column in self._columns])
        return row

    def append(self, row: Row) -> int:
        """Add a row and give its number."""
        for add, value in zip(self._appends, row, strict=True):
            add(value)
        return len(self) - 1

    def extend(self, **columns: Column) -> None:
        """Add many rows, told by column."""
        for name, values in columns.items():
            self.columns[name].frombytes(np.ascontiguousarray(values, dtype=np.int64).tobytes())
        if len({len(column) for column in self._columns}) != 1:
            raise ValueError(f"columns of different lengths: {sorted(columns)}")

    def seen(self, name: str) -> Column:
        """Look at a column as numpy does, without a copy; no row can be added while somebody looks."""
        return np.frombuffer(self.columns[name], dtype=np.int64)

    def set(self, name: str, values: Column) -> None:
        """Give a column other values, as many as it has."""
        # An array that somebody looks at takes no slice of another length, and of an empty one not even that.
        if len(self):
            self.columns[name][:] = array("q", np.ascontiguousarray(values, dtype=np.int64).tobytes())

    def sort(self, by: str) -> Column:
        """Put the rows in the order of a column, and give the new number of each old one."""
        order = np.argsort(self.seen(by), kind="stable")
        for name in self._names:
            self.set(name, self.seen(name)[order])
        new_number = np.empty(len(order), dtype=np.int64)
        new_number[order] = np.arange(len(order))
        return new_number

    def renumber(self, name: str, new_number: Column) -> None:
        """Let a column that names rows of another table follow their new numbers; -1 stays -1."""
        column = self.seen(name)
        if len(new_number):
            self.set(name, np.where(column < 0, column, new_number[column]))
