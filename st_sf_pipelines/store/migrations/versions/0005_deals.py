"""Deals with their moves, what is held back, activities and contacts; customer states; the schema crm for people."""

from alembic import op

revision = "0005"
down_revision = "0004"

# One row a deal: the columns from `subject` to `changes` are the fields of rules.deals.Deal; `owner_email` is whom the
# CRM's people assigned it to.
DEALS = """
CREATE SCHEMA pipeline;
CREATE TABLE pipeline.opportunities (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id bigint NOT NULL,
    subject bigint NOT NULL, opened_for bigint NOT NULL, number integer NOT NULL,
    pipeline text NOT NULL, stage text NOT NULL, status text NOT NULL CHECK (status IN ('open', 'won', 'lost')),
    title text NOT NULL, label text NOT NULL, value_cents bigint, valued_by text, notes text,
    job_id bigint, job_ids bigint[] NOT NULL, estimate_id bigint, lead_id bigint, campaign_id bigint,
    technician_id bigint, seller_id bigint, opened_at timestamptz NOT NULL, since_at timestamptz NOT NULL,
    canceled_at timestamptz, closed_at timestamptz, close_on date NOT NULL, lost_reason text,
    hand_stage text, hand_at timestamptz, hand_facts text[] NOT NULL, pinned boolean NOT NULL,
    told text[] NOT NULL, changes integer NOT NULL, owner_email text,
    changed_at timestamptz NOT NULL DEFAULT now(), UNIQUE (tenant_id, opened_for, number));
CREATE INDEX ON pipeline.opportunities (tenant_id, subject);
CREATE INDEX ON pipeline.opportunities USING gin (job_ids);
CREATE TABLE pipeline.moves (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id bigint NOT NULL, opportunity_id bigint NOT NULL,
    from_pipeline text, from_stage text, from_status text,
    to_pipeline text NOT NULL, to_stage text NOT NULL, to_status text NOT NULL,
    rule text NOT NULL, records text[] NOT NULL, as_of timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON pipeline.moves (opportunity_id);
CREATE TABLE pipeline.held (
    tenant_id bigint NOT NULL, subject bigint NOT NULL, opportunity text, rule text NOT NULL, reason text NOT NULL,
    records text[] NOT NULL, first_seen timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON pipeline.held (tenant_id, subject);
CREATE TABLE pipeline.activities (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id bigint NOT NULL, key text NOT NULL,
    subject bigint NOT NULL, opportunity_id bigint, kind text NOT NULL, title text NOT NULL, records text[] NOT NULL,
    at timestamptz NOT NULL, told_at timestamptz, UNIQUE (tenant_id, key));
CREATE INDEX ON pipeline.activities (tenant_id, subject);
CREATE INDEX ON pipeline.activities (tenant_id, id) WHERE told_at IS NULL;
CREATE TABLE pipeline.contacts (
    tenant_id bigint NOT NULL, subject bigint NOT NULL, kind text NOT NULL, since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, subject));
CREATE TABLE pipeline.due (
    tenant_id bigint NOT NULL, subject bigint NOT NULL, due_on date NOT NULL, PRIMARY KEY (tenant_id, subject));
CREATE INDEX ON pipeline.due (tenant_id, due_on);
"""

# What people set in the CRM, as it was read there, until the next look at the deal takes it over (CRM-7).
SEEN = """
CREATE TABLE pipeline.seen (
    opportunity_id bigint PRIMARY KEY, tenant_id bigint NOT NULL, stage text, pinned boolean,
    seen_at timestamptz NOT NULL);
CREATE TABLE sync.conversions (
    tenant_id bigint NOT NULL, lead_id bigint NOT NULL, code text, at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, lead_id));
CREATE TABLE sync.watermarks (
    tenant_id bigint NOT NULL, asset text NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (tenant_id, asset));
"""

# An estimate without an owner touches nobody: the recent ones are looked through for it.
ESTIMATES = "CREATE INDEX ON servicetitan.estimates (tenant_id, modified_on)"

STATES = """
CREATE TABLE customers.state (
    tenant_id bigint NOT NULL, st_id bigint NOT NULL, state text NOT NULL, previous text, rule text NOT NULL,
    journey integer NOT NULL, job_id bigint, entered_on date, due_on date,
    hand_state text, hand_at timestamptz, reason text,
    changed_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (tenant_id, st_id));
CREATE INDEX ON customers.state (tenant_id, due_on) WHERE due_on IS NOT NULL;
CREATE TABLE customers.state_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id bigint NOT NULL, st_id bigint NOT NULL,
    from_state text, to_state text NOT NULL, rule text NOT NULL, journey integer NOT NULL, job_id bigint,
    valid_from date, reason text, recorded_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON customers.state_history (tenant_id, st_id);
CREATE TABLE customers.campaign_members (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id bigint NOT NULL, st_id bigint NOT NULL,
    campaign_id text NOT NULL, since timestamptz NOT NULL DEFAULT now(), UNIQUE (tenant_id, st_id, campaign_id));
"""

# The tables and views that a seed names, for people and their reports (CRM-13).
CRM = """
CREATE SCHEMA crm;
CREATE FUNCTION crm.uuid_of(what text, tenant_id bigint, id bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT md5(what || ':' || tenant_id || ':' || id)::uuid $$;
CREATE FUNCTION crm.status_of(state text, code text, remote_id text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN state = 'synced' THEN 'synced' WHEN code = 'TWO_CANDIDATES' THEN 'conflict'
                WHEN state = 'parked' THEN 'failed' ELSE 'pending' END $$;
CREATE VIEW crm.crm_contacts AS
SELECT crm.uuid_of('contact', c.tenant_id, c.subject) AS id, c.tenant_id, d.remote_id AS crm_id,
       CASE WHEN c.subject > 0 THEN c.subject END AS st_customer_id,
       coalesce(p.first_name, l.first_name) AS first_name, coalesce(p.last_name, l.last_name) AS last_name,
       coalesce(p.email, l.email) AS email, coalesce(p.phone, l.phone) AS phone,
       crm.status_of(d.state, d.code, d.remote_id) AS sync_status, d.agreed_at AS last_synced_at
FROM pipeline.contacts c
LEFT JOIN customers.profile p ON p.tenant_id = c.tenant_id AND p.st_id = c.subject
LEFT JOIN servicetitan.leads l ON l.tenant_id = c.tenant_id AND l.id = -c.subject
LEFT JOIN sync.deliveries d ON d.tenant_id = c.tenant_id AND d.asset = 'crm/contacts' AND d.subject = c.subject;
CREATE VIEW crm.crm_opportunities AS
SELECT crm.uuid_of('opportunity', o.tenant_id, o.id) AS id, o.tenant_id, d.remote_id AS crm_id,
       CASE WHEN o.subject > 0 THEN o.subject END AS st_customer_id, o.job_id AS st_job_id,
       o.estimate_id AS st_estimate_id, o.pipeline AS crm_pipeline_slug, o.stage AS crm_stage_slug,
       o.value_cents / 100.0 AS monetary_value, o.status,
       crm.status_of(d.state, d.code, d.remote_id) AS sync_status, d.agreed_at AS last_synced_at
FROM pipeline.opportunities o
LEFT JOIN sync.deliveries d ON d.tenant_id = o.tenant_id AND d.asset = 'crm/opportunities' AND d.subject = o.id;
CREATE VIEW crm.crm_sync_log AS
SELECT crm.uuid_of(r.run_id, r.tenant_id, 0) AS id, r.tenant_id, r.tenant,
       CASE WHEN r.triggered_by = 'schedule' THEN 'incremental' ELSE 'full' END AS sync_type,
       'st_to_crm' AS direction,
       CASE WHEN r.ended_at IS NULL THEN 'started' WHEN r.status IN ('success', 'parked') THEN 'completed'
            ELSE 'failed' END AS status,
       coalesce(sum((o.counts ->> 'created')::bigint), 0) AS records_created,
       coalesce(sum((o.counts ->> 'updated')::bigint), 0) AS records_updated,
       coalesce(sum((o.counts ->> 'parked')::bigint), 0) AS records_failed,
       (extract(epoch FROM r.ended_at - r.started_at) * 1000)::bigint AS duration_ms,
       r.triggered_by, r.started_at, r.ended_at AS completed_at
FROM sync.rounds r JOIN sync.operations o USING (run_id, tenant_id)
WHERE o.asset IN ('crm/contacts', 'crm/opportunities', 'crm/activities') AND NOT r.dry_run
GROUP BY r.run_id, r.tenant_id;
CREATE VIEW crm.v_sync_status AS
SELECT 'contacts' AS entity, sync_status, count(*) AS count, max(last_synced_at) AS last_synced_at
FROM crm.crm_contacts GROUP BY sync_status
UNION ALL
SELECT 'opportunities', sync_status, count(*), max(last_synced_at) FROM crm.crm_opportunities GROUP BY sync_status;
CREATE VIEW crm.v_recent_activity AS SELECT * FROM crm.crm_sync_log ORDER BY started_at DESC LIMIT 100;
CREATE VIEW crm.v_pipeline_distribution AS
SELECT crm_pipeline_slug AS pipeline, crm_stage_slug AS stage, count(*) AS count,
       coalesce(sum(monetary_value), 0) AS total_value
FROM crm.crm_opportunities GROUP BY crm_pipeline_slug, crm_stage_slug;
"""


def upgrade() -> None:
    """Make the tables and views."""
    op.execute("ALTER TABLE sync.rounds ADD COLUMN triggered_by text NOT NULL DEFAULT 'schedule'")
    for step in (DEALS, SEEN, ESTIMATES, STATES, CRM):
        op.execute(step)
