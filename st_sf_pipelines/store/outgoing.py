"""What goes out: the rows of ours that a target's records are made of, one statement for each source (ObjectMap)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.store.derived import COLUMN_LIST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from st_sf_pipelines.store.database import Connection, Database


@dataclass(frozen=True)
class Source:
    """One kind of row: all of those that belong to the customers in the temporary table `subject`, and how many.

    A row has `subject` (our id of it), `key_id` (what its key is made of) and the columns that maps may use; where its
    parent is not the record of the same subject, `parent_subject` and, if it varies, `parent_asset` name it.
    """

    rows: str
    count: str


_CUSTOMERS: Final = Source(
    f"""SELECT st_id AS subject, st_id::text AS key_id, st_id, p.tenant_id, {COLUMN_LIST}, s.segment
        FROM customers.profile p JOIN subject USING (st_id)
        LEFT JOIN customers.segment s USING (tenant_id, st_id)
        WHERE p.tenant_id = %(tenant)s ORDER BY st_id""",
    "SELECT count(*) AS count FROM customers.profile WHERE tenant_id = %(tenant)s",
)

SOURCES: Final = {"customers": _CUSTOMERS}


def rows(connection: Connection, tenant_id: int, source: str) -> Iterator[dict[str, Any]]:
    """Stream a source's rows of every customer in the temporary table `subject`."""
    with connection.cursor(name="outgoing") as cursor:
        cursor.itersize = 5_000
        cursor.execute(SOURCES[source].rows, {"tenant": tenant_id})
        yield from cursor


def count(db: Database, tenant_id: int, source: str) -> int:
    """Count the rows of a source: so many records belong into the target."""
    with db.connect() as connection:
        row = connection.execute(SOURCES[source].count, {"tenant": tenant_id}).fetchone()
    return int(row["count"]) if row else 0
