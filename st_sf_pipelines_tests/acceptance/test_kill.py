"""A process that is killed loses nothing, doubles nothing, and is noticed; whatever it was doing.

Rounds are killed with SIGKILL where they wait for something that the test holds: a stand-in that has fallen silent, or
a row at which PostgreSQL halts. So each point is met exactly, and no verdict hangs on the clock; random moments come on
top. After each kill the next round must end the work, and the whole way is compared from ServiceTitan to Salesforce.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import uuid4

import dagster as dg
import psycopg
import pytest

from st_sf_pipelines.definitions import defs
from st_sf_pipelines.defs import automation, instance
from st_sf_pipelines.defs.round import lock_name
from st_sf_pipelines.operate.targets import prove
from st_sf_pipelines.store import local
from st_sf_pipelines.store.database import recreate
from st_sf_pipelines_tests.world import World, small_shop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CUSTOMERS: Final = 120
PAGE: Final = 25
PATIENCE: Final = 60.0
"""Seconds after which a point that is not reached is a fault of the test, not a verdict."""
FOREVER: Final = 3_600
PROGRAM: Final = str(Path(sys.executable).with_name("st-sf"))
ACCOUNTS, CONTACTS = "composite/sobjects/Account", "composite/sobjects/Contact"
Fate = Literal["rolled back", "committed late", "committed under the next round"]


# ---------------------------------------------------------------------------------------------- where a round is killed


@dataclass(frozen=True)
class Point:
    """A place on the way, where the round waits until it is killed."""

    says: str
    st: dict[str, Any] | None = None
    """ServiceTitan falls silent at the call that this matches."""
    sf: tuple[dict[str, Any], ...] = ()
    """Faults of Salesforce; the last is the one at which it falls silent."""
    sql: str = ""
    """PostgreSQL halts at a row of this table (`schema.table WHEN condition`); with `AT COMMIT`, after all its rows."""
    nth: int = 1
    """The row at which it halts, counted from 1."""
    fate: Fate = "rolled back"
    """What becomes of the transaction that was open at the kill."""

    def __str__(self) -> str:
        """Name the point in pytest's list."""
        return f"{self.says}, {self.fate}" if self.sql else self.says


def asked(entity: str, page: int) -> Point:
    return Point(f"page {page} of {entity} is asked for", st={"entity": entity, "nth": page})


def silent(says: str, path: str, nth: int = 1, *before: dict[str, Any]) -> Point:
    fault = {"match": {"path": path, "nth": nth}, "do": {"silence": FOREVER}}
    return Point(says, sf=(*before, fault))


def committed(says: str, path: str, nth: int = 1, *before: dict[str, Any]) -> Point:
    fault = {"match": {"path": path, "nth": nth}, "do": {"commit_then_silence": FOREVER}}
    return Point(says, sf=(*before, fault))


REFUSED_WHOLE: Final = {
    "match": {"path": ACCOUNTS, "nth": 1},
    "do": {"status": 400, "body": [{"errorCode": "JSON_PARSER_ERROR", "message": "a fault of the stand-in"}]},
}
LOCKED_ROWS: Final = {
    "match": {"path": CONTACTS, "nth": 1},
    "do": {"row_error": {"statusCode": "UNABLE_TO_LOCK_ROW", "times": 7}},
}

BOTH: Final = (
    Point("the token is asked for", st={"path": "/connect/token", "nth": 1}),
    asked("customers", 1),
    Point("a page of customers is stored", sql="servicetitan.customers AT COMMIT"),
    Point(
        "a page of customers is stored",
        sql="servicetitan.customers AT COMMIT",
        fate="committed under the next round",
    ),
    Point(
        "profiles are concluded",
        sql="sync.positions AT COMMIT WHEN NEW.consumer = 'customers/profile'",
        fate="committed under the next round",
    ),
    Point("segments are concluded", sql="sync.positions AT COMMIT WHEN NEW.consumer = 'customers/segment'"),
    Point("accounts are planned", sql="sync.positions AT COMMIT WHEN NEW.consumer = 'salesforce/accounts'"),
    Point("an account's receipt is stored", sql="sync.receipts WHEN NEW.asset = 'salesforce/accounts'", nth=3),
    Point(
        "the contacts' receipts are stored",
        sql="sync.receipts AT COMMIT WHEN NEW.asset = 'salesforce/contacts'",
        nth=4,
        fate="committed late",
    ),
    Point("the round's end is noted", sql="sync.rounds UPDATE WHEN NEW.ended_at IS NOT NULL"),
)
FIRST_LOAD: Final = (
    *BOTH,
    asked("customers", 3),
    asked("customers", 5),
    asked("customer_contacts", 6),
    asked("jobs", 9),
    asked("invoices", 10),
    Point("a page's token is stored", sql="sync.feeds WHEN NEW.entity = 'customers'", nth=3),
    Point("accounts are opened", sql="sync.targets WHEN NEW.asset = 'salesforce/accounts'"),
    silent("Salesforce is called for the first time", "/services/data"),
    silent("accounts are sent", ACCOUNTS),
    committed("Salesforce has made the accounts", ACCOUNTS),
    committed("Salesforce has made the second half of the accounts", ACCOUNTS, 3, REFUSED_WHOLE),
    Point("contacts are opened", sql="sync.targets WHEN NEW.asset = 'salesforce/contacts'", fate="committed late"),
    silent("contacts are sent", CONTACTS),
    committed("Salesforce has made the contacts", CONTACTS),
    committed("Salesforce has made the contacts that it refused at first", CONTACTS, 2, LOCKED_ROWS),
)
LATER_ROUND: Final = (
    *BOTH,
    asked("customer_contacts", 1),
    asked("business_units", 1),
    asked("invoices", 1),
    Point("the round is noted", sql="sync.rounds INSERT"),
    Point("the round is noted", sql="sync.rounds INSERT AT COMMIT", fate="committed late"),
    Point("a page of invoices is stored", sql="servicetitan.invoices AT COMMIT", fate="committed late"),
    Point("profiles are written", sql="customers.profile", nth=5),
    Point(
        "segments are concluded",
        sql="sync.positions AT COMMIT WHEN NEW.consumer = 'customers/segment'",
        fate="committed late",
    ),
    Point(
        "accounts are planned",
        sql="sync.positions AT COMMIT WHEN NEW.consumer = 'salesforce/accounts'",
        fate="committed under the next round",
    ),
    Point(
        "the contacts' receipts are stored",
        sql="sync.receipts AT COMMIT WHEN NEW.asset = 'salesforce/contacts'",
        fate="committed under the next round",
    ),
    Point("the contacts' account is kept", sql="sync.operations WHEN NEW.asset = 'salesforce/contacts'"),
    silent("new and known accounts are sent", "/composite", 1),
    committed("Salesforce has made and changed accounts", "/composite", 1),
    silent("new and known contacts are sent", "/composite", 2),
    committed("Salesforce has made and changed contacts", "/composite", 2),
)


# ------------------------------------------------------------------------------------------- a round in its own process


class Driver:
    """Starts rounds in processes that a test may kill, at 20 ms each (see killable.py)."""

    def __init__(self, folder: Path) -> None:
        temporary = folder / "tmp"
        temporary.mkdir()
        self._words = (folder / "driver.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "st_sf_pipelines_tests.acceptance.killable"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            env={**os.environ, "TMPDIR": str(temporary)},
            text=True,
        )
        self._temporary = temporary
        assert self._line() == {"ready": True}

    def start(self, **options: Any) -> int:
        """Begin a round of every tenant; give its process."""
        assert self._process.stdin is not None
        environment = {**os.environ, "TMPDIR": str(self._temporary)}
        self._process.stdin.write(json.dumps({"environment": environment, "options": options}) + "\n")
        self._process.stdin.flush()
        return int(self._line()["pid"])

    def end(self) -> tuple[int, dict[str, Any]]:
        """Wait for the round's end; give its exit code and what it said, nothing if it was killed."""
        said: dict[str, Any] = {}
        while "exit" not in (line := self._line()):
            said |= line
        return int(line["exit"]), said

    def close(self) -> None:
        """Stop."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()
        self._words.close()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the driver ended; {self._words.name} says why"
        told: dict[str, Any] = json.loads(line)
        return told


class Halt:
    """Holds the lock at which PostgreSQL halts whoever comes to the point; see what waits there, and let it go."""

    def __init__(self, url: str, point: Point) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._table, when = point.sql.split(" ", 1) if " " in point.sql else (point.sql, "")
        at_commit = "AT COMMIT" in when
        event = next((word for word in ("INSERT", "UPDATE") if when.startswith(word)), "INSERT OR UPDATE")
        condition = when.partition("WHEN ")[2]
        self._run("CREATE SEQUENCE IF NOT EXISTS halts")
        self._run("ALTER SEQUENCE halts RESTART")
        self._run(
            f"""CREATE OR REPLACE FUNCTION halt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF nextval('halts') = {point.nth} THEN PERFORM pg_advisory_xact_lock(71, 1); END IF;
                RETURN NEW; END $$"""
        )
        self._run("SELECT pg_advisory_lock(71, 1)")
        self._run(
            f"CREATE {'CONSTRAINT' if at_commit else ''} TRIGGER halt {'AFTER' if at_commit else 'BEFORE'} {event} "
            f"ON {self._table} {'DEFERRABLE INITIALLY DEFERRED' if at_commit else ''} FOR EACH ROW "
            f"{f'WHEN ({condition})' if condition else ''} EXECUTE FUNCTION halt()"
        )

    def waiting(self) -> list[int]:
        """Give the backends that wait at the point."""
        found = self._run(
            """SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 71 AND NOT granted
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
        )
        return [row[0] for row in found]

    def others_wait(self, but: list[int]) -> bool:
        """Tell whether another backend of this database waits for a lock."""
        found = self._run(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool({row[0] for row in found} - set(but))

    def roll_back(self, backends: list[int]) -> None:
        """End the transactions that wait at the point, undone."""
        for backend in backends:
            self._run(f"SELECT pg_terminate_backend({backend})")
        until(lambda: not set(self.waiting()) & set(backends), "the killed round's transaction is rolled back")

    def release(self) -> None:
        """Let whoever waits at the point go on."""
        self._run("SELECT pg_advisory_unlock_all()")

    def remove(self) -> None:
        """Take the point away again."""
        self._run("SELECT pg_advisory_unlock_all()")
        self._run(f"DROP TRIGGER halt ON {self._table}")
        self.close()

    def close(self) -> None:
        """Let go of the database, which may be gone."""
        self._connection.close()

    def _run(self, statement: str) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def lives(pid: int) -> bool:
    """Tell whether a child of the driver lives; the driver takes its dead away at once."""
    return Path(f"/proc/{pid}").exists()


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def until(holds: Callable[[], object], says: str) -> None:
    """Wait for what must come."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"it never came that {says}"
        time.sleep(0.02)  # the stand-ins are threads of this process


# ----------------------------------------------------------------------------------------------------- the test's world


@dataclass
class Killing:
    """A shop between two stand-ins that lasts for the whole module, and what is needed to kill rounds of it."""

    world: World
    driver: Driver
    server: str
    template: str
    set_variable: Callable[[str, str], None]
    is_loaded: bool = False
    changes: random.Random = field(default_factory=lambda: random.Random(5))  # noqa: S311 - the same changes each time

    def anew(self) -> None:
        """Begin with an empty database and an empty org."""
        self.forget()
        url = f"{self.server.rpartition('/')[0]}/kill_{uuid4().hex[:12]}"
        recreate(url, template=self.template.rpartition("/")[2])
        self.set_variable("ST_SF_DATABASE_URL", url)
        self.is_loaded = False

    def forget(self) -> None:
        """Close what this process has open, and empty the org."""
        self.world.db.close()
        instance._database.cache_clear()
        self.world.sf.reset()

    def loaded(self) -> None:
        """See to it that a first load was done, by whomever."""
        if not self.is_loaded:
            self.anew()
            assert self.world.sync()["status"] == "success"

    def change(self) -> None:
        """Let things happen in the shop: new customers, other names, addresses, balances, phones, money, an end."""
        st, draw = self.world.st, self.changes
        ids = draw.sample(sorted(records(self.world, "customers")), 8)
        word = uuid4().hex[:8]
        st.put("customers", [{"id": ids[0], "name": f"Renamed {word}"}, {"id": ids[1], "active": False}])
        st.put("customers", [{"id": ids[2], "address": {"street": f"{word} Road", "city": "Irvine", "state": "CA"}}])
        st.put("customers", [{"id": ids[3], "balance": draw.randrange(99_999) / 100}], accounting=True)
        st.put("customer_contacts", [{"customerId": ids[4], "type": "Email", "value": f"{word}@mail.example.com"}])
        st.put("invoices", [{"customer": {"id": ids[5], "name": "x"}, "total": "10500.00"}])
        [job] = st.put(
            "jobs", [{"customerId": ids[6], "jobStatus": "Completed", "completedOn": "2026-01-05T18:00:00Z"}]
        )
        st.put("invoices", [{"customer": {"id": ids[6], "name": "x"}, "job": {"id": job}, "total": "99.90"}])
        for name in (f"New {word}", f"Newer {word}"):
            [made] = st.put("customers", [{"name": name, "address": {"street": "1 Way", "city": "Tustin"}}])
            st.put("customer_contacts", [{"customerId": made, "type": "MobilePhone", "value": "(951) 555-7252"}])

    def kill_at(self, point: Point) -> None:
        """Start a round, kill it where the point is, and run the next one to its end."""
        with self._in_force(point) as halt:
            victim = self.driver.start()
            try:
                until(lambda: self._is_at(point, halt) or not lives(victim), f"the round is where {point}")
                backends = halt.waiting() if halt else []
            finally:
                kill(victim)
                ended = self.driver.end()
            assert ended == (-signal.SIGKILL, {}), f"the round never was where {point}"
            self.world.st.app.faults.rules.clear()
            self.world.sf.set_faults()
            if halt:
                self._go_on_from(halt, backends, point.fate)
        self.next_is_good()

    @contextmanager
    def _in_force(self, point: Point) -> Iterator[Halt | None]:
        """Let the stand-in or the database wait at the point, and take it away again."""
        halt = Halt(self.world.settings.database_url or "", point) if point.sql else None
        self.world.st.app.faults.rules += [rule(point.st)] if point.st else []
        self.world.sf.set_faults(*point.sf)
        try:
            yield halt
        finally:
            self.world.st.app.faults.rules.clear()
            self.world.sf.set_faults()
            if halt:
                halt.remove()

    def next_is_good(self) -> None:
        """Run the next round in this process; it must end the work, and leave nothing out."""
        done = self.world.sync()
        assert (done["status"], done["error"]) == ("success", None)
        self.is_loaded = True

    def _is_at(self, point: Point, halt: Halt | None) -> bool:
        if point.st:
            return any(each.done for each in self.world.st.app.faults.rules)
        if halt:
            return bool(halt.waiting())
        return any(call["status"] in SILENCES for call in self.world.sf.counters["calls"])

    def _go_on_from(self, halt: Halt, backends: list[int], fate: Fate) -> None:
        """Bring the dead round's open transaction to its end, before the next round or under it."""
        if fate == "rolled back":
            halt.roll_back(backends)
        if fate == "committed under the next round":
            following = self.driver.start()
            try:
                until(
                    lambda: halt.others_wait(backends) or not lives(following),
                    "the next round waits for the dead one's transaction, or does without it",
                )
            finally:
                halt.release()
                code, said = self.driver.end()
            assert code == 0, said
            assert [each["status"] for each in said["report"]["tenants"]] == ["success"]
        halt.release()
        until(lambda: not halt.waiting(), "nobody waits any more")


SILENCES: Final = ("silence", "commit_then_silence")


def rule(match: dict[str, Any]) -> Any:
    from st_sf_pipelines.simulators.servicetitan.faults import Rule

    return Rule(match, {"silence": FOREVER})


@pytest.fixture(scope="module")
def killing(server: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killing]:
    """Give one world for all the kills of this module; each first load has its own database and an empty org."""
    folder = tmp_path_factory.mktemp("killing")
    with (
        pytest.MonkeyPatch.context() as patch,
        World.opened(template, folder, patch, small_shop(CUSTOMERS), page_size=PAGE) as world,
    ):
        driver = Driver(folder)
        opened = Killing(world, driver, server, template, patch.setenv)
        opened.anew()
        try:
            yield opened
        finally:
            driver.close()


# ------------------------------------------------------------------------------------------------------------ the proof


def records(world: World, entity: str) -> dict[int, dict[str, Any]]:
    table = world.st.shop.tenant().tables[entity]
    return {int(key): table.get(key) for key in table.keys()}  # noqa: SIM118 - a table is no dict


def assert_nothing_is_lost(world: World) -> None:
    """ServiceTitan's customers = our records = profiles = Accounts = Contacts, each once, field by field, at rest."""
    truth = records(world, "customers")
    once = dict.fromkeys(truth, 1)
    assert Counter(row["id"] for row in world.rows("SELECT id FROM servicetitan.customers")) == once
    assert Counter(row["st_id"] for row in world.rows("SELECT st_id FROM customers.profile")) == once
    assert Counter(row["st_id"] for row in world.rows("SELECT st_id FROM customers.segment")) == once
    accounts, contacts = world.sf.records("Account"), world.sf.records("Contact")
    keys = {f"st_{key}": 1 for key in truth}
    assert Counter(row["ServiceTitan_Account_Id__c"] for row in accounts) == keys
    assert Counter(row["ServiceTitan_Customer_Id__c"] for row in contacts) == keys
    assert {row["ServiceTitan_Account_Id__c"]: shown(row) for row in accounts} == expected(world)
    own = {row["ServiceTitan_Account_Id__c"]: row["Id"] for row in accounts}
    assert all(row["AccountId"] == own[row["ServiceTitan_Customer_Id__c"]] for row in contacts)
    stand = """SELECT state, count(*) AS count FROM sync.deliveries
               WHERE asset IN ('salesforce/accounts', 'salesforce/contacts') GROUP BY state"""
    assert world.rows(stand) == [{"state": "synced", "count": 2 * len(truth)}]
    report = prove(world.settings, None, sample=None, repair=False)
    assert report["ok"], report


def assert_it_rests(world: World) -> None:
    """Another round finds nothing to do, and does not even call Salesforce (SF-5)."""
    world.sf.count_anew()
    again = world.sync()
    assert again["status"] == "success"
    assert world.sf.counters["requests"] == 0
    assert set(again["derived_changed"].values()) == {0}
    assert {counts["planned"] for counts in again["targets"].values()} == {0}


def assert_rounds_are_told(world: World, killed: int | None = None) -> None:
    """No round stands open, and those that were killed are failed, with their reason."""
    rounds = world.rows("SELECT status, error, ended_at FROM sync.rounds ORDER BY started_at")
    assert all(row["ended_at"] for row in rounds)
    failed = [row["error"] for row in rounds if row["status"] != "success"]
    assert set(failed) <= {"the process ended in the middle"}
    assert killed is None or len(failed) == killed


def shown(account: dict[str, Any]) -> dict[str, Any]:
    fields = ("Name", "Type", "BillingCity", "BillingState", "BillingPostalCode", "Account_Balance__c")
    return {name: account[name] for name in (*fields, "Lifetime_Value__c")}


def expected(world: World) -> dict[str, dict[str, Any]]:
    """Say what each Account must show, straight from ServiceTitan's records."""
    worth: Counter[int] = Counter()
    merged = {key: record["mergedToId"] for key, record in records(world, "customers").items()}
    for invoice in records(world, "invoices").values():
        if invoice["active"] and invoice["customer"]:
            whose = invoice["customer"]["id"]
            while merged.get(whose):  # a merged customer's invoices are its survivor's; no merge of this shop is a ring
                whose = merged[whose]
            worth[whose] += round(Decimal(invoice["total"]) * 100)
    return {
        f"st_{key}": {
            "Name": record["name"].strip(),
            "Type": record["type"],
            "BillingCity": record["address"].get("city") or None,
            "BillingState": record["address"].get("state") or None,
            "BillingPostalCode": record["address"].get("zip") or None,
            "Account_Balance__c": float(record["balance"]),
            "Lifetime_Value__c": worth[key] / 100,
        }
        for key, record in records(world, "customers").items()
    }


# ------------------------------------------------------------------------------------------------------------ the tests


@pytest.mark.parametrize("point", FIRST_LOAD, ids=str)
def test_a_first_load_that_was_killed_is_ended_by_the_next_round(killing: Killing, point: Point) -> None:
    killing.anew()
    killing.kill_at(point)
    assert_nothing_is_lost(killing.world)
    assert_rounds_are_told(killing.world)
    assert_it_rests(killing.world)


@pytest.mark.parametrize("point", LATER_ROUND, ids=str)
def test_a_later_round_that_was_killed_is_ended_by_the_next(killing: Killing, point: Point) -> None:
    killing.loaded()
    killing.change()
    killing.is_loaded = False
    killing.kill_at(point)
    assert_nothing_is_lost(killing.world)
    assert_rounds_are_told(killing.world)
    assert_it_rests(killing.world)


def test_kills_at_any_moment_leave_the_org_as_if_there_had_been_none(killing: Killing) -> None:
    killing.anew()
    world, draw = killing.world, random.Random(23)  # noqa: S311 - the same moments each time
    for in_a_row in (1, 2, 1, 3, 1, 1):
        for _ in range(in_a_row):
            victim = killing.driver.start()
            time.sleep(draw.uniform(0.02, 0.9))  # wherever it is by then
            kill(victim)
            killing.driver.end()
        killing.next_is_good()
        assert_nothing_is_lost(world)
        assert_rounds_are_told(world)
        killing.change()
    assert world.sync()["status"] == "success"
    often_killed = told_by(world)
    killing.anew()
    assert world.sync()["status"] == "success"
    assert told_by(world) == often_killed


def test_a_command_that_is_killed_is_followed_up_by_the_next_and_stops_no_beat(killing: Killing) -> None:
    killing.anew()
    world, command = killing.world, [PROGRAM, "sync", "--json"]
    points = (
        asked("customers", 3),
        Point("customers are stored", sql="servicetitan.customers AT COMMIT"),
        committed("Salesforce has made the accounts", ACCOUNTS),
    )
    for point in points:
        with killing._in_force(point) as halt, subprocess.Popen(command, stdout=subprocess.PIPE) as victim:
            try:
                until(lambda: killing._is_at(point, halt) or victim.poll() is not None, str(point))  # noqa: B023
                dead = halt.waiting() if halt else []
            finally:
                victim.kill()
            assert victim.wait() == -signal.SIGKILL
            if halt:
                halt.roll_back(dead)
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["tenants"][0]["status"] == "success"
    assert_nothing_is_lost(world)
    assert_rounds_are_told(world, killed=len(points))
    assert_it_rests(world)
    killing.change()
    with instance.open_instance(world.settings) as dagster:
        ticked = automation.poll(dg.build_sensor_context(instance=dagster, definitions=defs()))
    assert isinstance(ticked, dg.SensorResult)
    said = ticked.skip_reason.skip_message if ticked.skip_reason else None
    assert ticked.run_requests, f"a command that was killed must not keep the beat from its tenant: {said}"


@pytest.fixture
def home() -> Iterator[Path]:
    """Give a home for an embedded server of the test's own; the server's user must reach it."""
    made = Path(tempfile.mkdtemp(prefix="st_sf_kill_"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        local.stop(made)
        rmtree((made / "postgres").resolve(), ignore_errors=True)
        rmtree(made)


def test_a_database_that_is_killed_in_mid_round_costs_nothing_but_that_round(
    killing: Killing, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = killing.world
    killing.forget()
    killing.is_loaded = False
    monkeypatch.setenv("ST_SF_HOME", str(home))
    monkeypatch.delenv("ST_SF_DATABASE_URL")
    monkeypatch.delenv("ST_SF_DAGSTER_URL")
    points = (
        Point("customers are stored", sql="servicetitan.customers AT COMMIT"),
        Point("profiles are written", sql="customers.profile", nth=50),
        Point("the contacts' receipts are stored", sql="sync.receipts WHEN NEW.asset = 'salesforce/contacts'", nth=9),
    )
    assert world.rows("SELECT 1 AS one") == [{"one": 1}]  # the first start makes the tables
    for point in points:
        with closing(Halt(local.url(home), point)) as halt:
            victim = killing.driver.start()
            try:
                until(lambda: halt.waiting() or not lives(victim), str(point))  # noqa: B023
                kill_server(home)
                if point is points[-1]:
                    kill(victim)  # the power is cut for both
            finally:
                url = local.start(home)
                code, said = killing.driver.end()
        if point is points[-1]:
            assert (code, said) == (-signal.SIGKILL, {})
        else:
            assert [each["status"] for each in said["report"]["tenants"]] == ["failed"]
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP FUNCTION halt CASCADE")
            connection.execute("DROP SEQUENCE halts")
    killing.next_is_good()
    killing.is_loaded = False
    assert_nothing_is_lost(world)
    rounds = world.rows("SELECT status, error FROM sync.rounds ORDER BY started_at")
    assert [row["status"] for row in rounds] == ["failed", "failed", "failed", "success"]
    assert rounds[2]["error"] == "the process ended in the middle"
    assert all(row["error"] for row in rounds[:3])
    assert_it_rests(world)


def test_a_round_whose_lock_went_down_with_the_database_writes_nothing_more(
    killing: Killing, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = killing.world
    killing.forget()
    killing.is_loaded = False
    monkeypatch.setenv("ST_SF_HOME", str(home))
    monkeypatch.delenv("ST_SF_DATABASE_URL")
    monkeypatch.delenv("ST_SF_DAGSTER_URL")
    assert world.rows("SELECT 1 AS one") == [{"one": 1}]
    [tenant] = world.settings.site.tenants
    asked_before = world.st.counters["token_calls"]
    with world.st.world.lock:  # ServiceTitan gives tokens, and waits with its pages
        killing.driver.start()
        until(lambda: world.st.counters["token_calls"] > asked_before, "the round has begun")
        with world.db.lock(lock_name(tenant)) as is_free:
            assert not is_free
        kill_server(home)
        local.start(home)
        with world.db.lock(lock_name(tenant)) as is_free:
            assert is_free  # the next round may begin, so this one must end
    code, said = killing.driver.end()
    assert world.sf.counters["rows"]["Account"]["written"] == 0, "rounds of one tenant never overlap (OPS-2)"
    assert (code, [each["status"] for each in said["report"]["tenants"]]) == (0, ["failed"])
    killing.next_is_good()
    killing.is_loaded = False
    assert_nothing_is_lost(world)


def test_a_command_whose_database_is_killed_says_so_in_a_sentence(
    killing: Killing, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killing.forget()
    killing.is_loaded = False
    monkeypatch.setenv("ST_SF_HOME", str(home))
    monkeypatch.delenv("ST_SF_DATABASE_URL")
    monkeypatch.delenv("ST_SF_DAGSTER_URL")
    assert killing.world.rows("SELECT 1 AS one") == [{"one": 1}]
    command = [PROGRAM, "sync"]
    with (
        closing(Halt(local.url(home), Point("profiles are written", sql="customers.profile", nth=50))) as halt,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as told,
    ):
        try:
            until(lambda: halt.waiting() or told.poll() is not None, "profiles are written")
            kill_server(home)
        finally:
            local.start(home)
            out, err = told.communicate()
    assert told.returncode == 1
    assert "Traceback" not in out + err
    assert "database" in err
    killing.forget()


def kill_server(home: Path) -> None:
    """End the postmaster and all its children as a power cut would."""
    postmaster = int(((home / "postgres").resolve() / "data/postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for pid in (postmaster, *map(int, children)):
        kill(pid)


def told_by(world: World) -> dict[str, dict[str, Any]]:
    """Give what an org shows of each customer, but for what no two orgs share: its own ids and instants."""
    own = {"Id", "AccountId", "CreatedDate", "LastModifiedDate", "SystemModstamp", "Last_Sync_DateTime__c"}
    told = {}
    for name, key in (("Account", "ServiceTitan_Account_Id__c"), ("Contact", "ServiceTitan_Customer_Id__c")):
        for row in world.sf.records(name):
            told[f"{name} {row[key]}"] = {field: value for field, value in row.items() if field not in own}
    return told
