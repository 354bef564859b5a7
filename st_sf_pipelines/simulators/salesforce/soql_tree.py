"""A SOQL query as a tree: what is selected, from where, under which conditions, in which order."""

from dataclasses import dataclass, field
from typing import NamedTuple

from st_sf_pipelines.simulators.salesforce.soql_tokens import Token


class Literal(NamedTuple):
    """A value in a condition: string, number, date, datetime, boolean or null."""

    kind: str
    value: str | float | bool | None


class Column(NamedTuple):
    """A field as the query names it, of the object itself or by way of its parents."""

    path: str
    at: int


class Compare(NamedTuple):
    """`field operator value`; IN and NOT IN have several values."""

    column: Column
    operator: str
    values: list[Literal]


class Every(NamedTuple):
    """All of these hold."""

    conditions: list["Condition"]


class AnyOf(NamedTuple):
    """One of these holds."""

    conditions: list["Condition"]


class Negation(NamedTuple):
    """This does not hold."""

    condition: "Condition"


Condition = Compare | Every | AnyOf | Negation


class Order(NamedTuple):
    """One part of ORDER BY."""

    column: Column
    descending: bool
    nulls_last: bool


@dataclass
class Select:
    """A whole query."""

    columns: list[Column]
    table: Token
    is_count: bool = False
    where: Condition | None = None
    order: list[Order] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0
