"""How results look in a terminal: a table or some sentences for each kind of report, or one JSON object for all."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

Report = dict[str, Any]
LISTED = 20
_FIELD = "field that we did not know"


def out() -> Console:
    """Give the console of standard output; where it is no terminal, lines are wide and without colour."""
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def show(report: Any, *, as_json: bool, how: Callable[[Any], None]) -> None:
    """Print a report as JSON, or as `how` prints it; what failed goes to standard error."""
    if as_json:
        sys.stdout.writelines(_json(report))
        sys.stdout.write("\n")
        return
    how(report)
    for each in report.get("tenants", []) if isinstance(report, dict) else []:
        if each.get("error"):
            sys.stderr.write(f"{each['error']}\n")


def rounds(report: Report) -> None:
    """Print what each tenant's round read, concluded and wrote."""
    read = new_table("tenant", "entity", "read", "new", "changed", "quarantined", "calls")
    for name, entity, row in _parts(report, "entities"):
        _row(read, name, entity, row, "read", "new", "changed", "quarantined", "calls")
    wrote = new_table("tenant", "target", "planned", "created", "updated", "unchanged", "parked", "calls")
    for name, asset, row in _parts(report, "targets"):
        _row(wrote, name, asset, row, "planned", "created", "updated", "unchanged", "parked", "calls")
    console = out()
    console.print(read)
    console.print()
    console.print(wrote)
    console.print()
    for each in report["tenants"]:
        moved = ", ".join(f"{count} {what} changed" for what, count in each["derived_changed"].items())
        console.print(f"{each['name']}: {each['status']}{f' ({moved})' if moved else ''}")
        again = [entity for entity, row in each["entities"].items() if row.get("restarted")]
        if again:
            console.print(
                f"{each['name']}: ServiceTitan refused the stored token of {', '.join(again)}; read again from where "
                "the feed last ended, or from its beginning: nothing is lost, the round took longer"
            )
        if each["note"]:
            console.print(escape(each["note"]))
        if each["held"]:
            held = sum(row["count"] for row in each["held"])
            console.print(f"{each['name']}: {held} held back or without a deal; --json lists them by reason")
        if each["unmapped"]:
            units = escape(", ".join(each["unmapped"]))
            console.print(f"{each['name']}: business units that nobody mapped: {units}")


def plans(report: Report) -> None:
    """Print what the next round would send, and what the guard would not let go."""
    names = ("records", "create", "update", "calls", "storage", "unchanged", "parked")
    table = new_table("tenant", "target", *names)
    for name, asset, row in _parts(report, "targets"):
        storage = "" if row["storage_kb"] is None else f"{row['storage_kb']:,} KB"
        _row(table, name, asset, {**row, "storage": storage}, *names)
    console = out()
    console.print(table)
    for name, asset, row in _parts(report, "targets"):
        if row["held"]:
            console.print(f"{name} {asset}: the guard holds {len(row['held'])}: {', '.join(row['held'][:LISTED])}")
        if len(row["held"]) > LISTED:
            console.print(f"{name} {asset}: and {len(row['held']) - LISTED} more; --json lists them all")


def proofs(report: Report) -> None:
    """Print how all customers stand in each target, what is parked, and what differs."""
    names = ("source", "synced", "pending", "waiting", "parked", "compared")
    table = new_table("tenant", "target", "customers", *names[1:], "differ")
    for name, asset, row in _parts(report, "objects"):
        _row(table, name, asset, {**row, "differ": len(row["differences"])}, *names, "differ")
    console = out()
    console.print(table)
    for name, asset, row in _parts(report, "objects"):
        for code, count in row["parked_by_code"].items():
            console.print(f"{name} {asset}: {count} parked: {code}")
        for difference in row["differences"][:LISTED]:
            fields = f" ({', '.join(difference['fields'])})" if difference["fields"] else ""
            console.print(f"{name} {asset}: {difference['key']} {difference['what']}{fields}")
        if len(row["differences"]) > LISTED:
            console.print(f"{name} {asset}: and {len(row['differences']) - LISTED} more; --json lists them all")


def adoptions(report: Report) -> None:
    """Print whom `adopt` recognised, and whom a person must decide on."""
    verb = "linked" if report["applied"] else "to link"
    table = new_table("tenant", "target", "records there", verb, "undecided", "to create")
    for name, asset, row in _parts(report, "objects"):
        counts = (row["records"], len(row["linked"]), len(row["undecided"]), row["unmatched"])
        table.add_row(name, asset, *map(str, counts))
    console = out()
    console.print(table)
    for name, asset, row in _parts(report, "objects"):
        for one in row["undecided"]:
            console.print(f"{name} {asset}: {one['key']} may be {', '.join(one['remote_ids'])} ({one['by']})")
    if report["ok"] and not report["applied"]:
        console.print("Nothing was changed. `st-sf adopt --apply` links the certain ones; the next round writes them.")


def parked(report: Report) -> None:
    """Print each parked record with its code and mend."""
    console = out()
    for each in report["tenants"]:
        table = new_table("tenant", "target", "key", "code", "fields", "mend")
        for row in each["parked"]:
            table.add_row(each["name"], row["object"], row["key"], row["code"], ", ".join(row["fields"]), row["mend"])
        console.print(table if each["parked"] else f"{each['name']}: nothing is parked")


def quarantine(report: Report) -> None:
    """Print each record in quarantine with its reason, then fields that we did not know, and records that are gone."""
    console = out()
    for each in report["tenants"]:
        table = new_table("tenant", "entity", "key", "reason", "first seen")
        for row in each["quarantine"]:
            table.add_row(each["name"], row["entity"], row["key"], row["reason"], _minute(row["first_seen"]))
        console.print(table if each["quarantine"] else f"{each['name']}: nothing is in quarantine")
        unknown = new_table("tenant", "entity", _FIELD, "type", "first seen")
        for row in each["drift"]:
            unknown.add_row(each["name"], row["entity"], escape(row["field"]), row["kind"], _minute(row["first_seen"]))
        gone = new_table("tenant", "entity", "record that is gone", "since")
        for row in each["gone"]:
            gone.add_row(each["name"], row["entity"], str(row["id"]), _minute(row["gone_at"]))
        for shown in (unknown, gone):
            if shown.row_count:
                console.print()
                console.print(shown)


def sweeps(report: Report) -> None:
    """Print what each tenant's sweep found in each list, and how the counts compare."""
    table = new_table("tenant", "entity", "read", "new", "changed", "gone", "listed", "held", "calls", "state")
    for name, entity, row in _parts(report, "entities"):
        state = row["doubt"] or ("whole" if row["finished"] else "goes on the next night")
        shown = {**row, "gone": len(row["gone"]), "listed": "" if row["listed"] is None else row["listed"]}
        table.add_row(
            name,
            entity,
            *(str(shown[column]) for column in ("read", "new", "changed", "gone", "listed", "held", "calls")),
            state,
        )
    out().print(table)


def forgotten(report: Report) -> None:
    """Print how many rows of each table went, or would go."""
    table = new_table("what", "would go" if report["dry_run"] else "deleted")
    for what, count in report["deleted"].items():
        if what != "dagster runs kept":
            table.add_row(what, f"{count:,}")
    console = out()
    console.print(table)
    kept = report["deleted"]["dagster runs kept"]
    console.print(f"{kept:,} old runs stay, as they hold the latest materialization or check of an asset and tenant")


def values(report: Report) -> None:
    """Print configuration values with their origins."""
    table = new_table("name", "value", "origin")
    for name, row in report.items():
        table.add_row(name, escape(row["value"]), row["origin"])
    out().print(table)


def findings(report: Report) -> None:
    """Print what a check found, with the mends."""
    for each in report["tenants"]:
        table = new_table("tenant", "where", "level", "says", "mend")
        for row in each["findings"]:
            table.add_row(each["name"], row["where"], row["level"], escape(row["says"]), escape(row["mend"]))
        out().print(table if each["findings"] else f"{each['name']}: all is well")


def set_up(report: Report) -> None:
    """Print what each CRM lacks, or what was made."""
    for each in report["tenants"]:
        for words in each["missing"]:
            out().print(f"{each['name']}: {'made' if words in each['made'] else 'missing'}: {words}")
        if not each["missing"] and not each["error"]:
            out().print(f"{each['name']}: nothing is missing")


def allowed(report: Report) -> None:
    """Say how many records of each object may change at the next round."""
    for asset, count in report["allowed"].items():
        out().print(f"{asset}: {count} records may change at the next round")


def _parts(report: Report, part: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for each in report["tenants"]:
        for name, row in each[part].items():
            yield each["name"], name, row


def new_table(*columns: str) -> Table:
    """Make a table; the first two columns, and those of words, are set to the left."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for n, column in enumerate(columns):
        words = n < 2 or column in (
            *(
                "code",
                "fields",
                "mend",
                "origin",
                "key",
                "reason",
                "from",
                "to",
                "rule",
                "evidence",
                "type",
                "state",
                "level",
                "says",
            ),
            _FIELD,
        )
        table.add_column(column, justify="left" if words else "right", no_wrap=n < 2)
    return table


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _row(table: Table, tenant: str, what: str, row: dict[str, Any], *names: str) -> None:
    table.add_row(tenant, what, *(str(row.get(name, 0)) for name in names))


def _json(value: Any) -> Iterator[str]:
    """Write JSON piece by piece: a list that a report holds as an iterator is never whole in memory."""
    if isinstance(value, dict):
        for n, (name, child) in enumerate(value.items()):
            yield f"{', ' if n else '{'}{json.dumps(name, default=_plain, ensure_ascii=False)}: "
            yield from _json(child)
        yield "}" if value else "{}"
    elif isinstance(value, list | Iterator):
        yield "["
        for n, child in enumerate(value):
            yield ", " if n else ""
            yield from _json(child)
        yield "]"
    else:
        yield json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    return float(value) if isinstance(value, Decimal) else str(value)
