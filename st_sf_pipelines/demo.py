"""Runs Dagster with what it needs on this machine, shows each round as it ends, and leaves no process behind."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.live import Live
from rich.table import Table

from st_sf_pipelines.defs.instance import ROOT, open_database, prepare_dagster
from st_sf_pipelines.errors import StSfError
from st_sf_pipelines.settings import Settings, load
from st_sf_pipelines.simulators.crm.payload import PayloadMissing, running
from st_sf_pipelines.store import audit, local
from st_sf_pipelines.store.database import recreate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from st_sf_pipelines.store.database import Database

BEAT: Final = "*/20 * * * * *"
EVENT_SECONDS: Final = 4.0
GRACE_SECONDS: Final = 25.0
SHOWN: Final = 12
COLUMNS: Final = ("ended", "tenant", "records", "segments", "states", "moves", "salesforce", "crm", "outcome")

TENANT: Final = """\
  - name: {name}
    id: {id}
    timezone: {timezone}
    servicetitan:
      api_url: "{st[api_url]}"
      auth_url: "{st[auth_url]}"
      client_id: "{client_id}"
      client_secret: "${{DEMO_CLIENT_SECRET_{number}}}"
      app_key: "${{DEMO_APP_KEY_{number}}}"
    salesforce:
      instance_url: "{sf[instance_url]}"
      access_token: "${{DEMO_ACCESS_TOKEN_{number}}}"
    crm:
      api_url: "{crm[api_url]}"
      api_key: "${{DEMO_CRM_KEY_{number}}}"
      webhook_secret: "${{DEMO_CRM_SECRET_{number}}}"
"""


def demo(*, customers: int | None, port: int, payload: bool = False) -> int:
    """Show it all: a database, a shop of two tenants that lives, their orgs and CRMs that fill; until Ctrl-C.

    With `payload` the CRMs are real Payload servers, else stand-ins.
    """
    console = Console()
    home = load().home / "demo"
    home.mkdir(parents=True, exist_ok=True)
    with _until_told(), ExitStack() as stack:
        console.print("Starting the database, the stand-ins and Dagster; the first start takes half a minute.")
        url = local.start(home)
        stack.callback(local.stop, home)
        for database in ("", "_dagster"):  # the stand-ins begin anew, so what we remember of them must too
            recreate(url + database)
        shop = ["--customers", str(customers)] if customers else []
        st = stack.enter_context(_stand_in(home, "servicetitan", "--live", str(EVENT_SECONDS), *shop))
        names = [tenant["name"] for tenant in st["tenants"]]
        orgs = {name: stack.enter_context(_stand_in(home, "salesforce", log=f"salesforce-{name}")) for name in names}
        crms = {name: stack.enter_context(_crm(home, name, payload=payload)) for name in names}
        site, env = home / "site.yaml", home / "env"
        text, secrets = _site(st, orgs, crms)
        site.write_text(text)
        variables = {"ST_SF_HOME": str(home), "ST_SF_DATABASE_URL": url, "ST_SF_CONFIG": str(site), **secrets}
        env.touch(mode=0o600)
        env.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()))
        os.environ |= {**variables, "CRM_SYNC_CRON": BEAT}
        stand_ins = {f"Salesforce stand-in of {name}": sf["url"] for name, sf in orgs.items()}
        what = "Payload CMS" if payload else "CRM stand-in"
        stand_ins |= {f"{what} of {name}": crm["url"] for name, crm in crms.items()}
        commands = f". {shlex.quote(str(env))}; .venv/bin/st-sf check"
        addresses = {"ServiceTitan stand-in": st["url"], **stand_ins, "in another terminal": commands}
        return _serve(load(), port, console, addresses)
    return 0


@contextmanager
def _crm(home: Path, name: str, *, payload: bool) -> Iterator[dict[str, Any]]:
    """Run a tenant's CRM; give its address and credentials."""
    if not payload:
        with _stand_in(home, "crm", log=f"crm-{name}") as crm:
            yield crm
        return
    try:
        with running() as crm:
            yield crm
    except PayloadMissing as error:
        raise StSfError(str(error)) from None


def _site(
    st: dict[str, Any], orgs: dict[str, dict[str, Any]], crms: dict[str, dict[str, Any]]
) -> tuple[str, dict[str, str]]:
    """Write the site file, a tenant beside the other, each with an org and a CRM; give the secrets as its variables."""
    parts: list[str] = []
    secrets: dict[str, str] = {}
    for number, tenant in enumerate(st["tenants"], start=1):
        sf, crm = orgs[tenant["name"]], crms[tenant["name"]]
        secrets |= {
            f"DEMO_CLIENT_SECRET_{number}": tenant["client_secret"],
            f"DEMO_APP_KEY_{number}": tenant["app_key"],
            f"DEMO_ACCESS_TOKEN_{number}": sf["access_token"],
            f"DEMO_CRM_KEY_{number}": crm["api_key"],
            f"DEMO_CRM_SECRET_{number}": crm["webhook_secret"],
        }
        parts.append(TENANT.format(**tenant, number=number, st=st, sf=sf, crm=crm))
    return "".join(["tenants:\n", *parts]), secrets


def dev(settings: Settings, *, port: int) -> int:
    """Run Dagster on the site's own tenants until Ctrl-C; a database that was running goes on."""
    with _until_told():
        return _serve(settings, port, Console(), {})
    return 0


def _serve(settings: Settings, port: int, console: Console, addresses: dict[str, str]) -> int:
    """Run the web server and the daemon, and show the rounds; end with what they end with."""
    db = open_database(settings)
    prepare_dagster(settings)
    port = _free_port(port)
    command = ["dagster", "dev", "-w", str(ROOT / "workspace.yaml"), "-h", "127.0.0.1", "-p", str(port)]
    with _child(settings.home, "dagster", command) as process:
        url = f"http://127.0.0.1:{port}"
        while not _answers(url):
            if process.poll() is not None:
                raise StSfError(f"Dagster ended; {settings.home / 'logs' / 'dagster.log'} says why")
            time.sleep(0.5)
        console.print(f"\n[bold green]Dagster UI: {url}[/]   lineage: {url}/asset-groups")
        for what, where in addresses.items():
            console.print(f"{what}: {where}", highlight=False)
        console.print("Every round appears below; Ctrl-C stops everything.\n")
        _show_rounds(db, process, console)
        return process.returncode or 0


def _show_rounds(db: Database, process: subprocess.Popen[bytes], console: Console) -> None:
    """Keep a table of the newest rounds on a terminal; elsewhere print a line for each that ends."""
    if console.is_terminal:
        with Live(_table([]), console=console, refresh_per_second=2) as live:
            while process.poll() is None:
                live.update(_table(audit.latest_rounds(db, SHOWN)))
                time.sleep(1)
        return
    seen: set[str] = set()
    console.print("  ".join(f"{column:>13}" for column in COLUMNS), highlight=False, soft_wrap=True)
    while process.poll() is None:
        for each in reversed(audit.latest_rounds(db, SHOWN)):
            if each["status"] and each["run_id"] not in seen:
                seen.add(each["run_id"])
                console.print("  ".join(f"{cell:>13}" for cell in _row(each)), highlight=False, soft_wrap=True)
        time.sleep(1)


def _table(rounds: list[dict[str, Any]]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in COLUMNS:
        words = column in ("ended", "tenant", "outcome")
        table.add_column(column, justify="left" if words else "right", no_wrap=True)
    for each in rounds:
        table.add_row(*_row(each))
    return table


def _row(each: dict[str, Any]) -> tuple[str, ...]:
    def moved(asset: str, *names: str) -> str:
        parts = [done for name, done in each["counts"].items() if name.startswith(asset)]
        return str(sum(done.get(name, 0) for done in parts for name in names))

    return (
        f"{each['ended_at']:%H:%M:%S}" if each["ended_at"] else "running",
        each["tenant"],
        moved("servicetitan/", "new", "changed"),
        moved("customers/segment", "new", "changed"),
        moved("customers/state", "new", "changed"),
        moved("pipeline/opportunities", "moves"),
        moved("salesforce/", "created", "updated"),
        moved("crm/", "created", "updated"),
        each["status"] or "",
    )


@contextmanager
def _stand_in(home: Path, system: str, *options: str, log: str | None = None) -> Iterator[dict[str, Any]]:
    """Run a stand-in; give the JSON object of its first line."""
    command = ["st-sf", "simulate", system, *options]
    log = log or system
    with _child(home, log, command, stdout=subprocess.PIPE) as process:
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise StSfError(f"the stand-in for {system} ended; {home / 'logs' / f'{log}.log'} says why")
        yield json.loads(line)


@contextmanager
def _child(home: Path, name: str, command: list[str], stdout: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program of our environment in a session of its own, its words in a log; at the end the session is gone."""
    logs = home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    program = Path(sys.executable).with_name(command[0])
    with (logs / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - programs of our own environment
            [str(program), *command[1:]], cwd=ROOT, stdout=stdout or log, stderr=log, start_new_session=True
        )
        try:
            yield process
        finally:
            _end(process)
            if process.stdout:
                process.stdout.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask a session to end, wait for it, and make sure of it: a code server once outlived one SIGTERM."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.terminate()
    until = time.monotonic() + 5
    while time.monotonic() < until and _group_lives(process.pid, 0):
        time.sleep(0.1)
    _group_lives(process.pid, signal.SIGKILL)
    process.wait()


def _group_lives(group: int, number: int) -> bool:
    """Send a signal to a process group (0: only ask); say whether there was one."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


@contextmanager
def _until_told() -> Iterator[None]:
    """Take Ctrl-C, a SIGTERM and a closed terminal alike: as the wish to stop everything in good order."""

    def stop(*_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not cut the good order short
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        yield
    except KeyboardInterrupt:
        Console().print("\nStopped.")


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StSfError("no port is free on this machine")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/server_info", timeout=2):  # noqa: S310 - our own server
            return True
    except OSError:
        return False
