"""Leads are converted into the contacts that they became, each accounted for, whatever happens on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines.errors import CredentialsError, PermanentError, TransientError
from st_sf_pipelines.ports import Conversion, Outcome, Receipt
from st_sf_pipelines.systems.salesforce.client import SalesforceClient
from st_sf_pipelines.systems.salesforce.codes import mend_for
from st_sf_pipelines_tests.systems.conftest import tenant_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from st_sf_pipelines.simulators.salesforce.simulator import SalesforceSimulator

SOAP = {"path": "/services/Soap"}


@pytest.fixture
def client(sf: SalesforceSimulator) -> Iterator[SalesforceClient]:
    """Give a client that can renew its session."""
    made = SalesforceClient(tenant_of(sf=sf, salesforce=renewable(sf)))
    yield made
    made.close()


def renewable(sf: SalesforceSimulator) -> dict[str, Any]:
    names = ("client_id", "client_secret", "refresh_token")
    return {"access_token": None, **{name: sf.credentials[name] for name in names}}


def leads(sf: SalesforceSimulator, count: int) -> list[Conversion]:
    [account] = sf.put_records("Account", {"Name": "A & Co"})
    contacts = sf.put_records("Contact", *({"LastName": f"C{n}", "AccountId": account} for n in range(count)))
    there = sf.put_records("Lead", *({"LastName": f"L{n}", "Company": "C"} for n in range(count)))
    return [Conversion(lead, account, contact) for lead, contact in zip(there, contacts, strict=True)]


def convert(client: SalesforceClient, conversions: Sequence[Conversion]) -> list[Receipt]:
    return [receipt for receipts in client.convert(conversions) for receipt in receipts]


def became(sf: SalesforceSimulator) -> dict[str, tuple[str | None, str | None]]:
    return {row["Id"]: (row["ConvertedAccountId"], row["ConvertedContactId"]) for row in sf.records("Lead")}


@pytest.mark.parametrize(("count", "calls"), [(1, 2), (100, 2), (101, 3)])
def test_a_hundred_leads_go_in_a_call_and_no_deal_is_made(
    sf: SalesforceSimulator, client: SalesforceClient, count: int, calls: int
) -> None:
    wanted = leads(sf, count)
    receipts = convert(client, wanted)
    assert receipts == [Receipt(c.lead_id, Outcome.UPDATED, c.lead_id) for c in wanted]
    assert became(sf) == {c.lead_id: (c.account_id, c.contact_id) for c in wanted}
    assert {row["Status"] for row in sf.records("Lead")} == {"Closed - Converted"}
    assert sf.records("Opportunity") == []
    assert client.calls == calls, "the status is asked once"
    assert convert(client, []) == []


def test_a_lead_that_is_refused_fails_alone_and_its_values_stay_out(
    sf: SalesforceSimulator, client: SalesforceClient
) -> None:
    good, gone, locked = leads(sf, 3)
    sf.put_records("Lead", {"Id": gone.lead_id, "IsDeleted": True})
    sf.set_faults(
        {
            "match": SOAP,
            "do": {
                "row_error": {
                    "statusCode": "UNABLE_TO_LOCK_ROW",
                    "message": "ann@lee.example",
                    "when": {"Id": locked.lead_id},
                }
            },
        }
    )
    receipts = convert(client, [good, gone, locked])
    assert [(receipt.outcome, receipt.code) for receipt in receipts] == [
        (Outcome.UPDATED, None),
        (Outcome.REFUSED, "ENTITY_IS_DELETED"),
        (Outcome.PASSING, "UNABLE_TO_LOCK_ROW"),
    ]
    assert not any(receipt.message for receipt in receipts)
    assert all(mend_for(receipt.code) for receipt in receipts[1:])


def test_a_lead_that_was_converted_before_is_well_if_it_became_the_same_contact(
    sf: SalesforceSimulator, client: SalesforceClient
) -> None:
    mine, other = leads(sf, 2)
    convert(client, [mine, other])
    swapped = Conversion(other.lead_id, other.account_id, mine.contact_id)
    receipts = convert(client, [mine, swapped])
    assert [receipt.outcome for receipt in receipts] == [Outcome.UPDATED, Outcome.REFUSED]
    assert receipts[1].code == "CANNOT_UPDATE_CONVERTED_LEAD"


@pytest.mark.parametrize("do", [{"commit_then_reset": True}, {"truncate": 200}, {"garbage": True}, {"status": 503}])
def test_a_conversion_whose_answer_was_lost_is_asked_again_and_found_done(
    sf: SalesforceSimulator, client: SalesforceClient, naps: list[float], do: dict[str, Any]
) -> None:
    wanted = leads(sf, 2)
    sf.set_faults({"match": {**SOAP, "times": 1}, "do": do})
    assert [receipt.outcome for receipt in convert(client, wanted)] == [Outcome.UPDATED] * 2
    assert became(sf) == {c.lead_id: (c.account_id, c.contact_id) for c in wanted}
    assert len(naps) == 1


def test_a_session_that_ended_is_renewed_for_a_conversion_too(
    sf: SalesforceSimulator, client: SalesforceClient, naps: list[float]
) -> None:
    first, second = leads(sf, 2)
    convert(client, [first])
    sf.expire_session()
    assert [receipt.outcome for receipt in convert(client, [second])] == [Outcome.UPDATED]
    assert naps == []


def test_a_token_that_cannot_be_renewed_is_the_credentials_fault(sf: SalesforceSimulator) -> None:
    client = SalesforceClient(tenant_of(sf=sf, salesforce={"converted_status": "Closed - Converted"}))
    sf.expire_session()
    with pytest.raises(CredentialsError, match="expired"):
        convert(client, leads(sf, 1))
    client.close()


def test_a_days_limit_and_a_fault_of_the_call_are_final(
    sf: SalesforceSimulator, client: SalesforceClient, naps: list[float]
) -> None:
    convert(client, leads(sf, 1))
    sf.set_limit(100, used=100)
    with pytest.raises(PermanentError, match="daily limit of API calls is used up"):
        convert(client, leads(sf, 1))
    assert naps == []


def test_an_answer_for_other_leads_is_no_receipt(sf: SalesforceSimulator, client: SalesforceClient) -> None:
    body = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body/></e:Envelope>'
    sf.set_faults({"match": SOAP, "do": {"status": 200, "body": body}})
    with pytest.raises(TransientError, match="the answer does not match the request"):
        convert(client, leads(sf, 1))


def test_a_configured_status_is_not_asked_for(sf: SalesforceSimulator) -> None:
    client = SalesforceClient(tenant_of(sf=sf, salesforce={"converted_status": "Won & done"}))
    [refused] = convert(client, leads(sf, 1))
    assert (refused.outcome, refused.code, client.calls) == (Outcome.REFUSED, "INVALID_STATUS", 1)
    sf.put_records("LeadStatus", {"MasterLabel": "Won & done", "ApiName": "Won & done", "IsConverted": True})
    assert [receipt.outcome for receipt in convert(client, leads(sf, 1))] == [Outcome.UPDATED]
    client.close()


def test_an_org_without_such_a_status_says_how_to_mend_it(sf: SalesforceSimulator, client: SalesforceClient) -> None:
    for row in sf.records("LeadStatus"):
        sf.put_records("LeadStatus", {"Id": row["Id"], "IsConverted": False})
    with pytest.raises(PermanentError, match="no status for a converted lead: mark one"):
        convert(client, leads(sf, 1))
