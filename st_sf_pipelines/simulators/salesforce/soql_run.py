"""A query run: which rows, in which order, and how each is shown."""

from dataclasses import dataclass, field
from functools import cmp_to_key
from typing import Any

from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.rendering import attributes, value_of
from st_sf_pipelines.simulators.salesforce.schema import Field, Schema
from st_sf_pipelines.simulators.salesforce.soql_columns import Found, Scope
from st_sf_pipelines.simulators.salesforce.soql_filter import candidates, predicate
from st_sf_pipelines.simulators.salesforce.soql_parser import parse
from st_sf_pipelines.simulators.salesforce.soql_tokens import malformed
from st_sf_pipelines.simulators.salesforce.soql_tree import Order, Select
from st_sf_pipelines.simulators.salesforce.tables import Row, Tables

MOST_OFFSET = 2_000


@dataclass
class Shown:
    """What a query shows of a record: fields of its own, and the same again for each parent."""

    fields: "dict[str, Field | Shown]" = field(default_factory=dict)
    lookup: Field | None = None


@dataclass(frozen=True)
class Result:
    """The rows of a query as they stood when it ran, rendered only when a page is asked for."""

    scope: Scope
    shown: Shown
    rows: list[Row]
    total: int

    def page(self, start: int, size: int, root: str) -> list[dict[str, Any]]:
        """Return the records of one page."""
        return [self._render(row, self.shown, root) for row in self.rows[start : start + size]]

    def _render(self, row: Row, shown: Shown, root: str) -> dict[str, Any]:
        kind = self.scope.schema.of_id(row["Id"]) or self.scope.kind
        record: dict[str, Any] = {"attributes": attributes(kind, row, root)}
        for name, column in shown.fields.items():
            if isinstance(column, Field):
                record[name] = value_of(row, column)
            elif column.lookup is not None:
                parent = self.scope.parent(row, column.lookup)
                record[name] = self._render(parent, column, root) if parent else None
        return record


def run(schema: Schema, tables: Tables, text: str, *, deleted: bool) -> Result:
    """Run a query; those for all records see the deleted ones too."""
    query = parse(text)
    kind = schema.find(query.table.text)
    if kind is None:
        message = (
            f"sObject type '{query.table.text}' is not supported. If you are attempting to use a custom object, be "
            "sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the "
            "appropriate names."
        )
        raise malformed(text, query.table.at, message, "INVALID_TYPE")
    if query.offset > MOST_OFFSET:
        raise Refusal("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MOST_OFFSET}")
    scope = Scope(schema, tables, kind, text)
    shown = _shown(scope, query)
    holds = predicate(scope, query.where) if query.where else None
    pool = candidates(scope, tables.of[kind.name], query.where, deleted=deleted)
    rows = [row for row in pool if holds(row)] if holds else list(pool)
    rows = _in_order(scope, query, rows)
    if query.limit is not None or query.offset:
        end = None if query.limit is None else query.offset + query.limit
        rows = rows[query.offset : end]
    return Result(scope, shown, [] if query.is_count else rows, len(rows))


def _shown(scope: Scope, query: Select) -> Shown:
    shown = Shown()
    for column in query.columns:
        found = scope.find(column)
        here = shown
        for lookup in found.lookups:
            step = here.fields.setdefault(str(lookup.relationship), Shown(lookup=lookup))
            if not isinstance(step, Shown):
                raise malformed(scope.text, column.at, f"duplicate field selected: {column.path}", "INVALID_FIELD")
            here = step
        if found.field.name in here.fields:
            raise malformed(scope.text, column.at, f"duplicate field selected: {column.path}", "INVALID_FIELD")
        here.fields[found.field.name] = found.field
    return shown


def _in_order(scope: Scope, query: Select, rows: list[Row]) -> list[Row]:
    if not query.order:
        return rows
    keys = [(order, _sortable(scope, order)) for order in query.order]

    def compare(left: Row, right: Row) -> int:
        for order, found in keys:
            outcome = _compare(_key(found.read(left)), _key(found.read(right)), order)
            if outcome:
                return outcome
        return 0

    return sorted(rows, key=cmp_to_key(compare))


def _sortable(scope: Scope, order: Order) -> Found:
    found = scope.find(order.column)
    if not found.field.sortable:
        message = f"field '{found.field.name}' can not be sorted in a query call"
        raise malformed(scope.text, order.column.at, message, "INVALID_FIELD")
    return found


def _key(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _compare(left: Any, right: Any, order: Order) -> int:
    if left == right:
        return 0
    if left is None or right is None:
        # Empty values come first unless the query says otherwise, whichever way the rest is sorted.
        first = -1 if left is None else 1
        return -first if order.nulls_last else first
    ahead = -1 if left < right else 1
    return -ahead if order.descending else ahead
