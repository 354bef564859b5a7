"""What did not fit: records in quarantine with their reasons, and fields that nobody documented (EXT-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from st_sf_pipelines.ports import Table
    from st_sf_pipelines.store.database import Connection, Database


def quarantined(db: Database, tenant_id: int) -> dict[str, int]:
    """Count the records in quarantine, by entity."""
    with db.connect() as connection:
        rows = connection.execute(
            "SELECT entity, count(*) AS count FROM servicetitan.quarantine WHERE tenant_id = %s GROUP BY entity",
            [tenant_id],
        )
        return {row["entity"]: row["count"] for row in rows}


def records(db: Database, tenant_id: int) -> list[dict[str, Any]]:
    """List the records in quarantine: entity, key, reason, first_seen, last_seen."""
    with db.connect() as connection:
        return connection.execute(
            """SELECT entity, key, reason, first_seen, last_seen FROM servicetitan.quarantine
               WHERE tenant_id = %s ORDER BY entity, key""",
            [tenant_id],
        ).fetchall()


def drop(db: Database, tenant_id: int, entity: str, key: str) -> None:
    """Dismiss a record from quarantine: a person has looked at it. It is set aside anew if it is read again."""
    with db.connect() as connection:
        connection.execute(
            "DELETE FROM servicetitan.quarantine WHERE tenant_id = %s AND entity = %s AND key = %s",
            [tenant_id, entity, key],
        )


def release(
    connection: Connection, tenant_id: int, table: Table, digests: Iterable[bytes], *, unless: Iterable[bytes]
) -> None:
    """Release from quarantine what came again, to the letter, as the version that is in force, if that is no older.

    What does not fit stays if it came again beside it: `unless` are the fingerprints of such.
    """
    query = sql.SQL("""
        DELETE FROM servicetitan.quarantine q USING {} stored
        WHERE q.tenant_id = %s AND q.entity = %s AND stored.tenant_id = q.tenant_id AND stored.id::text = q.key
        AND stored.digest = ANY(%s) AND (q.modified <= stored.modified) IS NOT FALSE
        AND NOT q.digest = ANY(%s)""")
    values = [tenant_id, table.name, list(digests), list(unless)]
    connection.execute(query.format(sql.Identifier("servicetitan", table.name)), values)


def note_drift(connection: Connection, tenant_id: int, entity: str, fields: Mapping[str, str]) -> list[str]:
    """Note fields that nobody documented (name → JSON type); give those that were never seen before."""
    found = connection.execute(
        """INSERT INTO sync.drift (tenant_id, entity, field, kind)
           SELECT %s, %s, field, kind FROM unnest(%s::text[], %s::text[]) AS met (field, kind)
           ON CONFLICT DO NOTHING RETURNING field""",
        [tenant_id, entity, list(fields), list(fields.values())],
    )
    return sorted(row["field"] for row in found)


def drift(db: Database, tenant_id: int) -> list[dict[str, Any]]:
    """List the fields that we did not know: entity, field, kind (its JSON type), first_seen."""
    with db.connect() as connection:
        return connection.execute(
            """SELECT entity, field, kind, first_seen FROM sync.drift
               WHERE tenant_id = %s ORDER BY entity, field""",
            [tenant_id],
        ).fetchall()
