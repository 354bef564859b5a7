"""Deliveries of any kind of record: a subject of its own, a parent by name, an attempt noted, a change allowed."""

from alembic import op

revision = "0004"
down_revision = "0003"

# A delivery's subject is our id of the record that it is made of: a customer's (or, for a lead without a customer, the
# lead's below zero), a deal's, a job's, a lead's, an activity's.
DELIVERIES = """
ALTER TABLE sync.deliveries RENAME COLUMN st_id TO subject;
ALTER TABLE sync.deliveries ADD COLUMN parent_asset text, ADD COLUMN parent_subject bigint,
    ADD COLUMN sent_at timestamptz, ADD COLUMN allowed jsonb;
UPDATE sync.deliveries SET parent_asset = 'salesforce/accounts', parent_subject = subject
WHERE asset = 'salesforce/contacts';
CREATE INDEX ON sync.deliveries (tenant_id, parent_asset, parent_subject) WHERE state = 'pending';
ALTER TABLE sync.receipts RENAME COLUMN st_id TO subject;
CREATE TABLE sync.seeded (
    tenant_id bigint NOT NULL, asset text NOT NULL, slug text NOT NULL, remote_id text NOT NULL,
    PRIMARY KEY (tenant_id, asset, slug));
"""


def upgrade() -> None:
    """Change the tables."""
    op.execute(DELIVERIES)
