"""A request's worth of records of one object that go the same way, and what the answer says of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from st_sf_pipelines.ports import Outcome, Receipt, Upsert
from st_sf_pipelines.systems.http import code_in, fields_in
from st_sf_pipelines.systems.salesforce.codes import Kind, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from st_sf_pipelines.mapping import ObjectMap

_T = TypeVar("_T")
ROWS: Final = 200  # records of a collection
ID: Final = 15  # characters of an id; what may follow is its check sum


@dataclass(frozen=True)
class Collection:
    """Up to 200 records: by Salesforce's own id once it is known, else by our key, else (no key is one) just made."""

    target: ObjectMap
    rows: tuple[Upsert, ...]

    @property
    def is_linked(self) -> bool:
        """Tell whether these records are known by Salesforce's id."""
        return self.rows[0].remote_id is not None

    @property
    def makes(self) -> bool:
        """Tell whether sending it twice would make every record twice."""
        return not self.is_linked and not self.target.external_id

    @property
    def method(self) -> str:
        """The method of the request."""
        return "POST" if self.makes else "PATCH"

    @property
    def path(self) -> str:
        """The resource below the API's version."""
        by_key = not self.is_linked and self.target.external_id
        return f"composite/sobjects/{self.target.remote}/{self.target.key}" if by_key else "composite/sobjects"

    @property
    def body(self) -> dict[str, Any]:
        """The body of the request."""
        return {"allOrNone": False, "records": [self._record(row) for row in self.rows]}

    def _record(self, row: Upsert) -> dict[str, Any]:
        name = {"id": row.remote_id} if row.remote_id else {self.target.key: row.key} if self.target.key else {}
        return {"attributes": {"type": self.target.remote}, **name, **to_send(self.target, row)}

    def of(self, rows: Iterable[Upsert]) -> Collection:
        """Make a collection of the same object with other records."""
        return Collection(self.target, tuple(rows))

    def receipt(self, row: Upsert, result: Any) -> Receipt:
        """Turn what the answer says of one record into its receipt."""
        if result.get("success"):
            made = not self.is_linked and (self.makes or result.get("created") is True)
            return Receipt(row.key, Outcome.CREATED if made else Outcome.UPDATED, result.get("id") or row.remote_id)
        error = (result.get("errors") or [{}])[0]
        code = code_in(error.get("statusCode") or error.get("errorCode"))
        fields = fields_in(error.get("fields"))
        outcome = Outcome.REFUSED
        if kind_of(code) is Kind.PASSING:
            outcome = Outcome.PASSING
        elif kind_of(code) is Kind.GONE and row.remote_id is not None and not fields:
            outcome = Outcome.GONE  # where a field is named, it is the record pointed to that is gone
        return Receipt(row.key, outcome, row.remote_id, code, _stripped(error.get("message"), row), fields)


def _stripped(message: object, row: Upsert) -> str | None:
    """Take e-mail addresses and the texts sent out of a message: the rest tells, say, which validation rule it was."""
    if not isinstance(message, str):
        return None
    sent = sorted({value.strip() for value in row.fields.values() if isinstance(value, str)} - {""}, key=len)
    values = [rf"(?<!\w){re.escape(value)}(?!\w)" for value in reversed(sent)]  # the longest first
    return re.sub("|".join([*values, r"\S+@\S+"]), "…", message, flags=re.IGNORECASE)


def to_send(target: ObjectMap, row: Upsert) -> dict[str, Any]:
    """Give the fields that go: to a record that is there, without those that are only set when one is made."""
    left_out = target.create_only if row.remote_id else frozenset()
    return {name: value for name, value in row.fields.items() if name not in left_out}


def quoted(text: str) -> str:
    """Write a text for a SOQL string."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def listed(texts: Iterable[str]) -> str:
    """Write texts for a SOQL IN, each once."""
    return ", ".join(f"'{quoted(text)}'" for text in dict.fromkeys(texts))


def chunks(items: Iterable[_T], size: int) -> Iterator[tuple[_T, ...]]:
    """Cut a sequence into pieces of at most so many."""
    rest = iter(items)
    while chunk := tuple(islice(rest, size)):
        yield chunk
