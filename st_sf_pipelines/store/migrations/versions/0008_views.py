"""A deal's row holds what the deal shows of others; a round knows its scope; the log tells what was done."""

from alembic import op

revision = "0008"
down_revision = "0007"

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

# A row of the log is what one round wrote to the CRM, by what was done there and not by how the round ended; or what it
# read back from there, if people had changed something or it could not be read. A round that was killed before it was
# through with the CRM is no finished one.
VIEWS = """
ALTER TABLE sync.rounds ADD COLUMN everybody boolean NOT NULL DEFAULT false, ADD COLUMN note text;
DROP VIEW crm.v_recent_activity, crm.v_pipeline_distribution, crm.v_sync_status, crm.crm_sync_log,
    crm.crm_opportunities;
CREATE VIEW crm.crm_opportunities AS
SELECT crm.uuid_of('opportunity', o.tenant_id, o.id) AS id, o.tenant_id, d.remote_id AS crm_id,
       CASE WHEN o.subject > 0 THEN o.subject END AS st_customer_id, o.job_id AS st_job_id,
       o.estimate_id AS st_estimate_id, o.pipeline AS crm_pipeline_slug, o.stage AS crm_stage_slug,
       (o.value_cents / 100.0)::numeric(14, 2) AS monetary_value, o.status,
       crm.status_of(d.state, d.code, d.remote_id) AS sync_status, d.agreed_at AS last_synced_at
FROM pipeline.opportunities o
LEFT JOIN sync.deliveries d ON d.tenant_id = o.tenant_id AND d.asset = 'crm/opportunities' AND d.subject = o.id;
CREATE VIEW crm.crm_sync_log AS
SELECT crm.uuid_of(r.run_id, r.tenant_id, 0) AS id, r.tenant_id, r.tenant,
       CASE WHEN r.everybody THEN 'full' ELSE 'incremental' END AS sync_type, 'st_to_crm' AS direction,
       CASE WHEN r.ended_at IS NULL THEN 'started'
            WHEN bool_or(o.error IS NOT NULL) THEN 'failed'
            WHEN r.error = 'the process ended in the middle' AND count(*) < 3 THEN 'failed'
            ELSE 'completed' END AS status,
       coalesce(sum((o.counts ->> 'created')::integer), 0)::integer AS records_created,
       coalesce(sum((o.counts ->> 'updated')::integer), 0)::integer AS records_updated,
       coalesce(sum((o.counts ->> 'parked')::integer), 0)::integer AS records_failed,
       (extract(epoch FROM r.ended_at - r.started_at) * 1000)::bigint AS duration_ms,
       r.triggered_by, r.started_at, r.ended_at AS completed_at
FROM sync.rounds r JOIN sync.operations o USING (run_id, tenant_id)
WHERE o.asset IN ('crm/contacts', 'crm/opportunities', 'crm/activities') AND NOT r.dry_run
GROUP BY r.run_id, r.tenant_id
UNION ALL
SELECT crm.uuid_of(r.run_id, r.tenant_id, 1), r.tenant_id, r.tenant, 'incremental', 'crm_to_st',
       CASE WHEN o.error IS NULL THEN 'completed' ELSE 'failed' END,
       0, coalesce((o.counts ->> 'changed')::integer, 0), 0, (o.seconds * 1000)::bigint,
       r.triggered_by, o.at - make_interval(secs => o.seconds), o.at
FROM sync.rounds r JOIN sync.operations o USING (run_id, tenant_id)
WHERE o.asset = 'crm/changes' AND (o.error IS NOT NULL OR (o.counts ->> 'changed')::integer > 0);
CREATE VIEW crm.v_sync_status AS
SELECT 'contacts' AS entity, sync_status, count(*) AS count, max(last_synced_at) AS last_synced_at
FROM crm.crm_contacts GROUP BY sync_status
UNION ALL
SELECT 'opportunities', sync_status, count(*), max(last_synced_at) FROM crm.crm_opportunities GROUP BY sync_status;
CREATE VIEW crm.v_recent_activity AS SELECT * FROM crm.crm_sync_log ORDER BY started_at DESC LIMIT 100;
CREATE VIEW crm.v_pipeline_distribution AS
SELECT crm_pipeline_slug AS pipeline, crm_stage_slug AS stage, count(*) AS count,
       coalesce(sum(monetary_value), 0)::numeric(14, 2) AS total_value
FROM crm.crm_opportunities GROUP BY crm_pipeline_slug, crm_stage_slug;
"""


def upgrade() -> None:
    """Make them; what a target shows of the deals so far may be out of date: all are planned anew."""
    op.execute(SHOWN)
    op.execute(VIEWS)
