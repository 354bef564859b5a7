"""Where the sweep of ids stands: its cursor, the ids that it has met, and records that are gone (EXT-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql

from st_sf_pipelines.store import log
from st_sf_pipelines.store.touches import REFERENCES, SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from st_sf_pipelines.ports import Table
    from st_sf_pipelines.store.database import Database


def order(db: Database, tenant_id: int, entities: Sequence[str]) -> list[str]:
    """Give the entities in the order of the sweep: one that is under way first, then the least recently swept."""
    with db.connect() as connection:
        rows = connection.execute(
            """SELECT asked.entity FROM unnest(%s::text[]) WITH ORDINALITY AS asked (entity, place)
               LEFT JOIN sync.sweeps s ON s.entity = asked.entity AND s.tenant_id = %s
               ORDER BY began_at NULLS LAST, swept_at NULLS FIRST, place""",
            [list(entities), tenant_id],
        )
        return [row["entity"] for row in rows]


def begin(db: Database, tenant_id: int, entity: str) -> int:
    """Give the page at which an entity's sweep goes on; 1 if it begins."""
    with db.connect() as connection:
        row = connection.execute(
            """INSERT INTO sync.sweeps (tenant_id, entity, began_at) VALUES (%s, %s, clock_timestamp())
               ON CONFLICT (tenant_id, entity)
               DO UPDATE SET began_at = coalesce(sweeps.began_at, excluded.began_at) RETURNING page""",
            [tenant_id, entity],
        ).fetchone()
    return row["page"] if row else 1


def met(db: Database, tenant_id: int, entity: str, ids: Iterable[int], page: int) -> None:
    """Keep the ids that a page showed, and that the sweep goes on at `page`."""
    with db.connect() as connection:
        connection.execute(
            """INSERT INTO sync.seen (tenant_id, entity, id) SELECT %s, %s, unnest(%s::bigint[])
               ON CONFLICT DO NOTHING""",
            [tenant_id, entity, list(ids)],
        )
        connection.execute(
            "UPDATE sync.sweeps SET page = %s WHERE tenant_id = %s AND entity = %s", [page, tenant_id, entity]
        )


def missing(db: Database, tenant_id: int, table: Table, column: str, *, with_inactive: bool) -> dict[int, int]:
    """Give the records that stood in the store when the sweep began, and that it did not meet: id → `column`."""
    query = sql.SQL("""
        SELECT stored.id, stored.{column} AS pick FROM {table} stored
        JOIN sync.sweeps s ON s.tenant_id = stored.tenant_id AND s.entity = %(entity)s
        WHERE stored.tenant_id = %(tenant)s AND stored.stored_at < s.began_at AND {held}
        AND NOT EXISTS (SELECT FROM sync.seen
                        WHERE tenant_id = stored.tenant_id AND entity = %(entity)s AND id = stored.id)
        ORDER BY stored.id""").format(
        column=sql.Identifier(column), table=sql.Identifier("servicetitan", table.name), held=_held(with_inactive)
    )
    with db.connect() as connection:
        rows = connection.execute(query, {"tenant": tenant_id, "entity": table.name})
        return {row["id"]: row["pick"] for row in rows}


def mark_gone(db: Database, tenant_id: int, table: Table, ids: Iterable[int]) -> None:
    """Mark records as gone: inactive, told in `servicetitan.gone`, and no longer known to the letter.

    So whatever shows such a record again, even unchanged, brings it back (see `records.write`).
    """
    references = [sql.Identifier(name) for name in ("id", *REFERENCES) if name == "id" or name in table.columns]
    query = sql.SQL("""
        WITH changed AS (
            UPDATE {table} SET active = false, digest = '' WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s)
            RETURNING {references}),
        touched AS (
            INSERT INTO sync.touched (tenant_id, asset, subject)
            SELECT DISTINCT %(tenant)s::bigint, %(asset)s, subject FROM ({subjects}) AS concerned (subject)
            WHERE subject IS NOT NULL)
        INSERT INTO servicetitan.gone (tenant_id, entity, id) SELECT %(tenant)s, %(entity)s, id FROM changed
        ON CONFLICT DO NOTHING""").format(
        table=sql.Identifier("servicetitan", table.name),
        references=sql.SQL(", ").join(references),
        subjects=sql.SQL(SUBJECTS[table.touches]),
    )
    values = {"tenant": tenant_id, "ids": list(ids), "asset": f"servicetitan/{table.name}", "entity": table.name}
    with db.connect() as connection:
        log.share(connection, tenant_id)
        connection.execute(query, values)


def finish(db: Database, tenant_id: int, entity: str, listed: int | None, held: int) -> None:
    """End an entity's sweep, and keep how many records its list has, and how many we hold."""
    with db.connect() as connection:
        connection.execute(
            """UPDATE sync.sweeps SET page = 1, began_at = NULL, swept_at = now(), listed = %s, held = %s
               WHERE tenant_id = %s AND entity = %s""",
            [listed, held, tenant_id, entity],
        )
        connection.execute("DELETE FROM sync.seen WHERE tenant_id = %s AND entity = %s", [tenant_id, entity])


def held(
    db: Database,
    tenant_id: int,
    table: Table,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    with_inactive: bool,
) -> int:
    """Count the records that a list should show, created at `since` or later and before `until`: no deleted ones."""
    query = sql.SQL("""
        SELECT count(*) AS count FROM {table} stored WHERE stored.tenant_id = %(tenant)s AND {held}
        AND (%(since)s::timestamptz IS NULL OR stored.created_on >= %(since)s)
        AND (%(until)s::timestamptz IS NULL OR stored.created_on < %(until)s)""").format(
        table=sql.Identifier("servicetitan", table.name), held=_held(with_inactive)
    )
    values = {"tenant": tenant_id, "entity": table.name, "since": since, "until": until}
    with db.connect() as connection:
        row = connection.execute(query, values).fetchone()
    return row["count"] if row else 0


def gone(db: Database, tenant_id: int) -> list[dict[str, Any]]:
    """List the records that are gone: entity, id, gone_at."""
    with db.connect() as connection:
        return connection.execute(
            "SELECT entity, id, gone_at FROM servicetitan.gone WHERE tenant_id = %s ORDER BY entity, id", [tenant_id]
        ).fetchall()


def _held(with_inactive: bool) -> sql.SQL:  # noqa: FBT001 - the one thing that a list may differ in
    """Tell which records a list should show: not the gone; not the inactive, if it shows none."""
    if not with_inactive:
        return sql.SQL("stored.active")
    return sql.SQL("""NOT EXISTS (SELECT FROM servicetitan.gone g WHERE g.tenant_id = stored.tenant_id
                                  AND g.entity = %(entity)s AND g.id = stored.id)""")
