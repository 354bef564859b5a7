"""Writes records one by one over a few connections, and never twice: what may be there is looked for first."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from st_sf_pipelines.errors import CredentialsError, PermanentError, RemoteError, TransientError
from st_sf_pipelines.ports import Outcome, Receipt
from st_sf_pipelines.systems.crm.codes import outcome_of
from st_sf_pipelines.systems.crm.documents import body_of, key_of, value_at
from st_sf_pipelines.systems.crm.lookup import candidates, place_of
from st_sf_pipelines.systems.crm.objects import collections_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from st_sf_pipelines.config import Crm
    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.ports import Upsert
    from st_sf_pipelines.systems.crm.lookup import Place, Taken
    from st_sf_pipelines.systems.crm.session import CrmSession

ROWS_A_CONNECTION: Final = 5  # receipts are given after so many, so that a kill leaves few in doubt
TRIES: Final = 3
TRIES_IN_TROUBLE: Final = 2  # of a 500, which may be the record's own fault
PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE: Final = 30.0


class Writer:
    """Writes the records of one CRM."""

    def __init__(self, session: CrmSession, config: Crm, taken: Taken) -> None:
        """Take the session, how many connections may write, and who knows what is linked already."""
        self._session = session
        self._connections = config.concurrency
        self._slugs = collections_of(config)
        self._taken = taken
        self._answered = 0.0
        self._down: RemoteError | None = None

    def push(self, target: ObjectMap, upserts: Sequence[Upsert]) -> Iterator[list[Receipt]]:
        """Write records; give receipts, in order, a few at a time. Raise RemoteError once nobody is answered.

        Of new ones with the same key in the same place (a job's lost deal, and the one that followed it) the later is
        looked for only when the earlier is linked, as nothing in the CRM tells them apart; else it waits.
        """
        waiting: Sequence[Upsert] = upserts
        while waiting:
            rows, waiting = _elders(target, waiting)
            linked: set[Place] = set()
            for receipts in self._pushed(target, rows):
                yield receipts
                done = {receipt.key for receipt in receipts if receipt.outcome in (Outcome.CREATED, Outcome.UPDATED)}
                linked |= {place_of(target, row) for row in rows if row.key in done} if waiting else set()
            waiting = [row for row in waiting if place_of(target, row) in linked]

    def _pushed(self, target: ObjectMap, upserts: Sequence[Upsert]) -> Iterator[list[Receipt]]:
        found = candidates(self._session, target, [row for row in upserts if row.remote_id is None], self._taken)
        self._down = None
        size = self._connections * ROWS_A_CONNECTION
        with ThreadPoolExecutor(self._connections, thread_name_prefix="crm") as pool:
            for start in range(0, len(upserts), size):
                rows = upserts[start : start + size]
                done = pool.map(lambda row: self._safely(target, row, found.get(row.key, [])), rows)
                if receipts := [receipt for receipt in done if receipt is not None]:
                    yield receipts
                if self._down is not None:
                    raise self._down

    def _safely(self, target: ObjectMap, row: Upsert, found: Sequence[str]) -> Receipt | None:
        """Give a row's receipt; none once the CRM cannot be worked at all, for which no other row has to wait."""
        if len(found) > 1:
            return _refused(row, "TWO_CANDIDATES", (target.key,))
        if self._down is not None:
            return None
        try:
            return self._written(target, row, found[0] if found else row.remote_id)
        except RemoteError as error:
            self._down = error
            return None

    def _written(self, target: ObjectMap, row: Upsert, remote_id: str | None) -> Receipt:
        """Send a row until it is answered. After an unknown outcome, a new one is looked for before it goes again."""
        began, creates = time.monotonic(), remote_id is None
        for attempt in range(1, TRIES + 1):
            try:
                remote_id = self._sent(target, row, remote_id)
            except PermanentError as error:
                self._answered = time.monotonic()
                return self._permanent(target, row, error, creates=creates)
            except TransientError as error:
                trouble, problem = error.status == 500, error
            else:
                self._answered = time.monotonic()
                return Receipt(row.key, Outcome.CREATED if creates else Outcome.UPDATED, remote_id)
            if trouble:
                self._answered = time.monotonic()
            is_last = attempt == (TRIES_IN_TROUBLE if trouble else TRIES)
            if not is_last:  # what the server is still at may be there after a pause
                time.sleep(min(problem.retry_after or PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE))
            if creates and (there := self._found(target, row)):
                return Receipt(row.key, Outcome.CREATED, there)
            if is_last:
                break
        if self._answered < began:  # and nobody else was answered meanwhile
            raise problem
        return _refused(row, "SERVER_ERROR" if trouble else "NO_ANSWER")

    def _sent(self, target: ObjectMap, row: Upsert, remote_id: str | None) -> str:
        body = body_of(target, row, lambda asset, pointed: self._session.native(self._slugs[asset], pointed))
        if remote_id is None:
            return self._session.create(target.remote, body)
        return self._session.update(target.remote, remote_id, body)

    def _found(self, target: ObjectMap, row: Upsert) -> str | None:
        there = candidates(self._session, target, [row], self._taken)[row.key]
        return there[0] if len(there) == 1 else None

    def _permanent(self, target: ObjectMap, row: Upsert, error: PermanentError, *, creates: bool) -> Receipt:
        """Read a refusal of one row; what refuses them all is raised."""
        if isinstance(error, CredentialsError) or (error.status in (404, 405) and error.code != "NOT_FOUND"):
            raise error
        if error.code == "NOT_FOUND":
            return _refused(row, "NOT_FOUND" if row.remote_id else "NO_ANSWER")
        if target.key in error.fields:
            there = self._found(target, row) if creates else None
            return _refused(row, "KEY_TAKEN", error.fields) if there is None else self._written(target, row, there)
        return _refused(row, _code(target, row, error.fields), error.fields)


def _elders(target: ObjectMap, upserts: Sequence[Upsert]) -> tuple[list[Upsert], list[Upsert]]:
    """Part the new records that nothing earlier is like from those that are to wait."""
    met: set[Place] = set()
    first: list[Upsert] = []
    rest: list[Upsert] = []
    for row in upserts:
        place = place_of(target, row) if row.remote_id is None else None
        (rest if place in met else first).append(row)
        if place:
            met.add(place)
    return first, rest


def _code(target: ObjectMap, row: Upsert, paths: Sequence[str]) -> str:
    """Name a refusal by where it is, and what was sent there: the server's words differ from build to build."""
    if not paths:
        return "BAD_REQUEST"
    if target.references.intersection(paths):
        return "INVALID_REFERENCE"
    empty = (None, "")
    sent = {**row.fields, target.key: key_of(target, row)}
    is_empty = any(sent.get(path, value_at(row.fields, path)) in empty for path in paths)
    return "REQUIRED_FIELD" if is_empty else "INVALID_VALUE"


def _refused(row: Upsert, code: str, fields: tuple[str, ...] = ()) -> Receipt:
    return Receipt(row.key, outcome_of(code), row.remote_id, code, None, fields)
