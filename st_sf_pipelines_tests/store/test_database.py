"""The database opens in words or not at all, is migrated once however many try, and its locks end with their holder."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import dagster as dg
import psycopg
import psycopg2  # type: ignore[import-untyped]
import pytest
from psycopg import sql

from st_sf_pipelines.defs import instance
from st_sf_pipelines.errors import StoreError
from st_sf_pipelines.settings import load
from st_sf_pipelines.store.database import (
    Database,
    barrier,
    beside,
    dagster_url,
    ensure_database,
    libpq_url,
    recreate,
)
from st_sf_pipelines_tests.store.feeding import customer, feed, rows, somebody_waits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMES = ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2", "postgresql+asyncpg"]


# URLs


@pytest.mark.parametrize("scheme", SCHEMES)
def test_any_way_to_write_a_url_is_read_by_libpq_and_names_psycopg2_to_dagster(scheme: str) -> None:
    rest = "user:p%40ss@db.example.com:5433/st_sf?sslmode=require"
    assert libpq_url(f"{scheme}://{rest}") == f"postgresql://{rest}"
    assert dagster_url(f"{scheme}://{rest}") == f"postgresql+psycopg2://{rest}"


@pytest.mark.parametrize("url", ["", "mysql://u:hunter2@h/db", "st_sf", "host=h password=hunter2", " postgresql://h"])
def test_what_is_no_url_of_postgresql_is_told_without_being_quoted(url: str) -> None:
    for reader in (libpq_url, dagster_url, Database):
        with pytest.raises(StoreError, match=r"^ST_SF_DATABASE_URL: expected postgresql://") as told:
            reader(url)
        assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("postgresql://u:p@h:5433/st_sf", "postgresql://u:p@h:5433/st_sf_dagster"),
        ("postgresql://u:p@h/st_sf?sslmode=require", "postgresql://u:p@h/st_sf_dagster?sslmode=require"),
        ("postgres://u:p@h/st_sf/", "postgresql://u:p@h/st_sf_dagster"),
        ("postgresql://u:p@h", "postgresql://u:p@h/postgres_dagster"),
        ("postgresql+psycopg2://h/x", "postgresql://h/x_dagster"),
    ],
)
def test_the_database_beside_ours_is_named_after_it(url: str, other: str) -> None:
    assert beside(url, "dagster") == other


# Dagster's storage


@pytest.fixture
def dagster_home(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Set what an entry point finds: our database by a bare URL, and nothing of Dagster's own."""
    monkeypatch.setenv("ST_SF_DATABASE_URL", database_url)
    monkeypatch.setenv("ST_SF_HOME", str(tmp_path / "home"))
    for name in ("ST_SF_DAGSTER_URL", "ST_SF_DAGSTER_STATE", "DAGSTER_HOME", "ST_SF_CONFIG"):
        monkeypatch.setenv(name, "")  # so that whatever is set meanwhile goes when the test ends
        monkeypatch.delenv(name)
    yield tmp_path
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = urlsplit(beside(database_url, "dagster")).path.lstrip("/")
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def test_a_runs_event_is_stored_in_postgresql_and_read_by_another_instance(
    dagster_home: Path, database_url: str
) -> None:
    @dg.asset
    def told() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata={"rows": 3})

    instance.prepare_dagster(load())
    assert os.environ["ST_SF_DAGSTER_URL"].startswith("postgresql+psycopg2://")
    assert os.environ["ST_SF_DAGSTER_STATE"] == str(dagster_home / "home" / "dagster")
    with instance.open_instance(load()) as first:
        result = dg.materialize([told], instance=first)
    with instance.open_instance(load()) as second:
        events = [record.event_log_entry.dagster_event_type for record in second.get_records_for_run(result.run_id)[0]]
        run = second.get_run_by_id(result.run_id)
        stored = second.get_latest_materialization_event(dg.AssetKey("told"))
    assert {dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.RUN_SUCCESS} <= set(events)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.SUCCESS
    assert stored is not None
    assert stored.asset_materialization is not None
    assert stored.asset_materialization.metadata["rows"].value == 3
    with psycopg.connect(beside(database_url, "dagster")) as connection:  # nor did it go anywhere else
        counted = connection.execute("SELECT count(*) FROM event_logs WHERE run_id = %s", [result.run_id]).fetchone()
    assert counted is not None
    assert counted[0] >= len(events) > 3


def test_a_listener_is_told_of_a_stored_event(dagster_home: Path) -> None:
    """NOTIFY run_events is the statement that psycopg 3 refuses."""
    assert dagster_home.exists()
    instance.prepare_dagster(load())
    with instance.open_instance(load()) as opened, closing(psycopg2.connect(_as_libpq())) as listener:
        listener.autocommit = True
        with listener.cursor() as cursor:
            cursor.execute("LISTEN run_events")
            run_id = dg.materialize([_nothing], instance=opened).run_id
            cursor.execute("SELECT 1")
        assert run_id in str([notice.payload for notice in listener.notifies])


def test_dagsters_statements_share_connections_and_one_that_was_cut_is_made_anew(dagster_home: Path) -> None:
    assert dagster_home.exists()
    instance.prepare_dagster(load())
    name = urlsplit(_as_libpq()).path.lstrip("/")
    asked = "FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    with instance.open_instance(load()) as opened, closing(psycopg2.connect(_as_libpq())) as other:
        other.autocommit = True
        with other.cursor() as cursor:
            seen = set()
            for _ in range(5):
                assert opened.get_runs() == []
                assert opened.event_log_storage.get_asset_records([dg.AssetKey("told")]) == []
                cursor.execute(f"SELECT pid {asked}", [name])
                seen.update(cursor.fetchall())
            assert len(seen) == 1
            cursor.execute(f"SELECT pg_terminate_backend(pid) {asked}", [name])
        assert dg.materialize([_nothing], instance=opened).success


@dg.asset
def _nothing() -> None:
    """Be materialized."""


def _as_libpq() -> str:
    return libpq_url(os.environ["ST_SF_DAGSTER_URL"])


def test_variables_that_are_set_already_stay(dagster_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ST_SF_DAGSTER_URL", "postgresql+psycopg2://elsewhere/x")
    monkeypatch.setenv("ST_SF_DAGSTER_STATE", str(dagster_home / "mine"))
    instance.prepare_dagster(load())
    assert os.environ["ST_SF_DAGSTER_URL"] == "postgresql+psycopg2://elsewhere/x"
    assert (dagster_home / "mine").is_dir()


# Making and migrating


@pytest.fixture
def fresh(server: str) -> Iterator[str]:
    """Give the URL of a database that does not exist."""
    url = _named(server, f"fresh_{uuid4().hex[:12]}")
    yield url
    _drop(server, url)


def _named(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _drop(server: str, url: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        name = sql.Identifier(urlsplit(url).path.lstrip("/"))
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def schema(url: str) -> list[Any]:
    """List every column of ours, its type and default, and every index."""
    ours = ["servicetitan", "customers", "sync"]
    with psycopg.connect(url) as connection:
        columns = connection.execute(
            """SELECT table_schema, table_name, ordinal_position, column_name, data_type, is_nullable, column_default
               FROM information_schema.columns WHERE table_schema = ANY(%s) ORDER BY 1, 2, 3""",
            [ours],
        ).fetchall()
        indexes = connection.execute(
            "SELECT indexdef FROM pg_indexes WHERE schemaname = ANY(%s) ORDER BY 1", [ours]
        ).fetchall()
    return [*columns, *indexes]


def test_migrating_makes_the_database_and_migrating_again_changes_nothing(fresh: str) -> None:
    with closing(Database(fresh)) as database:
        database.migrate()
        made = schema(fresh)
        feed(database, "customers", customer(7))
        database.migrate()
        assert len(rows(database, "SELECT 1 FROM servicetitan.customers")) == 1
    assert schema(fresh) == made
    assert len(made) > 100


MIGRATE = """
import sys
from st_sf_pipelines.store.database import Database
database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
database.migrate()
database.close()
"""


def test_two_processes_that_migrate_at_once_both_succeed(fresh: str, template: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, fresh],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert schema(fresh) == schema(template)


def test_a_database_that_several_make_at_once_is_made_and_nobody_fails(fresh: str) -> None:
    together = Barrier(4)

    def make(_: int) -> None:
        together.wait(timeout=30)
        ensure_database(fresh)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(make, range(4)))
    with psycopg.connect(fresh):
        pass


def test_several_that_migrate_an_empty_database_at_once_make_one_schema(fresh: str, template: str) -> None:
    recreate(fresh)
    together = Barrier(4)

    def migrate(_: int) -> None:
        with closing(Database(fresh)) as database:
            together.wait(timeout=30)
            database.migrate()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(migrate, range(4)))
    assert schema(fresh) == schema(template)


def test_a_migration_waits_for_one_that_is_under_way(fresh: str, template: str) -> None:
    recreate(fresh)
    with closing(Database(fresh)) as database, ThreadPoolExecutor(1) as threads:
        with database.connect() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(7317001)")
            second = threads.submit(database.migrate)
            while not somebody_waits(database):
                assert not second.done(), "the second did not wait"
            assert not rows(database, "SELECT 1 FROM pg_namespace WHERE nspname = 'servicetitan'")
        second.result(timeout=60)
    assert schema(fresh) == schema(template)


def test_recreating_empties_a_database_though_somebody_is_connected(database_url: str) -> None:
    with psycopg.connect(database_url), closing(Database(database_url)) as database:
        recreate(database_url)
        assert schema(database_url) == []
        database.migrate()
    assert schema(database_url) != []


def migrate(url: str) -> None:
    """Migrate as a process does at its start."""
    with closing(Database(url)) as database:
        database.migrate()


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("postgresql://u:hunter2@127.0.0.1:1/x", id="nobody listens"),
        pytest.param("postgresql://u:hunter2@nowhere.invalid/x", id="no such host"),
        pytest.param("postgresql://u:hunter2@127.0.0.1:port/x", id="a port that is none"),
        pytest.param("postgresql://u:hunter2%off@127.0.0.1:1/x", id="a percent sign that is not escaped"),
        pytest.param("postgresql://u:hunter2@127.0.0.1:1/x?colour=red", id="an option that is none"),
        pytest.param("postgresql://u:hunter2@127.0.0.1:1/x?sslmode=hunter", id="a value that an option does not take"),
    ],
)
def test_a_database_that_cannot_be_reached_is_told_in_words_without_its_password(url: str) -> None:
    for attempt in (ensure_database, migrate):
        with pytest.raises(StoreError, match="the database cannot be reached") as told:
            attempt(url)
        assert "hunter2" not in str(told.value)
        assert told.value.__suppress_context__


def test_a_password_that_is_refused_is_told_in_words(server: str) -> None:
    parts = urlsplit(server)
    if not parts.password:
        pytest.skip("this server asks for no password")
    wrong = urlunsplit(parts._replace(netloc=parts.netloc.replace(parts.password, "hunter2")))
    with pytest.raises(StoreError, match=r"cannot be reached: .*password authentication failed") as told:
        ensure_database(wrong)
    assert "hunter2" not in str(told.value)
    assert parts.password not in str(told.value)


@pytest.fixture
def modest(server: str) -> Iterator[str]:
    """Give the URL of a role that may not create databases."""
    role = f"modest_{uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        try:
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'modest' NOCREATEDB").format(sql.Identifier(role))
            )
        except psycopg.errors.InsufficientPrivilege:
            pytest.skip("the role of this server may not create roles")
        parts = urlsplit(server)
        yield urlunsplit(parts._replace(netloc=f"{role}:modest@{parts.hostname}:{parts.port}"))
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_a_role_that_may_not_create_a_database_is_told_the_mend(modest: str) -> None:
    url = _named(modest, f"never_{uuid4().hex[:8]}")
    with pytest.raises(
        StoreError, match=r"^the role may not create the database never_\w+: create it, or grant CREATEDB$"
    ):
        ensure_database(url)


def test_a_url_without_a_database_means_the_roles_own_and_is_told_if_that_is_not_there(modest: str) -> None:
    with pytest.raises(StoreError):
        ensure_database(urlunsplit(urlsplit(modest)._replace(path="")))


# Transactions, locks and the barrier


def test_a_block_is_one_transaction_that_an_error_rolls_back(db: Database) -> None:
    with db.connect() as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")

    def fail() -> None:
        with db.connect() as connection:
            connection.execute("INSERT INTO kept VALUES (2)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert rows(db, "SELECT n FROM kept") == [{"n": 1}]


def test_a_connection_speaks_utc_and_gives_rows_by_name(db: Database) -> None:
    assert rows(db, "SELECT current_setting('TimeZone') AS zone, now() = now() AT TIME ZONE 'UTC' AS same") == [
        {"zone": "UTC", "same": True}
    ]


def test_a_connection_that_was_cut_is_replaced(db: Database) -> None:
    (mine,) = rows(db, "SELECT pg_backend_pid() AS pid")
    with psycopg.connect(db.url) as other:
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [mine["pid"]])
    assert rows(db, "SELECT pg_backend_pid() AS pid") != [mine]


def test_a_closed_database_opens_again_and_closing_twice_is_no_fault(database_url: str) -> None:
    database = Database(database_url)
    database.close()
    assert rows(database, "SELECT 1 AS one") == [{"one": 1}]
    database.close()
    database.close()
    assert rows(database, "SELECT 1 AS one") == [{"one": 1}]
    database.close()


def test_a_lock_is_held_by_one_and_free_after_it(db: Database, database_url: str) -> None:
    with closing(Database(database_url)) as other:
        with db.lock("round of socal") as held:
            with other.lock("round of socal") as again, db.lock("round of socal") as third:
                assert (held, again, third) == (True, False, False)
            with other.lock("round of socal") as still, other.lock("round of desert") as different:
                assert (still, different) == (False, True)
        with other.lock("round of socal") as free:
            assert free


def test_a_lock_is_free_after_an_error_in_its_block(db: Database) -> None:
    with pytest.raises(ZeroDivisionError), db.lock("round"):
        raise ZeroDivisionError
    with db.lock("round") as free:
        assert free


HOLD = """
import sys
from st_sf_pipelines.store.database import Database
with Database(sys.argv[1]).lock("round") as held:
    print(held, flush=True)
    sys.stdin.read()
"""


def test_a_lock_ends_with_the_process_that_held_it(db: Database) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, db.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with db.lock("round") as held:
            assert not held
        holder.kill()
    with psycopg.connect(db.url, options="-c statement_timeout=60s") as connection:  # until the server has noticed
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('round', 0))")
    with db.lock("round") as held:
        assert held


def test_writers_share_the_barrier_and_a_reader_waits_for_all_of_them(db: Database) -> None:
    with db.connect() as connection:
        connection.execute("CREATE TABLE log (n int)")

    def read() -> list[int]:
        with db.connect() as connection:
            barrier(connection, "log", exclusive=True)
            return [row["n"] for row in connection.execute("SELECT n FROM log ORDER BY n")]

    with ThreadPoolExecutor(1) as threads, db.connect() as first:
        barrier(first, "log", exclusive=False)
        first.execute("INSERT INTO log VALUES (1)")
        with db.connect() as second:
            barrier(second, "log", exclusive=False)
            second.execute("INSERT INTO log VALUES (2)")
            reader = threads.submit(read)
            while not somebody_waits(db):
                assert not reader.done(), "the reader did not wait"
        assert not reader.done()  # the second writer is through, the first is not
        first.commit()
        assert reader.result(timeout=60) == [1, 2]


def test_a_writer_waits_for_a_reader_and_nobody_for_another_name(db: Database) -> None:
    with ThreadPoolExecutor(1) as threads, db.connect() as reader:
        barrier(reader, "log", exclusive=True)
        with db.connect() as elsewhere:
            barrier(elsewhere, "another log", exclusive=False)

        def write() -> None:
            with db.connect() as connection:
                barrier(connection, "log", exclusive=False)

        writer = threads.submit(write)
        while not somebody_waits(db):
            assert not writer.done(), "the writer did not wait"
        reader.commit()
        writer.result(timeout=60)


def test_a_lock_and_a_barrier_of_one_name_do_not_meet(db: Database) -> None:
    with db.lock("socal") as held, db.connect() as connection:
        connection.execute("SET LOCAL statement_timeout = '60s'")
        barrier(connection, "socal", exclusive=True)
        assert held
