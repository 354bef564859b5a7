"""What goes wrong on demand: refused, cut, garbled, kept silent, done and not answered."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from st_sf_pipelines.simulators.salesforce import SalesforceSimulator
from st_sf_pipelines_tests.simulators.salesforce.client import ACCOUNTS, ROOT, Api, account, code, row_code


def fault(do: dict[str, Any], **match: Any) -> dict[str, Any]:
    return {"match": match, "do": do}


def test_a_status_with_a_body_is_given_the_first_times(sf: SalesforceSimulator, api: Api) -> None:
    busy = [{"message": "busy", "errorCode": "SERVER_UNAVAILABLE"}]
    sf.set_faults(fault({"status": 503, "body": busy}, path="/limits", method="GET", times=2))
    assert [api.get("/limits").status_code for _ in range(3)] == [503, 503, 200]
    assert api.get("/sobjects").status_code == 200
    assert sf.counters["api_calls"] == 2


@pytest.mark.parametrize(
    ("match", "expected"), [({"nth": 2}, [200, 500, 200, 200]), ({"every": 2}, [200, 500, 200, 500]), ({}, [500] * 4)]
)
def test_a_fault_hits_those_it_counts(
    sf: SalesforceSimulator, api: Api, match: dict[str, Any], expected: list[int]
) -> None:
    sf.set_faults(fault({"status": 500, "body": "<html>oops</html>"}, **match))
    assert [api.get("/limits").status_code for _ in range(4)] == expected
    sf.set_faults()
    assert api.get("/limits").status_code == 200


def test_a_reset_connection_did_nothing(sf: SalesforceSimulator, api: Api) -> None:
    sf.set_faults(fault({"reset": True}, times=1))
    with pytest.raises(httpx.ReadError):
        api.create("Account", Name="A")
    assert sf.records("Account") == []
    api.create("Account", Name="A")


def test_a_truncated_answer_is_shorter_than_it_says(sf: SalesforceSimulator, api: Api) -> None:
    sf.set_faults(fault({"truncate": 5}, times=1))
    with pytest.raises(httpx.RemoteProtocolError):
        api.create("Account", Name="A")
    assert len(sf.records("Account")) == 1


def test_garbage_is_no_json(sf: SalesforceSimulator, api: Api) -> None:
    sf.set_faults(fault({"garbage": True}, times=1))
    answer = api.get("/limits")
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"utf-8|JSON|Expecting"):
        answer.json()


@pytest.mark.parametrize(
    ("do", "done"), [({"silence": 0.05}, 0), ({"commit_then_silence": 0.05}, 1), ({"commit_then_reset": True}, 1)]
)
def test_an_answer_that_never_comes_leaves_open_whether_it_was_done(
    sf: SalesforceSimulator, api: Api, do: dict[str, Any], done: int
) -> None:
    sf.set_faults(fault(do, method="POST", times=1))
    with pytest.raises(httpx.ReadError):
        api.create("Account", Name="A")
    assert len(sf.records("Account")) == done
    assert sf.counters["calls"][0]["status"] == next(iter(do))


def test_a_row_is_refused_as_often_as_the_fault_says(sf: SalesforceSimulator, api: Api) -> None:
    lock = {"statusCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access", "fields": []}
    when = {"ServiceTitan_Account_Id__c": "st_2"}
    sf.set_faults(fault({"row_error": {**lock, "when": when, "times": 1}}, path="/Account"))
    first = api.upsert(ACCOUNTS, account(1), account(2))
    assert (first[0]["success"], row_code(first[1])) == (True, "UNABLE_TO_LOCK_ROW")
    assert api.upsert(ACCOUNTS, account(2))[0]["success"]


def test_a_row_is_refused_inside_a_composite_request(sf: SalesforceSimulator, api: Api) -> None:
    sf.set_faults(fault({"row_error": {"statusCode": "UNABLE_TO_LOCK_ROW"}}, path="/composite/sobjects/Account"))
    records = [{"attributes": {"type": "Account"}, **account(1)}]
    inner = {"method": "PATCH", "url": ROOT + ACCOUNTS, "referenceId": "a", "body": {"records": records}}
    answer = api.send("POST", "/composite", {"compositeRequest": [inner]}).json()
    assert row_code(answer["compositeResponse"][0]["body"][0]) == "UNABLE_TO_LOCK_ROW"


def test_a_session_dies_on_a_call(sf: SalesforceSimulator, api: Api) -> None:
    sf.set_faults(fault({"expire_session": True}, nth=2))
    assert api.get("/limits").status_code == 200
    refused = api.get("/limits")
    assert (refused.status_code, code(refused)) == (401, "INVALID_SESSION_ID")
    assert api.get("/limits").status_code == 401


def test_the_token_endpoint_fails_too(sf: SalesforceSimulator) -> None:
    sf.set_faults(fault({"status": 400, "body": {"error": "rate_limit_exceeded"}}, path="/oauth2/token"))
    assert httpx.post(f"{sf.url}/services/oauth2/token").json() == {"error": "rate_limit_exceeded"}
    assert sf.counters["calls"][0]["path"] == "/services/oauth2/token"


def test_faults_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    path.write_text(json.dumps([fault({"status": 503}, path="/limits")]))
    with SalesforceSimulator(faults=path) as sf:
        headers = {"Authorization": f"Bearer {sf.credentials['access_token']}"}
        assert httpx.get(f"{sf.url}{ROOT}/limits", headers=headers).status_code == 503


@pytest.mark.parametrize(
    "entry", [{"do": {"explode": True}}, {"match": {"paht": "/x"}, "do": {"reset": True}}, {"match": {}}, "reset"]
)
def test_a_fault_that_nobody_understands_is_refused(sf: SalesforceSimulator, entry: Any) -> None:
    with pytest.raises(ValueError, match="fault"):
        sf.set_faults(entry)
