"""The command line as a new user meets it: every command in a process, its words, its JSON and its exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import httpx
import psycopg
import pytest

from st_sf_pipelines.defs.round import lock_name
from st_sf_pipelines.store import audit, local
from st_sf_pipelines.store.database import dagster_url, ensure_database
from st_sf_pipelines.systems.servicetitan.entities import ENTITIES
from st_sf_pipelines.systems.targets import SYSTEM
from st_sf_pipelines_tests.commands import Commands, Said
from st_sf_pipelines_tests.world import TENANT, World, small_shop

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM: Final = str(Path(sys.executable).with_name("st-sf"))
CUSTOMERS: Final = 12
PATIENCE: Final = 60.0
TARGETS: Final = {target.asset for target in SYSTEM["salesforce"].objects}
PEOPLE: Final = ("salesforce/accounts", "salesforce/contacts")


@pytest.fixture(scope="module")
def server_of_commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """Give the process that commands are forked from."""
    with Commands.opened(tmp_path_factory.mktemp("commands")) as commands:
        yield commands


@pytest.fixture
def st_sf(server_of_commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Run `st-sf` in a folder of the test's own, with no variable of ours set but those that the test sets."""
    for name in [name for name in os.environ if name.startswith(("SERVICETITAN_", "SALESFORCE_", "CRM_", "ST_SF_"))]:
        monkeypatch.delenv(name)
    return Commands(tmp_path, server_of_commands.server)


@pytest.fixture(scope="module")
def dagster_storage(server: str) -> str:
    """Give one storage for Dagster's own, which takes seconds to make; a new user's is made beside the database."""
    url = f"{server.rpartition('/')[0]}/dagster_{uuid4().hex[:12]}"
    ensure_database(url)
    return dagster_url(url)


@pytest.fixture
def shop(
    st_sf: Commands, database_url: str, dagster_storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """Give a shop of twelve customers and an empty org, joined by a site file that the commands read."""
    assert st_sf
    monkeypatch.setenv("ST_SF_DAGSTER_URL", dagster_storage)
    with World.opened(database_url, tmp_path, monkeypatch, small_shop(CUSTOMERS)) as world:
        yield world


@pytest.fixture
def home(st_sf: Commands, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a home for an embedded server of the test's own; the server's user must reach it."""
    assert st_sf
    around = Path(tempfile.mkdtemp(prefix="st_sf_cli_"))
    around.chmod(0o755)
    made = around / "home"
    monkeypatch.setenv("ST_SF_HOME", str(made))
    try:
        yield made
    finally:
        local.stop(made)
        rmtree((made / "postgres").resolve(), ignore_errors=True)
        rmtree(around)


def program(*arguments: str, cwd: Path) -> Said:
    """Run the installed program itself."""
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, check=False, text=True, cwd=cwd)
    return Said(done.returncode, done.stdout, done.stderr)


def fails(said: Said, *words: str) -> None:
    """A foreseen error is told in a sentence on standard error, with exit code 1; never with a traceback."""
    assert "Traceback" not in said.err + said.out
    assert said.code == 1, said
    for word in words:
        assert word in said.err


# ------------------------------------------------------------------------------------------------ a round and its words


def test_a_first_hour_with_the_program(shop: World, st_sf: Commands, tmp_path: Path) -> None:
    planned = st_sf("plan", "--json")
    assert (planned.code, planned.err) == (0, "")
    [tenant] = planned.json["tenants"]
    assert {*planned.json} == {"as_of", "tenants"}
    assert (tenant["name"], tenant["status"], tenant["error"]) == ("socal", "success", None)
    assert {*tenant["targets"]} == TARGETS
    for row in (tenant["targets"][asset] for asset in PEOPLE):
        assert row["records"] == row["create"] == CUSTOMERS
        assert (row["update"], row["calls"], row["parked"]) == (0, 1, 0)
    dry = st_sf("sync", "--dry-run", "--json")
    assert (dry.code, dry.json["tenants"][0]["status"]) == (0, "success")
    assert shop.sf.counters["requests"] == 0
    in_words = st_sf("plan")
    assert re.search(rf"socal\s+salesforce/accounts\s+{CUSTOMERS}\s+{CUSTOMERS}\s+0\s+1\b", in_words.out)

    table = program("sync", cwd=tmp_path)
    assert (table.code, table.err) == (0, "")
    assert re.search(rf"socal\s+salesforce/contacts\s+{CUSTOMERS}\s+{CUSTOMERS}\s+0\b", table.out)
    assert "socal: success" in table.out
    assert len(shop.sf.records("Account")) == len(shop.sf.records("Contact")) == CUSTOMERS

    again = program("sync", "--json", cwd=tmp_path)
    assert (again.code, again.err) == (0, "")
    has_the_keys_of_the_design(again.json)
    assert again.json["tenants"][0]["targets"]["salesforce/accounts"]["calls"] == 0

    proven = st_sf("reconcile")
    assert (proven.code, proven.err) == (0, "")
    [account, *_] = shop.sf.records("Account")
    shop.sf.put_records("Account", {"Id": account["Id"], "BillingCity": "Elsewhere"})
    differs = st_sf("reconcile", "--json")
    assert (differs.code, differs.json["ok"]) == (1, False)
    told = differs.json["tenants"][0]["objects"]["salesforce/accounts"]["differences"]
    assert told == [{"key": account["ServiceTitan_Account_Id__c"], "what": "differs", "fields": ["BillingCity"]}]
    in_words = st_sf("reconcile", "--repair")
    assert in_words.code == 1
    assert f"{account['ServiceTitan_Account_Id__c']} differs (BillingCity)" in in_words.out
    assert st_sf("sync").code == 0
    assert st_sf("reconcile").code == 0


def has_the_keys_of_the_design(report: dict[str, Any]) -> None:
    """Look for the keys that design.md promises to other software, and the types of what stands there."""
    assert {*report} >= {"as_of", "tenants"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", report["as_of"])
    for tenant in report["tenants"]:
        assert {*tenant} >= {"name", "status", "error", "entities", "derived", "targets"}
        assert tenant["status"] in ("success", "parked", "stopped", "failed")
        assert {*tenant["entities"]} == {entity.name for entity in ENTITIES}
        for row in tenant["entities"].values():
            assert {*row} >= {"read", "new", "changed", "quarantined", "calls"}
        assert {*tenant["derived"]} >= {"profiles", "segments", "opportunities", "states"}
        assert {*tenant["targets"]} == TARGETS
        for row in tenant["targets"].values():
            assert {*row} >= {"planned", "created", "updated", "unchanged", "parked", "calls"}
        counts = [*tenant["entities"].values(), *tenant["targets"].values(), tenant["derived"]]
        assert all(type(row[name]) is int for row in counts for name in {*row} - {"seconds", "would", "drift"})


def test_a_customer_is_explained_by_its_id_and_by_its_key_in_words_and_as_json(shop: World, st_sf: Commands) -> None:
    shop.st.put("customers", [{"id": 77, "name": "Ada [bold]Lovelace[/]", "balance": 12.5}])
    [job] = shop.st.put("jobs", [{"customerId": 77, "jobStatus": "Completed", "completedOn": "2020-05-04T18:00:00Z"}])
    shop.st.put("invoices", [{"customer": {"id": 77, "name": "Ada"}, "job": {"id": job}, "total": "1500.00"}])
    shop.sync()
    by_id, by_key = st_sf("explain", "77", "--json"), st_sf("explain", "st_77", "--json", "--tenant", "socal")
    assert (by_id.code, by_id.err) == (by_key.code, by_key.err) == (0, "")
    assert by_id.json == by_key.json
    customer, segment = by_id.json["customer"], by_id.json["segment"]
    assert (customer["st_id"], customer["tenant_id"], customer["last_job_date"]) == (77, TENANT, "2020-05-04")
    assert (customer["balance"], customer["lifetime_value"], customer["completed_jobs"]) == (12.5, 1500.0, 1)
    assert {*segment} >= {"value", "rule", "evidence", "due_on"}
    assert (segment["value"], segment["due_on"]) == ("Churning", None)
    assert segment["evidence"]["last_job"]["id"] == job
    words = st_sf("explain", "77")
    assert (words.code, words.err) == (0, "")
    for word in (
        "Ada [bold]Lovelace[/]",
        "customer 77 of socal",
        "Segment Churning",
        "$1,500.00",
        str(job),
        "2020-05-04",
    ):
        assert word in words.out
    fails(st_sf("explain", "123456"), "123456: not known")
    fails(st_sf("explain", "Lovelace"), "'Lovelace' is no customer; expected a number")
    fails(st_sf("explain", "77", "--tenant", "dallas"), "there is no tenant 'dallas'", "socal")


def test_a_round_may_be_of_some_entities_and_some_targets(shop: World, st_sf: Commands) -> None:
    some = st_sf("sync", "--entities", "customers, jobs", "--targets", "salesforce", "--tenant", "socal", "--json")
    assert (some.code, some.err) == (0, "")
    assert {*some.json["tenants"][0]["entities"]} == {"customers", "jobs"}
    assert len(shop.sf.records("Contact")) == CUSTOMERS
    shop.sf.count_anew()
    assert st_sf("sync", "--entities", "customers").code == 0
    assert shop.sf.counters["requests"] == 0, "where nothing changed there is no call, of whatever entities (SF-5)"
    full = st_sf("sync", "--full", "--json")
    assert full.code == 0
    assert full.json["tenants"][0]["entities"]["customers"]["read"] == CUSTOMERS
    window = st_sf("sync", "--since", "2001-01-01", "--until", "2001-01-02", "--entities", "customers", "--json")
    assert (window.code, window.json["tenants"][0]["entities"]["customers"]["new"]) == (0, 0)
    past = st_sf("sync", "--as-of", "2026-01-31T12:00:00Z", "--json")
    assert past.code == 0
    assert past.json["as_of"] == "2026-01-31T12:00:00Z"
    shop.sf.count_anew()
    for wrong, words in (
        (("--entities", "customers,orders"), ("orders", "not known", "customer_contacts")),
        (("--targets", "hubspot"), ("hubspot", "not known", "salesforce")),
        (("--tenant", "nobody"), ("there is no tenant 'nobody'", "socal")),
        (("--as-of", "yesterday"), ("'yesterday' is no moment", "2026-01-31T12:00:00Z")),
        (("--since", "soon"), ("'soon' is no moment",)),
    ):
        fails(st_sf("sync", *wrong), *words)
    assert shop.sf.counters["requests"] == 0
    assert st_sf("sync", "--colour").code == 2


def test_parked_records_are_listed_with_their_mend_and_sent_again_on_request(shop: World, st_sf: Commands) -> None:
    [key, other, *_] = [f"st_{row}" for row in sorted(shop.st.shop.tenant().tables["customers"].keys())]
    refusal = {"statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "fields": ["Phone"]}
    faults = [
        {"match": {"path": "/Contact/"}, "do": {"row_error": {**refusal, "when": {"ServiceTitan_Customer_Id__c": one}}}}
        for one in (key, other)
    ]
    shop.sf.set_faults(*faults)
    parked = program("sync", "--json", cwd=st_sf.folder)
    assert (parked.code, parked.err) == (3, "")
    assert parked.json["tenants"][0]["status"] == "parked"
    assert parked.json["tenants"][0]["targets"]["salesforce/contacts"]["parked"] == 2
    standing = st_sf("sync")
    assert standing.code == 3
    assert "socal: parked" in standing.out
    listed = st_sf("parked", "--json")
    assert listed.code == 0
    [tenant] = listed.json["tenants"]
    assert [row["key"] for row in tenant["parked"]] == [key, other]
    assert {*tenant["parked"][0]} >= {"object", "key", "code", "message", "fields", "mend"}
    assert tenant["parked"][0]["fields"] == ["Phone"]
    words = st_sf("parked")
    assert key in words.out
    assert tenant["parked"][0]["mend"].split()[0] in words.out
    assert st_sf("reconcile").code == 1
    shop.sf.set_faults()
    fails(st_sf("parked", "retry", "st_1"), "nothing is parked under 'st_1'")
    assert st_sf("parked", "retry", key).out.startswith("1 ")
    assert st_sf("parked", "retry", "--json").json == {"retried": 1}
    assert st_sf("sync").code == 0
    assert "socal: nothing is parked" in st_sf("parked").out
    assert st_sf("parked", "retry").code == 0


def test_an_org_that_holds_people_is_adopted_before_it_is_written(shop: World, st_sf: Commands) -> None:
    contact = next(
        shop.st.shop.tenant().tables["customer_contacts"].get(each)
        for each in shop.st.shop.tenant().tables["customer_contacts"].keys()  # noqa: SIM118 - a table is no dict
        if shop.st.shop.tenant().tables["customer_contacts"].get(each)["type"] == "Email"
    )
    [there] = shop.sf.put_records("Contact", {"LastName": "Here Before", "Email": contact["value"]})
    stopped = program("sync", cwd=st_sf.folder)
    fails(stopped, "st-sf adopt", "Contact", "nothing was written")
    assert "socal: stopped" in stopped.out
    looked = st_sf("adopt")
    assert (looked.code, looked.err) == (0, "")
    assert "Nothing was changed" in looked.out
    assert len(shop.sf.records("Contact")) == 1
    applied = st_sf("adopt", "--apply", "--json")
    assert (applied.code, applied.json["ok"], applied.json["applied"]) == (0, True, True)
    linked = applied.json["tenants"][0]["objects"]["salesforce/contacts"]["linked"]
    assert [(one["subject"], one["remote_ids"]) for one in linked] == [(contact["customerId"], [there])]
    assert st_sf("sync").code == 0
    assert st_sf("reconcile").code == 0
    assert len(shop.sf.records("Contact")) == CUSTOMERS
    assert {row["Id"]: row for row in shop.sf.records("Contact")}[there]["ServiceTitan_Customer_Id__c"] == (
        f"st_{contact['customerId']}"
    )


def test_a_running_round_is_named_and_the_next_one_gives_up(shop: World) -> None:
    [tenant] = shop.settings.site.tenants
    assert shop.sync()["status"] == "success"
    with shop.db.lock(lock_name(tenant)) as is_ours:
        assert is_ours
        audit.begin_round(shop.db, "the-other", tenant.id, tenant.name, datetime.now(UTC), dry_run=False)
        told = shop.sync(wait_seconds=1)
    assert told["status"] == "failed"
    for word in ("socal", "round the-other", "still running", "UTC"):
        assert word in told["error"]
    assert shop.sync()["status"] == "success"
    closed = shop.rows("SELECT status, error FROM sync.rounds WHERE run_id = 'the-other'")
    assert closed == [{"status": "failed", "error": "the process ended in the middle"}]


# -------------------------------------------------------------------------------------------------------- configuration


@pytest.mark.parametrize("command", ["parked", "adopt"])
def test_what_is_for_both_targets_names_both(st_sf: Commands, command: str) -> None:
    said = " ".join(st_sf(command, "--help").out.split())
    assert re.search(r"Salesforce (or|and) the CRM", said)


def test_without_arguments_the_help_is_printed(st_sf: Commands, tmp_path: Path) -> None:
    bare = program(cwd=tmp_path)
    assert bare.code in (0, 2)
    for word in ("Usage", "sync", "explain", "reconcile", "demo"):
        assert word in bare.out + bare.err
    helped = st_sf("sync", "--help")
    assert helped.code == 0
    assert "--dry-run" in helped.out
    assert st_sf("sink").code == 2
    assert not list(tmp_path.glob(".st_sf*"))


def test_what_is_in_force_is_shown_with_its_origin_and_no_secret(shop: World, st_sf: Commands) -> None:
    secrets = [shop.st.credentials[name] for name in ("client_secret", "app_key")]
    secrets.append(shop.sf.credentials["access_token"])
    table, shown = program("config", cwd=st_sf.folder), st_sf("config", "--json")
    assert (table.code, table.err) == (shown.code, shown.err) == (0, "")
    for said in (table, shown):
        assert all(secret not in said.out + said.err for secret in secrets)
        assert "********" in said.out
    assert shown.json["tenants.0.name"]["value"] == "socal"
    assert re.fullmatch(r"site\.yaml:\d+", shown.json["tenants.0.name"]["origin"])
    assert shown.json["segments.recent_days"] == {"value": "180", "origin": "default"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("tenants:\n  - name: socal\n    id: none\n    servicetitan: {client_id: a}\n", "site.yaml:3: tenants.0.id"),
        ("tenants:\n  - name: [socal\n", "site.yaml:3: is not YAML"),
        ("tenants: []\ncolour: red\n", "site.yaml:2: colour: is not known here"),
        ("segments:\n  recent_days: ${NOT_SET_ANYWHERE}\n", "site.yaml:2: segments.recent_days: the variable"),
    ],
)
def test_a_broken_site_file_is_told_with_its_line_and_nothing_starts(
    st_sf: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, fault: str
) -> None:
    (tmp_path / "site.yaml").write_text(text)
    monkeypatch.setenv("ST_SF_CONFIG", str(tmp_path / "site.yaml"))
    monkeypatch.setenv("ST_SF_HOME", str(tmp_path / "home"))
    for command in (("config",), ("sync",), ("plan", "--json"), ("explain", "1"), ("reconcile",), ("db", "start")):
        said = st_sf(*command)
        fails(said, fault)
        assert said.out == ""
    assert not (tmp_path / "home").exists()


def test_without_a_tenant_the_variables_that_make_one_are_named_and_nothing_starts(st_sf: Commands, home: Path) -> None:
    for command in (("sync",), ("plan",), ("adopt",), ("explain", "1"), ("reconcile",), ("parked",)):
        fails(st_sf(*command), "no tenant is configured", "ST_SF_CONFIG", "SERVICETITAN_")
        assert not home.exists(), f"st-sf {command[0]} started a database only to say that it has nothing to do"


def test_variables_alone_make_a_tenant(shop: World, st_sf: Commands, home: Path) -> None:
    st, sf = shop.st.credentials, shop.sf.credentials
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ST_SF_CONFIG")
        patch.delenv("ST_SF_DATABASE_URL")
        patch.delenv("ST_SF_DAGSTER_URL")
        for name in ("api_url", "auth_url", "client_id", "client_secret", "app_key", "tenant_id", "timezone"):
            patch.setenv(f"SERVICETITAN_{name.upper()}", str(st[name]))
        for name in ("login_url", "client_id", "client_secret"):
            patch.setenv(f"SALESFORCE_{name.upper()}", str(sf[name]))
        shown = st_sf("config", "--json").json
        assert shown["tenants.0.name"]["value"] == "default"
        assert shown["tenants.0.id"] == {"value": str(TENANT), "origin": "SERVICETITAN_TENANT_ID"}
        masked = {"value": "********", "origin": "SALESFORCE_CLIENT_SECRET"}
        assert shown["tenants.0.salesforce.client_secret"] == masked
        done = program("sync", "--json", cwd=st_sf.folder)
        assert (done.code, done.err) == (0, "")
        assert [(each["name"], each["status"]) for each in done.json["tenants"]] == [("default", "success")]
        assert len(shop.sf.records("Account")) == CUSTOMERS
        assert local.url(home)  # the embedded server of this home did it
        fails(st_sf("sync", SERVICETITAN_TIMEZONE="Mars/Olympus"), "SERVICETITAN_TIMEZONE", "is no time zone")


# ----------------------------------------------------------------------------------------------------- foreseen trouble


def test_foreseen_trouble_is_told_in_a_sentence(shop: World, st_sf: Commands) -> None:
    shop.extra = {"servicetitan": {"client_secret": "wrong-and-secret"}}
    shop.write_site()
    refused = st_sf("sync")
    fails(refused, "servicetitan: socal", "the client id or secret is refused")
    assert "wrong-and-secret" not in refused.err + refused.out
    shop.extra = {"salesforce": {"access_token": "wrong-and-secret"}}
    shop.write_site()
    refused = st_sf("sync", "--json")
    assert refused.code == 1
    assert "Traceback" not in refused.err
    [tenant] = refused.json["tenants"]
    assert (tenant["status"], tenant["entities"]["customers"]["new"]) == ("failed", CUSTOMERS)
    assert "salesforce: socal" in tenant["error"]
    assert "wrong-and-secret" not in refused.err + refused.out
    fails(st_sf("reconcile"), "salesforce: socal")
    fails(st_sf("adopt"), "salesforce: socal")
    shop.extra = {}
    shop.write_site()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    for wrong, words in (
        ("mysql://root@localhost/x", ("ST_SF_DATABASE_URL", "postgresql://")),
        (f"postgresql://somebody:and-secret@127.0.0.1:{free}/x", ("cannot be reached",)),
    ):
        for command in (("sync",), ("explain", "1"), ("reconcile",), ("db", "migrate")):
            said = st_sf(*command, ST_SF_DATABASE_URL=wrong)
            fails(said, *words)
            assert "and-secret" not in said.err
    (st_sf.folder / "file").write_text("")
    fails(st_sf("db", "start", ST_SF_HOME=str(st_sf.folder / "file"), ST_SF_DATABASE_URL=""), "ST_SF_DATABASE_URL")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nonsense",), ("'nonsense'", "servicetitan, salesforce or crm")),
        (("servicetitan", "--shop", "nowhere"), ("nowhere", "perfect-catch")),
        (("servicetitan", "--faults", "missing.json"), ("missing.json",)),
        (("salesforce", "--faults", "missing.json"), ("missing.json",)),
        (("crm", "--faults", "missing.json"), ("missing.json",)),
        (("crm", "--port", "TAKEN"), ("TAKEN",)),
        (("servicetitan", "--port", "TAKEN"), ("TAKEN",)),
        (("salesforce", "--port", "TAKEN"), ("TAKEN",)),
    ],
)
def test_a_stand_in_that_cannot_start_says_why(
    st_sf: Commands, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = st_sf("simulate", *(word.replace("TAKEN", port) for word in arguments))
    fails(said, *(word.replace("TAKEN", port) for word in words))
    assert said.out == ""


# ------------------------------------------------------------------------------------------ the database, the stand-ins


def test_the_embedded_database_is_started_named_and_stopped(st_sf: Commands, home: Path) -> None:
    fails(st_sf("db", "url"), "st-sf db start")
    assert "not running" in st_sf("db", "stop").out
    started = st_sf("db", "start")
    assert (started.code, started.err) == (0, "")
    url = st_sf("db", "url").out.strip()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM sync.rounds").fetchone() == (0,)
    migrated = st_sf("db", "migrate")
    assert (migrated.code, migrated.err) == (0, "")
    with psycopg.connect(f"{url}_dagster") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert st_sf("db", "start").code == 0
    assert st_sf("db", "stop").out.strip() == "stopped"
    fails(st_sf("db", "url"), str(home))
    assert st_sf("db", "stop").code == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stand_ins_tell_all_that_a_client_needs_and_stop_when_told(
    st_sf: Commands, tmp_path: Path, number: signal.Signals
) -> None:
    assert st_sf
    shop = tmp_path / "shop.json"
    shop.write_text(json.dumps(small_shop(3)))
    told: dict[str, list[dict[str, Any]]] = {"servicetitan": [], "salesforce": [], "crm": []}
    for system, more in (("servicetitan", ["--shop", str(shop)]), ("salesforce", []), ("crm", [])):
        for _ in range(2):
            with subprocess.Popen([PROGRAM, "simulate", system, *more], stdout=subprocess.PIPE, text=True) as stand_in:
                assert stand_in.stdout is not None
                told[system].append(json.loads(stand_in.stdout.readline()))
                assert httpx.get(told[system][-1]["url"] + "/_sim/counters").status_code == 200
                stand_in.send_signal(number)
                assert stand_in.wait(PATIENCE) == 0
    needed = {"url", "api_url", "auth_url", "client_id", "client_secret", "app_key", "tenant_id", "timezone"}
    assert {*told["servicetitan"][0]} >= needed
    assert {*told["salesforce"][0]} >= {
        "url",
        "instance_url",
        "login_url",
        "access_token",
        "client_id",
        "client_secret",
    }
    assert {*told["crm"][0]} == {"system", "url", "api_url", "api_key", "webhook_secret"}
    for starts in told.values():
        first, second = ({name: value for name, value in one.items() if "url" not in name} for one in starts)
        assert first == second
