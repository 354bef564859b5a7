"""All records of one entity: found by id, walked in the order in which they reached the feed."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from . import stamps
from .made import ID_STEP, Bound, Made, Meta, Place, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Bound", "Made", "Meta", "Place", "Record", "Table"]


class Table:
    """Generated records, and over them the ones that were put since.

    A generated record costs a few numbers; only what was put is kept whole. Only the newest version of a record is in
    the feed, at the place of its last change.
    """

    def __init__(self, made: Made) -> None:
        self._made = made
        modified = np.frombuffer(made.modified, dtype=np.int64)
        self._by_change = array("q", np.argsort(modified, kind="stable").tobytes())
        self._put: dict[int, tuple[Record, Meta, Place]] = {}
        self._puts: list[tuple[Place, int]] = []
        self._replaced: set[int] = set()
        self._unseen: dict[int, Record] = {}
        self._last_order = len(made.ids)
        self._next_id = made.ids.start + ID_STEP * len(made.ids)
        self.version = 0

    def __len__(self) -> int:
        """Count the records."""
        return len(self._made.ids) - len(self._replaced) + len(self._put)

    def __contains__(self, key: int) -> bool:
        """Tell whether there is a record of this id."""
        return key in self._put or key in self._made.ids

    def new_id(self) -> int:
        """Give an id that no record has had."""
        self._next_id += ID_STEP
        return self._next_id - ID_STEP

    def newest_ids(self, count: int) -> list[int]:
        """Give the highest ids, highest first."""
        return list(islice(self.keys(), count))

    def keys(self) -> Iterator[int]:
        """Walk the ids from the highest to the lowest; records without a usable id come last."""
        put = sorted(self._put, reverse=True)
        made = self._made.ids
        at = 0
        for key in reversed(made):
            while at < len(put) and put[at] > key:
                yield put[at]
                at += 1
            if not (at < len(put) and put[at] == key):
                yield key
        yield from put[at:]

    def get(self, key: int) -> Record:
        """Give the record of an id."""
        found = self._put.get(key)
        return found[0] if found else self._unseen.get(key) or self._made.record(self._made.ids.index(key))

    def sought(self, field: str, wanted: int) -> list[Record]:
        """Give the records in which a field, by which the generated ones are in order, has a value."""
        made = self._made
        row = bisect_left(range(len(made.ids)), wanted, key=lambda each: made.record(each)[field])
        keys = set()
        while row < len(made.ids) and made.record(row)[field] == wanted:
            keys.add(made.ids[row])
            row += 1
        keys.update(key for key, (record, _, _) in self._put.items() if record.get(field) == wanted)
        return [record for record in map(self.get, sorted(keys)) if record.get(field) == wanted]

    def _changed(self) -> list[int]:
        return [*self._put, *self._unseen]

    def referring(self, field: str, wanted: set[int]) -> list[int] | None:
        """Give the ids of all records whose field may have one of some values, without a look at each record."""
        if field not in self._made.refers:
            return None
        column, first = self._made.refers[field]
        rows = [(key - first) // ID_STEP for key in wanted if key >= first and (key - first) % ID_STEP == 0]
        found: list[int] = np.flatnonzero(np.isin(np.frombuffer(column, dtype=np.int64), rows)).tolist()
        return sorted({*(self._made.ids[row] for row in found), *self._changed()}, reverse=True)

    def chosen(self, shown: tuple[bool, ...], bounds: list[Bound]) -> list[int]:
        """Give the ids of all active records, or of the others, within some bounds; the highest first."""
        made = self._made
        columns = {"created": made.created, "modified": made.modified, "ranged": made.modified}
        fits = np.ones(len(made.ids), dtype=bool)
        if len(shown) == 1:
            fits &= (np.frombuffer(made.active, dtype=np.int64) != 0) == shown[0]
        for bound in bounds:
            values = np.frombuffer(columns[bound.column], dtype=np.int64)
            if bound.since is not None:
                fits &= values >= bound.since
            if bound.before is not None:
                fits &= values < bound.before
        changed = self._changed()
        fits[[made.ids.index(key) for key in changed if key in made.ids]] = False
        found: list[int] = (made.ids.start + made.ids.step * np.flatnonzero(fits)).tolist()
        later = [key for key in changed if self.meta(key).active in shown]
        found += [key for key in later if all(bound.holds(self.meta(key)) for bound in bounds)]
        return sorted(found, reverse=True)

    def meta(self, key: int) -> Meta:
        """Give what lists filter and sort by."""
        found = self._put.get(key)
        if found:
            return found[1]
        made, row = self._made, self._made.ids.index(key)
        modified = made.modified[row]
        active = self._unseen[key].get("active", True) if key in self._unseen else made.active[row]
        return Meta(key, made.created[row], modified, modified, bool(active))

    def put(self, record: Record, *, arrived: int, ranged: int | None = None) -> int:
        """Let this version of a record reach the feed, and give its key (negative where its id is unusable)."""
        self._last_order += 1
        self.version += 1
        key = record.get("id")
        if not isinstance(key, int) or isinstance(key, bool):
            key = -self._last_order
        self._forget(key)
        modified = stamps.read(record.get("modifiedOn"))
        modified = arrived if modified is None else modified
        created = stamps.read(record.get("createdOn"))
        active = record.get("active", True) is not False
        place = Place(arrived, self._last_order)
        meta = Meta(key, modified if created is None else created, modified, ranged or modified, active)
        self._put[key] = (record, meta, place)
        insort(self._puts, (place, key))
        if self._next_id <= key:
            self._next_id += ID_STEP * (1 + (key - self._next_id) // ID_STEP)
        return key

    def replace_unseen(self, record: Record) -> None:
        """Let a record be another at its old place in the feed, so that no reader of the feed hears of it."""
        key: int = record["id"]
        self.version += 1
        if key in self._put:
            _, meta, place = self._put[key]
            self._put[key] = (record, meta._replace(active=record.get("active", True) is not False), place)
        else:
            self._unseen[key] = record

    def _forget(self, key: int) -> None:
        self._unseen.pop(key, None)
        before = self._put.pop(key, None)
        if before:
            self._puts.pop(bisect_left(self._puts, (before[2], key)))
        elif key in self._made.ids:
            self._replaced.add(self._made.ids.index(key))

    def walk(self, after: Place) -> Iterator[tuple[Place, int]]:
        """Walk the ids behind a place in the feed, in the order in which the records reached it."""
        made, by_change = self._made, self._by_change
        low = bisect_left(by_change, after.arrived, key=made.modified.__getitem__)
        high = bisect_right(by_change, after.arrived, key=made.modified.__getitem__)
        start = max(low, min(high, after.order + 1))
        at = bisect_right(self._puts, (after, 1 << 62))
        for order in range(start, len(by_change)):
            row = by_change[order]
            place = Place(made.modified[row], order)
            while at < len(self._puts) and self._puts[at][0] < place:
                yield self._puts[at]
                at += 1
            if row not in self._replaced:
                yield place, made.ids[row]
        yield from self._puts[at:]

    def last_place(self, until: int) -> Place:
        """Give the place of the last record that reached the feed at or before a moment."""
        count = bisect_right(self._by_change, until, key=self._made.modified.__getitem__)
        made = Place(self._made.modified[self._by_change[count - 1]], count - 1) if count else Place(-1, -1)
        at = bisect_right(self._puts, until, key=lambda put: put[0].arrived)
        return max(made, self._puts[at - 1][0]) if at else made
