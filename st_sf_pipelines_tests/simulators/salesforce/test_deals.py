"""Deals, events, leads and members of campaigns obey the rules that an org has for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines_tests.simulators.salesforce.client import Api, code, row_code

if TYPE_CHECKING:
    from st_sf_pipelines.simulators.salesforce import SalesforceSimulator

DEALS = "/composite/sobjects/Opportunity/ServiceTitan_Opportunity_Id__c"
DEAL = {"Name": "Roof", "StageName": "Prospecting", "CloseDate": "2026-08-15"}


def deal(number: int, **values: Any) -> dict[str, Any]:
    return {"ServiceTitan_Opportunity_Id__c": f"st_1_{number}", **DEAL, **values}


def test_a_deal_names_its_contact_once_and_never_again(api: Api) -> None:
    api.create("Account", Name="A", ServiceTitan_Account_Id__c="st_1")
    contact = api.create("Contact", LastName="L")
    parent = {"Account": {"ServiceTitan_Account_Id__c": "st_1"}}
    [made] = api.upsert(DEALS, deal(1, ContactId=contact, **parent))
    assert api.query("SELECT Account.Name, ContactId FROM Opportunity")[0]["ContactId"] == contact
    [again] = api.upsert(DEALS, deal(1, ContactId=contact))
    assert row_code(again) == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert again["errors"][0]["fields"] == ["ContactId"]
    assert code(api.send("PATCH", f"/sobjects/Opportunity/{made['id']}", {"ContactId": None})) == row_code(again)
    named = {"Contact": {"ServiceTitan_Customer_Id__c": "st_1"}}
    assert code(api.send("POST", "/sobjects/Opportunity", {**DEAL, **named})) == "INVALID_FIELD"


def test_a_stage_and_a_source_that_nobody_listed_are_taken_and_a_forecast_is_not(api: Api) -> None:
    made = api.create("Opportunity", **{**DEAL, "StageName": "Measuring"}, LeadSource="Spring mailer")
    record = api.get(f"/sobjects/Opportunity/{made}").json()
    assert (record["StageName"], record["LeadSource"], record["IsClosed"]) == ("Measuring", "Spring mailer", False)
    odd = api.send("POST", "/sobjects/Opportunity", {**DEAL, "ForecastCategoryName": "Odd"})
    assert code(odd) == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"EndDateTime": "2026-01-31T22:00:00Z"}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"DurationInMinutes": 14 * 1440 + 1}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"DurationInMinutes": 14 * 1440}, None),
        ({"EndDateTime": "2026-01-31T23:00:00Z"}, None),
        ({}, "REQUIRED_FIELD_MISSING"),
    ],
)
def test_an_event_ends_after_it_starts_and_within_two_weeks(
    api: Api, values: dict[str, Any], expected: str | None
) -> None:
    answer = api.send("POST", "/sobjects/Event", {"StartDateTime": "2026-01-31T23:00:00Z", **values})
    assert (None if answer.status_code == 201 else code(answer)) == expected


def test_an_event_knows_the_account_of_what_it_is_about(api: Api) -> None:
    account = api.create("Account", Name="A")
    contact = api.create("Contact", LastName="L", AccountId=account)
    won = api.create("Opportunity", **DEAL, AccountId=account)
    when = {"StartDateTime": "2026-01-31T23:00:00Z", "DurationInMinutes": 60}
    for about in ({"WhatId": won}, {"WhatId": account, "WhoId": contact}, {"WhoId": contact}):
        event = api.create("Event", **when, **about)
        assert api.get(f"/sobjects/Event/{event}").json()["AccountId"] == account


def test_events_and_members_have_no_key_to_upsert_by(api: Api) -> None:
    record = {"attributes": {"type": "Event"}, "ServiceTitan_Job_Id__c": "7"}
    path = "/composite/sobjects/Event/ServiceTitan_Job_Id__c"
    assert code(api.send("PATCH", path, {"records": [record]})) == "NOT_FOUND"
    assert code(api.send("PATCH", "/sobjects/CampaignMember/Email/a@b.example", {})) == "NOT_FOUND"


def test_people_of_several_objects_are_named_by_id_or_by_key_and_type(api: Api) -> None:
    contact = api.create("Contact", LastName="Lee", ServiceTitan_Customer_Id__c="st_1")
    lead = api.create("Lead", LastName="Low", Company="C", ServiceTitan_Lead_Id__c="lead_1")
    when = {"attributes": {"type": "Event"}, "StartDateTime": "2026-01-31T23:00:00Z", "DurationInMinutes": 60}
    by_key = {"attributes": {"type": "Contact"}, "ServiceTitan_Customer_Id__c": "st_1"}
    records = [{**when, "Who": by_key}, {**when, "WhoId": lead}]
    results = api.send("POST", "/composite/sobjects", {"records": records}).json()
    assert [result["success"] for result in results] == [True, True]
    shown = api.query("SELECT WhoId, Who.Name FROM Event ORDER BY Who.Name")
    assert [(row["WhoId"], row["Who"]["Name"]) for row in shown] == [(contact, "Lee"), (lead, "Low")]
    assert len(api.query("SELECT Id FROM Event WHERE Who.Name = 'lee'")) == 1
    hidden = api.get("/query", q="SELECT Who.ServiceTitan_Customer_Id__c FROM Event")
    assert (code(hidden), "on entity 'Name'" in hidden.json()[0]["message"]) == ("INVALID_FIELD", True)
    wrong = {**when, "WhoId": api.create("Account", Name="A")}
    [refused] = api.send("POST", "/composite/sobjects", {"records": [wrong]}).json()
    assert row_code(refused) == "FIELD_INTEGRITY_EXCEPTION"


def test_the_event_of_a_lead_is_about_nothing_else(api: Api) -> None:
    lead, account = api.create("Lead", LastName="L", Company="C"), api.create("Account", Name="A")
    event = {"StartDateTime": "2026-01-31T23:00:00Z", "DurationInMinutes": 60, "WhoId": lead, "WhatId": account}
    assert code(api.send("POST", "/sobjects/Event", event)) == "FIELD_INTEGRITY_EXCEPTION"


def test_a_contact_is_a_member_of_a_campaign_once(sf: SalesforceSimulator, api: Api) -> None:
    first, second = sf.put_records("Campaign", {"Name": "VIP"}, {"Name": "Churning"})
    contact = api.create("Contact", FirstName="Ann", LastName="Lee", Email="ann@lee.example")
    for campaign in (first, second):
        api.create("CampaignMember", CampaignId=campaign, ContactId=contact)
    again = api.send("POST", "/sobjects/CampaignMember", {"CampaignId": first[:15], "ContactId": contact})
    assert again.json() == [{"message": "Already a campaign member.", "errorCode": "DUPLICATE_VALUE"}]
    row = api.query("SELECT Id, Name, Email, Status, Type, Campaign.Name FROM CampaignMember ORDER BY Id")[0]
    assert (row["Name"], row["Email"], row["Status"], row["Type"]) == ("Ann Lee", "ann@lee.example", "Sent", "Contact")
    assert row["Campaign"]["Name"] == "VIP"
    path = f"/sobjects/CampaignMember/{row['Id']}"
    assert api.send("PATCH", path, {"Status": "Responded"}).status_code == 204
    assert api.get(path).json()["HasResponded"] is True
    assert code(api.send("PATCH", path, {"CampaignId": second})) == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert code(api.send("POST", "/sobjects/CampaignMember", {"CampaignId": first})) == "REQUIRED_FIELD_MISSING"
    assert code(api.send("POST", "/sobjects/CampaignMember", {"ContactId": contact})) == "REQUIRED_FIELD_MISSING"


def test_of_a_contact_and_a_lead_only_the_contact_is_kept(sf: SalesforceSimulator, api: Api) -> None:
    [campaign] = sf.put_records("Campaign", {"Name": "VIP"})
    both = {"ContactId": api.create("Contact", LastName="L"), "LeadId": api.create("Lead", LastName="L", Company="C")}
    api.create("CampaignMember", CampaignId=campaign, **both)
    [member] = sf.records("CampaignMember")
    assert (member["ContactId"], member["LeadId"]) == (both["ContactId"], None)


def test_members_go_with_their_contact(sf: SalesforceSimulator, api: Api) -> None:
    [campaign] = sf.put_records("Campaign", {"Name": "VIP"})
    contact = api.create("Contact", LastName="L")
    api.create("CampaignMember", CampaignId=campaign, ContactId=contact)
    api.send("DELETE", f"/sobjects/Contact/{contact}")
    assert sf.records("CampaignMember") == []


def test_people_of_the_org_are_found_by_e_mail_and_made_by_no_client(sf: SalesforceSimulator, api: Api) -> None:
    emails = {row["Email"] for row in api.query("SELECT Email FROM User WHERE IsActive = true")}
    assert {"sam.seller@stand-in.example", "sue.seller@stand-in.example"} <= emails
    assert code(api.send("POST", "/sobjects/User", {})) == "INVALID_TYPE_FOR_OPERATION"
    [gone] = sf.put_records(
        "User", {"Username": "g@x.example", "LastName": "G", "Email": "g@x.example", "IsActive": False}
    )
    assert code(api.send("POST", "/sobjects/Opportunity", {**DEAL, "OwnerId": gone})) == "INACTIVE_OWNER_OR_USER"


def test_statuses_of_leads_say_which_one_is_converted(api: Api) -> None:
    assert api.query("SELECT ApiName FROM LeadStatus WHERE IsConverted = true")[0]["ApiName"] == "Closed - Converted"
    lead = api.create("Lead", LastName="L", Company="C")
    record = api.get(f"/sobjects/Lead/{lead}").json()
    assert (record["Status"], record["IsConverted"]) == ("Open - Not Contacted", False)
