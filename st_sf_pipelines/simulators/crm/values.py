"""What becomes of a value on its way in: it is cast, or it does not hold."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from st_sf_pipelines.simulators.crm.answers import Invalid, trouble
from st_sf_pipelines.simulators.crm.collections import Field

EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
REQUIRED = "This field is required."

Knows = Callable[[str, Any], bool]
"""Tells whether a value is of the kind that a collection's ids are of."""


def stamp(moment: datetime) -> str:
    """Write an instant as Payload does, to the millisecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def empty(fields: tuple[Field, ...]) -> dict[str, Any]:
    """Give a document that nothing was said of."""
    return {field.name: _empty(field) for field in fields}


def _empty(field: Field) -> Any:
    if field.kind == "group":
        return empty(field.fields)
    return [] if field.kind == "array" else field.default


class Check:
    """Lays what a client sent over a document, field by field, and collects what does not hold."""

    def __init__(self, is_id: Knows) -> None:
        """Take the function that tells ids from other values."""
        self._is_id = is_id
        self.faults: list[Invalid] = []

    def lay(self, fields: tuple[Field, ...], over: dict[str, Any], sent: dict[str, Any], above: str = "") -> None:
        """Change `over`; fields that nobody knows are dropped without a word."""
        for field in fields:
            path = above + field.name
            if field.kind == "group":
                if field.name in sent and sent[field.name] is None:
                    raise trouble()
                if isinstance(sent.get(field.name), dict):
                    self.lay(field.fields, over[field.name], sent[field.name], f"{path}.")
                continue
            if field.name in sent:
                over[field.name] = self._cast(field, path, sent[field.name])
            if field.required and over[field.name] in (None, ""):
                self._fault(field, path, REQUIRED)

    def _fault(self, field: Field, path: str, message: str) -> None:
        self.faults.append(Invalid(path, field.label, message))

    def _cast(self, field: Field, path: str, value: Any) -> Any:
        if value is None:
            return _empty(field) if field.kind == "array" else None
        cast, message = getattr(self, f"_{field.kind}")(field, path, value)
        if message:
            self._fault(field, path, message)
        return cast

    def _text(self, _field: Field, _path: str, value: Any) -> tuple[Any, str]:
        return value if isinstance(value, str) else orjson.dumps(value).decode(), ""

    def _email(self, _field: Field, _path: str, value: Any) -> tuple[Any, str]:
        holds = not value or (isinstance(value, str) and EMAIL.fullmatch(value))
        return value, "" if holds else "Please enter a valid email address."

    def _number(self, field: Field, _path: str, value: Any) -> tuple[Any, str]:
        try:
            number = float(value)
        except (TypeError, ValueError):
            return None, ""  # it is no number: Payload stores nothing
        if not math.isfinite(number):
            return None, ""
        cast = int(number) if number.is_integer() else number
        if field.bounds and cast > field.bounds[1]:
            return cast, f"{cast} is greater than the max allowed Value of {field.bounds[1]}."
        if field.bounds and cast < field.bounds[0]:
            return cast, f"{cast} is less than the min allowed Value of {field.bounds[0]}."
        return cast, ""

    def _checkbox(self, _field: Field, _path: str, value: Any) -> tuple[Any, str]:
        return value, "" if isinstance(value, bool) else "This field can only be equal to true or false."

    def _select(self, field: Field, _path: str, value: Any) -> tuple[Any, str]:
        return value, "" if value in field.options else "This field has an invalid selection."

    def _date(self, _field: Field, _path: str, value: Any) -> tuple[Any, str]:
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            return value, f'"{value}" is not a valid date.'
        return stamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC)), ""

    def _json(self, _field: Field, _path: str, value: Any) -> tuple[Any, str]:
        return value, "This field has an invalid input." if isinstance(value, str) else ""

    def _relationship(self, field: Field, _path: str, value: Any) -> tuple[Any, str]:
        pointed = value["id"] if isinstance(value, dict) and "id" in value else value
        if self._is_id(field.to, pointed):
            return pointed, ""
        return value, f"This relationship field has the following invalid relationships: {value} 0"

    def _array(self, field: Field, path: str, value: Any) -> tuple[Any, str]:
        rows = []
        for n, sent in enumerate(value if isinstance(value, list) else []):
            row = empty(field.fields)
            self.lay(field.fields, row, sent if isinstance(sent, dict) else {}, f"{path}.{n}.")
            rows.append(row)
        return rows, ""
