"""What the sync asks of the systems it talks to, as protocols, and the shapes that cross that border."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from st_sf_pipelines.mapping import ObjectMap

Json = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """One answer of a feed: its records, the token that continues after them, and whether more waits."""

    records: list[Json]
    token: str | None
    has_more: bool


@dataclass(frozen=True)
class Row:
    """One checked record: id, stamp in ticks, fingerprint, whole JSON, and its entity's own columns in their order."""

    id: int
    modified: int
    digest: bytes
    active: bool
    record: bytes
    columns: tuple[Any, ...]


@dataclass(frozen=True)
class Reject:
    """One record that does not fit, with its reason in words; the key is its id as text, or its fingerprint."""

    key: str
    digest: bytes
    reason: str
    record: bytes


class Touches(StrEnum):
    """Whom a change of a record concerns: whoever that is before the change, and after it."""

    NOBODY = "nobody"
    SELF = "the customer itself"
    CUSTOMER = "its customer"
    CUSTOMER_OR_LEAD = "its customer; without one, the lead itself, its id below zero"
    JOBS_CUSTOMER = "the customer of its job"
    CUSTOMER_OR_JOBS = "its customer; without one, the customer of its job"
    CUSTOMERS_OF_UNIT = "the customers of the unit's jobs"
    CUSTOMERS_OF_CAMPAIGN = "the customers of the campaign's jobs, and its leads"


@dataclass(frozen=True)
class Table:
    """Where an entity's records lie: the table's name, its own columns, and whom a change of its records concerns."""

    name: str
    columns: tuple[str, ...]
    touches: Touches


class Entity(Protocol):
    """One kind of record that is pulled: its name, where it lies, and the check that it must pass."""

    @property
    def name(self) -> str:
        """Its name everywhere (EXT-1)."""
        ...

    @property
    def table(self) -> Table:
        """Where its records lie in the store."""
        ...

    def check(self, raw: Json, digest: bytes, body: bytes) -> Row:
        """Check what we use of a record and parse it; raise ValueError with the reason in words (EXT-6)."""
        ...


class Source(Protocol):
    """A system that records are pulled from."""

    @property
    def calls(self) -> int:
        """How many calls were sent so far."""
        ...

    def calls_of(self, entity: str) -> int:
        """How many calls were sent for one entity so far, retries included."""
        ...

    def page(self, entity: str, token: str | None) -> Page:
        """Fetch what follows `token` (None: the very beginning; a date: what changed since). Raise RemoteError."""
        ...


@dataclass(frozen=True)
class Upsert:
    """One record to be written: its key, the fields that differ, and the target's own id once it is known."""

    key: str
    fields: Mapping[str, Any]
    remote_id: str | None = None


class Outcome(StrEnum):
    """What became of one record that was sent; `gone`: somebody deleted it in the target."""

    CREATED = "created"
    UPDATED = "updated"
    REFUSED = "refused"
    GONE = "gone"
    PASSING = "passing"


@dataclass(frozen=True)
class Receipt:
    """The target's answer for one record (SF-7); `refused` is for good, `passing` may go through later."""

    key: str
    outcome: Outcome
    remote_id: str | None = None
    code: str | None = None
    message: str | None = None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Remote:
    """A record as the target holds it."""

    remote_id: str
    key: str | None
    fields: Mapping[str, Any]


class Destination(Protocol):
    """A system that records are materialized into."""

    @property
    def calls(self) -> int:
        """How many calls were sent so far."""
        ...

    @property
    def usage(self) -> tuple[int, int] | None:
        """API calls used and allowed today, as the last answer said."""
        ...

    def push(self, target: ObjectMap, upserts: Sequence[Upsert]) -> Iterator[Sequence[Receipt]]:
        """Write the records; yield the receipts of each request as soon as it is answered. Raise RemoteError."""
        ...

    def strangers(self, targets: Sequence[ObjectMap]) -> list[ObjectMap]:
        """Give the objects of which the target holds records that do not carry our key (SF-13). Raise RemoteError."""
        ...

    def read(
        self, target: ObjectMap, fields: Iterable[str], *, keyed: bool, keys: Sequence[str] = ()
    ) -> Iterator[Remote]:
        """Read records back: those with our key, or just these `keys`, or, for `adopt`, all. Raise RemoteError."""
        ...

    def same(self, field: str, ours: Any, theirs: Any) -> bool:
        """Tell whether what the target shows is what it stores when it is sent our value."""
        ...

    def calls_for(self, rows: int) -> int:
        """Say how many calls so many rows of one object will take when nothing is refused (SF-8)."""
        ...

    def mend_for(self, code: str | None) -> str:
        """Say in one sentence what a person can do about a refusal with this code."""
        ...
