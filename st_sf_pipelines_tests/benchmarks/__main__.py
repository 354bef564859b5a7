"""`make bench`: the way of a customer measured step by step, against stand-ins in processes of their own."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from . import against_dlt, growth, whole_rounds
from .table import Measured

if TYPE_CHECKING:
    from collections.abc import Callable

TOPICS: Final[dict[str, Callable[[Measured, int], None]]] = {
    "rounds": whole_rounds.measure,
    "dlt": against_dlt.measure,
    "growth": growth.measure,
}


def main() -> None:
    """Measure every topic, or those that are named; print the table, and with --write put it into the README."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("topics", nargs="*", choices=[*TOPICS, []], help="all unless named")
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--write", action="store_true", help="put the table into the README")
    told = parser.parse_args()
    rows = Measured()
    for topic in told.topics or TOPICS:
        TOPICS[topic](rows, told.customers)
    rows.show()
    if told.write:
        rows.write()


if __name__ == "__main__":
    main()
