"""What Salesforce refuses is parked with its code and mend, and never called success; all others go through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines_tests.acceptance.desk import (
    ACCOUNTS,
    ADDRESS,
    CONTACTS,
    by_key,
    calls,
    many_customers,
    new_customer,
    one,
    parked,
    prove,
    retry,
    written,
)

if TYPE_CHECKING:
    from st_sf_pipelines_tests.world import World


def row_error(code: str, name: str = "Account", *, times: int | None = None, **when: Any) -> dict[str, Any]:
    refused = {"statusCode": code, "message": f"refused: {code}", "when": when, "times": times}
    return {"match": {"path": f"sobjects/{name}"}, "do": {"row_error": refused}}


def test_two_of_450_are_parked_and_448_go_through(world: World) -> None:
    ids = many_customers(world, 448)
    bad = [new_customer(world, name, address={**ADDRESS, "city": "Nowhere"}) for name in ("Ann Bad", "Bob Bad")]
    world.sf.add_rule("validation", "Account", when={"BillingCity": "Nowhere"}, message="no such city")
    first = world.sync()
    assert (first["status"], first["error"]) == ("parked", None)
    account, contact = first["targets"][ACCOUNTS], first["targets"][CONTACTS]
    assert (account["created"], account["parked"], account["calls"]) == (448, 2, 2)
    assert (contact["created"], contact["waiting"]) == (448, 2)
    assert by_key(world.sf, "Contact").keys() == {f"st_{st_id}" for st_id in ids}
    told = parked(world)
    assert [(row["object"], row["key"], row["code"]) for row in told] == [
        (ACCOUNTS, f"st_{st_id}", "FIELD_CUSTOM_VALIDATION_EXCEPTION") for st_id in bad
    ]
    assert all("validation rule" in row["mend"] for row in told)
    report = prove(world)
    objects = report["tenants"][0]["objects"]
    assert report["ok"] is False
    for asset, held in ((ACCOUNTS, "parked"), (CONTACTS, "waiting")):
        row = objects[asset]
        assert (row["source"], row["synced"], row["pending"], row[held], row["differences"]) == (450, 448, 0, 2, [])
    assert objects[ACCOUNTS]["parked_by_code"] == {"FIELD_CUSTOM_VALIDATION_EXCEPTION": 2}

    world.sf.count_anew()
    second = world.sync()
    assert (second["status"], world.sf.counters["requests"]) == ("parked", 0)
    assert (second["targets"][ACCOUNTS]["parked"], second["targets"][CONTACTS]["waiting"]) == (2, 2)
    run = world.dagster.get_run_by_id(second["run_id"])
    assert run is not None
    assert run.tags["st/outcome"] == "parked"

    world.st.put("customers", [{"id": bad[0], "address": ADDRESS}])
    third = world.sync()
    assert (third["targets"][ACCOUNTS]["created"], third["targets"][CONTACTS]["created"]) == (1, 1)
    assert third["status"] == "parked"
    assert written(world.sf, "Account") == 1

    world.sf._control("DELETE", "rules")
    assert retry(world, f"st_{bad[1]}") == 1
    last = world.sync()
    assert (last["status"], len(by_key(world.sf, "Contact"))) == ("success", 450)
    assert prove(world)["ok"]


def test_a_parked_record_waits_and_a_contact_whose_account_is_there_does_not(world: World) -> None:
    st_id = new_customer(world, "Ann Lee", phone="480-555-0101")
    world.sync()
    world.sf.add_rule("validation", "Account", when={"Name": "Ann Bad"}, message="bad name")
    world.st.put("customers", [{"id": st_id, "name": "Ann Bad"}])
    round_ = world.sync()
    assert (round_["status"], round_["targets"][ACCOUNTS]["parked"]) == ("parked", 1)
    assert (one(world, "Account")["Name"], one(world, "Contact")["LastName"]) == ("Ann Lee", "Bad")
    world.st.put("customers", [{"id": st_id, "name": "Ann Lee"}])
    assert world.sync()["status"] == "success", "what is agreed already needs no second try"


def test_an_edited_map_sends_a_parked_record_again(world: World) -> None:
    new_customer(world, "Ann Lee", type="Industrial")
    world.sf.add_rule("validation", "Account", when={"Type": "Industrial"}, message="no such type")
    assert world.sync()["status"] == "parked"
    with_field(world, to="Type", source="type", values={"Industrial": "Commercial"})
    assert world.sync()["status"] == "success"
    assert one(world, "Account")["Type"] == "Commercial"


def with_field(world: World, **field: Any) -> None:
    world.extra = {"salesforce": {"fields": {"accounts": [field]}}}
    world.write_site()


def test_a_column_that_the_org_lacks_parks_those_that_carry_it_in_few_calls(world: World) -> None:
    many_customers(world, 448)
    carriers = [new_customer(world, f"Ann Unit{n}", address={**ADDRESS, "unit": "Apt 2"}) for n in range(2)]
    with_field(world, to="Unit_Number__c", source="address_line2")
    round_ = world.sync()
    assert round_["status"] == "parked"
    account = round_["targets"][ACCOUNTS]
    assert (account["created"], account["parked"]) == (448, 2)
    assert account["calls"] <= 6
    told = parked(world)
    assert [(row["key"], row["code"], row["fields"]) for row in told] == [
        (f"st_{st_id}", "INVALID_FIELD", ["Unit_Number__c"]) for st_id in carriers
    ]
    assert round_["targets"][CONTACTS]["created"] == 448
    standing = prove(world)["tenants"][0]
    assert standing["error"] is None
    assert (standing["objects"][ACCOUNTS]["synced"], standing["objects"][ACCOUNTS]["parked"]) == (448, 2)

    world.sf.count_anew()
    assert world.sync()["status"] == "parked"
    assert world.sf.counters["requests"] == 0
    world.sf.change_field("add", "Account", "Unit_Number__c", type="string", length=20)
    assert retry(world) == 2
    assert world.sync()["status"] == "success"
    assert {row["Unit_Number__c"] for row in world.sf.records("Account")} == {None, "Apt 2"}


@pytest.mark.parametrize("action", ["remove", "hide"])
def test_a_column_that_somebody_takes_away_parks_only_what_still_needs_it(world: World, action: str) -> None:
    changing = new_customer(world, "Ann Lee", balance=1.0)
    other = new_customer(world, "Bob Lee", balance=2.0)
    world.sync()
    world.sf.change_field(action, "Account", "Account_Balance__c")
    world.st.put("customers", [{"id": changing, "balance": 9.0}, {"id": other, "name": "Rob Lee"}])
    round_ = world.sync()
    assert round_["status"] == "parked"
    assert [row["key"] for row in parked(world)] == [f"st_{changing}"]
    assert by_key(world.sf, "Account")[f"st_{other}"]["Name"] == "Rob Lee"
    assert {row["FirstName"] for row in world.sf.records("Contact")} == {"Ann", "Rob"}


def test_a_value_of_the_wrong_json_type_parks_its_row_alone_in_few_calls(world: World) -> None:
    many_customers(world, 448)
    bad = [new_customer(world, f"Ann Unit{n}", address={**ADDRESS, "unit": "Apt 2"}) for n in range(2)]
    world.sf.change_field("add", "Account", "Unit_Number__c", type="double", precision=8)
    with_field(world, to="Unit_Number__c", source="address_line2")
    round_ = world.sync()
    account = round_["targets"][ACCOUNTS]
    assert (round_["status"], account["created"], account["parked"]) == ("parked", 448, 2)
    assert account["calls"] <= 40, "halves of two hundred, not one by one"
    assert {(row["key"], row["code"]) for row in parked(world)} == {(f"st_{n}", "JSON_PARSER_ERROR") for n in bad}
    assert round_["targets"][CONTACTS]["created"] == 448
    assert len(world.sf.records("Account")) == 448


def test_a_lock_passes_within_the_round(world: World, naps: list[float]) -> None:
    many_customers(world, 5)
    world.sf.set_faults(row_error("UNABLE_TO_LOCK_ROW", times=3))
    round_ = world.sync()
    assert (round_["status"], round_["targets"][ACCOUNTS]["created"]) == ("success", 5)
    assert naps, "after a pause"
    assert len(world.sf.records("Contact")) == 5


@pytest.mark.parametrize("code", ["UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE"])
def test_a_trouble_that_outlasts_the_round_is_tried_again_later(world: World, naps: list[float], code: str) -> None:
    many_customers(world, 3)
    stuck = new_customer(world, "Ann Stuck")
    world.sf.set_faults(row_error(code, Name="Ann Stuck"))
    first = world.sync()
    assert first["status"] == "parked", "not all is done, and nothing was refused for good"
    assert (first["targets"][ACCOUNTS]["created"], first["targets"][ACCOUNTS]["pending"]) == (3, 1)
    assert len(naps) <= 3
    world.sf.set_faults()
    world.sf.count_anew()
    world.sync()
    assert world.sf.counters["requests"] == 0, "not before its pause is over"
    with world.db.connect() as connection:
        connection.execute("UPDATE sync.deliveries SET next_try_at = now() WHERE next_try_at IS NOT NULL")
    assert world.sync()["status"] == "success"
    assert f"st_{stuck}" in by_key(world.sf, "Contact")


def test_a_duplicate_that_a_rule_finds_is_linked_and_updated(world: World) -> None:
    [there] = world.sf.put_records(
        "Contact", {"LastName": "Lee", "FirstName": "A.", "Email": "ann@example.com", "Title": "Owner"}
    )
    world.sf.add_rule("duplicate", "Contact", field="Email")
    world.extra = {"salesforce": {"adopt": "skip"}}
    world.write_site()
    st_id = new_customer(world, "Ann Lee", email="ann@example.com", phone="480-555-0101")
    assert world.sync()["status"] == "success"
    contact = one(world, "Contact")
    assert (contact["Id"], contact["ServiceTitan_Customer_Id__c"]) == (there, f"st_{st_id}")
    assert (contact["FirstName"], contact["Phone"], contact["Title"]) == ("Ann", "480-555-0101", "Owner")
    world.st.put("customers", [{"id": st_id, "name": "Anna Lee"}])
    assert world.sync()["status"] == "success"
    assert one(world, "Contact")["FirstName"] == "Anna"


def test_a_duplicate_of_two_records_is_nobodys_guess(world: World) -> None:
    twin = {"LastName": "Lee", "Email": "ann@example.com"}
    world.sf.put_records("Contact", twin, twin)
    world.sf.add_rule("duplicate", "Contact", field="Email")
    world.extra = {"salesforce": {"adopt": "skip"}}
    world.write_site()
    new_customer(world, "Ann Lee", email="ann@example.com")
    assert world.sync()["status"] == "parked"
    assert parked(world)[0]["code"] == "DUPLICATES_DETECTED"
    assert by_key(world.sf, "Contact") == {}
    assert len(world.sf.records("Contact")) == 2


def test_a_record_deleted_in_salesforce_is_parked_and_made_anew_only_on_request(world: World) -> None:
    st_id = new_customer(world, "Ann Lee", phone="480-555-0101")
    world.sync()
    world.sf.put_records("Contact", {"Id": one(world, "Contact")["Id"], "IsDeleted": True})
    for name in ("Anna Lee", "Anne Lee"):
        world.st.put("customers", [{"id": st_id, "name": name}])
        assert world.sync()["status"] == "parked"
        assert [(row["object"], row["code"]) for row in parked(world)] == [(CONTACTS, "ENTITY_IS_DELETED")]
        assert world.sf.records("Contact") == []
    assert one(world, "Account")["Name"] == "Anne Lee"
    retry(world, f"st_{st_id}")
    assert world.sync()["status"] == "success"
    contact = one(world, "Contact")
    assert (contact["FirstName"], contact["Phone"]) == ("Anne", "480-555-0101")
    assert contact["AccountId"] == one(world, "Account")["Id"]


def test_a_deleted_record_stays_listed_when_its_value_goes_back(world: World) -> None:
    st_id = new_customer(world, "Ann Lee", modifiedOn="2026-01-01T00:00:00Z")
    world.sync()
    world.sf.put_records("Account", {"Id": one(world, "Account")["Id"], "IsDeleted": True})
    world.st.put("customers", [{"id": st_id, "balance": 5.0}], accounting=True)
    assert world.sync()["status"] == "parked"
    world.st.put("customers", [{"id": st_id, "balance": 0.0}], accounting=True)
    assert world.sync()["status"] == "parked"
    assert [row["key"] for row in parked(world)] == [f"st_{st_id}"]


def test_one_record_too_many_signs_is_its_own_trouble(world: World) -> None:
    long = new_customer(world, "Ann " + "x" * 90, type="Residential")
    many_customers(world, 3)
    round_ = world.sync()
    assert (round_["status"], round_["targets"][CONTACTS]["created"]) == ("parked", 3)
    assert [(row["key"], row["code"], row["fields"]) for row in parked(world)] == [
        (f"st_{long}", "STRING_TOO_LONG", ["LastName"])
    ]
    assert calls(world.sf) <= 5
