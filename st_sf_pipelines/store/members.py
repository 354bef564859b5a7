"""Whose records count for whom: a merged customer's for its survivor, and for itself no longer (EXT-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from st_sf_pipelines.store.database import Connection


def gather(connection: Connection, tenant_id: int) -> None:
    """Fill the temporary table `member` (st_id, member_id) for the customers in the temporary table `subject`."""
    connection.execute(
        """CREATE TEMP TABLE member ON COMMIT DROP AS
           SELECT subject.st_id, subject.st_id AS member_id FROM subject
           WHERE NOT EXISTS (
               SELECT FROM customers.survivor v WHERE v.tenant_id = %(tenant)s AND v.st_id = subject.st_id)
           UNION ALL
           SELECT v.survivor_id, v.st_id FROM customers.survivor v JOIN subject ON subject.st_id = v.survivor_id
           WHERE v.tenant_id = %(tenant)s""",
        {"tenant": tenant_id},
    )
    connection.execute("ANALYZE member")


def add_survivors(connection: Connection, tenant_id: int) -> None:
    """Add to `subject` whoever keeps the records of a merged customer in it."""
    connection.execute(
        """INSERT INTO subject SELECT v.survivor_id FROM customers.survivor v JOIN subject USING (st_id)
           WHERE v.tenant_id = %s ON CONFLICT DO NOTHING""",
        [tenant_id],
    )
