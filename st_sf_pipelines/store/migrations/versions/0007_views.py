"""What a deal shows of the records that it names stands in its own row."""

from alembic import op

revision = "0007"
down_revision = "0006"

SHOWN = """
ALTER TABLE pipeline.opportunities ADD COLUMN job_number text, ADD COLUMN business_unit text,
    ADD COLUMN estimate_name text, ADD COLUMN seller_email text;
CREATE INDEX ON pipeline.opportunities (tenant_id, job_id);
CREATE INDEX ON pipeline.opportunities (tenant_id, seller_id);
UPDATE pipeline.opportunities o
SET job_number = n.job_number, business_unit = n.business_unit, estimate_name = n.estimate_name,
    seller_email = n.seller_email
FROM (
    SELECT o.id, j.job_number, u.name AS business_unit, e.name AS estimate_name,
           coalesce(t.email, w.email) AS seller_email
    FROM pipeline.opportunities o
    LEFT JOIN servicetitan.jobs j ON j.tenant_id = o.tenant_id AND j.id = o.job_id
    LEFT JOIN servicetitan.business_units u ON u.tenant_id = o.tenant_id AND u.id = j.business_unit_id
    LEFT JOIN servicetitan.estimates e ON e.tenant_id = o.tenant_id AND e.id = o.estimate_id
    LEFT JOIN servicetitan.technicians t ON t.tenant_id = o.tenant_id AND t.id = o.seller_id
    LEFT JOIN servicetitan.employees w ON w.tenant_id = o.tenant_id AND w.id = o.seller_id) n
WHERE o.id = n.id;
UPDATE sync.positions SET version = '' WHERE consumer IN ('crm/opportunities', 'salesforce/opportunities');
"""


def upgrade() -> None:
    """Add and fill the columns; what a target shows of the deals so far may be out of date: all are planned anew."""
    op.execute(SHOWN)
