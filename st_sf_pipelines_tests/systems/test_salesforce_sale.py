"""The client writes deals, events, leads and members of campaigns through a real socket, each of them once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines.errors import TransientError
from st_sf_pipelines.mapping import ObjectMap, difference, payload
from st_sf_pipelines.ports import Outcome, Receipt, Upsert
from st_sf_pipelines.systems.salesforce.client import SalesforceClient
from st_sf_pipelines.systems.salesforce.deals import CAMPAIGN_MEMBER, DEALS, EVENT, LEAD, OPPORTUNITY
from st_sf_pipelines.systems.salesforce.objects import ACCOUNT, CONTACT
from st_sf_pipelines_tests.systems.conftest import tenant_of
from st_sf_pipelines_tests.systems.test_salesforce_deals import DEAL, JOB, PERSON

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from st_sf_pipelines.simulators.salesforce.simulator import SalesforceSimulator

SAM, SUE, OFFICE = "sam.seller@stand-in.example", "sue.seller@stand-in.example", "office@stand-in.example"


@pytest.fixture
def client(sf: SalesforceSimulator) -> Iterator[SalesforceClient]:
    """Give a client of the stand-in's org."""
    made = SalesforceClient(tenant_of(sf=sf))
    yield made
    made.close()


@pytest.fixture
def contact(sf: SalesforceSimulator) -> str:
    """Give the id of a contact whose account carries the key st_1."""
    [account] = sf.put_records("Account", {"Name": "A", ACCOUNT.key: "st_1"})
    return sf.put_records("Contact", {"LastName": "L", CONTACT.key: "st_1", "AccountId": account})[0]


def push(client: SalesforceClient, target: ObjectMap, *upserts: Upsert) -> list[Receipt]:
    return [receipt for receipts in client.push(target, list(upserts)) for receipt in receipts]


def outcomes(receipts: Sequence[Receipt]) -> dict[str, Outcome]:
    assert len({receipt.key for receipt in receipts}) == len(receipts), "one receipt each"
    return {receipt.key: receipt.outcome for receipt in receipts}


def deal(number: int, **fields: Any) -> Upsert:
    key = f"st_1_{number}"
    made = {"Name": key, "StageName": "Qualification", "CloseDate": "2026-03-01", "Account": {ACCOUNT.key: "st_1"}}
    return Upsert(key, {OPPORTUNITY.key: key, **made, **fields})


def event(job: int, *, unsure: bool = False, **fields: Any) -> Upsert:
    when = {"StartDateTime": "2026-01-31T16:00:00Z", "EndDateTime": "2026-01-31T17:00:00Z"}
    return Upsert(str(job), {EVENT.key: str(job), "Subject": f"Job {job}", **when, **fields}, unsure=unsure)


def member(campaign: str, contact: str, *, unsure: bool = False) -> Upsert:
    return Upsert(f"{campaign}/{contact}", {"CampaignId": campaign, "ContactId": contact}, unsure=unsure)


def test_a_deal_is_upserted_by_its_key_and_its_contact_goes_only_to_a_new_one(
    sf: SalesforceSimulator, client: SalesforceClient, contact: str
) -> None:
    [made] = push(client, OPPORTUNITY, deal(1, ContactId=contact, Probability=50))
    [row] = sf.records("Opportunity")
    assert (made.outcome, made.remote_id) == (Outcome.CREATED, row["Id"])
    assert (row["ContactId"], row["Probability"], row["ForecastCategoryName"]) == (contact, 50, "Pipeline")
    before = client.calls
    [linked] = push(client, OPPORTUNITY, Upsert("st_1_1", {"NextStep": "Call", "ContactId": contact}, made.remote_id))
    [again] = push(client, OPPORTUNITY, deal(1, ContactId=contact, NextStep="Visit"))
    assert [linked.outcome, again.outcome] == [Outcome.UPDATED, Outcome.UPDATED]
    assert client.calls - before == 1 + 2, "a key that is there refuses the contact once"
    assert sf.records("Opportunity")[0]["NextStep"] == "Visit"


def test_a_linked_record_of_which_nothing_is_left_to_send_takes_no_call(client: SalesforceClient, contact: str) -> None:
    [made] = push(client, OPPORTUNITY, deal(1))
    before = client.calls
    [idle] = push(client, OPPORTUNITY, Upsert("st_1_1", {"ContactId": contact}, made.remote_id))
    assert (idle.outcome, idle.remote_id, client.calls) == (Outcome.UPDATED, made.remote_id, before)


def test_events_are_made_two_hundred_a_request_and_then_go_by_their_ids(
    sf: SalesforceSimulator, client: SalesforceClient, contact: str
) -> None:
    receipts = push(client, EVENT, *(event(job, WhoId=contact) for job in range(450)))
    assert set(outcomes(receipts).values()) == {Outcome.CREATED}
    assert (client.calls, len(sf.records("Event"))) == (1, 450)
    assert sf.counters["auto_assign"].keys() == {"FALSE"}
    ids = {row[EVENT.key]: row["Id"] for row in sf.records("Event")}
    assert {receipt.key: receipt.remote_id for receipt in receipts} == ids
    mixed = [Upsert("7", {"Subject": "Moved"}, ids["7"]), event(450)]
    assert outcomes(push(client, EVENT, *mixed)) == {"7": Outcome.UPDATED, "450": Outcome.CREATED}
    assert (client.calls, len(sf.records("Event"))) == (2, 451)
    assert next(row for row in sf.records("Event") if row["Id"] == ids["7"])["Subject"] == "Moved"


LOST: list[dict[str, Any]] = [
    {"commit_then_reset": True},
    {"truncate": 20},
    {"status": 503, "body": [{"errorCode": "SERVER_UNAVAILABLE", "message": "m"}]},
    {"status": 200, "body": {"odd": 1}},
]


@pytest.mark.parametrize("count", [1, 450])
@pytest.mark.parametrize("do", LOST)
def test_events_whose_answer_was_lost_are_looked_for_before_they_are_made_again(
    sf: SalesforceSimulator, client: SalesforceClient, naps: list[float], do: dict[str, Any], count: int
) -> None:
    sf.set_faults({"match": {"path": "/composite", "times": 1}, "do": do})
    receipts = push(client, EVENT, *(event(job) for job in range(count)))
    assert outcomes(receipts) == {str(job): Outcome.CREATED for job in range(count)}
    assert sorted(row[EVENT.key] for row in sf.records("Event")) == sorted(map(str, range(count)))
    assert {receipt.remote_id for receipt in receipts} == {row["Id"] for row in sf.records("Event")}
    assert naps


def test_a_request_that_stays_lost_is_sent_no_more_than_three_times(
    sf: SalesforceSimulator, client: SalesforceClient, naps: list[float]
) -> None:
    sf.set_faults({"match": {"path": "/composite"}, "do": {"status": 503}})
    with pytest.raises(TransientError):
        push(client, EVENT, event(1))
    posts = [call for call in sf.counters["calls"] if call["method"] == "POST"]
    assert (posts[0]["count"], len(naps)) == (3, 2)


def test_an_event_of_an_earlier_attempt_is_linked_and_the_oldest_of_two(
    sf: SalesforceSimulator, client: SalesforceClient
) -> None:
    when = {"StartDateTime": "2026-01-31T16:00:00Z", "DurationInMinutes": 5, EVENT.key: "1"}
    younger, older = sf.put_records("Event", {**when}, {**when, "CreatedDate": "2026-01-01T00:00:00Z"})
    receipts = push(client, EVENT, event(1, unsure=True), event(2, unsure=True), event(3))
    assert outcomes(receipts) == {"1": Outcome.UPDATED, "2": Outcome.CREATED, "3": Outcome.CREATED}
    subjects = {row["Id"]: row["Subject"] for row in sf.records("Event")}
    assert (subjects[older], subjects[younger], len(subjects)) == ("Job 1", None, 4)


def test_a_locked_event_is_made_alone_and_a_bad_one_parks_alone(
    sf: SalesforceSimulator, client: SalesforceClient, naps: list[float]
) -> None:
    sf.set_faults(
        {
            "do": {
                "row_error": {"statusCode": "UNABLE_TO_LOCK_ROW", "message": "m", "times": 1, "when": {EVENT.key: "2"}}
            }
        }
    )
    bad = event(3, EndDateTime="2026-01-31T15:00:00Z")
    receipts = push(client, EVENT, event(1), event(2), bad)
    assert outcomes(receipts) == {"1": Outcome.CREATED, "2": Outcome.CREATED, "3": Outcome.REFUSED}
    assert (len(sf.records("Event")), len(naps)) == (2, 1)


def test_an_event_whose_contact_is_gone_is_not_itself_gone(
    sf: SalesforceSimulator, client: SalesforceClient, contact: str
) -> None:
    [made] = push(client, EVENT, event(1))
    sf.put_records("Contact", {"Id": contact, "IsDeleted": True})
    [refused] = push(client, EVENT, Upsert("1", {"WhoId": contact}, made.remote_id))
    assert (refused.outcome, refused.code, refused.fields) == (Outcome.REFUSED, "ENTITY_IS_DELETED", ("WhoId",))
    sf.put_records("Event", {"Id": made.remote_id, "IsDeleted": True})
    [gone] = push(client, EVENT, Upsert("1", {"Subject": "x"}, made.remote_id))
    assert gone.outcome is Outcome.GONE


def test_a_member_that_is_there_already_is_linked(
    sf: SalesforceSimulator, client: SalesforceClient, contact: str
) -> None:
    first, second, third = sf.put_records("Campaign", *({"Name": name} for name in "ABC"))
    there = sf.put_records("CampaignMember", *({"CampaignId": c, "ContactId": contact} for c in (first, second)))
    receipts = push(
        client,
        CAMPAIGN_MEMBER,
        member(first[:15], contact, unsure=True),  # as people copy an id from an address
        member(second, contact),
        member(third, contact),
    )
    found = {r.key.partition("/")[0][:15]: (r.outcome, r.remote_id) for r in receipts}
    assert found[first[:15]] == (Outcome.UPDATED, there[0])
    assert found[second[:15]] == (Outcome.UPDATED, there[1])
    assert found[third[:15]][0] is Outcome.CREATED
    assert len(sf.records("CampaignMember")) == 3


def test_an_object_that_the_org_lacks_refuses_its_records_at_once(client: SalesforceClient) -> None:
    missing = ObjectMap("x/y", "Nothing__c", key="", external_id=False, fields=CAMPAIGN_MEMBER.fields)
    receipts = push(client, missing, *(Upsert(str(n), {"CampaignId": str(n)}) for n in range(200)))
    assert {receipt.code for receipt in receipts} == {"INVALID_TYPE"}
    assert (len(receipts), client.calls) == (200, 1)


def test_owners_are_found_by_e_mail_in_one_call_for_all(sf: SalesforceSimulator, client: SalesforceClient) -> None:
    sf.put_records("Account", {"Name": "A", ACCOUNT.key: "st_1"})
    users = {row["Email"]: row["Id"] for row in sf.records("User")}
    sf.put_records("User", {"Username": "o", "LastName": "Out", "Email": "out@x.example", "IsActive": False})
    for name in ("t1", "t2"):
        sf.put_records("User", {"Username": name, "LastName": name, "Email": "twin@x.example"})
    emails = [SAM.upper(), SUE, "out@x.example", "twin@x.example", "nobody@x.example", None]
    push(client, OPPORTUNITY, *(deal(n, OwnerId=email) for n, email in enumerate(emails)))
    assert client.calls == 2
    ours = users["integration@stand-in.example"]
    owners = {row["Name"]: row["OwnerId"] for row in sf.records("Opportunity")}
    assert list(owners.values()) == [users[SAM], users[SUE], ours, ours, ours, ours]
    push(client, OPPORTUNITY, deal(9, OwnerId=SAM))
    assert client.calls == 3, "who was asked for once is known"


def test_of_several_addresses_the_first_that_the_org_knows_counts_before_the_configured_owner(
    sf: SalesforceSimulator,
) -> None:
    client = SalesforceClient(tenant_of(sf=sf, salesforce={"owner": OFFICE}))
    sf.put_records("Account", {"Name": "A", ACCOUNT.key: "st_1"})
    users = {row["Id"]: row["Email"] for row in sf.records("User")}
    wanted = [[SUE, SAM], ["nobody@x.example", SAM.upper()], ["nobody@x.example", "no.one@x.example"]]
    push(client, OPPORTUNITY, *(deal(n, OwnerId=emails) for n, emails in enumerate(wanted)))
    assert [users[row["OwnerId"]] for row in sf.records("Opportunity")] == [SUE, SAM, OFFICE]
    assert len(list(client.read(OPPORTUNITY, ["OwnerId"], keyed=True))) == 3
    for emails, shown in zip(wanted, (SUE, SAM, OFFICE), strict=True):
        assert [each for each in (SUE, SAM, OFFICE) if client.same("OwnerId", emails, each)] == [shown]
    client.close()


def test_the_configured_owner_takes_what_is_nobodys(sf: SalesforceSimulator) -> None:
    client = SalesforceClient(tenant_of(sf=sf, salesforce={"owner": OFFICE}))
    sf.put_records("Account", {"Name": "A", ACCOUNT.key: "st_1"})
    users = {row["Id"]: row["Email"] for row in sf.records("User")}
    receipts = push(client, OPPORTUNITY, deal(1, OwnerId="nobody@x.example"), deal(2), deal(3, OwnerId=SAM))
    assert [users[row["OwnerId"]] for row in sf.records("Opportunity")] == [OFFICE, OFFICE, SAM]
    push(client, OPPORTUNITY, Upsert("st_1_3", {"NextStep": "x"}, receipts[2].remote_id))
    assert users[sf.records("Opportunity")[2]["OwnerId"]] == SAM, "an update that names no owner changes none"
    assert len(list(client.read(OPPORTUNITY, ["OwnerId"], keyed=True))) == 3
    assert client.same("OwnerId", "nobody@x.example", OFFICE)
    assert not client.same("OwnerId", "nobody@x.example", SAM)
    client.close()


def test_deals_are_read_back_as_they_are_sent(client: SalesforceClient, contact: str) -> None:
    sent = deal(1, ContactId=contact, Amount=1234.56, OwnerId=SAM, Probability=25)
    push(client, OPPORTUNITY, sent)
    [read] = client.read(OPPORTUNITY, [name for name in sent.fields if name != OPPORTUNITY.key], keyed=True)
    assert read.key == "st_1_1"
    assert all(client.same(name, ours, read.fields[name]) for name, ours in sent.fields.items())
    assert read.fields["OwnerId"] == SAM
    assert not client.same("OwnerId", SUE, read.fields["OwnerId"])
    assert client.same("OwnerId", "nobody@x.example", read.fields["OwnerId"]), "it was never sent"
    assert not client.same("Amount", 1234.5, read.fields["Amount"])
    assert not client.same("ContactId", None, contact)
    assert not client.same("ContactId", {"$ref": CONTACT.asset, "subject": 1}, contact)


def test_events_are_read_back_by_job_and_members_by_their_ids(
    sf: SalesforceSimulator, client: SalesforceClient, contact: str
) -> None:
    push(client, EVENT, event(1, WhoId=contact), event(2))
    sf.put_records("Event", {"StartDateTime": "2026-01-31T16:00:00Z", "DurationInMinutes": 5})
    read = {remote.key: remote.fields for remote in client.read(EVENT, ["WhoId", "EndDateTime"], keyed=True)}
    assert read.keys() == {"1", "2"}
    assert client.same("EndDateTime", "2026-01-31T17:00:00Z", read["1"]["EndDateTime"])
    assert client.same("WhoId", contact[:15], read["1"]["WhoId"])
    second = [remote.remote_id for remote in client.read(EVENT, ["Subject"], keyed=True) if remote.key == "2"]
    assert [remote.key for remote in client.read(EVENT, ["Subject"], keyed=True, ids=second)] == ["2"]
    campaigns = sf.put_records("Campaign", {"Name": "A"}, {"Name": "B"})
    made = push(client, CAMPAIGN_MEMBER, *(member(campaign, contact) for campaign in campaigns))
    ids = [str(receipt.remote_id) for receipt in made]
    [one] = client.read(CAMPAIGN_MEMBER, ["CampaignId"], keyed=True, ids=ids[:1])
    assert (one.remote_id, one.key, one.fields) == (ids[0], None, {"CampaignId": campaigns[0]})
    assert len(list(client.read(CAMPAIGN_MEMBER, ["CampaignId"], keyed=True))) == 2


def test_strangers_are_looked_for_where_a_key_could_find_them(
    sf: SalesforceSimulator, client: SalesforceClient
) -> None:
    when = {"StartDateTime": "2026-01-31T16:00:00Z", "DurationInMinutes": 5}
    sf.put_records("Event", when)
    assert client.strangers(DEALS) == []
    assert client.strangers([EVENT, CAMPAIGN_MEMBER]) == []
    sf.put_records("Lead", {"LastName": "L", "Company": "C"})
    sf.put_records("Opportunity", {"Name": "O", "StageName": "Prospecting", "CloseDate": "2026-01-31"})
    assert client.strangers(DEALS) == [LEAD, OPPORTUNITY]


def test_merged_records_name_the_one_that_is_left(sf: SalesforceSimulator, client: SalesforceClient) -> None:
    first, second, third, gone = sf.put_records("Contact", *({"LastName": name} for name in "ABCD"))
    sf.merge("Contact", second, first)
    sf.merge("Contact", third, second)
    sf.put_records("Contact", {"Id": gone, "IsDeleted": True})
    assert client.masters(CONTACT, [first, second, third, gone]) == {first: third, second: third}
    assert client.masters(CONTACT, [first]) == {first: third}
    before = client.calls
    assert client.masters(EVENT, ["00UHu0000000001IAA"]) == {}
    assert client.masters(CONTACT, []) == {}
    assert client.calls == before


def test_what_the_maps_make_is_taken_by_the_org_and_read_back_the_same(
    sf: SalesforceSimulator, client: SalesforceClient
) -> None:
    [account] = sf.put_records("Account", {"Name": "A", ACCOUNT.key: "st_7"})
    [contact] = sf.put_records("Contact", {"LastName": "L", "AccountId": account})
    [campaign] = sf.put_records("Campaign", {"Name": "VIP"})
    ids = {ACCOUNT.asset: account, CONTACT.asset: contact}
    place: dict[str, Any] = {"key": "st_7/VIP", "campaign_id": campaign, "contact": 7}
    for target, row in ((OPPORTUNITY, DEAL), (EVENT, JOB), (LEAD, PERSON), (CAMPAIGN_MEMBER, place)):
        wanted = payload(target, row)
        sent = {**wanted, **{name: ids[wanted[name]["$ref"]] for name in target.references}}
        [made] = push(client, target, Upsert(row["key"], difference(target, sent, None)))
        assert (made.outcome, made.code) == (Outcome.CREATED, None)
        [read] = client.read(target, [field.to for field in target.fields], keyed=True, ids=[str(made.remote_id)])
        assert read.key == (row["key"] if target.key else None)
        assert [
            name
            for name, value in sent.items()
            if name != target.key and not client.same(name, value, read.fields[name])
        ] == []
