"""Reconciling reads the org back: what is whole is told so, and whatever differs is named by record and field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines_tests.acceptance.desk import (
    ACCOUNTS,
    CONTACT_KEY,
    CONTACTS,
    by_key,
    many_customers,
    new_customer,
    one,
    parked,
    prove,
    retry,
)
from st_sf_pipelines_tests.world import small_shop

if TYPE_CHECKING:
    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World


def objects(report: dict[str, Any]) -> dict[str, Any]:
    [tenant] = report["tenants"]
    assert tenant["error"] is None
    found: dict[str, Any] = tenant["objects"]
    return found


def named(report: dict[str, Any]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(asset, d["key"], d["fields"]) for asset, row in objects(report).items() for d in row["differences"]]


def test_a_whole_shop_is_proved_whole_and_counted(open_world: OpenWorld) -> None:
    world = open_world(small_shop(120))
    world.sync()
    report = prove(world)
    assert (report["ok"], named(report)) == (True, [])
    assert {objects(report)[asset]["source"] for asset in (ACCOUNTS, CONTACTS)} == {120}
    for row in objects(report).values():
        assert row["source"] == row["synced"] == row["compared"]
        assert (row["pending"], row["waiting"], row["parked"]) == (0, 0, 0)


def test_a_value_that_somebody_changed_there_is_named_and_repaired_alone(world: World) -> None:
    st_id, other = new_customer(world, "Ann Lee", email="ann@example.com"), new_customer(world, "Bob Lee")
    world.sync()
    key = f"st_{st_id}"
    contact = by_key(world.sf, "Contact")[key]
    by_hand = {"Email": "else@example.com", "MailingCity": None, "Total_Jobs__c": 9, "Title": "Owner"}
    world.sf.put_records("Contact", {"Id": contact["Id"], **by_hand})
    report = prove(world)
    assert report["ok"] is False
    assert [(asset, k, set(fields)) for asset, k, fields in named(report)] == [
        (CONTACTS, key, {"Email", "MailingCity", "Total_Jobs__c"})
    ]
    world.sf.count_anew()
    world.sync()
    assert world.sf.counters["requests"] == 0, "a look alone repairs nothing"
    prove(world, repair=True)
    world.sf.count_anew()
    assert world.sync()["status"] == "success"
    assert world.sf.counters["rows"]["Contact"]["written"] == 1
    mended = by_key(world.sf, "Contact")[key]
    assert {name: mended[name] for name in by_hand} == {
        "Email": "ann@example.com",
        "MailingCity": "Irvine",
        "Total_Jobs__c": 0,
        "Title": "Owner",
    }
    assert prove(world)["ok"]
    assert f"st_{other}" in by_key(world.sf, "Contact")


def test_an_opt_out_there_is_no_difference(world: World) -> None:
    new_customer(world, "Ann Lee")
    world.sync()
    world.sf.put_records("Contact", {"Id": one(world, "Contact")["Id"], "HasOptedOutOfEmail": True})
    assert prove(world, repair=True)["ok"]
    world.sync()
    assert one(world, "Contact")["HasOptedOutOfEmail"] is True


def test_a_deleted_record_is_named_then_parked_and_made_anew_on_request(world: World) -> None:
    st_id = new_customer(world, "Ann Lee")
    many_customers(world, 3)
    world.sync()
    gone = by_key(world.sf, "Contact")[f"st_{st_id}"]["Id"]
    world.sf.put_records("Contact", {"Id": gone, "IsDeleted": True})
    for repair in (False, True):
        report = prove(world, repair=repair)
        assert (report["ok"], named(report)) == (False, [(CONTACTS, f"st_{st_id}", ())])
    assert [row["key"] for row in parked(world)] == [f"st_{st_id}"]
    assert world.sync()["status"] == "parked"
    assert len(world.sf.records("Contact")) == 3
    retry(world, f"st_{st_id}")
    assert world.sync()["status"] == "success"
    assert prove(world)["ok"]
    assert len(world.sf.records("Contact")) == 4


def test_a_record_with_a_key_of_ours_that_we_do_not_know_is_named(world: World) -> None:
    new_customer(world, "Ann Lee")
    world.sync()
    world.sf.put_records("Contact", {"LastName": "Forged", CONTACT_KEY: "st_99"})
    world.sf.put_records("Contact", {"LastName": "Other", CONTACT_KEY: "dal_99"}, {"LastName": "Stranger"})
    assert named(prove(world)) == [(CONTACTS, "st_99", ())]


def test_a_sample_compares_so_many_and_the_counts_are_of_all(world: World) -> None:
    many_customers(world, 30)
    world.sync()
    rows = objects(prove(world, sample=7))
    assert {rows[asset]["compared"] for asset in (ACCOUNTS, CONTACTS)} == {7}
    assert {rows[asset]["source"] for asset in (ACCOUNTS, CONTACTS)} == {30}
    for row in world.sf.records("Account"):
        world.sf.put_records("Account", {"Id": row["Id"], "Name": "Somebody Else"})
    assert len(objects(prove(world, sample=7))[ACCOUNTS]["differences"]) == 7


def test_the_counts_add_up_and_parked_waiting_and_pending_make_it_not_whole(world: World) -> None:
    many_customers(world, 5)
    new_customer(world, "Ann Bad")
    world.sf.add_rule("validation", "Account", when={"Name": "Ann Bad"}, message="bad name")
    world.sync()
    new_customer(world, "Ann Late")
    world.sync(dry_run=True)
    report = prove(world)
    assert report["ok"] is False
    rows = objects(report)
    assert rows[ACCOUNTS]["source"] == rows[CONTACTS]["source"] == 7
    for row in rows.values():
        assert row["source"] == row["synced"] + row["pending"] + row["waiting"] + row["parked"]
    assert (rows[ACCOUNTS]["parked"], rows[ACCOUNTS]["pending"]) == (1, 1)
    assert (rows[CONTACTS]["waiting"], rows[CONTACTS]["pending"]) == (1, 1)


@pytest.mark.parametrize("text", ["two\nlines", "  blanks  ", 'O\'Brien \\ & "Sons" <x>', "Zoë 水", "x" * 255])
def test_what_salesforce_stores_otherwise_is_no_difference(world: World, text: str) -> None:
    new_customer(world, text, type="Commercial", address={"street": text, "unit": text[:5], "city": text[:40]})
    world.sync()
    assert named(prove(world)) == []


def test_an_org_that_does_not_answer_is_told(world: World) -> None:
    new_customer(world, "Ann Lee")
    world.sync()
    world.sf.expire_session()
    report = prove(world)
    assert report["ok"] is False
    assert "the access token has expired" in report["tenants"][0]["error"]
