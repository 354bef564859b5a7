"""The records of ServiceTitan as they came, kept whole, with typed columns beside them for what is queried."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from st_sf_pipelines.rules.stamps import instant
from st_sf_pipelines.store import log, members
from st_sf_pipelines.store.touches import REFERENCES, SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from st_sf_pipelines.ports import Reject, Row, Table
    from st_sf_pipelines.store.database import Connection, Database

_HEAD: Final = ("tenant_id", "id", "modified", "digest", "active", "record")
_NUL_MARK: Final = b"\\u0000"
_ESCAPED: Final = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\x00": "\ufffd"})
_NUL: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")  # behind an odd backslash only: it may itself be text


@dataclass(frozen=True)
class Written:
    """What a page changed in the store."""

    new: int = 0
    changed: int = 0


def known(
    connection: Connection, tenant_id: int, table: Table, ids: Iterable[int], keys: Iterable[str]
) -> tuple[set[bytes], set[bytes]]:
    """Give the fingerprints of what is stored under these ids, and stands in quarantine under these keys.

    What comes again with one of them is no news.
    """
    query = sql.SQL("""
        SELECT digest, true AS fits FROM {table} WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s::bigint[])
        UNION ALL SELECT digest, false FROM servicetitan.quarantine
        WHERE tenant_id = %(tenant)s AND entity = %(entity)s AND key = ANY(%(keys)s::text[])""")
    # Digits and hexadecimals need no quotes: written as one text they cost a tenth of a list.
    values = {"tenant": tenant_id, "entity": table.name, "ids": f"{{{','.join(map(str, ids))}}}"}
    found = connection.execute(query.format(table=_table(table)), {**values, "keys": f"{{{','.join(keys)}}}"})
    stored: set[bytes] = set()
    set_aside: set[bytes] = set()
    for row in found:
        (stored if row["fits"] else set_aside).add(row["digest"])
    return stored, set_aside


def deletions(connection: Connection, tenant_id: int, table: Table, ids: Iterable[int]) -> set[int]:
    """Give those of these records that the feed said to be deleted: their list, which tells no `active`, cannot."""
    query = sql.SQL("""
        SELECT id FROM {table} WHERE tenant_id = %s AND id = ANY(%s) AND record ->> 'active' = 'false'""")
    found = connection.execute(query.format(table=_table(table)), [tenant_id, list(ids)])
    return {row["id"] for row in found}


def write(
    connection: Connection, tenant_id: int, table: Table, rows: Sequence[Row], rejects: Sequence[Reject]
) -> Written:
    """Store a page's records, whom they touch, and its rejects, within the transaction.

    An older version never replaces a newer one; another content under the same stamp does (EXT-3). Nor is a reject
    set aside that is older than what is stored, or stands in quarantine already (EXT-6).
    """
    if not rows and not rejects:
        return Written()
    # A crash of the server may take the last pages, each with its token, so that they are read again: no page waits for
    # the disk. Whatever is committed to wait after them makes them last too.
    connection.execute("SET LOCAL synchronous_commit = off")
    log.share(connection, tenant_id)
    written = _upsert(connection, tenant_id, table, rows) if rows else Written()
    set_aside = sql.SQL("""
        INSERT INTO servicetitan.quarantine AS q (tenant_id, entity, key, digest, reason, record, modified)
        SELECT %s, %s, %s, %s, %s, %s, %s::bigint
        WHERE NOT EXISTS (SELECT FROM {} WHERE tenant_id = %s AND id = %s::bigint AND modified > %s::bigint)
        ON CONFLICT (tenant_id, entity, key) DO UPDATE
        SET digest = excluded.digest, reason = excluded.reason,
            record = excluded.record, modified = excluded.modified, last_seen = now()
        WHERE (q.modified <= excluded.modified) IS NOT FALSE""").format(_table(table))
    for reject in rejects:
        values = [tenant_id, table.name, reject.key, reject.digest, reject.reason, _text(reject.record)]
        newer = [tenant_id, None if reject.modified is None else int(reject.key), reject.modified]
        connection.execute(set_aside, [*values, reject.modified, *newer])
    return written


def _upsert(connection: Connection, tenant_id: int, table: Table, rows: Sequence[Row]) -> Written:
    newest: dict[int, Row] = {}
    for row in rows:
        if row.id not in newest or row.modified >= newest[row.id].modified:
            newest[row.id] = row
    names = (*_HEAD, *table.columns)
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    incoming = sql.Identifier(
        f"incoming_{table.name}"
    )  # the connection keeps it: to make it anew costs more than a page
    connection.execute(
        sql.SQL("CREATE TEMP TABLE IF NOT EXISTS {} ON COMMIT DELETE ROWS AS SELECT {} FROM {} WITH NO DATA").format(
            incoming, columns, _table(table)
        )
    )
    with connection.cursor().copy(sql.SQL("COPY {} ({}) FROM STDIN").format(incoming, columns)) as copy:
        copy.write("".join([_line(tenant_id, row) for row in newest.values()]))
    references = [sql.Identifier(name) for name in REFERENCES if name in table.columns]
    result = connection.execute(
        sql.SQL("""
        WITH before AS (
            SELECT {stored_references} FROM {table} stored JOIN {incoming} USING (tenant_id, id)),
        written AS (
            INSERT INTO {table} AS stored ({columns}) SELECT {columns} FROM {incoming}
            ON CONFLICT (tenant_id, id) DO UPDATE SET {sets}, stored_at = now()
            WHERE stored.modified <= excluded.modified AND stored.digest <> excluded.digest
            RETURNING {stored_references}, stored.modified, xmax = 0 AS is_new),
        changed AS (
            SELECT {references} FROM written UNION SELECT before.* FROM before JOIN written USING (id)),
        touched AS (
            INSERT INTO sync.touched (tenant_id, asset, subject)
            SELECT DISTINCT %(tenant)s::bigint, %(asset)s, subject FROM ({subjects}) AS concerned (subject)
            WHERE subject IS NOT NULL),
        released AS (
            DELETE FROM servicetitan.quarantine q USING written WHERE tenant_id = %(tenant)s AND entity = %(entity)s
            AND key = written.id::text AND (q.modified <= written.modified) IS NOT FALSE),
        found AS (
            DELETE FROM servicetitan.gone WHERE tenant_id = %(tenant)s AND entity = %(entity)s
            AND id IN (SELECT id FROM written))
        SELECT count(*) FILTER (WHERE is_new) AS new, count(*) FILTER (WHERE NOT is_new) AS changed FROM written
        """).format(
            table=_table(table),
            incoming=incoming,
            columns=columns,
            references=sql.SQL(", ").join([sql.Identifier("id"), *references]),
            stored_references=sql.SQL(", ").join(
                sql.SQL("stored.{}").format(each) for each in (sql.Identifier("id"), *references)
            ),
            sets=sql.SQL(", ").join(
                sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in names if name not in _HEAD[:2]
            ),
            subjects=sql.SQL(SUBJECTS[table.touches]),
        ),
        {"tenant": tenant_id, "asset": f"servicetitan/{table.name}", "entity": table.name},
    ).fetchone()
    return Written(**result) if result else Written()


def newest(db: Database, tenant_id: int, table: Table) -> datetime:
    """Give the stamp of the newest record of an entity; the beginning of time if there is none."""
    query = sql.SQL("SELECT coalesce(max(modified), 0) AS newest FROM {} WHERE tenant_id = %s")
    with db.connect() as connection:
        row = connection.execute(query.format(_table(table)), [tenant_id]).fetchone()
    return instant(row["newest"] if row else 0)


def evidence(db: Database, tenant_id: int, st_id: int, day_zone: str) -> dict[str, Any]:
    """Name the records that a customer's profile rests on: its last completed job, its invoices.

    A survivor's are those of its merged customers too (EXT-5).
    """
    with db.connect() as connection:
        connection.execute("CREATE TEMP TABLE subject ON COMMIT DROP AS SELECT %s::bigint AS st_id", [st_id])
        members.gather(connection, tenant_id)
        job = connection.execute(
            """SELECT id, job_number, (completed_on AT TIME ZONE %s)::date AS completed_day
               FROM servicetitan.jobs JOIN member ON member_id = customer_id
               WHERE tenant_id = %s AND active
                     AND status = 'completed' AND completed_on IS NOT NULL
               ORDER BY completed_on DESC, id DESC LIMIT 1""",
            [day_zone, tenant_id],
        ).fetchone()
        invoices = connection.execute(
            """SELECT count(*) AS count, coalesce(sum(total), 0) AS total,
                      (array_agg(id ORDER BY abs(total) DESC NULLS LAST, id))[1:5] AS largest
               FROM servicetitan.invoices JOIN member ON member_id = customer_id
               WHERE tenant_id = %s AND active""",
            [tenant_id],
        ).fetchone()
    return {"last_job": job, "invoices": invoices}


def _table(table: Table) -> sql.Identifier:
    return sql.Identifier("servicetitan", table.name)


def _line(tenant_id: int, row: Row) -> str:
    """Write a row as COPY reads it.

    All that COPY wants escaped stands behind a backslash in JSON too: a record without one has no such column either.
    """
    record = _text(row.record)
    fields = [r"\N" if value is None else str(value) for value in row.columns]
    if "\\" in record:
        record = record.translate(_ESCAPED)
        fields = [r"\N" if value is None else str(value).translate(_ESCAPED) for value in row.columns]
    head = f"{tenant_id}\t{row.id}\t{row.modified}\t\\\\x{row.digest.hex()}\t{row.active}\t{record}\t"
    return head + "\t".join(fields) + "\n"


def _text(record: bytes) -> str:
    """Write JSON for jsonb, which cannot hold the character NUL: it becomes the replacement character."""
    return (_NUL.sub(rb"\1\\ufffd", record) if _NUL_MARK in record else record).decode()
