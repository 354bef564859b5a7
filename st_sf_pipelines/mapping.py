"""The mapping language: which column of ours becomes which field of a target's object, one row a field (SF-1)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import orjson
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

REF: Final = "$ref"
"""Marks a value that stands for a record of the target: {"$ref": asset, "subject": our id of that record}."""

OMIT: Final = object()
"""What a transform returns for 'leave this field as it is'; None says 'clear it'."""


def as_is(*values: Any) -> Any:
    """Pass the value on: Decimal as a number, a day as YYYY-MM-DD, an instant in UTC to the second."""
    value = values[0]
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else value


def text(*values: Any) -> str | None:
    """Write an id as a text."""
    return None if values[0] is None else str(values[0])


def lines(*values: Any) -> str | None:
    """Join what is there, a line each (the two lines of an address)."""
    return "\n".join(str(value) for value in values if value) or None


def first_of(*values: Any) -> Any:
    """Take the first that is there."""
    return next((value for value in values if value not in (None, "")), None)


def only_true(*values: Any) -> Any:
    """Send true, and never take it back: an opt-out that somebody set in the target stays."""
    return True if values[0] else OMIT


def unless_empty(*values: Any) -> Any:
    """Send what is there, and clear nothing: what the target requires stays as it was when we no longer know it."""
    return OMIT if values[0] is None else as_is(values[0])


def parent(*values: Any) -> Any:
    """Point to a parent by its external id; `Field.refers_to` names the parent's key field."""
    return values[0]


def reference(*values: Any) -> Any:
    """Point to a record by the target's own id, which is put in when it is sent; `Field.refers_to` names its asset."""
    return values[0]


def noon(*values: Any) -> str | None:
    """Send a day as noon UTC, as Payload's own date picker does: one day in all zones from UTC-12 to UTC+11."""
    return f"{values[0].isoformat()}T12:00:00.000Z" if values[0] is not None else None


def user(*values: Any) -> Any:
    """Point to a user of the target by e-mail: the first whom it knows; else the default, or the field is left alone.

    Several addresses stand as a list until it is sent.
    """
    emails = list(dict.fromkeys(value for value in values if value))
    return emails if len(emails) > 1 else next(iter(emails), None)


def lookup(*values: Any) -> Any:
    """Join columns by slashes, empty ones at the end aside, to look up in `Field.values` what stands for them all."""
    parts = list(values)
    while parts and parts[-1] is None:
        parts.pop()
    return "/".join(str(part) for part in parts)


class Transform(StrEnum):
    """The transforms that a map may name; each is the function of that name in this module."""

    AS_IS = "as_is"
    TEXT = "text"
    LINES = "lines"
    FIRST_OF = "first_of"
    ONLY_TRUE = "only_true"
    UNLESS_EMPTY = "unless_empty"
    PARENT = "parent"
    REFERENCE = "reference"
    NOON = "noon"
    USER = "user"
    LOOKUP = "lookup"


_TRANSFORMS: Final[dict[Transform, Callable[..., Any]]] = {
    Transform.AS_IS: as_is,
    Transform.TEXT: text,
    Transform.LINES: lines,
    Transform.FIRST_OF: first_of,
    Transform.ONLY_TRUE: only_true,
    Transform.UNLESS_EMPTY: unless_empty,
    Transform.PARENT: parent,
    Transform.REFERENCE: reference,
    Transform.NOON: noon,
    Transform.USER: user,
    Transform.LOOKUP: lookup,
}


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Field:
    """One row: the target's field, our column (or columns), and what happens on the way.

    `values` translates picklist values; one that it does not list passes unchanged, or, of a `lookup`, leaves the
    field as it is. `constant` needs no column. A `volatile` field is sent along with others and is never by itself a
    reason to send; one that is not `guarded` is nobody's loss when it changes in many records (CRM-15). `refers_to` is,
    for a `parent`, the key field on the parent's object; for a `reference`, the asset of the record pointed to, whose
    value is {"$ref": asset, "subject": our id of that record} until it is sent. A `create_only` field is set when the
    record is made, and never after. A field that the target would else set anew goes along whenever the field that it
    `follows` goes. A text longer than `at_most` characters is cut.
    """

    to: str
    source: str | tuple[str, ...] = ()
    transform: Transform = Transform.AS_IS
    values: dict[str, str] | dict[str, int] | None = None
    constant: str | int | float | bool | None = None
    refers_to: str | None = None
    volatile: bool = False
    guarded: bool = True
    create_only: bool = False
    follows: str | None = None
    at_most: int | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Our columns that this field is made of."""
        return (self.source,) if isinstance(self.source, str) else tuple(self.source)

    def value(self, row: Mapping[str, Any]) -> Any:
        """Give what is to stand in the target for this row of ours, or OMIT."""
        if not self.columns:
            return self.constant
        value = _TRANSFORMS[self.transform](*(row[column] for column in self.columns))
        if self.values is not None and isinstance(value, str):
            value = self.values.get(value, OMIT if self.transform is Transform.LOOKUP else value)
        if self.at_most is not None and isinstance(value, str) and len(value) > self.at_most:
            value = f"{value[: self.at_most - 1].rstrip()}…"
        if self.transform is Transform.REFERENCE and value is not None:
            return {REF: self.refers_to, "subject": value}
        return {self.refers_to: value} if self.refers_to and value is not None else value


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Match:
    """One way to recognise a customer of ours among a target's records (SF-13): our columns against their fields.

    `through` names another asset: the record that the customer's record there points to, by the field `theirs`.
    """

    says: str
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    through: str | None = None


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class ObjectMap:
    """One object of a target: our asset, their object, the field that carries our key, and a row for each field.

    `says` tells a reader what it is, `source` names the rows of ours that it is made of (store/outgoing.py). `parent`
    is the asset whose record must be there first: that of the same subject, unless the source's row names another.
    Without an `external_id` the target does not find a record by our key while it writes, and may take it twice: one
    whose answer was lost is looked up before it is sent again. With no such field at all (`key` is empty) a record is
    known by what is set once, its `create_only` fields. `matches` are the ways to recognise records that are there
    already, the best first; our key goes before all of them. `behind` names assets that go before this one, though no
    field points to their records. Records that carry one key over time are told apart by the field `within`, which must
    be the same. `people` are references that are no fields of ours: the target's people set them, and they are read
    back.
    """

    asset: str
    remote: str
    key: str
    fields: tuple[Field, ...]
    says: str = ""
    source: str = "customers"
    parent: str | None = None
    external_id: bool = True
    matches: tuple[Match, ...] = ()
    behind: tuple[str, ...] = ()
    within: str | None = None
    people: tuple[str, ...] = ()

    @property
    def ahead(self) -> frozenset[str]:
        """The assets that go before this one: its parent, those its fields point to, those it is told to be behind."""
        return frozenset({*filter(None, [self.parent]), *self.behind, *self.points_to})

    @property
    def digest(self) -> str:
        """Change whenever a row changes, so that everything is planned anew."""
        return hashlib.blake2b(repr((self.key, self.fields)).encode(), digest_size=8).hexdigest()

    @property
    def volatile(self) -> frozenset[str]:
        """The fields that never by themselves cause a write."""
        return frozenset(field.to for field in self.fields if field.volatile)

    @property
    def unguarded(self) -> frozenset[str]:
        """The fields whose change counts for no mass change."""
        return frozenset(field.to for field in self.fields if field.volatile or not field.guarded)

    @property
    def references(self) -> frozenset[str]:
        """The fields that point to another record by the target's own id."""
        return frozenset(field.to for field in self.fields if field.transform is Transform.REFERENCE)

    @property
    def points_to(self) -> frozenset[str]:
        """The assets whose records the references point to."""
        return frozenset(str(field.refers_to) for field in self.fields if field.to in self.references)

    @property
    def users(self) -> frozenset[str]:
        """The fields that point to a user of the target, by e-mail."""
        return frozenset(field.to for field in self.fields if field.transform is Transform.USER)

    @property
    def create_only(self) -> frozenset[str]:
        """The fields that are set when a record is made, and never after."""
        return frozenset(field.to for field in self.fields if field.create_only)

    @property
    def parents(self) -> dict[str, str]:
        """The fields that point to a parent by its key, each with the parent's key field."""
        return {
            field.to: field.refers_to
            for field in self.fields
            if field.refers_to and field.transform is not Transform.REFERENCE
        }

    def renamed(self, names: Mapping[str, str]) -> ObjectMap:
        """Give this map under a target's own names of its fields: a whole name, or the group that it stands in."""

        def name(ours: str) -> str:
            group, dot, inner = ours.partition(".")
            return names.get(ours) or f"{names.get(group, group)}{dot}{inner}"

        return replace(
            self,
            key=name(self.key),
            fields=tuple(replace(f, to=name(f.to), follows=f.follows and name(f.follows)) for f in self.fields),
            matches=tuple(replace(way, theirs=tuple(map(name, way.theirs))) for way in self.matches),
            within=self.within and name(self.within),
            people=tuple(map(name, self.people)),
        )

    def with_fields(self, added: Sequence[Field]) -> ObjectMap:
        """Lay a site's rows over this map: a row for the same target field replaces, a new one is added."""
        rows = {field.to: field for field in (*self.fields, *added)}
        return replace(self, fields=tuple(rows.values()))


def payload(target: ObjectMap, row: Mapping[str, Any]) -> dict[str, Any]:
    """Map one row of ours (column → value, and our `key`) onto the target's fields; one to be left alone is absent."""
    mapped = {field.to: field.value(row) for field in target.fields}
    key = {target.key: row["key"]} if target.key else {}
    return key | {name: value for name, value in mapped.items() if value is not OMIT}


def digest(target: ObjectMap, sent: Mapping[str, Any]) -> bytes:
    """Fingerprint a payload, volatile fields aside: equal digests mean that there is nothing to send."""
    stable = {name: value for name, value in sent.items() if name not in target.volatile}
    return hashlib.blake2b(orjson.dumps(stable, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def difference(target: ObjectMap, wanted: Mapping[str, Any], agreed: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give the fields to send: all that hold something for a new record, else those that differ from the agreed ones.

    Volatile fields ride along only if something else goes, create-only ones to a new record alone. Empty: nothing to
    send.
    """
    if agreed is None:
        changed = {name: value for name, value in wanted.items() if value is not None}
    else:
        known = {name: value for name, value in wanted.items() if name not in target.create_only}
        changed = {name: value for name, value in known.items() if agreed.get(name) != value}
        along = [field.to for field in target.fields if field.follows in changed and field.to in known]
        changed |= {name: known[name] for name in along}
    return changed if changed.keys() - target.volatile else {}
