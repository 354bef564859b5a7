"""A change travels alone: only what differs is sent, what is cleared is cleared, time moves a segment on its day."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from st_sf_pipelines.operate.sweep import run_sweeps
from st_sf_pipelines.store import audit
from st_sf_pipelines_tests.acceptance.desk import (
    ACCOUNTS,
    CONTACTS,
    completed_job,
    contact_of,
    fields_sent,
    new_customer,
    one,
    written,
)
from st_sf_pipelines_tests.world import TENANT

if TYPE_CHECKING:
    from st_sf_pipelines_tests.world import World

SYNCED = "Last_Sync_DateTime__c"


def test_a_changed_phone_sends_that_field_of_that_customer_and_no_other(world: World) -> None:
    changing = new_customer(world, "Ann Lee", phone="480-555-0101", email="ann@example.com")
    new_customer(world, "Bob Lee", phone="480-555-0102")
    world.sync(as_of="2026-01-01T00:00:00Z")

    def change() -> None:
        mobile = contact_of(world, changing, "MobilePhone")
        world.st.put("customer_contacts", [{"id": mobile, "value": "480-555-0199"}])
        world.sync(as_of="2026-01-02T00:00:00Z")

    key = f"st_{changing}"
    assert fields_sent(world, change) == {("Account", key): {"Phone"}, ("Contact", key): {"Phone", SYNCED}}


def test_a_changed_balance_is_the_accounts_alone(world: World) -> None:
    st_id = new_customer(world, "Ann Lee", balance=10.0)
    world.sync()
    world.sf.count_anew()
    world.st.put("customers", [{"id": st_id, "balance": 25.5}], accounting=True)
    round_ = world.sync()
    assert (round_["targets"][ACCOUNTS]["updated"], round_["targets"][CONTACTS]["updated"]) == (1, 0)
    assert one(world, "Account")["Account_Balance__c"] == 25.5
    assert (written(world.sf, "Account"), written(world.sf, "Contact")) == (1, 0)


def test_a_change_of_what_is_not_mapped_sends_nothing_but_its_stamp(world: World) -> None:
    st_id = new_customer(world, "Ann Lee")
    world.sync()
    world.sf.count_anew()
    world.st.put("customers", [{"id": st_id, "tagTypeIds": [5]}], accounting=True)
    assert world.sync()["entities"]["customers"]["changed"] == 1
    assert world.sf.counters["requests"] == 0


def test_what_is_cleared_in_servicetitan_is_cleared_in_salesforce(world: World) -> None:
    st_id = new_customer(world, "Ann Lee", email="ann@example.com", phone="480-555-0101")
    world.sync()
    world.st.put("customers", [{"id": st_id, "address": {**dict.fromkeys(("street", "city", "zip"))}}])
    for kind in ("Email", "MobilePhone"):
        world.st.put("customer_contacts", [{"id": contact_of(world, st_id, kind), "active": False}])
    world.sync()
    contact, account = one(world, "Contact"), one(world, "Account")
    assert {contact[name] for name in ("Email", "Phone", "MailingStreet", "MailingCity", "MailingPostalCode")} == {None}
    assert {account[name] for name in ("Phone", "BillingStreet", "BillingCity", "BillingPostalCode")} == {None}
    assert contact["LastName"] == "Lee"


def test_an_opt_out_is_set_and_never_taken_back(world: World) -> None:
    opted_out, untouched = new_customer(world, "Ann Lee", doNotMail=True), new_customer(world, "Bob Lee")
    world.sync()
    shown = {row["LastName"] + row["FirstName"]: row["HasOptedOutOfEmail"] for row in world.sf.records("Contact")}
    assert shown == {"LeeAnn": True, "LeeBob": False}
    by_hand = next(row["Id"] for row in world.sf.records("Contact") if row["FirstName"] == "Bob")
    world.sf.put_records("Contact", {"Id": by_hand, "HasOptedOutOfEmail": True})
    world.st.put("customers", [{"id": opted_out, "doNotMail": False}, {"id": untouched, "name": "Rob Lee"}])
    world.sync()
    assert {row["FirstName"]: row["HasOptedOutOfEmail"] for row in world.sf.records("Contact")} == {
        "Ann": True,
        "Rob": True,
    }


def test_a_customer_that_turns_inactive_or_is_merged_away_is_marked_not_removed(world: World) -> None:
    gone, merged, stays = (new_customer(world, name) for name in ("Ann Lee", "Bob Lee", "Cal Lee"))
    world.sync()
    world.st.put("customers", [{"id": gone, "active": False}, {"id": merged, "active": False, "mergedToId": stays}])
    assert world.sync()["targets"][CONTACTS]["updated"] == 2
    assert {row["FirstName"]: row["Active__c"] for row in world.sf.records("Contact")} == {
        "Ann": False,
        "Bob": False,
        "Cal": True,
    }


BOUNDS = [  # lifetime value, days since the last job, segment
    ("10000.00", 179, "VIP"),
    ("10000.00", 180, "High Value"),
    ("9999.99", 179, "High Value"),
    ("5000.00", 400, "High Value"),
    ("4999.99", 180, "Standard"),
    ("4999.99", 181, "At Risk"),
    ("4999.99", 365, "At Risk"),
    ("4999.99", 366, "Churning"),
    ("0.00", 0, "Standard"),
]


@pytest.mark.parametrize(("value", "days", "segment"), BOUNDS)
def test_the_bounds_of_the_segments_are_exact(world: World, value: str, days: int, segment: str) -> None:
    st_id = new_customer(world)
    done = datetime.fromordinal(datetime(2026, 6, 1, tzinfo=UTC).toordinal() - days)
    completed_job(world, st_id, f"{done:%Y-%m-%d}T20:00:00Z", value)  # early afternoon in Los Angeles
    world.sync(as_of="2026-06-01T20:00:00Z")
    assert one(world, "Account")["Customer_Segment__c"] == segment


def test_time_alone_moves_a_segment_on_its_day_in_the_tenants_zone(world: World) -> None:
    st_id = new_customer(world, "Ann Lee")
    others = [new_customer(world, f"Ann Other{n}") for n in range(3)]
    completed_job(world, st_id, "2026-01-02T05:00:00Z")  # the evening of January 1 in Los Angeles
    world.sync(as_of="2026-02-01T12:00:00Z")

    def segment() -> str:
        return str(next(r for r in world.sf.records("Account") if r["Name"] == "Ann Lee")["Customer_Segment__c"])

    assert len(others) == 3
    steps = [  # July 1 is day 181, January 2 of 2027 day 366; midnight there is seven hours later, eight in winter
        ("2026-06-30T20:00:00Z", "Standard", 0),
        ("2026-07-01T06:59:00Z", "Standard", 0),
        ("2026-07-01T07:01:00Z", "At Risk", 1),
        ("2026-07-03T07:01:00Z", "At Risk", 0),
        ("2027-01-02T07:59:00Z", "At Risk", 0),
        ("2027-01-02T08:01:00Z", "Churning", 1),
        ("2028-01-01T00:00:00Z", "Churning", 0),
    ]
    for as_of, wanted, writes in steps:
        world.sf.count_anew()
        round_ = world.sync(as_of=as_of)
        assert (segment(), written(world.sf, "Account"), written(world.sf, "Contact")) == (wanted, writes, 0), as_of
        assert round_["entities"]["customers"]["changed"] == 0
        assert world.sf.counters["requests"] == writes, as_of


def test_a_sweep_is_no_round_that_a_later_one_could_lie_before(world: World) -> None:
    new_customer(world, "Ann Lee")
    world.sync(as_of="2026-06-01T12:00:00Z")
    assert run_sweeps(world.dagster, world.settings, None, None)["ok"]
    new_customer(world, "Bob Lee")
    assert world.sync(as_of="2026-06-02T12:00:00Z")["targets"][CONTACTS]["created"] == 1


def test_a_part_of_a_round_is_none_to_reach_back_to(world: World) -> None:
    world.sync(as_of="2026-06-01T12:00:00Z")
    world.sync(as_of="2026-06-02T12:00:00Z", entities=["tag_types"])
    with world.db.connect() as connection:
        good = audit.rounds_before(connection, TENANT).good
    assert good == datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_an_as_of_before_the_last_round_pushes_nothing(world: World) -> None:
    st_id = new_customer(world, "Ann Lee")
    completed_job(world, st_id, "2026-01-02T20:00:00Z")
    world.sync(as_of="2026-12-01T00:00:00Z")
    assert one(world, "Account")["Customer_Segment__c"] == "At Risk"
    world.sf.count_anew()
    world.st.put("customers", [{"id": st_id, "name": "Ann Lee-Jones"}])
    back = world.sync(as_of="2026-03-01T00:00:00Z")
    assert (back["status"], back["error"]) == ("success", None)
    says = "socal: this round is as of 2026-03-01T00:00:00+00:00, a moment before the last one's"
    assert back["note"].startswith(says)
    assert any(says in each.user_message for each in world.dagster.all_logs(back["run_id"]))
    assert world.rows("SELECT segment FROM customers.segment") == [{"segment": "Standard"}]
    assert world.sf.counters["requests"] == 0
    assert world.sync(as_of="2026-12-02T00:00:00Z")["note"] is None
    assert (one(world, "Account")["Name"], one(world, "Account")["Customer_Segment__c"]) == ("Ann Lee-Jones", "At Risk")


def test_a_dry_round_for_a_later_day_leaves_nothing_behind_that_a_round_of_today_sends(world: World) -> None:
    st_id = new_customer(world, "Ann Lee")
    completed_job(world, st_id, "2026-01-02T20:00:00Z")
    world.sync(as_of="2026-02-01T00:00:00Z")
    planned = world.sync(as_of="2027-06-01T00:00:00Z", dry_run=True)
    assert planned["targets"][ACCOUNTS]["would"]["update"] == 1
    world.sync(as_of="2026-02-02T00:00:00Z")
    assert one(world, "Account")["Customer_Segment__c"] == "Standard"


def test_a_dry_round_sends_nothing_and_the_next_one_sends_all(world: World) -> None:
    new_customer(world, "Ann Lee")
    dry = world.sync(dry_run=True)
    assert (dry["targets"][ACCOUNTS]["would"]["create"], world.sf.counters["requests"]) == (1, 0)
    assert world.sync()["targets"][CONTACTS]["created"] == 1


def test_a_changed_key_format_writes_the_new_key_onto_the_same_records(world: World) -> None:
    st_id = new_customer(world, "Ann Lee")
    world.sync()
    world.extra = {"salesforce": {"external_id": "socal_{id}"}}
    world.write_site()
    assert world.sync()["status"] == "success"
    account, contact = one(world, "Account"), one(world, "Contact")
    assert account["ServiceTitan_Account_Id__c"] == contact["ServiceTitan_Customer_Id__c"] == f"socal_{st_id}"
    assert contact["AccountId"] == account["Id"]
