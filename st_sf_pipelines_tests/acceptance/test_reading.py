"""Reading loses and doubles nothing, whatever the feeds do: expired tokens, limits, cuts, repeats, late records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines.simulators.servicetitan.faults import rules
from st_sf_pipelines_tests.acceptance.desk import CONTACTS, by_key, many_customers, new_customer, one
from st_sf_pipelines_tests.world import TENANT, small_shop

if TYPE_CHECKING:
    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World

FEEDS = "export/"
FAULTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the token dies in mid-feed": ({"path": FEEDS, "nth": 4}, {"expire_token": True}),
    "429 with Retry-After": ({"path": FEEDS, "nth": 3}, {"status": 429, "headers": {"Retry-After": "7"}}),
    "429 that says its seconds in words": (
        {"path": FEEDS, "nth": 2},
        {"status": 429, "body": {"title": "Rate limit is exceeded. Try again in 7 seconds."}},
    ),
    "503 twice": ({"path": FEEDS, "nth": 3, "times": 2}, {"status": 503}),
    "a reset at every fourth call": ({"path": FEEDS, "every": 4}, {"reset": True}),
    "a cut-off answer": ({"path": FEEDS, "nth": 3}, {"truncate": 100}),
    "an empty answer": ({"path": FEEDS, "nth": 3}, {"truncate": 0}),
    "garbage with status 200": ({"path": FEEDS, "nth": 3}, {"garbage": True}),
    "a token that is null": ({"entity": "customers", "nth": 2}, {"null_token": True}),
    "a token that is null at the end": ({"entity": "customers", "nth": 5}, {"null_token": True}),
    "a page that is repeated": ({"entity": "customers", "nth": 2}, {"repeat_page": True}),
    "the token server stumbles": ({"path": "connect/token", "nth": 1}, {"status": 503}),
    "the token server answers garbage": ({"path": "connect/token", "nth": 1}, {"garbage": True}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_lost_and_nothing_comes_twice_when(open_world: OpenWorld, naps: list[float], fault: str) -> None:
    world = open_world(small_shop(24), page_size=5)
    match, do = FAULTS[fault]
    set_faults(world, match, do)
    first = world.sync()
    assert first["status"] == "success", first["error"]
    assert any(rule.done for rule in world.st.app.faults.rules), "the fault has struck"
    assert first["entities"]["customers"]["new"] == 24
    stored = {entity: counts["new"] for entity, counts in first["entities"].items()}
    assert stored == {entity: len(world.st.shop.tenant().tables[entity]) for entity in stored}
    assert len(by_key(world.sf, "Contact")) == len(world.sf.records("Contact")) == 24
    if "429" in fault:
        assert any(7 <= nap < 8 for nap in naps), "as long as the server asked"
    set_faults(world)
    again = world.sync()
    assert {counts["new"] + counts["changed"] for counts in again["entities"].values()} == {0}


def shop_with(customers: list[dict[str, Any]]) -> dict[str, Any]:
    shop = small_shop()
    shop["tenants"][0]["records"] = {"customers": customers}
    return shop


def test_an_answer_that_is_no_page_fails_the_round_and_the_next_goes_on(open_world: OpenWorld) -> None:
    world = open_world(small_shop(24), page_size=5)
    set_faults(world, {"entity": "customers", "nth": 3}, {"status": 200, "body": {"hello": 1}})
    failed = world.sync()
    assert (failed["status"], "the answer holds no list of data" in failed["error"]) == ("failed", True)
    assert world.sync()["entities"]["customers"]["new"] == 14
    assert len(world.sf.records("Contact")) == 24


def set_faults(world: World, match: dict[str, Any] | None = None, do: dict[str, Any] | None = None) -> None:
    world.st.app.faults.rules = rules([{"match": match, "do": do}] if match and do else [])


def test_a_feed_that_never_moves_on_is_an_error_and_no_endless_round(open_world: OpenWorld, naps: list[float]) -> None:
    world = open_world(small_shop(12), page_size=5)
    set_faults(world, {"entity": "jobs", "every": 1}, {"repeat_page": True})
    round_ = world.sync()
    assert round_["status"] == "failed"
    assert "does not move on" in round_["error"]
    assert world.st.counters["by_entity"]["jobs"]["feed"] < 20
    assert len(naps) < 20
    set_faults(world)
    assert world.sync()["status"] == "success"


def test_a_feed_that_is_down_fails_the_round_and_what_was_read_stays(open_world: OpenWorld, naps: list[float]) -> None:
    world = open_world(small_shop(24), page_size=5)
    set_faults(world, {"entity": "customers", "nth": 3, "times": 100}, {"status": 503})
    failed = world.sync()
    assert failed["status"] == "failed"
    assert "socal: GET /crm/v2/tenant/4101/export/customers: the server is in trouble (503" in failed["error"]
    assert (naps[0] < 1, naps[-1] > 10) == (True, True), "each pause is longer than the one before"
    assert world.rows("SELECT count(*) AS n FROM servicetitan.customers") == [{"n": 10}]
    assert failed["entities"]["jobs"]["new"] > 0
    assert world.sf.counters["requests"] == 0
    set_faults(world)
    went_on = world.sync()
    assert (went_on["status"], went_on["entities"]["customers"]["new"]) == ("success", 14)
    assert went_on["targets"][CONTACTS]["created"] == 24


SALESFORCE = {"leads", "opportunities"}


@pytest.mark.parametrize(
    ("entity", "derived", "left_out"),
    [
        ("tag_types", {"profiles", "segments", "states", "opportunities"}, set[str]()),
        ("campaigns", {"profiles", "segments", "states", "opportunities"}, SALESFORCE),
        ("estimates", {"profiles", "segments"}, SALESFORCE),
    ],
)
def test_an_entity_that_cannot_be_read_holds_up_only_what_follows_it(
    world: World, entity: str, derived: set[str], left_out: set[str]
) -> None:
    many_customers(world, 3)
    set_faults(world, {"entity": entity}, {"status": 403})
    failed = world.sync()
    assert (failed["status"], failed["error"].count("(403)")) == ("failed", 1)
    assert set(failed["derived"]) == derived
    every = {"accounts", "contacts", "leads", "opportunities", "events", "campaign_members"}
    worked = {asset for asset in failed["targets"] if asset.startswith("salesforce/")}
    assert worked == {f"salesforce/{name}" for name in every - left_out}
    assert failed["targets"][CONTACTS]["created"] == 3
    [last] = world.dagster.get_runs(limit=1)
    assert last.status.value == "FAILURE"
    set_faults(world)
    healed = world.sync()
    assert (healed["status"], healed["targets"][CONTACTS]["created"]) == ("success", 0)


@pytest.mark.parametrize("page_size", [1, 2, 3, 5])
def test_records_of_one_stamp_cross_page_boundaries_whole(open_world: OpenWorld, page_size: int) -> None:
    stamp = "2026-01-01T10:00:00.1234567Z"
    same = [{"name": f"Ann Same{n}", "modifiedOn": stamp} for n in range(7)]
    later = [{"name": f"Ann Later{n}", "modifiedOn": "2026-01-01T10:00:00.1234568Z"} for n in range(2)]
    world = open_world(shop_with([*same, *later]), page_size=page_size)
    assert world.sync()["entities"]["customers"]["new"] == 9
    world.st.put("customers", [{"name": f"Ann Young{n}", "modifiedOn": stamp} for n in range(4)])
    assert world.sync()["entities"]["customers"]["new"] == 4
    assert len(world.sf.records("Contact")) == 13


def test_records_that_surface_late_with_an_old_stamp_are_read(world: World) -> None:
    many_customers(world, 3)
    world.sync()
    world.st.clock.shift(3600)
    world.sync()
    world.st.put("customers", [{"name": "Ann Late", "modifiedOn": "2026-01-01T00:00:00Z"}])
    world.st.clock.shift(3600)
    assert world.sync()["entities"]["customers"]["new"] == 1
    assert len(world.sf.records("Contact")) == 4


def test_what_comes_again_for_15_minutes_is_no_change(world: World) -> None:
    new_customer(world, "Ann Lee")
    world.sync()
    world.sf.count_anew()
    again = world.sync()
    assert (again["entities"]["customers"]["read"], again["entities"]["customers"]["changed"]) == (1, 0)
    assert world.sf.counters["requests"] == 0
    world.st.clock.shift(16 * 60)
    world.sync()
    settled = world.sync()
    assert settled["entities"]["customers"]["read"] == 0


def test_an_older_version_never_replaces_a_newer_one_and_the_same_stamp_does(world: World) -> None:
    st_id = new_customer(world, "Ann First", modifiedOn="2026-03-01T00:00:00.0000002Z")
    world.sync()

    def after(name: str, modified_on: str) -> str:
        world.st.put("customers", [{"id": st_id, "name": name, "modifiedOn": modified_on}])
        world.sync()
        return str(one(world, "Account")["Name"])

    assert after("Ann Older", "2026-03-01T00:00:00.0000001Z") == "Ann First", "by one tick of a hundred nanoseconds"
    assert after("Ann Same", "2026-03-01T00:00:00.0000002Z") == "Ann Same"
    assert after("Ann Newer", "2026-03-01T00:00:00.0000003Z") == "Ann Newer"


@pytest.mark.parametrize(
    "window",
    [
        {"since": "2026-01-05T00:00:00Z"},
        {"since": "2026-01-05", "until": "2026-01-08T00:00:00Z"},
        {"until": "2026-01-08T00:00:00Z"},
        {"full": True},
    ],
)
def test_a_replay_reads_its_window_again_and_leaves_the_cursor(open_world: OpenWorld, window: dict[str, Any]) -> None:
    days = [{"name": f"Ann Day{n}", "modifiedOn": f"2026-01-{n:02}T12:00:00Z"} for n in range(1, 11)]
    world = open_world(shop_with(days), page_size=3)
    world.sync()
    with world.db.connect() as connection:  # what a fault of ours might have lost
        connection.execute("DELETE FROM servicetitan.customers")
    before = world.rows("SELECT entity, token, complete FROM sync.feeds ORDER BY entity")
    world.sf.count_anew()
    replayed = world.sync(**window)
    first = 5 if "since" in window else 1
    last = 7 if "until" in window else 10
    kept = world.rows("SELECT (modified_on AT TIME ZONE 'UTC')::date::text AS day FROM servicetitan.customers")
    assert sorted(row["day"] for row in kept) == [f"2026-01-{n:02}" for n in range(first, last + 1)]
    assert replayed["status"] == "success"
    assert world.rows("SELECT entity, token, complete FROM sync.feeds ORDER BY entity") == before
    assert world.sf.counters["requests"] == 0, "the same content again is nothing to send"


def test_a_first_round_of_a_window_does_not_count_as_the_first_load(world: World) -> None:
    many_customers(world, 3)
    world.sync(until="2020-01-01T00:00:00Z")
    assert world.sf.records("Contact") == []
    assert world.sync()["entities"]["customers"]["new"] == 3


def test_chosen_entities_are_read_alone(world: World) -> None:
    many_customers(world, 2)
    round_ = world.sync(entities=["customers"])
    assert list(round_["entities"]) == ["customers"]
    assert set(world.st.counters["by_entity"]) == {"customers"}
    assert world.rows("SELECT DISTINCT tenant_id FROM servicetitan.customers") == [{"tenant_id": TENANT}]
