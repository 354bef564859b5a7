"""The records of ServiceTitan as they came, kept whole, with typed columns beside them for what is queried."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from st_sf_pipelines.rules.stamps import instant
from st_sf_pipelines.store import log
from st_sf_pipelines.store.touches import REFERENCES, SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from st_sf_pipelines.ports import Reject, Row, Table
    from st_sf_pipelines.store.database import Connection, Database

_HEAD: Final = ("tenant_id", "id", "modified", "digest", "active", "record")
_NUL: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")  # behind an odd backslash only: it may itself be text


@dataclass(frozen=True)
class Written:
    """What a page changed in the store."""

    new: int = 0
    changed: int = 0


def token(db: Database, tenant_id: int, entity: str) -> tuple[str | None, bool]:
    """Give the stored continuation token of a feed, and whether the feed has once been read to its end."""
    with db.connect() as connection:
        row = connection.execute(
            "SELECT token, complete FROM sync.feeds WHERE tenant_id = %s AND entity = %s", [tenant_id, entity]
        ).fetchone()
    return (row["token"], row["complete"]) if row else (None, False)


def known(db: Database, tenant_id: int, table: Table, ids: Iterable[int], digests: Iterable[bytes]) -> set[bytes]:
    """Give those of these fingerprints that are stored, or in quarantine: what comes again unchanged is no news."""
    query = sql.SQL("""
        SELECT digest FROM {table} WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s) AND digest = ANY(%(digests)s)
        UNION ALL SELECT digest FROM servicetitan.quarantine
        WHERE tenant_id = %(tenant)s AND entity = %(entity)s AND digest = ANY(%(digests)s)""")
    values = {"tenant": tenant_id, "ids": list(ids), "digests": list(digests), "entity": table.name}
    with db.connect() as connection:
        return {bytes(row["digest"]) for row in connection.execute(query.format(table=_table(table)), values)}


def write_page(
    db: Database,
    tenant_id: int,
    table: Table,
    rows: Sequence[Row],
    rejects: Sequence[Reject],
    feed: tuple[str | None, bool] | None,
) -> Written:
    """Store a page: records, whom they touch, rejects and the feed's (token, complete), all or nothing.

    An older version never replaces a newer one; another content under the same stamp does (EXT-3). `feed` is None for
    a replay, which leaves the token where it stands (EXT-4).
    """
    with db.connect() as connection:
        log.share(connection, tenant_id)
        written = _upsert(connection, tenant_id, table, rows) if rows else Written()
        for reject in rejects:
            connection.execute(
                """INSERT INTO servicetitan.quarantine (tenant_id, entity, key, digest, reason, record)
                   VALUES (%s, %s, %s, %s, %s, %s)
                   ON CONFLICT (tenant_id, entity, key) DO UPDATE
                   SET digest = excluded.digest, reason = excluded.reason,
                       record = excluded.record, last_seen = now()""",
                [tenant_id, table.name, reject.key, reject.digest, reject.reason, _text(reject.record)],
            )
        if feed is not None:
            connection.execute(
                """INSERT INTO sync.feeds (tenant_id, entity, token, complete) VALUES (%s, %s, %s, %s)
                   ON CONFLICT (tenant_id, entity) DO UPDATE
                   SET token = excluded.token, complete = feeds.complete OR excluded.complete, pulled_at = now()
                   WHERE (feeds.token, feeds.complete) IS DISTINCT FROM (excluded.token, excluded.complete)""",
                [tenant_id, table.name, *feed],
            )
    return written


def _upsert(connection: Connection, tenant_id: int, table: Table, rows: Sequence[Row]) -> Written:
    newest: dict[int, Row] = {}
    for row in rows:
        if row.id not in newest or row.modified >= newest[row.id].modified:
            newest[row.id] = row
    names = (*_HEAD, *table.columns)
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    connection.execute(
        sql.SQL("CREATE TEMP TABLE incoming ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
            columns, _table(table)
        )
    )
    with connection.cursor().copy(sql.SQL("COPY incoming ({}) FROM STDIN").format(columns)) as copy:
        for row in newest.values():
            head = (tenant_id, row.id, row.modified, row.digest, row.active, _text(row.record))
            copy.write_row((*head, *map(_clean, row.columns)))
    references = [sql.Identifier(name) for name in REFERENCES if name in table.columns]
    result = connection.execute(
        sql.SQL("""
        WITH before AS (
            SELECT {stored_references} FROM {table} stored JOIN incoming USING (tenant_id, id)),
        written AS (
            INSERT INTO {table} AS stored ({columns}) SELECT {columns} FROM incoming
            ON CONFLICT (tenant_id, id) DO UPDATE SET {sets}, stored_at = now()
            WHERE stored.modified <= excluded.modified AND stored.digest <> excluded.digest
            RETURNING {stored_references}, xmax = 0 AS is_new),
        changed AS (
            SELECT {references} FROM written UNION SELECT before.* FROM before JOIN written USING (id)),
        touched AS (
            INSERT INTO sync.touched (tenant_id, asset, subject)
            SELECT DISTINCT %(tenant)s::bigint, %(asset)s, subject FROM ({subjects}) AS concerned (subject)
            WHERE subject IS NOT NULL),
        released AS (
            DELETE FROM servicetitan.quarantine WHERE tenant_id = %(tenant)s AND entity = %(entity)s
            AND key IN (SELECT id::text FROM written)),
        found AS (
            DELETE FROM servicetitan.gone WHERE tenant_id = %(tenant)s AND entity = %(entity)s
            AND id IN (SELECT id FROM written))
        SELECT count(*) FILTER (WHERE is_new) AS new, count(*) FILTER (WHERE NOT is_new) AS changed FROM written
        """).format(
            table=_table(table),
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
    connection.execute("DROP TABLE incoming")
    return Written(**result) if result else Written()


def quarantined(db: Database, tenant_id: int) -> dict[str, int]:
    """Count the records in quarantine, by entity."""
    with db.connect() as connection:
        rows = connection.execute(
            "SELECT entity, count(*) AS count FROM servicetitan.quarantine WHERE tenant_id = %s GROUP BY entity",
            [tenant_id],
        )
        return {row["entity"]: row["count"] for row in rows}


def quarantine(db: Database, tenant_id: int) -> list[dict[str, Any]]:
    """List the records in quarantine: entity, key, reason, first_seen, last_seen."""
    with db.connect() as connection:
        return connection.execute(
            """SELECT entity, key, reason, first_seen, last_seen FROM servicetitan.quarantine
               WHERE tenant_id = %s ORDER BY entity, key""",
            [tenant_id],
        ).fetchall()


def release(db: Database, tenant_id: int, table: Table, digests: Iterable[bytes]) -> None:
    """Release from quarantine what came again, to the letter, as the version that is in force."""
    query = sql.SQL("""
        DELETE FROM servicetitan.quarantine q USING {table} stored
        WHERE q.tenant_id = %s AND q.entity = %s AND stored.tenant_id = q.tenant_id AND stored.id::text = q.key
        AND stored.digest = ANY(%s)""")
    with db.connect() as connection:
        connection.execute(query.format(table=_table(table)), [tenant_id, table.name, list(digests)])


def newest(db: Database, tenant_id: int, table: Table) -> datetime:
    """Give the stamp of the newest record of an entity; the beginning of time if there is none."""
    query = sql.SQL("SELECT coalesce(max(modified), 0) AS newest FROM {} WHERE tenant_id = %s")
    with db.connect() as connection:
        row = connection.execute(query.format(_table(table)), [tenant_id]).fetchone()
    return instant(row["newest"] if row else 0)


def evidence(db: Database, tenant_id: int, st_id: int, day_zone: str) -> dict[str, Any]:
    """Name the records that a customer's profile rests on: its last completed job, its invoices, when each came."""
    with db.connect() as connection:
        job = connection.execute(
            """SELECT id, job_number, (completed_on AT TIME ZONE %s)::date AS completed_day
               FROM servicetitan.jobs
               WHERE tenant_id = %s AND customer_id = %s AND active
                     AND status = 'completed' AND completed_on IS NOT NULL
               ORDER BY completed_on DESC, id DESC LIMIT 1""",
            [day_zone, tenant_id, st_id],
        ).fetchone()
        invoices = connection.execute(
            """SELECT count(*) AS count, coalesce(sum(total), 0) AS total,
                      (array_agg(id ORDER BY abs(total) DESC NULLS LAST, id))[1:5] AS largest
               FROM servicetitan.invoices WHERE tenant_id = %s AND customer_id = %s AND active""",
            [tenant_id, st_id],
        ).fetchone()
    return {"last_job": job, "invoices": invoices}


def _table(table: Table) -> sql.Identifier:
    return sql.Identifier("servicetitan", table.name)


def _text(record: bytes) -> str:
    """Write JSON for jsonb, which cannot hold the character NUL: it becomes the replacement character."""
    return _NUL.sub(rb"\1\\ufffd", record).decode()


def _clean(value: Any) -> Any:
    return value.replace("\x00", "\ufffd") if isinstance(value, str) else value
