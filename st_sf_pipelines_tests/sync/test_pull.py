"""Pulling: each page is stored with its token, a record read twice is no change, and a refused token begins anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines.errors import PermanentError, TransientError
from st_sf_pipelines.ports import Page, Window
from st_sf_pipelines.simulators.servicetitan.faults import rules
from st_sf_pipelines.store import cursors
from st_sf_pipelines.sync.pages import check
from st_sf_pipelines.sync.pull import pull
from st_sf_pipelines.systems.servicetitan.entities import ENTITY
from st_sf_pipelines_tests.store.feeding import customer, rows
from st_sf_pipelines_tests.sync.conftest import Laid
from st_sf_pipelines_tests.world import TENANT

if TYPE_CHECKING:
    from st_sf_pipelines.simulators.servicetitan.simulator import ServiceTitanSimulator
    from st_sf_pipelines.store.database import Database
    from st_sf_pipelines.systems.servicetitan.client import ServiceTitanClient

CUSTOMERS = ENTITY["customers"]
DAYS = [f"2026-03-{day:02}T12:00:00Z" for day in range(1, 24)]


def ids(db: Database) -> set[int]:
    with db.connect() as connection:
        return {row["id"] for row in connection.execute("SELECT id FROM servicetitan.customers")}


def of_shop(st: ServiceTitanSimulator) -> set[int]:
    return set(st.shop.tenant().tables["customers"].keys())


def forget(db: Database) -> None:
    """Let the server no longer accept the stored tokens."""
    with db.connect() as connection:
        connection.execute("UPDATE sync.feeds SET token = 'forgotten'")


def fail(st: ServiceTitanSimulator, nth: int, **do: Any) -> None:
    st.app.faults.rules = rules([{"match": {"entity": "customers", "nth": nth, "times": 1}, "do": do}])


@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
def test_a_pull_that_breaks_at_any_page_goes_on_where_it_stood(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient, nth: int
) -> None:
    fail(st, nth, status=503)
    with pytest.raises(TransientError):
        pull(db, source, TENANT, CUSTOMERS)
    assert len(ids(db)) == 5 * (nth - 1)
    assert cursors.token(db, TENANT, "customers")[1] is False
    rest = pull(db, source, TENANT, CUSTOMERS)
    assert (rest.read, rest.new) == (23 - 5 * (nth - 1), 23 - 5 * (nth - 1))
    assert ids(db) == of_shop(st)
    assert cursors.token(db, TENANT, "customers")[1] is True


def test_a_pull_counts_what_is_read_new_and_changed(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    first = pull(db, source, TENANT, CUSTOMERS)
    assert (first.read, first.new, first.changed, first.quarantined, first.calls) == (23, 23, 0, 0, 5)
    [changed, same] = list(of_shop(st))[:2]
    st.put("customers", [{"id": changed, "name": "Another Name"}])
    st.put("customers", [st.shop.tenant().tables["customers"].get(same)])
    second = pull(db, source, TENANT, CUSTOMERS)
    assert (second.new, second.changed, second.calls) == (0, 1, 1)


def test_what_a_pull_that_breaks_has_stored_is_counted(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    fail(st, 3, status=503)
    so_far: dict[str, Any] = {}
    with pytest.raises(TransientError):
        pull(db, source, TENANT, CUSTOMERS, so_far=so_far)
    assert so_far == {"read": 10, "new": 10, "changed": 0, "quarantined": 0, "calls": 3}


def test_a_change_touches_its_customer_and_a_move_touches_both(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    contacts = ENTITY["customer_contacts"]
    [contact] = st.put("customer_contacts", [{"customerId": 1, "type": "Phone", "value": "480-555-0101"}])
    pull(db, source, TENANT, contacts)

    def touched() -> set[int]:
        with db.connect() as connection:
            rows = connection.execute("DELETE FROM sync.touched RETURNING subject").fetchall()
        return {row["subject"] for row in rows}

    assert 1 in touched()
    pull(db, source, TENANT, contacts)
    assert touched() == set()
    st.put("customer_contacts", [{"id": contact, "customerId": 2}])
    pull(db, source, TENANT, contacts)
    assert touched() == {1, 2}


def test_a_token_that_the_server_forgot_begins_again_from_what_is_stored(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    pull(db, source, TENANT, CUSTOMERS)
    forget(db)
    [late] = st.put("customers", [{"name": "Ann Late"}])
    again = pull(db, source, TENANT, CUSTOMERS)
    assert again.new == 1
    assert late in ids(db)
    assert pull(db, source, TENANT, CUSTOMERS).calls == 1, "with a good token again"


def test_a_token_that_is_forgotten_before_anything_is_stored_begins_at_the_beginning(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    with db.connect() as connection:
        connection.execute(
            "INSERT INTO sync.feeds (tenant_id, entity, token) VALUES (%s, 'customers', 'forgotten')", [TENANT]
        )
    assert pull(db, source, TENANT, CUSTOMERS).new == 23
    assert ids(db) == of_shop(st)


def test_a_window_that_begins_in_another_zone_begins_at_that_instant(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    pull(db, source, TENANT, CUSTOMERS)
    [early] = st.put("customers", [{"name": "Ann", "modifiedOn": "2098-01-04T23:00:00Z"}], silent=True)
    window = Window(since=datetime.fromisoformat("2098-01-05T00:00:00+02:00"))
    pull(db, source, TENANT, CUSTOMERS, window)
    assert early in ids(db)


def test_a_first_load_whose_token_is_refused_loses_nothing_that_others_have_overtaken(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    st.put("customers", [{"id": n, "modifiedOn": day} for n, day in zip(sorted(of_shop(st)), DAYS, strict=True)])
    fail(st, 2, status=503)
    with pytest.raises(TransientError):
        pull(db, source, TENANT, CUSTOMERS)
    pull(db, source, TENANT, CUSTOMERS, Window(since=datetime(2026, 3, 22, tzinfo=UTC)))
    assert len(ids(db)) == 5 + 2
    forget(db)
    assert pull(db, source, TENANT, CUSTOMERS).restarted == 1
    assert ids(db) == of_shop(st)


def test_what_other_readings_stored_does_not_move_the_place_where_a_feed_begins_again(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    pull(db, source, TENANT, CUSTOMERS)
    st.put("customers", [{"name": f"Ann {n}", "modifiedOn": f"2098-0{n}-01T00:00:00Z"} for n in range(1, 8)])
    pull(db, source, TENANT, CUSTOMERS, Window(since=datetime(2098, 7, 1, tzinfo=UTC)))
    forget(db)
    pull(db, source, TENANT, CUSTOMERS)
    assert ids(db) == of_shop(st)


def test_a_stamp_of_the_future_does_not_move_the_place_where_a_feed_begins_again(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    st.put("customers", [{"name": "Ann Ahead", "modifiedOn": "2150-01-01T00:00:00Z"}])
    pull(db, source, TENANT, CUSTOMERS)
    forget(db)
    [late] = st.put("customers", [{"name": "Ann Late"}])
    assert pull(db, source, TENANT, CUSTOMERS).new == 1
    assert late in ids(db)


def test_a_request_that_is_refused_for_good_is_no_endless_beginning(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    pull(db, source, TENANT, CUSTOMERS)
    st.app.faults.rules = rules([{"match": {"entity": "customers"}, "do": {"status": 400}}])
    with pytest.raises(PermanentError):
        pull(db, source, TENANT, CUSTOMERS)
    assert source.calls_of("customers") <= 5 + 2


def test_a_feed_that_goes_round_in_its_tokens_is_an_error_and_no_endless_round(db: Database) -> None:
    old, new = customer(1, "2026-01-01T00:00:00Z"), customer(1, "2026-01-02T00:00:00Z")
    feed = {
        None: Page([new], "a", has_more=True),
        "a": Page([old], "b", has_more=True),
        "b": Page([customer(2)], "a", has_more=True),
    }
    source = Laid(feed)
    with pytest.raises(TransientError, match="does not move on"):
        pull(db, source, TENANT, CUSTOMERS)
    assert (ids(db), source.calls < 10) == ({1, 2}, True)


def test_a_token_that_comes_again_with_something_new_is_no_error(db: Database) -> None:
    class Growing(Laid):
        def page(self, entity: str, token: str | None) -> Page:
            found = super().page(entity, token)
            return replace(found, records=[customer(self.calls)], has_more=self.calls < 6)

    assert pull(db, Growing({None: Page([], None, has_more=True)}), TENANT, CUSTOMERS).new == 6


def test_a_window_leaves_token_and_completeness_alone(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    replayed = pull(db, source, TENANT, CUSTOMERS, Window(since=datetime(2001, 1, 1, tzinfo=UTC)))
    assert (replayed.new, cursors.token(db, TENANT, "customers")) == (23, (None, False))
    pull(db, source, TENANT, CUSTOMERS)
    before = cursors.token(db, TENANT, "customers")
    pull(db, source, TENANT, CUSTOMERS, Window(until=datetime(2001, 1, 1, tzinfo=UTC)))
    assert cursors.token(db, TENANT, "customers") == before
    assert ids(db) == of_shop(st)


@pytest.mark.parametrize("entity", ["customers", "campaigns"])
def test_everything_read_before_the_first_load_ended_is_that_load_and_after_it_leaves_the_cursor(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient, entity: str
) -> None:
    st.put("campaigns", [{"name": "Radio"}])
    fail(st, 3, status=503)
    if entity == "customers":
        with pytest.raises(TransientError):
            pull(db, source, TENANT, CUSTOMERS)
        with db.connect() as connection:  # what a fault of ours might have lost
            connection.execute("DELETE FROM servicetitan.customers")
    first = pull(db, source, TENANT, ENTITY[entity], Window())
    assert first.new == len(st.shop.tenant().tables[entity])
    cursor = cursors.token(db, TENANT, entity)
    assert (cursor[0] is not None, cursor[1]) == (True, True)
    assert pull(db, source, TENANT, ENTITY[entity]).calls == 1, "the rest alone"
    cursor = cursors.token(db, TENANT, entity)
    assert pull(db, source, TENANT, ENTITY[entity], Window()).read == first.read
    assert cursors.token(db, TENANT, entity) == cursor


def test_of_two_tenants_with_one_id_each_keeps_its_own(db: Database, source: ServiceTitanClient) -> None:
    pull(db, source, TENANT, CUSTOMERS)
    pull(db, source, TENANT + 1, CUSTOMERS)
    with db.connect() as connection:
        rows = connection.execute("SELECT tenant_id, count(*) AS n FROM servicetitan.customers GROUP BY 1").fetchall()
    assert {row["tenant_id"]: row["n"] for row in rows} == {TENANT: 23, TENANT + 1: 23}


def test_a_check_parts_the_fitting_from_the_others_and_names_the_field() -> None:
    good = {"id": 1, "name": "Ann Lee", "modifiedOn": "2026-01-01T00:00:00Z"}
    raw = [good, {**good, "id": 2, "balance": "a lot", "name": None}, {**good, "id": None}, "no record", None, [1]]
    rows, rejects = check(CUSTOMERS, [(record, str(n).encode(), b"{}") for n, record in enumerate(raw)])
    assert [row.id for row in rows] == [1]
    assert [reject.key for reject in rejects] == ["2", *(str(n).encode().hex() for n in (2, 3, 4, 5))]
    assert ("name:" in rejects[0].reason, "balance:" in rejects[0].reason) == (True, True)
    assert "a lot" not in rejects[0].reason


@pytest.mark.parametrize("depth", [300, 1000])
def test_a_record_that_is_nested_deeper_than_can_be_written_is_kept_without_that_field(
    db: Database, depth: int
) -> None:
    deep: Any = 1
    for _ in range(depth):
        deep = [deep]
    page = Page([{**customer(7), "summary": deep}, customer(8)], "t", has_more=False)
    laid = Laid({None: page, "t": page})
    assert pull(db, laid, TENANT, CUSTOMERS).new == 2
    assert rows(db, "SELECT record ->> 'summary' AS told FROM servicetitan.customers WHERE id = 7") == [
        {"told": "is nested too deep"}
    ]
    assert pull(db, laid, TENANT, CUSTOMERS).changed == 0
