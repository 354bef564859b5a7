"""Several requests in one call: each may use what an earlier one answered, and one may take back all."""

import re
from typing import Any
from urllib.parse import quote

import orjson

from st_sf_pipelines.simulators.salesforce.exchange import Answer, Call, open_call
from st_sf_pipelines.simulators.salesforce.refusals import Refusal, not_found
from st_sf_pipelines.simulators.salesforce.resources import answer

MOST_REQUESTS = 25
MOST_WIDE_REQUESTS = 5
WIDE = re.compile(r"/services/data/v\d\d\.0/(query|queryAll|composite/sobjects)\b")
INHERITED = {"accept", "authorization", "content-type"}
REFERENCE = re.compile(r"@\{(\w+)((?:\[\d+\]|\.\w+)*)\}")
STEP = re.compile(r"\[(\d+)\]|\.(\w+)")
HALTED = "The transaction was rolled back since another operation in the same transaction failed."


def composite(call: Call) -> Answer:
    """POST `/composite`: always 200, with a status for each request inside."""
    body = call.json_object()
    requests = _requests(body)
    all_or_none = body.get("allOrNone") is True
    mark = call.org.tables.mark()
    answers: dict[str, Answer] = {}
    for request in requests:
        answers[request["referenceId"]] = _one(call, request, answers, all_or_none=all_or_none)
    if all_or_none and any(_failed(given) for given in answers.values()):
        call.org.tables.undo(mark)
        halted = Refusal("PROCESSING_HALTED", HALTED).as_body()
        answers = {name: given if _failed(given) else Answer(400, halted) for name, given in answers.items()}
    response = [
        {
            "body": given.body,
            "httpHeaders": given.headers,
            "httpStatusCode": given.status,
            "referenceId": name,
        }
        for name, given in answers.items()
    ]
    return Answer(body={"compositeResponse": response})


def _requests(body: dict[str, Any]) -> list[dict[str, Any]]:
    requests = body.get("compositeRequest")
    if not isinstance(requests, list) or not requests:
        raise Refusal("MISSING_ARGUMENT", "The compositeRequest parameter is required")
    if len(requests) > MOST_REQUESTS:
        message = f"Limit reached. The composite request can contain at most {MOST_REQUESTS} subrequests"
        raise Refusal("LIMIT_EXCEEDED", message)
    for request in requests:
        if not isinstance(request, dict) or not all(
            isinstance(request.get(key), str) for key in ("method", "url", "referenceId")
        ):
            raise Refusal("MISSING_ARGUMENT", "Each subrequest needs a method, a url and a referenceId")
    if any(INHERITED & {name.lower() for name in request.get("httpHeaders") or ()} for request in requests):
        raise Refusal(
            "INVALID_INPUT", "Subrequests inherit accept, authorization and content-type, and may not set them"
        )
    names = [request["referenceId"] for request in requests]
    if len(set(names)) != len(names):
        raise Refusal("INVALID_INPUT", "Each referenceId must be unique in its composite request")
    if sum(WIDE.match(request["url"]) is not None for request in requests) > MOST_WIDE_REQUESTS:
        message = (
            f"Limit reached. At most {MOST_WIDE_REQUESTS} of the subrequests can be queries or sObject Collections"
        )
        raise Refusal("LIMIT_EXCEEDED", message)
    return requests


def _one(outer: Call, request: dict[str, Any], earlier: dict[str, Answer], *, all_or_none: bool) -> Answer:
    method = request["method"]
    try:
        url = REFERENCE.sub(lambda match: quote(str(_referred(match, earlier)), safe=""), request["url"])
        body = _filled(request.get("body"), earlier)
    except Refusal as refusal:
        return Answer(refusal.status, refusal.as_body())
    headers = {name.lower(): value for name, value in (request.get("httpHeaders") or {}).items()}
    content = None if body is None else orjson.dumps(body)
    inner = open_call(outer.org, method, url, {"content-type": "application/json"} | headers, content)
    if inner is None:
        return Answer(404, not_found().as_body())
    struck = outer.org.faults.strike_rows(method, url)
    inner.row_faults = outer.row_faults + [fault for fault in struck if fault not in outer.row_faults]
    inner.all_or_none = all_or_none
    return answer(inner)


def _filled(value: Any, earlier: dict[str, Answer]) -> Any:
    """Return a body with its references replaced by what they stand for."""
    if isinstance(value, dict):
        return {key: _filled(item, earlier) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, earlier) for item in value]
    if not isinstance(value, str) or "@{" not in value:
        return value
    whole = REFERENCE.fullmatch(value)
    if whole:
        return _referred(whole, earlier)
    return REFERENCE.sub(lambda match: str(_referred(match, earlier)), value)


def _referred(match: re.Match[str], earlier: dict[str, Answer]) -> Any:
    name, path = match.groups()
    given = earlier.get(name)
    if given is None:
        raise Refusal(
            "PROCESSING_HALTED", f"Invalid reference specified. No reference named {name} was answered before"
        )
    if given.status >= 400:
        raise Refusal("PROCESSING_HALTED", "The request was not processed since the one that it refers to failed.")
    value = given.body
    for index, key in STEP.findall(path):
        if index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        elif key and isinstance(value, dict) and key in value:
            value = value[key]
        else:
            message = f"Invalid reference specified. No value for {match.group(0)} found in {name}"
            raise Refusal("PROCESSING_HALTED", message)
    return value


def _failed(given: Answer) -> bool:
    """Tell whether a request inside failed, or one of the records of a collection in it."""
    rows = given.body if isinstance(given.body, list) else []
    return given.status >= 400 or any(isinstance(row, dict) and row.get("success") is False for row in rows)
