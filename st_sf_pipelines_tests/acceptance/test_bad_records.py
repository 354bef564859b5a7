"""A record that does not fit is set aside with its reason; it never holds up the others, and a good one frees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines_tests.acceptance.desk import ADDRESS, CONTACTS, by_key, many_customers, new_customer, one

if TYPE_CHECKING:
    from st_sf_pipelines_tests.world import World

GOOD = {"active": True, "modifiedOn": "2026-01-01T00:00:00Z", "createdOn": "2026-01-01T00:00:00Z"}


def customer(st_id: Any, **fields: Any) -> dict[str, Any]:
    return {**GOOD, "id": st_id, "name": "Bad Record", "address": ADDRESS, "balance": 0, **fields}


def test_497_of_500_load_and_three_are_set_aside_with_their_reasons(world: World) -> None:
    many_customers(world, 497)
    bad = [
        customer(5, name=None),
        customer(6, balance="a lot"),
        customer(7, modifiedOn="yesterday"),
    ]
    world.st.put("customers", bad, raw=True)
    round_ = world.sync()
    assert (round_["status"], round_["entities"]["customers"]["quarantined"]) == ("parked", 3)
    assert round_["targets"][CONTACTS]["created"] == len(by_key(world.sf, "Account")) == 497
    reasons = world.rows("SELECT key, reason FROM servicetitan.quarantine ORDER BY key")
    assert [(row["key"], row["reason"].partition(":")[0]) for row in reasons] == [
        ("5", "name"),
        ("6", "balance"),
        ("7", "modifiedOn"),
    ]
    assert all(len(row["reason"]) > len("balance: ") for row in reasons)
    again = world.sync()
    assert again["status"] == "parked", "standing ones count again in each round"
    tags = world.dagster.get_run_by_id(again["run_id"])
    assert tags is not None
    assert tags.tags.get("st/outcome") == "parked"


def test_a_later_good_version_releases_a_record(world: World) -> None:
    st_id = new_customer(world, "Ann Lee")
    world.sync()
    world.st.put("customers", [customer(st_id, name=None, modifiedOn="2026-12-01T00:00:00Z")], raw=True)
    assert world.sync()["status"] == "parked"
    assert one(world, "Contact")["LastName"] == "Lee", "its last good version stays in force"
    good = customer(st_id, name="Ann Lee-Jones", modifiedOn="2026-12-01T00:00:01Z")
    world.st.put("customers", [good], raw=True)
    released = world.sync()
    assert (released["status"], released["entities"]["customers"]["quarantined"]) == ("success", 0)
    assert one(world, "Contact")["LastName"] == "Lee-Jones"


def test_the_last_good_version_coming_again_releases_a_record(world: World) -> None:
    """An API that answered nonsense for a while did not change the record: it comes again to the letter."""
    good = customer(9, name="Ann Lee")
    world.st.put("customers", [good], raw=True)
    world.sync()
    world.st.put("customers", [{**good, "balance": "a lot"}], raw=True)
    assert world.sync()["status"] == "parked"
    world.st.put("customers", [good], raw=True)
    assert world.sync()["status"] == "success"


UNUSABLE: dict[str, tuple[str, dict[str, Any]]] = {
    "no id": ("customers", {**customer(0), "id": None}),
    "an id of text": ("customers", customer("12")),
    "a negative id": ("customers", customer(-4)),
    "an id that is true": ("customers", customer(True)),  # noqa: FBT003 - a wrong value on purpose
    "an id beyond eight bytes": ("customers", customer(2**63)),
    "no stamp": ("customers", {k: v for k, v in customer(12).items() if k != "modifiedOn"}),
    "a stamp that is a number": ("customers", customer(12, modifiedOn=5)),
    "a stamp of no day": ("customers", customer(12, modifiedOn="2026-02-30T00:00:00Z")),
    "a stamp before time": ("customers", customer(12, modifiedOn="0001-01-01T00:00:00+05:00")),
    "a name that is a number": ("customers", customer(12, name=4)),
    "an address that is text": ("customers", customer(12, address="12 Oak St")),
    "a street that is a number": ("customers", customer(12, address={"street": 12})),
    "a balance that is true": ("customers", customer(12, balance=True)),
    "a balance that is no number": ("customers", customer(12, balance="NaN")),
    "a flag that is text": ("customers", customer(12, doNotMail="yes")),
    "a merge into an id beyond eight bytes": ("customers", customer(12, mergedToId=2**63)),
    "a contact of nobody": ("customer_contacts", {**GOOD, "id": 12, "type": "Email", "value": "a@example.com"}),
    "a contact without type": ("customer_contacts", {**GOOD, "id": 12, "customerId": 12, "value": "a@example.com"}),
    "a job of a customer beyond eight bytes": (
        "jobs",
        {**GOOD, "id": 12, "customerId": 2**63, "jobStatus": "Completed"},
    ),
    "a job without status": ("jobs", {**GOOD, "id": 12, "customerId": 12}),
    "a job whose end is text": (
        "jobs",
        {**GOOD, "id": 12, "customerId": 12, "jobStatus": "Completed", "completedOn": "soon"},
    ),
    "an invoice without end": ("invoices", {**GOOD, "id": 12, "customer": {"id": 12}, "total": "Infinity"}),
    "an invoice of a customer without id": ("invoices", {**GOOD, "id": 12, "customer": {"name": "x"}, "total": "1"}),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_one_unusable_record_is_set_aside_and_the_rest_of_its_page_loads(world: World, what: str) -> None:
    entity, record = UNUSABLE[what]
    st_id = new_customer(world, "Ann Lee", email="ann@example.com")
    world.st.put(entity, [record], raw=True)
    round_ = world.sync()
    assert (round_["status"], round_["error"]) == ("parked", None)
    assert round_["entities"][entity]["quarantined"] == 1
    assert list(by_key(world.sf, "Contact")) == [f"st_{st_id}"]
    assert one(world, "Contact")["Email"] == "ann@example.com"


ODD: dict[str, tuple[str, dict[str, Any]]] = {
    "fields that nobody knows": ("customers", customer(12, name="Odd One", hello={"a": [1]})),
    "a name with the character NUL": ("customers", customer(12, name="Odd\x00 One")),
    "a name of 300 signs": ("customers", customer(12, name="Odd " + "x" * 250)),
    "a job done in the year one": (
        "jobs",
        {**GOOD, "id": 12, "customerId": 9, "jobStatus": "Completed", "completedOn": "0001-01-01T00:00:00Z"},
    ),
    "a job done in the year 9999": (
        "jobs",
        {**GOOD, "id": 12, "customerId": 9, "jobStatus": "Completed", "completedOn": "9999-12-31T23:59:59.9999999Z"},
    ),
    "an invoice of a customer that is not there": ("invoices", {**GOOD, "id": 12, "customer": {"id": 5}, "total": "1"}),
    "an invoice of nobody": ("invoices", {**GOOD, "id": 12, "customer": None, "total": "1"}),
    "a balance with many digits": ("customers", customer(12, name="Odd One", balance=0.1 + 0.2)),
}


@pytest.mark.parametrize("what", ODD)
def test_one_odd_record_never_stops_the_others(world: World, what: str) -> None:
    entity, record = ODD[what]
    world.st.put("customers", [customer(9, name="Ann Lee")], raw=True)
    world.st.put(entity, [record], raw=True)
    round_ = world.sync()
    assert (round_["status"] in ("success", "parked"), round_["error"]) == (True, None)
    assert "st_9" in by_key(world.sf, "Contact")
