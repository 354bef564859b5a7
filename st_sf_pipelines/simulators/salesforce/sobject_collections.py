"""Up to 200 records in one call, each with a result of its own, in the order of the request."""

from collections import Counter
from collections.abc import Callable
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

from st_sf_pipelines.simulators.salesforce.exchange import Answer, Call
from st_sf_pipelines.simulators.salesforce.ids import normalise
from st_sf_pipelines.simulators.salesforce.incoming import Incoming, read_record
from st_sf_pipelines.simulators.salesforce.refusals import Refusal, not_found
from st_sf_pipelines.simulators.salesforce.rendering import render
from st_sf_pipelines.simulators.salesforce.schema import Field, ObjectType, no_such_column

MOST_RECORDS = 200
MOST_READ_AT_ONCE = 2_000
MOST_CHUNKS = 10
ROLLED_BACK = "Record rolled back because not all records were valid and the request was using AllOrNone header"

Result = dict[str, Any]
T = TypeVar("T")


class Typed(NamedTuple):
    """A record of the request beside the object that it is of."""

    kind: ObjectType
    incoming: Incoming


def create(call: Call) -> Answer:
    """POST `/composite/sobjects`."""
    records, all_or_none = _records(call)
    writer = call.writer()

    def save(record: Typed) -> Result:
        return _success(writer.create(record.kind, record.incoming)["Id"])

    return Answer(body=_each(call, records, save, all_or_none=all_or_none))


def update(call: Call) -> Answer:
    """PATCH `/composite/sobjects`."""
    records, all_or_none = _records(call)
    writer = call.writer()

    def save(record: Typed) -> Result:
        record_id = _row_id(record.incoming.record_id)
        return _success(writer.update(record.kind, record_id, record.incoming)["Id"])

    return Answer(body=_each(call, records, save, all_or_none=all_or_none))


def upsert(call: Call) -> Answer:
    """PATCH `/composite/sobjects/Account/Some_Id__c`."""
    kind = call.kind
    records, all_or_none = _records(call, kind)
    if call.args["field"].lower() == "id":
        return _upsert_by_id(call, records, all_or_none=all_or_none)
    key = kind.field(call.args["field"])
    if key is None or not key.is_key:
        name = call.args["field"]
        raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
    keys = Counter(str(record.incoming.values.get(key.name)).lower() for record in records)
    writer = call.writer()

    def save(record: Typed) -> Result:
        value = _key_value(record, key, keys)
        row, created = writer.upsert(kind, key, value, record.incoming)
        return _success(row["Id"], created=created)

    results = _each(call, records, save, all_or_none=all_or_none)
    table = call.org.tables.of[kind.name]
    for result, record in zip(results, records, strict=True):
        # Seen in real answers: a refused row says created where no record of its key existed.
        value = record.incoming.values.get(key.name)
        result.setdefault("created", not (value and table.find(key.name, value)))
    return Answer(body=results)


def delete(call: Call) -> Answer:
    """DELETE `/composite/sobjects?ids=001...,003...`."""
    ids = [record_id for record_id in call.query.get("ids", "").split(",") if record_id]
    _refuse_too_many(len(ids), MOST_RECORDS)
    writer = call.writer()

    def save(text: str) -> Result:
        record_id = _row_id(text)
        kind = call.org.schema.of_id(record_id)
        if kind is None:
            raise Refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        writer.delete(kind, record_id)
        return _success(record_id)

    all_or_none = call.query.get("allOrNone", "").lower() == "true"
    return Answer(body=_each(call, ids, save, all_or_none=all_or_none))


def read(call: Call) -> Answer:
    """GET or POST `/composite/sobjects/Account` with ids and fields; null stands for a record that is not there."""
    if call.method == "POST":
        body = call.json_object()
        ids, names = body.get("ids"), body.get("fields")
    else:
        ids, names = call.query.get("ids", "").split(","), call.query.get("fields", "").split(",")
    if not isinstance(ids, list) or not isinstance(names, list) or not all(names):
        raise Refusal("MISSING_ARGUMENT", "The ids and fields parameters are required")
    _refuse_too_many(len(ids), MOST_READ_AT_ONCE)
    columns = []
    for name in names:
        column = call.kind.field(name)
        if column is None:
            raise no_such_column(name, call.kind)
        columns.append(column)
    rows = call.org.tables.of[call.kind.name].rows
    found = [rows.get(normalise(str(record_id)) or "") for record_id in ids]
    shown = [
        render(call.kind, row, call.root, columns) if row is not None and not row["IsDeleted"] else None
        for row in found
    ]
    return Answer(body=shown)


def _records(call: Call, only: ObjectType | None = None) -> tuple[list[Typed], bool]:
    """Read the whole request before any row is saved: one that cannot be read refuses them all."""
    body = call.json_object()
    records = body.get("records")
    if not isinstance(records, list) or not records:
        raise Refusal("MISSING_ARGUMENT", "The records parameter is required")
    _refuse_too_many(len(records), MOST_RECORDS)
    kinds = [_kind_of(call, record) for record in records]
    if only is not None and any(kind is not only for kind in kinds):
        raise Refusal("INVALID_TYPE", f"all records of this request must be of type {only.name}")
    if len(list(groupby(kinds))) > MOST_CHUNKS:
        raise Refusal("INVALID_INPUT", f"The records must stand in at most {MOST_CHUNKS} chunks of one type each")
    typed = [
        Typed(kind, read_record(call.org.schema, kind, record)) for kind, record in zip(kinds, records, strict=True)
    ]
    return typed, call.all_or_none or body.get("allOrNone") is True


def _kind_of(call: Call, record: Any) -> ObjectType:
    attributes = record.get("attributes") if isinstance(record, dict) else None
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(name, str):
        raise Refusal("INVALID_INPUT", "Each record must name its type in its attributes")
    kind = call.org.schema.find(name)
    if kind is None:
        raise Refusal("INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return kind


def _upsert_by_id(call: Call, records: list[Typed], *, all_or_none: bool) -> Answer:
    writer = call.writer()

    def save(record: Typed) -> Result:
        if record.incoming.record_id is None:
            return _success(writer.create(record.kind, record.incoming)["Id"], created=True)
        record_id = _row_id(record.incoming.record_id)
        return _success(writer.update(record.kind, record_id, record.incoming)["Id"], created=False)

    results = _each(call, records, save, all_or_none=all_or_none)
    for result, record in zip(results, records, strict=True):
        result.setdefault("created", record.incoming.record_id is None)
    return Answer(body=results)


def _each(call: Call, records: list[T], save: Callable[[T], Result], *, all_or_none: bool) -> list[Result]:
    """Save each record by itself; with allOrNone one refusal takes back all."""
    mark = call.org.tables.mark()
    results = []
    for record in records:
        try:
            results.append(save(record))
        except Refusal as refusal:
            name = record.kind.name if isinstance(record, Typed) else "deletes"
            call.org.counters.refused[name] += 1
            results.append({"success": False, "errors": [refusal.as_row()]})
    if all_or_none and not all(result["success"] for result in results):
        call.org.tables.undo(mark)
        undone = {"statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "message": ROLLED_BACK, "fields": []}
        return [{"success": False, "errors": [undone]} if result["success"] else result for result in results]
    return results


def _success(record_id: str, **more: bool) -> Result:
    return {"id": record_id, "success": True, "errors": [], **more}


def _key_value(record: Typed, key: Field, keys: Counter[str]) -> str:
    value = record.incoming.values.get(key.name)
    if value is None:
        raise Refusal("MISSING_ARGUMENT", f"{key.name} not specified", [key.name])
    if keys[str(value).lower()] > 1:
        raise Refusal("DUPLICATE_VALUE", f"Duplicate external id specified: {value}", [key.name])
    return str(value)


def _row_id(text: str | None) -> str:
    if text is None:
        raise Refusal("MISSING_ARGUMENT", "Id not specified in an update call", ["Id"])
    full = normalise(text)
    if full is None:
        raise Refusal("MALFORMED_ID", f"malformed id {text}", ["Id"])
    return full


def _refuse_too_many(count: int, most: int) -> None:
    if count > most:
        message = f"record limit reached. cannot submit more than {most} records into this call"
        raise Refusal("EXCEEDED_ID_LIMIT", message)
