"""How a record is saved: the rules of the describe and of the org, then the row, its stamps and what follows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from st_sf_pipelines.simulators.salesforce.derived import derive
from st_sf_pipelines.simulators.salesforce.ids import make
from st_sf_pipelines.simulators.salesforce.incoming import ByKey, Incoming
from st_sf_pipelines.simulators.salesforce.references import check_reference
from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.related import converted_lead, fill, judge
from st_sf_pipelines.simulators.salesforce.rules import Rules
from st_sf_pipelines.simulators.salesforce.schema import Field, ObjectType, Schema
from st_sf_pipelines.simulators.salesforce.tables import Row, Table, Tables
from st_sf_pipelines.simulators.salesforce.values import check

STAMPS = ("LastModifiedDate", "SystemModstamp")


@dataclass
class Writer:
    """Saves records for one request: as whom, at what time, and with what put in its way."""

    schema: Schema
    tables: Tables
    rules: Rules
    user_id: str
    now: str
    allow_duplicates: bool = False
    row_faults: Iterable[Callable[[Row], None]] = field(default_factory=list)

    def create(self, kind: ObjectType, incoming: Incoming) -> Row:
        """Save a new record and return its row."""
        if incoming.record_id is not None:
            raise Refusal("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"])
        if not kind.createable:
            raise Refusal("INVALID_TYPE_FOR_OPERATION", f"entity type cannot be inserted: {kind.label}")
        given = self._given(kind, incoming, "createable")
        missing = [column.name for column in kind.required if given.get(column.name) is None]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise Refusal("REQUIRED_FIELD_MISSING", message, missing)
        table = self.tables.of[kind.name]
        row = self._blank(table) | {name: value for name, value in given.items() if value is not None}
        self._finish(table, row, given)
        table.made += 1
        self.tables.write(table, row, "created")
        return row

    def update(self, kind: ObjectType, record_id: str, incoming: Incoming) -> Row:
        """Save what a request says of a record that is there: null clears, what is left out stays."""
        table = self.tables.of[kind.name]
        old = find_living(table, record_id)
        if old.get("IsConverted"):
            raise converted_lead()
        given = self._given(kind, incoming, "updateable", same=old)
        emptied = [name for name, value in given.items() if value is None and not kind.fields[name].nillable]
        if emptied:
            message = f"Required fields are missing: [{', '.join(emptied)}]"
            raise Refusal("REQUIRED_FIELD_MISSING", message, emptied)
        unchanged = all(old.get(name) == value for name, value in given.items())
        row = {**old, **given, **dict.fromkeys(STAMPS, self.now), "LastModifiedById": self.user_id}
        for name, value in given.items():
            if value is None:
                del row[name]
        self._finish(table, row, given)
        self.tables.write(table, row, "unchanged" if unchanged else "updated")
        return row

    def upsert(
        self, kind: ObjectType, key: Field, value: str, incoming: Incoming, *, update_only: bool = False
    ) -> tuple[Row, bool]:
        """Save a record by a key of its own, and tell whether it was made."""
        twins = self.tables.of[kind.name].find(key.name, value)
        if len(twins) > 1:
            ids = ", ".join(twin["Id"][:15] for twin in twins)
            message = f"{key.name}: more than one record found for external id field: [{ids}]"
            raise Refusal("DUPLICATE_EXTERNAL_ID", message, [key.name])
        if not twins and update_only:
            raise Refusal("NOT_FOUND", "The requested resource does not exist", status=404)
        incoming.values[key.name] = value
        if twins:
            return self.update(kind, twins[0]["Id"], incoming), False
        return self.create(kind, incoming), True

    def delete(self, kind: ObjectType, record_id: str) -> None:
        """Put a record in the recycle bin, and with it those that hang on it."""
        table = self.tables.of[kind.name]
        old = find_living(table, record_id)
        stamps = dict.fromkeys(STAMPS, self.now)
        self.tables.write(table, {**old, **stamps, "IsDeleted": True, "LastModifiedById": self.user_id}, "deleted")
        for child_name, lookup in kind.cascades:
            child = self.tables.of[child_name]
            for orphan in [row["Id"] for row in child.living() if row.get(lookup) == old["Id"]]:
                self.delete(child.kind, orphan)

    def _given(self, kind: ObjectType, incoming: Incoming, right: str, *, same: Row | None = None) -> Row:
        """Return the values of a request as they will be kept: allowed, well-formed, parents found."""
        for refuse in self.row_faults:
            refuse(incoming.values)
        fields = kind.fields
        given: Row = {}
        locked = []
        for name, value in incoming.values.items():
            column = fields[name]
            if not getattr(column, right):
                locked.append(name)
                continue
            given[name] = kept = check(column, value)
            if column.type == "reference" and kept is not None:
                check_reference(self.schema, self.tables, column, kept)
            if column.unique and kept is not None:
                self._check_unique(kind, column, kept, same)
        for parent in incoming.parents:
            given[parent.lookup.name] = self._resolve(parent)
        if locked:
            message = (
                f"Unable to create/update fields: {', '.join(locked)}. Please check the security settings of this "
                "field and verify that it is read/write for your profile or permission set."
            )
            raise Refusal("INVALID_FIELD_FOR_INSERT_UPDATE", message, locked)
        return given

    def _check_unique(self, kind: ObjectType, column: Field, value: Any, same: Row | None) -> None:
        for twin in self.tables.of[kind.name].find(column.name, str(value)):
            if same is None or twin["Id"] != same["Id"]:
                message = f"duplicate value found: {column.name} duplicates value on record with id: {twin['Id'][:15]}"
                raise Refusal("DUPLICATE_VALUE", message)

    def _resolve(self, parent: ByKey) -> str:
        found = self.tables.of[parent.parent.name].find(parent.key.name, parent.value)
        if len(found) > 1:
            ids = ", ".join(row["Id"][:15] for row in found)
            message = f"{parent.key.name}: more than one record found for external id field: [{ids}]"
            raise Refusal("DUPLICATE_EXTERNAL_ID", message, [parent.key.name])
        if not found:
            message = (
                f"Foreign key external ID: {parent.value} not found for field {parent.key.name} "
                f"in entity {parent.parent.name}"
            )
            raise Refusal("INVALID_FIELD", message)
        record_id: str = found[0]["Id"]
        return record_id

    def _blank(self, table: Table) -> Row:
        row: Row = {**table.kind.defaults, "Id": make(table.kind.prefix, table.made + 1), "IsDeleted": False}
        if "OwnerId" in table.kind.fields:
            row["OwnerId"] = self.user_id
        stamps = dict.fromkeys(("CreatedDate", *STAMPS), self.now)
        return row | stamps | {"CreatedById": self.user_id, "LastModifiedById": self.user_id}

    def _finish(self, table: Table, row: Row, given: Row) -> None:
        derive(table.kind.name, row, given, self.now)
        judge(self.tables, table.kind.name, row)
        fill(self.tables, table.kind.name, row)
        self.rules.judge(row, given, table, allow_duplicates=self.allow_duplicates)


def find_living(table: Table, record_id: str) -> Row:
    """Return the row of an id; it may be gone, or never have been."""
    row = table.rows.get(record_id)
    if row is None:
        raise Refusal("NOT_FOUND", "The requested resource does not exist", status=404)
    if row["IsDeleted"]:
        raise Refusal("ENTITY_IS_DELETED", "entity is deleted", status=404)
    return row
