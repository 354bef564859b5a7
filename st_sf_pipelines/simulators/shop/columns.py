"""Rows of whole numbers kept column by column, eight bytes a number."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from .lots import Column

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
