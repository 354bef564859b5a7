"""Each map of the sale makes the payload that the specification lists (SF-3, SF-4)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from st_sf_pipelines.config import Salesforce
from st_sf_pipelines.mapping import difference, digest, payload
from st_sf_pipelines.systems.salesforce.deals import CAMPAIGN_MEMBER, DEALS, EVENT, LEAD, OPPORTUNITY
from st_sf_pipelines.systems.salesforce.objects import ACCOUNT, objects_of

DEAL: dict[str, Any] = {
    "key": "st_7_1",
    "account_key": "st_7",
    "contact": 7,
    "title": "John Smith - New roof - $1,234.56",
    "pipeline": "sales",
    "stage": "proposal-sent",
    "status": "open",
    "confidence": None,
    "value": Decimal("1234.56"),
    "close_date": date(2026, 3, 1),
    "owner_email": "sue.seller@stand-in.example",
    "seller_email": "sam.seller@stand-in.example",
    "campaign": "Spring mailer",
    "next_step": None,
    "description": "Estimates:\n1 New roof",
    "job_id": "st_501",
    "estimate_id": "st_601",
}
CONTACT_7 = {"$ref": "salesforce/contacts", "subject": 7}


def test_a_deal_is_mapped_as_the_specification_lists_it() -> None:
    assert payload(OPPORTUNITY, DEAL) == {
        "ServiceTitan_Opportunity_Id__c": "st_7_1",
        "Account": {"ServiceTitan_Account_Id__c": "st_7"},
        "ContactId": CONTACT_7,
        "Name": "John Smith - New roof - $1,234.56",
        "StageName": "Proposal/Price Quote",
        "Probability": 50,
        "ForecastCategoryName": "Best Case",
        "Amount": 1234.56,
        "CloseDate": "2026-03-01",
        "OwnerId": ["sue.seller@stand-in.example", "sam.seller@stand-in.example"],
        "LeadSource": "Spring mailer",
        "NextStep": None,
        "Description": "Estimates:\n1 New roof",
        "ServiceTitan_Job_Id__c": "st_501",
        "ServiceTitan_Estimate_Id__c": "st_601",
    }


JOB: dict[str, Any] = {
    "key": "st_501",
    "contact": 7,
    "account": 7,
    "subject_line": "Job 501: Repair",
    "starts_at": datetime(2026, 1, 31, 16, 0, tzinfo=UTC),
    "ends_at": datetime(2026, 1, 31, 17, 30, tzinfo=UTC),
    "description": None,
}


def test_an_event_is_mapped_as_the_specification_lists_it() -> None:
    assert payload(EVENT, JOB) == {
        "ServiceTitan_Job_Id__c": "st_501",
        "WhoId": CONTACT_7,
        "WhatId": {"$ref": "salesforce/accounts", "subject": 7},
        "Subject": "Job 501: Repair",
        "StartDateTime": "2026-01-31T16:00:00Z",
        "EndDateTime": "2026-01-31T17:30:00Z",
        "Description": None,
    }


PERSON: dict[str, Any] = {
    "key": "st_lead_9",
    "name": "Ann Lee",
    "first_name": "Ann",
    "last_name": "Lee",
    "company": None,
    "email": "ann@lee.example",
    "phone": "(480) 555-0142",
    "address_line1": "1 Main St",
    "address_line2": None,
    "city": "Mesa",
    "state": "AZ",
    "zip": "85201",
    "country": "USA",
    "status": "Open",
    "lead_source": "Web",
    "owner_email": None,
}


def test_a_lead_is_mapped_as_the_specification_lists_it() -> None:
    assert payload(LEAD, PERSON) == {
        "ServiceTitan_Lead_Id__c": "st_lead_9",
        "FirstName": "Ann",
        "LastName": "Lee",
        "Company": "Ann Lee",
        "Email": "ann@lee.example",
        "Phone": "(480) 555-0142",
        "Street": "1 Main St",
        "City": "Mesa",
        "State": "AZ",
        "PostalCode": "85201",
        "Country": "USA",
        "Status": "Open - Not Contacted",
        "LeadSource": "Web",
        "OwnerId": None,
    }
    assert payload(LEAD, {**PERSON, "company": "Lee & Co"})["Company"] == "Lee & Co"
    assert payload(LEAD, {**PERSON, "status": "Dismissed"})["Status"] == "Closed - Not Converted"


def test_a_member_is_a_campaign_and_a_contact() -> None:
    row = {"key": "st_7_701", "campaign_id": "701Hu0000000001", "contact": 7}
    assert payload(CAMPAIGN_MEMBER, row) == {"CampaignId": "701Hu0000000001", "ContactId": CONTACT_7}
    assert payload(CAMPAIGN_MEMBER, {**row, "contact": None})["ContactId"] is None


def test_a_stage_that_nobody_listed_leaves_the_stage_as_it_is() -> None:
    sent = payload(OPPORTUNITY, {**DEAL, "stage": "someday"})
    assert {"StageName", "Probability", "ForecastCategoryName"}.isdisjoint(sent)


@pytest.mark.parametrize(("length", "kept"), [(120, 120), (121, 120)])
def test_a_long_title_is_cut_and_shows_it(length: int, kept: int) -> None:
    name = payload(OPPORTUNITY, {**DEAL, "title": "x" * length})["Name"]
    assert (len(name), name.endswith("…")) == (kept, length > kept)


def test_what_salesforce_would_set_anew_with_a_stage_goes_along_with_it() -> None:
    agreed = payload(OPPORTUNITY, {**DEAL, "confidence": 3})
    moved = payload(OPPORTUNITY, {**DEAL, "confidence": 3, "stage": "estimate-followup"})
    assert difference(OPPORTUNITY, moved, agreed) == {
        "StageName": "Negotiation/Review",
        "Probability": 50,
        "ForecastCategoryName": "Best Case",
    }
    surer = payload(OPPORTUNITY, {**DEAL, "confidence": 5})
    assert difference(OPPORTUNITY, surer, agreed) == {"Probability": 90}


def test_the_contact_of_a_deal_goes_once() -> None:
    agreed, wanted = payload(OPPORTUNITY, DEAL), payload(OPPORTUNITY, {**DEAL, "contact": 8})
    assert difference(OPPORTUNITY, wanted, None)["ContactId"] == {**CONTACT_7, "subject": 8}
    assert difference(OPPORTUNITY, wanted, agreed) == {}
    assert digest(OPPORTUNITY, wanted) != digest(OPPORTUNITY, agreed)


def test_the_maps_say_how_their_records_are_pointed_to_and_known() -> None:
    assert [(target.key, target.external_id) for target in DEALS] == [
        ("ServiceTitan_Lead_Id__c", True),
        ("ServiceTitan_Opportunity_Id__c", True),
        ("ServiceTitan_Job_Id__c", False),
        ("", False),
    ]
    assert [sorted(target.references) for target in DEALS] == [[], ["ContactId"], ["WhatId", "WhoId"], ["ContactId"]]
    assert [sorted(target.create_only) for target in DEALS] == [[], ["ContactId"], [], ["CampaignId", "ContactId"]]
    assert [sorted(target.users) for target in DEALS] == [["OwnerId"], ["OwnerId"], [], []]
    assert [target.parents for target in DEALS] == [{}, {"Account": ACCOUNT.key}, {}, {}]
    for target in DEALS:
        names = [field.to for field in target.fields]
        assert len(names) == len(set(names))
        assert target.key not in names


def test_a_site_lays_its_rows_over_these_maps_too() -> None:
    section = {"instance_url": "https://x.example", "access_token": "t"}
    row = {"to": "StageName", "source": "stage", "transform": "lookup", "values": {"contacted": "Working"}}
    config = Salesforce.model_validate({**section, "fields": {"opportunities": [row]}})
    lead, laid, *others = objects_of(config, DEALS)
    assert payload(laid, {**DEAL, "stage": "contacted"})["StageName"] == "Working"
    assert "StageName" not in payload(laid, DEAL)
    assert (lead, *others) == (LEAD, EVENT, CAMPAIGN_MEMBER)
