"""The columns of a query: where each is found, in the row itself or by way of its parents."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.rendering import value_of
from st_sf_pipelines.simulators.salesforce.schema import Field, ObjectType, Schema
from st_sf_pipelines.simulators.salesforce.soql_tokens import malformed
from st_sf_pipelines.simulators.salesforce.soql_tree import Column
from st_sf_pipelines.simulators.salesforce.tables import Row, Tables

MOST_LEVELS = 5
# What a lookup that may point to several objects shows of its record: the fields of the object Name, and no others.
OF_NAME = ("id", "name", "firstname", "lastname", "email", "phone", "title", "alias", "username", "isactive")


@dataclass(frozen=True)
class Found:
    """A column of the query, found: the lookups that lead to it, its field, and how to read it from a row."""

    lookups: tuple[Field, ...]
    field: Field
    read: Callable[[Row], Any]


@dataclass(frozen=True)
class Scope:
    """The object that a query is about, and the org around it."""

    schema: Schema
    tables: Tables
    kind: ObjectType
    text: str

    def find(self, column: Column) -> Found:
        """Find a column by the path that the query gives, which may start with the object's own name."""
        parts = column.path.split(".")
        if len(parts) > 1 and parts[0].lower() == self.kind.name.lower() and not self.kind.lookup(parts[0]):
            parts = parts[1:]
        if len(parts) - 1 > MOST_LEVELS:
            raise self._invalid(column, "SOQL relationships can only be followed five levels up")
        kinds, lookups = [self.kind], []
        for part in parts[:-1]:
            lookup = next((found for kind in kinds if (found := kind.lookup(part))), None)
            if lookup is None:
                raise self._invalid(
                    column,
                    f"Didn't understand relationship '{part}' in field path. If you are attempting to use a custom "
                    "relationship, be sure to append the '__r' after the custom relationship name. Please reference "
                    "your WSDL or the describe call for the appropriate names.",
                )
            lookups.append(lookup)
            kinds = [kind for name in lookup.reference_to if (kind := self.schema.find(name))]
        field = next((found for kind in kinds if (found := kind.field(parts[-1]))), None)
        if lookups and len(lookups[-1].reference_to) > 1 and parts[-1].lower() not in OF_NAME:
            field = None
        if field is None:
            entity = "Name" if lookups and len(lookups[-1].reference_to) > 1 else kinds[0].name
            raise self._invalid(
                column,
                f"No such column '{parts[-1]}' on entity '{entity}'. If you are attempting to use a custom field, be "
                "sure to append the '__c' after the custom field name. Please reference your WSDL or the describe "
                "call for the appropriate names.",
            )
        return Found(tuple(lookups), field, self._reader(lookups, field))

    def parent(self, row: Row, lookup: Field) -> Row | None:
        """Return the record that a lookup of a row points at."""
        record_id = row.get(lookup.name)
        kind = self.schema.of_id(record_id) if record_id else None
        return self.tables.of[kind.name].rows.get(record_id) if kind and record_id else None

    def _reader(self, lookups: list[Field], field: Field) -> Callable[[Row], Any]:
        name = field.name
        if not lookups:
            return lambda row: row.get(name)

        def read(row: Row) -> Any:
            here: Row | None = row
            for lookup in lookups:
                here = self.parent(here, lookup) if here is not None else None
            return value_of(here, field) if here is not None else None

        return read

    def _invalid(self, column: Column, message: str) -> Refusal:
        return malformed(self.text, column.at, message, "INVALID_FIELD")
