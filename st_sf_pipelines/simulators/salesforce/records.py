"""One record at a time: made, read, changed and deleted, by its id or by a key of its own."""

from typing import Any

from st_sf_pipelines.simulators.salesforce.exchange import Answer, Call
from st_sf_pipelines.simulators.salesforce.ids import normalise
from st_sf_pipelines.simulators.salesforce.incoming import read_record
from st_sf_pipelines.simulators.salesforce.refusals import Refusal, not_found
from st_sf_pipelines.simulators.salesforce.rendering import render
from st_sf_pipelines.simulators.salesforce.schema import Field, no_such_column
from st_sf_pipelines.simulators.salesforce.tables import Row
from st_sf_pipelines.simulators.salesforce.values import deserialise
from st_sf_pipelines.simulators.salesforce.writer import find_living


def create(call: Call) -> Answer:
    """POST `/sobjects/Account`."""
    incoming = read_record(call.org.schema, call.kind, call.json_object())
    row = call.writer().create(call.kind, incoming)
    return _saved(call, row, created=True)


def read(call: Call) -> Answer:
    """GET `/sobjects/Account/001...`, of all fields or of those named."""
    row = find_living(call.org.tables.of[call.kind.name], _record_id(call))
    return Answer(body=render(call.kind, row, call.root, _columns(call)))


def update(call: Call) -> Answer:
    """PATCH `/sobjects/Account/001...`."""
    incoming = read_record(call.org.schema, call.kind, call.json_object())
    if incoming.record_id is not None:
        raise _key_in_body("Id")
    call.writer().update(call.kind, _record_id(call), incoming)
    return Answer(204)


def delete(call: Call) -> Answer:
    """DELETE `/sobjects/Account/001...`."""
    call.writer().delete(call.kind, _record_id(call))
    return Answer(204)


def read_by_key(call: Call) -> Answer:
    """GET `/sobjects/Account/Some_Id__c/value`; several records of one value are answered by their addresses."""
    rows = _rows_by_key(call)
    if len(rows) > 1:
        return _choices(call, rows)
    return Answer(body=render(call.kind, rows[0], call.root, _columns(call)))


def upsert_by_key(call: Call) -> Answer:
    """PATCH `/sobjects/Account/Some_Id__c/value`: change the record of this key, or make it."""
    incoming = read_record(call.org.schema, call.kind, call.json_object())
    if call.args["field"].lower() == "id":
        call.writer().update(call.kind, _record_id(call), incoming)
        return Answer(204)
    key = _key(call)
    if incoming.record_id is not None:
        raise _key_in_body("Id")
    if key.name in incoming.values:
        raise _key_in_body(key.name)
    value = deserialise(key, call.args["id"])
    twins = call.org.tables.of[call.kind.name].find(key.name, value)
    if len(twins) > 1:
        return _choices(call, twins)
    update_only = call.query.get("updateOnly", "").lower() == "true"
    row, created = call.writer().upsert(call.kind, key, value, incoming, update_only=update_only)
    return _saved(call, row, created=created, tell=True)


def delete_by_key(call: Call) -> Answer:
    """DELETE `/sobjects/Account/Some_Id__c/value`."""
    rows = _rows_by_key(call)
    if len(rows) > 1:
        return _choices(call, rows)
    call.writer().delete(call.kind, rows[0]["Id"])
    return Answer(204)


def _saved(call: Call, row: Row, *, created: bool, tell: bool = False) -> Answer:
    body: dict[str, Any] = {"id": row["Id"], "success": True, "errors": []}
    if tell:
        body["created"] = created
    headers = {"Location": f"{call.root}/sobjects/{call.kind.name}/{row['Id']}"} if created else {}
    return Answer(201 if created else 200, body, headers)


def _record_id(call: Call) -> str:
    text = call.args["id"]
    full = normalise(text)
    if full is None and len(text) in (15, 18) and text.isalnum():
        raise Refusal("MALFORMED_ID", f"malformed id {text}")
    if full is None:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {text}")
    return full


def _key(call: Call) -> Field:
    name = call.args["field"]
    key = call.kind.field(name)
    if key is None or not key.is_key:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
    return key


def _rows_by_key(call: Call) -> list[Row]:
    rows = call.org.tables.of[call.kind.name].find(_key(call).name, call.args["id"])
    if not rows:
        raise not_found()
    return rows


def _choices(call: Call, rows: list[Row]) -> Answer:
    return Answer(300, [f"{call.root}/sobjects/{call.kind.name}/{row['Id']}" for row in rows])


def _key_in_body(name: str) -> Refusal:
    return Refusal("INVALID_FIELD", f"The {name} field should not be specified in the sobject data.", [name])


def _columns(call: Call) -> list[Field]:
    named = call.query.get("fields")
    if not named:
        return list(call.kind.visible())
    columns = []
    for name in named.split(","):
        column = call.kind.field(name.strip())
        if column is None:
            raise no_such_column(name.strip(), call.kind)
        columns.append(column)
    return columns
