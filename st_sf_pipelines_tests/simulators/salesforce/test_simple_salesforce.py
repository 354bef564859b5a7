"""The library that the project uses works against the stand-in as against the world."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)

from st_sf_pipelines.simulators.salesforce import SalesforceSimulator
from st_sf_pipelines_tests.simulators.salesforce.client import account


class PlainHttp(HTTPAdapter):
    """Sends to plain http what the library insists on addressing as https."""

    def send(self, request: requests.PreparedRequest, *args: object, **kwargs: object) -> requests.Response:
        """Send a request by the other scheme."""
        request.url = str(request.url).replace("https://", "http://", 1)
        return super().send(request, *args, **kwargs)  # type: ignore[arg-type]


@pytest.fixture
def client(sf: SalesforceSimulator) -> Iterator[Salesforce]:
    with requests.Session() as session:
        session.mount(sf.url.replace("http://", "https://"), PlainHttp())
        yield Salesforce(
            instance_url=sf.url,
            session_id=sf.credentials["access_token"],
            session=session,
            version=sf.credentials["api_version"],
        )


def of(client: Salesforce, kind: str) -> Any:
    # The library's own annotation says that an object may be a bulk handler, which cannot be called.
    return getattr(client, kind)


def test_records_go_there_and_back(client: Salesforce) -> None:
    made = of(client, "Account").create({"Name": "A"})
    assert made["success"]
    assert of(client, "Account").get(made["id"])["Name"] == "A"
    assert of(client, "Account").update(made["id"], {"Phone": "1"}) == 204
    assert of(client, "Account").upsert("ServiceTitan_Account_Id__c/st_1", {"Name": "B"}) == 201
    assert of(client, "Account").upsert("ServiceTitan_Account_Id__c/st_1", {"Name": "C"}) == 200
    assert of(client, "Account").get_by_custom_id("ServiceTitan_Account_Id__c", "st_1")["Name"] == "C"
    assert of(client, "Account").delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        of(client, "Account").get(made["id"])


def test_collections_and_limits(client: Salesforce) -> None:
    records = [{"attributes": {"type": "Account"}, **account(number)} for number in range(3)]
    path = "composite/sobjects/Account/ServiceTitan_Account_Id__c"
    results = client.restful(path, method="PATCH", json={"allOrNone": False, "records": records})
    assert results is not None
    assert [result["created"] for result in results] == [True, True, True]
    assert client.api_usage["api-usage"].used == 1
    assert client.api_usage["api-usage"].total == 15_000
    limits = client.limits()
    assert limits["DailyApiRequests"]["Remaining"] == 14_998


def test_queries_page_to_their_end(sf: SalesforceSimulator, client: Salesforce) -> None:
    sf.put_records("Contact", *({"LastName": f"L{number}"} for number in range(450)))
    headers = {"Sforce-Query-Options": "batchSize=200"}
    found = client.query_all("SELECT Id, LastName FROM Contact ORDER BY CreatedDate", headers=headers)
    assert (found["totalSize"], len(found["records"]), found["done"]) == (450, 450, True)
    assert len(list(client.query_all_iter("SELECT Id FROM Contact LIMIT 300"))) == 300
    assert sum(call["count"] for call in sf.counters["calls"]) == 4


def test_describes_are_read(client: Salesforce) -> None:
    described = client.describe()
    assert described is not None
    assert "Contact" in {entry["name"] for entry in described["sobjects"]}
    assert of(client, "Contact").describe()["name"] == "Contact"
    assert of(client, "Contact").metadata()["objectDescribe"]["keyPrefix"] == "003"


def test_refusals_are_the_exceptions_of_the_library(sf: SalesforceSimulator, client: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        of(client, "Contact").create({})
    content: Any = refused.value.content
    assert content[0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    sf.put_records("Contact", *({"LastName": name, "Email": "a@b.example"} for name in "AB"))
    with pytest.raises(SalesforceMoreThanOneRecord):
        of(client, "Contact").get_by_custom_id("Email", "a@b.example")
    sf.expire_session()
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id FROM Contact")


def test_deals_events_and_merged_records_are_read_through_it(sf: SalesforceSimulator, client: Salesforce) -> None:
    master, loser = sf.put_records("Contact", {"LastName": "M"}, {"LastName": "L"})
    deal = {"Name": "Roof", "StageName": "Prospecting", "CloseDate": "2026-08-15", "ContactId": loser}
    assert of(client, "Opportunity").upsert("ServiceTitan_Opportunity_Id__c/st_1_1", deal) == 201
    when = {"StartDateTime": "2026-01-31T23:00:00Z", "DurationInMinutes": 60}
    event = of(client, "Event").create({**when, "WhoId": loser})["id"]
    sf.merge("Contact", master, loser)
    assert of(client, "Event").get(event)["WhoId"] == master
    soql = "SELECT MasterRecordId FROM Contact WHERE IsDeleted = true"
    assert client.query(soql)["records"] == []
    assert client.query(soql, include_deleted=True)["records"][0]["MasterRecordId"] == master
