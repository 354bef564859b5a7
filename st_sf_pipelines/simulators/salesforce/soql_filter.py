"""The WHERE of a query as a function of a row; a comparison that makes no sense for its field refuses the query."""

import operator
import re
from collections.abc import Callable, Iterable
from typing import Any

from st_sf_pipelines.simulators.salesforce.ids import normalise
from st_sf_pipelines.simulators.salesforce.instants import read_date, read_datetime
from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.schema import Field
from st_sf_pipelines.simulators.salesforce.soql_columns import Found, Scope
from st_sf_pipelines.simulators.salesforce.soql_tokens import malformed
from st_sf_pipelines.simulators.salesforce.soql_tree import AnyOf, Compare, Condition, Every, Literal, Negation
from st_sf_pipelines.simulators.salesforce.tables import Row, Table

Predicate = Callable[[Row], bool]
NUMBERS = ("int", "double", "currency", "percent")
IDS = ("id", "reference")
EXPECTED = {**dict.fromkeys(NUMBERS, "number"), "boolean": "boolean", "date": "date", "datetime": "datetime"}
ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def predicate(scope: Scope, condition: Condition) -> Predicate:
    """Return the function that tells whether a row meets a condition."""
    if isinstance(condition, Negation):
        inner = predicate(scope, condition.condition)
        return lambda row: not inner(row)
    if isinstance(condition, Every):
        parts = [predicate(scope, part) for part in condition.conditions]
        return lambda row: all(part(row) for part in parts)
    if isinstance(condition, AnyOf):
        parts = [predicate(scope, part) for part in condition.conditions]
        return lambda row: any(part(row) for part in parts)
    return _comparison(scope, condition)


def candidates(scope: Scope, table: Table, where: Condition | None, *, deleted: bool) -> Iterable[Row]:
    """Return the rows that can meet a condition: few where an id or a key says which, else all of the table."""
    everything = table.rows.values() if deleted else table.living()
    for part in where.conditions if isinstance(where, Every) else [where]:
        if not isinstance(part, Compare) or part.operator not in ("=", "IN"):
            continue
        field = table.kind.field(part.column.path)
        if field is None or any(literal.value is None for literal in part.values):
            continue
        values = dict.fromkeys(_value(scope, part, field, literal) for literal in part.values)
        if field.type == "id":
            rows = [table.rows[value] for value in values if value in table.rows]
            return rows if deleted else [row for row in rows if not row["IsDeleted"]]
        # The index knows no deleted rows, so a query for those reads them all.
        if field.is_indexed and not deleted:
            return [row for value in values for row in table.find(field.name, str(value))]
    return everything


def _comparison(scope: Scope, compare: Compare) -> Predicate:
    found = scope.find(compare.column)
    field = found.field
    if not field.filterable:
        message = f"field '{field.name}' can not be filtered in a query call"
        raise malformed(scope.text, compare.column.at, message, "INVALID_FIELD")
    if compare.operator == "LIKE":
        return _like(scope, compare, found)
    values = [_value(scope, compare, field, literal) for literal in compare.values]
    read = _folded(found)
    if compare.operator in ORDERINGS:
        holds, bound = ORDERINGS[compare.operator], values[0]
        if bound is None or field.type == "boolean":
            raise _bad_operator(scope, compare, field)
        return lambda row: (value := read(row)) is not None and holds(value, bound)
    wanted = set(values)
    if compare.operator in ("=", "IN"):
        return lambda row: read(row) in wanted
    return lambda row: read(row) not in wanted


def _folded(found: Found) -> Callable[[Row], Any]:
    """Return how a column is read for a comparison: case does not count in texts."""
    read = found.read
    if found.field.type in EXPECTED or found.field.type in IDS:
        return read

    def folded(row: Row) -> Any:
        value = read(row)
        return value.lower() if isinstance(value, str) else value

    return folded


def _like(scope: Scope, compare: Compare, found: Found) -> Predicate:
    literal = compare.values[0]
    if not isinstance(literal.value, str) or found.field.type in EXPECTED or found.field.type in IDS:
        raise _bad_operator(scope, compare, found.field)
    pattern = ""
    for part in re.findall(r"\\[_%]|[_%]|.", literal.value, re.DOTALL):
        pattern += {"%": ".*", "_": "."}.get(part) or re.escape(part.removeprefix("\\") or part)
    matches = re.compile(pattern, re.IGNORECASE | re.DOTALL).fullmatch
    read = found.read
    return lambda row: (value := read(row)) is not None and matches(value) is not None


def _value(scope: Scope, compare: Compare, field: Field, literal: Literal) -> Any:
    """Return a literal in the stored form of its field."""
    if literal.kind == "null":
        return None
    expected = EXPECTED.get(field.type, "string")
    if literal.kind != expected:
        quotes = "should be enclosed in quotes" if expected == "string" else "should not be enclosed in quotes"
        message = f"value of filter criterion for field '{field.name}' must be of type {field.type} and {quotes}"
        raise malformed(scope.text, compare.column.at, message, "INVALID_FIELD")
    readers: dict[str, Callable[[Any], Any]] = {"date": read_date, "datetime": read_datetime, "string": str.lower}
    reader = normalise if field.type in IDS else readers.get(expected)
    value = reader(str(literal.value)) if reader else literal.value
    if value is None:
        if field.type in IDS:
            message = f"invalid ID field: {literal.value}"
            raise malformed(scope.text, compare.column.at, message, "INVALID_QUERY_FILTER_OPERATOR")
        raise malformed(scope.text, compare.column.at, f"line 1: invalid {expected}: {literal.value}")
    return value


def _bad_operator(scope: Scope, compare: Compare, field: Field) -> Refusal:
    return malformed(scope.text, compare.column.at, f"invalid operator on {field.type} field", "INVALID_FIELD")
