"""Adoption in the ledger: whether a target may be written, and the ties to records that it held before (SF-13)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.store.ledger import UNDECIDED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from st_sf_pipelines.store.database import Database


MERGED: Final = "MERGED_THERE"
"""The code of a record that the target merged into another customer's."""


def is_open(db: Database, tenant_id: int, asset: str) -> bool:
    """Tell whether a target's object may be written: it was empty, adopted, or adoption is to be skipped (SF-13)."""
    with db.connect() as connection:
        return (
            connection.execute(
                "SELECT FROM sync.targets WHERE tenant_id = %s AND asset = %s", [tenant_id, asset]
            ).fetchone()
            is not None
        )


def open_target(db: Database, tenant_id: int, asset: str, opened_by: str) -> None:
    """Remember, before the first write, why a target's object may be written."""
    with db.connect() as connection:
        connection.execute(
            "INSERT INTO sync.targets (tenant_id, asset, opened_by) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [tenant_id, asset, opened_by],
        )


def link(db: Database, tenant_id: int, asset: str, pairs: Iterable[tuple[int, str]]) -> None:
    """Tie records of ours (subject) to those that the target holds already; the key goes with the next write.

    Nothing counts as agreed: what we have is written, and what we lack clears nothing there.
    """
    with db.connect() as connection, connection.pipeline():
        for subject, remote_id in pairs:
            connection.execute(
                """UPDATE sync.deliveries SET remote_id = %s, agreed = NULL, agreed_digest = NULL, state = 'pending',
                       code = NULL, message = NULL, fields = NULL, next_try_at = NULL
                   WHERE tenant_id = %s AND asset = %s AND subject = %s AND remote_id IS NULL""",
                [remote_id, tenant_id, asset, subject],
            )


def relink(db: Database, tenant_id: int, asset: str, masters: Mapping[int, str]) -> None:
    """Tie records of ours (subject) to those into which the target merged theirs (remote id), to be sent anew.

    One that is tied to another record of ours already stays parked, as merged there.
    """
    with db.connect() as connection:
        for subject, master in masters.items():
            others = connection.execute(
                """SELECT FROM sync.deliveries
                   WHERE tenant_id = %s AND asset = %s AND remote_id = %s AND subject <> %s""",
                [tenant_id, asset, master, subject],
            )
            taken = others.rowcount > 0
            connection.execute(
                """UPDATE sync.deliveries SET code = %s, message = NULL,
                       state = CASE WHEN %s THEN 'parked' ELSE 'pending' END,
                       remote_id = CASE WHEN %s THEN remote_id ELSE %s END
                   WHERE tenant_id = %s AND asset = %s AND subject = %s""",
                [MERGED if taken else None, taken, taken, master, tenant_id, asset, subject],
            )


def park_undecided(db: Database, tenant_id: int, asset: str, subjects: Iterable[int]) -> None:
    """Hold records back until a person has chosen among candidates (SF-13)."""
    with db.connect() as connection:
        connection.execute(
            """UPDATE sync.deliveries
               SET state = 'parked', code = %s, message = 'several records there could be this customer'
               WHERE tenant_id = %s AND asset = %s AND subject = ANY(%s)""",
            [UNDECIDED, tenant_id, asset, list(subjects)],
        )


def unlinked(db: Database, tenant_id: int, asset: str) -> Iterator[dict[str, Any]]:
    """Stream the records that are not tied to one of the target yet, for `adopt`: subject, key and wanted fields."""
    with db.connect() as connection, connection.cursor(name="unlinked") as cursor:
        cursor.execute(
            """SELECT subject, key, wanted FROM sync.deliveries
               WHERE tenant_id = %s AND asset = %s AND remote_id IS NULL AND wanted IS NOT NULL ORDER BY subject""",
            [tenant_id, asset],
        )
        yield from cursor
