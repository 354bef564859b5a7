"""A map makes one payload of one row of ours, and of two payloads just the fields that must be sent (SF-1, SF-5)."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from st_sf_pipelines.mapping import (
    OMIT,
    Field,
    ObjectMap,
    Transform,
    as_is,
    difference,
    digest,
    first_of,
    lines,
    only_true,
    payload,
)
from st_sf_pipelines.systems.salesforce.objects import ACCOUNT, CONTACT, OBJECTS

NOW = datetime(2026, 1, 31, 12, 0, 5, 999_999, tzinfo=UTC)
ROW: dict[str, Any] = {
    "key": "st_7",
    "st_id": 7,
    "tenant_id": 410387862,
    "name": "Smith, John",
    "first_name": "John",
    "last_name": "Smith",
    "type": "Residential",
    "email": "John@Smith.com",
    "phone": "(480) 555-0142",
    "address_line1": "1 Main St",
    "address_line2": "Unit 2",
    "city": "San Diego",
    "state": "CA",
    "zip": "92101",
    "country": "USA",
    "active": True,
    "do_not_mail": False,
    "do_not_service": False,
    "balance": Decimal("-12.50"),
    "lifetime_value": Decimal("10000.00"),
    "total_jobs": 3,
    "completed_jobs": 2,
    "first_job_date": date(2025, 12, 31),
    "last_job_date": date(2026, 1, 15),
    "st_modified_on": datetime(2026, 1, 30, 8, 0, 0, 123_456, tzinfo=timezone(timedelta(hours=-8))),
    "segment": "VIP",
    "synced_at": NOW,
}

SMALL = ObjectMap(
    "salesforce/things",
    "Thing",
    key="Key__c",
    fields=(
        Field("Name", "name"),
        Field("Opted__c", "do_not_mail", Transform.ONLY_TRUE),
        Field("Kind", "type", values={"Residential": "Home"}),
        Field("Source__c", constant="servicetitan"),
        Field("At__c", "synced_at", volatile=True),
    ),
)


def test_an_account_is_mapped_as_the_specification_lists_it() -> None:
    assert payload(ACCOUNT, ROW) == {
        "ServiceTitan_Account_Id__c": "st_7",
        "Name": "Smith, John",
        "Type": "Residential",
        "Phone": "(480) 555-0142",
        "BillingStreet": "1 Main St\nUnit 2",
        "BillingCity": "San Diego",
        "BillingState": "CA",
        "BillingPostalCode": "92101",
        "BillingCountry": "USA",
        "Account_Balance__c": -12.5,
        "Lifetime_Value__c": 10000.0,
        "Customer_Segment__c": "VIP",
    }


def test_a_contact_is_mapped_as_the_specification_lists_it() -> None:
    assert payload(CONTACT, ROW) == {
        "ServiceTitan_Customer_Id__c": "st_7",
        "Account": {"ServiceTitan_Account_Id__c": "st_7"},
        "ServiceTitan_Tenant_Id__c": 410387862,
        "FirstName": "John",
        "LastName": "Smith",
        "Email": "John@Smith.com",
        "Phone": "(480) 555-0142",
        "MailingStreet": "1 Main St\nUnit 2",
        "MailingCity": "San Diego",
        "MailingState": "CA",
        "MailingPostalCode": "92101",
        "MailingCountry": "USA",
        "Active__c": True,
        "Do_Not_Service__c": False,
        "Total_Jobs__c": 3,
        "Completed_Jobs__c": 2,
        "First_Service_Date__c": "2025-12-31",
        "Last_Service_Date__c": "2026-01-15",
        "ServiceTitan_Last_Modified__c": "2026-01-30T16:00:00Z",
        "Last_Sync_DateTime__c": "2026-01-31T12:00:05Z",
    }


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (None, None),
        ("text", "text"),
        ("", ""),
        (0, 0),
        (False, False),
        (Decimal("16.20"), 16.2),
        (date(2026, 2, 1), "2026-02-01"),
        (datetime(2026, 2, 1, 1, 2, 3, 999_999, tzinfo=UTC), "2026-02-01T01:02:03Z"),
        (datetime(2026, 2, 1, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), "2026-01-31T23:02:03Z"),
    ],
)
def test_a_value_passes_as_the_target_writes_it(ours: Any, theirs: Any) -> None:
    passed = as_is(ours)
    assert passed == theirs
    assert type(passed) is type(theirs)


def test_two_lines_join_and_empty_ones_leave_no_line() -> None:
    assert lines("1 Main St", "Unit 2") == "1 Main St\nUnit 2"
    assert lines("1 Main St", None) == lines("", "1 Main St") == "1 Main St"
    assert lines(None, "") is None


def test_the_first_that_is_there_is_taken_and_zero_is_there() -> None:
    assert first_of(None, "", "Smith") == "Smith"
    assert first_of("John", "Smith") == "John"
    assert first_of(None, 0, 5) == 0
    assert first_of(None, "") is None


def test_an_opt_out_is_sent_and_never_taken_back() -> None:
    assert only_true(True) is True  # noqa: FBT003 - it is the value of a column
    assert only_true(False) is only_true(None) is OMIT  # noqa: FBT003 - it is the value of a column
    assert "HasOptedOutOfEmail" not in payload(CONTACT, ROW)
    assert payload(CONTACT, {**ROW, "do_not_mail": True})["HasOptedOutOfEmail"] is True


def test_a_name_that_is_missing_gives_way_to_the_last_name() -> None:
    assert payload(ACCOUNT, {**ROW, "name": None, "last_name": "Customer st_7"})["Name"] == "Customer st_7"


def test_a_picklist_value_is_translated_and_one_that_is_not_listed_passes() -> None:
    field = Field("Type", "type", values={"Residential": "Home"})
    assert [field.value({"type": value}) for value in ("Residential", "Commercial", None)] == [
        "Home",
        "Commercial",
        None,
    ]


def test_a_constant_needs_no_column() -> None:
    assert [Field("Kind", constant=value).value({}) for value in ("x", 0, 1.5, False)] == ["x", 0, 1.5, False]
    assert Field("Kind", constant="x").columns == ()


def test_a_parent_is_named_by_its_key_and_a_missing_one_is_nothing() -> None:
    field = Field("Account", "key", Transform.PARENT, refers_to="Key__c")
    assert field.value({"key": "st_7"}) == {"Key__c": "st_7"}
    assert field.value({"key": None}) is None


def test_a_reference_names_the_asset_and_the_subject() -> None:
    field = Field("WhoId", "contact", Transform.REFERENCE, refers_to="salesforce/contacts")
    assert field.value({"contact": 7}) == {"$ref": "salesforce/contacts", "subject": 7}
    assert field.value({"contact": None}) is None
    target = ObjectMap(
        "a/b", "B", key="K", fields=(field, Field("Parent", "key", Transform.PARENT, refers_to="Key__c"))
    )
    assert target.references == {"WhoId"}
    assert target.parents == {"Parent": "Key__c"}


def test_an_id_is_written_as_a_text() -> None:
    field = Field("Job__c", "job", Transform.TEXT)
    assert [field.value({"job": value}) for value in (501, "501", 0, None)] == ["501", "501", "0", None]


def test_columns_are_looked_up_together_and_what_is_not_listed_is_left_alone() -> None:
    table = {"a": 1, "a/b": 2, "a/b/3": 3}
    field = Field("X", ("x", "y", "z"), Transform.LOOKUP, values=table)
    rows = [("a", None, None), ("a", "b", None), ("a", "b", 3), ("b", None, None), ("a", None, 3), (None, None, None)]
    assert [field.value(dict(zip("xyz", row, strict=True))) for row in rows] == [1, 2, 3, OMIT, OMIT, OMIT]


@pytest.mark.parametrize(("text", "kept"), [("abc", "abc"), ("abcd", "abcd"), ("abcde", "abc…"), ("ab de", "ab…")])
def test_a_text_that_is_too_long_is_cut(text: str, kept: str) -> None:
    assert Field("X", "x", at_most=4).value({"x": text}) == kept


def test_without_a_key_field_no_key_is_sent() -> None:
    keyless = ObjectMap("a/b", "B", key="", external_id=False, fields=(Field("Name", "name"),))
    assert payload(keyless, {"key": "st_7", "name": "John"}) == {"Name": "John"}


def test_what_is_only_set_once_goes_to_a_new_record_and_what_follows_goes_along() -> None:
    target = ObjectMap(
        "a/b",
        "B",
        key="K",
        fields=(Field("Once", "a", create_only=True), Field("Stage", "b"), Field("Share", "c", follows="Stage")),
    )
    agreed = {"K": "1", "Once": 1, "Stage": 1, "Share": 1}
    assert difference(target, {**agreed, "Once": 2}, None) == {"K": "1", "Once": 2, "Stage": 1, "Share": 1}
    assert difference(target, {**agreed, "Once": 2}, agreed) == {}
    assert difference(target, {**agreed, "Once": 2, "Stage": 2}, agreed) == {"Stage": 2, "Share": 1}
    assert difference(target, {**agreed, "Share": 2}, agreed) == {"Share": 2}


def test_a_row_without_a_column_that_the_map_names_is_an_error() -> None:
    with pytest.raises(KeyError):
        payload(SMALL, {"key": "st_7", "name": "John"})


def test_a_row_of_a_map_with_a_typing_error_is_refused() -> None:
    rows = TypeAdapter(Field)
    for bad in ({"to": "X", "sauce": "name"}, {"source": "name"}, {"to": "X", "transform": "shout"}):
        with pytest.raises(ValidationError):
            rows.validate_python(bad)
    assert rows.validate_python({"to": "X", "source": ["a", "b"], "transform": "lines"}).columns == ("a", "b")


def test_volatile_fields_and_the_order_of_fields_leave_the_digest_alone() -> None:
    sent = payload(CONTACT, ROW)
    later = payload(CONTACT, {**ROW, "synced_at": NOW + timedelta(days=1)})
    assert sent["Last_Sync_DateTime__c"] != later["Last_Sync_DateTime__c"]
    assert digest(CONTACT, sent) == digest(CONTACT, later)
    assert digest(CONTACT, sent) == digest(CONTACT, dict(reversed(sent.items())))


def test_every_other_field_moves_the_digest() -> None:
    sent = payload(CONTACT, ROW)
    for name in sent.keys() - CONTACT.volatile:
        assert digest(CONTACT, {**sent, name: "something else"}) != digest(CONTACT, sent)
        assert digest(CONTACT, {**sent, name: None}) != digest(CONTACT, sent)
        assert digest(CONTACT, {k: v for k, v in sent.items() if k != name}) != digest(CONTACT, sent)


def test_a_new_record_is_sent_without_what_is_empty() -> None:
    wanted = {"Key__c": "st_7", "Name": "John", "Kind": None, "Zero": 0, "No": False, "Blank": ""}
    assert difference(SMALL, wanted, None) == {"Key__c": "st_7", "Name": "John", "Zero": 0, "No": False, "Blank": ""}


def test_of_a_known_record_just_the_changed_fields_are_sent() -> None:
    agreed = payload(ACCOUNT, ROW)
    wanted = payload(ACCOUNT, {**ROW, "segment": "High Value", "balance": Decimal(0)})
    assert difference(ACCOUNT, wanted, agreed) == {"Customer_Segment__c": "High Value", "Account_Balance__c": 0.0}


def test_a_cleared_value_is_sent_as_null() -> None:
    agreed = payload(CONTACT, ROW)
    wanted = payload(CONTACT, {**ROW, "email": None, "address_line1": None, "address_line2": ""})
    assert difference(CONTACT, wanted, agreed) == {"Email": None, "MailingStreet": None}


def test_a_field_that_is_left_alone_is_neither_sent_nor_cleared() -> None:
    opted_out = payload(CONTACT, {**ROW, "do_not_mail": True})
    assert opted_out["HasOptedOutOfEmail"] is True
    assert difference(CONTACT, payload(CONTACT, ROW), opted_out) == {}


def test_a_volatile_field_rides_along_and_never_goes_alone() -> None:
    agreed = payload(CONTACT, ROW)
    later = {**ROW, "synced_at": NOW + timedelta(minutes=5)}
    assert difference(CONTACT, payload(CONTACT, later), agreed) == {}
    assert difference(CONTACT, payload(CONTACT, {**later, "city": "La Jolla"}), agreed) == {
        "MailingCity": "La Jolla",
        "Last_Sync_DateTime__c": "2026-01-31T12:05:05Z",
    }


def test_a_reference_names_an_asset_and_our_own_subject_until_the_id_there_is_known() -> None:
    stage = Field("stage", "stage_slug", Transform.REFERENCE, refers_to="crm/stages")
    target = SMALL.with_fields([stage])
    assert target.references == {"stage"}
    assert SMALL.references == frozenset()
    made = payload(target, {**ROW, "stage_slug": "new-lead"})
    assert made["stage"] == {"$ref": "crm/stages", "subject": "new-lead"}
    assert payload(target, {**ROW, "stage_slug": None})["stage"] is None
    moved = payload(target, {**ROW, "stage_slug": "job-sold"})
    assert difference(target, moved, made) == {"stage": {"$ref": "crm/stages", "subject": "job-sold"}}
    assert target.digest != SMALL.with_fields([Field("stage", "stage_slug")]).digest


def test_a_day_is_sent_as_noon_so_that_it_is_that_day_in_every_zone() -> None:
    target = SMALL.with_fields([Field("closeDate", "last_job_date", Transform.NOON)])
    assert payload(target, ROW)["closeDate"] == "2026-01-15T12:00:00.000Z"
    assert payload(target, {**ROW, "last_job_date": None})["closeDate"] is None


def test_a_moved_customer_points_to_its_new_parent() -> None:
    agreed = payload(CONTACT, ROW)
    assert difference(CONTACT, {**agreed, "Account": {ACCOUNT.key: "st_8"}}, agreed) == {
        "Account": {ACCOUNT.key: "st_8"}
    }


def test_rows_of_a_site_replace_and_are_added_in_their_place() -> None:
    laid = SMALL.with_fields([Field("Kind", constant="X"), Field("Website", "email"), Field("Website", "phone")])
    assert [field.to for field in laid.fields] == ["Name", "Opted__c", "Kind", "Source__c", "At__c", "Website"]
    made = payload(laid, ROW)
    assert (made["Kind"], made["Website"]) == ("X", "(480) 555-0142")
    assert (laid.asset, laid.remote, laid.key) == (SMALL.asset, SMALL.remote, SMALL.key)
    assert SMALL.with_fields([]) == SMALL


def test_an_edited_map_has_another_digest_and_an_equal_one_the_same() -> None:
    digests = [
        target.digest
        for target in (
            SMALL,
            SMALL.with_fields([Field("Website", "email")]),
            SMALL.with_fields([Field("Kind", "type", values={"Residential": "House"})]),
            SMALL.with_fields([Field("Name", "name", volatile=True)]),
            SMALL.with_fields([Field("Name", ("name",), Transform.FIRST_OF)]),
            SMALL.with_fields([Field("Source__c", constant="st")]),
        )
    ]
    assert len(set(digests)) == len(digests)
    assert SMALL.with_fields([Field("Name", "name")]).digest == SMALL.digest


def test_every_field_of_an_object_stands_in_one_row_and_none_is_its_key() -> None:
    for target in OBJECTS:
        names = [field.to for field in target.fields]
        assert len(names) == len(set(names))
        assert target.key not in names
    assert [target.parent for target in OBJECTS] == [None, ACCOUNT.asset]


TEXTS = st.none() | st.text(max_size=8)
MONEY = st.none() | st.decimals(-(10**12), 10**12, places=2)
ROWS = st.fixed_dictionaries(
    {
        **dict.fromkeys(("name", "first_name", "email", "phone", "type", "segment"), TEXTS),
        **dict.fromkeys(("address_line1", "address_line2", "city", "state", "zip", "country"), TEXTS),
        **dict.fromkeys(("active", "do_not_mail", "do_not_service"), st.booleans()),
        **dict.fromkeys(("total_jobs", "completed_jobs"), st.integers(0, 9)),
        **dict.fromkeys(("first_job_date", "last_job_date"), st.none() | st.dates()),
        **dict.fromkeys(("st_modified_on", "synced_at"), st.datetimes(timezones=st.just(UTC))),
        "balance": MONEY,
        "lifetime_value": MONEY,
        "last_name": st.text(min_size=1, max_size=8),
        "tenant_id": st.integers(1, 2**53),
        "key": st.just("st_7"),
    }
)


@settings(deadline=None)
@given(st.sampled_from(OBJECTS), ROWS, st.datetimes(timezones=st.just(UTC)))
def test_after_agreeing_on_a_payload_there_is_nothing_to_send(
    target: ObjectMap, row: dict[str, Any], later: datetime
) -> None:
    wanted = payload(target, row)
    agreed = json.loads(orjson.dumps(wanted))  # the ledger keeps it as JSON
    again = payload(target, {**row, "synced_at": later})
    assert difference(target, again, agreed) == {}
    assert digest(target, again) == digest(target, wanted)


@settings(deadline=None)
@given(st.sampled_from(OBJECTS), ROWS, ROWS)
def test_what_is_sent_makes_of_the_agreed_record_the_wanted_one(
    target: ObjectMap, before: dict[str, Any], after: dict[str, Any]
) -> None:
    agreed, wanted = payload(target, before), payload(target, after)
    sent = difference(target, wanted, agreed)
    stands = {**agreed, **sent}
    volatile = target.volatile if not sent else frozenset()
    assert {name: stands.get(name) for name in wanted.keys() - volatile} == {
        name: value for name, value in wanted.items() if name not in volatile
    }
    assert all(agreed.get(name, OMIT) != value for name, value in sent.items())
    assert not sent or sent.keys() - target.volatile
    assert bool(sent) <= (digest(target, wanted) != digest(target, agreed))
