"""It cleans up after itself: old runs go with all that is theirs, and what Dagster shows stays (OPS-7)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import psycopg
import pytest
from typer.testing import CliRunner

from st_sf_pipelines.cli import app
from st_sf_pipelines.definitions import defs
from st_sf_pipelines.defs.cleaning import clean_up
from st_sf_pipelines.defs.instance import open_instance
from st_sf_pipelines.operate.rounds import run_rounds
from st_sf_pipelines.store.database import dagster_url, ensure_database, libpq_url
from st_sf_pipelines_tests.acceptance.desk import dallas_of, many_customers, new_customer, two_shops

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World

LATER = datetime.now(UTC) + timedelta(days=15)
"""When all that a test runs is older than two weeks."""


@pytest.fixture
def storage(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the URL of a storage of Dagster's in this test's own database server, empty, and used by all commands."""
    url = f"{database_url}_dagster"
    ensure_database(url)
    with psycopg.connect(url, autocommit=True) as connection:  # what a test loses with the machine, nobody misses
        connection.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit = off")
    monkeypatch.setenv("ST_SF_DAGSTER_URL", dagster_url(url))
    return url


@pytest.fixture
def shop(open_world: OpenWorld, storage: str) -> Iterator[tuple[World, dg.DagsterInstance]]:
    """Give two tenants and a Dagster that stores in PostgreSQL: of dallas one round, then two of socal."""
    del storage
    world = open_world(two_shops(socal=2, dallas=2))
    world.write_site(dallas_of(world, salesforce={"adopt": "skip"}))
    with open_instance(world.settings) as instance:
        sync(world, instance, "dallas")
        for n in range(2):
            sync(world, instance, "socal")
            new_customer(world, f"Ann Number{n}", tenant=4101)
        yield world, instance


def sync(world: World, instance: dg.DagsterInstance, tenant: str) -> dict[str, Any]:
    """Run a round of a tenant, from its customers on; give its part."""
    tenants = [each for each in world.settings.site.tenants if each.name == tenant]
    part: dict[str, Any] = run_rounds(instance, world.settings, tenants, entities=["customers"])["tenants"][0]
    assert part["status"] == "success", part["error"]
    return part


def shown(instance: dg.DagsterInstance) -> dict[str, Any]:
    """Tell what Dagster's pages show of each asset and tenant: materialized when, by which run, and its checks."""
    graph = defs().get_repository_def().asset_graph
    assets = {}
    for key in graph.materializable_asset_keys:
        latest = instance.get_latest_materialization_event(key)
        partitions = {}
        for tenant in ("socal", "dallas"):
            records = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[tenant])
            partitions[tenant] = [
                (event.run_id, event.storage_id) for event in instance.fetch_materializations(records, limit=1).records
            ]
        partitioned = instance.get_materialized_partitions(key)
        assets[key.to_user_string()] = (latest.run_id if latest else None, partitions, partitioned)
    checks = {
        key.to_user_string(): [
            (each.run_id, each.status)
            for each in instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        ]
        for key in graph.asset_check_keys
    }
    return {"assets": assets, "checks": checks}


def left(storage: str, run_ids: list[str]) -> dict[str, int]:
    """Count the rows that Dagster's tables hold of runs."""
    tables = ("runs", "run_tags", "event_logs", "asset_check_executions")
    with psycopg.connect(libpq_url(storage)) as connection:
        counts = {}
        for table in tables:
            query = f"SELECT count(*) FROM {table} WHERE run_id = ANY(%s)"  # noqa: S608
            row = connection.execute(query, [run_ids]).fetchone()
            counts[table] = row[0] if row else -1
    return counts


def test_old_runs_go_with_their_output_and_the_latest_materialization_of_each_asset_and_tenant_stays(
    shop: tuple[World, dg.DagsterInstance], storage: str, tmp_path: Path
) -> None:
    world, instance = shop
    newest, *older, dallas = [run.run_id for run in instance.get_runs()]
    output = {run: tmp_path / "dagster" / run / "compute_logs" for run in (newest, *older)}
    for folder in output.values():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "words.out").write_text("said")
    waiting = instance.create_run_for_job(job_def=defs().resolve_job_def("clean_up")).run_id  # it has not ended
    before = shown(instance)
    assert before["assets"]["customers/profile"][1]["dallas"][0][0] == dallas
    assert clean_up(instance, world.settings, datetime.now(UTC), dry_run=False)["dagster runs"] == 0
    counted = clean_up(instance, world.settings, LATER, dry_run=True)
    assert (counted["dagster runs"], counted["dagster runs kept"]) == (1, 2)
    assert instance.get_runs_count() == 4
    assert clean_up(instance, world.settings, LATER, dry_run=False) == counted
    assert {run.run_id for run in instance.get_runs()} == {newest, dallas, waiting}
    assert shown(instance) == before
    assert set(left(storage, older).values()) == {0}
    assert [folder.parent.exists() for folder in output.values()] == [True, False]
    assert min(left(storage, [newest, dallas]).values()) > 0
    again = clean_up(instance, world.settings, LATER, dry_run=False)
    assert {table: count for table, count in again.items() if count} == {"dagster runs kept": 2}
    sync(world, instance, "socal")


def test_a_run_of_one_asset_alone_does_not_make_the_rounds_before_it_forgotten(
    shop: tuple[World, dg.DagsterInstance],
) -> None:
    world, instance = shop
    whole = instance.get_runs(limit=1)[0].run_id
    job = defs().resolve_job_def("round")
    done = job.execute_in_process(
        instance=instance, partition_key="socal", asset_selection=[dg.AssetKey(["customers", "segment"])]
    )
    before = shown(instance)
    clean_up(instance, world.settings, LATER, dry_run=False)
    assert {run.run_id for run in instance.get_runs()} >= {whole, done.run_id}
    assert shown(instance) == before


def test_the_nightly_job_tells_its_counts(world: World) -> None:
    new_customer(world, "Ann Lee")
    world.sync()
    done = defs().resolve_job_def("clean_up").execute_in_process(instance=world.dagster)
    [output] = [event for event in done.all_events if event.is_successful_output]
    counts = {name: each.value for name, each in output.step_output_data.metadata.items()}
    assert counts["dagster runs"] == 0
    assert set(counts) > {"sync.rounds", "sync.operations", "sync.receipts", "sync.touched"}


def test_clean_up_by_hand_counts_first_and_a_lagging_target_still_gets_all(
    shop: tuple[World, dg.DagsterInstance],
) -> None:
    world, instance = shop
    many_customers(world, 3)
    job = defs().resolve_job_def("round")
    derived = [
        dg.AssetKey(key.split("/")) for key in ("servicetitan/customers", "customers/profile", "customers/segment")
    ]
    assert job.execute_in_process(instance=instance, partition_key="socal", asset_selection=derived).success
    counted = asked("clean-up", "--dry-run")
    assert counted["dry_run"] is True
    assert counted["retention_days"]["runs_days"] == 14
    assert asked("clean-up")["deleted"] == counted["deleted"]
    again = asked("clean-up")["deleted"]
    assert {name for name, count in again.items() if count} <= {"dagster runs kept"}
    assert (
        sync(world, instance, "socal")["targets"]["salesforce/accounts"]["created"] == 4
    )  # the three, and the last of the shop's
    shown_to_people = CliRunner().invoke(app, ["clean-up", "--dry-run"])
    assert "sync.touched" in shown_to_people.stdout


def asked(*arguments: str) -> dict[str, Any]:
    """Run a command with --json; give its object."""
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    report: dict[str, Any] = json.loads(result.stdout)
    return report
