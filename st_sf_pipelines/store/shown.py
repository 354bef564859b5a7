"""What a deal shows of the records that it names, kept in its own row: so a change of theirs is a change of the deal's.

These are its job's number and business unit, its estimate's name, and its seller's e-mail address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from st_sf_pipelines.store.deals import ASSET

if TYPE_CHECKING:
    from st_sf_pipelines.store.database import Connection

# A job that was given to another customer is still the deal's, and its changes touch that other one.
_REFRESH: Final = """
WITH concerned AS (
    SELECT o.id FROM subject s JOIN pipeline.opportunities o ON o.subject = s.st_id AND o.tenant_id = %(tenant)s
    UNION
    SELECT o.id FROM subject s
    JOIN servicetitan.jobs j ON j.tenant_id = %(tenant)s AND j.customer_id = s.st_id
    JOIN pipeline.opportunities o ON o.tenant_id = %(tenant)s AND o.job_id = j.id),
named AS (
    SELECT o.id, o.changed_at, j.job_number, u.name AS business_unit, e.name AS estimate_name,
           coalesce(t.email, w.email) AS seller_email
    FROM concerned JOIN pipeline.opportunities o USING (id)
    LEFT JOIN servicetitan.jobs j ON j.tenant_id = o.tenant_id AND j.id = o.job_id
    LEFT JOIN servicetitan.business_units u ON u.tenant_id = o.tenant_id AND u.id = j.business_unit_id
    LEFT JOIN servicetitan.estimates e ON e.tenant_id = o.tenant_id AND e.id = o.estimate_id
    LEFT JOIN servicetitan.technicians t ON t.tenant_id = o.tenant_id AND t.id = o.seller_id
    LEFT JOIN servicetitan.employees w ON w.tenant_id = o.tenant_id AND w.id = o.seller_id),
written AS (
    UPDATE pipeline.opportunities o
    SET job_number = n.job_number, business_unit = n.business_unit, estimate_name = n.estimate_name,
        seller_email = n.seller_email, changed_at = now()
    FROM named n
    WHERE o.id = n.id AND (o.job_number, o.business_unit, o.estimate_name, o.seller_email)
          IS DISTINCT FROM (n.job_number, n.business_unit, n.estimate_name, n.seller_email)
    RETURNING o.subject, n.changed_at < now() AS alone),
touched AS (
    INSERT INTO sync.touched (tenant_id, asset, subject)
    SELECT DISTINCT %(tenant)s::bigint, %(asset)s, subject FROM written)
SELECT count(*) FILTER (WHERE alone) AS changed FROM written
"""


def refresh(connection: Connection, tenant_id: int) -> int:
    """Bring it up to date for the deals of those in `subject`; count the deals that this transaction left else alone.

    It touches whoever a deal belongs to, as every change of a deal does.
    """
    row = connection.execute(_REFRESH, {"tenant": tenant_id, "asset": ASSET}).fetchone()
    return int(row["changed"]) if row else 0
