"""The reader in full: tables of all entities, records that are gone, fields that we did not know, and the sweep."""

from alembic import op

revision = "0002"
down_revision = "0001"

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
_PLACE = "street text, unit text, city text, state text, zip text, country text"

MORE_COLUMNS = """
ALTER TABLE servicetitan.customers ADD COLUMN created_on timestamptz;
ALTER TABLE servicetitan.jobs
    ADD COLUMN job_type_id bigint, ADD COLUMN campaign_id bigint, ADD COLUMN location_id bigint,
    ADD COLUMN booking_id bigint, ADD COLUMN total numeric, ADD COLUMN sold_by_id bigint,
    ADD COLUMN created_from_estimate_id bigint, ADD COLUMN modified_on timestamptz;
ALTER TABLE servicetitan.invoices ADD COLUMN invoice_date date, ADD COLUMN created_on timestamptz;
ALTER TABLE servicetitan.business_units ADD COLUMN created_on timestamptz;
CREATE INDEX ON servicetitan.invoices (tenant_id, job_id) WHERE job_id IS NOT NULL;
"""

# What is stored lacks the new columns: it is no longer known to the letter, and the feeds begin anew.
READ_AGAIN = """
UPDATE servicetitan.customers SET digest = '';
UPDATE servicetitan.jobs SET digest = '';
UPDATE servicetitan.invoices SET digest = '';
UPDATE servicetitan.business_units SET digest = '';
UPDATE sync.feeds SET token = NULL, complete = false
WHERE entity IN ('customers', 'jobs', 'invoices', 'business_units');
"""

RECORDS = f"""
CREATE TABLE servicetitan.locations (
    customer_id bigint NOT NULL, name text, {_PLACE}, merged_to_id bigint, created_on timestamptz, {_HEAD});
CREATE INDEX ON servicetitan.locations (tenant_id, customer_id);
CREATE TABLE servicetitan.leads (
    customer_id bigint, status text NOT NULL, campaign_id bigint, business_unit_id bigint, job_type_id bigint,
    booking_id bigint, name text, first_name text, last_name text NOT NULL,
    phone text, e164 text, email text, {_PLACE},
    created_on timestamptz, modified_on timestamptz NOT NULL, {_HEAD});
CREATE INDEX ON servicetitan.leads (tenant_id, customer_id) WHERE customer_id IS NOT NULL;
CREATE TABLE servicetitan.bookings (
    status text NOT NULL, source text, name text, job_id bigint, campaign_id bigint, business_unit_id bigint,
    job_type_id bigint, external_id text, starts_at timestamptz,
    created_on timestamptz, modified_on timestamptz NOT NULL, {_HEAD});
CREATE INDEX ON servicetitan.bookings (tenant_id, job_id) WHERE job_id IS NOT NULL;
CREATE TABLE servicetitan.job_canceled_logs (
    job_id bigint NOT NULL, reason_id bigint, created_on timestamptz, {_HEAD});
CREATE INDEX ON servicetitan.job_canceled_logs (tenant_id, job_id);
CREATE TABLE servicetitan.appointments (
    job_id bigint NOT NULL, customer_id bigint, status text NOT NULL, number text,
    starts_at timestamptz, ends_at timestamptz, created_on timestamptz, modified_on timestamptz NOT NULL, {_HEAD});
CREATE INDEX ON servicetitan.appointments (tenant_id, job_id);
CREATE INDEX ON servicetitan.appointments (tenant_id, customer_id) WHERE customer_id IS NOT NULL;
CREATE TABLE servicetitan.appointment_assignments (
    job_id bigint NOT NULL, appointment_id bigint NOT NULL, technician_id bigint NOT NULL, status text NOT NULL,
    assigned_on timestamptz, created_on timestamptz, modified_on timestamptz NOT NULL, {_HEAD});
CREATE INDEX ON servicetitan.appointment_assignments (tenant_id, job_id);
CREATE INDEX ON servicetitan.appointment_assignments (tenant_id, appointment_id);
CREATE TABLE servicetitan.estimates (
    job_id bigint, customer_id bigint, name text, status text NOT NULL, subtotal numeric, tax numeric,
    sold_on timestamptz, sold_by bigint, business_unit_id bigint, is_change_order boolean NOT NULL,
    created_on timestamptz, modified_on timestamptz NOT NULL, {_HEAD});
CREATE INDEX ON servicetitan.estimates (tenant_id, job_id) WHERE job_id IS NOT NULL;
CREATE INDEX ON servicetitan.estimates (tenant_id, customer_id) WHERE customer_id IS NOT NULL;
CREATE TABLE servicetitan.payments (
    customer_id bigint, total numeric, paid_on date, type text, created_on timestamptz, {_HEAD});
CREATE INDEX ON servicetitan.payments (tenant_id, customer_id) WHERE customer_id IS NOT NULL;
CREATE TABLE servicetitan.job_types (name text, created_on timestamptz, {_HEAD});
CREATE TABLE servicetitan.job_cancel_reasons (name text, created_on timestamptz, {_HEAD});
CREATE TABLE servicetitan.tag_types (name text, created_on timestamptz, {_HEAD});
CREATE TABLE servicetitan.campaigns (name text, category text, source text, created_on timestamptz, {_HEAD});
CREATE TABLE servicetitan.technicians (
    name text, email text, user_id bigint, business_unit_id bigint, created_on timestamptz, {_HEAD});
CREATE TABLE servicetitan.employees (
    name text, email text, user_id bigint, business_unit_id bigint, created_on timestamptz, {_HEAD});
"""

# A record that its whole list no longer shows is inactive for us, and stands here until it shows again (EXT-5).
GONE = """
CREATE TABLE servicetitan.gone (
    tenant_id bigint NOT NULL, entity text NOT NULL, id bigint NOT NULL,
    gone_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (tenant_id, entity, id));
"""

# A sweep of an entity goes on at `page` while `began_at` is set; `seen` holds the ids that it has met so far.
SWEEP = """
CREATE TABLE sync.drift (
    tenant_id bigint NOT NULL, entity text NOT NULL, field text NOT NULL, kind text NOT NULL,
    first_seen timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (tenant_id, entity, field));
CREATE TABLE sync.sweeps (
    tenant_id bigint NOT NULL, entity text NOT NULL, page integer NOT NULL DEFAULT 1, began_at timestamptz,
    swept_at timestamptz, listed bigint, held bigint, PRIMARY KEY (tenant_id, entity));
CREATE TABLE sync.seen (
    tenant_id bigint NOT NULL, entity text NOT NULL, id bigint NOT NULL, PRIMARY KEY (tenant_id, entity, id));
"""


def upgrade() -> None:
    """Make the tables."""
    for step in (MORE_COLUMNS, READ_AGAIN, RECORDS, GONE, SWEEP):
        op.execute(step)
