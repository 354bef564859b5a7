"""The reader's other ways: lists, the nightly sweep, history by month, and a ServiceTitan that is in trouble."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from st_sf_pipelines.defs import automation, history
from st_sf_pipelines.defs.news import look
from st_sf_pipelines.defs.raw import CHECK, key_of
from st_sf_pipelines.defs.resources import RoundResource
from st_sf_pipelines.errors import ConfigError
from st_sf_pipelines.simulators.servicetitan.faults import rules
from st_sf_pipelines.store import quarantine
from st_sf_pipelines.sync.pages import Desk
from st_sf_pipelines.systems.servicetitan.entities import ENTITIES, ENTITY
from st_sf_pipelines_tests.acceptance.desk import many_customers, new_customer, one
from st_sf_pipelines_tests.acceptance.test_bad_records import customer
from st_sf_pipelines_tests.acceptance.test_command_line import st_sf
from st_sf_pipelines_tests.world import TENANT, small_shop

if TYPE_CHECKING:
    from pathlib import Path

    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World

LISTS = [entity.name for entity in ENTITIES if not entity.is_fed]


def probed(world: World, after: timedelta = timedelta()) -> tuple[str, ...]:
    [tenant] = world.settings.site.tenants
    return look(world.db, tenant, world.settings.site, datetime.now(UTC) + after).assets


def month(world: World, partition: str, *entities: str) -> dg.ExecuteInProcessResult:
    """Materialize a month of history, as a backfill's run does."""
    world.dagster.add_dynamic_partitions("tenants", ["socal"])
    config = {"ops": {"servicetitan__history": {"config": {"entities": list(entities)}}}}
    return dg.materialize(
        [history.history],
        instance=world.dagster,
        partition_key=dg.MultiPartitionKey({"month": partition, "tenant": "socal"}),
        run_config=config,
        resources={"tenant_round": RoundResource()},
        raise_on_error=False,
    )


def test_every_entity_is_read_in_a_first_round_and_reported_by_name(open_world: OpenWorld) -> None:
    world = open_world(small_shop(24), page_size=5)
    done = world.sync()
    assert done["status"] == "success", done["error"]
    tables = world.st.shop.tenant().tables
    assert {name: row["new"] for name, row in done["entities"].items()} == {
        entity.name: len(tables[entity.name]) for entity in ENTITIES
    }
    assert all({"read", "new", "changed", "quarantined", "calls"} <= set(row) for row in done["entities"].values())


def test_bad_records_fail_the_check_with_their_count_and_the_command_ends_with_3(world: World) -> None:
    many_customers(world, 4)
    world.st.put("customers", [customer(5, name=None), customer(6, balance="a lot")], raw=True)
    code, report = st_sf("sync")
    [tenant] = report["tenants"]
    assert (code, tenant["status"], tenant["entities"]["customers"]["new"]) == (3, "parked", 4)
    run = world.sync()["run_id"]
    events = (entry.get_dagster_event() for entry in world.dagster.all_logs(run) if entry.is_dagster_event)
    checks = [
        event.asset_check_evaluation_data
        for event in events
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ]
    failed = {each.asset_key: each.metadata["quarantined"].value for each in checks if not each.passed}
    assert failed == {key_of("servicetitan/customers"): 2}
    assert {each.check_name for each in checks} >= {CHECK}
    code, listed = st_sf("quarantine")
    assert [row["key"] for row in listed["tenants"][0]["quarantine"]] == ["5", "6"]


def test_a_record_in_quarantine_is_dismissed_by_its_key_and_where_several_have_it_by_its_entity(world: World) -> None:
    nobody = {"name": "nobody"}
    Desk(world.db, TENANT, ENTITY["customers"]).keep([nobody, customer(7, name=None)])
    Desk(world.db, TENANT, ENTITY["jobs"]).keep([customer(7)])
    [key] = [row["key"] for row in quarantine.records(world.db, TENANT) if row["key"] != "7"]
    assert st_sf("quarantine", "drop", key) == (0, {"tenant": "socal", "entity": "customers", "dropped": key})
    with pytest.raises(ConfigError, match="nothing is in quarantine under"):
        st_sf("quarantine", "drop", key)
    with pytest.raises(ConfigError, match=r"more than once \(socal customers, socal jobs\)"):
        st_sf("quarantine", "drop", "7")
    st_sf("quarantine", "drop", "7", "--entity", "jobs")
    assert [(row["entity"], row["key"]) for row in quarantine.records(world.db, TENANT)] == [("customers", "7")]


def test_lists_are_looked_at_hourly_and_a_new_campaign_is_news_then(world: World) -> None:
    new_customer(world, "Ann Lee")
    world.sync()
    assert probed(world) == ()
    before = world.st.counters["calls"]
    assert probed(world) == ()
    fed = len(ENTITIES) - len(LISTS)
    assert world.st.counters["calls"] - before == fed, "no list within its hour"
    world.st.put("campaigns", [{"name": "Radio"}])
    assert probed(world) == ()
    assert probed(world, timedelta(minutes=61)) == ("servicetitan/campaigns",)
    assert world.sync()["entities"]["campaigns"]["new"] == 1


def test_a_storm_of_429_and_a_server_that_is_down_are_waited_out_and_caught_up(
    open_world: OpenWorld, naps: list[float]
) -> None:
    world = open_world(small_shop(24), page_size=5)
    storm = {"status": 429, "headers": {"Retry-After": "3"}}
    world.st.app.faults.rules = rules([{"match": {"path": "/v2/", "every": 2}, "do": storm}])
    done = world.sync()
    assert (done["status"], done["entities"]["customers"]["new"]) == ("success", 24)
    assert all(3 <= nap < 4 for nap in naps), "as long as the server asked, each time"
    world.st.app.faults.rules = rules([{"match": {"path": "/v2/"}, "do": {"status": 503}}])
    new_customer(world, "Ann Late")
    failed = world.sync()
    assert failed["status"] == "failed"
    assert "the server is in trouble (503" in failed["error"]
    world.st.app.faults.rules = []
    caught_up = world.sync()
    assert (caught_up["status"], caught_up["entities"]["customers"]["new"]) == ("success", 1)


def test_the_sweep_takes_in_a_silent_change_and_the_next_round_sends_it(world: World) -> None:
    st_id = new_customer(world, "Ann Lee")
    world.sync()
    world.st.clock.shift(16 * 60)  # a feed shows a young record again, silent change and all
    world.sync()
    world.st.put("customers", [{"id": st_id, "name": "Ann Silent"}], silent=True)
    assert world.sync()["targets"]["salesforce/contacts"]["updated"] == 0
    code, report = st_sf("sweep")
    [tenant] = report["tenants"]
    differ = {name: row for name, row in tenant["entities"].items() if row["doubt"] or row["listed"] != row["held"]}
    assert differ == {}
    assert (code, tenant["error"], tenant["entities"]["customers"]["changed"]) == (0, None, 1)
    assert set(tenant["entities"]) == {entity.name for entity in ENTITIES if entity.is_listed}
    assert probed(world) != ()
    world.sync()
    assert one(world, "Contact")["LastName"] == "Silent"


def test_a_sweep_without_budget_is_not_asked_for_and_one_by_hand_keeps_to_its_own(world: World) -> None:
    world.sync()
    world.extra = {"servicetitan": {"sweep_calls": 0}}
    world.write_site()
    code, report = st_sf("sweep", "--calls", "2")
    [tenant] = report["tenants"]
    assert (code, sum(row["calls"] for row in tenant["entities"].values())) == (0, 2)


def test_a_sweep_that_meets_an_error_says_so_and_ends_with_1(world: World, naps: list[float]) -> None:
    world.sync()
    world.st.app.faults.rules = rules([{"match": {"entity": "customers"}, "do": {"status": 403}}])
    code, report = st_sf("sweep")
    assert (code, "GET /crm/v2/tenant/4101/customers" in report["tenants"][0]["error"]) == (1, True)
    assert naps == []


def test_what_is_gone_is_listed_with_the_quarantine(world: World) -> None:
    lead, _ = world.st.put("leads", [{"customerId": None}, {"customerId": None}])
    world.sync()
    world.st.put("leads", [{"id": lead, "active": False}], silent=True)
    assert st_sf("sweep")[1]["tenants"][0]["entities"]["leads"]["gone"] == [lead]
    [told] = st_sf("quarantine")[1]["tenants"]
    assert [(row["entity"], row["id"]) for row in told["gone"]] == [("leads", lead)]


def test_a_month_of_history_is_a_partition_whose_check_compares_the_counts(world: World) -> None:
    world.st.put("customers", [{"name": f"Ann {n}", "createdOn": "2020-05-10T00:00:00Z"} for n in range(3)])
    [lead] = world.st.put("leads", [{"customerId": None, "createdOn": "2020-05-11T00:00:00Z"}])
    done = month(world, "2020-05-01")
    assert done.success
    [check] = done.get_asset_check_evaluations()
    assert check.passed
    assert world.rows("SELECT count(*) AS n FROM servicetitan.customers") == [{"n": 3}]
    world.st.put("leads", [{"id": lead, "active": False}], silent=True)
    [check] = month(world, "2020-05-01", "customers", "leads").get_asset_check_evaluations()
    assert not check.passed
    assert check.metadata["leads"].value == "1 held, 0 listed"
    assert "customers" not in check.metadata
    assert probed(world) != (), "what it stored is derived by the next round"


def test_history_of_an_entity_without_a_list_is_refused_by_name(world: World) -> None:
    failed = month(world, "2020-05-01", "job_canceled_logs")
    assert not failed.success
    assert world.rows("SELECT count(*) AS n FROM servicetitan.job_canceled_logs") == [{"n": 0}]


def test_a_month_of_history_reads_the_other_entities_when_one_is_refused(world: World) -> None:
    world.st.put("customers", [{"name": "Ann", "createdOn": "2020-05-10T00:00:00Z"}])
    world.st.app.faults.rules = rules([{"match": {"entity": "business_units"}, "do": {"status": 403}}])
    assert not month(world, "2020-05-01", "business_units", "customers").success
    assert world.rows("SELECT count(*) AS n FROM servicetitan.customers") == [{"n": 1}]


def test_a_backfill_over_months_and_tenants_runs_each_by_itself() -> None:
    assert history.history.backfill_policy in (None, dg.BackfillPolicy.multi_run(max_partitions_per_run=1))
    names = set(history.TENANT_MONTHS.partition_dimension_names)
    assert names == {"tenant", "month"}


@pytest.mark.parametrize(("known", "asked"), [([], []), (["socal", "gone"], ["socal"])])
def test_the_night_asks_for_one_sweep_of_each_tenant_that_was_polled(
    world: World, tmp_path: Path, known: list[str], asked: list[str]
) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        if known:
            instance.add_dynamic_partitions("tenants", known)
        requests: Any = automation.nightly_sweep(dg.build_schedule_context(instance=instance))
    assert world.settings.site.tenants
    found = [] if isinstance(requests, dg.SkipReason) else [each.partition_key for each in requests]
    assert found == asked


def test_a_fault_of_ours_in_one_entity_holds_up_only_what_follows_it(world: World) -> None:
    new_customer(world, "Ann")
    with world.db.connect() as connection:
        connection.execute("ALTER TABLE servicetitan.tag_types RENAME COLUMN digest TO fingerprint")
    done = world.sync()
    assert done["status"] == "failed"
    assert done["error"].startswith("servicetitan/tag_types: a fault of ours (UndefinedColumn)")
    assert world.rows("SELECT count(*) > 0 AS there FROM customers.segment") == [{"there": True}]
