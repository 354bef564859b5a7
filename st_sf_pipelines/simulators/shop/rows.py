"""Rows of whole numbers kept column by column, eight bytes a number."""

from __future__ import annotations

from array import array
from typing import Any, Generic, NamedTuple, TypeVar


class CustomerRow(NamedTuple):
    """A customer; its name and address are read from the draw."""

    draw: int
    created: int
    modified: int
    active: int
    commercial: int
    balance: int


class ContactRow(NamedTuple):
    """A phone, mobile or email of a customer."""

    customer: int
    kind: int
    draw: int
    created: int
    modified: int
    active: int


class JobRow(NamedTuple):
    """A job; `completed` is -1 unless its status is Completed, `total` is in cents."""

    customer: int
    unit: int
    status: int
    draw: int
    created: int
    modified: int
    completed: int
    total: int
    invoice: int


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


class UnitRow(NamedTuple):
    """A business unit, by its place in the list of names."""

    unit: int
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

    def sort(self, by: str) -> array[int]:
        """Put the rows in the order of a column, and give the new number of each old one."""
        order = sorted(range(len(self)), key=self.columns[by].__getitem__)
        for column in self._columns:
            column[:] = array("q", map(column.__getitem__, order))
        new_number = array("q", bytes(8 * len(order)))
        for new, old in enumerate(order):
            new_number[old] = new
        return new_number

    def renumber(self, name: str, new_number: array[int]) -> None:
        """Let a column that names rows of another table follow their new numbers; -1 stays -1."""
        column = self.columns[name]
        column[:] = array("q", [value if value < 0 else new_number[value] for value in column])
