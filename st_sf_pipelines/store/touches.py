"""Whom a change of a record concerns, in SQL: a row for each of `Touches`, over the changed records' references."""

from __future__ import annotations

from typing import Final

from st_sf_pipelines.ports import Touches

REFERENCES: Final = ("customer_id", "job_id")
"""Columns by which a record names others; `changed` holds those of them that its table has, with the record's id."""

_JOB = "servicetitan.jobs j ON j.tenant_id = %(tenant)s AND j.id = c.job_id"


def _deals_of(job_id: str) -> str:
    """Give those whose open and won deals have a job, whoever its customer is: these follow it.

    All changed jobs are looked up at once, through the index of `job_ids`: one by one the planner may scan the deals.
    """
    return f"""
        SELECT o.subject FROM pipeline.opportunities o WHERE o.tenant_id = %(tenant)s AND o.status <> 'lost'
        AND o.job_ids && ARRAY(SELECT c.{job_id} FROM changed c WHERE c.{job_id} IS NOT NULL)"""


SUBJECTS: Final = {  # `changed` holds each changed record as it was and as it is
    Touches.NOBODY: "SELECT NULL::bigint",
    Touches.SELF: "SELECT c.id FROM changed c",
    Touches.CUSTOMER: "SELECT c.customer_id FROM changed c",
    Touches.CUSTOMER_AND_DEALS: f"SELECT c.customer_id FROM changed c UNION {_deals_of('id')}",
    Touches.CUSTOMER_OR_LEAD: "SELECT coalesce(c.customer_id, -c.id) FROM changed c",
    Touches.JOBS_CUSTOMER: f"SELECT j.customer_id FROM changed c JOIN {_JOB} UNION {_deals_of('job_id')}",
    Touches.CUSTOMER_OR_JOBS: f"""
        SELECT coalesce(c.customer_id, j.customer_id) FROM changed c LEFT JOIN {_JOB} UNION {_deals_of("job_id")}""",
    Touches.CUSTOMERS_OF_UNIT: """
        SELECT j.customer_id FROM changed c
        JOIN servicetitan.jobs j ON j.tenant_id = %(tenant)s AND j.business_unit_id = c.id""",
    Touches.CUSTOMERS_OF_SELLER: """
        SELECT o.subject FROM changed c
        JOIN pipeline.opportunities o ON o.tenant_id = %(tenant)s AND o.seller_id = c.id""",
    Touches.CUSTOMERS_OF_CAMPAIGN: """
        SELECT j.customer_id FROM changed c
        JOIN servicetitan.jobs j ON j.tenant_id = %(tenant)s AND j.campaign_id = c.id
        UNION SELECT coalesce(l.customer_id, -l.id) FROM changed c
        JOIN servicetitan.leads l ON l.tenant_id = %(tenant)s AND l.campaign_id = c.id""",
}
