"""Writes records in collections, several in one call, and isolates those for which a whole request is refused."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from st_sf_pipelines.errors import CredentialsError, PermanentError, RemoteError, TransientError
from st_sf_pipelines.ports import Outcome, Receipt, Upsert
from st_sf_pipelines.systems.salesforce.codes import Kind, kind_of
from st_sf_pipelines.systems.salesforce.session import HEADERS, SalesforceSession, records_of, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from st_sf_pipelines.mapping import ObjectMap

_T = TypeVar("_T")
ROWS: Final = 200  # records of a collection
COLLECTIONS: Final = 5  # collections of a composite call
TRIES: Final = 3  # for a record that is refused for a passing reason, within one round
PAUSE_SECONDS: Final = 0.5


@dataclass(frozen=True)
class _Collection:
    """Up to 200 records of one object that go the same way: by our key, or by Salesforce's own id once it is known."""

    target: ObjectMap
    rows: tuple[Upsert, ...]

    @property
    def path(self) -> str:
        linked = self.rows[0].remote_id is not None
        return "composite/sobjects" if linked else f"composite/sobjects/{self.target.remote}/{self.target.key}"

    @property
    def body(self) -> dict[str, Any]:
        return {"allOrNone": False, "records": [self._record(row) for row in self.rows]}

    def _record(self, row: Upsert) -> dict[str, Any]:
        name = {"id": row.remote_id} if row.remote_id else {self.target.key: row.key}
        return {"attributes": {"type": self.target.remote}, **name, **row.fields}

    def of(self, rows: Iterable[Upsert]) -> _Collection:
        return _Collection(self.target, tuple(rows))


class Writer:
    """Writes the records of one org."""

    def __init__(self, tenant: str, session: SalesforceSession, version: str) -> None:
        """Take the tenant's name for errors, the session, and the version of the API."""
        self._tenant = tenant
        self._session = session
        self._version = version

    def push(self, target: ObjectMap, upserts: Sequence[Upsert]) -> Iterator[Sequence[Receipt]]:
        """Write records; yield receipts as they come. A request that is refused whole is halved (SF-6)."""
        ways = ([u for u in upserts if u.remote_id is None], [u for u in upserts if u.remote_id is not None])
        collections = [_Collection(target, rows) for way in ways for rows in chunks(way, ROWS)]
        for group in chunks(collections, COLLECTIONS):
            for collection, answer in zip(group, self._answers(group), strict=True):
                yield from self._receipts(collection, answer)

    def _answers(self, group: Sequence[_Collection]) -> Iterator[list[Any] | PermanentError]:
        """Give each collection's rows of results, or the error that refused it whole."""
        if len(group) > 1:
            try:
                yield from self._composite(group)
            except PermanentError as error:
                if error.status not in (404, 405):  # a gateway that does not pass composite calls on
                    raise
            else:
                return
        for collection in group:
            yield self._alone(collection)

    def _composite(self, group: Sequence[_Collection]) -> list[list[Any] | PermanentError]:
        requests = [
            {
                "method": "PATCH",
                "url": f"/services/data/v{self._version}/{collection.path}",
                "referenceId": f"part{n}",
                "httpHeaders": HEADERS,  # a part inherits none of the call's own
                "body": collection.body,
            }
            for n, collection in enumerate(group)
        ]
        answer = self._session.call("POST", "composite", {"allOrNone": False, "compositeRequest": requests})
        parts = answer.get("compositeResponse") if isinstance(answer, dict) else None
        if not isinstance(parts, list) or len(parts) != len(group):
            raise TransientError("salesforce", self._tenant, "POST composite", "the answer does not match the request")
        return [self._part(collection, part) for collection, part in zip(group, parts, strict=True)]

    def _part(self, collection: _Collection, part: Any) -> list[Any] | PermanentError:
        status, body = int(part.get("httpStatusCode", 0)), part.get("body")
        if status < 300 and isinstance(body, list) and len(body) == len(collection.rows):
            return body
        error = refusal(self._tenant, f"PATCH {collection.path}", status, body)
        return error if isinstance(error, PermanentError) else self._alone(collection)

    def _alone(self, collection: _Collection) -> list[Any] | PermanentError:
        try:
            answer = self._session.call("PATCH", collection.path, collection.body)
        except CredentialsError:
            raise
        except PermanentError as error:
            if error.status != 400:
                raise
            return error
        if not isinstance(answer, list) or len(answer) != len(collection.rows):
            endpoint = f"PATCH {collection.path}"
            raise TransientError("salesforce", self._tenant, endpoint, "the answer does not match the request")
        return answer

    def _receipts(
        self, collection: _Collection, answer: list[Any] | PermanentError, tries: int = 1
    ) -> Iterator[list[Receipt]]:
        if isinstance(answer, RemoteError):
            yield from self._parted(collection, answer)
            return
        receipts = [_receipt(row, result) for row, result in zip(collection.rows, answer, strict=True)]
        again = {r.key for r in receipts if r.outcome is Outcome.PASSING} if tries < TRIES else set()
        found = {r.key for r in receipts if r.outcome is Outcome.REFUSED and kind_of(r.code) is Kind.FOUND}
        linked = [u for row in collection.rows if row.key in found and (u := self._found(collection.target, row))]
        later = again | {row.key for row in linked}
        yield [receipt for receipt in receipts if receipt.key not in later]
        if linked:
            yield from self._receipts(collection.of(linked), self._alone(collection.of(linked)), TRIES)
        if again:
            time.sleep(PAUSE_SECONDS * 2**tries)
            rest = collection.of(row for row in collection.rows if row.key in again)
            yield from self._receipts(rest, self._alone(rest), tries + 1)

    def _parted(self, collection: _Collection, error: PermanentError) -> Iterator[list[Receipt]]:
        """Isolate the records for which Salesforce refuses a whole request: by the missing column, else by halves."""
        rows = collection.rows
        missing = self._missing(collection) if error.code == "INVALID_FIELD" else frozenset()
        carriers = [row for row in rows if missing & row.fields.keys()]
        if carriers or len(rows) == 1:
            bad = carriers or list(rows)
            named = tuple(sorted(missing)) or error.fields
            yield [Receipt(row.key, Outcome.REFUSED, row.remote_id, error.code, None, named) for row in bad]
            parts = [[row for row in rows if not missing & row.fields.keys()]] if carriers else []
        else:
            half = len(rows) // 2
            parts = [list(rows[:half]), list(rows[half:])]
        for part in filter(None, parts):
            yield from self._receipts(collection.of(part), self._alone(collection.of(part)))

    def _missing(self, collection: _Collection) -> frozenset[str]:
        """Name the fields sent that the org does not show; one look at its description saves hundreds of halvings."""
        try:
            shown = self._session.shown(collection.target.remote)
        except PermanentError:
            return frozenset()
        return frozenset(name for row in collection.rows for name in row.fields if name not in shown)

    def _found(self, target: ObjectMap, row: Upsert) -> Upsert | None:
        """Find the record that a duplicate refusal speaks of: by our key, else by e-mail if it carries no key yet."""
        if row.remote_id is not None:
            return None
        conditions = [f"{target.key} = '{quoted(row.key)}'"]
        if row.fields.get("Email"):
            conditions.append(f"Email = '{quoted(str(row.fields['Email']))}' AND {target.key} = null")
        for condition in conditions:
            there = records_of(
                self._session.query(f"SELECT Id FROM {target.remote} WHERE {condition} LIMIT 2"), self._tenant
            )
            if len(there) == 1:
                return Upsert(row.key, {target.key: row.key, **row.fields}, there[0]["Id"])
            if there:
                return None
        return None


def _receipt(row: Upsert, result: Any) -> Receipt:
    remote_id = result.get("id") or row.remote_id
    if result.get("success"):
        made = result.get("created") is True and row.remote_id is None
        return Receipt(row.key, Outcome.CREATED if made else Outcome.UPDATED, remote_id)
    errors = result.get("errors") or [{}]
    code = errors[0].get("statusCode") or errors[0].get("errorCode")
    outcome = Outcome.REFUSED
    if kind_of(code) is Kind.PASSING:
        outcome = Outcome.PASSING
    elif kind_of(code) is Kind.GONE and row.remote_id is not None:
        outcome = Outcome.GONE
    fields = tuple(map(str, errors[0].get("fields") or ()))
    return Receipt(row.key, outcome, row.remote_id, code, errors[0].get("message"), fields)


def quoted(text: str) -> str:
    """Write a text for a SOQL string."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def chunks(items: Iterable[_T], size: int) -> Iterator[tuple[_T, ...]]:
    """Cut a sequence into pieces of at most so many."""
    rest = iter(items)
    while chunk := tuple(islice(rest, size)):
        yield chunk
