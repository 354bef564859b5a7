"""A test can arrange the CRM stand-in, make it fail, and count what was asked of it."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from st_sf_pipelines.simulators.crm import CrmSimulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTACTS = "/api/contacts"


@pytest.fixture
def crm() -> Iterator[CrmSimulator]:
    """Give an empty CRM."""
    with CrmSimulator() as simulator:
        yield simulator


@pytest.fixture
def api(crm: CrmSimulator) -> Iterator[httpx.Client]:
    """Give a client with the user's key."""
    key = {"Authorization": f"users API-Key {crm.credentials['api_key']}"}
    with httpx.Client(base_url=crm.url, headers=key) as client:
        yield client


def test_what_a_person_does_is_there_and_is_counted_to_nobody(crm: CrmSimulator, api: httpx.Client) -> None:
    [first, second] = crm.put_records("contacts", {"lastName": "A"}, {"lastName": "B"})
    crm.put_records("contacts", {"id": first, "phone": "5"})
    crm.delete_record("contacts", second)
    assert [(document["id"], document["phone"]) for document in crm.records("contacts")] == [(first, "5")]
    assert crm.counters["rows"].get("contacts", {}).get("created", 0) == 0
    assert api.post(CONTACTS, json={"lastName": "C"}).status_code == 201
    assert crm.counters["rows"]["contacts"]["created"] == 1
    assert crm.counters["calls"] == [{"method": "POST", "path": CONTACTS, "status": "201", "count": 1}]
    crm.count_anew()
    assert (crm.counters["requests"], crm.counters["rows"]) == (0, {})
    crm.reset()
    assert crm.records("contacts") == []


def test_ids_are_numbers_or_texts_that_grow() -> None:
    with CrmSimulator(text_ids=True) as crm:
        ids = crm.put_records("contacts", *({"lastName": "x"} for _ in range(3)))
    assert ids == sorted(map(str, ids))
    assert {len(str(each)) for each in ids} == {24}


def test_its_clock_is_the_tests() -> None:
    with CrmSimulator(clock=lambda: datetime(2026, 1, 31, 12, tzinfo=UTC)) as crm:
        crm.put_records("contacts", {"lastName": "x"})
        assert crm.records("contacts")[0]["updatedAt"] == "2026-01-31T12:00:00.000Z"


FAULTS: list[tuple[dict[str, Any], type[httpx.TransportError], int]] = [
    ({"reset": True}, httpx.TransportError, 0),
    ({"silence": 0.05}, httpx.TransportError, 0),
    ({"commit_then_reset": True}, httpx.TransportError, 1),
    ({"commit_then_silence": 0.05}, httpx.TransportError, 1),
    ({"truncate": 5}, httpx.RemoteProtocolError, 1),
]


@pytest.mark.parametrize(("do", "error", "written"), FAULTS, ids=str)
def test_an_answer_is_kept_back_before_or_after_the_write(
    crm: CrmSimulator, api: httpx.Client, do: dict[str, Any], error: type[httpx.TransportError], written: int
) -> None:
    crm.set_faults({"match": {"method": "post", "path": CONTACTS, "times": 1}, "do": do})
    with pytest.raises(error):
        api.post(CONTACTS, json={"lastName": "x"})
    assert len(crm.records("contacts")) == written
    assert api.post(CONTACTS, json={"lastName": "y"}).status_code == 201


def test_a_status_stands_in_the_place_of_an_answer_before_or_after_the_write(
    crm: CrmSimulator, api: httpx.Client
) -> None:
    crm.set_faults(
        {"match": {"nth": 2}, "do": {"status": 429, "headers": {"Retry-After": "3"}, "body": {"slow": "down"}}},
        {"match": {"every": 3}, "do": {"commit_then_status": 500}},
    )
    answers = [api.post(CONTACTS, json={"lastName": "x"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 429, 500, 201]
    assert (answers[1].headers["Retry-After"], answers[1].json()) == ("3", {"slow": "down"})
    assert len(crm.records("contacts")) == 3
    crm.set_faults({"do": {"garbage": True}})
    assert b"<html>" in api.get(CONTACTS).content


def test_rows_are_refused_by_what_they_hold(crm: CrmSimulator, api: httpx.Client) -> None:
    crm.set_faults({"match": {"times": 1}, "do": {"row_error": {"path": "phone", "when": {"lastName": "B"}}}})
    statuses = [api.post(CONTACTS, json={"lastName": name}).status_code for name in "ABB"]
    assert statuses == [201, 400, 201]
    assert api.post(CONTACTS, content=b"no JSON").status_code == 500


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({}, "a fault is"),
        ({"do": {"status": 500, "reset": True}}, "a fault does one of"),
        ({"do": {"nothing": 1}}, "a fault does one of"),
        ({"do": {"reset": True}, "match": {"color": 1}}, "unknown in a fault: color"),
        ({"do": {"row_error": {}}}, "names the path"),
    ],
)
def test_a_fault_that_nobody_understands_is_refused(crm: CrmSimulator, fault: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        crm.set_faults(fault)


def test_faults_come_from_a_file_too(tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    path.write_bytes(orjson.dumps([{"do": {"status": 503}}]))
    with CrmSimulator(faults=path) as crm:
        assert httpx.get(crm.url).status_code == 503
    path.write_bytes(b'{"not": "a list"}')
    with pytest.raises(ValueError, match="faults are a list"):
        CrmSimulator(faults=path)


def test_the_addresses_of_the_stand_in_answer_over_the_socket(crm: CrmSimulator) -> None:
    base = f"{crm.url}/_sim"
    assert httpx.post(f"{base}/records/contacts", json=[{"lastName": "A"}]).json() == {"ids": [1]}
    assert httpx.post(f"{base}/faults", json=[{"do": {"status": 500}}]).status_code == 204
    assert httpx.get(f"{crm.url}{CONTACTS}").status_code == 500
    assert httpx.delete(f"{base}/faults").status_code == 204
    assert httpx.get(f"{base}/counters").json()["requests"] == 1
    assert httpx.delete(f"{base}/records/contacts/1").status_code == 204
    for method, path, content in (
        ("GET", "nope", b""),
        ("GET", "records/nope", b""),
        ("POST", "faults", b"{"),
        ("POST", "records/contacts", b'[{"firstName": "x"}]'),
        ("POST", "records/contacts", b"[5]"),
        ("DELETE", "records/contacts/9", b""),
    ):
        assert httpx.request(method, f"{base}/{path}", content=content).status_code in (400, 404)
    assert httpx.post(f"{base}/reset").status_code == 204


def test_many_are_changed_or_deleted_one_after_the_other(crm: CrmSimulator, api: httpx.Client) -> None:
    crm.put_records("contacts", {"lastName": "A", "serviceTitanId": "1"}, {"lastName": "A"}, {"lastName": "B"})
    where = {"where[lastName][equals]": "A", "depth": "0"}
    partly = api.patch(CONTACTS, params=where, json={"serviceTitanId": "1"})
    assert (partly.status_code, len(partly.json()["docs"]), len(partly.json()["errors"])) == (400, 1, 1)
    assert (
        api.patch(CONTACTS, params=where, json={"phone": "5"}).json()["message"] == "Updated 2 Contacts successfully."
    )
    assert len(api.delete(CONTACTS, params=where).json()["docs"]) == 2
    assert api.delete(CONTACTS, params=where).json()["docs"] == []
    for method in ("PATCH", "DELETE"):
        assert api.request(method, CONTACTS).status_code == 400
    assert [document["lastName"] for document in crm.records("contacts")] == ["B"]


def test_a_signed_event_is_taken_and_a_forged_one_is_not(crm: CrmSimulator) -> None:
    url, body = f"{crm.url}/api/webhooks/st-automation", b'{"event":"x"}'
    signature = hmac.new(crm.credentials["webhook_secret"].encode(), body, hashlib.sha256).hexdigest()
    signed = {"X-Webhook-Signature": f"sha256={signature}"}
    assert httpx.post(url, content=body, headers=signed).status_code == 202
    assert httpx.post(url, content=body + b" ", headers=signed).status_code == 401
    secret = {"X-Webhook-Secret": crm.credentials["webhook_secret"]}
    assert httpx.post(url, content=b"{", headers=secret).status_code == 400
    assert crm.events == [{"event": "x"}]
