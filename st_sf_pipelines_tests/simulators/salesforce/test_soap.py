"""Leads are converted by SOAP, with the OAuth token for the session, each by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import httpx

from st_sf_pipelines_tests.simulators.salesforce.client import Api, code

if TYPE_CHECKING:
    from st_sf_pipelines.simulators.salesforce import SalesforceSimulator

ENVELOPE = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:urn="urn:partner.soap.sforce.com">'
    "<soapenv:Header><urn:SessionHeader><urn:sessionId>{token}</urn:sessionId></urn:SessionHeader></soapenv:Header>"
    "<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
)
HEADERS = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}


def post(sf: SalesforceSimulator, body: str, token: str | None = None, **headers: str) -> httpx.Response:
    content = ENVELOPE.format(token=token or sf.credentials["access_token"], body=body)
    return httpx.post(f"{sf.url}/services/Soap/u/62.0", content=content, headers={**HEADERS, **headers})


def convert(sf: SalesforceSimulator, *leads: dict[str, str]) -> list[dict[str, Any]]:
    wanted = "".join(
        "<urn:leadConverts>"
        + "".join(f"<urn:{name}>{value}</urn:{name}>" for name, value in lead.items())
        + "</urn:leadConverts>"
        for lead in leads
    )
    answer = post(sf, f"<urn:convertLead>{wanted}</urn:convertLead>")
    assert answer.status_code == 200, answer.text
    found = ET.fromstring(answer.content).iter("{urn:partner.soap.sforce.com}result")  # noqa: S314 - our own stand-in
    return [{field.tag.partition("}")[2]: field.text for field in result.iter()} for result in found]


def fault(answer: httpx.Response) -> str:
    assert answer.status_code == 500
    text = ET.fromstring(answer.content).findtext(".//faultcode")  # noqa: S314 - our own stand-in
    assert text is not None
    return text


WANTED = {"convertedStatus": "Closed - Converted", "doNotCreateOpportunity": "true"}


def test_a_lead_becomes_the_contact_that_is_there(sf: SalesforceSimulator, api: Api) -> None:
    account = api.create("Account", Name="A")
    contact = api.create("Contact", LastName="Lee", Phone="1", AccountId=account)
    lead = api.create("Lead", LastName="Low", Company="C", Phone="2", Email="low@x.example")
    event = api.create("Event", StartDateTime="2026-01-31T23:00:00Z", DurationInMinutes=5, WhoId=lead)
    [campaign] = sf.put_records("Campaign", {"Name": "VIP"})
    api.create("CampaignMember", CampaignId=campaign, LeadId=lead)
    [result] = convert(sf, {"accountId": account, "contactId": contact, **WANTED, "leadId": lead})
    assert (result["success"], result["leadId"], result["contactId"], result["accountId"]) == (
        "true",
        lead,
        contact,
        account,
    )
    [row] = sf.records("Lead")
    assert (row["IsConverted"], row["ConvertedContactId"], row["ConvertedAccountId"]) == (True, contact, account)
    assert (row["Status"], row["ConvertedDate"]) == ("Closed - Converted", row["SystemModstamp"][:10])
    person = api.get(f"/sobjects/Contact/{contact}").json()
    assert (person["LastName"], person["Phone"], person["Email"]) == ("Lee", "1", "low@x.example"), (
        "only what was empty"
    )
    assert api.get(f"/sobjects/Event/{event}").json()["WhoId"] == contact
    assert sf.records("CampaignMember")[0]["ContactId"] == contact
    assert sf.records("Opportunity") == []


def test_a_conversion_makes_what_it_is_not_given(sf: SalesforceSimulator, api: Api) -> None:
    lead = api.create("Lead", LastName="Low", Company="C & Co")
    [result] = convert(sf, {"convertedStatus": "Closed - Converted", "leadId": lead})
    [account], [contact], [deal] = (sf.records(name) for name in ("Account", "Contact", "Opportunity"))
    assert (account["Name"], contact["LastName"], deal["Name"]) == ("C & Co", "Low", "C & Co-")
    assert result["opportunityId"] == deal["Id"]


def test_a_converted_lead_is_closed_for_good(sf: SalesforceSimulator, api: Api) -> None:
    lead = api.create("Lead", LastName="L", Company="C", ServiceTitan_Lead_Id__c="lead_1")
    convert(sf, {**WANTED, "leadId": lead})
    [again] = convert(sf, {**WANTED, "leadId": lead})
    assert (again["success"], again["statusCode"]) == ("false", "CANNOT_UPDATE_CONVERTED_LEAD")
    [campaign] = sf.put_records("Campaign", {"Name": "VIP"})
    for answer in (
        api.send("PATCH", f"/sobjects/Lead/{lead}", {"Phone": "1"}),
        api.send("PATCH", "/sobjects/Lead/ServiceTitan_Lead_Id__c/lead_1", {"Phone": "1"}),
        api.send("POST", "/sobjects/CampaignMember", {"CampaignId": campaign, "LeadId": lead}),
        api.send(
            "POST", "/sobjects/Event", {"StartDateTime": "2026-01-31T23:00:00Z", "DurationInMinutes": 5, "WhoId": lead}
        ),
    ):
        assert code(answer) == "CANNOT_UPDATE_CONVERTED_LEAD"


def test_each_lead_is_judged_alone_and_a_refused_one_leaves_nothing(sf: SalesforceSimulator, api: Api) -> None:
    leads = [api.create("Lead", LastName=f"L{number}", Company="C") for number in range(4)]
    stranger = api.create("Contact", LastName="S", AccountId=api.create("Account", Name="S"))
    other = api.create("Account", Name="Other")
    results = convert(
        sf,
        {**WANTED, "leadId": leads[0]},
        {**WANTED, "leadId": leads[1], "convertedStatus": "Open - Not Contacted"},
        {**WANTED, "leadId": "00QHu000000009zMAA"},
        {**WANTED, "leadId": leads[2], "accountId": other, "contactId": stranger},
        {**WANTED, "leadId": leads[3], "contactId": stranger},
    )
    assert [result.get("statusCode") for result in results] == [
        None,
        "INVALID_STATUS",
        "INVALID_CROSS_REFERENCE_KEY",
        "INVALID_ID_FIELD",
        "INVALID_ID_FIELD",
    ]
    assert len(sf.records("Account")) == 3
    assert [row["IsConverted"] for row in sf.records("Lead")] == [True, False, False, False]


def test_a_request_that_is_wrong_as_a_whole_is_a_fault(sf: SalesforceSimulator) -> None:
    call = "<urn:convertLead></urn:convertLead>"
    assert fault(post(sf, call, token="nobody")) == "sf:INVALID_SESSION_ID"
    assert fault(post(sf, "<urn:merge/>")) == "soapenv:Client"
    assert fault(post(sf, "<broken>")) == "soapenv:Client"
    assert fault(post(sf, call, **{"Content-Type": "application/json"})) == "soapenv:Client"
    many = "<urn:leadConverts><urn:leadId>x</urn:leadId></urn:leadConverts>" * 101
    assert fault(post(sf, f"<urn:convertLead>{many}</urn:convertLead>")) == "sf:EXCEEDED_ID_LIMIT"
    content = ENVELOPE.format(token=sf.credentials["access_token"], body=call)
    bare = httpx.post(f"{sf.url}/services/Soap/u/62.0", content=content, headers={"Content-Type": "text/xml"})
    assert fault(bare) == "soapenv:Client"
    sf.set_limit(5, used=5)
    assert fault(post(sf, call)) == "sf:REQUEST_LIMIT_EXCEEDED"
    assert {entry["path"] for entry in sf.counters["calls"]} == {"/services/Soap/u/62.0"}
