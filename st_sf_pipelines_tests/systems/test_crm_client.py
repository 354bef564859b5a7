"""Whatever goes wrong between us and the CRM, no record is doubled or lost, and one bad record holds up no other."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from st_sf_pipelines.config import Crm, ServiceTitan, Tenant
from st_sf_pipelines.errors import CredentialsError, PermanentError, TransientError
from st_sf_pipelines.ports import Closing, Outcome, Receipt, Upsert
from st_sf_pipelines.simulators.crm import CrmSimulator, front
from st_sf_pipelines.systems.crm import writer
from st_sf_pipelines.systems.crm.client import CrmClient
from st_sf_pipelines.systems.crm.codes import REFUSALS, mend_for
from st_sf_pipelines.systems.crm.documents import body_of, fields_of
from st_sf_pipelines.systems.crm.objects import ACTIVITY, CONTACT, OPPORTUNITY, closing, objects_of, read_back
from st_sf_pipelines.systems.crm.webhook import Webhook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from st_sf_pipelines.ports import Destination

POST = {"method": "POST", "path": "/api/contacts?depth=0"}  # a create; a look-up has no query
LOOK_UP = {"method": "POST", "path": "/api/contacts?", "times": 1}
PATCH = {"method": "PATCH"}


@pytest.fixture
def crm() -> Iterator[CrmSimulator]:
    """Give an empty CRM."""
    with CrmSimulator() as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def pauses(naps: list[float], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let writes, too, go on at once after a failure; give the seconds that each would have waited."""
    monkeypatch.setattr(writer, "time", SimpleNamespace(sleep=naps.append, monotonic=time.monotonic))
    return naps


def tenant_of(crm: CrmSimulator, **more: Any) -> Tenant:
    access = ServiceTitan.model_validate({"client_id": "c", "client_secret": "s", "app_key": "k"})
    section = {name: crm.credentials[name] for name in ("api_url", "api_key")} | more
    return Tenant(name="socal", id=4101, servicetitan=access, crm=Crm.model_validate(section))


@pytest.fixture
def client(crm: CrmSimulator) -> Iterator[CrmClient]:
    """Give a client."""
    made = CrmClient(tenant_of(crm))
    yield made
    made.close()


@pytest.fixture
def hurried(crm: CrmSimulator) -> Iterator[CrmClient]:
    """Give a client that waits for no answer longer than a second."""
    made = CrmClient(tenant_of(crm), timeout=1.0)
    yield made
    made.close()


def contacts(count: int, **fields: Any) -> list[Upsert]:
    return [Upsert(str(n), {CONTACT.key: str(n), "lastName": f"L{n}", **fields}) for n in range(count)]


def push(client: CrmClient, upserts: Iterable[Upsert]) -> list[Receipt]:
    return [receipt for receipts in client.push(CONTACT, list(upserts)) for receipt in receipts]


LOST = [
    {"commit_then_silence": 5},
    {"commit_then_reset": True},
    {"commit_then_status": 500},
    {"commit_then_status": 504},
    {"truncate": 10},
]


@pytest.mark.parametrize("lost", LOST, ids=str)
def test_a_record_whose_answer_is_lost_is_found_and_not_doubled(
    crm: CrmSimulator, hurried: CrmClient, lost: dict[str, Any]
) -> None:
    crm.set_faults({"match": {**POST, "nth": 2}, "do": lost})
    receipts = push(hurried, contacts(4))
    assert {receipt.outcome for receipt in receipts} == {Outcome.CREATED}
    there = {document["serviceTitanId"]: str(document["id"]) for document in crm.records("contacts")}
    assert {receipt.key: receipt.remote_id for receipt in receipts} == there
    assert crm.counters["rows"]["contacts"] == {"created": 4}


UNHEARD: list[dict[str, Any]] = [
    {"reset": True},
    {"silence": 5},
    {"status": 503},
    {"status": 429, "headers": {"Retry-After": "7"}},
]


@pytest.mark.parametrize("fault", UNHEARD, ids=str)
def test_a_write_that_was_not_heard_is_sent_again(
    crm: CrmSimulator, hurried: CrmClient, pauses: list[float], fault: dict[str, Any]
) -> None:
    made = push(hurried, contacts(1))[0].remote_id
    for match, row in ((POST, contacts(2)[1]), (PATCH, Upsert("0", {"phone": "5"}, made))):
        pauses.clear()
        crm.set_faults({"match": {**match, "times": 1}, "do": fault})
        [receipt] = push(hurried, [row])
        assert receipt.outcome in (Outcome.CREATED, Outcome.UPDATED)
        assert pauses == [7.0 if "headers" in fault else 0.5]
    assert [document["phone"] for document in crm.records("contacts")] == ["5", None]


def test_a_500_is_tried_once_more_and_then_is_that_rows_own(crm: CrmSimulator, client: CrmClient) -> None:
    crm.set_faults({"match": POST, "do": {"status": 500}})
    receipts = push(client, contacts(3))
    assert {(receipt.outcome, receipt.code) for receipt in receipts} == {(Outcome.PASSING, "SERVER_ERROR")}
    creates = [call for call in crm.counters["calls"] if call["status"] == "500"]
    assert [call["count"] for call in creates] == [6]


def test_one_record_on_which_the_server_falls_silent_holds_up_no_other(crm: CrmSimulator, hurried: CrmClient) -> None:
    [poison] = crm.put_records("contacts", {"lastName": "Poison"})
    crm.set_faults({"match": {"path": f"/api/contacts/{poison}?"}, "do": {"silence": 5}})
    receipts = push(hurried, [Upsert("p", {"phone": "1"}, str(poison)), *contacts(60)])
    assert (receipts[0].outcome, receipts[0].code) == (Outcome.PASSING, "NO_ANSWER")
    assert {receipt.outcome for receipt in receipts[1:]} == {Outcome.CREATED}


def test_once_nobody_is_answered_the_target_is_given_up_with_what_was_done(
    crm: CrmSimulator, client: CrmClient
) -> None:
    crm.set_faults({"match": {**PATCH, "path": "/api/contacts"}, "do": {"reset": True}})
    linked = [Upsert(str(n), {"phone": "1"}, str(n)) for n in range(40, 80)]
    batches = client.push(CONTACT, [*contacts(20), *linked])
    done = list(next(batches))
    with pytest.raises(TransientError, match=r"crm: socal: PATCH /api/contacts/\d+: the connection failed"):
        next(batches)
    assert [receipt.key for receipt in done] == [str(n) for n in range(20)]
    calls = [call for call in crm.counters["calls"] if call["status"] == "reset"]
    assert [call["count"] for call in calls if call["count"] > 12] == [], (
        "the other rows did not wait their turn to fail"
    )


def test_a_row_that_a_hook_of_the_crm_refuses_fails_alone(crm: CrmSimulator, client: CrmClient) -> None:
    crm.set_faults({"match": POST, "do": {"row_error": {"path": "phone", "when": {"lastName": "L2"}}}})
    receipts = push(client, contacts(5, phone="1"))
    assert {receipt.key: receipt.code for receipt in receipts if receipt.code} == {"2": "INVALID_VALUE"}
    assert len(crm.records("contacts")) == 4


def test_a_key_that_somebody_took_meanwhile_is_found_and_updated(crm: CrmSimulator, client: CrmClient) -> None:
    crm.set_faults({"match": LOOK_UP, "do": {"status": 200, "body": {"docs": []}}})
    crm.put_records("contacts", {"lastName": "Other", "serviceTitanId": "0"})
    [receipt] = push(client, contacts(1))
    assert receipt.outcome is Outcome.UPDATED
    assert [document["lastName"] for document in crm.records("contacts")] == ["L0"]


def test_a_record_that_vanishes_between_look_and_write_is_made_in_the_next_round(
    crm: CrmSimulator, client: CrmClient
) -> None:
    crm.set_faults({"match": LOOK_UP, "do": {"status": 200, "body": {"docs": [{"id": 77, "serviceTitanId": "0"}]}}})
    [receipt] = push(client, contacts(1))
    assert (receipt.outcome, receipt.code) == (Outcome.PASSING, "NO_ANSWER")
    assert push(client, contacts(1))[0].outcome is Outcome.CREATED


@pytest.mark.parametrize("rows", [1, 499, 501])
def test_a_look_up_has_room_for_500_records(crm: CrmSimulator, client: CrmClient, rows: int) -> None:
    crm.put_records("contacts", *({"lastName": "x", "serviceTitanId": str(n)} for n in range(rows)))
    assert {receipt.outcome for receipt in push(client, contacts(rows))} == {Outcome.UPDATED}
    assert client.calls == client.calls_for(rows)


@pytest.mark.parametrize("connections", [1, 3, 8])
def test_no_more_connections_write_than_are_allowed_and_none_locks_the_server_up(connections: int) -> None:
    with CrmSimulator(pool=2, hang_seconds=0.1) as crm:
        client = CrmClient(tenant_of(crm, concurrency=connections))
        crm.put_records("contacts", *({"lastName": "x"} for _ in range(60)))
        receipts = push(client, [Upsert(str(n), {"phone": "1"}, str(n)) for n in range(1, 61)])
        client.close()
        assert {receipt.outcome for receipt in receipts} == {Outcome.UPDATED}
        counted = crm.counters
        assert (counted["most_in_flight"] <= connections, counted["lock_ups"]) == (True, 0)


def test_a_client_that_does_not_override_locks_locks_the_server_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "PATCH_SECONDS", 1.0)  # so long that six of them meet, however busy the machine is
    with CrmSimulator(pool=3, hang_seconds=0.2) as crm:
        [made] = crm.put_records("contacts", {"lastName": "x"})
        outcomes: list[str] = []

        def patch() -> None:
            headers = {"Authorization": f"users API-Key {crm.credentials['api_key']}"}
            try:
                outcomes.append(
                    str(httpx.patch(f"{crm.url}/api/contacts/{made}", json={}, headers=headers).status_code)
                )
            except httpx.TransportError as error:
                outcomes.append(type(error).__name__)

        patch()
        threads = [threading.Thread(target=patch) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes[0] == "200"
        assert {"ReadError", "RemoteProtocolError"} & set(outcomes)
        assert crm.counters["lock_ups"] >= 1


def test_a_forbidden_row_stops_the_target_and_names_who_may_not(crm: CrmSimulator, client: CrmClient) -> None:
    crm.set_faults({"match": POST, "do": {"status": 403, "body": {"errors": [{"message": "secret words"}]}}})
    with pytest.raises(CredentialsError, match=r"the user of crm\.api_key may not do this") as caught:
        push(client, contacts(1))
    assert "secret words" not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"garbage": True}, "not JSON"),
        ({"status": 200, "body": {"docs": 5}}, "no list of documents"),
        ({"status": 502}, "the server is in trouble"),
    ],
)
def test_a_look_up_that_is_not_answered_stops_the_target(
    crm: CrmSimulator, client: CrmClient, fault: dict[str, Any], words: str
) -> None:
    crm.set_faults({"do": fault})
    with pytest.raises(TransientError, match=words):
        push(client, contacts(1))
    assert crm.records("contacts") == []


def test_an_answer_to_a_write_that_is_no_document_is_no_receipt(crm: CrmSimulator, client: CrmClient) -> None:
    crm.set_faults({"match": POST, "do": {"status": 201, "body": {"ok": True}}})
    with pytest.raises(TransientError, match="the answer is no document"):
        push(client, contacts(1))


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"status": 400, "body": {"errors": [{"message": "Invalid JSON"}]}}, "BAD_REQUEST"),
        ({"status": 400, "body": "nonsense"}, "BAD_REQUEST"),
        ({"status": 413}, "BAD_REQUEST"),
        ({"status": 400, "body": {"errors": [{"data": {"errors": [{"path": "Ann Lee"}]}}]}}, "BAD_REQUEST"),
        ({"status": 400, "body": {"errors": [{"name": "o", "data": {"errors": [{"path": "x"}]}}]}}, "REQUIRED_FIELD"),
    ],
)  # fmt: skip
def test_refusals_are_told_apart_by_path_whatever_the_server_calls_them(
    crm: CrmSimulator, client: CrmClient, answer: dict[str, Any], code: str
) -> None:
    crm.set_faults({"match": POST, "do": answer})
    [receipt] = push(client, contacts(1))
    assert (receipt.outcome, receipt.code) == (Outcome.REFUSED, code)


def test_a_route_that_is_gone_stops_the_target(crm: CrmSimulator, client: CrmClient) -> None:
    crm.set_faults({"match": POST, "do": {"status": 404, "body": {"message": "Route not found"}}})
    with pytest.raises(PermanentError, match="there is no such collection"):
        push(client, contacts(1))


def test_the_client_is_a_destination_like_any_other(client: CrmClient) -> None:
    destination: Destination = client
    assert (destination.calls, destination.usage, destination.calls_for(1000)) == (0, None, 1002)


def test_each_code_has_a_mend() -> None:
    assert all(mend_for(refusal.code) == refusal.mend for refusal in REFUSALS)
    assert "st-sf parked retry" in mend_for("ANYTHING ELSE")


SAME = [
    ("title", "a", "a"),
    ("title", "", None),
    ("notes", "a\r\nb", "a\nb"),
    ("serviceTitanId", 77, "77"),
    ("phone", 5.0, "5"),
    ("phone", True, "true"),
    ("value", 12.0, 12),
    ("pinned", True, True),
    ("closeDate", "2026-01-31", "2026-01-31T00:00:00.000Z"),
    ("data", {"a": 1}, {"a": 1}),
]


@pytest.mark.parametrize(("field", "ours", "theirs"), SAME)
def test_what_the_crm_stores_of_a_value_is_the_same(client: CrmClient, field: str, ours: Any, theirs: Any) -> None:
    assert client.same(field, ours, theirs)
    assert not client.same(field, ours, "another value")
    assert not client.same(field, "another value", theirs)


@pytest.mark.parametrize(("ours", "theirs"), [("a", "A"), ("1", None), (None, "1"), (0, None), ({"a": 1}, {"a": 2})])
def test_what_differs_differs(client: CrmClient, ours: Any, theirs: Any) -> None:
    assert not client.same("x", ours, theirs)


def test_a_tenant_without_a_crm_has_no_client(crm: CrmSimulator) -> None:
    tenant = tenant_of(crm).model_copy(update={"crm": None})
    with pytest.raises(ValueError, match="socal has no crm section"):
        CrmClient(tenant)
    assert Webhook(tenant).tell([{}]).failed == 0


def test_an_address_with_api_at_its_end_is_understood(crm: CrmSimulator) -> None:
    client = CrmClient(tenant_of(crm, api_url=f"{crm.url}/api"))
    assert push(client, contacts(1))[0].outcome is Outcome.CREATED
    assert client.usage is None
    client.close()


def test_a_webhook_that_falls_silent_is_told_and_fails_nothing(crm: CrmSimulator) -> None:
    tenant = tenant_of(crm, webhook_secret=crm.credentials["webhook_secret"])
    webhook = Webhook(tenant)
    for fault, words in (({"reset": True}, "the connection failed"), ({"status": 503}, "the server is in trouble")):
        crm.set_faults({"do": fault})
        told = webhook.tell([{"event": "a"}, {"event": "b"}])
        assert (told.sent, told.failed) == (0, 2)
        assert words in str(told.cause)
    crm.set_faults({"do": {"garbage": True}})  # any 2xx is a yes
    assert webhook.tell([{"event": "a"}]).sent == 1
    webhook.close()


def test_objects_of_the_crm_name_each_field_once() -> None:
    for target in (CONTACT, OPPORTUNITY, ACTIVITY):
        names = [field.to for field in target.fields]
        assert len(names) == len(set(names))


def test_every_field_of_every_collection_may_bear_a_name_of_the_crms_own() -> None:
    more = {"crm/contacts": (), "crm/opportunities": ("stage", "pinned", "assignedTo"), "crm/activities": ()}
    names = {
        target.asset.partition("/")[2]: {
            name: f"{name}Theirs"
            for path in (target.key, *(field.to for field in target.fields), *more[target.asset])
            for name in [path.partition(".")[0]]
        }
        for target in (CONTACT, OPPORTUNITY, ACTIVITY)
    }
    config = Crm.model_validate({"api_url": "http://127.0.0.1:1", "names": names})
    contacts, deals, activities = objects_of(config)
    for target in (contacts, deals, activities):
        matched = [name for way in target.matches for name in way.theirs]
        paths = [target.key, *(field.to for field in target.fields), *matched, *target.people, *target.references]
        assert [path for path in paths if not path.partition(".")[0].endswith("Theirs")] == []
    assert (contacts.key, activities.key) == ("serviceTitanIdTheirs", "dataTheirs.key")
    assert "addressTheirs.city" in {field.to for field in contacts.fields}
    assert (deals.within, deals.people) == ("contactTheirs", ("assignedToTheirs",))
    assert closing(config) == Closing(("statusTheirs",), ("won", "lost"), ("assignedToTheirs",))
    fields = read_back(config)
    assert (fields.stage, fields.pinned, fields.owner) == ("stageTheirs", "pinnedTheirs", "assignedToTheirs")

    sent = Upsert("k1", {"titleTheirs": "T", "contactTheirs": "7", "dataTheirs": {"at": "now", "key": "k1"}})
    assert body_of(activities, sent, lambda asset, pointed: (asset, pointed)) == {
        "titleTheirs": "T",
        "contactTheirs": (CONTACT.asset, "7"),
        "dataTheirs": {"at": "now", "key": "k1"},
    }
    document = {"contactTheirs": 7, "assignedToTheirs": 8, "valueTheirs": 9}
    assert fields_of(deals, document, document) == {"contactTheirs": "7", "assignedToTheirs": "8", "valueTheirs": 9}
