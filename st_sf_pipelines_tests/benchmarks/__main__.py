"""`make bench`: the way of a customer measured step by step, against stand-ins in processes of their own."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from . import a_million, against_dlt, crm, growth, whole_rounds
from .table import Measured

if TYPE_CHECKING:
    from collections.abc import Callable

TOPICS: Final[dict[str, tuple[Callable[[Measured, int], None], str]]] = {  # each with the option that tells its size
    "rounds": (whole_rounds.measure, "customers"),
    "dlt": (against_dlt.measure, "customers"),
    "growth": (growth.measure, "customers"),
    "base": (a_million.measure, "base"),
    "crm": (crm.measure, "contacts"),
}


def main() -> None:
    """Measure every topic, or those that are named; print the table, and with --write put it into the README."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("topics", nargs="*", choices=[*TOPICS, []], help="all unless named")
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--base", type=int, default=1_000_000, help="customers of whom all is concluded")
    parser.add_argument("--contacts", type=int, default=1_500, help="contacts into a real Payload")
    parser.add_argument("--write", action="store_true", help="put the table into the README")
    told = parser.parse_args()
    rows = Measured()
    for topic in told.topics or TOPICS:
        measure, size = TOPICS[topic]
        measure(rows, getattr(told, size))
    rows.show()
    if told.write:
        rows.write()


if __name__ == "__main__":
    main()
