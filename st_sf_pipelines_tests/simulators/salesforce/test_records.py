"""One record at a time: what is kept, what is worked out, and what is refused, with its code."""

from typing import Any

import pytest

from st_sf_pipelines.simulators.salesforce import SalesforceSimulator
from st_sf_pipelines_tests.simulators.salesforce.client import Api, code


def test_a_record_is_made_read_changed_and_deleted(api: Api) -> None:
    made = api.send("POST", "/sobjects/Account", {"Name": " Ann ", "Phone": "", "BillingStreet": "1 Main St\nUnit 2"})
    assert made.status_code == 201
    assert made.json() == {"id": made.json()["id"], "success": True, "errors": []}
    path = f"/sobjects/Account/{made.json()['id']}"
    assert made.headers["location"].endswith(path)
    record = api.get(path).json()
    assert next(iter(record)) == "attributes"
    assert record["attributes"] == {"type": "Account", "url": f"/services/data/v62.0{path}"}
    assert (record["Name"], record["Phone"], record["IsDeleted"]) == ("Ann", None, False)
    assert record["BillingAddress"]["street"] == "1 Main St\nUnit 2"
    assert api.send("PATCH", path, {"Phone": "555-0100"}).status_code == 204
    assert api.get(path, fields="Name,Phone").json() == {
        "attributes": record["attributes"],
        "Name": "Ann",
        "Phone": "555-0100",
    }
    assert api.send("DELETE", path).status_code == 204
    for gone in (api.get(path), api.send("PATCH", path, {}), api.send("DELETE", path)):
        assert (gone.status_code, code(gone)) == (404, "ENTITY_IS_DELETED")


def test_an_id_has_eighteen_characters_and_is_known_by_fifteen(api: Api) -> None:
    record_id = api.create("Account", Name="A")
    assert len(record_id) == 18
    assert api.get(f"/sobjects/Account/{record_id[:15]}").json()["Id"] == record_id


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        ("/sobjects/Account/001000000000000AAA", 404, "NOT_FOUND"),
        ("/sobjects/Account/001Hu0000000001IAZ", 400, "MALFORMED_ID"),
        ("/sobjects/Account/st_1", 404, "NOT_FOUND"),
        ("/sobjects/Nothing__c/001000000000000AAA", 404, "NOT_FOUND"),
        ("/sobjects/Account/Name/Ann", 404, "NOT_FOUND"),
        ("/sobjects/Account/ServiceTitan_Account_Id__c/st_404", 404, "NOT_FOUND"),
        ("/nowhere", 404, "NOT_FOUND"),
    ],
)
def test_what_is_not_there_is_told_so(api: Api, path: str, status: int, expected: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, code(answer)) == (status, expected)


def test_a_method_that_a_resource_does_not_have_is_405(api: Api) -> None:
    answer = api.send("PUT", "/sobjects/Account", {})
    assert (answer.status_code, code(answer)) == (405, "METHOD_NOT_ALLOWED")


def test_an_upsert_by_key_tells_whether_it_made_the_record(api: Api) -> None:
    path = "/sobjects/Account/ServiceTitan_Account_Id__c/st_1"
    made = api.send("PATCH", path, {"Name": "A", "Phone": "1"})
    assert (made.status_code, made.json()["created"]) == (201, True)
    again = api.send("PATCH", path, {"Name": "B"})
    assert (again.status_code, again.json()["created"]) == (200, False)
    assert again.json()["id"] == made.json()["id"]
    assert api.get(path).json()["Phone"] == "1"
    other_case = api.send("PATCH", path.replace("st_1", "ST_1"), {"Name": "C"})
    assert other_case.json()["id"] == made.json()["id"]
    assert api.send("DELETE", path.replace("st_1", "ST_1")).status_code == 204
    assert api.get(path).status_code == 404


def test_a_key_is_decoded_as_one_segment(api: Api) -> None:
    path = "/sobjects/Account/ServiceTitan_Account_Id__c/a%2Fb%20c"
    assert api.send("PATCH", path, {"Name": "A"}).status_code == 201
    assert api.get(path).json()["ServiceTitan_Account_Id__c"] == "a/b c"


@pytest.mark.parametrize("key", [{"ServiceTitan_Account_Id__c": "st_1"}, {"Id": "001Hu0000000001IAA"}])
def test_the_body_of_an_upsert_must_not_name_the_key_again(api: Api, key: dict[str, str]) -> None:
    refused = api.send("PATCH", "/sobjects/Account/ServiceTitan_Account_Id__c/st_1", {"Name": "A", **key})
    assert (refused.status_code, code(refused)) == (400, "INVALID_FIELD")


def test_update_only_never_makes_a_record(sf: SalesforceSimulator, api: Api) -> None:
    path = "/sobjects/Account/ServiceTitan_Account_Id__c/st_1?updateOnly=true"
    assert api.send("PATCH", path, {"Name": "A"}).status_code == 404
    assert sf.records("Account") == []


def test_a_key_that_several_records_share_is_answered_by_their_addresses(api: Api) -> None:
    ids = [api.create("Contact", LastName=name, Email="a@b.example") for name in "AB"]
    for answer in (
        api.get("/sobjects/Contact/Email/A@b.example"),
        api.send("PATCH", "/sobjects/Contact/Email/a@b.example", {"LastName": "C"}),
    ):
        assert answer.status_code == 300
        assert answer.json() == [f"/services/data/v62.0/sobjects/Contact/{record_id}" for record_id in ids]


@pytest.mark.parametrize(
    ("kind", "values", "expected", "fields"),
    [
        ("Account", {}, "REQUIRED_FIELD_MISSING", ["Name"]),
        ("Lead", {"LastName": "L"}, "REQUIRED_FIELD_MISSING", ["Company"]),
        ("Opportunity", {"Name": "O"}, "REQUIRED_FIELD_MISSING", ["StageName", "CloseDate"]),
        ("Account", {"Name": "A", "BillingCity": "x" * 41}, "STRING_TOO_LONG", ["BillingCity"]),
        ("Contact", {"LastName": "L", "Email": "not an address"}, "INVALID_EMAIL_ADDRESS", ["Email"]),
        (
            "Account",
            {"Name": "A", "Customer_Segment__c": "Whale"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            ["Customer_Segment__c"],
        ),
        ("Account", {"Name": "A", "Account_Balance__c": 1e16}, "NUMBER_OUTSIDE_VALID_RANGE", ["Account_Balance__c"]),
        ("Contact", {"LastName": "L", "Total_Jobs__c": 100_000_000}, "NUMBER_OUTSIDE_VALID_RANGE", ["Total_Jobs__c"]),
        ("Contact", {"LastName": "L", "Name": "L"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["Name"]),
        (
            "Account",
            {"Name": "A", "SystemModstamp": "2026-01-01T00:00:00Z"},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            ["SystemModstamp"],
        ),
        ("Contact", {"LastName": "L", "AccountId": "nonsense"}, "MALFORMED_ID", ["AccountId"]),
        ("Contact", {"LastName": "L", "AccountId": "001000000000000AAA"}, "INVALID_CROSS_REFERENCE_KEY", ["AccountId"]),
        (
            "Contact",
            {"LastName": "L", "AccountId": "005Hu0000000001IAA"},
            "FIELD_INTEGRITY_EXCEPTION",
            ["AccountId"],
        ),
        ("Contact", {"LastName": "L", "Active__c": None}, "INVALID_TYPE_ON_FIELD_IN_RECORD", ["Active__c"]),
        ("Contact", {"LastName": "L", "Nothing__c": 1}, "INVALID_FIELD", None),
        ("Contact", {"LastName": 7}, "JSON_PARSER_ERROR", None),
        ("Contact", {"LastName": "L", "Active__c": "true"}, "JSON_PARSER_ERROR", None),
        ("Contact", {"LastName": "L", "Total_Jobs__c": "7"}, "JSON_PARSER_ERROR", None),
        ("Contact", {"LastName": "L", "Last_Service_Date__c": "2026-02-30"}, "JSON_PARSER_ERROR", None),
        ("Contact", {"LastName": "L", "Last_Sync_DateTime__c": "2026-01-01 00:00:00"}, "JSON_PARSER_ERROR", None),
        ("Event", {"Subject": "Call"}, "REQUIRED_FIELD_MISSING", ["ActivityDateTime", "DurationInMinutes"]),
    ],
)
def test_what_a_field_does_not_take_is_refused_by_its_code(
    sf: SalesforceSimulator, api: Api, kind: str, values: dict[str, Any], expected: str, fields: list[str] | None
) -> None:
    refused = api.send("POST", f"/sobjects/{kind}", values)
    assert (refused.status_code, code(refused)) == (400, expected)
    assert refused.json()[0].get("fields") == fields
    assert sf.records(kind) == []
    assert sf.counters["rows"][kind]["refused"] == 1


def test_null_clears_what_may_be_empty_and_what_is_left_out_stays(api: Api) -> None:
    record_id = api.create("Contact", FirstName="Ann", LastName="Lee", Phone="1", Email="ann@lee.example")
    path = f"/sobjects/Contact/{record_id}"
    assert api.send("PATCH", path, {"FirstName": None, "Phone": None}).status_code == 204
    record = api.get(path).json()
    assert (record["Name"], record["Phone"], record["Email"]) == ("Lee", None, "ann@lee.example")
    assert code(api.send("PATCH", path, {"LastName": None})) == "REQUIRED_FIELD_MISSING"


def test_values_are_kept_as_salesforce_keeps_them(api: Api) -> None:
    record_id = api.create(
        "Contact",
        LastName="L",
        ServiceTitan_Tenant_Id__c=410387862,
        ServiceTitan_Last_Modified__c="2026-01-31T08:30:15.987654-08:00",
        Total_Jobs__c=2.5,
    )
    record = api.get(f"/sobjects/Contact/{record_id}").json()
    assert record["ServiceTitan_Last_Modified__c"] == "2026-01-31T16:30:15.000+0000"
    assert (record["ServiceTitan_Tenant_Id__c"], record["Total_Jobs__c"]) == (410387862, 3)
    assert (record["Active__c"], record["Do_Not_Service__c"], record["HasOptedOutOfEmail"]) == (True, False, False)
    account_id = api.create("Account", Name="A", Account_Balance__c=12.345)
    assert api.get(f"/sobjects/Account/{account_id}").json()["Account_Balance__c"] == 12.35


def test_a_unique_key_is_unique_whatever_its_case(api: Api) -> None:
    first = api.create("Account", Name="A", ServiceTitan_Account_Id__c="st_1a")
    refused = api.send("POST", "/sobjects/Account", {"Name": "B", "ServiceTitan_Account_Id__c": "ST_1A"})
    assert code(refused) == "DUPLICATE_VALUE"
    assert refused.json()[0]["message"].endswith(f"on record with id: {first[:15]}")
    api.send("DELETE", f"/sobjects/Account/{first}")
    api.create("Account", Name="B", ServiceTitan_Account_Id__c="ST_1A")


def test_a_parent_is_found_by_its_key(api: Api) -> None:
    account_id = api.create("Account", Name="A", ServiceTitan_Account_Id__c="st_1")
    contact_id = api.create("Contact", LastName="L", Account={"ServiceTitan_Account_Id__c": "st_1"})
    assert api.get(f"/sobjects/Contact/{contact_id}").json()["AccountId"] == account_id
    orphan = {"LastName": "L", "Account": {"ServiceTitan_Account_Id__c": "st_2"}}
    refused = api.send("POST", "/sobjects/Contact", orphan)
    assert refused.json() == [
        {
            "message": "Foreign key external ID: st_2 not found for field ServiceTitan_Account_Id__c in entity Account",
            "errorCode": "INVALID_FIELD",
        }
    ]
    api.send("PATCH", f"/sobjects/Contact/{contact_id}", {"AccountId": None})
    assert api.get(f"/sobjects/Contact/{contact_id}").json()["AccountId"] is None


def test_what_hangs_on_a_deleted_account_goes_with_it(sf: SalesforceSimulator, api: Api) -> None:
    account_id = api.create("Account", Name="A")
    contact_id = api.create("Contact", LastName="L", AccountId=account_id)
    api.send("DELETE", f"/sobjects/Account/{account_id}")
    assert [row["Id"] for row in sf.records("Contact", deleted=True)] == [contact_id]
    assert sf.records("Contact") == []
    refused = api.send("POST", "/sobjects/Contact", {"LastName": "M", "AccountId": account_id})
    assert code(refused) == "ENTITY_IS_DELETED"


def test_a_deal_follows_its_stage(api: Api) -> None:
    deal = api.create("Opportunity", Name="Roof", StageName="Prospecting", CloseDate="2026-08-15", Amount=1000)
    path = f"/sobjects/Opportunity/{deal}"
    first = api.get(path).json()
    assert (first["Probability"], first["ExpectedRevenue"], first["ForecastCategory"]) == (10, 100, "Pipeline")
    assert (first["IsClosed"], first["FiscalYear"], first["FiscalQuarter"]) == (False, 2026, 3)
    api.send("PATCH", path, {"StageName": "Closed Won"})
    won = api.get(path).json()
    assert (won["IsClosed"], won["IsWon"], won["Probability"], won["ForecastCategoryName"]) == (
        True,
        True,
        100,
        "Closed",
    )
    api.send("PATCH", path, {"StageName": "Negotiation/Review", "Probability": 50, "ForecastCategoryName": "Best Case"})
    open_again = api.get(path).json()
    assert (open_again["IsClosed"], open_again["Probability"]) == (False, 50)
    assert open_again["ForecastCategory"] == "BestCase"


def test_an_event_spans_what_it_was_given(api: Api) -> None:
    account_id = api.create("Account", Name="A")
    contact_id = api.create("Contact", LastName="L")
    event = api.create(
        "Event",
        Subject="Job",
        StartDateTime="2026-01-31T23:30:00Z",
        DurationInMinutes=60,
        WhatId=account_id,
        WhoId=contact_id,
    )
    record = api.get(f"/sobjects/Event/{event}").json()
    assert record["EndDateTime"] == "2026-02-01T00:30:00.000+0000"
    assert (record["ActivityDate"], record["AccountId"]) == ("2026-01-31", account_id)


def test_a_body_must_be_json(api: Api) -> None:
    path = "/services/data/v62.0/sobjects/Account"
    broken = api.client.post(path, content=b'{"Name": ', headers={"Content-Type": "application/json"})
    assert (broken.status_code, code(broken)) == (400, "JSON_PARSER_ERROR")
    form = api.client.post(path, data={"Name": "A"})
    assert (form.status_code, code(form)) == (415, "UNSUPPORTED_MEDIA_TYPE")
