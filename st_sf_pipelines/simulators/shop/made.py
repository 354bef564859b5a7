"""What a table is made of: places in the feed, what lists choose by, and the generated part with its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable

Record = dict[str, Any]

ID_STEP = 7
"""Ids of neighbouring records lie this far apart: real ones have gaps."""


class Place(NamedTuple):
    """A place in the feed: when a record reached it, and a number that orders records with equal stamps."""

    arrived: int
    order: int


class Meta(NamedTuple):
    """What lists filter and sort by; `ranged` is modifiedOn, or the later day on which the balance changed."""

    key: int
    created: int
    modified: int
    ranged: int
    active: bool


class Bound(NamedTuple):
    """A span of one of a meta's instants: from a moment on, or up to one that no longer counts."""

    column: str
    since: int | None
    before: int | None

    def holds(self, meta: Meta) -> bool:
        """Tell whether a record is within it."""
        value: int = getattr(meta, self.column)
        return (self.since is None or value >= self.since) and (self.before is None or value < self.before)


class Refers(NamedTuple):
    """A column that holds rows of another table, whose ids begin at some number."""

    column: array[int]
    first_id: int


class Made(NamedTuple):
    """The generated part of a table: ids, three columns, how a row becomes a record, and what refers elsewhere."""

    ids: range
    created: array[int]
    modified: array[int]
    active: array[int]
    record: Callable[[int], Record]
    refers: dict[str, Refers]
