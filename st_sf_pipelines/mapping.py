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


def lines(*values: Any) -> str | None:
    """Join what is there, a line each (the two lines of an address)."""
    return "\n".join(str(value) for value in values if value) or None


def first_of(*values: Any) -> Any:
    """Take the first that is there."""
    return next((value for value in values if value not in (None, "")), None)


def only_true(*values: Any) -> Any:
    """Send true, and never take it back: an opt-out that somebody set in the target stays."""
    return True if values[0] else OMIT


def parent(*values: Any) -> Any:
    """Point to a parent by its external id; `Field.refers_to` names the parent's key field."""
    return values[0]


def noon(*values: Any) -> str | None:
    """Send a day as noon UTC, as Payload's own date picker does: one day in all zones from UTC-12 to UTC+11."""
    return f"{values[0].isoformat()}T12:00:00.000Z" if values[0] is not None else None


def reference(*values: Any) -> Any:
    """Point to another asset's record, by our name for it: `Field.refers_to` names the asset."""
    return values[0]


class Transform(StrEnum):
    """The transforms that a map may name; each is the function of that name in this module."""

    AS_IS = "as_is"
    LINES = "lines"
    FIRST_OF = "first_of"
    ONLY_TRUE = "only_true"
    PARENT = "parent"
    NOON = "noon"
    REFERENCE = "reference"


_TRANSFORMS: Final[dict[Transform, Callable[..., Any]]] = {
    Transform.AS_IS: as_is,
    Transform.LINES: lines,
    Transform.FIRST_OF: first_of,
    Transform.ONLY_TRUE: only_true,
    Transform.PARENT: parent,
    Transform.NOON: noon,
    Transform.REFERENCE: reference,
}


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Field:
    """One row: the target's field, our column (or columns), and what happens on the way.

    `values` translates picklist values; one that it does not list passes unchanged. `constant` needs no column. A
    `volatile` field is sent along with others and is never by itself a reason to send. `refers_to` is, for a
    `parent`, the key field on the parent's object, and for a `reference` the asset whose record is meant: its value is
    {"$ref": asset, "subject": ours} until the record's own id there is known.
    """

    to: str
    source: str | tuple[str, ...] = ()
    transform: Transform = Transform.AS_IS
    values: dict[str, str] | None = None
    constant: str | int | float | bool | None = None
    refers_to: str | None = None
    volatile: bool = False

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
            value = self.values.get(value, value)
        if self.refers_to is None or value is None:
            return value
        return {"$ref": self.refers_to, "subject": value} if self.is_reference else {self.refers_to: value}

    @property
    def is_reference(self) -> bool:
        """Tell whether the field points to another asset's record."""
        return self.transform is Transform.REFERENCE


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

    `parent` is the asset whose record with the same key must be there first. `matches` are the ways to recognise
    records that are there already, the best first; our key goes before all of them.
    """

    asset: str
    remote: str
    key: str
    fields: tuple[Field, ...]
    parent: str | None = None
    matches: tuple[Match, ...] = ()

    @property
    def digest(self) -> str:
        """Change whenever a row changes, so that everything is planned anew."""
        return hashlib.blake2b(repr((self.key, self.fields)).encode(), digest_size=8).hexdigest()

    @property
    def volatile(self) -> frozenset[str]:
        """The fields that never by themselves cause a write."""
        return frozenset(field.to for field in self.fields if field.volatile)

    @property
    def references(self) -> frozenset[str]:
        """The fields that point to other assets' records."""
        return frozenset(field.to for field in self.fields if field.is_reference)

    def with_fields(self, added: Sequence[Field]) -> ObjectMap:
        """Lay a site's rows over this map: a row for the same target field replaces, a new one is added."""
        rows = {field.to: field for field in (*self.fields, *added)}
        return replace(self, fields=tuple(rows.values()))


def payload(target: ObjectMap, row: Mapping[str, Any]) -> dict[str, Any]:
    """Map one row of ours (column → value, and our `key`) onto the target's fields; one to be left alone is absent."""
    mapped = {field.to: field.value(row) for field in target.fields}
    return {target.key: row["key"], **{name: value for name, value in mapped.items() if value is not OMIT}}


def digest(target: ObjectMap, sent: Mapping[str, Any]) -> bytes:
    """Fingerprint a payload, volatile fields aside: equal digests mean that there is nothing to send."""
    stable = {name: value for name, value in sent.items() if name not in target.volatile}
    return hashlib.blake2b(orjson.dumps(stable, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def difference(target: ObjectMap, wanted: Mapping[str, Any], agreed: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give the fields to send: all that hold something for a new record, else those that differ from the agreed ones.

    Volatile fields ride along only if something else goes. Empty: nothing to send.
    """
    if agreed is None:
        changed = {name: value for name, value in wanted.items() if value is not None}
    else:
        changed = {name: value for name, value in wanted.items() if agreed.get(name) != value}
    return changed if changed.keys() - target.volatile else {}
