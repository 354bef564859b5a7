"""The client that writes records into Salesforce and reads them back: collections, several of them in one call."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from st_sf_pipelines.errors import CredentialsError, PermanentError, RemoteError, TransientError
from st_sf_pipelines.ports import Outcome, Receipt, Remote, Upsert
from st_sf_pipelines.systems.salesforce.codes import Kind, kind_of, mend_for
from st_sf_pipelines.systems.salesforce.session import SalesforceSession, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from st_sf_pipelines.config import Tenant
    from st_sf_pipelines.mapping import ObjectMap

_T = TypeVar("_T")
ROWS: Final = 200  # records of a collection
COLLECTIONS: Final = 5  # collections of a composite call
TRIES: Final = 3  # for a record that is refused for a passing reason, within one round
_INSTANT: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?:\+0000|Z)")


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


class SalesforceClient:
    """A Destination (see ports) for one tenant's org."""

    def __init__(self, tenant: Tenant) -> None:
        """Take a tenant that has a `salesforce` section; nothing is sent yet."""
        if tenant.salesforce is None:
            raise ValueError(f"tenant {tenant.name} has no salesforce section")
        self._tenant = tenant.name
        self._session = SalesforceSession(tenant.name, tenant.salesforce)
        self._version = tenant.salesforce.api_version
        self._pause = 0.5

    @property
    def calls(self) -> int:
        """How many calls were sent, tokens aside."""
        return self._session.calls

    @property
    def usage(self) -> tuple[int, int] | None:
        """API calls used and allowed today, as the last answer said (SF-8)."""
        return self._session.usage

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def calls_for(self, rows: int) -> int:
        """Count the calls for so many rows of one object: 1,000 rows go in one."""
        return -(-rows // (ROWS * COLLECTIONS))

    def mend_for(self, code: str | None) -> str:
        """Say what a person can do about a refusal."""
        return mend_for(code)

    def push(self, target: ObjectMap, upserts: Sequence[Upsert]) -> Iterator[Sequence[Receipt]]:
        """Write records; yield receipts as they come. A request that is refused whole is halved (SF-6)."""
        ways = ([u for u in upserts if u.remote_id is None], [u for u in upserts if u.remote_id is not None])
        collections = [_Collection(target, rows) for way in ways for rows in _chunks(way, ROWS)]
        for group in _chunks(collections, COLLECTIONS):
            for collection, answer in zip(group, self._answers(group), strict=True):
                yield from self._receipts(collection, answer)

    def has_strangers(self, target: ObjectMap) -> bool:
        """Tell whether the org holds records of this object that do not carry our key."""
        return bool(self._rows(f"SELECT Id FROM {target.remote} WHERE {target.key} = null LIMIT 1")["records"])

    def read(
        self, target: ObjectMap, fields: Iterable[str], *, keyed: bool, keys: Sequence[str] = ()
    ) -> Iterator[Remote]:
        """Read records back, 2,000 a call; a parent's key comes nested, as it is sent."""
        parents = {field.to: field.refers_to for field in target.fields if field.refers_to}
        names = [f"{name}.{parents[name]}" if name in parents else name for name in fields]
        columns = ", ".join(dict.fromkeys(["Id", target.key, *names]))
        conditions = [f" WHERE {target.key} != null" if keyed else ""]
        if keys:
            quoted = [", ".join(f"'{_quoted(key)}'" for key in some) for some in _chunks(keys, ROWS)]
            conditions = [f" WHERE {target.key} IN ({some})" for some in quoted]
        for condition in conditions:
            yield from self._remotes(target, parents, f"SELECT {columns} FROM {target.remote}{condition}")

    def _remotes(self, target: ObjectMap, parents: dict[str, str], soql: str) -> Iterator[Remote]:
        page = self._rows(soql)
        while True:
            for record in page["records"]:
                values = {name: value for name, value in record.items() if name not in ("Id", "attributes")}
                for name, key in parents.items():
                    if isinstance(values.get(name), dict):
                        values[name] = {key: values[name].get(key)}
                yield Remote(record["Id"], record.get(target.key), values)
            if page.get("done", True):
                return
            page = self._session.query_more(page["nextRecordsUrl"])

    def same(self, field: str, ours: Any, theirs: Any) -> bool:
        """Compare as Salesforce stores: no blanks at the ends, line breaks of its own, e-mail in lower case."""
        ours, theirs = _stored(ours), _stored(theirs)
        if field == "Email" and ours and theirs:
            return bool(ours.lower() == theirs.lower())
        return bool(ours == theirs)

    def _rows(self, soql: str) -> Any:
        answer = self._session.query(soql)
        if not isinstance(answer, dict) or not isinstance(answer.get("records"), list):
            raise TransientError("salesforce", self._tenant, "GET query", "the answer holds no records")
        return answer

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
            time.sleep(self._pause * 2**tries)
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
            described = self._session.call("GET", f"sobjects/{collection.target.remote}/describe")
        except PermanentError:
            return frozenset()
        shown = {field["name"] for field in described["fields"]}
        shown |= {field["relationshipName"] for field in described["fields"] if field.get("relationshipName")}
        return frozenset(name for row in collection.rows for name in row.fields if name not in shown)

    def _found(self, target: ObjectMap, row: Upsert) -> Upsert | None:
        """Find the record that a duplicate refusal speaks of: by our key, else by e-mail if it carries no key yet."""
        if row.remote_id is not None:
            return None
        conditions = [f"{target.key} = '{_quoted(row.key)}'"]
        if row.fields.get("Email"):
            conditions.append(f"Email = '{_quoted(str(row.fields['Email']))}' AND {target.key} = null")
        for condition in conditions:
            there = self._rows(f"SELECT Id FROM {target.remote} WHERE {condition} LIMIT 2")["records"]
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
    outcome = Outcome.PASSING if kind_of(code) is Kind.PASSING else Outcome.REFUSED
    fields = tuple(map(str, errors[0].get("fields") or ()))
    return Receipt(row.key, outcome, row.remote_id, code, errors[0].get("message"), fields)


def _stored(value: Any) -> Any:
    if isinstance(value, str):
        value = value.replace("\r\n", "\n").strip()
        match = _INSTANT.fullmatch(value)
        return f"{match[1]}Z" if match else value or None
    return value


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _chunks(items: Iterable[_T], size: int) -> Iterator[tuple[_T, ...]]:
    rest = iter(items)
    while chunk := tuple(islice(rest, size)):
        yield chunk
