"""Up to 200 records in a call: one bad record fails alone, and what cannot be read refuses the call."""

import gzip
from typing import Any

import orjson
import pytest

from st_sf_pipelines.simulators.salesforce import SalesforceSimulator
from st_sf_pipelines_tests.simulators.salesforce.client import ACCOUNTS, CONTACTS, ROOT, Api, account, code, row_code


def test_two_hundred_records_are_one_call_with_results_in_order(sf: SalesforceSimulator, api: Api) -> None:
    first = api.upsert(ACCOUNTS, *(account(number) for number in range(200)))
    assert all(result["success"] and result["created"] and result["errors"] == [] for result in first)
    again = api.upsert(ACCOUNTS, *(account(number) for number in reversed(range(200))))
    assert [result["id"] for result in again] == [result["id"] for result in reversed(first)]
    assert not any(result["created"] for result in again)
    assert sf.counters["api_calls"] == 2
    assert sf.counters["rows"]["Account"] == {
        "written": 400,
        "created": 200,
        "updated": 200,
        "unchanged": 200,
        "deleted": 0,
        "refused": 0,
    }


def test_a_bad_record_fails_alone(sf: SalesforceSimulator, api: Api) -> None:
    good, bad, nameless, keyless = api.upsert(
        ACCOUNTS,
        account(1, Customer_Segment__c="VIP", Type="Residential"),
        account(2, Customer_Segment__c="Whale"),
        {"ServiceTitan_Account_Id__c": "st_3"},
        {"Name": "No key"},
    )
    assert good["success"]
    assert row_code(bad) == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert bad["created"] is True
    assert bad["errors"][0]["fields"] == ["Customer_Segment__c"]
    assert row_code(nameless) == "REQUIRED_FIELD_MISSING"
    assert row_code(keyless) == "MISSING_ARGUMENT"
    assert [row["ServiceTitan_Account_Id__c"] for row in sf.records("Account")] == ["st_1"]
    assert sf.counters["rows"]["Account"]["refused"] == 3


def test_all_rows_that_share_a_key_are_refused(sf: SalesforceSimulator, api: Api) -> None:
    results = api.upsert(ACCOUNTS, account(1), account(2), account(1) | {"ServiceTitan_Account_Id__c": "ST_1"})
    assert row_code(results[0]) == row_code(results[2]) == "DUPLICATE_VALUE"
    assert results[1]["success"]
    assert len(sf.records("Account")) == 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"Nothing__c": 1}, "INVALID_FIELD"),
        ({"Account_Balance__c": "12.50"}, "JSON_PARSER_ERROR"),
        ({"Phone": 5550100}, "JSON_PARSER_ERROR"),
        ({"Parent": {"Nothing__c": "x"}}, "INVALID_FIELD"),
        ({"Parent": {"Name": "x"}}, "INVALID_FIELD"),
    ],
)
def test_a_record_that_cannot_be_read_refuses_the_whole_call(
    sf: SalesforceSimulator, api: Api, values: dict[str, Any], expected: str
) -> None:
    records = [{"attributes": {"type": "Account"}, **record} for record in (account(1), account(2, **values))]
    refused = api.send("PATCH", ACCOUNTS, {"records": records})
    assert (refused.status_code, code(refused)) == (400, expected)
    assert sf.records("Account") == []


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([{"attributes": {"type": "Account"}, **account(number)} for number in range(201)], "EXCEEDED_ID_LIMIT"),
        ([account(1)], "INVALID_INPUT"),
        ([{"attributes": {"type": "Contact"}, "LastName": "L"}], "INVALID_TYPE"),
        ([], "MISSING_ARGUMENT"),
    ],
)
def test_a_call_of_the_wrong_shape_is_refused(api: Api, records: list[Any], expected: str) -> None:
    refused = api.send("PATCH", ACCOUNTS, {"records": records})
    assert (refused.status_code, code(refused)) == (400, expected)


def test_a_field_that_is_no_key_is_not_found(api: Api) -> None:
    refused = api.send("PATCH", "/composite/sobjects/Account/Name", {"records": [{"attributes": {"type": "Account"}}]})
    assert (refused.status_code, code(refused)) == (404, "NOT_FOUND")


def test_all_or_none_takes_everything_back(sf: SalesforceSimulator, api: Api) -> None:
    api.upsert(ACCOUNTS, account(1, Phone="1"))
    results = api.upsert(ACCOUNTS, account(1, Phone="2"), account(2), account(3, Type="x" * 41), all_or_none=True)
    assert [row_code(result) for result in results] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "STRING_TOO_LONG",
    ]
    assert [(row["ServiceTitan_Account_Id__c"], row["Phone"]) for row in sf.records("Account")] == [("st_1", "1")]
    assert sf.counters["rows"]["Account"]["written"] == 1
    assert api.upsert(ACCOUNTS, account(2))[0]["created"] is True


def test_contacts_find_their_accounts_by_key(api: Api) -> None:
    account_id = api.upsert(ACCOUNTS, account(1))[0]["id"]
    parent = {"Account": {"ServiceTitan_Account_Id__c": "st_1"}}
    nobody = {"Account": {"attributes": {"type": "Account"}, "ServiceTitan_Account_Id__c": "st_9"}}
    found, lost = api.upsert(
        CONTACTS,
        {"ServiceTitan_Customer_Id__c": "st_1", "LastName": "L", **parent},
        {"ServiceTitan_Customer_Id__c": "st_9", "LastName": "L", **nobody},
    )
    assert api.get(f"/sobjects/Contact/{found['id']}").json()["AccountId"] == account_id
    assert row_code(lost) == "INVALID_FIELD"
    assert lost["errors"][0]["fields"] == []


def test_a_key_that_is_not_unique_refuses_its_row(api: Api) -> None:
    for name in "AB":
        api.create("Contact", LastName=name, Email="a@b.example")
    email = "/composite/sobjects/Contact/Email"
    assert row_code(api.upsert(email, {"Email": "a@b.example", "LastName": "C"})[0]) == "DUPLICATE_EXTERNAL_ID"


def test_records_of_several_objects_are_made_changed_read_and_deleted(sf: SalesforceSimulator, api: Api) -> None:
    records = [
        {"attributes": {"type": "Account"}, **account(1)},
        {
            "attributes": {"type": "Contact"},
            "LastName": "L",
            "Account": {"ServiceTitan_Account_Id__c": "st_1"},
        },
    ]
    made = api.send("POST", "/composite/sobjects", {"records": records}).json()
    ids = [result["id"] for result in made]
    assert sf.records("Contact")[0]["AccountId"] == ids[0]
    changes = [
        {"attributes": {"type": "Account"}, "id": ids[0], "Phone": "1"},
        {"attributes": {"type": "Contact"}, "id": ids[1][:15], "Phone": "2"},
        {"attributes": {"type": "Contact"}, "id": "nonsense", "Phone": "3"},
        {"attributes": {"type": "Contact"}, "id": "003000000000000AAA", "Phone": "3"},
        {"attributes": {"type": "Contact"}, "Phone": "3"},
    ]
    changed = api.send("PATCH", "/composite/sobjects", {"records": changes}).json()
    assert [result["success"] for result in changed] == [True, True, False, False, False]
    assert [row_code(result) for result in changed[2:]] == ["MALFORMED_ID", "NOT_FOUND", "MISSING_ARGUMENT"]
    missing = "001000000000000AAA"
    read = api.get("/composite/sobjects/Account", ids=f"{ids[0]},{missing}", fields="Id,Phone").json()
    assert (read[0]["Phone"], read[1]) == ("1", None)
    posted = api.send("POST", "/composite/sobjects/Account", {"ids": [ids[0]], "fields": ["Name"]}).json()
    assert posted[0]["Name"] == "Customer 1"
    deleted = api.send("DELETE", f"/composite/sobjects?ids={ids[0]},{missing}&allOrNone=false").json()
    assert [result["success"] for result in deleted] == [True, False]
    assert sf.records("Account") == []


def test_more_than_ten_changes_of_type_are_refused(api: Api) -> None:
    records = [
        {"attributes": {"type": kind}, "LastName": "L", "Name": "N"} for _ in range(6) for kind in ("Account", "Lead")
    ]
    for record in records:
        record.pop("LastName" if record["attributes"] == {"type": "Account"} else "Name")
    refused = api.send("POST", "/composite/sobjects", {"records": records})
    assert (refused.status_code, code(refused)) == (400, "INVALID_INPUT")


def test_an_upsert_by_id_makes_what_has_none(api: Api) -> None:
    by_id = "/composite/sobjects/Account/Id"
    made = api.upsert(by_id, {"Id": None, "Name": "A"})[0]
    assert made["created"] is True
    assert api.upsert(by_id, {"Id": made["id"], "Name": "B"})[0] == made | {"created": False}


def test_a_body_may_be_compressed(sf: SalesforceSimulator, api: Api) -> None:
    body = {"records": [{"attributes": {"type": "Account"}, **account(1)}]}
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = api.client.patch(ROOT + ACCOUNTS, content=gzip.compress(orjson.dumps(body)), headers=headers)
    assert answer.status_code == 200
    assert len(sf.records("Account")) == 1


def test_calls_that_keep_assignment_rules_still_are_told_from_those_that_do_not(
    sf: SalesforceSimulator, api: Api
) -> None:
    api.upsert(ACCOUNTS, account(1))
    body = {"records": [{"attributes": {"type": "Account"}, **account(1)}]}
    api.send("PATCH", ACCOUNTS, body, **{"Sforce-Auto-Assign": "FALSE"})
    assert sf.counters["auto_assign"] == {"ABSENT": 1, "FALSE": 1}
