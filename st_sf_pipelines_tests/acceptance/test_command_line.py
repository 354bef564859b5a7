"""The command line says what happened: 0 only if nothing was rejected, 3 if rows were parked, 1 on failure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from st_sf_pipelines.cli import app
from st_sf_pipelines.errors import ConfigError
from st_sf_pipelines.operate.customers import subject_of
from st_sf_pipelines.simulators.servicetitan.faults import rules
from st_sf_pipelines_tests.acceptance.desk import completed_job, new_customer
from st_sf_pipelines_tests.acceptance.sale import now

if TYPE_CHECKING:
    from st_sf_pipelines_tests.world import World


def st_sf(*arguments: str) -> tuple[int, Any]:
    """Run a command in this process; give its exit code and what it printed as JSON."""
    result = CliRunner().invoke(app, [*arguments, "--json"])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, json.loads(result.stdout)


def test_sync_ends_with_0_then_3_for_parked_rows_and_1_on_failure(world: World) -> None:
    st_id = new_customer(world, "Ann Lee")
    code, report = st_sf("sync", "--as-of", "2026-06-01T00:00:00Z")
    [tenant] = report["tenants"]
    assert (code, report["as_of"], tenant["status"], tenant["error"]) == (0, "2026-06-01T00:00:00Z", "success", None)
    assert tenant["entities"]["customers"].items() >= {"read": 1, "new": 1, "changed": 0, "quarantined": 0}.items()
    assert tenant["targets"]["salesforce/accounts"]["created"] == 1
    world.sf.add_rule("validation", "Account", when={"Name": "Ann Bad"}, message="bad name")
    world.st.put("customers", [{"id": st_id, "name": "Ann Bad"}])
    assert st_sf("sync")[0] == 3
    code, report = st_sf("parked")
    [row] = report["tenants"][0]["parked"]
    assert (code, row["key"], row["code"]) == (0, f"st_{st_id}", "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    assert row["mend"]
    assert st_sf("reconcile")[0] == 1
    world.sf.expire_session()
    world.st.put("customers", [{"id": st_id, "name": "Ann Lee-Jones"}])
    code, report = st_sf("sync")
    assert (code, report["tenants"][0]["status"]) == (1, "failed")


def test_what_failed_in_a_round_is_counted_as_far_as_it_came_with_its_error(world: World) -> None:
    new_customer(world, "Ann Lee")
    world.st.app.faults.rules = rules([{"match": {"entity": "invoices"}, "do": {"status": 404}}])
    [tenant] = st_sf("sync")[1]["tenants"]
    invoices, customers = tenant["entities"]["invoices"], tenant["entities"]["customers"]
    assert "GET /accounting/v2/tenant/4101/export/invoices: not found (404)" in invoices.pop("error")
    assert invoices.items() >= {"read": 0, "new": 0, "changed": 0, "quarantined": 0, "calls": 1}.items()
    assert (customers["read"], "error" in customers) == (1, False)


def test_a_full_round_reads_and_derives_all_again(world: World) -> None:
    new_customer(world, "Ann Lee")
    assert st_sf("sync")[0] == 0
    code, report = st_sf("sync", "--full")
    assert (code, report["tenants"][0]["entities"]["customers"]["read"]) == (0, 1)


def test_an_org_with_people_ends_with_1_until_it_is_adopted(world: World) -> None:
    new_customer(world, "Ann Lee", email="ann@example.com")
    world.sf.put_records("Contact", {"LastName": "Lee", "Email": "ann@example.com"})
    world.sf.put_records("Account", {"Name": "Somebody"})
    code, report = st_sf("sync")
    assert (code, report["tenants"][0]["status"]) == (1, "stopped")
    assert st_sf("adopt", "--apply")[0] == 0
    assert st_sf("sync")[0] == 0
    code, report = st_sf("reconcile")
    assert (code, report["ok"]) == (0, True)


def test_plan_tells_records_calls_and_storage_and_sends_nothing(world: World) -> None:
    ann = new_customer(world, "Ann Lee")
    for days in (-1, -2, -3):
        completed_job(world, ann, now(days))
    code, report = st_sf("plan")
    row = report["tenants"][0]["targets"]["salesforce/accounts"]
    assert (code, row["records"], row["create"], row["calls"], row["storage_kb"]) == (0, 1, 1, 1, 2)
    events = report["tenants"][0]["targets"]["salesforce/events"]
    assert (events["create"], events["storage_kb"]) == (3, 6)
    assert world.sf.records("Account") == []
    words = CliRunner().invoke(app, ["plan"]).stdout
    assert re.search(r"salesforce/events\s+3\s+3\s+0\s+1\s+6 KB\s+0\s+0", words)


@pytest.mark.parametrize(
    "arguments", [("sync", "--tenant", "nobody"), ("sync", "--entities", "x"), ("config", "--tenant", "nobody")]
)
def test_a_name_that_is_not_known_is_told(world: World, arguments: tuple[str, ...]) -> None:
    del world
    with pytest.raises(ConfigError, match=r"nobody|x: not known"):
        st_sf(*arguments)


PROMISED = {
    "sync": {"tenant", "entities", "targets", "full", "since", "until", "as-of", "dry-run", "json"},
    **{name: {"tenant", "json"} for name in ("plan", "explain", "check", "reconcile", "config", "preview", "parked")},
    "parked retry": {"tenant", "json"},
    "setup": {"tenant", "apply", "json"},
    "adopt": {"tenant", "apply", "json"},
    "backtest": {"tenant", "as-of", "json"},
    "simulate": {"port", "shop", "customers", "page-size", "faults"},
}


@pytest.mark.parametrize("command", PROMISED)
def test_each_command_takes_the_options_that_other_programs_give_it(command: str) -> None:
    found: Any = get_command(app)
    for word in command.split():
        found = found.commands[word]
    assert {option.removeprefix("--") for each in found.params for option in each.opts} >= PROMISED[command]


def test_config_masks_every_secret(world: World) -> None:
    code, report = st_sf("config")
    assert code == 0
    text = json.dumps(report)
    for secret in (world.st.credentials["client_secret"], world.st.credentials["app_key"]):
        assert secret not in text
    assert world.sf.credentials["access_token"] not in text


@pytest.mark.parametrize(
    ("text", "subject"),
    [("67", 67), ("st_67", 67), ("tx9_67_3", 67), ("lead_67", -67), ("st_lead_67", -67), (" tx9_lead_67 ", -67)],
)
def test_a_customer_an_opportunity_and_a_lead_are_named_by_their_keys_in_any_target(
    world: World, text: str, subject: int
) -> None:
    world.extra["salesforce"] = {"external_id": "tx9_{id}"}
    world.write_site()
    [tenant] = world.settings.site.tenants
    assert subject_of(text, tenant) == subject
