"""Leads whose customers have appeared: which are still to be converted in Salesforce, and which have been (SF-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.ports import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from st_sf_pipelines.ports import Receipt
    from st_sf_pipelines.store.database import Database

ASSET: Final = "salesforce/leads"


def due(db: Database, tenant_id: int) -> list[dict[str, Any]]:
    """List the leads that stand in Salesforce, and whose customer's account and contact stand there too.

    A row has lead_id and the ids there: lead, account, contact.
    """
    with db.connect() as connection:
        return connection.execute(
            """SELECT l.id AS lead_id, d.remote_id AS lead, a.remote_id AS account, c.remote_id AS contact
               FROM sync.deliveries d JOIN servicetitan.leads l ON l.tenant_id = d.tenant_id AND l.id = d.subject
               LEFT JOIN customers.survivor v ON v.tenant_id = l.tenant_id AND v.st_id = l.customer_id
               JOIN sync.deliveries a ON a.tenant_id = d.tenant_id AND a.asset = 'salesforce/accounts'
                    AND a.subject = coalesce(v.survivor_id, l.customer_id) AND a.remote_id IS NOT NULL
               JOIN sync.deliveries c ON c.tenant_id = d.tenant_id AND c.asset = 'salesforce/contacts'
                    AND c.subject = a.subject AND c.remote_id IS NOT NULL
               WHERE d.tenant_id = %(tenant)s AND d.asset = %(asset)s AND d.remote_id IS NOT NULL
               AND d.state <> 'parked' AND NOT EXISTS (
                   SELECT FROM sync.conversions x WHERE x.tenant_id = d.tenant_id AND x.lead_id = l.id)
               ORDER BY l.id""",
            {"tenant": tenant_id, "asset": ASSET},
        ).fetchall()


def keep(db: Database, run_id: str, tenant_id: int, answered: Iterable[tuple[int, Receipt]]) -> None:
    """Keep what became of each lead, with its receipt: converted, parked, or to be tried again at the next round.

    A converted lead is done: Salesforce takes no more changes of it, none is planned, and what it shows is its own.
    """
    with db.connect() as connection:
        for lead_id, receipt in answered:
            connection.execute(
                """INSERT INTO sync.receipts (run_id, tenant_id, asset, subject, outcome, remote_id, code, digest)
                   VALUES (%s, %s, %s, %s, %s, %s, %s, '')""",
                [run_id, tenant_id, ASSET, lead_id, receipt.outcome, receipt.remote_id, receipt.code],
            )
            if receipt.outcome is Outcome.UPDATED:
                connection.execute(
                    "INSERT INTO sync.conversions (tenant_id, lead_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                    [tenant_id, lead_id],
                )
            if receipt.outcome is not Outcome.PASSING:
                connection.execute(
                    """UPDATE sync.deliveries SET wanted = NULL, wanted_digest = NULL, code = %s, fields = %s,
                           state = CASE WHEN %s THEN 'synced' ELSE 'parked' END,
                           agreed = CASE WHEN %s THEN '{}' ELSE agreed END
                       WHERE tenant_id = %s AND asset = %s AND subject = %s""",
                    [
                        *(receipt.code, list(receipt.fields)),
                        *[receipt.outcome is Outcome.UPDATED] * 2,
                        *(tenant_id, ASSET, lead_id),
                    ],
                )
