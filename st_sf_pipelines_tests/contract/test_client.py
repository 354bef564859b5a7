"""Our client keeps its promises with the stand-in and with a real Payload: nothing doubled, all accounted for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines.errors import CredentialsError, PermanentError, TargetStopped
from st_sf_pipelines.ports import Outcome, Receipt, Upsert
from st_sf_pipelines.systems.crm.client import CrmClient
from st_sf_pipelines.systems.crm.codes import mend_for
from st_sf_pipelines.systems.crm.objects import ACTIVITY, CONTACT, OPPORTUNITY, PIPELINES, STAGES, objects_of
from st_sf_pipelines.systems.crm.stages import Pipeline, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines_tests.contract.peers import Peer

SALES = Pipeline(
    "sales", "Sales", "sales", (Stage("new-lead", "New Lead", 1), Stage("job-sold", "Job Sold", 6, is_won=True))
)


def contact(n: int, **fields: Any) -> Upsert:
    return Upsert(str(n), {CONTACT.key: str(n), "lastName": f"L{n}", **fields})


def push(client: CrmClient, upserts: Iterable[Upsert], target: ObjectMap = CONTACT) -> list[Receipt]:
    return [receipt for receipts in client.push(target, list(upserts)) for receipt in receipts]


def only(client: CrmClient, upsert: Upsert, target: ObjectMap = CONTACT) -> Receipt:
    [receipt] = push(client, [upsert], target)
    return receipt


@pytest.fixture
def deal(client: CrmClient) -> dict[str, Any]:
    """Give the fields of a deal, its references as text, as the ledger keeps them."""
    found = client.stages.seed([SALES])
    made = only(client, contact(1)).remote_id
    points = {"contact": made, "pipeline": found.pipelines["sales"], "stage": found.stages["new-lead"]}
    return {"title": "T", "status": "open", "value": 12.5, "serviceTitanId": "700", **points}


def test_each_new_record_is_made_and_gets_its_receipt_in_order(peer: Peer, client: CrmClient) -> None:
    receipts = push(client, [contact(n, **{"address.city": "X", "address.zip": None}) for n in range(23)])
    assert [receipt.key for receipt in receipts] == [str(n) for n in range(23)]
    assert {receipt.outcome for receipt in receipts} == {Outcome.CREATED}
    there = {document["serviceTitanId"]: str(document["id"]) for document in peer.all("contacts")}
    assert {receipt.key: receipt.remote_id for receipt in receipts} == there
    assert peer.all("contacts")[0]["address"] == {"street": None, "city": "X", "state": None, "zip": None}
    assert client.calls == client.calls_for(23)


def test_a_record_that_carries_our_key_is_updated_not_doubled(peer: Peer, client: CrmClient) -> None:
    first = only(client, contact(1))
    again = only(client, contact(1, phone="5"))
    assert (again.outcome, again.remote_id) == (Outcome.UPDATED, first.remote_id)
    [document] = peer.all("contacts")
    assert (document["phone"], document["lastName"]) == ("5", "L1")


def test_a_linked_record_goes_by_its_id_and_a_null_clears(peer: Peer, client: CrmClient) -> None:
    made = only(client, contact(1, phone="5", **{"address.city": "X", "address.zip": "9"}))
    fields = {"phone": None, "address.city": None}
    assert only(client, Upsert("1", fields, made.remote_id)).outcome is Outcome.UPDATED
    [document] = peer.all("contacts")
    assert (document["phone"], document["address"]["city"], document["address"]["zip"]) == (None, None, "9")
    assert client.calls == 3


def test_a_record_that_a_person_deleted_is_told_as_gone_and_not_made_again(peer: Peer, client: CrmClient) -> None:
    made = only(client, contact(1))
    peer.delete("contacts", made.remote_id)
    gone = only(client, Upsert("1", {"phone": "5"}, made.remote_id))
    assert (gone.outcome, gone.code) == (Outcome.GONE, "NOT_FOUND")
    assert peer.all("contacts") == []
    assert "parked retry" in mend_for(gone.code)


def test_a_contact_made_by_hand_with_the_same_email_is_linked(peer: Peer, client: CrmClient) -> None:
    by_hand = peer.make("contacts", lastName="Smith", email="Ann@x.com", type="lead")
    linked = only(client, contact(1, email="Ann@x.com"))
    assert (linked.outcome, linked.remote_id) == (Outcome.UPDATED, str(by_hand))
    [document] = peer.all("contacts")
    assert (document["serviceTitanId"], document["lastName"], document["type"]) == ("1", "L1", "lead")


def test_two_contacts_made_by_hand_with_one_email_are_for_a_person_to_decide(peer: Peer, client: CrmClient) -> None:
    for name in "AB":
        peer.make("contacts", lastName=name, email="ann@x.com")
    receipts = push(client, [contact(1, email="ann@x.com"), contact(2)])
    assert [(receipt.outcome, receipt.code) for receipt in receipts] == [
        (Outcome.REFUSED, "TWO_CANDIDATES"),
        (Outcome.CREATED, None),
    ]
    assert [document["serviceTitanId"] for document in peer.all("contacts")] == [None, None, "2"]


def test_one_contact_made_by_hand_that_two_of_ours_claim_is_nobodys(peer: Peer, client: CrmClient) -> None:
    peer.make("contacts", lastName="A", email="ann@x.com")
    receipts = push(client, [contact(1, email="ann@x.com"), contact(2, email="Ann@x.com")])
    assert [receipt.code for receipt in receipts] == ["TWO_CANDIDATES", "TWO_CANDIDATES"]


def test_a_contact_with_the_same_email_and_a_key_of_its_own_is_somebody_else(peer: Peer, client: CrmClient) -> None:
    push(client, [contact(1, email="ann@x.com")])
    assert only(client, contact(2, email="ann@x.com")).outcome is Outcome.CREATED
    assert len(peer.all("contacts")) == 2


@pytest.mark.parametrize(
    ("fields", "code", "paths"),
    [
        ({"lastName": None}, "REQUIRED_FIELD", ("lastName",)),
        ({"lastName": ""}, "REQUIRED_FIELD", ("lastName",)),
        ({"email": "no mail"}, "INVALID_VALUE", ("email",)),
        ({"type": "friend", "customerType": "x"}, "INVALID_VALUE", ("customerType", "type")),
        ({"source": "nowhere", "lastName": None}, "REQUIRED_FIELD", ("lastName", "source")),
    ],
)
def test_a_bad_row_is_refused_alone_with_our_code_and_the_fields(
    peer: Peer, client: CrmClient, fields: dict[str, Any], code: str, paths: tuple[str, ...]
) -> None:
    receipts = push(client, [contact(0), contact(1, **fields), contact(2)])
    assert [receipt.outcome for receipt in receipts] == [Outcome.CREATED, Outcome.REFUSED, Outcome.CREATED]
    assert (receipts[1].code, receipts[1].fields, receipts[1].message) == (code, paths, None)
    assert len(peer.all("contacts")) == 2
    linked = only(client, Upsert("0", fields, receipts[0].remote_id))
    assert (linked.outcome, linked.code, linked.fields) == (Outcome.REFUSED, code, paths)


def test_of_a_batch_half_of_which_is_refused_the_rest_goes_through(peer: Peer, client: CrmClient) -> None:
    rows = [contact(n, email="no mail" if n % 2 else f"e{n}@x.com") for n in range(24)]
    outcomes = [receipt.outcome for receipt in push(client, rows)]
    assert outcomes == [Outcome.REFUSED if n % 2 else Outcome.CREATED for n in range(24)]
    assert len(peer.all("contacts")) == 12


def test_references_go_as_ids_of_the_servers_kind_though_the_ledger_keeps_text(
    peer: Peer, client: CrmClient, deal: dict[str, Any]
) -> None:
    fresh = CrmClient(peer.tenant())  # one that has seen no answer yet
    made = only(fresh, Upsert("d1", deal), OPPORTUNITY)
    fresh.close()
    assert made.outcome is Outcome.CREATED
    [document] = peer.all("opportunities")
    assert isinstance(document["contact"], int if peer.has_numbers else str)
    assert {name: str(document[name]) for name in ("contact", "stage")} == {
        name: deal[name] for name in ("contact", "stage")
    }
    assert (document["value"], document["status"], document["serviceTitanId"]) == (12.5, "open", "700")
    stage = client.stages.look([SALES]).stages["job-sold"]
    assert only(client, Upsert("d1", {"stage": stage}, made.remote_id), OPPORTUNITY).outcome is Outcome.UPDATED
    assert str(peer.all("opportunities")[0]["stage"]) == stage


def test_a_deal_is_found_by_its_job_and_its_contact_alone(peer: Peer, client: CrmClient, deal: dict[str, Any]) -> None:
    first = only(client, Upsert("d1", deal), OPPORTUNITY)
    again = only(client, Upsert("d1", deal), OPPORTUNITY)
    assert (again.outcome, again.remote_id) == (Outcome.UPDATED, first.remote_id)
    other = only(client, contact(2)).remote_id
    moved = only(client, Upsert("d2", {**deal, "contact": other}), OPPORTUNITY)
    assert moved.outcome is Outcome.CREATED
    assert len(peer.all("opportunities")) == 2


def test_a_deal_that_is_linked_to_another_of_ours_is_never_captured(peer: Peer, deal: dict[str, Any]) -> None:
    linked: dict[str, set[str]] = {}
    client = CrmClient(peer.tenant(), lambda asset, ids: linked.get(asset, set()) & set(ids))
    first = only(client, Upsert("d1", deal), OPPORTUNITY)
    linked[OPPORTUNITY.asset] = {str(first.remote_id)}
    second = only(client, Upsert("d2", deal), OPPORTUNITY)
    client.close()
    assert (second.outcome, second.remote_id == first.remote_id) == (Outcome.CREATED, False)


def test_two_free_deals_with_one_job_are_for_a_person_to_decide(
    peer: Peer, client: CrmClient, deal: dict[str, Any]
) -> None:
    made = only(client, Upsert("d1", deal), OPPORTUNITY)
    [document] = peer.all("opportunities")
    peer.make("opportunities", **{name: document[name] for name in deal})
    assert only(client, Upsert("d1", deal), OPPORTUNITY).code == "TWO_CANDIDATES"
    assert only(client, Upsert("d1", {"title": "U"}, made.remote_id), OPPORTUNITY).outcome is Outcome.UPDATED


def test_a_reference_to_what_is_not_there_is_passing_trouble_of_that_row_alone(
    peer: Peer, client: CrmClient, deal: dict[str, Any], naps: list[float]
) -> None:
    missing = "999999" if peer.has_numbers else "00000000-0000-4000-8000-000000000000"
    rows = [Upsert("d1", {**deal, "contact": missing}), Upsert("d2", {**deal, "serviceTitanId": "701"})]
    receipts = push(client, rows, OPPORTUNITY)
    assert [(receipt.outcome, receipt.code) for receipt in receipts] == [
        (Outcome.PASSING, "SERVER_ERROR"),
        (Outcome.CREATED, None),
    ]
    assert naps == [0.5]
    assert len(peer.all("opportunities")) == 1


def test_a_reference_that_can_be_no_id_is_refused(peer: Peer, client: CrmClient, deal: dict[str, Any]) -> None:
    if peer.has_numbers:  # any text can be an id where ids are text
        receipt = only(client, Upsert("d1", {**deal, "contact": "abc"}), OPPORTUNITY)
        assert (receipt.code, receipt.fields) == ("INVALID_REFERENCE", ("contact",))
    receipt = only(client, Upsert("d2", {**deal, "stage": None}), OPPORTUNITY)
    assert (receipt.outcome, receipt.code) == (Outcome.REFUSED, "INVALID_REFERENCE")


def test_an_activity_is_written_once_under_the_key_in_its_data(peer: Peer, client: CrmClient) -> None:
    made = only(client, contact(1))
    fields = {"type": "stage_changed", "title": "Moved", "contact": made.remote_id, "data": {"from": "a", "to": "b"}}
    first = only(client, Upsert("st_1:moved:2", {ACTIVITY.key: "st_1:moved:2", **fields}), ACTIVITY)
    assert first.outcome is Outcome.CREATED
    again = only(client, Upsert("st_1:moved:2", {ACTIVITY.key: "st_1:moved:2", **fields}), ACTIVITY)
    assert (again.outcome, again.remote_id) == (Outcome.UPDATED, first.remote_id)
    [document] = peer.all("activities")
    assert document["data"] == {"from": "a", "to": "b", "key": "st_1:moved:2"}
    linked = Upsert("st_1:moved:2", {"data": {"from": "c"}}, first.remote_id)
    assert only(client, linked, ACTIVITY).outcome is Outcome.UPDATED
    assert peer.all("activities")[0]["data"] == {"from": "c", "key": "st_1:moved:2"}
    bare = only(client, Upsert("st_1:bare", {"type": "note"}), ACTIVITY)
    assert peer.all("activities")[1]["data"] == {"key": "st_1:bare"}
    assert {remote.key: remote.remote_id for remote in client.read(ACTIVITY, ["title"], keyed=True)} == {
        "st_1:moved:2": first.remote_id,
        "st_1:bare": bare.remote_id,
    }


def test_a_key_that_another_record_has_is_named(peer: Peer, client: CrmClient) -> None:
    push(client, [contact(1)])
    other = peer.make("contacts", lastName="B")
    receipt = only(client, Upsert("2", {CONTACT.key: "1"}, str(other)))
    assert (receipt.outcome, receipt.code, receipt.fields) == (Outcome.REFUSED, "KEY_TAKEN", (CONTACT.key,))


def test_what_was_written_is_read_back_as_the_same(peer: Peer, client: CrmClient, deal: dict[str, Any]) -> None:
    sent = {**deal, "closeDate": "2026-01-31T12:00:00.000Z", "notes": "a\nb", "serviceTitanJobNumber": "J-1"}
    push(client, [Upsert("d1", sent)], OPPORTUNITY)
    peer.make("opportunities", **{**peer.all("opportunities")[0], "serviceTitanId": None})
    [remote] = client.read(OPPORTUNITY, list(sent), keyed=True)
    assert (remote.key, remote.fields.keys()) == ("700", sent.keys())
    assert [name for name in sent if not client.same(name, sent[name], remote.fields[name])] == []
    assert len(list(client.read(OPPORTUNITY, ["title"], keyed=False))) == 2


def test_just_the_asked_records_are_read_by_id(client: CrmClient) -> None:
    receipts = push(client, [contact(n, **{"address.city": f"C{n}"}) for n in range(5)])
    ids = [str(receipts[n].remote_id) for n in (1, 3)]
    read = client.read(CONTACT, ["address.city", "address.zip"], keyed=True, ids=ids)
    assert {remote.key: dict(remote.fields) for remote in read} == {
        key: {"address.city": f"C{key}", "address.zip": None} for key in ("1", "3")
    }


def test_strangers_are_contacts_without_our_key(peer: Peer, client: CrmClient, deal: dict[str, Any]) -> None:
    push(client, [Upsert("d1", {**deal, "serviceTitanId": None})], OPPORTUNITY)
    assert client.strangers([CONTACT, OPPORTUNITY, ACTIVITY]) == []
    peer.make("contacts", lastName="Stranger")
    assert client.strangers([CONTACT, OPPORTUNITY, ACTIVITY]) == [CONTACT]


SET_BY_PEOPLE = ("stage", "pinned", "notes", "value", "assignedTo")


def test_what_people_changed_since_is_read_in_its_order(peer: Peer, client: CrmClient, deal: dict[str, Any]) -> None:
    receipts = push(client, [Upsert(f"d{n}", {**deal, "serviceTitanId": str(n)}) for n in range(3)], OPPORTUNITY)
    [user] = peer.all("users")
    stage = client.stages.look([SALES]).stages["job-sold"]
    own = int(stage) if peer.has_numbers else stage
    peer.change(
        "opportunities", receipts[0].remote_id, stage=own, pinned=True, notes="n", value=9, assignedTo=user["id"]
    )
    changed = list(client.changed_since(OPPORTUNITY, datetime(2026, 1, 1, tzinfo=UTC), SET_BY_PEOPLE))
    assert sorted(str(remote.key) for remote in changed) == ["0", "1", "2"]
    assert changed[-1].remote_id == receipts[0].remote_id
    assert changed == sorted(changed, key=lambda remote: remote.fields["updatedAt"])
    fields = changed[-1].fields
    assert {name: fields[name] for name in ("stage", "pinned", "notes", "value", "assignedTo")} == {
        "stage": stage,
        "pinned": True,
        "notes": "n",
        "value": 9,
        "assignedTo": str(user["id"]),
    }
    assert client.emails([fields["assignedTo"]]) == {fields["assignedTo"]: "sync@example.com"}
    assert client.emails([]) == {}
    last = datetime.fromisoformat(fields["updatedAt"])
    assert "0" in {remote.key for remote in client.changed_since(OPPORTUNITY, last, ["title"])}
    assert list(client.changed_since(OPPORTUNITY, last.replace(year=last.year + 1), SET_BY_PEOPLE)) == []


def test_changes_beyond_a_page_come_all_and_each_once(client: CrmClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("st_sf_pipelines.systems.crm.client.PAGE", 3)
    monkeypatch.setattr("st_sf_pipelines.systems.crm.session.PAGE", 3)
    push(client, [contact(n) for n in range(10)])
    changed = [remote.key for remote in client.changed_since(CONTACT, datetime(2026, 1, 1, tzinfo=UTC), [])]
    assert sorted(map(str, changed)) == [str(n) for n in range(10)]
    assert len(list(client.read(CONTACT, [], keyed=True))) == 10


def test_a_wrong_key_is_told_from_a_missing_one(peer: Peer) -> None:
    told: list[tuple[dict[str, Any], str]] = [
        ({"api_key": "wrong"}, r"does not know crm\.api_key"),
        ({"api_key": None}, r"neither crm\.api_key .* nor crm\.webhook_secret"),
        ({"api_key": None, "webhook_secret": "wrong"}, r"does not take crm\.webhook_secret"),
    ]
    for access, words in told:
        client = CrmClient(peer.tenant(**access))
        with pytest.raises(CredentialsError, match=words):
            push(client, [contact(1)])
        client.close()
    client = CrmClient(peer.tenant(api_key=None, webhook_secret=peer.credentials["webhook_secret"]))
    assert only(client, contact(1)).outcome is Outcome.CREATED
    client.close()


def test_a_collection_that_is_not_there_stops_the_target(peer: Peer) -> None:
    tenant = peer.tenant(collections={"contacts": "people"})
    assert tenant.crm is not None
    client = CrmClient(tenant)
    with pytest.raises(PermanentError, match=r"POST /api/people: there is no such collection"):
        push(client, [contact(1)], objects_of(tenant.crm)[0])
    client.close()


def test_pipelines_and_stages_are_made_once_by_slug(peer: Peer, client: CrmClient) -> None:
    assert sorted(client.stages.look([SALES]).missing) == ["job-sold", "new-lead", "sales"]
    first = client.stages.seed([SALES])
    assert client.stages.seed([SALES]) == first == client.stages.look([SALES])
    [pipeline] = peer.all("pipelines")
    assert (pipeline["name"], pipeline["type"], str(pipeline["id"])) == ("Sales", "sales", first.pipelines["sales"])
    stages = {stage["slug"]: stage for stage in peer.all("pipeline-stages")}
    assert {slug: str(stage["id"]) for slug, stage in stages.items()} == first.stages
    assert [(stages[slug]["order"], stages[slug]["isWon"]) for slug in ("new-lead", "job-sold")] == [
        (1, False),
        (6, True),
    ]


def test_a_renamed_stage_keeps_its_name_and_a_deleted_one_is_named(peer: Peer, client: CrmClient) -> None:
    found = client.stages.seed([SALES])
    by_slug = {stage["slug"]: stage["id"] for stage in peer.all("pipeline-stages")}
    peer.change("pipeline-stages", by_slug["new-lead"], name="Fresh")
    assert client.stages.seed([SALES]) == found
    assert {stage["name"] for stage in peer.all("pipeline-stages")} == {"Fresh", "Job Sold"}
    peer.delete("pipeline-stages", by_slug["job-sold"])
    with pytest.raises(TargetStopped, match=r"no longer has the stage Job Sold \(job-sold\) of Sales.*setup --apply"):
        client.stages.seed([SALES], found.stages)
    assert len(peer.all("pipeline-stages")) == 1
    again = client.stages.seed([SALES], found.stages, again=True)
    assert (again.pipelines, again.stages["new-lead"]) == (found.pipelines, found.stages["new-lead"])
    assert [stage["name"] for stage in peer.all("pipeline-stages")] == ["Fresh", "Job Sold"]


def test_of_two_stages_with_one_slug_the_older_counts(peer: Peer, client: CrmClient) -> None:
    found = client.stages.seed([SALES])
    stage = next(stage for stage in peer.all("pipeline-stages") if stage["slug"] == "new-lead")
    for _ in range(3):
        peer.make("pipeline-stages", name="Copy", slug="new-lead", order=1, pipeline=stage["pipeline"])
    assert client.stages.look([SALES]) == found


def test_a_stage_of_the_same_slug_in_another_pipeline_is_not_ours(peer: Peer, client: CrmClient) -> None:
    theirs = peer.make("pipelines", name="Theirs", slug="theirs")
    peer.make("pipeline-stages", name="New", slug="new-lead", order=1, pipeline=theirs)
    client.stages.seed([SALES])
    assert [stage["slug"] for stage in peer.all("pipeline-stages")] == ["new-lead", "new-lead", "job-sold"]


def test_names_of_the_maps_are_those_that_the_crm_gives_them(peer: Peer) -> None:
    tenant = peer.tenant(
        names={"contacts": {"serviceTitanId": "phone", "phone": "serviceTitanId"}},
        fields={"activities": [{"to": "title", "constant": "x"}]},
    )
    assert tenant.crm is not None
    theirs, deals, activities = objects_of(tenant.crm)
    assert (theirs.key, theirs.matches[1].theirs, deals) == ("phone", ("serviceTitanId", "lastName"), OPPORTUNITY)
    assert [field.constant for field in activities.fields if field.to == "title"] == ["x"]
    client = CrmClient(tenant)
    rows = [Upsert("7", {"phone": "7", "lastName": "L", "serviceTitanId": "555"})]
    assert [push(client, rows, theirs)[0].outcome for _ in range(2)] == [Outcome.CREATED, Outcome.UPDATED]
    client.close()
    assert [document["phone"] for document in peer.all("contacts")] == ["7"]


def test_what_a_deal_points_to_is_named_in_its_map() -> None:
    assert OPPORTUNITY.references == {"contact", "pipeline", "stage"}
    assert {field.refers_to for field in OPPORTUNITY.fields} - {None} == {CONTACT.asset, PIPELINES, STAGES}


def test_of_two_new_deals_of_one_job_the_later_is_made_when_the_earlier_is_linked(
    peer: Peer, deal: dict[str, Any]
) -> None:
    linked: set[str] = set()
    client = CrmClient(peer.tenant(), lambda _asset, ids: linked & set(ids))
    made = only(client, Upsert("d1", deal), OPPORTUNITY)  # and then a kill: nobody knows of it
    told: dict[str, Receipt] = {}
    for receipts in client.push(OPPORTUNITY, [Upsert("d1", deal), Upsert("d2", deal)]):
        told |= {receipt.key: receipt for receipt in receipts}
        linked |= {str(receipt.remote_id) for receipt in receipts}
    client.close()
    assert (told["d1"].outcome, told["d1"].remote_id) == (Outcome.UPDATED, made.remote_id)
    assert told["d2"].outcome is Outcome.CREATED
    assert {str(document["id"]) for document in peer.all("opportunities")} == linked


def test_while_the_earlier_of_two_new_deals_of_one_job_is_refused_the_later_waits(
    peer: Peer, client: CrmClient, deal: dict[str, Any]
) -> None:
    receipts = push(client, [Upsert("d1", {**deal, "status": "unheard of"}), Upsert("d2", deal)], OPPORTUNITY)
    assert [(receipt.key, receipt.outcome) for receipt in receipts] == [("d1", Outcome.REFUSED)]
    assert peer.all("opportunities") == []
    assert only(client, Upsert("d2", deal), OPPORTUNITY).outcome is Outcome.CREATED
