"""What people do in the org without the API: records that were there before, and changes by hand."""

from typing import Any

from st_sf_pipelines.simulators.salesforce.derived import derive
from st_sf_pipelines.simulators.salesforce.ids import make, normalise
from st_sf_pipelines.simulators.salesforce.incoming import read_record
from st_sf_pipelines.simulators.salesforce.org import INTEGRATION_USER, OFFICE_USER, Org
from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.related import fill
from st_sf_pipelines.simulators.salesforce.schema import ObjectType
from st_sf_pipelines.simulators.salesforce.tables import Row


def put_records(org: Org, kind: ObjectType, records: list[Any]) -> list[str]:
    """Put records in, or change those whose Id is given, and return their ids.

    No rule is asked and any field can be set, the stamps and IsDeleted too. Somebody of the office did it, unless
    LastModifiedById says otherwise. These writes are not counted.
    """
    return [_put(org, kind, record) for record in records]


def raw_records(org: Org, kind: ObjectType, *, deleted: bool) -> list[Row]:
    """Return the rows of an object with all their fields, the empty ones and the hidden ones too."""
    table = org.tables.of[kind.name]
    rows = list(table.rows.values()) if deleted else list(table.living())
    names = [field.name for field in kind.fields.values() if field.type != "address"]
    return [{name: row.get(name) for name in names} | row for row in rows]


def _put(org: Org, kind: ObjectType, record: Any) -> str:
    incoming = read_record(org.schema, kind, record)
    given = incoming.values
    for parent in incoming.parents:
        found = org.tables.of[parent.parent.name].find(parent.key.name, parent.value)
        if not found:
            raise Refusal("INVALID_FIELD", f"no {parent.parent.name} has this {parent.key.name}")
        given[parent.lookup.name] = found[0]["Id"]
    table = org.tables.of[kind.name]
    if incoming.record_id is None:
        missing = [field.name for field in kind.required if given.get(field.name) is None]
        if missing:
            raise Refusal("REQUIRED_FIELD_MISSING", f"Required fields are missing: {missing}")
        table.made += 1
        before: Row = {**table.kind.defaults, "Id": make(kind.prefix, table.made), "IsDeleted": False}
        before |= {"CreatedDate": org.now(), "CreatedById": OFFICE_USER}
        if "OwnerId" in kind.fields:
            before["OwnerId"] = INTEGRATION_USER
    else:
        known = table.rows.get(normalise(incoming.record_id) or "")
        if known is None:
            raise Refusal("NOT_FOUND", f"no {kind.name} has this id", status=404)
        before = known
    stamps = {"LastModifiedDate": org.now(), "SystemModstamp": org.now(), "LastModifiedById": OFFICE_USER}
    row = {name: value for name, value in (before | stamps | given).items() if value is not None}
    derive(kind.name, row, given, org.now())
    fill(org.tables, kind.name, row)
    table.put(row)
    record_id: str = row["Id"]
    return record_id
