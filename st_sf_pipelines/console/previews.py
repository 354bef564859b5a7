"""How a rehearsal looks in a terminal: how many stand where before and after, and who moves, for each conclusion."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.console import LISTED, Report, new_table, out

if TYPE_CHECKING:
    from rich.console import Console


def moves(report: Report) -> None:
    """Print the report of `preview` or `backtest`; of the movers the first few."""
    console = out()
    edited = f", with {', '.join(report['set'])}" if report["set"] else ""
    console.print(f"As of {report['as_of']:%Y-%m-%d %H:%M} UTC{edited}. {report['says']}")
    for tenant in report["tenants"]:
        for section, found in tenant.items():
            if section not in ("name", "error"):
                _section(console, tenant["name"], section, found)


def _section(console: Console, tenant: str, section: str, found: dict[str, Any]) -> None:
    stands = new_table("tenant", section, "before", "after")
    for value, before in found["before"].items():
        if not before and not found["after"][value]:
            continue
        stands.add_row(tenant, value, f"{before:,}", f"{found['after'][value]:,}")
    console.print()
    console.print(stands)
    console.print()
    subjects = found["subjects"]
    moved = sum(move[subjects] for move in found["moves"])
    new = f"; {found['new']:,} had none before" if found["new"] else ""
    console.print(f"{tenant}: {moved:,} of {sum(found['before'].values()):,} {subjects} move{new}")
    for move in found["moves"]:
        console.print(f"  {move[subjects]:,} from {move['from']} to {move['to']}")
    if not moved:
        return
    listed = new_table(subjects.removesuffix("s"), "from", "to", "rule", "evidence")
    for row in islice(found["moved"], LISTED):
        known = {name.replace("_", " "): value for name, value in row["evidence"].items() if value is not None}
        told = ", ".join(f"{name} {_worded(value)}" for name, value in known.items())
        listed.add_row(str(row.get("deal", row["st_id"])), row["from"], row["to"], row["rule"], told)
    console.print()
    console.print(listed)
    if moved > LISTED:
        console.print(f"and {moved - LISTED:,} more; --json lists them all")


def _worded(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
