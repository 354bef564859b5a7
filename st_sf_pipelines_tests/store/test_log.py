"""Each asset that follows reads the touched log at its own pace, sees every change once, and misses none (EXT-3)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from st_sf_pipelines.store import log
from st_sf_pipelines.store.log import Scope
from st_sf_pipelines_tests.store.feeding import TENANT, customer, feed, rows, somebody_waits

if TYPE_CHECKING:
    from st_sf_pipelines.store.database import Connection, Database

OTHER_TENANT = 4102
JOBS, INVOICES, UNITS = "servicetitan/jobs", "servicetitan/invoices", "servicetitan/business_units"
FOLLOWS = (JOBS, INVOICES)
CHANGED, EVERYBODY = Scope(), Scope(everybody=True)


def touch(db: Database, asset: str, *subjects: int, tenant: int = TENANT) -> None:
    """Note a change of these customers."""
    with db.connect() as connection:
        log.share(connection, tenant)
        note(connection, asset, *subjects, tenant=tenant)


def note(connection: Connection, asset: str, *subjects: int, tenant: int = TENANT) -> None:
    for subject in subjects:
        connection.execute(
            "INSERT INTO sync.touched (tenant_id, asset, subject) VALUES (%s, %s, %s)", [tenant, asset, subject]
        )


def look(
    db: Database,
    consumer: str = "a",
    version: str = "1",
    scope: Scope = CHANGED,
    follows: tuple[str, ...] = FOLLOWS,
    tenant: int = TENANT,
) -> list[int]:
    """Look once and move, as an asset does; give whom it saw."""
    with db.connect() as connection:
        seq = log.look(connection, tenant, consumer, follows, version, scope)
        seen = connection.execute("SELECT st_id FROM subject ORDER BY st_id").fetchall()
        log.move(connection, tenant, consumer, seq, version)
    return [row["st_id"] for row in seen]


def behind(db: Database, consumer: str = "a", version: str = "1", follows: tuple[str, ...] = FOLLOWS) -> bool:
    with db.connect() as connection:
        return log.behind(connection, TENANT, consumer, follows, version)


@pytest.fixture
def shop(db: Database) -> Database:
    """Give a store of three customers, looked at once by consumer `a`."""
    feed(db, "customers", customer(1), customer(2), customer(3))
    feed(db, "customers", customer(9), tenant=OTHER_TENANT)
    touch(db, JOBS, 1)
    assert look(db) == [1, 2, 3]
    return db


def test_the_first_look_is_at_everybody_and_the_next_at_nobody(shop: Database) -> None:
    assert look(shop) == []
    assert look(shop, "b") == [1, 2, 3]


def test_a_look_sees_whom_its_assets_touched_since_each_once(shop: Database) -> None:
    touch(shop, JOBS, 2, 2)
    touch(shop, INVOICES, 2, 3)
    touch(shop, UNITS, 1)
    touch(shop, JOBS, 1, tenant=OTHER_TENANT)
    assert look(shop) == [2, 3]
    assert look(shop) == []


def test_each_consumer_keeps_its_own_position_and_none_deletes(shop: Database) -> None:
    look(shop, "b")
    touch(shop, JOBS, 2)
    assert look(shop, "b") == [2]
    touch(shop, JOBS, 3)
    assert look(shop, "b") == [3]
    assert look(shop, "a") == [2, 3]
    assert len(rows(shop, "SELECT 1 FROM sync.touched WHERE asset = %s AND tenant_id = %s", JOBS, TENANT)) == 3


def test_a_customer_is_seen_though_its_record_has_not_come_yet(shop: Database) -> None:
    touch(shop, JOBS, 77)
    assert look(shop) == [77]


def test_another_version_looks_at_everybody_once(shop: Database) -> None:
    assert look(shop, version="2") == [1, 2, 3]
    assert look(shop, version="2") == []
    assert look(shop, version="1") == [1, 2, 3]


def test_the_scope_everybody_is_everybody_of_the_tenant_and_moves_on(shop: Database) -> None:
    touch(shop, JOBS, 2)
    assert look(shop, scope=EVERYBODY) == [1, 2, 3]
    assert look(shop) == []


def test_customers_that_are_named_are_looked_at_and_no_position_moves(shop: Database) -> None:
    touch(shop, JOBS, 2)
    before = rows(shop, "SELECT * FROM sync.positions")
    assert look(shop, scope=Scope(ids=(3, 1, 3))) == [1, 3]
    assert look(shop, scope=Scope(everybody=True, ids=(1,))) == [1]
    assert look(shop, version="2", scope=Scope(ids=(1,))) == [1]
    assert rows(shop, "SELECT * FROM sync.positions") == before
    assert look(shop) == [2]


def test_a_look_at_named_customers_before_any_other_leaves_the_first_look_whole(db: Database) -> None:
    feed(db, "customers", customer(1), customer(2))
    assert look(db, scope=Scope(ids=(1,))) == [1]
    assert look(db) == [1, 2]


def test_a_look_whose_work_fails_is_done_again(shop: Database) -> None:
    touch(shop, JOBS, 2)

    def fail() -> None:
        with shop.connect() as connection:
            seq = log.look(connection, TENANT, "a", FOLLOWS, "1", CHANGED)
            log.move(connection, TENANT, "a", seq, "1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert look(shop) == [2]


def test_a_look_that_finds_nothing_writes_nothing(shop: Database) -> None:
    before = rows(shop, "SELECT xmin::text, moved_at FROM sync.positions")
    assert look(shop) == []
    assert rows(shop, "SELECT xmin::text, moved_at FROM sync.positions") == before


def test_who_is_behind_has_something_to_look_at(shop: Database) -> None:
    assert not behind(shop)
    touch(shop, UNITS, 1)
    touch(shop, JOBS, 1, tenant=OTHER_TENANT)
    assert not behind(shop)
    touch(shop, INVOICES, 2)
    assert behind(shop)
    look(shop, scope=Scope(ids=(2,)))
    assert behind(shop)
    look(shop)
    assert not behind(shop)
    assert behind(shop, version="2")
    look(shop, version="2")
    assert not behind(shop, version="2")


def test_a_consumer_that_never_looked_is_behind_as_soon_as_there_is_something(db: Database) -> None:
    assert not behind(db)
    touch(db, JOBS, 1)
    assert behind(db)


def test_a_number_that_becomes_visible_late_is_not_skipped(shop: Database) -> None:
    """The writer of 1 took its number before the writer of 2 did, and commits after it."""
    with ThreadPoolExecutor(1) as threads, shop.connect() as late:
        log.share(late, TENANT)
        note(late, JOBS, 1)
        touch(shop, JOBS, 2)  # a second writer passes: writers do not wait for each other
        reader = threads.submit(look, shop)
        while not somebody_waits(shop):
            assert not reader.done(), "the reader did not wait for the writer"
        late.commit()
        assert reader.result(timeout=30) == [1, 2]
    assert look(shop) == []


def test_writers_of_another_tenant_hold_nobody_up(shop: Database) -> None:
    with shop.connect() as other:
        log.share(other, OTHER_TENANT)
        note(other, JOBS, 9, tenant=OTHER_TENANT)
        assert look(shop) == []
