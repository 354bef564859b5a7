"""The table of what was measured: printed, and written into the README between its marks."""

from __future__ import annotations

import os
import platform
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

README: Final = Path(__file__).parents[2] / "README.md"
MARKED: Final = re.compile(r"(?<=<!-- bench -->\n).*?(?=<!-- /bench -->)", re.DOTALL)
COLUMNS: Final = ("what", "counts", "wall s", "CPU s", "records/s", "peak MB")


@dataclass
class Row:
    """One thing measured: seconds of the clock and of one process, records that went through, the process's peak."""

    what: str
    told: list[str] = field(default_factory=list)
    wall: float | None = None
    cpu: float | None = None
    records: int = 0
    peak_mb: float | None = None

    @property
    def rate(self) -> float | None:
        """Records a second of the clock."""
        return self.records / self.wall if self.wall and self.records else None

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as people read it; what was not measured stays empty."""

        def written(number: float | None, form: str) -> str:
            return "" if number is None else format(number, form)

        numbers = (self.wall, ".2f"), (self.cpu, ".2f"), (self.rate, ",.0f"), (self.peak_mb, ".0f")
        return (self.what, "; ".join(self.told), *(written(*each) for each in numbers))


class Measured(list[Row]):
    """The rows so far, in their order."""

    @contextmanager
    def measured(self, what: str) -> Iterator[Row]:
        """Measure a step of this process, by the clock and by its own CPU time."""
        row = Row(what)
        wall, cpu = time.perf_counter(), time.process_time()
        yield row
        row.wall, row.cpu = time.perf_counter() - wall, time.process_time() - cpu
        self.append(row)

    def show(self) -> None:
        """Print the table."""
        table = Table(box=None, header_style="bold", pad_edge=False)
        for name in COLUMNS:
            table.add_column(name, justify="left" if name in COLUMNS[:2] else "right", overflow="fold")
        for row in self:
            table.add_row(*row.cells)
        console = Console(width=180)
        console.print(machine())
        console.print(table)

    def write(self) -> None:
        """Put the table into the README; raise SystemExit if it has no place for it."""
        text = README.read_text()
        lines = (COLUMNS, ["---", "---", *["---:"] * 4], *(row.cells for row in self))
        table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        text, found = MARKED.subn(lambda _: f"\n{machine()}:\n\n{table}\n\n", text)
        if not found:
            raise SystemExit(f"{README.name} has no place for the table: add lines <!-- bench --> and <!-- /bench -->")
        README.write_text(text)


def machine() -> str:
    """Tell when and where this was measured."""
    where = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return f"{datetime.now(UTC):%Y-%m-%d}, {where}; stand-ins and PostgreSQL on the same machine"
