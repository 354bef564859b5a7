"""What a lead without a customer is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from st_sf_pipelines.store.database import Database


def called(db: Database, tenant_id: int, lead_id: int) -> dict[str, Any] | None:
    """Give the name, status and creation of a lead; None if we do not know it."""
    with db.connect() as connection:
        return connection.execute(
            """SELECT name, last_name, status, created_on FROM servicetitan.leads WHERE tenant_id = %s AND id = %s""",
            [tenant_id, lead_id],
        ).fetchone()
