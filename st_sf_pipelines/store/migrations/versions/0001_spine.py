"""The spine: records of five entities, the touched log, profile and segment, deliveries with receipts, audit."""

from alembic import op

revision = "0001"
down_revision = None

# `modified` is the API's stamp in ticks of 100 ns since 1970: timestamptz would hold two ticks of a microsecond equal.
_HEAD = """
    tenant_id  bigint      NOT NULL,
    id         bigint      NOT NULL,
    modified   bigint      NOT NULL,
    digest     bytea       NOT NULL,
    active     boolean     NOT NULL,
    record     jsonb       NOT NULL,
    stored_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
"""

RECORDS = f"""
CREATE SCHEMA servicetitan;
CREATE TABLE servicetitan.customers (
    name text, type text, first_name text, last_name text NOT NULL,
    street text, unit text, city text, state text, zip text, country text,
    balance numeric, do_not_mail boolean NOT NULL, do_not_service boolean NOT NULL, merged_to_id bigint,
    modified_on timestamptz NOT NULL, {_HEAD});
CREATE INDEX ON servicetitan.customers (tenant_id, merged_to_id) WHERE merged_to_id IS NOT NULL;
CREATE TABLE servicetitan.customer_contacts (
    customer_id bigint NOT NULL, type text NOT NULL, value text, email text, phone text, e164 text,
    created_on timestamptz, {_HEAD});
CREATE INDEX ON servicetitan.customer_contacts (tenant_id, customer_id);
CREATE TABLE servicetitan.jobs (
    customer_id bigint NOT NULL, job_number text, status text NOT NULL, business_unit_id bigint,
    created_on timestamptz, completed_on timestamptz, {_HEAD});
CREATE INDEX ON servicetitan.jobs (tenant_id, customer_id);
CREATE TABLE servicetitan.invoices (
    customer_id bigint, job_id bigint, adjustment_to_id bigint, total numeric, {_HEAD});
CREATE INDEX ON servicetitan.invoices (tenant_id, customer_id);
CREATE TABLE servicetitan.business_units (
    name text, {_HEAD});
CREATE TABLE servicetitan.quarantine (
    tenant_id bigint NOT NULL, entity text NOT NULL, key text NOT NULL, digest bytea NOT NULL,
    reason text NOT NULL, record jsonb,
    first_seen timestamptz NOT NULL DEFAULT now(), last_seen timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, entity, key));
"""

LOG = """
CREATE TABLE sync.feeds (
    tenant_id bigint NOT NULL, entity text NOT NULL, token text, complete boolean NOT NULL DEFAULT false,
    pulled_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (tenant_id, entity));
CREATE TABLE sync.pace (tenant_id bigint PRIMARY KEY, free_at timestamptz NOT NULL);
CREATE TABLE sync.touched (
    seq bigint GENERATED ALWAYS AS IDENTITY, tenant_id bigint NOT NULL, asset text NOT NULL, subject bigint NOT NULL,
    PRIMARY KEY (tenant_id, asset, seq));
CREATE TABLE sync.positions (
    tenant_id bigint NOT NULL, consumer text NOT NULL, seq bigint NOT NULL, version text NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (tenant_id, consumer));
"""

DERIVED = """
CREATE SCHEMA customers;
CREATE TABLE customers.survivor (
    tenant_id bigint NOT NULL, st_id bigint NOT NULL, survivor_id bigint NOT NULL, PRIMARY KEY (tenant_id, st_id));
CREATE INDEX ON customers.survivor (tenant_id, survivor_id);
CREATE TABLE customers.profile (
    tenant_id bigint NOT NULL, st_id bigint NOT NULL,
    name text, first_name text, last_name text NOT NULL, type text, email text, phone text,
    address_line1 text, address_line2 text, city text, state text, zip text, country text,
    active boolean NOT NULL, do_not_mail boolean NOT NULL, do_not_service boolean NOT NULL,
    balance numeric, lifetime_value numeric NOT NULL, total_jobs integer NOT NULL, completed_jobs integer NOT NULL,
    first_job_date date, last_job_date date, st_modified_on timestamptz NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (tenant_id, st_id));
CREATE TABLE customers.segment (
    tenant_id bigint NOT NULL, st_id bigint NOT NULL, segment text NOT NULL, rule text NOT NULL, due_on date,
    changed_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (tenant_id, st_id));
CREATE INDEX ON customers.segment (tenant_id, due_on) WHERE due_on IS NOT NULL;
CREATE TABLE customers.segment_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id bigint NOT NULL, st_id bigint NOT NULL,
    from_segment text, to_segment text NOT NULL, rule text NOT NULL, valid_from date NOT NULL,
    lifetime_value numeric NOT NULL, last_job_date date, recorded_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON customers.segment_history (tenant_id, st_id);
"""

# A delivery is one record of ours in one target: what the target has acknowledged, and what is wanted there.
LEDGER = """
CREATE TABLE sync.targets (
    tenant_id bigint NOT NULL, asset text NOT NULL, opened_by text NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (tenant_id, asset));
CREATE TABLE sync.deliveries (
    tenant_id bigint NOT NULL, asset text NOT NULL, st_id bigint NOT NULL, key text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'synced', 'parked')),
    remote_id text, agreed jsonb, agreed_digest bytea, agreed_at timestamptz,
    wanted jsonb, wanted_digest bytea,
    code text, message text, fields text[], tries integer NOT NULL DEFAULT 0, next_try_at timestamptz,
    PRIMARY KEY (tenant_id, asset, st_id));
CREATE INDEX ON sync.deliveries (tenant_id, asset, st_id) WHERE state <> 'synced';
CREATE TABLE sync.receipts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run_id text NOT NULL, tenant_id bigint NOT NULL,
    asset text NOT NULL, st_id bigint NOT NULL, outcome text NOT NULL, remote_id text, code text, message text,
    digest bytea NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON sync.receipts (tenant_id, asset, st_id);
CREATE INDEX ON sync.receipts (run_id);
"""

AUDIT = """
CREATE TABLE sync.rounds (
    run_id text NOT NULL, tenant_id bigint NOT NULL, tenant text NOT NULL, as_of timestamptz NOT NULL,
    dry_run boolean NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(), ended_at timestamptz, status text, error text,
    PRIMARY KEY (run_id, tenant_id));
CREATE INDEX ON sync.rounds (tenant_id, started_at DESC);
CREATE TABLE sync.operations (
    run_id text NOT NULL, tenant_id bigint NOT NULL, asset text NOT NULL, counts jsonb NOT NULL, error text,
    seconds double precision NOT NULL, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (run_id, tenant_id, asset));
CREATE TABLE sync.looks (
    tenant_id bigint PRIMARY KEY, looked_at timestamptz NOT NULL, good_at timestamptz, outcome text NOT NULL);
"""


def upgrade() -> None:
    """Make the tables."""
    for step in (RECORDS, LOG, DERIVED, LEDGER, AUDIT):
        op.execute(step)
