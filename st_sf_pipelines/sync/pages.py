"""One page into the store: what is new in it is checked and written, all or nothing; the rest is no news (EXT-3)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from st_sf_pipelines.ports import Reject
from st_sf_pipelines.rules.stamps import ticks
from st_sf_pipelines.store import cursors, quarantine, records

if TYPE_CHECKING:
    from collections.abc import Iterable

    from st_sf_pipelines.ports import Entity, Json, Row, Table
    from st_sf_pipelines.store.database import Connection, Database

Marked = tuple[Any, bytes, bytes]
"""A record as it came, its fingerprint, and its JSON with sorted keys."""

KINDS: Final = {str: "string", bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}


@dataclass(frozen=True)
class Kept:
    """What a page came to; `drift` names fields just met."""

    new: int = 0
    changed: int = 0
    drift: tuple[str, ...] = ()


@dataclass
class Desk:
    """Where pages of one entity of one tenant are kept; it remembers which unknown fields it has told already.

    `newest` is the newest stamp met, in ticks; one of the future is a slip, and tells nothing of how far we came.
    """

    db: Database
    tenant_id: int
    entity: Entity
    newest: int = 0
    _told: set[str] = field(default_factory=set)

    def keep(
        self,
        raw: list[Json],
        *,
        feed: tuple[str | None, bool] | None = None,
        listed: bool = False,
        until: datetime | None = None,
    ) -> Kept:
        """Store a page, and the feed's (token, complete) with it; `feed` is None for what leaves the cursor alone.

        What is `listed` may lack what only the feed tells. A record that was modified at `until` or later is left out.
        """
        table = self.entity.table
        with self.db.connect() as connection:
            if listed and not self.entity.lists_inactive:
                raw = _with_deletions(connection, self.tenant_id, table, raw)
            marked = [(record, *_fingerprint(record)) for record in raw]
            seen, set_aside = _known(connection, self.tenant_id, table, marked)
            met = {digest for _, digest, _ in marked}
            if set_aside and (again := seen & met):
                quarantine.release(connection, self.tenant_id, table, again, unless=set_aside & met)
            fresh = [mark for mark in marked if mark[1] not in seen and mark[1] not in set_aside]
            rows, rejects = check(self.entity, _before(self.entity, fresh, until))
            drift = self._drift(connection, raw)
            written = records.write(connection, self.tenant_id, table, rows, rejects)
            now = ticks(datetime.now(UTC).isoformat())
            self.newest = max([self.newest, *(row.modified for row in rows if row.modified <= now)])
            if feed is not None:
                cursors.keep(connection, self.tenant_id, table.name, feed[0], complete=feed[1], newest=self.newest)
        return Kept(written.new, written.changed, drift)

    def _drift(self, connection: Connection, raw: list[Json]) -> tuple[str, ...]:
        """Note the fields of a page that nobody documented; give those that were never seen before.

        One of an object within the record is named with it: `address.planet`.
        """
        records_ = [record for record in raw if isinstance(record, dict)]
        unknown: dict[str, str] = {}
        for within, documented in self.entity.fields.items():
            objects = (
                [each for record in records_ if isinstance(each := record.get(within), dict)] if within else records_
            )
            for name in set[str]().union(*objects) - documented:
                place = f"{within}.{name}" if within else name
                if place not in self._told:
                    self._told.add(place)
                    unknown[_name(place)] = _kind(name, objects)
        return tuple(quarantine.note_drift(connection, self.tenant_id, self.entity.name, unknown)) if unknown else ()


def has_news(db: Database, tenant_id: int, entity: Entity, raw: list[Json], *, listed: bool = False) -> bool:
    """Tell whether a page holds anything that the store does not know (OPS-2)."""
    with db.connect() as connection:
        if listed and not entity.lists_inactive:
            raw = _with_deletions(connection, tenant_id, entity.table, raw)
        marked = [(record, *_fingerprint(record)) for record in raw]
        seen, set_aside = _known(connection, tenant_id, entity.table, marked)
    return any(mark[1] not in seen and mark[1] not in set_aside for mark in marked)


def check(entity: Entity, marked: Iterable[Marked]) -> tuple[list[Row], list[Reject]]:
    """Part the records that fit from those that do not; one that does not fit never holds up its page (EXT-6).

    Of several versions that do not fit the newest counts, and it only if no good one as new stands behind it.
    """
    rows: list[Row] = []
    rejects: dict[str, Reject] = {}
    for record, digest, body in marked:
        if not _has_id(record):
            rejects[digest.hex()] = Reject(digest.hex(), digest, "id: is missing, or is no number", body)
            continue
        key = str(record["id"])
        bad = rejects.get(key)
        try:
            row = entity.check(record, digest, body)
        except ValueError as error:
            modified = entity.modified(record)
            if bad is None or _is_as_new(modified, bad.modified):
                rejects[key] = Reject(key, digest, str(error), body, modified)
            continue
        rows.append(row)
        if bad and _is_as_new(row.modified, bad.modified):
            del rejects[key]
    return rows, list(rejects.values())


def ids_of(raw: Iterable[Any]) -> list[int]:
    """Give the ids of a page's records that have a usable one."""
    return [record["id"] for record in raw if _has_id(record)]


def _known(connection: Connection, tenant_id: int, table: Table, marked: list[Marked]) -> tuple[set[bytes], set[bytes]]:
    if not marked:
        return set(), set()
    ids = ids_of(record for record, _, _ in marked)
    odd = (digest.hex() for record, digest, _ in marked if not _has_id(record)) if len(ids) < len(marked) else ()
    return records.known(connection, tenant_id, table, ids, [*map(str, ids), *odd])


def _with_deletions(connection: Connection, tenant_id: int, table: Table, raw: list[Json]) -> list[Json]:
    """Complete listed records by `active`, which only the feed tells: a list never clears a deletion (EXT-4)."""
    deleted = records.deletions(connection, tenant_id, table, ids_of(raw))
    return [
        {**record, "active": record["id"] not in deleted} if _has_id(record) and "active" not in record else record
        for record in raw
    ]


def _fingerprint(record: Any) -> tuple[bytes, bytes]:
    try:
        body = orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # it reads four times as deep as it writes
        body = _deep(record)
    return hashlib.blake2b(body, digest_size=16).digest(), body


def _deep(record: Any) -> bytes:
    """Write a record that is nested too deep to be written whole: its fields that are so are left out, and told."""
    if not isinstance(record, dict):
        return b'"is nested too deep"'
    whole: Json = {}
    for name, value in record.items():
        try:
            orjson.dumps(value)
        except orjson.JSONEncodeError:
            whole[name] = "is nested too deep"
        else:
            whole[name] = value
    return orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)


def _has_id(record: Any) -> bool:
    return isinstance(record, dict) and type(record.get("id")) is int and 0 < record["id"] < 2**63


def _is_as_new(modified: int | None, before: int | None) -> bool:
    """Tell whether what came behind is no older; it counts as new where one of the two stamps cannot be read."""
    return modified is None or before is None or modified >= before


def _before(entity: Entity, marked: list[Marked], until: datetime | None) -> list[Marked]:
    """Leave out what was modified at `until` or later; a record whose stamp cannot be read stays, to be told."""
    if until is None:
        return marked
    end = ticks(until.isoformat())

    def inside(record: Any) -> bool:
        modified = entity.modified(record) if isinstance(record, dict) else None
        return modified is None or modified < end

    return [mark for mark in marked if inside(mark[0])]


def _name(field: str) -> str:
    return field.replace("\x00", "\ufffd")[:200]


def _kind(field: str, objects: Iterable[Json]) -> str:
    """Name the JSON type of a field's first value that is not null; never the value (AUTH-2)."""
    values = (each.get(field) for each in objects)
    return next((KINDS[type(value)] for value in values if value is not None), "null")
