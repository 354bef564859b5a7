"""How a record of ours is written as a document of Payload, and read back: groups, references, and what is equal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.mapping import Transform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.ports import Upsert

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


def key_of(target: ObjectMap, upsert: Upsert) -> str:
    """Give the value by which a record is looked for: what is sent in the key's field, else the key."""
    value = upsert.fields.get(target.key, upsert.key)
    return str(upsert.key if value is None else value)


def body_of(target: ObjectMap, upsert: Upsert, native: Callable[[str, str], Any]) -> dict[str, Any]:
    """Write the fields as one document; `native(asset, id)` gives a reference's id as the server writes it.

    JSON is replaced whole by Payload, groups are merged: a key inside JSON goes with whatever else goes there.
    """
    points = {field.to: field.refers_to for field in target.fields if field.transform is Transform.REFERENCE}
    fields = dict(upsert.fields)
    root, _, inner = target.key.partition(".")
    if inner and (root in fields or upsert.remote_id is None):
        fields = {root: None, **fields, target.key: key_of(target, upsert)}
    body: dict[str, Any] = {}
    for name, value in fields.items():
        asset = points.get(name)
        _put(body, name, native(asset, str(value)) if asset and value is not None else value)
    return body


def value_at(document: Mapping[str, Any], name: str) -> Any:
    """Give the value of a field, dotted where it stands in a group."""
    value: Any = document
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def fields_of(target: ObjectMap, document: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Read fields back under our names of them; ids of other records are text."""
    return {name: _as_text(target, name, value_at(document, name)) for name in names}


def same(ours: Any, theirs: Any) -> bool:
    """Compare as Payload stores: text for a number where the field is text, an empty text is as good as none."""
    ours, theirs = _stored(ours), _stored(theirs)
    if isinstance(ours, str) != isinstance(theirs, str) and None not in (ours, theirs):
        return _text(ours) == _text(theirs)
    return bool(ours == theirs)


def _put(body: dict[str, Any], name: str, value: Any) -> None:
    *groups, last = name.split(".")
    for group in groups:
        if not isinstance(body.get(group), dict):
            body[group] = {}
        body = body[group]
    body[last] = dict(value) if isinstance(value, dict) else value


def _as_text(target: ObjectMap, name: str, value: Any) -> Any:
    is_reference = name in target.references or name in target.people
    return str(value) if is_reference and value is not None else value


def _stored(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return f"{value}T00:00:00.000Z" if _DAY.fullmatch(value) else value.replace("\r\n", "\n") or None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
