"""The rows of the org: found at once by id and by every key field, and put back as they were when asked."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from st_sf_pipelines.simulators.salesforce.schema import ObjectType, Schema

Row = dict[str, Any]


class Table:
    """The rows of one object. A row is never changed in place: whoever still reads an old one reads it whole."""

    def __init__(self, kind: ObjectType) -> None:
        self.kind = kind
        self.rows: dict[str, Row] = {}
        self.made = 0
        self._index: dict[str, dict[str, dict[str, None]]] = {}

    def put(self, row: Row) -> None:
        """Keep a row under its id, in the place of the one that was there."""
        record_id = row["Id"]
        old = self.rows.get(record_id)
        self.rows[record_id] = row
        for field in self.kind.indexed:
            before = _key(old, field.name)
            after = _key(row, field.name)
            if before != after:
                self._leave(field.name, before, record_id)
                if after is not None:
                    self._index.setdefault(field.name, {}).setdefault(after, {})[record_id] = None

    def take(self, record_id: str) -> None:
        """Forget a row, as if it had never been there."""
        old = self.rows.pop(record_id)
        for field in self.kind.indexed:
            self._leave(field.name, _key(old, field.name), record_id)

    def find(self, field: str, value: str) -> list[Row]:
        """Return the rows that are not deleted and have this value in a key field; case does not count."""
        ids = self._index.get(field, {}).get(value.lower(), {})
        return [self.rows[record_id] for record_id in ids]

    def reindex(self) -> None:
        """Build the index anew, after a field was added or became a key."""
        self._index.clear()
        rows, self.rows = self.rows, {}
        for row in rows.values():
            self.put(row)

    def living(self) -> Iterator[Row]:
        """Return the rows that are not deleted, oldest first."""
        return (row for row in self.rows.values() if not row["IsDeleted"])

    def _leave(self, field: str, key: str | None, record_id: str) -> None:
        if key is None:
            return
        ids = self._index[field][key]
        del ids[record_id]
        if not ids:
            del self._index[field][key]


def _key(row: Row | None, field: str) -> str | None:
    if row is None or row["IsDeleted"]:
        return None
    value = row.get(field)
    return None if value is None else str(value).lower()


class Written(NamedTuple):
    """One write: what was there before it, and what it is counted as."""

    table: Table
    record_id: str
    before: Row | None
    outcome: str


class Tables:
    """All rows of the org, with the writes since the last request, so that a part of them can be undone."""

    def __init__(self, schema: Schema) -> None:
        self.of = {name: Table(kind) for name, kind in schema.objects.items()}
        self.outcomes: dict[str, Counter[str]] = {name: Counter() for name in self.of}
        self._journal: list[Written] = []

    def write(self, table: Table, row: Row, outcome: str) -> None:
        """Keep a row, count it, and remember what it replaced."""
        self._journal.append(Written(table, row["Id"], table.rows.get(row["Id"]), outcome))
        table.put(row)
        self.outcomes[table.kind.name][outcome] += 1

    def mark(self) -> int:
        """Return the place to which `undo` can go back."""
        return len(self._journal)

    def undo(self, mark: int) -> None:
        """Put back all that was written since the mark."""
        while len(self._journal) > mark:
            written = self._journal.pop()
            self.outcomes[written.table.kind.name][written.outcome] -= 1
            if written.before is None:
                written.table.take(written.record_id)
            else:
                written.table.put(written.before)

    def settle(self) -> None:
        """Forget what could be undone: a request has ended."""
        self._journal.clear()
