"""What the org is, what of it can be changed by a test, and what is counted."""

from typing import Any

import httpx
import pytest

from st_sf_pipelines.simulators.salesforce import SalesforceSimulator
from st_sf_pipelines_tests.simulators.salesforce.client import ACCOUNTS, ROOT, Api, account, code, row_code


def fields_of(api: Api, kind: str) -> dict[str, dict[str, Any]]:
    described = api.get(f"/sobjects/{kind}/describe").json()
    return {field["name"]: field for field in described["fields"]}


def test_versions_need_no_session(sf: SalesforceSimulator) -> None:
    versions = httpx.get(f"{sf.url}/services/data").json()
    assert {"label": "Winter '25", "url": "/services/data/v62.0", "version": "62.0"} in versions
    assert httpx.get(f"{sf.url}{ROOT}/sobjects").status_code == 401


def test_objects_are_described_whole(api: Api) -> None:
    assert "sobjects" in api.get("/").json()
    names = {entry["name"] for entry in api.get("/sobjects").json()["sobjects"]}
    assert names == {
        "Account",
        "Contact",
        "Lead",
        "Opportunity",
        "Event",
        "Campaign",
        "CampaignMember",
        "User",
        "LeadStatus",
    }
    fields = fields_of(api, "Contact")
    key = fields["ServiceTitan_Customer_Id__c"]
    assert (key["type"], key["length"], key["externalId"], key["unique"]) == ("string", 50, True, True)
    assert all(len(field) == 57 for field in fields.values())
    assert fields["AccountId"]["relationshipName"] == "Account"
    tenant = fields["ServiceTitan_Tenant_Id__c"]
    assert (tenant["type"], tenant["precision"], tenant["scale"]) == ("double", 18, 0)
    segment = fields_of(api, "Account")["Customer_Segment__c"]
    assert segment["restrictedPicklist"]
    assert [value["value"] for value in segment["picklistValues"]] == [
        "VIP",
        "High Value",
        "Standard",
        "At Risk",
        "Churning",
    ]
    types = {value["value"] for value in fields_of(api, "Account")["Type"]["picklistValues"]}
    assert {"Residential", "Commercial"} <= types


def test_a_fresh_org_has_nothing_of_ours() -> None:
    with (
        SalesforceSimulator(fresh=True) as sf,
        httpx.Client(base_url=sf.url, headers={"Authorization": f"Bearer {sf.credentials['access_token']}"}) as client,
    ):
        api = Api(client)
        for kind in ("Account", "Contact", "Opportunity", "Lead", "Event"):
            assert not [name for name in fields_of(api, kind) if name.endswith("__c")]
        assert "HasOptedOutOfEmail" not in fields_of(api, "Contact")
        sf.change_field("show", "Contact", "HasOptedOutOfEmail")
        assert fields_of(api, "Contact")["HasOptedOutOfEmail"]["type"] == "boolean"


def test_a_field_is_added_hidden_and_removed(sf: SalesforceSimulator, api: Api) -> None:
    sf.change_field("add", "Account", "Code__c", type="string", length=5, external_id=True)
    record_id = api.create("Account", Name="A", Code__c="x1")
    assert api.get("/sobjects/Account/Code__c/X1").json()["Id"] == record_id
    sf.change_field("hide", "Account", "Code__c")
    assert "Code__c" not in fields_of(api, "Account")
    assert code(api.get("/query", q="SELECT Code__c FROM Account")) == "INVALID_FIELD"
    assert code(api.send("POST", "/sobjects/Account", {"Name": "B", "Code__c": "x2"})) == "INVALID_FIELD"
    assert sf.records("Account")[0]["Code__c"] == "x1"
    sf.change_field("remove", "Account", "Code__c")
    with pytest.raises(ValueError, match="Code__c"):
        sf.change_field("show", "Account", "Code__c")


def test_a_validation_rule_refuses_its_rows(sf: SalesforceSimulator, api: Api) -> None:
    sf.add_rule(
        "validation", "Account", when={"Type": "Commercial", "Phone": None}, message="Give a phone", field="Phone"
    )
    good, bad = api.upsert(ACCOUNTS, account(1, Type="Commercial", Phone="1"), account(2, Type="Commercial"))
    assert good["success"]
    assert row_code(bad) == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert bad["errors"][0] == {
        "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "message": "Give a phone",
        "fields": ["Phone"],
    }


def test_a_duplicate_rule_names_the_record_that_is_there(sf: SalesforceSimulator, api: Api) -> None:
    sf.add_rule("duplicate", "Contact", field="Email")
    there = sf.put_records("Contact", {"LastName": "L", "Email": "a@b.example"})[0]
    again = {"LastName": "M", "Email": "A@b.example"}
    refused = api.send("POST", "/sobjects/Contact", again)
    assert code(refused) == "DUPLICATES_DETECTED"
    match = refused.json()[0]["duplicateResult"]["matchResults"][0]["matchRecords"][0]
    assert match["record"]["Id"] == there
    insisted = api.send("POST", "/sobjects/Contact", again, **{"Sforce-Duplicate-Rule-Header": "allowSave=true"})
    assert insisted.status_code == 201


def test_the_office_changes_records_as_somebody_else(sf: SalesforceSimulator, api: Api) -> None:
    record_id = api.upsert(ACCOUNTS, account(1))[0]["id"]
    ours = sf.records("Account")[0]["LastModifiedById"]
    sf.put_records("Account", {"Id": record_id, "Phone": "1", "SystemModstamp": "2026-01-31T12:00:00Z"})
    row = sf.records("Account")[0]
    assert (row["Name"], row["Phone"], row["SystemModstamp"]) == ("Customer 1", "1", "2026-01-31T12:00:00.000+0000")
    assert row["LastModifiedById"] != ours
    assert sf.counters["rows"]["Account"]["written"] == 1
    sf.put_records("Account", {"Id": record_id, "IsDeleted": True})
    assert api.get(f"/sobjects/Account/{record_id}").status_code == 404
    assert api.upsert(ACCOUNTS, account(1))[0]["created"] is True


def test_an_owner_is_a_user_who_is_still_there(sf: SalesforceSimulator, api: Api) -> None:
    people = [
        {"Username": f"{name}@x.example", "LastName": name, "Email": f"{name}@x.example"} for name in ("in", "out")
    ]
    staying, gone = sf.put_records("User", people[0], people[1] | {"IsActive": False})
    assert api.query("SELECT Id FROM User WHERE Email = 'in@x.example'")[0]["Id"] == staying
    api.create("Account", Name="A", OwnerId=staying)
    assert code(api.send("POST", "/sobjects/Account", {"Name": "B", "OwnerId": gone})) == "INACTIVE_OWNER_OR_USER"


def test_every_answer_says_what_is_left_and_no_call_goes_over_it(sf: SalesforceSimulator, api: Api) -> None:
    sf.set_limit(5, used=3)
    assert api.get("/limits").headers["Sforce-Limit-Info"] == "api-usage=4/5"
    assert api.get("/limits").json()["DailyApiRequests"] == {"Max": 5, "Remaining": 0}
    over = api.get("/limits")
    assert (over.status_code, code(over)) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert over.headers["Sforce-Limit-Info"] == "api-usage=5/5"
    assert "retry-after" not in over.headers
    assert api.client.get("/services/oauth2/userinfo").status_code == 200


def test_records_are_counted_by_object(sf: SalesforceSimulator, api: Api) -> None:
    sf.put_records("Account", {"Name": "A"}, {"Name": "B"})
    counted = api.get("/limits/recordCount", sObjects="Account,Contact").json()
    assert counted == {"sObjects": [{"count": 2, "name": "Account"}]}


def test_calls_are_counted_without_keys_and_ids(sf: SalesforceSimulator, api: Api) -> None:
    api.send("PATCH", "/sobjects/Account/ServiceTitan_Account_Id__c/st_1", {"Name": "A"})
    api.get("/sobjects/Account/ServiceTitan_Account_Id__c/st_1")
    api.get("/nowhere")
    key = "/sobjects/Account/ServiceTitan_Account_Id__c/{id}"
    assert sf.counters["calls"] == [
        {"method": "GET", "path": key, "status": "200", "count": 1},
        {"method": "GET", "path": "unknown", "status": "404", "count": 1},
        {"method": "PATCH", "path": key, "status": "201", "count": 1},
    ]
    sf.count_anew()
    assert (sf.counters["requests"], sf.counters["rows"]["Account"]["written"]) == (0, 0)


def test_the_control_addresses_do_the_same_over_http(sf: SalesforceSimulator, api: Api) -> None:
    def control(method: str, path: str, body: Any = None) -> httpx.Response:
        return httpx.request(method, f"{sf.url}/_sim/{path}", json=body)

    ids = control("POST", "records/Account", [{"Name": "A"}]).json()["ids"]
    assert [row["Id"] for row in control("GET", "records/Account").json()] == ids
    field = {"action": "add", "object": "Account", "name": "Code__c", "type": "picklist", "choices": ["a"]}
    assert control("POST", "fields", field).status_code == 204
    rule = {"rule": "validation", "object": "Account", "when": {"Name": "B"}, "message": "no B"}
    assert control("POST", "rules", rule).status_code == 204
    assert code(api.send("POST", "/sobjects/Account", {"Name": "B"})) == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert control("DELETE", "rules").status_code == 204
    api.create("Account", Name="B", Code__c="a")
    assert control("POST", "limit", {"used": 14_999}).status_code == 204
    assert control("POST", "session/expire", {}).json() == {"expired": 1}
    assert api.get("/limits").status_code == 401
    assert control("GET", "counters").json()["rows"]["Account"]["created"] == 1
    assert control("DELETE", "counters").status_code == 204
    for body in ({"rule": "odd", "object": "Account"}, {"rule": "duplicate", "object": "Nothing", "field": "x"}, {}):
        assert "error" in control("POST", "rules", body).json()
    assert control("POST", "nothing").status_code == 404
    assert control("POST", "reset").status_code == 204
    assert control("GET", "records/Account").json() == []
    assert api.get("/limits").status_code == 200
