"""The command line, st-sf: starts things and prints what they say; it decides nothing."""

from __future__ import annotations

import json
import logging
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from st_sf_pipelines.errors import ConfigError, StSfError
from st_sf_pipelines.settings import in_force, load

if TYPE_CHECKING:
    from st_sf_pipelines.config import Tenant

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="ServiceTitan to Salesforce, accounted for.",
)
db_app = typer.Typer(no_args_is_help=True, help="The embedded PostgreSQL server and the schema.")
parked_app = typer.Typer(help="Records that Salesforce refused for good, with their mends.")
app.add_typer(db_app, name="db")
app.add_typer(parked_app, name="parked")
out = Console(width=None if sys.stdout.isatty() else 160, highlight=False)

TenantOption = Annotated[str | None, typer.Option("--tenant", help="One tenant by name; else all.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def main() -> None:
    """Run the command line: 0 is done, 1 is failed with the reason on standard error, 3 is 'rows were parked'."""
    try:
        app()
    except ConfigError as error:
        for fault in error.faults:
            sys.stderr.write(f"{fault}\n")
        sys.exit(1)
    except StSfError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)


@app.callback()
def _prepare() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for noisy in ("httpx", "httpcore", "alembic", "simple_salesforce"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


@app.command()
def sync(
    tenant: TenantOption = None,
    entities: Annotated[str, typer.Option(help="Only these entities, by comma.")] = "",
    targets: Annotated[str, typer.Option(help="Only these targets, by comma.")] = "",
    full: Annotated[bool, typer.Option(help="Read and derive everything again; the cursor stays.")] = False,
    since: Annotated[str, typer.Option(help="Read again what was modified since (ISO 8601).")] = "",
    until: Annotated[str, typer.Option(help="With --since: and before.")] = "",
    as_of: Annotated[str, typer.Option(help="The moment that rules are evaluated for (ISO 8601).")] = "",
    dry_run: Annotated[bool, typer.Option(help="Plan everything, send nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run one round in this process: exit 0 if nothing was rejected, 3 if rows were parked, 1 on failure."""
    config = {"full": full, "since": since, "until": until, "as_of": as_of, "dry_run": dry_run}
    if full:
        config["scope"] = "all"
    report = _rounds(tenant, _names(entities), _names(targets), config)
    if as_json:
        _print_json(report)
    else:
        _print_rounds(report)
    statuses = {each["status"] for each in report["tenants"]}
    sys.exit(1 if statuses & {"failed", "stopped"} else 3 if "parked" in statuses else 0)


@app.command()
def plan(tenant: TenantOption = None, as_json: JsonOption = False) -> None:
    """Read and derive, send nothing; tell how many records and calls each object would take."""
    report = _rounds(tenant, (), (), {"dry_run": True})
    rows = {
        each["name"]: {
            asset: {
                "records": counts["planned"],
                **counts["would"],
                "unchanged": counts["unchanged"],
                "parked": counts["parked"],
            }
            for asset, counts in each["targets"].items()
        }
        for each in report["tenants"]
    }
    if as_json:
        tenants = [
            {"name": each["name"], "status": each["status"], "error": each["error"], "targets": rows[each["name"]]}
            for each in report["tenants"]
        ]
        _print_json({"as_of": report["as_of"], "tenants": tenants})
    else:
        table = _table("tenant", "object", "records", "create", "update", "calls", "parked")
        for name, objects in rows.items():
            for asset, row in objects.items():
                table.add_row(name, asset, *(str(row[c]) for c in ("records", "create", "update", "calls", "parked")))
        out.print(table)
        _print_errors(report)
    sys.exit(1 if any(each["status"] == "failed" for each in report["tenants"]) else 0)


@app.command()
def explain(
    customer: Annotated[str, typer.Argument(help="A ServiceTitan customer id, or its external id (st_123).")],
    tenant: TenantOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which rule put a customer where it is, on which records, and when that changes by itself."""
    from datetime import UTC

    from st_sf_pipelines.defs.instance import open_database
    from st_sf_pipelines.defs.resources import tenants_of
    from st_sf_pipelines.sync import derive

    settings = load()
    db = open_database(settings)
    digits = "".join(ch for ch in customer.rpartition("_")[2] if ch.isdigit())
    if not digits:
        raise ConfigError([f"{customer!r} is no customer id; expected a number such as 12345, or st_12345"])
    for each in tenants_of(settings, tenant):
        found = derive.explain(db, each, settings.site.segments_of(each), int(digits), datetime.now(UTC))
        if found is None:
            continue
        if as_json:
            _print_json({"tenant": each.name, **found})
        else:
            _print_explained(each, found)
        return
    raise ConfigError([f"no customer {digits} is known; run `st-sf sync` first, or look for a typing error"])


@app.command()
def reconcile(
    tenant: TenantOption = None,
    sample: Annotated[int, typer.Option(help="Compare so many records at random; 0: all of them.")] = 0,
    repair: Annotated[bool, typer.Option(help="Send again, at the next round, what differs in fields we own.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Prove that every customer is in each target as acknowledged; exit 1 if one is not."""
    from st_sf_pipelines.defs.maintain import prove

    report = prove(load(), tenant, sample=sample or None, repair=repair)
    if as_json:
        _print_json(report)
    else:
        table = _table("tenant", "object", "customers", "synced", "pending", "waiting", "parked", "compared", "differ")
        names = ("source", "synced", "pending", "waiting", "parked", "compared")
        for each in report["tenants"]:
            for asset, row in each["objects"].items():
                differ = str(len(row["differences"]))
                table.add_row(each["name"], asset, *(str(row[name]) for name in names), differ)
        out.print(table)
        for each in report["tenants"]:
            for asset, row in each["objects"].items():
                for code, count in row["parked_by_code"].items():
                    out.print(f"{each['name']} {asset}: {count} parked: {code}")
                for difference in row["differences"][:20]:
                    fields = f" ({', '.join(difference['fields'])})" if difference["fields"] else ""
                    out.print(f"{each['name']} {asset}: {difference['key']} {difference['what']}{fields}")
        _print_errors(report)
    sys.exit(0 if report["ok"] else 1)


@app.command()
def adopt(
    tenant: TenantOption = None,
    apply: Annotated[bool, typer.Option("--apply", help="Link the certain ones, and open the target.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Recognise our customers among the records that Salesforce holds already; nothing is created."""
    from st_sf_pipelines.defs.maintain import adopt as adopt_all

    settings = load()
    report = adopt_all(settings, tenant, apply=apply)
    if as_json:
        _print_json(report)
    else:
        verb = "linked" if apply else "to link"
        table = _table("tenant", "object", "records there", verb, "undecided", "to create")
        for each in report["tenants"]:
            for asset, row in each["objects"].items():
                counts = (row["records"], len(row["linked"]), len(row["undecided"]), row["unmatched"])
                table.add_row(each["name"], asset, *map(str, counts))
        out.print(table)
        for each in report["tenants"]:
            for asset, row in each["objects"].items():
                for one in row["undecided"]:
                    out.print(
                        f"{each['name']} {asset}: {one['key']} may be {', '.join(one['remote_ids'])} ({one['by']})"
                    )
        _print_errors(report)
        if not apply and report["ok"]:
            out.print("Nothing was changed. `st-sf adopt --apply` links the certain ones; the next round writes them.")
    sys.exit(0 if report["ok"] else 1)


@parked_app.callback(invoke_without_command=True)
def parked(context: typer.Context, tenant: TenantOption = None, as_json: JsonOption = False) -> None:
    """List what Salesforce refused for good: the record, the code, and the mend."""
    if context.invoked_subcommand:
        return
    from st_sf_pipelines.defs.maintain import list_parked

    report = list_parked(load(), tenant)
    if as_json:
        _print_json(report)
        return
    for each in report["tenants"]:
        table = _table("tenant", "object", "key", "code", "fields", "mend")
        for row in each["parked"]:
            table.add_row(each["name"], row["object"], row["key"], row["code"], ", ".join(row["fields"]), row["mend"])
        out.print(table if each["parked"] else f"{each['name']}: nothing is parked")


@parked_app.command("retry")
def parked_retry(
    key: Annotated[str | None, typer.Argument(help="One record by its key (st_123); else all.")] = None,
    tenant: TenantOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let parked records be sent again at the next round."""
    from st_sf_pipelines.defs.maintain import retry_parked

    count = retry_parked(load(), tenant, key)
    if as_json:
        _print_json({"retried": count})
    else:
        out.print(f"{count} records will be sent again at the next round")


@app.command("config")
def show_config(as_json: JsonOption = False) -> None:
    """Print what is in force, each value with its origin; secrets are masked."""
    rows = list(in_force(load()))
    if as_json:
        _print_json({name: {"value": value, "origin": origin} for name, value, origin in rows})
        return
    table = _table("name", "value", "origin")
    for row in rows:
        table.add_row(*row)
    out.print(table)


@db_app.command("start")
def db_start() -> None:
    """Start the embedded server, and bring the schema up to date."""
    from st_sf_pipelines.defs.instance import open_database

    open_database(load())
    out.print("running; `st-sf db url` prints its address")


@db_app.command("stop")
def db_stop() -> None:
    """Stop the embedded server."""
    from st_sf_pipelines.store import local

    out.print("stopped" if local.stop(load().home) else "it was not running")


@db_app.command("url")
def db_url() -> None:
    """Print the database's address, password and all, for other programs."""
    from st_sf_pipelines.store import local

    settings = load()
    sys.stdout.write(f"{settings.database_url or local.url(settings.home)}\n")


@db_app.command("migrate")
def db_migrate() -> None:
    """Bring the schema to its newest step."""
    from st_sf_pipelines.defs.instance import open_database, prepare_dagster

    settings = load()
    open_database(settings)
    prepare_dagster(settings)
    out.print("the schema is at its newest step")


@app.command()
def simulate(
    system: Annotated[str, typer.Argument(help="servicetitan or salesforce")],
    port: Annotated[int, typer.Option(help="0: any free port.")] = 0,
    shop: Annotated[str | None, typer.Option(help="A shop's name, or a JSON file.")] = None,
    customers: Annotated[int | None, typer.Option(help="How many customers the shop has.")] = None,
    page_size: Annotated[int | None, typer.Option(help="Records of a feed's page.")] = None,
    faults: Annotated[Path | None, typer.Option(help="A JSON file of faults.")] = None,
    live: Annotated[float | None, typer.Option(help="Seconds between two events of a shop that lives.")] = None,
) -> None:
    """Serve one stand-in; the first line is a JSON object with its address and credentials."""
    if system == "servicetitan":
        from st_sf_pipelines.simulators.servicetitan.serve import serve as serve_servicetitan

        serve_servicetitan(port=port, shop=shop, customers=customers, page_size=page_size, faults=faults, live=live)
    elif system == "salesforce":
        from st_sf_pipelines.simulators.salesforce.serve import serve as serve_salesforce

        serve_salesforce(port=port, faults=faults)
    else:
        raise ConfigError([f"{system!r} is no system to stand in for; expected servicetitan or salesforce"])


@app.command()
def demo(
    customers: Annotated[int | None, typer.Option(help="How many customers the shop has.")] = None,
    port: Annotated[int, typer.Option(help="The port of the Dagster UI.")] = 3000,
) -> None:
    """Show it all on this machine: database, stand-ins with a shop that lives, Dagster; Ctrl-C stops everything."""
    from st_sf_pipelines.demo import demo as show

    sys.exit(show(customers=customers, port=port))


@app.command()
def dev(port: Annotated[int, typer.Option(help="The port of the Dagster UI.")] = 3000) -> None:
    """Run Dagster on the site's own tenants; Ctrl-C stops everything."""
    from st_sf_pipelines.demo import dev as develop

    sys.exit(develop(load(), port=port))


def _rounds(
    tenant: str | None, entities: tuple[str, ...], targets: tuple[str, ...], config: dict[str, Any]
) -> dict[str, Any]:
    from st_sf_pipelines.defs.instance import open_instance
    from st_sf_pipelines.defs.maintain import run_rounds
    from st_sf_pipelines.defs.resources import tenants_of

    settings = load()
    chosen = tenants_of(settings, tenant)
    with open_instance(settings) as instance:
        return run_rounds(instance, settings, chosen, entities=entities, targets=targets, **config)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for n, column in enumerate(columns):
        table.add_column(column, justify="left" if n < 2 else "right", overflow="fold")
    return table


def _print_rounds(report: dict[str, Any]) -> None:
    table = _table("tenant", "what", "read", "new", "changed", "set aside", "calls")
    for each in report["tenants"]:
        for name, row in each["entities"].items():
            counts = (row.get(c, 0) for c in ("read", "new", "changed", "quarantined", "calls"))
            table.add_row(each["name"], name, *map(str, counts))
        for name, changed in each["derived_changed"].items():
            table.add_row(each["name"], name, "", "", str(changed), "", "")
        for name, row in each["targets"].items():
            counts = (row.get(c, 0) for c in ("planned", "created", "updated", "parked", "calls"))
            table.add_row(each["name"], name, *map(str, counts))
    out.print(table)
    for each in report["tenants"]:
        out.print(f"{each['name']}: {each['status']}")
    _print_errors(report)


def _print_errors(report: dict[str, Any]) -> None:
    for each in report["tenants"]:
        if each.get("error"):
            sys.stderr.write(f"{each['error']}\n")


def _print_explained(tenant: Tenant, found: dict[str, Any]) -> None:
    customer, segment = found["customer"], found["segment"]
    evidence = segment["evidence"]
    invoices, job = evidence["invoices"], evidence["last_job"]
    out.print(f"[bold]{customer['name'] or customer['last_name']}[/] (customer {customer['st_id']} of {tenant.name})")
    out.print(f"Segment {segment['value']}: {segment['says']}")
    largest = ", ".join(map(str, invoices["largest"] or [])) or "none"
    out.print(
        f"  lifetime value ${evidence['lifetime_value']:,.2f} from {invoices['count']} invoices, largest {largest}"
    )
    if job:
        ago = evidence["days_since_last_job"]
        out.print(
            f"  last job {job['job_number'] or job['id']} completed on {evidence['last_job_date']}, {ago} days ago"
        )
    else:
        out.print("  no completed job")
    due = segment["due_on"]
    out.print(f"  looked at again on {due}, without any event" if due else "  time alone will not change it")


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, default=_plain, ensure_ascii=False) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return float(value)
    return value.hex() if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    main()
