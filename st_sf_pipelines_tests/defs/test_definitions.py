"""When it runs: the graph as a person reads it, and the sensor that starts a round only where there is news."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
import tenacity.nap
import yaml

from st_sf_pipelines.definitions import defs
from st_sf_pipelines.defs import automation, news
from st_sf_pipelines.defs.automation import nightly_proof, poll
from st_sf_pipelines.defs.history import TENANT_MONTHS
from st_sf_pipelines.defs.resources import TENANTS
from st_sf_pipelines.defs.round import lock_name
from st_sf_pipelines.defs.targets import lineage
from st_sf_pipelines.systems.http import ATTEMPTS
from st_sf_pipelines.systems.servicetitan.client import ServiceTitanClient
from st_sf_pipelines.systems.servicetitan.entities import ENTITIES
from st_sf_pipelines.systems.targets import SYSTEMS
from st_sf_pipelines_tests.silent import Silent
from st_sf_pipelines_tests.world import TENANT, World, small_shop

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from syrupy.assertion import SnapshotAssertion

OTHER = 4102
AFTER_PROFILE = {
    *("customers/profile", "customers/segment", "customers/state", "pipeline/opportunities"),
    *("salesforce/accounts", "salesforce/contacts", "salesforce/leads", "salesforce/opportunities"),
    *("salesforce/events", "salesforce/campaign_members"),
    *("crm/contacts", "crm/opportunities", "crm/activities"),
}
AFTER_UNIT = {
    *("servicetitan/business_units", "customers/state", "pipeline/opportunities"),
    *("salesforce/leads", "salesforce/opportunities", "crm/contacts", "crm/opportunities", "crm/activities"),
}
EVERYTHING = {entity.asset for entity in ENTITIES} | AFTER_PROFILE | {"crm/changes"}
ASIDE = {"servicetitan/sweep", "servicetitan/history"}
"""Assets that are no part of a round."""


@pytest.fixture
def shop(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Give a shop of five customers, and an empty org."""
    for name in ("CRM_SYNC_CRON", "CRM_SYNC_ENABLED"):
        monkeypatch.delenv(name, raising=False)
    with World.opened(database_url, tmp_path, monkeypatch, small_shop(5)) as world:
        yield world


@pytest.fixture
def two(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Give two tenants with a shop each, that share an org."""
    first = small_shop(3)["tenants"][0]
    shop = {**small_shop(3), "tenants": [first, {**first, "id": OTHER, "name": "dallas"}]}
    with World.opened(database_url, tmp_path, monkeypatch, shop) as world:
        write_two(world)
        yield world


def write_two(world: World, **servicetitan: str) -> None:
    """Write the site file of two tenants; `servicetitan` is laid over the second one's section."""
    access = world.st.credentials
    other = {name: access["tenants"][1][name] for name in ("client_id", "client_secret", "app_key")}
    target = {name: world.sf.credentials[name] for name in ("instance_url", "access_token")}
    world.write_site(
        {
            "name": "dallas",
            "id": OTHER,
            "servicetitan": {**{name: access[name] for name in ("api_url", "auth_url")}, **other, **servicetitan},
            "salesforce": {**target, "external_id": "tx_{id}", "adopt": "skip"},
        }
    )


def tick(world: World) -> tuple[list[dg.RunRequest], str]:
    """Let the sensor tick once; give what it asks for, and what it says if it asks for nothing."""
    result = ticked(world.dagster)
    for request in result.dynamic_partitions_requests or ():
        assert isinstance(request, dg.AddDynamicPartitionsRequest)
        world.dagster.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
    return list(result.run_requests or ()), said(result)


def ticked(dagster: dg.DagsterInstance) -> dg.SensorResult:
    with dg.build_sensor_context(instance=dagster, definitions=defs()) as context:
        result = poll(context)
    assert isinstance(result, dg.SensorResult)
    return result


def said(result: dg.SensorResult) -> str:
    reason = result.skip_reason
    return reason if isinstance(reason, str) else (reason.skip_message or "") if reason else ""


def next_beat(world: World) -> None:
    """Let a day pass since the last look at any tenant."""
    with world.db.connect() as connection:
        connection.execute("UPDATE sync.looks SET looked_at = looked_at - interval '1 day'")


def run(world: World, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
    """Run what the sensor asked for, of its assets and with its checks, as the daemon does."""
    job = defs().resolve_job_def("round")
    assert request.asset_selection is not None
    assert request.asset_check_keys is not None
    chosen, checks = set(request.asset_selection), set(request.asset_check_keys)
    subset = job.get_subset(asset_selection=chosen, asset_check_selection=checks)
    return subset.execute_in_process(
        instance=world.dagster,
        partition_key=request.partition_key,
        run_config=request.run_config,
        tags=dict(request.tags),
        raise_on_error=False,
    )


def by_hand(world: World, tenant: str | None, asset: str) -> dg.ExecuteInProcessResult:
    """Run one asset of the round's job with the configuration that the launchpad begins with."""
    job = defs().resolve_job_def("round")
    chosen = [dg.AssetKey(asset.split("/"))]
    return job.execute_in_process(
        instance=world.dagster, partition_key=tenant, asset_selection=chosen, raise_on_error=False
    )


def names(keys: Iterable[dg.AssetKey] | None) -> set[str]:
    return {key.to_user_string() for key in keys or ()}


# ------------------------------------------------------------------------------------------------------------ the graph


def test_definitions_load_in_an_empty_environment_and_open_nothing(tmp_path: Path) -> None:
    load = (
        "import dagster as dg; from st_sf_pipelines.definitions import defs; dg.Definitions.validate_loadable(defs())"
    )
    done = subprocess.run(
        [sys.executable, "-c", load], capture_output=True, check=False, cwd=tmp_path, env={}, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_the_graph_reads_as_the_specification_does(snapshot: SnapshotAssertion) -> None:
    repository = defs().get_repository_def()
    graph = repository.asset_graph
    lines = ["assets: kinds ← what each follows; its checks"]
    for group in ("servicetitan", "customers", "salesforce"):
        lines.append(f"  {group}")
        for each in sorted(graph.get_all_asset_keys()):
            node = graph.get(each)
            if node.group_name != group:
                continue
            follows = ", ".join(sorted(names(node.parent_keys))) or "nothing"
            checks = ", ".join(sorted(check.name for check in node.check_keys))
            outside = " (outside)" if node.is_external else ""
            kinds = ", ".join(sorted(node.kinds))
            lines.append(f"    {each.to_user_string()}{outside}: {kinds} ← {follows}{f'; {checks}' if checks else ''}")
    lines.append("jobs: what each materializes; its checks")
    for job in sorted(repository.get_all_jobs(), key=lambda job: job.name):
        if not job.name.startswith("__"):
            checks = ", ".join(sorted({check.name for check in job.asset_layer.asset_graph.asset_check_keys}))
            assets = ", ".join(sorted(names(job.asset_layer.selected_asset_keys))) or "nothing"
            lines.append(f"  {job.name} ({job.executor_def.name}): {assets}; {checks}")
    lines.append("what starts them")
    for sensor in repository.sensor_defs:
        status, every = sensor.default_status.value, sensor.minimum_interval_seconds
        lines.append(f"  {sensor.name} → {sensor.job_name}: every {every} s, {status}")
    for schedule in repository.schedule_defs:
        status, when = schedule.default_status.value, schedule.cron_schedule
        lines.append(f"  {schedule.name} → {schedule.job_name}: {when}, {status}")
    assert "\n".join(lines) == snapshot


def test_every_asset_is_described_partitioned_by_tenant_and_in_the_round() -> None:
    repository = defs().get_repository_def()
    graph = repository.asset_graph
    assert names(graph.materializable_asset_keys) == EVERYTHING | ASIDE
    assert names(repository.get_job("round").asset_layer.selected_asset_keys) == EVERYTHING
    for each in graph.get_all_asset_keys():
        node = graph.get(each)
        assert node.description
        parts = TENANT_MONTHS if each.to_user_string() == "servicetitan/history" else TENANTS
        assert node.is_external or node.partitions_def == parts


def test_each_field_of_a_target_is_drawn_from_what_it_is_made_of_and_typed() -> None:
    def made_of(asset: str, field: str) -> set[str]:
        [target] = [each for system in SYSTEMS for each in system.objects if each.asset == asset]
        deps = lineage(target).deps_by_column[field]
        return {f"{dep.asset_key.to_user_string()}.{dep.column_name}" for dep in deps}

    assert made_of("salesforce/contacts", "Email") == {"customers/profile.email"}
    assert made_of("salesforce/accounts", "Customer_Segment__c") == {"customers/segment.segment"}
    assert made_of("salesforce/leads", "FirstName") == {"servicetitan/leads.first_name"}
    assert made_of("salesforce/leads", "Street") == {"servicetitan/leads.street", "servicetitan/leads.unit"}
    assert made_of("salesforce/opportunities", "Amount") == {"pipeline/opportunities.value_cents"}
    assert made_of("salesforce/events", "EndDateTime") == {"servicetitan/jobs.completed_on"}
    assert made_of("crm/contacts", "email") == {"customers/profile.email", "servicetitan/leads.email"}
    assert made_of("crm/activities", "title") == {"pipeline/opportunities.activities.title"}

    graph = defs().get_repository_def().asset_graph
    materializable = names(graph.get_all_asset_keys())
    types: dict[str, str] = {}
    for system in SYSTEMS:
        for target in system.objects:
            node = graph.get(dg.AssetKey(target.asset.split("/")))
            schema = node.metadata["dagster/column_schema"]
            types |= {f"{target.asset}.{column.name}": column.type for column in schema.columns}
            deps = [dep for each in lineage(target).deps_by_column.values() for dep in each]
            assert {dep.asset_key.to_user_string() for dep in deps} <= materializable
    deal = "salesforce/opportunities"
    told = [types[f"{deal}.{name}"] for name in ("Name", "Amount", "CloseDate", "Probability", "ContactId")]
    assert told == ["text", "numeric", "date", "integer", "text"]
    assert types["salesforce/events.StartDateTime"] == "timestamptz"
    assert types["salesforce/contacts.Active__c"] == "boolean"
    assert (types["crm/contacts.source"], types["crm/opportunities.value"]) == ("text", "numeric")


# ----------------------------------------------------------------------------------------------------------- the sensor


def test_the_sensor_starts_a_round_where_there_is_news_and_of_what_follows_it_alone(shop: World) -> None:
    [first], _ = tick(shop)
    assert shop.dagster.get_dynamic_partitions("tenants") == ["socal"]
    assert (first.partition_key, first.tags["st/tenant"]) == ("socal", "socal")
    assert names(first.asset_selection) == EVERYTHING - {"crm/changes"}
    assert run(shop, first).success
    assert len(shop.sf.records("Account")) == 5

    next_beat(shop)
    assert tick(shop) == ([], "socal: nothing changed")
    customer = next(iter(shop.st.shop.tenant().tables["customers"].keys()))
    shop.st.put("customers", [{"id": customer, "name": "Grace Hopper"}])
    next_beat(shop)
    [changed], _ = tick(shop)
    assert names(changed.asset_selection) == AFTER_PROFILE | {"servicetitan/customers"}
    assert {check.name for check in changed.asset_check_keys or ()} == {
        "every_entity_was_read",
        "every_record_fits",
        "every_record_accounted_for",
        "no_opportunity_moved_backward",
    }
    assert "new in customers" in changed.tags["st/news"]
    calls = shop.st.counters["by_entity"]["jobs"]["feed"]
    done = run(shop, changed)
    assert done.success
    assert shop.st.counters["by_entity"]["jobs"]["feed"] == calls  # nothing else was read
    assert "Grace Hopper" in {row["Name"] for row in shop.sf.records("Account")}
    assert {check.check_name for check in done.get_asset_check_evaluations()} == {
        "every_entity_was_read",
        "every_record_fits",
        "every_record_accounted_for",
        "no_opportunity_moved_backward",
    }

    shop.st.put("business_units", [{"name": "Pool - Service"}])
    next_beat(shop)
    [unit], _ = tick(shop)
    assert names(unit.asset_selection) == AFTER_UNIT
    assert run(shop, unit).success
    next_beat(shop)
    shop.sf.count_anew()
    assert tick(shop) == ([], "socal: nothing changed")
    assert shop.sf.counters["requests"] == 0


def test_a_tick_before_the_beat_does_nothing_at_all(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_SYNC_CRON", "0 0 1 1 *")
    assert len(tick(shop)[0]) == 1
    calls = shop.st.counters["calls"]
    requests, reason = tick(shop)
    assert requests == []
    assert reason.startswith("looked at since ")
    assert shop.st.counters["calls"] == calls
    monkeypatch.setenv("CRM_SYNC_CRON", "* * * * * *")  # each second is a beat
    next_beat(shop)
    assert len(tick(shop)[0]) == 1


def test_a_round_comes_before_the_months_of_a_backfill(shop: World) -> None:
    [request] = tick(shop)[0]
    assert int(request.tags["dagster/priority"]) > 0
    limits = yaml.safe_load((Path(__file__).parents[2] / "dagster.yaml").read_text())["concurrency"]["runs"]
    assert {each["key"]: each["limit"] for each in limits["tag_concurrency_limits"]} == {
        "st/tenant": 1,
        "dagster/partition/tenant": 1,
    }


def test_a_feed_that_fails_is_told_and_holds_up_nothing_that_has_news(two: World) -> None:
    from st_sf_pipelines.simulators.servicetitan.faults import Rule

    assert {each["status"] for each in two.sync_all()["tenants"]} == {"success"}
    two.st.put("customers", [{"name": "From California"}], TENANT)
    two.st.put("customers", [{"name": "From Texas"}], OTHER)
    two.st.app.faults.rules.append(Rule({"path": f"/tenant/{OTHER}/export/jobs"}, {"status": 503}))
    other, request = sorted(tick(two)[0], key=lambda each: str(each.partition_key))
    assert (other.partition_key, request.partition_key) == ("dallas", "socal")
    assert names(other.asset_selection) == AFTER_PROFILE | {"servicetitan/customers"}
    looks = {row["tenant_id"]: row for row in two.rows("SELECT tenant_id, good_at, outcome FROM sync.looks")}
    assert looks[TENANT]["good_at"] is not None
    assert looks[OTHER]["good_at"] is None
    assert "servicetitan: dallas" in looks[OTHER]["outcome"]
    assert "503" in looks[OTHER]["outcome"]
    assert run(two, request).success
    assert run(two, other).success
    whole = two.rows("SELECT tenant, whole FROM sync.rounds ORDER BY started_at DESC LIMIT 2")
    assert {row["tenant"]: row["whole"] for row in whole} == {"socal": True, "dallas": False}
    next_beat(two)
    requests, reason = tick(two)
    assert requests == []
    for word in ("socal: nothing changed", "dallas: ", "503"):
        assert word in reason
    two.st.app.faults.rules.clear()
    next_beat(two)
    requests, reason = tick(two)
    assert (requests, sorted(reason.split("; "))) == ([], ["dallas: nothing changed", "socal: nothing changed"])


def test_a_silent_token_server_is_told_once_and_holds_up_no_other_tenant(
    two: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {each["status"] for each in two.sync_all()["tenants"]} == {"success"}
    two.st.put("customers", [{"name": "From California"}], TENANT)
    two.st.put("customers", [{"name": "From Texas"}], OTHER)
    told = "servicetitan: dallas: POST /connect/token: no answer in time"
    with Silent() as server:
        write_two(two, auth_url=f"{server.url}/connect/token")
        requests, _ = tick(two)
        assert server.calls == 1
        outcomes = {row["tenant_id"]: row["outcome"] for row in two.rows("SELECT tenant_id, outcome FROM sync.looks")}
        assert outcomes == {TENANT: "new in customers", OTHER: told}
        assert [request.partition_key for request in requests] == ["socal"]

        monkeypatch.setattr(tenacity.nap, "time", SimpleNamespace(sleep=lambda _: None))
        defaults = ServiceTitanClient.__init__.__kwdefaults__
        assert defaults is not None
        monkeypatch.setitem(defaults, "timeout", 1.0)
        socal, dallas = two.sync_all()["tenants"]
        assert (socal["status"], dallas["status"]) == ("success", "failed")
        assert dallas["error"] == told
        assert server.calls == 1 + ATTEMPTS


def test_a_look_that_does_not_end_is_left_and_one_that_had_no_turn_has_it_at_the_next_tick(
    two: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.sync_all()
    two.st.put("customers", [{"name": "From California"}], TENANT)
    monkeypatch.setenv("CRM_SYNC_CRON", "0 0 1 1 *")  # no beat comes between the ticks
    monkeypatch.setattr(news, "PROBE_SECONDS", 600.0)
    monkeypatch.setattr(automation, "LOOKS_AT_ONCE", 1)
    with Silent() as server, monkeypatch.context() as patch:
        two.extra = {"servicetitan": {"api_url": server.url}}
        write_two(two)
        patch.setattr(automation, "LOOKING_SECONDS", 0.5)
        requests, reason = tick(two)
        assert requests == []
        assert reason == (
            "socal: the look did not end in 0.5 seconds; dallas: not looked at yet, the others took too long"
        )
        assert two.rows("SELECT tenant_id, good_at FROM sync.looks") == [{"tenant_id": TENANT, "good_at": None}]
    for thread in threading.enumerate():
        if thread.name.startswith("tenant"):
            thread.join()  # the server is gone: what waited for it ends
    assert tick(two) == ([], "dallas: nothing changed")
    two.extra = {}
    write_two(two)
    next_beat(two)
    monkeypatch.setenv("CRM_SYNC_CRON", "* * * * * *")  # each second is a beat
    [request], _ = tick(two)
    assert request.partition_key == "socal"


def test_a_look_that_breaks_down_keeps_no_other_tenant_from_its_own(two: World) -> None:
    two.sync_all()
    two.st.put("customers", [{"name": "From California"}], TENANT)
    with two.db.connect() as connection:  # what no version of ours writes
        connection.execute(
            "UPDATE sync.feeds SET token = 'yesterday', pulled_at = now() - interval '1 day'"
            " WHERE tenant_id = %s AND entity = 'campaigns'",
            [OTHER],
        )
    [request], _ = tick(two)
    assert request.partition_key == "socal"
    [look] = two.rows("SELECT good_at, outcome FROM sync.looks WHERE tenant_id = 4102")
    assert (look["good_at"], look["outcome"]) == (
        None,
        "dallas: servicetitan/campaigns: a fault of ours (ValueError)",
    )


def test_a_tenant_with_a_running_round_is_left_for_the_next_beat(shop: World) -> None:
    [tenant] = shop.settings.site.tenants
    with shop.db.lock(lock_name(tenant)):
        requests, reason = tick(shop)
    assert requests == []
    assert "socal: a round is running" in reason
    assert shop.rows("SELECT good_at FROM sync.looks") == [{"good_at": None}]  # it was not looked at
    next_beat(shop)
    [request], _ = tick(shop)
    assert request.partition_key == "socal"


def test_the_sensor_says_what_keeps_it_from_looking_and_never_raises(
    shop: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("CRM_SYNC_ENABLED", "false")
        assert tick(shop) == ([], "CRM_SYNC_ENABLED is false")
    with monkeypatch.context() as patch:
        patch.setenv("CRM_SYNC_CRON", "every now and then")
        requests, reason = tick(shop)
        assert requests == []
        assert "CRM_SYNC_CRON" in reason
        assert "'every now and then'" in reason
    with monkeypatch.context() as patch:
        (tmp_path / "broken.yaml").write_text("tenants:\n  - nam: socal\n")
        patch.setenv("ST_SF_CONFIG", str(tmp_path / "broken.yaml"))
        result = ticked(shop.dagster)
        assert not result.run_requests
        assert f"{tmp_path / 'broken.yaml'}:2: tenants.0.nam" in said(result)
        tonight = nightly_proof(dg.build_schedule_context(instance=shop.dagster))
        assert isinstance(tonight, dg.SkipReason)
    with monkeypatch.context() as patch:
        (tmp_path / "empty.yaml").write_text("")
        patch.setenv("ST_SF_CONFIG", str(tmp_path / "empty.yaml"))
        assert said(ticked(shop.dagster)) == "no tenant is configured"
    with monkeypatch.context() as patch:
        patch.setenv("ST_SF_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere")
        assert "the database cannot be reached" in said(ticked(shop.dagster))
    assert shop.st.counters["calls"] == 0


# -------------------------------------------------------------------------------------------------------------- by hand


def test_each_materialization_shows_its_counts_its_time_and_how_far_it_came(shop: World) -> None:
    shop.sync()
    assert shop.sync()["status"] == "success"
    work = {each for each in EVERYTHING if not each.startswith("crm/")}  # the shop has no CRM
    for each in sorted(work):
        event = shop.dagster.get_latest_materialization_event(dg.AssetKey(each.split("/")))
        assert event is not None
        assert event.asset_materialization is not None
        shown: dict[str, Any] = {name: value.value for name, value in event.asset_materialization.metadata.items()}
        own = {
            "servicetitan": {"read", "new", "changed", "quarantined", "API calls", "watermark"},
            "salesforce": {"planned", "created", "updated", "parked", "API calls", "as of"},
        }.get(each.partition("/")[0], {"looked", "new", "changed", "as of"})
        skipped = "held" if each == "pipeline/opportunities" else "skipped"
        assert {*shown} >= {skipped, "seconds", *own}, each
        if "read" in shown:
            assert shown["skipped"] == shown["read"] - shown["new"] - shown["changed"]


def test_a_rerun_of_one_asset_does_its_whole_tenant_and_disturbs_nothing(shop: World) -> None:
    assert shop.sync()["status"] == "success"
    for each in sorted(EVERYTHING):
        shop.sf.count_anew()
        done = by_hand(shop, "socal", each)
        assert done.success, each
        assert names(event.asset_key for event in done.get_asset_materialization_events() if event.asset_key) == {each}
        assert shop.sf.counters["rows"]["Account"]["written"] == shop.sf.counters["rows"]["Contact"]["written"] == 0
    looked = shop.rows(
        "SELECT asset, counts FROM sync.operations WHERE asset = 'customers/segment' ORDER BY at DESC LIMIT 1"
    )
    assert (looked[0]["counts"]["looked"], looked[0]["counts"]["changed"]) == (5, 0)
    assert tick(shop) == ([], "socal: nothing changed")
    assert shop.sync()["status"] == "success"


def test_a_run_without_a_tenant_says_that_it_needs_one(shop: World) -> None:
    done = by_hand(shop, None, "customers/segment")
    assert not done.success
    assert "choose one partition, or name the tenant" in str(done.all_events)


def test_the_nightly_proof_reads_each_tenants_targets_back(two: World) -> None:
    assert {each["status"] for each in two.sync_all()["tenants"]} == {"success"}
    asked = nightly_proof(dg.build_schedule_context(instance=two.dagster))
    assert isinstance(asked, list)
    assert [request.tags["st/tenant"] for request in asked] == ["socal", "dallas"]
    account = next(row for row in two.sf.records("Account") if row["ServiceTitan_Account_Id__c"].startswith("tx_"))
    two.sf.put_records("Account", {"Id": account["Id"], "Name": "Somebody Else"})
    passed = {}
    for request in asked:
        done = (
            defs()
            .resolve_job_def("reconcile")
            .execute_in_process(instance=two.dagster, run_config=request.run_config, tags=dict(request.tags))
        )
        assert done.success
        for check in done.get_asset_check_evaluations():
            assert check.check_name == "target_shows_what_it_acknowledged"
            passed[request.tags["st/tenant"], check.asset_key.to_user_string()] = check.passed
    assert passed == {
        (tenant, target.asset): (tenant, target.asset) != ("dallas", "salesforce/accounts")
        for tenant in ("socal", "dallas")
        for system in SYSTEMS
        for target in system.objects
    }
