"""Whether an id in a lookup field points at a record that may stand there."""

from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.schema import Field, Schema
from st_sf_pipelines.simulators.salesforce.tables import Tables

RECORD_TYPE_PREFIX = "012"


def check_reference(schema: Schema, tables: Tables, field: Field, record_id: str) -> None:
    """Refuse an id of the wrong object, of no record, of a deleted record, or of a user who has left."""
    kind = schema.of_id(record_id)
    if kind is None and record_id.startswith(RECORD_TYPE_PREFIX) and "RecordType" in field.reference_to:
        return
    if kind is not None and kind.name not in field.reference_to:
        message = f"{field.label}: id value of incorrect type: {record_id}"
        raise Refusal("FIELD_INTEGRITY_EXCEPTION", message, [field.name])
    row = tables.of[kind.name].rows.get(record_id) if kind else None
    if row is None:
        raise Refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [field.name])
    if row["IsDeleted"]:
        raise Refusal("ENTITY_IS_DELETED", "entity is deleted", [field.name])
    if kind and kind.name == "User" and field.name == "OwnerId" and not row["IsActive"]:
        message = f"operation performed with inactive user [{record_id[:15]}] as owner of object"
        raise Refusal("INACTIVE_OWNER_OR_USER", message, [field.name])
