"""What the sync asks of the systems it talks to, as protocols, and the shapes that cross that border."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from st_sf_pipelines.mapping import ObjectMap

Json = dict[str, Any]
Taken: TypeAlias = "Callable[[str, Sequence[str]], Collection[str]]"
"""Gives those of some records of an asset, by the target's ids, that are linked to records of ours already."""


@dataclass(frozen=True)
class Page:
    """One answer of a feed: its records, the token that continues after them, and whether more waits."""

    records: list[Json]
    token: str | None
    has_more: bool


@dataclass(frozen=True)
class Listed:
    """One page of a list: its records, whether more follow, and how many the whole list has (None: it does not say)."""

    records: list[Json]
    has_more: bool
    total: int | None


@dataclass(frozen=True)
class Window:
    """A stretch of time by which a record was modified, or created: `since` counts, `until` no longer does.

    No `since` is the beginning, no `until` the end.
    """

    since: datetime | None = None
    until: datetime | None = None
    of: Literal["modified", "created"] = "modified"


class Row(NamedTuple):
    """One checked record: id, stamp in ticks, fingerprint, whole JSON, and its entity's own columns in their order."""

    id: int
    modified: int
    digest: bytes
    active: bool
    record: bytes
    columns: tuple[Any, ...]


@dataclass(frozen=True)
class Reject:
    """One record that does not fit, with its reason in words; the key is its id as text, or its fingerprint.

    `modified` is its stamp in ticks; None if it has no id, or its stamp cannot be read.
    """

    key: str
    digest: bytes
    reason: str
    record: bytes
    modified: int | None = None


class Touches(StrEnum):
    """Whom a change of a record concerns: whoever that is before the change, and after it."""

    NOBODY = "nobody"
    SELF = "the customer itself"
    CUSTOMER = "its customer"
    CUSTOMER_AND_DEALS = "its customer, and those whose deals have the job"
    CUSTOMER_OR_LEAD = "its customer; without one, the lead itself, its id below zero"
    JOBS_CUSTOMER = "the customer of its job, and those whose deals have the job"
    CUSTOMER_OR_JOBS = "its customer; without one, the customer of its job; and those whose deals have the job"
    CUSTOMERS_OF_UNIT = "the customers of the unit's jobs"
    CUSTOMERS_OF_SELLER = "those whose deals the person sold"
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

    @property
    def fields(self) -> Mapping[str, frozenset[str]]:
        """The fields that the API documents, of the record ("") and of objects in it; any other is drift (EXT-6)."""
        ...

    @property
    def is_fed(self) -> bool:
        """Whether it has an export feed; one without is read by its list."""
        ...

    @property
    def is_listed(self) -> bool:
        """Whether it has a list."""
        ...

    @property
    def lists_inactive(self) -> bool:
        """Whether its list shows inactive records too; one that does not tells no `active` either."""
        ...

    @property
    def picks(self) -> tuple[str, str] | None:
        """How its list is asked for some records: by which parameter, and which column holds the ids given there."""
        ...

    def modified(self, raw: Json) -> int | None:
        """Read when a record changed last, in ticks; None if its stamp cannot be read."""
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

    def listed(self, entity: str, page: int, window: Window | None = None, picks: Sequence[int] = ()) -> Listed:
        """Fetch a page of a list, from 1 on: the whole of it, a window, or the records picked. Raise RemoteError."""
        ...


@dataclass(frozen=True)
class Upsert:
    """One record to be written: its key, the fields that differ, and the target's own id once it is known.

    `unsure`: an earlier attempt to make it ended without an answer, so it is looked for before it is made again.
    """

    key: str
    fields: Mapping[str, Any]
    remote_id: str | None = None
    unsure: bool = False


@dataclass(frozen=True)
class Conversion:
    """A lead of the target that turned into a customer: its id there, and those of the customer's records."""

    lead_id: str
    account_id: str
    contact_id: str


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


@dataclass(frozen=True)
class Closing:
    """How a target says that a record is over or changes hands: `fields` that become one of `values`; `owners`."""

    fields: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadBack:
    """What is read back of an object: its asset, the fields of stage, pin and owner there, and the stages' asset."""

    asset: str
    stage: str
    pinned: str
    owner: str
    stages_asset: str


@dataclass(frozen=True)
class Told:
    """How many events a webhook took, how many not, and why the first of them was not."""

    sent: int
    failed: int
    cause: str | None = None


class Hears(Protocol):
    """A system that is told what happened, one event a call."""

    def tell(self, events: Sequence[Json]) -> Told:
        """Post events in order; the first failure ends it, and is told, not raised."""
        ...


class Converts(Protocol):
    """A destination whose leads turn into contacts."""

    def convert(self, conversions: Sequence[Conversion]) -> Iterator[Sequence[Receipt]]:
        """Convert leads into the contacts that they became; yield receipts under the leads' ids. Raise RemoteError."""
        ...


class Listener(Protocol):
    """A destination whose people change records too, which are read back."""

    def changed_since(self, target: ObjectMap, since: datetime, fields: Iterable[str]) -> Iterator[Remote]:
        """Read what changed at or after an instant, the oldest change first, `updatedAt` among the fields."""
        ...

    def emails(self, user_ids: Iterable[str]) -> Mapping[str, str]:
        """Give the e-mail addresses of the system's users, by id."""
        ...


class Destination(Protocol):
    """A system that records are materialized into."""

    @property
    def calls(self) -> int:
        """How many calls were sent so far."""
        ...

    @property
    def stray_codes(self) -> tuple[str, ...]:
        """The codes that a refusal may bear when a record pointed to was deleted there; the first says just that."""
        ...

    @property
    def usage(self) -> tuple[int, int] | None:
        """API calls used and allowed today, as the last answer said; None where the system counts none."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...

    def push(self, target: ObjectMap, upserts: Sequence[Upsert]) -> Iterator[Sequence[Receipt]]:
        """Write the records; yield the receipts of each request as soon as it is answered. Raise RemoteError."""
        ...

    def seed(self, known: Collection[str], *, again: bool = False) -> Mapping[str, Mapping[str, str]]:
        """See to what must be there beside the records (pipelines, stages); give ids by slug, by asset (CRM-10).

        `known` are the slugs that were there once: a missing one of them was deleted by a person, and is made anew only
        with `again`. Raise TargetStopped, RemoteError.
        """
        ...

    def masters(self, target: ObjectMap, remote_ids: Sequence[str]) -> Mapping[str, str]:
        """Give, for each of these records that lost a merge there, the one that won (SF-10). Raise RemoteError."""
        ...

    def strangers(self, targets: Sequence[ObjectMap]) -> list[ObjectMap]:
        """Give the objects of which the target holds records that do not carry our key (SF-13). Raise RemoteError."""
        ...

    def read(
        self, target: ObjectMap, fields: Iterable[str], *, keyed: bool, ids: Sequence[str] = ()
    ) -> Iterator[Remote]:
        """Read records back: those with our key, or just these by id, or, for `adopt`, all. Raise RemoteError."""
        ...

    def same(self, field: str, ours: Any, theirs: Any) -> bool:
        """Tell whether what the target shows is what it stores when it is sent our value."""
        ...

    def calls_for(self, rows: int) -> int:
        """Say how many calls so many rows of one object will take when nothing is refused (SF-8)."""
        ...

    def storage_for(self, target: ObjectMap, rows: int) -> int | None:
        """Say how many KB of the target's storage so many new records will take; None where it counts none (SF-3)."""
        ...
