"""The command line, st-sf: starts things and prints what they say; it decides nothing."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from st_sf_pipelines import console
from st_sf_pipelines.console import previews as rehearsed
from st_sf_pipelines.errors import ConfigError, StSfError
from st_sf_pipelines.settings import LOG_LEVELS, in_force, load

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="ServiceTitan to Salesforce, accounted for.",
)
db_app = typer.Typer(no_args_is_help=True, help="The embedded PostgreSQL server and the schema.")
parked_app = typer.Typer(help="Records that Salesforce or the CRM refused for good, with their mends.")
quarantine_app = typer.Typer(help="Records of ServiceTitan that do not fit, with their reasons.")
app.add_typer(db_app, name="db")
app.add_typer(parked_app, name="parked")
app.add_typer(quarantine_app, name="quarantine")

TenantOption = Annotated[str | None, typer.Option("--tenant", help="One tenant by name; else all.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="Over the site file: segments.vip_lifetime_value=15000; several go.")
]
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
    level = os.environ.get("ST_SF_LOG_LEVEL", "").upper()
    shown = level if level in LOG_LEVELS else logging.WARNING
    logging.basicConfig(level=shown, format="%(levelname)s %(name)s: %(message)s")
    for noisy in ("httpx", "httpcore", "alembic", "simple_salesforce"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


@app.command()
def sync(
    tenant: TenantOption = None,
    entities: Annotated[str, typer.Option(help="Only these entities, by comma.")] = "",
    targets: Annotated[str, typer.Option(help="Only these targets, by comma.")] = "",
    full: Annotated[bool, typer.Option("--full", help="Read and derive everything again; the cursor stays.")] = False,
    since: Annotated[str, typer.Option(help="Read again what was modified since (ISO 8601).")] = "",
    until: Annotated[str, typer.Option(help="With --since: and before.")] = "",
    as_of: Annotated[str, typer.Option(help="The moment that rules are evaluated for (ISO 8601).")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Plan everything, send nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run one round in this process: exit 0 if nothing was rejected, 3 if rows were parked, 1 on failure."""
    config = {"full": full, "since": since, "until": until, "as_of": as_of, "dry_run": dry_run}
    report = _rounds(tenant, _names(entities), _names(targets), {**config, **({"scope": "all"} if full else {})})
    console.show(report, as_json=as_json, how=console.rounds)
    statuses = {each["status"] for each in report["tenants"]}
    sys.exit(1 if statuses & {"failed", "stopped"} else 3 if "parked" in statuses else 0)


@app.command()
def plan(tenant: TenantOption = None, as_json: JsonOption = False) -> None:
    """Read and derive, send nothing; tell how many records, calls and KB of storage each object would take."""
    from st_sf_pipelines.operate.rounds import planned

    report = planned(load(), _rounds(tenant, (), (), {"dry_run": True}))
    console.show(report, as_json=as_json, how=console.plans)
    sys.exit(1 if any(each["status"] == "failed" for each in report["tenants"]) else 0)


@app.command()
def explain(
    customer: Annotated[str, typer.Argument(help="A customer (123, st_123), an opportunity (st_123_1) or lead_45.")],
    tenant: TenantOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which rules put a customer and its opportunities where they are, on which records, and what time changes."""
    from st_sf_pipelines.console.stories import explained
    from st_sf_pipelines.operate.customers import explain as tell

    console.show(tell(load(), tenant, customer), as_json=as_json, how=explained)


@app.command()
def preview(
    tenant: TenantOption = None,
    sets: SetOption = None,
    as_of: Annotated[str, typer.Option(help="The moment that rules are evaluated for (ISO 8601); else now.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Tell, before an edited rule is adopted, who would move from where to where; nothing is written."""
    from st_sf_pipelines.operate import previews

    console.show(previews.preview(load(), tenant, sets or (), as_of), as_json=as_json, how=rehearsed.moves)


@app.command()
def backtest(
    as_of: Annotated[str, typer.Option(help="A moment in the past (ISO 8601).")],
    tenant: TenantOption = None,
    sets: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the rules as of a past date over today's records less those dated after it; nothing is written."""
    from st_sf_pipelines.operate import previews

    console.show(previews.backtest(load(), tenant, sets or (), as_of), as_json=as_json, how=rehearsed.moves)


@app.command()
def reconcile(
    tenant: TenantOption = None,
    sample: Annotated[int, typer.Option(help="Compare so many records at random; 0: all of them.", min=0)] = 0,
    repair: Annotated[bool, typer.Option("--repair", help="Let the next round send again what differs.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Prove that every customer is in each target as acknowledged; exit 1 if one is not."""
    from st_sf_pipelines.operate.targets import prove

    report = prove(load(), tenant, sample=sample or None, repair=repair)
    console.show(report, as_json=as_json, how=console.proofs)
    sys.exit(0 if report["ok"] else 1)


@app.command()
def adopt(
    tenant: TenantOption = None,
    apply: Annotated[bool, typer.Option("--apply", help="Link the certain ones, and open the target.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Recognise our customers among the records that Salesforce and the CRM hold already; nothing is created."""
    from st_sf_pipelines.operate.targets import adopt as recognise

    report = recognise(load(), tenant, apply=apply)
    console.show(report, as_json=as_json, how=console.adoptions)
    sys.exit(0 if report["ok"] else 1)


@parked_app.callback(invoke_without_command=True)
def parked(context: typer.Context, tenant: TenantOption = None, as_json: JsonOption = False) -> None:
    """List what Salesforce or the CRM refused for good: the record, the code, and the mend."""
    if context.invoked_subcommand:
        return
    from st_sf_pipelines.operate.targets import list_parked

    console.show(list_parked(load(), tenant), as_json=as_json, how=console.parked)


@parked_app.command("retry")
def parked_retry(
    key: Annotated[str | None, typer.Argument(help="One record by its key (st_123, in the CRM 123); else all.")] = None,
    tenant: TenantOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let parked records be sent again at the next round."""
    from st_sf_pipelines.operate.targets import retry_parked

    count = retry_parked(load(), tenant, key)
    told = f"{count} records will be sent again at the next round"
    console.show({"retried": count}, as_json=as_json, how=lambda _: typer.echo(told))


@app.command()
def check(tenant: TenantOption = None, as_json: JsonOption = False) -> None:
    """Ask each system one question, and list what wants a person's hand; exit 1 if something is wrong."""
    from st_sf_pipelines.operate.checking import check as look_over

    report = look_over(load(), tenant)
    console.show(report, as_json=as_json, how=console.findings)
    sys.exit(0 if report["ok"] else 1)


@app.command()
def setup(
    tenant: TenantOption = None,
    target: Annotated[str, typer.Option(help="crm")] = "crm",
    apply: Annotated[bool, typer.Option("--apply", help="Make what is missing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a target lacks (the CRM's pipelines and stages); with --apply, make it."""
    from st_sf_pipelines.operate.targets import setup as set_up

    report = set_up(load(), tenant, target, apply=apply)
    console.show(report, as_json=as_json, how=console.set_up)
    sys.exit(0 if report["ok"] else 1)


@app.command()
def state(
    customer: Annotated[str, typer.Argument(help="A ServiceTitan customer id, or its external id (st_123).")],
    value: Annotated[str, typer.Argument(help="The state: 0, 1, 2, 2.5, 3, 4, 5, 5.5 or 6.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the change.")],
    tenant: TenantOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set a customer's state by hand; it stays until a newer fact supports another."""
    from st_sf_pipelines.operate.customers import set_state

    told = f"{customer} is in state {value} from now on, until a newer fact supports another"
    report = set_state(load(), tenant, customer, value, reason)
    console.show(report, as_json=as_json, how=lambda _: typer.echo(told))


@app.command()
def allow(
    run: Annotated[str, typer.Argument(help="The run that the mass-change guard stopped.")], as_json: JsonOption = False
) -> None:
    """Let the change that the guard stopped in a run go on at the next round."""
    from st_sf_pipelines.operate.targets import allow as let_go_on

    report = let_go_on(load(), run)
    console.show(report, as_json=as_json, how=console.allowed)


@app.command()
def sweep(
    tenant: TenantOption = None,
    calls: Annotated[int | None, typer.Option(help="The budget of API calls; else the tenant's own.", min=1)] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare ServiceTitan's whole lists with the store; take in what no feed told, and mark what is gone."""
    from st_sf_pipelines.defs.instance import open_instance
    from st_sf_pipelines.operate.sweep import run_sweeps

    settings = load()
    with open_instance(settings) as instance:
        report = run_sweeps(instance, settings, tenant, calls)
    console.show(report, as_json=as_json, how=console.sweeps)
    sys.exit(0 if report["ok"] else 1)


@quarantine_app.callback(invoke_without_command=True)
def quarantine(context: typer.Context, tenant: TenantOption = None, as_json: JsonOption = False) -> None:
    """List ServiceTitan's records that do not fit, with their reasons, unknown fields, and records that are gone."""
    if context.invoked_subcommand:
        return
    from st_sf_pipelines.operate.customers import list_quarantine

    console.show(list_quarantine(load(), tenant), as_json=as_json, how=console.quarantine)


@quarantine_app.command("drop")
def quarantine_drop(
    key: Annotated[str, typer.Argument(help="The record's key, as `st-sf quarantine` lists it.")],
    entity: Annotated[str | None, typer.Option(help="Its entity, where several have this key.")] = None,
    tenant: TenantOption = None,
    as_json: JsonOption = False,
) -> None:
    """Dismiss a record from quarantine, such as one without an id, which nothing releases by itself."""
    from st_sf_pipelines.operate.customers import drop_quarantined

    report = drop_quarantined(load(), tenant, key, entity)
    told = f"{key} of {report['entity']} is no longer in quarantine; it comes back if it is read again as it was"
    console.show(report, as_json=as_json, how=lambda _: typer.echo(told))


@app.command("clean-up")
def clean_up(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would go; delete nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Forget what is older than the site file's `retention`; Dagster does it every night."""
    from st_sf_pipelines.operate.cleaning import clean_up as forget

    console.show(forget(load(), dry_run=dry_run), as_json=as_json, how=console.forgotten)


@app.command("config")
def show_config(tenant: TenantOption = None, as_json: JsonOption = False) -> None:
    """Print what is in force, each value with its origin; secrets are masked."""
    settings = load()
    if tenant is not None:
        from st_sf_pipelines.defs.resources import tenants_of

        tenants_of(settings, tenant)  # a typing error is told
    report = {name: {"value": value, "origin": origin} for name, value, origin in in_force(settings, tenant)}
    console.show(report, as_json=as_json, how=console.values)


@db_app.command("start")
def db_start() -> None:
    """Start the embedded server, and bring the schema up to date."""
    from st_sf_pipelines.defs.instance import open_database

    open_database(load())
    typer.echo("running; `st-sf db url` prints its address")


@db_app.command("stop")
def db_stop() -> None:
    """Stop the embedded server."""
    from st_sf_pipelines.store import local

    typer.echo("stopped" if local.stop(load().home) else "it was not running")


@db_app.command("url")
def db_url() -> None:
    """Print the database's address, password and all, for other programs."""
    from st_sf_pipelines.store import local

    settings = load()
    typer.echo(settings.database_url or local.url(settings.home))


@db_app.command("migrate")
def db_migrate() -> None:
    """Bring the schema to its newest step."""
    from st_sf_pipelines.defs.instance import open_database, prepare_dagster

    settings = load()
    open_database(settings)
    prepare_dagster(settings)
    typer.echo("the schema is at its newest step")


@app.command()
def simulate(
    system: Annotated[str, typer.Argument(help="servicetitan, salesforce or crm")],
    port: Annotated[int, typer.Option(help="0: any free port.")] = 0,
    shop: Annotated[str | None, typer.Option(help="A shop's name, or a JSON file.")] = None,
    customers: Annotated[int | None, typer.Option(help="How many customers the shop has.")] = None,
    page_size: Annotated[int | None, typer.Option(help="Records of a feed's page.")] = None,
    faults: Annotated[Path | None, typer.Option(help="A JSON file of faults.")] = None,
    live: Annotated[float | None, typer.Option(help="Seconds between two events of a shop that lives.")] = None,
) -> None:
    """Serve one stand-in; the first line is a JSON object with its address and credentials."""
    try:
        _serve(system, port, shop, customers, page_size, faults, live)
    except (OSError, ValueError, TypeError) as error:
        cause = error.strerror if isinstance(error, OSError) else str(error)
        named = faults if isinstance(error, FileNotFoundError) else f"port {port}"
        where = f"{named}: " if isinstance(error, OSError) else ""
        raise ConfigError([f"the stand-in for {system} cannot start: {where}{cause}"]) from None


def _serve(
    system: str,
    port: int,
    shop: str | None,
    customers: int | None,
    page_size: int | None,
    faults: Path | None,
    live: float | None,
) -> None:
    if system == "servicetitan":
        from st_sf_pipelines.simulators.servicetitan import ServiceTitanSimulator

        ServiceTitanSimulator(
            shop, customers=customers, page_size=page_size, faults=faults, live=live, port=port
        ).serve()
    elif system == "salesforce":
        from st_sf_pipelines.simulators.salesforce import SalesforceSimulator

        SalesforceSimulator(port, faults=faults).serve()
    elif system == "crm":
        from st_sf_pipelines.simulators.crm import CrmSimulator

        CrmSimulator(port, faults=faults).serve()
    else:
        raise ConfigError([f"{system!r} is no system to stand in for; expected servicetitan, salesforce or crm"])


@app.command()
def demo(
    customers: Annotated[int | None, typer.Option(help="How many customers the shop has.")] = None,
    port: Annotated[int, typer.Option(help="The port of the Dagster UI.")] = 3000,
    crm: Annotated[str, typer.Option(help="stand-in, or payload: a real Payload CMS (it needs Node).")] = "stand-in",
) -> None:
    """Show it all on this machine: database, stand-ins with a shop that lives, Dagster; Ctrl-C stops everything."""
    from st_sf_pipelines.demo import demo as show

    if crm not in ("stand-in", "payload"):
        raise ConfigError([f"--crm {crm}: expected stand-in or payload"])
    sys.exit(show(customers=customers, port=port, payload=crm == "payload"))


@app.command()
def dev(port: Annotated[int, typer.Option(help="The port of the Dagster UI.")] = 3000) -> None:
    """Run Dagster on the site's own tenants; Ctrl-C stops everything."""
    from st_sf_pipelines.demo import dev as develop

    sys.exit(develop(load(), port=port))


def _rounds(
    tenant: str | None, entities: tuple[str, ...], targets: tuple[str, ...], config: dict[str, Any]
) -> dict[str, Any]:
    from st_sf_pipelines.defs.instance import open_instance
    from st_sf_pipelines.defs.resources import tenants_of
    from st_sf_pipelines.operate.rounds import run_rounds

    settings = load()
    chosen = tenants_of(settings, tenant)
    with open_instance(settings) as instance:
        return run_rounds(instance, settings, chosen, entities=entities, targets=targets, **config)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


if __name__ == "__main__":
    main()
