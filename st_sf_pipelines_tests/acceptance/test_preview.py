"""A rule is rehearsed before it is adopted, and tested on a past date, and neither writes anything (SEG-6)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from st_sf_pipelines.cli import app
from st_sf_pipelines.errors import ConfigError
from st_sf_pipelines.store import segments
from st_sf_pipelines_tests.acceptance.desk import completed_job, dallas_of, new_customer, two_shops

if TYPE_CHECKING:
    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World

NOW = "2026-06-01T20:00:00Z"


def asked(*arguments: str) -> dict[str, Any]:
    """Run a command with --json; give its object."""
    result = CliRunner().invoke(app, [*arguments, "--json"])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def told(*arguments: str, of: str = "segments") -> dict[str, Any]:
    """Give one section of the first tenant's."""
    part: dict[str, Any] = asked(*arguments)["tenants"][0][of]
    return part


def stand(found: dict[str, Any], when: str) -> dict[str, int]:
    """Give the values that somebody has."""
    return {value: count for value, count in found[when].items() if count}


def everything(world: World) -> dict[str, list[dict[str, Any]]]:
    """Read all tables of ours, to the versions of their rows."""
    schemas = ["servicetitan", "customers", "pipeline", "sync"]
    query = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY(%s)"
    names = [f"{row['schemaname']}.{row['tablename']}" for row in world.rows(query, schemas)]
    return {name: world.rows(f"SELECT xmin::text AS version, * FROM {name} ORDER BY 1, 2") for name in names}  # noqa: S608


@pytest.fixture
def shop(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[World, dict[str, int]]:
    """Give a shop of four customers after a round, read in frames of two."""
    monkeypatch.setattr(segments, "AT_ONCE", 2)
    kinds = {"vip": ("12000.00", "2026-05-01"), "high": ("6000.00", "2026-05-01"), "late": ("10.00", "2025-11-01")}
    ids = {}
    for name, (value, day) in kinds.items():
        ids[name] = new_customer(world, f"Ann {name.title()}", createdOn="2025-01-01T00:00:00Z")
        completed_job(world, ids[name], f"{day}T20:00:00Z", value)
    ids["none"] = new_customer(world, "Ann None", createdOn="2026-05-20T00:00:00Z")
    world.sync(as_of=NOW)
    return world, ids


def test_preview_tells_who_would_move_and_writes_nothing(shop: tuple[World, dict[str, int]]) -> None:
    world, ids = shop
    before = everything(world)
    edits = ("--set", "segments.high_lifetime_value=6000.01", "--set", "segments.vip_lifetime_value=15000")
    found = told("preview", *edits, "--as-of", NOW)
    assert found["before"] == {"VIP": 1, "High Value": 1, "Churning": 0, "At Risk": 1, "Standard": 1}
    assert found["after"] == {"VIP": 0, "High Value": 1, "Churning": 0, "At Risk": 1, "Standard": 2}
    assert (found["moves"], found["new"]) == (
        [
            {"from": "VIP", "to": "High Value", "customers": 1},
            {"from": "High Value", "to": "Standard", "customers": 1},
        ],
        0,
    )
    assert found["moved"][1] == {
        "st_id": ids["high"],
        "from": "High Value",
        "to": "Standard",
        "rule": "standard",
        "evidence": {"lifetime_value": 6000.0, "last_job_date": "2026-05-01", "days_since_last_job": 31},
    }
    assert found["rules"]["high_value"] == "Lifetime value of at least $6,000.01."
    assert everything(world) == before


def test_what_a_round_does_with_the_edited_site_file_is_what_the_preview_said(
    shop: tuple[World, dict[str, int]],
) -> None:
    world, _ = shop
    world.write_site(segments={"recent_days": 20, "high_lifetime_value": 10})
    found = told("preview", "--as-of", NOW)
    assert sum(move["customers"] for move in found["moves"]) == len(found["moved"]) == 2
    world.sync(as_of=NOW)
    after = {row["st_id"]: row["segment"] for row in world.rows("SELECT st_id, segment FROM customers.segment")}
    assert {row["st_id"]: row["to"] for row in found["moved"]}.items() <= after.items()
    again = told("preview", "--as-of", NOW)
    assert (again["moves"], again["moved"], again["before"]) == ([], [], found["after"])


def test_a_tenants_own_thresholds_are_edited_too_and_the_file_stays(open_world: OpenWorld) -> None:
    world = open_world(two_shops(socal=3, dallas=3))
    world.extra = {"segments": {"recent_days": 90}}
    world.write_site(dallas_of(world))
    assert {each["status"] for each in world.sync_all()["tenants"]} == {"success"}
    file = (world.folder / "site.yaml").read_text()
    values = ("--set", "segments.vip_lifetime_value=0", "--set", "segments.high_lifetime_value=0")  # checked together
    report = asked("preview", *values)
    assert [tenant["name"] for tenant in report["tenants"]] == ["socal", "dallas"]
    for tenant in report["tenants"]:
        after = tenant["segments"]["after"]
        assert after["VIP"] + after["High Value"] == 3
    assert "less than 90 days" in report["tenants"][0]["segments"]["rules"]["vip"]
    assert "less than 180 days" in report["tenants"][1]["segments"]["rules"]["vip"]
    assert (world.folder / "site.yaml").read_text() == file
    assert [each["name"] for each in asked("preview", "--tenant", "dallas")["tenants"]] == ["dallas"]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ("segments.vip_lifetime_value", "expected such as segments.vip_lifetime_value=15000"),
        ("tenants.name=x", "sections that rules read: pipelines, segments, states"),
        ("states.stale_after.7=1", "--set states.stale_after.7=1: "),
        ("segments.=1", "expected such as"),
        ("segments.vip=1", "is not known here"),
        ("segments.recent_days=soon", "--set segments.recent_days=soon: "),
        ("segments.recent_days=[", "cannot be read"),
        ("segments.recent_days.x=1", "leads nowhere"),
        ("segments.vip_lifetime_value=4000", "must not be below high_lifetime_value"),
    ],
)
@pytest.mark.usefixtures("world")
def test_a_setting_that_is_none_is_named_with_its_mend(edit: str, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        asked("preview", "--set", edit)
    assert words in str(error.value)


@pytest.mark.parametrize("moment", ["2999-01-01T00:00:00Z", "yesterday", ""])
@pytest.mark.usefixtures("world")
def test_a_backtest_wants_a_moment_in_the_past(moment: str) -> None:
    with pytest.raises(ConfigError, match=r"moment"):
        asked("backtest", "--as-of", moment)


def test_a_backtest_sees_records_up_to_its_instant_and_no_later(world: World) -> None:
    then = "2026-02-01T12:00:00Z"
    early, exact, late, young = (
        new_customer(world, f"Ann Number{n}", createdOn=made)
        for n, made in enumerate([then, "2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "2026-02-01T12:00:00.000001Z"])
    )
    done = {early: "2025-07-01T12:00:00Z", exact: then, late: "2026-02-01T12:00:01Z", young: "2026-01-01T12:00:00Z"}
    for st_id, moment in done.items():
        made = {"customerId": st_id, "jobStatus": "Completed", "createdOn": "2025-06-01T00:00:00Z"}
        world.st.put("jobs", [{**made, "completedOn": moment}])
        bill = {"customer": {"id": st_id, "name": "x"}, "total": "12000.00", "createdOn": moment, "invoiceDate": None}
        world.st.put("invoices", [bill])
    world.st.put("invoices", [{"customer": {"id": late, "name": "x"}, "total": "5000.00", "createdOn": then,
                               "invoiceDate": "2026-02-02T00:00:00Z"}])  # fmt: skip
    world.sync(as_of="2026-02-02T12:00:00Z")
    before = everything(world)
    report = asked("backtest", "--as-of", then)
    assert "today's records less those dated after" in report["says"]
    assert "with the statuses that they have now" in report["says"]
    found = report["tenants"][0]["segments"]
    # early: a job long ago; exact: the job of the very instant counts; late: neither job nor invoices; young: not there
    assert found["before"] == {"VIP": 1, "High Value": 1, "Churning": 0, "At Risk": 0, "Standard": 1}
    assert found["new"] == 1
    assert sum(found["after"].values()) == 4
    assert {row["st_id"]: row["from"] for row in found["moved"]}[late] == "Standard"
    assert young not in {row["st_id"] for row in found["moved"]}
    assert everything(world) == before


@pytest.mark.usefixtures("shop")
def test_a_backtest_takes_an_edited_rule_for_then_and_now() -> None:
    found = told("backtest", "--as-of", "2026-05-02T00:00:00Z", "--set", "segments.recent_days=200")
    assert (found["before"]["Standard"], found["new"]) == (3, 1)
    found = told("backtest", "--as-of", "2026-05-02T00:00:00Z", "--set", "segments.recent_days=10")
    assert (found["before"]["Standard"], found["before"]["At Risk"]) == (2, 1)


def test_both_are_printed_for_people_with_the_first_of_the_movers(shop: tuple[World, dict[str, int]]) -> None:
    _, ids = shop
    shown = CliRunner().invoke(app, ["preview", "--set", "segments.vip_lifetime_value=15000", "--as-of", NOW])
    assert shown.exit_code == 0
    assert "socal: 1 of 4 customers move" in shown.stdout
    assert "1 from VIP to High Value" in shown.stdout
    assert f"{ids['vip']}" in shown.stdout
    assert "lifetime value 12000" in shown.stdout
    assert "Nothing was written" in " ".join(shown.stdout.split())
    assert "statuses" in CliRunner().invoke(app, ["backtest", "--as-of", "2026-05-01"]).stdout


SALES, INSTALL, ROOF = 1, 2, 3


@pytest.fixture
def dealt(world: World) -> tuple[World, dict[str, int]]:
    """Give a shop of five customers with a job each, after a round; two of them have a deal."""
    units = {SALES: "Pool - Sales", INSTALL: "Pool - Install", ROOF: "Roof"}
    world.st.put("business_units", [{"id": nr, "name": name} for nr, name in units.items()])
    ids = {}
    # name, unit, the job's day, its status; an estimate's day, the day of its sale
    for name, unit, day, status, offered, sold in (
        ("early", SALES, "2026-05-10", "Scheduled", None, None),
        ("offered", SALES, "2026-05-20", "Scheduled", "2026-05-25", None),
        ("bought", SALES, "2026-05-08", "Scheduled", "2026-05-09", "2026-05-30"),
        ("roof", ROOF, "2026-05-28", "Scheduled", None, None),
        ("built", INSTALL, "2026-03-01", "Completed", None, None),
    ):
        ids[name] = who = new_customer(world, f"Ann {name.title()}", createdOn="2025-01-01T00:00:00Z")
        dates = {"createdOn": f"{day}T12:00:00Z", "modifiedOn": f"{day}T12:00:00Z"}
        done = {"completedOn": "2026-03-20T12:00:00Z"} if status == "Completed" else {}
        made = {"customerId": who, "jobStatus": status, "businessUnitId": unit}
        [job] = world.st.put("jobs", [{**made, **dates, **done}])
        world.st.put("appointments", [{"jobId": job, "customerId": who, "status": "Scheduled", **dates}])
        if offered:
            offer = {"jobId": job, "customerId": who, "subtotal": 100.0, "tax": 0, "createdOn": f"{offered}T12:00:00Z"}
            state = {"status": {"value": 1, "name": "Sold"}, "soldOn": f"{sold}T12:00:00Z"} if sold else {}
            world.st.put("estimates", [{"status": {"value": 0, "name": "Open"}, **offer, **state}])
    world.sync(as_of=NOW)
    return world, ids


def test_a_wider_window_tells_which_deals_it_would_open_and_a_round_then_opens_them(
    dealt: tuple[World, dict[str, int]],
) -> None:
    world, ids = dealt
    before = everything(world)
    found = told("preview", "--as-of", NOW, "--set", "pipelines.opportunity_window_days=30", of="stages")
    assert stand(found, "before") == {
        "not opened": 2,
        "sales/appointment-scheduled/open": 1,
        "sales/proposal-sent/open": 1,
    }
    assert found["moves"] == [
        {"from": "not opened", "to": "sales/appointment-scheduled/open", "deals": 1},
        {"from": "not opened", "to": "sales/job-sold/won", "deals": 1},
    ]
    opened = {row["deal"]: row for row in found["moved"]}
    assert set(opened) == {f"st_{ids['early']}_1", f"st_{ids['bought']}_1"}
    row = opened[f"st_{ids['early']}_1"]
    assert (row["st_id"], row["from"], row["rule"]) == (ids["early"], "not opened", "CRM-2")
    assert row["evidence"]["records"][0].startswith("appointment ")
    assert "moves on" in found["rules"][row["rule"]]
    assert everything(world) == before
    world.write_site(pipelines={"opportunity_window_days": 30})
    world.sync(as_of=NOW)
    query = "SELECT pipeline || '/' || stage || '/' || status AS place, count(*) FROM pipeline.opportunities GROUP BY 1"
    assert {row["place"]: row["count"] for row in world.rows(query)} == stand(found, "after")
    again = told("preview", "--as-of", NOW, of="stages")
    assert (again["moves"], again["moved"], again["before"]) == ([], [], {**found["after"], "not opened": 0})


def test_a_shorter_limit_and_a_unit_that_installs_tell_whose_state_would_change(
    dealt: tuple[World, dict[str, int]],
) -> None:
    world, ids = dealt
    before = everything(world)
    found = told("preview", "--as-of", NOW, of="states")
    assert (found["moves"], stand(found, "before")) == ([], {"2": 2, "3": 1, "4": 1, "6": 1})
    edits = ("--set", "states.reset_after_days=60", "--set", "pipelines.business_units.Roof=install")
    found = told("preview", "--as-of", NOW, *edits, of="states")
    assert found["moves"] == [{"from": "2", "to": "5", "customers": 1}, {"from": "6", "to": "0", "customers": 1}]
    moved = {row["st_id"]: row for row in found["moved"]}
    assert (moved[ids["roof"]]["rule"], moved[ids["roof"]]["evidence"]["entered_on"]) == (
        "install_booked",
        "2026-05-28",
    )
    assert moved[ids["built"]]["rule"] == "reset"
    assert "1 after 60, 6 after 60" in found["rules"]["reset"]
    assert everything(world) == before
    world.write_site(states={"reset_after_days": 60}, pipelines={"business_units": {"Roof": "install"}})
    world.sync(as_of=NOW)
    counts = world.rows("SELECT state, count(*) FROM customers.state GROUP BY 1")
    assert {row["state"]: row["count"] for row in counts} == stand(found, "after")


def test_a_backtest_follows_deals_and_states_from_that_day_on(dealt: tuple[World, dict[str, int]]) -> None:
    world, ids = dealt
    before = everything(world)
    report = asked("backtest", "--as-of", "2026-05-22T20:00:00Z")["tenants"][0]
    moved = {row["st_id"]: (row["from"], row["to"]) for row in report["stages"]["moved"]}
    assert moved == {
        ids["offered"]: ("sales/appointment-scheduled/open", "sales/proposal-sent/open"),
        ids["bought"]: ("sales/proposal-sent/open", "sales/job-sold/won"),
        ids["roof"]: ("not opened", "sales/appointment-scheduled/open"),
    }
    assert stand(report["stages"], "before") == {
        "not opened": 1,
        "sales/appointment-scheduled/open": 2,
        "sales/proposal-sent/open": 1,
    }
    moved = {row["st_id"]: (row["from"], row["to"]) for row in report["states"]["moved"]}
    assert moved[ids["offered"]] == ("2", "3")
    assert moved[ids["bought"]] == ("3", "4")
    assert moved[ids["roof"]] == ("0", "2")
    earlier = asked("backtest", "--as-of", "2026-03-10T12:00:00Z")["tenants"][0]
    moved = {row["st_id"]: (row["from"], row["to"]) for row in earlier["stages"]["moved"]}
    assert moved[ids["built"]] == ("install/scheduled/open", "install/job-completed/won")
    assert earlier["states"]["before"]["5"] == 1  # its install was completed later
    assert everything(world) == before


def test_deals_and_states_are_printed_for_people_too(dealt: tuple[World, dict[str, int]]) -> None:
    _, ids = dealt
    shown = CliRunner().invoke(app, ["preview", "--set", "pipelines.opportunity_window_days=30", "--as-of", NOW])
    assert shown.exit_code == 0
    assert "socal: 2 of 4 deals move" in shown.stdout
    assert "socal: 0 of 5 customers move" in shown.stdout
    assert f"st_{ids['early']}_1" in shown.stdout
    assert "records appointment" in shown.stdout
    assert "sales/contacted" not in shown.stdout
