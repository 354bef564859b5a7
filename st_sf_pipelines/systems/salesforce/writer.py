"""Writes records in collections, several in one call, and isolates those for which a whole request is refused."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.errors import CredentialsError, PermanentError, TransientError
from st_sf_pipelines.ports import Outcome, Receipt, Upsert
from st_sf_pipelines.systems.salesforce.codes import Kind, kind_of
from st_sf_pipelines.systems.salesforce.collection import ROWS, Collection, chunks, to_send
from st_sf_pipelines.systems.salesforce.refusals import refusal
from st_sf_pipelines.systems.salesforce.session import HEADERS, SalesforceSession

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.systems.salesforce.finding import Finder

COLLECTIONS: Final = 5  # collections of a composite call
TRIES: Final = 3  # for a record that is refused for a passing reason, within one round
PAUSE_SECONDS: Final = 0.5
_NOT_HERE: Final = "INVALID_FIELD_FOR_INSERT_UPDATE"


class Writer:
    """Writes the records of one org."""

    def __init__(self, tenant: str, session: SalesforceSession, finder: Finder, version: str) -> None:
        """Take the tenant's name for errors, the session, who finds records there, and the version of the API."""
        self._tenant = tenant
        self._session = session
        self._finder = finder
        self._version = version

    def push(self, target: ObjectMap, upserts: Sequence[Upsert]) -> Iterator[Sequence[Receipt]]:
        """Write records; yield receipts as they come. A request that is refused whole is halved (SF-6)."""
        unsure = [u for u in upserts if u.unsure and u.remote_id is None and not target.external_id]
        found = {u.key: u for u in self._finder.there(target, unsure)} if unsure else {}
        rows = [found.get(u.key, u) for u in upserts]
        yield [Receipt(row.key, Outcome.UPDATED, row.remote_id) for row in rows if _is_done(target, row)]
        collections = [Collection(target, some) for way in _ways(target, rows) for some in chunks(way, ROWS)]
        for group in chunks(collections, COLLECTIONS):
            for collection, answer in zip(group, self._answers(group), strict=True):
                yield from self._receipts(collection, answer)

    def _answers(self, group: Sequence[Collection]) -> Iterator[list[Any] | PermanentError | TransientError]:
        """Give each collection's rows of results, or the error that refused it whole or lost what became of it."""
        lost = None
        if len(group) > 1:
            try:
                yield from self._composite(group)
            except PermanentError as error:
                if error.status not in (404, 405):  # a gateway that does not pass composite calls on
                    raise
            except TransientError as error:
                if not any(collection.makes for collection in group):
                    raise
                lost = error
            else:
                return
        for collection in group:
            yield lost if lost and collection.makes else self._alone(collection)

    def _composite(self, group: Sequence[Collection]) -> list[list[Any] | PermanentError | TransientError]:
        requests = [
            {
                "method": collection.method,
                "url": f"/services/data/v{self._version}/{collection.path}",
                "referenceId": f"part{n}",
                "httpHeaders": HEADERS,  # a part inherits none of the call's own
                "body": collection.body,
            }
            for n, collection in enumerate(group)
        ]
        body = {"allOrNone": False, "compositeRequest": requests}
        answer = self._session.call("POST", "composite", body, once=any(collection.makes for collection in group))
        parts = answer.get("compositeResponse") if isinstance(answer, dict) else None
        if not isinstance(parts, list) or len(parts) != len(group):
            raise TransientError("salesforce", self._tenant, "POST composite", "the answer does not match the request")
        return [self._part(collection, part) for collection, part in zip(group, parts, strict=True)]

    def _part(self, collection: Collection, part: Any) -> list[Any] | PermanentError | TransientError:
        status, body = int(part.get("httpStatusCode", 0)), part.get("body")
        if status < 300 and isinstance(body, list) and len(body) == len(collection.rows):
            return body
        error = refusal(self._tenant, f"{collection.method} {collection.path}", status, body)
        return error if isinstance(error, PermanentError) or collection.makes else self._alone(collection)

    def _alone(self, collection: Collection) -> list[Any] | PermanentError | TransientError:
        try:
            return self._sent(collection)
        except CredentialsError:
            raise
        except PermanentError as error:
            if error.status != 400:
                raise
            return error
        except TransientError as error:
            if not collection.makes:
                raise
            return error

    def _sent(self, collection: Collection) -> list[Any]:
        answer = self._session.call(collection.method, collection.path, collection.body, once=collection.makes)
        if not isinstance(answer, list) or len(answer) != len(collection.rows):
            endpoint = f"{collection.method} {collection.path}"
            raise TransientError("salesforce", self._tenant, endpoint, "the answer does not match the request")
        return answer

    def _receipts(
        self, collection: Collection, answer: list[Any] | PermanentError | TransientError, tries: int = 1
    ) -> Iterator[list[Receipt]]:
        if isinstance(answer, TransientError):
            yield from self._anew(collection, answer, tries)
            return
        if isinstance(answer, PermanentError):
            yield from self._parted(collection, answer)
            return
        receipts = [collection.receipt(row, result) for row, result in zip(collection.rows, answer, strict=True)]
        again = {r.key for r in receipts if r.outcome is Outcome.PASSING} if tries < TRIES else set()
        linked = self._linked(collection, receipts)
        later = again | {row.key for row in linked}
        yield [receipt for receipt in receipts if receipt.key not in later]
        yield [Receipt(row.key, Outcome.UPDATED, row.remote_id) for row in linked if _is_done(collection.target, row)]
        for way in _ways(collection.target, linked):
            yield from self._receipts(collection.of(way), self._alone(collection.of(way)), TRIES)
        if again:
            time.sleep(PAUSE_SECONDS * 2**tries)
            rest = collection.of(row for row in collection.rows if row.key in again)
            yield from self._receipts(rest, self._alone(rest), tries + 1)

    def _anew(self, collection: Collection, error: TransientError, tries: int) -> Iterator[list[Receipt]]:
        """Look which records a call made whose answer was lost, and make the rest: no key keeps them from doubling."""
        if tries >= TRIES:
            raise error
        time.sleep(PAUSE_SECONDS * 2**tries)
        made = {row.key: row.remote_id for row in self._finder.there(collection.target, collection.rows)}
        yield [Receipt(key, Outcome.CREATED, remote_id) for key, remote_id in made.items()]
        rest = collection.of(row for row in collection.rows if row.key not in made)
        if rest.rows:
            yield from self._receipts(rest, self._alone(rest), tries + 1)

    def _parted(self, collection: Collection, error: PermanentError) -> Iterator[list[Receipt]]:
        """Isolate the records for which Salesforce refuses a whole request: by the missing column, else by halves."""
        rows = collection.rows
        missing = self._missing(collection) if error.code == "INVALID_FIELD" else frozenset()
        carriers = [row for row in rows if missing & row.fields.keys()]
        if carriers or len(rows) == 1 or error.code == "INVALID_TYPE":  # of an object that is not there all are bad
            bad = carriers or list(rows)
            named = tuple(sorted(missing)) or error.fields
            yield [Receipt(row.key, Outcome.REFUSED, row.remote_id, error.code, None, named) for row in bad]
            parts = [[row for row in rows if not missing & row.fields.keys()]] if carriers else []
        else:
            half = len(rows) // 2
            parts = [list(rows[:half]), list(rows[half:])]
        for part in filter(None, parts):
            yield from self._receipts(collection.of(part), self._alone(collection.of(part)))

    def _missing(self, collection: Collection) -> frozenset[str]:
        """Name the fields sent that the org does not show; one look at its description saves hundreds of halvings."""
        try:
            shown = self._session.shown(collection.target.remote)
        except PermanentError:
            return frozenset()
        return frozenset(name for row in collection.rows for name in row.fields if name not in shown)

    def _linked(self, collection: Collection, receipts: Sequence[Receipt]) -> list[Upsert]:
        """Give the refused records that are there already, as they go now: linked, or without what is only set once."""
        target, refused = collection.target, {r.key: r.code for r in receipts if r.outcome is Outcome.REFUSED}
        rows = [row for row in collection.rows if row.key in refused and row.remote_id is None]
        twins = [row for row in rows if kind_of(refused[row.key]) is Kind.FOUND]
        if target.external_id:
            linked = [twin for row in twins if (twin := self._finder.twin(target, row))]
        else:
            linked = self._finder.there(target, twins) if twins else []
        once = [row for row in rows if refused[row.key] == _NOT_HERE and row.fields.keys() & target.create_only]
        return linked + [
            replace(row, fields={k: v for k, v in row.fields.items() if k not in target.create_only}) for row in once
        ]


def _ways(target: ObjectMap, rows: Iterable[Upsert]) -> Iterator[list[Upsert]]:
    """Part what is left to send into the records not known by Salesforce's id, and those that are."""
    due = [row for row in rows if not _is_done(target, row)]
    return filter(None, ([u for u in due if u.remote_id is None], [u for u in due if u.remote_id is not None]))


def _is_done(target: ObjectMap, row: Upsert) -> bool:
    """Tell whether nothing of a linked record is left to send."""
    return row.remote_id is not None and not to_send(target, row)
