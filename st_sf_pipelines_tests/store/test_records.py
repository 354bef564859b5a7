"""A page of records is kept all or nothing; the newest version stays in force, however pages come (EXT-3, EXT-6)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from st_sf_pipelines.ports import Reject
from st_sf_pipelines.store import quarantine, records
from st_sf_pipelines.store.cursors import token
from st_sf_pipelines.store.quarantine import quarantined
from st_sf_pipelines.store.records import Written
from st_sf_pipelines.sync.pages import Desk
from st_sf_pipelines.systems.servicetitan.entities import ENTITY
from st_sf_pipelines_tests.store.feeding import (
    STAMP,
    TENANT,
    checked,
    contact,
    customer,
    digest_of,
    feed,
    invoice,
    job,
    rows,
    touched,
    write_page,
)

if TYPE_CHECKING:
    from st_sf_pipelines.ports import Table
    from st_sf_pipelines.store.database import Database

OTHER_TENANT = 4102
CUSTOMERS = ENTITY["customers"].table
TICKS = [f"2026-01-01T00:00:00.123456{n}Z" for n in range(10)]
"""Ten stamps within a microsecond: PostgreSQL's timestamptz would hold them all equal."""


def name_of(db: Database, st_id: int, tenant: int = TENANT) -> str | None:
    found = rows(db, "SELECT name FROM servicetitan.customers WHERE tenant_id = %s AND id = %s", tenant, st_id)
    return found[0]["name"] if found else None


def known(db: Database, tenant: int, table: Table, ids: list[int], keys: list[str]) -> tuple[set[bytes], set[bytes]]:
    with db.connect() as connection:
        return records.known(connection, tenant, table, ids, keys)


def is_empty(db: Database) -> bool:
    """Tell whether nothing at all is stored: no record, token, quarantine or touched customer."""
    tables = ("servicetitan.customers", "servicetitan.quarantine", "sync.touched", "sync.feeds")
    return not any(rows(db, f"SELECT 1 FROM {table}") for table in tables)  # noqa: S608 - our own tables


def test_a_record_is_kept_whole_with_its_columns_beside_it(db: Database) -> None:
    raw = customer(
        7,
        "2026-01-30T08:00:00.1234567Z",
        name="Dr. John A. Smith Jr.",
        address={"street": "1 Main St", "unit": "2", "city": "San Diego", "state": "CA", "zip": "92101"},
        balance="-12.50",
        doNotMail=True,
        mergedToId=0,
        brandNew={"of": ["their", 2, None]},
    )
    assert feed(db, "customers", raw) == Written(new=1, changed=0)
    (row,) = rows(db, "SELECT * FROM servicetitan.customers")
    assert row["record"] == raw
    assert (row["tenant_id"], row["id"], row["active"], row["digest"]) == (TENANT, 7, True, digest_of(raw))
    assert row["modified"] % 10_000_000 == 1_234_567
    assert row["modified_on"] == datetime(2026, 1, 30, 8, 0, 0, 123_456, tzinfo=UTC)
    assert (row["first_name"], row["last_name"]) == ("John A.", "Smith Jr.")
    assert (row["street"], row["unit"], row["city"], row["country"]) == ("1 Main St", "2", "San Diego", None)
    assert (row["balance"], row["do_not_mail"], row["do_not_service"]) == (Decimal("-12.50"), True, False)
    assert row["merged_to_id"] is None


def test_each_entity_lands_in_its_own_table(db: Database) -> None:
    feed(db, "customer_contacts", contact(1, 7, " John@Smith.com "), contact(2, 7, "(480) 555-0142", "MobilePhone"))
    feed(db, "jobs", job(3, 7, "In Progress", businessUnitId=9))
    feed(db, "invoices", invoice(4, 7, "199.99", adjustmentToId=3))
    feed(db, "business_units", {"id": 9, "modifiedOn": STAMP, "active": False, "name": "Pool - Sales"})
    emails = rows(db, "SELECT type, email, phone, e164 FROM servicetitan.customer_contacts ORDER BY id")
    assert [tuple(row.values()) for row in emails] == [
        ("email", "John@Smith.com", None, None),
        ("mobilephone", None, "(480) 555-0142", "+14805550142"),
    ]
    assert rows(db, "SELECT status, business_unit_id FROM servicetitan.jobs") == [
        {"status": "inprogress", "business_unit_id": 9}
    ]
    assert rows(db, "SELECT customer_id, total, adjustment_to_id FROM servicetitan.invoices") == [
        {"customer_id": 7, "total": Decimal("199.99"), "adjustment_to_id": 3}
    ]
    assert rows(db, "SELECT name, active FROM servicetitan.business_units") == [
        {"name": "Pool - Sales", "active": False}
    ]


def test_a_record_read_twice_changes_nothing(db: Database) -> None:
    raw = customer(7)
    feed(db, "customers", raw)
    (before,) = rows(db, "SELECT stored_at, xmin::text FROM servicetitan.customers")
    assert feed(db, "customers", raw, dict(reversed(raw.items()))) == Written()
    assert rows(db, "SELECT stored_at, xmin::text FROM servicetitan.customers") == [before]
    assert touched(db, "servicetitan/customers") == [7]


def test_an_older_version_never_overwrites_a_newer_one_be_it_by_a_tick(db: Database) -> None:
    feed(db, "customers", customer(7, TICKS[5], name="New"))
    assert feed(db, "customers", customer(7, TICKS[4], name="Old")) == Written()
    assert name_of(db, 7) == "New"
    assert touched(db, "servicetitan/customers") == [7]
    assert feed(db, "customers", customer(7, TICKS[6], name="Newer")) == Written(changed=1)
    assert name_of(db, 7) == "Newer"


def test_another_content_under_the_same_stamp_does_overwrite(db: Database) -> None:
    feed(db, "customers", customer(7, TICKS[5], name="One"))
    assert feed(db, "customers", customer(7, TICKS[5], name="Other")) == Written(changed=1)
    assert name_of(db, 7) == "Other"
    assert touched(db, "servicetitan/customers") == [7, 7]


def test_a_field_that_we_do_not_use_counts_as_content_too(db: Database) -> None:
    feed(db, "customers", customer(7, leadSource="web"))
    assert feed(db, "customers", customer(7, leadSource="radio")) == Written(changed=1)
    (row,) = rows(db, "SELECT record FROM servicetitan.customers")
    assert row["record"]["leadSource"] == "radio"


@pytest.mark.parametrize("stored_before", [False, True])
@pytest.mark.parametrize("turned", [False, True])
def test_of_a_record_that_stands_twice_in_a_page_the_newest_stays(
    db: Database, *, stored_before: bool, turned: bool
) -> None:
    if stored_before:
        feed(db, "customers", customer(7, TICKS[0], name="Stored"))
    versions = [customer(7, TICKS[2], name="Old"), customer(7, TICKS[3], name="New")]
    assert feed(db, "customers", *versions[:: -1 if turned else 1]) == Written(not stored_before, stored_before)
    assert name_of(db, 7) == "New"
    assert touched(db, "servicetitan/customers") == [7] * (1 + stored_before)


def test_of_two_with_one_stamp_in_a_page_the_later_stays(db: Database) -> None:
    feed(db, "customers", customer(7, name="First"), customer(7, name="Second"))
    assert name_of(db, 7) == "Second"


ENTRY = st.tuples(st.integers(1, 3), st.integers(0, 9))
TENANTS = count(500_000)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(ENTRY, max_size=5), max_size=5))
def test_whatever_order_pages_come_in_the_newest_version_of_each_record_stays(
    db: Database, pages: list[list[tuple[int, int]]]
) -> None:
    tenant = next(TENANTS)
    newest: dict[int, int] = {}
    for page in pages:
        before = dict(newest)
        written = feed(db, "customers", *(customer(st_id, TICKS[n], name=f"v{n}") for st_id, n in page), tenant=tenant)
        for st_id, n in page:
            newest[st_id] = max(n, newest.get(st_id, n))
        assert written.new == len(newest.keys() - before.keys())
        assert written.changed == sum(newest[st_id] > n for st_id, n in before.items())
    for st_id in (1, 2, 3):
        assert name_of(db, st_id, tenant) == (f"v{newest[st_id]}" if st_id in newest else None)


def test_a_contact_that_moves_to_another_customer_touches_both(db: Database) -> None:
    feed(db, "customer_contacts", contact(1, 7, "a@b.com"))
    feed(db, "customer_contacts", contact(1, 8, "a@b.com", modifiedOn=TICKS[0]))
    seen = touched(db, "servicetitan/customer_contacts")
    assert (seen[0], sorted(seen[1:])) == (7, [7, 8])


def test_an_invoice_touches_whom_it_leaves_and_whom_it_finds_and_otherwise_nobody(db: Database) -> None:
    feed(db, "invoices", invoice(1, None, "5.00"))
    assert touched(db, "servicetitan/invoices") == []
    feed(db, "invoices", invoice(1, 7, "5.00"))
    feed(db, "invoices", invoice(1, None, "5.00", modifiedOn=TICKS[0]))
    assert touched(db, "servicetitan/invoices") == [7, 7]


def test_a_page_touches_a_customer_once_and_a_business_unit_nobody(db: Database) -> None:
    feed(db, "jobs", job(1, 7), job(2, 7), job(3, 8))
    assert sorted(touched(db, "servicetitan/jobs")) == [7, 8]
    feed(db, "business_units", {"id": 9, "modifiedOn": STAMP, "name": "Pool - Sales"})
    assert touched(db, "servicetitan/business_units") == []


def test_tenants_do_not_see_each_other(db: Database) -> None:
    feed(db, "customers", customer(7, TICKS[5], name="Ours"), mark=("t1", True))
    assert feed(db, "customers", customer(7, TICKS[1], name="Theirs"), tenant=OTHER_TENANT) == Written(new=1)
    assert (name_of(db, 7), name_of(db, 7, OTHER_TENANT)) == ("Ours", "Theirs")
    assert token(db, OTHER_TENANT, "customers") == (None, False)
    assert touched(db, "servicetitan/customers", OTHER_TENANT) == [7]
    assert known(db, OTHER_TENANT, CUSTOMERS, [7], ["7"])[0] == {digest_of(customer(7, TICKS[1], name="Theirs"))}


def test_the_token_moves_with_its_page_and_a_finished_feed_stays_finished(db: Database) -> None:
    assert token(db, TENANT, "customers") == (None, False)
    feed(db, "customers", customer(1), mark=("t1", False))
    assert token(db, TENANT, "customers") == ("t1", False)
    feed(db, "customers", mark=("t2", True))
    assert token(db, TENANT, "customers") == ("t2", True)
    feed(db, "customers", customer(2), mark=("t3", False))
    assert token(db, TENANT, "customers") == ("t3", True)
    assert token(db, TENANT, "jobs") == (None, False)


def test_a_replay_leaves_the_token_where_it_stands(db: Database) -> None:
    feed(db, "customers", mark=("t1", True))
    assert feed(db, "customers", customer(1)) == Written(new=1)
    assert token(db, TENANT, "customers") == ("t1", True)


def test_a_poll_that_finds_nothing_writes_nothing(db: Database) -> None:
    feed(db, "customers", mark=("t1", True))
    before = rows(db, "SELECT xmin::text, pulled_at FROM sync.feeds")
    feed(db, "customers", mark=("t1", True))
    assert rows(db, "SELECT xmin::text, pulled_at FROM sync.feeds") == before


GOOD, BAD = customer(7, TICKS[1], name="Good"), customer(7, TICKS[2], name=None)


def breaking_row(db: Database) -> None:
    """Fail in the insert of the rows: PostgreSQL's own bigint is too small for the second id."""
    fine, bad = checked("customers", GOOD, customer(8))[0]
    write_page(db, "customers", [fine, bad._replace(id=2**63)], [], ("t1", False))


def breaking_reject(db: Database) -> None:
    """Fail after the rows: what is rejected is no JSON."""
    write_page(db, "customers", checked("customers", GOOD)[0], [Reject("1", b"", "x", b"{")], ("t1", False))


def breaking_token(db: Database) -> None:
    """Fail at the very end: PostgreSQL takes no such text for a token."""
    write_page(db, "customers", *checked("customers", GOOD, BAD), ("t\x001", False))


@pytest.mark.parametrize("breaking", [breaking_row, breaking_reject, breaking_token])
def test_rows_touched_rejects_and_token_are_kept_all_or_nothing(db: Database, breaking: Any) -> None:
    with pytest.raises(psycopg.DataError):
        breaking(db)
    assert is_empty(db)
    feed(db, "customers", GOOD, BAD, mark=("t1", False))  # and the same connection goes on
    assert not is_empty(db)


def test_a_record_that_does_not_fit_is_kept_apart_and_its_last_good_version_stays(db: Database) -> None:
    feed(db, "customers", GOOD)
    assert feed(db, "customers", BAD, customer(8)) == Written(new=1)
    assert name_of(db, 7) == "Good"
    (row,) = rows(db, "SELECT * FROM servicetitan.quarantine")
    assert (row["tenant_id"], row["entity"], row["key"], row["record"]) == (TENANT, "customers", "7", BAD)
    assert row["reason"].startswith("name: ")
    assert row["digest"] == digest_of(BAD)
    assert quarantined(db, TENANT) == {"customers": 1}
    assert touched(db, "servicetitan/customers") == [7, 8]


@pytest.mark.parametrize(
    "total",
    ["99999999999999999999.00", "1E+200000", "1E+15", "-1e15", "1E-200000", "0." + "1" * 200, "NaN", "Infinity", 1e300],
)
def test_an_amount_that_the_database_could_not_add_up_is_set_aside(db: Database, total: Any) -> None:
    assert feed(db, "invoices", invoice(1, 7, total), invoice(2, 7, "999999999999999.99")) == Written(new=1)
    (row,) = rows(db, "SELECT key, reason FROM servicetitan.quarantine")
    assert (row["key"], row["reason"]) == ("1", "total: is not an amount of less than 1e15")


def test_another_bad_version_takes_the_place_of_the_first(db: Database) -> None:
    feed(db, "customers", BAD)
    (before,) = rows(db, "SELECT first_seen, last_seen FROM servicetitan.quarantine")
    feed(db, "customers", customer(7, TICKS[3], balance="a lot"))
    (row,) = rows(db, "SELECT * FROM servicetitan.quarantine")
    assert row["reason"].startswith("balance: ")
    assert row["first_seen"] == before["first_seen"]
    assert row["last_seen"] > before["last_seen"]


def test_a_later_good_version_releases_it_and_an_older_one_does_not(db: Database) -> None:
    feed(db, "customers", GOOD, customer(8))
    feed(db, "customers", BAD, customer(8, TICKS[5], name=None))
    feed(db, "customers", customer(7, TICKS[0], name="Late"))
    assert quarantined(db, TENANT) == {"customers": 2}
    feed(db, "customers", customer(7, TICKS[3], name="Better"))
    assert quarantined(db, TENANT) == {"customers": 1}
    assert name_of(db, 7) == "Better"


def test_only_its_own_record_is_released(db: Database) -> None:
    feed(db, "customers", BAD)
    feed(db, "customers", BAD, tenant=OTHER_TENANT)
    feed(db, "jobs", job(7, 1, modifiedOn="yesterday"))
    feed(db, "customers", customer(7, TICKS[3]))
    assert quarantined(db, TENANT) == {"jobs": 1}
    assert quarantined(db, OTHER_TENANT) == {"customers": 1}


def test_a_good_version_behind_a_bad_one_in_the_same_page_releases_it(db: Database) -> None:
    feed(db, "customers", BAD, customer(7, TICKS[3], name="Better"))
    assert name_of(db, 7) == "Better"
    assert quarantined(db, TENANT) == {}


def test_a_bad_version_behind_a_good_one_in_the_same_page_is_kept_apart(db: Database) -> None:
    feed(db, "customers", GOOD, BAD)
    assert name_of(db, 7) == "Good"
    assert quarantined(db, TENANT) == {"customers": 1}


def test_a_bad_version_is_released_by_a_good_one_that_is_as_new_and_by_no_older_one(db: Database) -> None:
    feed(db, "customers", BAD)
    assert feed(db, "customers", GOOD) == Written(new=1)
    assert quarantined(db, TENANT) == {"customers": 1}, "what is newer does not fit"
    feed(db, "customers", customer(7, TICKS[2], name="As New"))
    assert quarantined(db, TENANT) == {}


def test_a_good_version_behind_a_newer_bad_one_in_the_same_page_does_not_hide_it(db: Database) -> None:
    feed(db, "customers", BAD, GOOD)
    assert name_of(db, 7) == "Good"
    assert quarantined(db, TENANT) == {"customers": 1}


@pytest.mark.parametrize("at_once", [False, True])
def test_a_bad_version_older_than_the_good_one_in_force_is_not_set_aside(db: Database, *, at_once: bool) -> None:
    page = [customer(7, TICKS[3], name="Newer"), BAD]
    for records_ in [page] if at_once else [[record] for record in page]:
        feed(db, "customers", *records_)
    assert name_of(db, 7) == "Newer"
    assert quarantined(db, TENANT) == {}


@pytest.mark.parametrize("stamp", [None, "yesterday", "9999-12-31T00:00:00Z"])
def test_a_bad_version_whose_stamp_cannot_be_read_is_released_by_any_good_one_that_is_new(
    db: Database, stamp: str | None
) -> None:
    feed(db, "customers", GOOD)
    feed(db, "customers", {**GOOD, "modifiedOn": stamp})
    assert quarantined(db, TENANT) == {"customers": 1}
    feed(db, "customers", customer(7, TICKS[0], name="Older"))
    assert quarantined(db, TENANT) == {"customers": 1}
    feed(db, "customers", customer(7, TICKS[1], name="Another"))
    assert quarantined(db, TENANT) == {}


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("turned", [False, True])
def test_of_two_bad_versions_the_newer_stands(db: Database, *, at_once: bool, turned: bool) -> None:
    page = [BAD, customer(7, TICKS[3], balance="a lot")][:: -1 if turned else 1]
    for records_ in [page] if at_once else [[record] for record in page]:
        feed(db, "customers", *records_)
    (row,) = rows(db, "SELECT reason FROM servicetitan.quarantine")
    assert row["reason"].startswith("balance: ")


@pytest.mark.parametrize("stamp", [TICKS[1], TICKS[2], "yesterday"])
def test_a_page_with_a_good_and_a_bad_version_settles_however_often_it_is_read(db: Database, stamp: str) -> None:
    page = [GOOD, customer(7, stamp, name=None)]
    for _ in range(3):
        Desk(db, TENANT, ENTITY["customers"]).keep(page)
        assert quarantined(db, TENANT) == {"customers": 1}
    assert rows(db, "SELECT last_seen FROM servicetitan.quarantine WHERE last_seen > first_seen") == []


def test_the_good_version_in_force_that_comes_again_alone_releases_what_is_no_newer(db: Database) -> None:
    desk = Desk(db, TENANT, ENTITY["customers"])
    for bad, standing in ((BAD, 1), (customer(7, TICKS[1], name=None), 0), (customer(7, "yesterday"), 0)):
        desk.keep([GOOD])
        desk.keep([bad])
        desk.keep([GOOD])
        assert len(rows(db, "DELETE FROM servicetitan.quarantine RETURNING 1")) == standing


def test_what_has_no_id_is_kept_once_by_its_fingerprint(db: Database) -> None:
    nameless: list[Any] = [{"name": "nobody"}, {"id": "7"}, {"id": True}, {"id": 0}, {"id": 2**63}, None, [1]]
    feed(db, "customers", *nameless, customer(1))
    feed(db, "customers", *nameless)
    assert quarantined(db, TENANT) == {"customers": len(nameless)}
    assert name_of(db, 1) == "John Smith"


def test_the_quarantine_is_listed_with_its_reasons_and_without_values(db: Database) -> None:
    feed(db, "jobs", job(7, 1, modifiedOn="yesterday"))
    feed(db, "customers", BAD)
    feed(db, "customers", BAD, tenant=OTHER_TENANT)
    listed = quarantine.records(db, TENANT)
    assert [(row["entity"], row["key"], row["reason"].partition(":")[0]) for row in listed] == [
        ("customers", "7", "name"),
        ("jobs", "7", "modifiedOn"),
    ]
    assert "record" not in listed[0]


def test_the_newest_stamp_of_an_entity_is_told_and_the_beginning_of_time_where_there_is_none(db: Database) -> None:
    assert records.newest(db, TENANT, CUSTOMERS) == datetime(1970, 1, 1, tzinfo=UTC)
    feed(db, "customers", customer(1, "2026-01-30T08:00:00.1234567Z"), customer(2, "2026-01-29T00:00:00Z"))
    feed(db, "customers", customer(3, "2026-02-01T00:00:00Z"), tenant=OTHER_TENANT)
    assert records.newest(db, TENANT, CUSTOMERS) == datetime(2026, 1, 30, 8, 0, 0, 123_456, tzinfo=UTC)


def test_what_is_stored_or_in_quarantine_is_known_to_the_letter(db: Database) -> None:
    feed(db, "customers", GOOD, BAD)
    feed(db, "jobs", job(7, 1))
    assert known(db, TENANT, CUSTOMERS, [7, 9], ["7", "9"]) == ({digest_of(GOOD)}, {digest_of(BAD)})
    assert known(db, TENANT, CUSTOMERS, [], []) == (set(), set())
    assert known(db, TENANT, ENTITY["jobs"].table, [7], ["7"]) == ({digest_of(job(7, 1))}, set())


def test_the_character_nul_which_postgresql_cannot_hold_is_replaced(db: Database) -> None:
    nul = {"value": "a\x00b", "memo\x00": "\x00"}
    assert feed(db, "customer_contacts", {**contact(1, 7, "", "Fax"), **nul}) == Written(new=1)
    (row,) = rows(db, "SELECT value, record FROM servicetitan.customer_contacts")
    assert row["value"] == row["record"]["value"] == "a\ufffdb"
    assert row["record"]["memo\ufffd"] == "\ufffd"
    feed(db, "customers", customer(7, name=None, note="\x00"))
    (bad,) = rows(db, "SELECT record FROM servicetitan.quarantine")
    assert bad["record"]["note"] == "\ufffd"


@pytest.mark.parametrize("text", ["\\u0000", "\\\\u0000", "\\N", "\\.", "a\tb\nc\rd", '"', "\\", "😀", "\u2028", "''"])
def test_every_other_text_comes_back_as_it_was(db: Database, text: str) -> None:
    feed(db, "customers", customer(7, address={"street": text}, note=text))
    (row,) = rows(db, "SELECT street, record FROM servicetitan.customers")
    assert (row["street"], row["record"]["note"]) == (text, text)


def test_the_largest_id_and_the_oldest_stamp_fit(db: Database) -> None:
    feed(db, "customers", customer(2**63 - 1, "1900-01-01T00:00:00Z"))
    assert name_of(db, 2**63 - 1) == "John Smith"


def test_an_empty_page_without_a_mark_changes_nothing(db: Database) -> None:
    assert feed(db, "customers") == Written()
    assert is_empty(db)


def test_the_evidence_names_the_records_that_a_profile_rests_on(db: Database) -> None:
    feed(
        db,
        "jobs",
        job(1, 7, done="2025-06-01T12:00:00Z"),
        job(2, 7, done="2026-01-01T07:59:00Z"),
        job(3, 7, "Canceled", done="2026-01-05T12:00:00Z"),
        job(4, 7, done="2026-01-06T12:00:00Z", active=False),
        job(5, 8, done="2026-01-07T12:00:00Z"),
        job(6, 7),
    )
    feed(db, "invoices", *(invoice(n, 7, f"{n}.00") for n in range(1, 7)), invoice(9, 7, "-50.00"))
    feed(db, "invoices", invoice(10, 7, "900.00", active=False), invoice(11, 8, "900.00"), invoice(12, 7, None))
    found = records.evidence(db, TENANT, 7, "America/Los_Angeles")
    assert found["last_job"] == {"id": 2, "job_number": "2", "completed_day": date(2025, 12, 31)}
    assert found["invoices"] == {"count": 8, "total": Decimal("-29.00"), "largest": [9, 6, 5, 4, 3]}
    nothing = records.evidence(db, TENANT, 99, "UTC")
    assert nothing == {"last_job": None, "invoices": {"count": 0, "total": 0, "largest": None}}
