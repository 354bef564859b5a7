"""`make bench`: the way of a customer measured step by step, against stand-ins in processes of their own."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import httpx
import yaml
from rich.console import Console
from rich.table import Table

from st_sf_pipelines.defs import news
from st_sf_pipelines.defs.instance import open_database
from st_sf_pipelines.operate.rounds import run_rounds
from st_sf_pipelines.settings import load
from st_sf_pipelines.store import local
from st_sf_pipelines.store.log import Scope
from st_sf_pipelines.sync.derive import derive_segments
from st_sf_pipelines_tests.benchmarks import growth

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = tuple[str, str, float, float]


@contextmanager
def stand_in(system: str, *options: str) -> Iterator[dict[str, Any]]:
    """Run a stand-in in a process of its own; give its address and credentials."""
    program = str(Path(sys.executable).with_name("st-sf"))
    command = [program, "simulate", system, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline() if process.stdout else "")
        finally:
            process.terminate()


class Bench:
    """One home with a database of its own, and the rows measured in it."""

    def __init__(self, home: Path, rows: list[Row]) -> None:
        """Take a folder, where the embedded server starts, and the rows to add to."""
        home.mkdir()
        self.home = home
        self.rows = rows
        os.environ |= {
            "ST_SF_HOME": str(home),
            "ST_SF_DATABASE_URL": local.start(home),
            "ST_SF_CONFIG": str(home / "site.yaml"),
        }

    def site(self, st: dict[str, Any], sf: dict[str, Any]) -> None:
        """Join two stand-ins by a site file."""
        names = ("api_url", "auth_url", "client_id", "client_secret", "app_key")
        tenant = {
            "name": f"shop-{st['tenant_id']}",
            "id": st["tenant_id"],
            "timezone": st["timezone"],
            "servicetitan": {name: st[name] for name in names},
            "salesforce": {name: sf[name] for name in ("instance_url", "access_token")},
        }
        (self.home / "site.yaml").write_text(yaml.safe_dump({"tenants": [tenant]}))

    def round(self, what: str, **options: Any) -> None:
        """Measure a round; its calls to Salesforce are told object by object."""
        settings = load()
        with dg.DagsterInstance.ephemeral() as instance, self.measured(what) as told:
            part = run_rounds(instance, settings, settings.site.tenants, **options)["tenants"][0]
            if part["status"] != "success":
                raise SystemExit(f"{what}: {part['status']}: {part['error']}")
            read = sum(row["read"] for row in part["entities"].values())
            calls = sum(row["calls"] for row in part["entities"].values())
            wrote = ", ".join(
                f"{asset.partition('/')[2]} {row['created'] + row['updated']} rows in {row['calls']} calls"
                for asset, row in part["targets"].items()
            )
            told.append(f"{read} records in {calls} calls; {wrote}")

    @contextmanager
    def measured(self, what: str) -> Iterator[list[str]]:
        """Measure the wall time and the CPU time of this process."""
        told: list[str] = []
        wall, cpu = time.perf_counter(), time.process_time()
        yield told
        self.rows.append((what, "; ".join(told), time.perf_counter() - wall, time.process_time() - cpu))


def show(rows: list[Row]) -> None:
    """Print the table, with the machine and the peak of memory."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("what", "counts", "wall s", "CPU s"):
        table.add_column(name)
    for what, told, wall, cpu in rows:
        table.add_row(what, told, f"{wall:.2f}", f"{cpu:.2f}")
    console = Console(width=180)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    console.print(f"{datetime.now(UTC):%Y-%m-%d}, {machine}")
    console.print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    console.print(f"peak memory of our process: {peak:.0f} MB; stand-ins and PostgreSQL run beside it")


def main() -> None:
    """Measure a first load, a poll with and without news, and the segments of everybody."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--customers", type=int, default=50_000)
    many = arguments.parse_args().customers
    home = Path(tempfile.mkdtemp(prefix="st_sf_bench_"))
    home.chmod(0o755)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        rows: list[Row] = []
        bench = Bench(home / "small", rows)
        stack.callback(local.stop, bench.home)
        with stand_in("servicetitan", "--customers", "450") as st, stand_in("salesforce") as sf:
            bench.site(st, sf)
            bench.round("first load of 450 customers")
        bench = Bench(home / "large", rows)
        stack.callback(local.stop, bench.home)
        with stand_in("servicetitan", "--customers", str(many)) as st, stand_in("salesforce") as sf:
            bench.site(st, sf)
            bench.round(f"first load of {many:,} customers")
            db = open_database(load())
            tenant = load().site.tenants[0]
            with bench.measured("a poll with no news") as told:
                found = news.look(db, tenant, load().site.segments, datetime.now(UTC))
                told.append(found.sentence)
            with bench.measured(f"segments of {many:,} customers, all of them") as told:
                bounds = load().site.segments
                done = derive_segments(db, tenant, bounds, datetime.now(UTC), Scope(everybody=True))
                told.append(f"{done.changed} changed")
            with bench.measured("segments, one day later") as told:
                done = derive_segments(db, tenant, bounds, datetime.now(UTC) + timedelta(days=1), Scope())
                told.append(f"{done.looked} due, {done.changed} changed")
            touched = [{"id": 41_000_003 + 7 * n, "doNotService": True} for n in range(many // 100)]
            body = {"entity": "customers", "records": touched}
            httpx.post(f"{st['url']}/_sim/records", json=body, timeout=60).raise_for_status()
            bench.round("a round after 1 % changed")
            rows += growth.measure(st, many)
        show(rows)


if __name__ == "__main__":
    main()
