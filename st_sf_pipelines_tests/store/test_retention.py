"""What nobody needs any longer is forgotten, and nothing else (OPS-7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines.config import Retention
from st_sf_pipelines.store import audit, log, retention
from st_sf_pipelines.store.log import Scope
from st_sf_pipelines.sync.derive import FOLLOWS
from st_sf_pipelines_tests.store.feeding import TENANT, customer, feed, rows, touched

if TYPE_CHECKING:
    from st_sf_pipelines.store.database import Database

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OTHER = 4102
READERS = ("customers/segment", "salesforce/accounts", "salesforce/contacts")


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)


def clean(db: Database, *, dry_run: bool = False, at: datetime = NOW) -> dict[str, int]:
    """Clean up; give the counts that are not zero."""
    counts = retention.clean(db, Retention(), FOLLOWS, at, dry_run=dry_run)
    assert list(counts) == ["sync.rounds", "sync.operations", "sync.receipts", "sync.positions", "sync.touched"]
    return {table: count for table, count in counts.items() if count}


def a_round(
    db: Database, run: str, days_ago: float, status: str | None = "success", *, tenant: int = TENANT, dry: bool = False
) -> None:
    """Keep a round of some days ago, with one operation."""
    audit.begin_round(db, run, tenant, "socal", NOW, dry_run=dry)
    audit.keep_operation(db, run, tenant, audit.DEALS, {}, 0.1, None)
    if status:
        audit.end_round(db, run, tenant, status, None)
    at = NOW - timedelta(days=days_ago)
    with db.connect() as connection:
        connection.execute("UPDATE sync.rounds SET started_at = %s WHERE run_id = %s", [at, run])
        connection.execute("UPDATE sync.operations SET at = %s WHERE run_id = %s", [at, run])


def receipt(db: Database, st_id: int, days_ago: float, asset: str = "salesforce/accounts") -> None:
    """Keep a receipt of some days ago."""
    with db.connect() as connection:
        connection.execute(
            """INSERT INTO sync.receipts (run_id, tenant_id, asset, subject, outcome, digest, at)
               VALUES ('run', %s, %s, %s, 'updated', '', %s)""",
            [TENANT, asset, st_id, NOW - timedelta(days=days_ago)],
        )


def kept(db: Database, table: str, column: str) -> list[Any]:
    return [row[column] for row in rows(db, f"SELECT {column} FROM {table} ORDER BY {column}")]  # noqa: S608


def read(db: Database, consumer: str, *, tenant: int = TENANT) -> list[int]:
    """Let an asset read its log to the end; give whom it looked at."""
    with db.connect() as connection:
        seq = log.look(connection, tenant, consumer, FOLLOWS[consumer], "1", Scope())
        looked = [row["st_id"] for row in connection.execute("SELECT st_id FROM subject ORDER BY 1")]
        log.move(connection, tenant, consumer, seq, "1")
    return looked


def change(db: Database, *st_ids: int, asset: str = "customers/profile", tenant: int = TENANT) -> None:
    """Note in the log that customers changed."""
    with db.connect() as connection:
        log.share(connection, tenant)
        for st_id in st_ids:
            connection.execute(
                "INSERT INTO sync.touched (tenant_id, asset, subject) VALUES (%s, %s, %s)", [tenant, asset, st_id]
            )


def stand_still(db: Database, consumer: str, days: float) -> None:
    """Let the last move of an asset's position be some days ago."""
    with db.connect() as connection:
        moved = [NOW - timedelta(days=days), consumer]
        connection.execute("UPDATE sync.positions SET moved_at = %s WHERE consumer = %s", moved)


@pytest.fixture
def logged(db: Database) -> Database:
    """Give a store of three customers, whose log has been read by all at first, and went on for each once."""
    feed(db, "customers", *(customer(st_id) for st_id in (1, 2, 3)))
    for consumer in READERS:
        assert read(db, consumer) == [1, 2, 3]
        stand_still(db, consumer, 1)
    change(db, 1, 2, 3)
    return db


def test_old_rounds_go_with_their_operations_and_the_last_of_each_kind_stay(db: Database) -> None:
    for n, days in enumerate((300, 250, 200), 1):
        a_round(db, f"old {n}", days)
    a_round(db, "the last good one", 150)
    a_round(db, "failed", 140, "failed")
    a_round(db, "the last that was not dry", 130, "failed")
    a_round(db, "dry", 120, dry=True)
    a_round(db, "the last", 110, dry=True)
    a_round(db, "killed", 100, None, tenant=OTHER)
    before = audit.begin_round(db, "now", TENANT, "socal", NOW, dry_run=False)
    with db.connect() as connection:
        connection.execute("DELETE FROM sync.rounds WHERE run_id = 'now'")
    assert clean(db, dry_run=True) == {"sync.rounds": 5, "sync.operations": 5}
    assert clean(db) == {"sync.rounds": 5, "sync.operations": 5}
    stay = ["killed", "the last", "the last good one", "the last that was not dry"]
    assert kept(db, "sync.rounds", "run_id") == kept(db, "sync.operations", "run_id") == stay
    assert audit.begin_round(db, "now", TENANT, "socal", NOW, dry_run=False) == before


def test_a_round_at_the_bound_stays(db: Database) -> None:
    for run, days in (("beyond", 90.001), ("at", 90), ("newest", 1)):
        a_round(db, run, days)
    clean(db)
    assert kept(db, "sync.rounds", "run_id") == ["at", "newest"]


def test_of_old_receipts_the_newest_of_each_record_stays(db: Database) -> None:
    for st_id, *days in ((1, 200, 150, 100), (2, 200, 10), (3, 200)):
        for day in days:
            receipt(db, st_id, day)
    receipt(db, 1, 300, "salesforce/contacts")
    assert clean(db) == {"sync.receipts": 3}
    left = rows(db, "SELECT asset, subject, at FROM sync.receipts ORDER BY asset, subject")
    assert [(row["asset"], row["subject"], (NOW - row["at"]).days) for row in left] == [
        ("salesforce/accounts", 1, 100),
        ("salesforce/accounts", 2, 10),
        ("salesforce/accounts", 3, 200),
        ("salesforce/contacts", 1, 300),
    ]


def test_the_log_goes_as_far_as_the_slowest_of_its_readers_and_a_lagging_one_loses_nothing(logged: Database) -> None:
    read(logged, "customers/segment")
    read(logged, "salesforce/accounts")
    clean(logged)
    assert touched(logged, "customers/profile") == [1, 2, 3]
    assert read(logged, "salesforce/contacts") == [1, 2, 3]
    change(logged, 2)
    assert clean(logged) == {"sync.touched": 3}
    assert touched(logged, "customers/profile") == [2]
    assert [read(logged, consumer) for consumer in READERS] == [[2], [2], [2]]


def test_the_newest_entry_stays_so_that_an_asset_that_never_looked_knows_of_it(logged: Database) -> None:
    for consumer in READERS:
        read(logged, consumer)
    clean(logged)
    assert touched(logged, "customers/profile") == [3]
    assert read(logged, "customers/segment") == []
    with logged.connect() as connection:
        connection.execute("DELETE FROM sync.positions WHERE consumer = 'salesforce/contacts'")
        follows = FOLLOWS["salesforce/contacts"]
        assert log.behind(connection, TENANT, "salesforce/contacts", follows, "1")
        assert not log.behind(connection, TENANT, "salesforce/accounts", FOLLOWS["salesforce/accounts"], "1")
    assert read(logged, "salesforce/contacts") == [1, 2, 3]


def test_one_tenants_reader_holds_no_other_tenants_log(logged: Database) -> None:
    change(logged, 1, 2, tenant=OTHER)
    assert clean(logged)["sync.touched"] >= 1
    assert touched(logged, "customers/profile", OTHER) == [2]
    assert touched(logged, "customers/profile") == [1, 2, 3]


def test_a_reader_that_stands_still_for_a_month_is_forgotten_and_looks_at_everybody_when_it_is_back(
    logged: Database,
) -> None:
    read(logged, "customers/segment")
    read(logged, "salesforce/accounts")
    stand_still(logged, "salesforce/contacts", 31)
    counted = clean(logged, dry_run=True)
    assert counted.items() >= {"sync.positions": 1, "sync.touched": 4}.items()  # two of them of records
    assert clean(logged) == counted
    assert touched(logged, "customers/profile") == [3]
    assert read(logged, "salesforce/contacts") == [1, 2, 3]


def test_a_reader_whose_log_stands_still_too_is_not_forgotten(logged: Database) -> None:
    for consumer in READERS:
        read(logged, consumer)
        stand_still(logged, consumer, 300)
    assert "sync.positions" not in clean(logged)


def test_a_second_clean_up_does_nothing_and_a_dry_one_never(logged: Database) -> None:
    for n in range(5):
        a_round(logged, f"round {n}", 200 - n)
        receipt(logged, 1, 200 - n)
    for consumer in READERS:
        read(logged, consumer)
    counted = clean(logged, dry_run=True)
    assert set(counted) == {"sync.rounds", "sync.operations", "sync.receipts", "sync.touched"}
    assert clean(logged, dry_run=True) == counted
    assert clean(logged) == counted
    assert clean(logged) == {}


def test_records_histories_and_quarantine_stay_for_good(logged: Database) -> None:
    feed(logged, "customers", customer(9, name=5))
    clean(logged, at=NOW + timedelta(days=40_000))
    assert len(rows(logged, "SELECT 1 FROM servicetitan.quarantine")) == 1
    assert len(rows(logged, "SELECT 1 FROM servicetitan.customers")) == 3
