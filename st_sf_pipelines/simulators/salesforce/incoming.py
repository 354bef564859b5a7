"""A record of a request, read against the describe before anything is saved; what cannot be read refuses it all."""

from dataclasses import dataclass, field
from typing import Any

from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.schema import Field, ObjectType, Schema, no_such_column
from st_sf_pipelines.simulators.salesforce.tables import Row
from st_sf_pipelines.simulators.salesforce.values import deserialise


@dataclass(slots=True)
class ByKey:
    """A parent that is named by a key of its own: `"Account": {"ServiceTitan_Account_Id__c": "st_1"}`."""

    lookup: Field
    parent: ObjectType
    key: Field
    value: str


@dataclass(slots=True)
class Incoming:
    """The fields of one record by their own names, its parents by key, and the id that it carries, if any."""

    values: Row = field(default_factory=dict)
    parents: list[ByKey] = field(default_factory=list)
    record_id: str | None = None


def read_record(schema: Schema, kind: ObjectType, record: Any) -> Incoming:
    """Read one JSON object as a record of this object."""
    if not isinstance(record, dict):
        raise Refusal("JSON_PARSER_ERROR", "The records must be JSON objects")
    incoming = Incoming()
    values = incoming.values
    for name, raw in record.items():
        column = kind.field(name)
        if column is None:
            if name == "attributes":
                continue
            _read_parent(schema, kind, incoming, name, raw)
        elif column.type == "id":
            incoming.record_id = deserialise(column, raw)
        else:
            values[column.name] = deserialise(column, raw)
    return incoming


def read_records(schema: Schema, kind: ObjectType, records: list[Any]) -> list[Incoming]:
    """Read the records of one object in a row."""
    return [read_record(schema, kind, record) for record in records]


def _read_parent(schema: Schema, kind: ObjectType, incoming: Incoming, name: str, raw: Any) -> None:
    lookup = kind.lookup(name)
    if lookup is None:
        raise no_such_column(name, kind)
    if raw is None:
        incoming.values[lookup.name] = None
        return
    if not isinstance(raw, dict):
        raise Refusal("JSON_PARSER_ERROR", f"{name}: a related record is named by an object with one of its keys")
    keys = [key for key in raw if key != "attributes"]
    parent = _parent_kind(schema, lookup, raw)
    if len(keys) != 1:
        raise Refusal("INVALID_FIELD", f"{name}: a related record is named by exactly one external id field")
    key = parent.field(keys[0])
    if key is None:
        raise no_such_column(keys[0], parent)
    if not key.is_key:
        raise Refusal("INVALID_FIELD", f"{key.name} is not an External ID or indexed field for {parent.name}")
    value = deserialise(key, raw[keys[0]])
    if value is None:
        raise Refusal("INVALID_FIELD", f"{name}: the external id of a related record must not be empty")
    incoming.parents.append(ByKey(lookup, parent, key, value))


def _parent_kind(schema: Schema, lookup: Field, raw: dict[str, Any]) -> ObjectType:
    attributes = raw.get("attributes")
    named = attributes.get("type") if isinstance(attributes, dict) else None
    kinds = [kind for name in lookup.reference_to if (kind := schema.find(name))]
    if named is not None:
        kinds = [kind for kind in kinds if kind.name == named]
    if not kinds:
        raise Refusal("INVALID_FIELD", f"{lookup.relationship}: invalid type of a related record")
    if len(kinds) > 1:
        raise Refusal("INVALID_FIELD", f"{lookup.relationship}: attributes with a type must name the object meant")
    return kinds[0]
