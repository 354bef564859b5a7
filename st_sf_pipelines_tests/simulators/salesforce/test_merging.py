"""A merge hands on what hung on the loser, and the loser tells, to who asks for deleted records, who won."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from st_sf_pipelines_tests.simulators.salesforce.client import Api, code

if TYPE_CHECKING:
    from st_sf_pipelines.simulators.salesforce import SalesforceSimulator


def test_a_merged_contact_names_its_master_and_takes_no_write(sf: SalesforceSimulator, api: Api) -> None:
    master, loser = (api.create("Contact", LastName=name, ServiceTitan_Customer_Id__c=name) for name in "ML")
    sf.merge("Contact", master, loser[:15])
    assert [row["Id"] for row in api.query("SELECT Id FROM Contact")] == [master]
    soql = "SELECT Id, IsDeleted, MasterRecordId FROM Contact"
    shown = api.get("/queryAll", q=soql).json()["records"]
    assert {row["Id"]: (row["IsDeleted"], row["MasterRecordId"]) for row in shown} == {
        master: (False, None),
        loser: (True, master),
    }
    refused = api.send("PATCH", f"/sobjects/Contact/{loser}", {"Phone": "1"})
    assert (refused.status_code, code(refused)) == (404, "ENTITY_IS_DELETED")
    again = api.send("PATCH", "/sobjects/Contact/ServiceTitan_Customer_Id__c/L", {"LastName": "L"})
    assert again.json()["created"] is True, "the loser's key is free again"


def test_what_hung_on_the_loser_hangs_on_the_master(sf: SalesforceSimulator, api: Api) -> None:
    master, loser = (api.create("Account", Name=name) for name in "ML")
    person = api.create("Contact", LastName="P", AccountId=loser)
    deal = api.create("Opportunity", Name="O", StageName="Prospecting", CloseDate="2026-08-15", AccountId=loser)
    event = api.create("Event", StartDateTime="2026-01-31T23:00:00Z", DurationInMinutes=5, WhatId=loser)
    sf.merge("Account", master, loser)
    rows = {row["Id"]: row for name in ("Contact", "Opportunity", "Event") for row in sf.records(name)}
    assert {rows[record]["AccountId"] for record in (person, deal, event)} == {master}
    assert rows[event]["WhatId"] == master


def test_a_membership_that_both_had_is_kept_once(sf: SalesforceSimulator, api: Api) -> None:
    campaigns = sf.put_records("Campaign", {"Name": "A"}, {"Name": "B"})
    master, loser = (api.create("Contact", LastName=name) for name in "ML")
    for contact, campaign in ((master, campaigns[0]), (loser, campaigns[0]), (loser, campaigns[1])):
        api.create("CampaignMember", CampaignId=campaign, ContactId=contact)
    sf.merge("Contact", master, loser)
    assert [(row["CampaignId"], row["ContactId"]) for row in sf.records("CampaignMember")] == [
        (campaign, master) for campaign in campaigns
    ]


def test_what_cannot_be_merged_is_refused(sf: SalesforceSimulator, api: Api) -> None:
    contact = api.create("Contact", LastName="L")
    for of, losers in (("Contact", [contact]), ("Contact", []), ("Event", [contact]), ("Contact", [contact] * 3)):
        with pytest.raises(ValueError, match="merged into"):
            sf.merge(of, contact, *losers)
    body = {"object": "Contact", "master": contact, "losers": ["003Hu0000000009IAA"]}
    assert httpx.post(f"{sf.url}/_sim/merge", json=body).status_code == 400
