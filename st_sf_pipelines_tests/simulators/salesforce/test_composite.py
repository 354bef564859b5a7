"""Several requests in one call: they refer to each other, count as one, and can be taken back together."""

from typing import Any

import pytest

from st_sf_pipelines.simulators.salesforce import SalesforceSimulator
from st_sf_pipelines_tests.simulators.salesforce.client import ACCOUNTS, CONTACTS, ROOT, Api, account, code


def ask(method: str, path: str, name: str, body: Any = None, **more: Any) -> dict[str, Any]:
    request = {"method": method, "url": ROOT + path, "referenceId": name, **more}
    return request if body is None else request | {"body": body}


def run(api: Api, *requests: dict[str, Any], all_or_none: bool = False) -> dict[str, dict[str, Any]]:
    answer = api.send("POST", "/composite", {"allOrNone": all_or_none, "compositeRequest": list(requests)})
    assert answer.status_code == 200, answer.text
    responses = answer.json()["compositeResponse"]
    assert [response["referenceId"] for response in responses] == [request["referenceId"] for request in requests]
    return {response["referenceId"]: response for response in responses}


def test_a_request_uses_what_an_earlier_one_answered(sf: SalesforceSimulator, api: Api) -> None:
    answers = run(
        api,
        ask("POST", "/sobjects/Account", "parent", {"Name": "A & B"}),
        ask("POST", "/sobjects/Contact", "child", {"LastName": "L", "AccountId": "@{parent.id}"}),
        ask("GET", "/sobjects/Contact/@{child.id}?fields=AccountId", "read"),
        ask("GET", "/query?q=SELECT+Name+FROM+Account+WHERE+Id='@{read.AccountId}'", "found"),
        ask("PATCH", "/sobjects/Contact/@{child.id}", "named", {"Department": "of @{found.records[0].Name}"}),
    )
    assert [answer["httpStatusCode"] for answer in answers.values()] == [201, 201, 200, 200, 204]
    assert answers["parent"]["httpHeaders"]["Location"].endswith(answers["parent"]["body"]["id"])
    assert sf.records("Contact")[0]["Department"] == "of A & B"
    assert sf.counters["api_calls"] == 1


def test_several_collections_are_one_call(sf: SalesforceSimulator, api: Api) -> None:
    accounts = [{"attributes": {"type": "Account"}, **account(number)} for number in range(3)]
    contacts = [
        {
            "attributes": {"type": "Contact"},
            "ServiceTitan_Customer_Id__c": f"st_{number}",
            "LastName": "L",
            "Account": {"ServiceTitan_Account_Id__c": f"st_{number}"},
        }
        for number in range(4)
    ]
    answers = run(
        api,
        ask("PATCH", ACCOUNTS, "accounts", {"records": accounts}),
        ask("PATCH", CONTACTS, "contacts", {"records": contacts}),
    )
    assert [result["success"] for result in answers["contacts"]["body"]] == [True, True, True, False]
    assert sf.counters["api_calls"] == 1


def test_what_depends_on_a_failed_request_is_not_done_and_the_rest_is(sf: SalesforceSimulator, api: Api) -> None:
    answers = run(
        api,
        ask("POST", "/sobjects/Account", "bad", {}),
        ask("POST", "/sobjects/Contact", "orphan", {"LastName": "L", "AccountId": "@{bad.id}"}),
        ask("POST", "/sobjects/Contact", "other", {"LastName": "L"}),
        ask("GET", "/sobjects/Nothing/describe", "unknown"),
    )
    assert answers["bad"]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert answers["orphan"]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert [answer["httpStatusCode"] for answer in answers.values()] == [400, 400, 201, 404]
    assert len(sf.records("Contact")) == 1


def test_all_or_none_takes_back_every_request(sf: SalesforceSimulator, api: Api) -> None:
    bad_row = {
        "records": [{"attributes": {"type": "Account"}, **account(number, Site="x" * number)} for number in (1, 81)]
    }
    answers = run(
        api,
        ask("POST", "/sobjects/Contact", "good", {"LastName": "L"}),
        ask("PATCH", ACCOUNTS, "mixed", bad_row),
        all_or_none=True,
    )
    assert answers["good"]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    codes = [result["errors"][0]["statusCode"] for result in answers["mixed"]["body"]]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "STRING_TOO_LONG"]
    assert sf.records("Contact") == sf.records("Account") == []


@pytest.mark.parametrize(
    "requests",
    [
        [ask("GET", "/limits", f"r{number}") for number in range(26)],
        [ask("GET", "/query?q=SELECT+Id+FROM+Account", f"r{number}") for number in range(6)],
        [ask("GET", "/limits", "same"), ask("GET", "/limits", "same")],
        [ask("GET", "/limits", "r", httpHeaders={"Authorization": "Bearer x"})],
        [{"method": "GET", "url": f"{ROOT}/limits"}],
        [],
    ],
)
def test_a_composite_request_of_the_wrong_shape_is_refused(api: Api, requests: list[dict[str, Any]]) -> None:
    answer = api.send("POST", "/composite", {"compositeRequest": requests})
    assert answer.status_code == 400
    assert code(answer) in ("LIMIT_EXCEEDED", "INVALID_INPUT", "MISSING_ARGUMENT")
