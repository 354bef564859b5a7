"""The events that the CRM's webhook is told of: those of its activity log, each once (CRM-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from st_sf_pipelines.ports import Json
    from st_sf_pipelines.store.database import Database


def untold(db: Database, tenant_id: int, limit: int) -> list[tuple[int, Json]]:
    """List the activities that stand in the CRM and were not told, the oldest first: id, and the event.

    An event is {event, entityType, entityId, data}; the ids are the CRM's own, those of ServiceTitan stand in `data`.
    """
    with db.connect() as connection:
        rows = connection.execute(
            """SELECT a.id, a.kind, a.title, a.records, a.at, a.key,
                      nullif(greatest(a.subject, 0), 0) AS st_customer_id,
                      c.remote_id AS contact, o.remote_id AS opportunity
               FROM pipeline.activities a
               JOIN sync.deliveries d ON d.tenant_id = a.tenant_id AND d.asset = 'crm/activities' AND d.subject = a.id
                    AND d.remote_id IS NOT NULL
               LEFT JOIN sync.deliveries c ON c.tenant_id = a.tenant_id AND c.asset = 'crm/contacts'
                    AND c.subject = a.subject
               LEFT JOIN sync.deliveries o ON o.tenant_id = a.tenant_id AND o.asset = 'crm/opportunities'
                    AND o.subject = a.opportunity_id
               WHERE a.tenant_id = %s AND a.told_at IS NULL ORDER BY a.id LIMIT %s""",
            [tenant_id, limit],
        ).fetchall()
    return [
        (
            row["id"],
            {
                "event": row["kind"],
                "entityType": "opportunity" if row["opportunity"] else "contact",
                "entityId": row["opportunity"] or row["contact"],
                "data": {
                    "key": row["key"],
                    "title": row["title"],
                    "records": row["records"],
                    "at": row["at"].isoformat(),
                    "contactId": row["contact"],
                    "stCustomerId": row["st_customer_id"],
                },
            },
        )
        for row in rows
    ]


def keep(db: Database, tenant_id: int, activity_ids: Sequence[int]) -> None:
    """Note that the CRM was told of these activities."""
    with db.connect() as connection:
        connection.execute(
            "UPDATE pipeline.activities SET told_at = now() WHERE tenant_id = %s AND id = ANY(%s)",
            [tenant_id, list(activity_ids)],
        )
