"""How much both databases grow in a day of the five-minute beat, and what the clean-up leaves of it (OPS-7)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx
import psycopg
from dagster import AssetSelection
from dagster._core.scheduler.instigation import InstigatorType, TickData, TickStatus

from st_sf_pipelines.definitions import defs
from st_sf_pipelines.defs import news
from st_sf_pipelines.defs.automation import selected
from st_sf_pipelines.defs.cleaning import clean_up
from st_sf_pipelines.defs.instance import database_url, open_database, open_instance
from st_sf_pipelines.defs.jobs import ROUND, TENANT_TAG
from st_sf_pipelines.defs.raw import key_of
from st_sf_pipelines.defs.resources import TENANTS, round_config
from st_sf_pipelines.operate.rounds import run_rounds
from st_sf_pipelines.settings import load
from st_sf_pipelines.store.database import beside

from .bench import home, stand_in, write_site

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from st_sf_pipelines.settings import Settings

    from .table import Measured

BEATS: Final = 24 * 12
TICKS: Final = 24 * 3600 // 15
"""The sensor wakes every 15 seconds; most of its ticks only say that it is not yet time."""
MEGABYTE: Final = 1_000_000


def measure(rows: Measured, customers: int) -> None:
    """Load a shop, then let beats pass with 1 % of its customers changed, and without news; say the MB of a day."""
    with home() as place, stand_in("servicetitan", "--customers", str(customers)) as st, stand_in("salesforce") as sf:
        write_site(place, st, sf)
        with open_instance(load()) as instance:
            run_rounds(instance, load(), load().site.tenants)
        with rows.measured(f"growth of the databases, a tenant of {customers:,} customers") as row:
            row.told += _grown(st, customers)


def _grown(st: dict[str, Any], customers: int, *, rounds: int = 10) -> list[str]:
    """Run what the sensor would ask for, in Dagster's real storage; tell the MB of a day, and what a clean-up leaves.

    `st` is the stand-in's first line.
    """
    settings = load()
    with open_instance(settings) as instance:
        instance.add_dynamic_partitions(TENANTS.name or "", [each.name for each in settings.site.tenants])
        before = _sizes(settings, whole=True)
        for n in range(rounds):
            _beat(instance, settings, st, customers, n)
        busy = _sizes(settings)
        for _ in range(TICKS // 24):  # an hour of ticks
            _tick(instance)
        quiet = _sizes(settings)
        counts = clean_up(instance, settings, datetime.now(UTC) + timedelta(days=365), dry_run=False)
        left = _sizes(settings, whole=True)
    grown = [(busy[n] - before[n]) / MEGABYTE for n in (0, 1)]
    stays = [(left[n] - before[n]) / MEGABYTE for n in (0, 1)]
    return [
        f"MB a day with 1 % news: ours {grown[0] / rounds * BEATS:.1f}, Dagster's {grown[1] / rounds * BEATS:.1f}",
        (
            f"without news: ours {(quiet[0] - busy[0]) / MEGABYTE * 24:.1f}, "
            f"Dagster's {(quiet[1] - busy[1]) / MEGABYTE * 24:.1f}, its ticks, of which two days are kept"
        ),
        (
            f"of {grown[0]:.1f} and {grown[1]:.1f} MB grown in {rounds} rounds the clean-up leaves {stays[0]:.1f} and "
            f"{stays[1]:.1f}, when all is old: {counts['dagster runs']} runs, {counts['sync.touched']} log entries went"
        ),
    ]


def _beat(instance: DagsterInstance, settings: Settings, st: dict[str, Any], customers: int, n: int) -> None:
    """Let 1 % of the customers change, look, and run what the sensor would ask for."""
    changed = [{"id": 41_000_003 + 7 * each, "doNotService": n % 2 == 0} for each in range(customers // 100)]
    body = {"entity": "customers", "records": changed}
    httpx.post(f"{st['url']}/_sim/records", json=body, timeout=60).raise_for_status()
    tenant = settings.site.tenants[0]
    found = news.look(open_database(settings), tenant, settings.site, datetime.now(UTC))
    job = defs().resolve_job_def(ROUND.name)
    assets, checks = selected(job, AssetSelection.assets(*map(key_of, found.assets)).downstream())
    done = job.get_subset(asset_selection=set(assets), asset_check_selection=set(checks)).execute_in_process(
        instance=instance,
        partition_key=tenant.name,
        run_config={**round_config(scope="changed"), "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        tags={TENANT_TAG: tenant.name},
    )
    if not done.success:
        raise SystemExit("a round of the growth bench failed")


def _tick(instance: DagsterInstance) -> None:
    at = time.time()
    instance.create_tick(
        TickData(
            instigator_origin_id="0" * 40,
            instigator_name="poll",
            instigator_type=InstigatorType.SENSOR,
            status=TickStatus.SKIPPED,
            timestamp=at,
            end_timestamp=at,
            selector_id="0" * 40,
            skip_reason="looked at since 10:40:00 UTC",
        )
    )


def _sizes(settings: Settings, *, whole: bool = False) -> tuple[int, int]:
    """Give the bytes of our database and of Dagster's, dead rows cleared away; `whole` gives back their room too."""
    ours = database_url(settings)
    sizes = []
    for url in (ours, beside(ours, "dagster")):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM (FULL)" if whole else "VACUUM")
            [size] = connection.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
            sizes.append(size)
    return sizes[0], sizes[1]
