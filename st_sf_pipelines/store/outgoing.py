"""What goes out: the rows of ours that a target's records are made of, one statement for each source (ObjectMap)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from psycopg.types.json import Jsonb

from st_sf_pipelines.store.derived import COLUMN_LIST, PROFILE
from st_sf_pipelines.store.ledger import HANDED_OVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from st_sf_pipelines.store.database import Connection, Database


class Column(NamedTuple):
    """What a column is, and what it is made of: columns of the tables in which our assets lie ('schema.table.column').

    One that nobody here wrote (the time of the round) is made of nothing.
    """

    type: str
    made_of: tuple[str, ...]


def _columns(home: str, table: str) -> dict[str, Column]:
    """Read a table of columns: in each line a name, a type, and what it is made of; of `home` by the name alone."""
    rows = (line.split() for line in table.strip().splitlines())
    return {
        name: Column(kind, tuple(each if "." in each else f"{home}.{each}" for each in made_of))
        for name, kind, *made_of in rows
    }


@dataclass(frozen=True)
class Source:
    """One kind of row: all of those that belong to the customers in the temporary table `subject`, and how many.

    A row has `subject` (our id of it), `key_id` (what its key is made of) and the `columns` that maps may use; the ids
    in those of `keys` go out in the format of the tenant's keys. Where its parent is not the record of the same
    subject, `parent_subject` and, if it varies, `parent_asset` name it. `prepare` is done before, in the same
    transaction. The statements may use %(tenant)s and what the section gives.
    """

    columns: Mapping[str, Column]
    rows: str
    count: str
    keys: tuple[str, ...] = ()
    prepare: str | None = None


# One row a customer, for Accounts and Contacts.
_CUSTOMERS: Final = Source(
    {
        **_columns(
            "customers.profile",
            """
            key         text         st_id
            st_id       bigint       st_id
            tenant_id   bigint       tenant_id
            segment     text         customers.segment.segment
            synced_at   timestamptz
        """,
        ),
        **{name: Column(kind, (f"customers.profile.{name}",)) for name, kind, _ in PROFILE},
    },
    f"""SELECT st_id AS subject, st_id::text AS key_id, st_id, p.tenant_id, {COLUMN_LIST}, s.segment
        FROM customers.profile p JOIN subject USING (st_id)
        LEFT JOIN customers.segment s USING (tenant_id, st_id)
        WHERE p.tenant_id = %(tenant)s ORDER BY st_id""",
    "SELECT count(*) AS count FROM customers.profile WHERE tenant_id = %(tenant)s",
)

# One row for each customer or lead that has a contact in the CRM (CRM-1). A lead's contact that its customer did not
# need is counted as long as it waits for a person.
_CONTACTS: Final = Source(
    _columns(
        "pipeline.contacts",
        """
        key             text         subject
        contact_type    text         kind
        customer_type   text         customers.profile.type
        first_name      text         customers.profile.first_name      servicetitan.leads.first_name
        last_name       text         customers.profile.last_name       servicetitan.leads.last_name
        email           text         customers.profile.email           servicetitan.leads.email
        phone           text         customers.profile.phone           servicetitan.leads.phone
        address_line1   text         customers.profile.address_line1   servicetitan.leads.street
        address_line2   text         customers.profile.address_line2   servicetitan.leads.unit
        city            text         customers.profile.city            servicetitan.leads.city
        state           text         customers.profile.state           servicetitan.leads.state
        zip             text         customers.profile.zip             servicetitan.leads.zip
        synced_at       timestamptz
    """,
    ),
    """SELECT c.subject, CASE WHEN c.subject > 0 THEN c.subject::text ELSE 'lead_' || -c.subject END AS key_id,
              c.kind AS contact_type, lower(p.type) AS customer_type,
              coalesce(p.first_name, l.first_name) AS first_name, coalesce(p.last_name, l.last_name) AS last_name,
              coalesce(p.email, l.email) AS email, coalesce(p.phone, l.phone) AS phone,
              coalesce(p.address_line1, l.street) AS address_line1, coalesce(p.address_line2, l.unit) AS address_line2,
              coalesce(p.city, l.city) AS city, coalesce(p.state, l.state) AS state, coalesce(p.zip, l.zip) AS zip
       FROM pipeline.contacts c JOIN subject ON subject.st_id = c.subject
       LEFT JOIN customers.profile p ON p.tenant_id = c.tenant_id AND p.st_id = c.subject
       LEFT JOIN servicetitan.leads l ON l.tenant_id = c.tenant_id AND l.id = -c.subject
       WHERE c.tenant_id = %(tenant)s ORDER BY c.subject""",
    f"""SELECT (SELECT count(*) FROM pipeline.contacts WHERE tenant_id = %(tenant)s)
             + (SELECT count(*) FROM sync.deliveries WHERE tenant_id = %(tenant)s AND asset = 'crm/contacts'
                AND state = 'parked' AND code = '{HANDED_OVER}') AS count""",
)

# One row a deal, with what a target shows of its job, its estimate, its campaign and its people. A lead's deal is the
# CRM's alone until the lead has a customer (CRM-1, Leads).
_DEAL_KEY: Final = "CASE WHEN o.opened_for > 0 THEN o.opened_for || '_' || o.number ELSE 'lead_' || -o.opened_for END"
_DEALS: Final = f"""
SELECT o.id AS subject, {_DEAL_KEY} AS key_id, o.subject AS parent_subject, o.subject AS contact,
       o.subject AS account_key, o.pipeline, o.pipeline AS pipeline_slug, o.stage, o.stage AS stage_slug, o.status,
       o.title, o.value_cents / 100.0 AS value, o.close_on AS close_date, o.notes, o.notes AS description,
       coalesce(o.job_id::text, 'lead_' || o.lead_id, 'estimate_' || o.estimate_id) AS job_key,
       o.job_id, o.job_number, o.estimate_id, o.estimate_name,
       trim(BOTH '-' FROM regexp_replace(lower(o.business_unit), '[^a-z0-9]+', '-', 'g')) AS business_unit_slug,
       g.name AS campaign, coalesce(o.owner_email, o.seller_email) AS owner_email, o.seller_email,
       NULL::text AS next_step, NULL::integer AS confidence
FROM pipeline.opportunities o JOIN subject ON subject.st_id = o.subject
LEFT JOIN servicetitan.campaigns g ON g.tenant_id = o.tenant_id AND g.id = o.campaign_id
WHERE o.tenant_id = %(tenant)s"""
_DEAL_COUNT: Final = "SELECT count(*) AS count FROM pipeline.opportunities WHERE tenant_id = %(tenant)s"
_DEAL_COLUMNS: Final = _columns(
    "pipeline.opportunities",
    """
    key                  text         opened_for  number
    account_key          text         subject
    contact              bigint       subject
    pipeline             text         pipeline
    pipeline_slug        text         pipeline
    stage                text         stage
    stage_slug           text         stage
    status               text         status
    title                text         title
    value                numeric      value_cents
    close_date           date         close_on
    notes                text         notes
    description          text         notes
    job_key              text         job_id  lead_id  estimate_id
    job_id               text         job_id
    job_number           text         job_number
    estimate_id          text         estimate_id
    estimate_name        text         estimate_name
    business_unit_slug   text         business_unit
    campaign             text         servicetitan.campaigns.name
    owner_email          text         owner_email  seller_email
    seller_email         text         seller_email
    next_step            text
    confidence           integer
    synced_at            timestamptz
""",
)
_DEAL_KEYS: Final = ("account_key", "job_id", "estimate_id")
_ALL_DEALS: Final = Source(_DEAL_COLUMNS, f"{_DEALS} ORDER BY o.id", _DEAL_COUNT, _DEAL_KEYS)
_CUSTOMERS_DEALS: Final = Source(
    _DEAL_COLUMNS, f"{_DEALS} AND o.opened_for > 0 ORDER BY o.id", f"{_DEAL_COUNT} AND opened_for > 0", _DEAL_KEYS
)

# One row for each job completed since a day that stays as it was first chosen (SF-3); one that has its event keeps it,
# and the event tells what became of the job. Salesforce keeps the length of an event in whole minutes.
_EVENTS_SINCE: Final = "SELECT at FROM sync.watermarks WHERE tenant_id = %(tenant)s AND asset = 'salesforce/events'"
_IS_COMPLETED: Final = f"(j.active AND j.status = 'completed' AND j.completed_on >= ({_EVENTS_SINCE}))"
_WITH_AN_EVENT: Final = f"""
FROM servicetitan.jobs j
LEFT JOIN customers.survivor s ON s.tenant_id = j.tenant_id AND s.st_id = j.customer_id
CROSS JOIN LATERAL (SELECT coalesce(s.survivor_id, j.customer_id) AS keeper) k
JOIN customers.profile p ON p.tenant_id = j.tenant_id AND p.st_id = k.keeper
WHERE j.tenant_id = %(tenant)s AND ({_IS_COMPLETED} OR EXISTS (
    SELECT FROM sync.deliveries d
    WHERE d.tenant_id = j.tenant_id AND d.asset = 'salesforce/events' AND d.subject = j.id))"""
_COMPLETED: Final = Source(
    _columns(
        "servicetitan.jobs",
        """
        key            text         id
        contact        bigint       customer_id
        account        bigint       customer_id
        subject_line   text         job_number  servicetitan.job_types.name  status
        starts_at      timestamptz  servicetitan.appointments.starts_at  completed_on
        ends_at        timestamptz  completed_on
        description    text         status  servicetitan.business_units.name
        synced_at      timestamptz
    """,
    ),
    f"""SELECT j.id AS subject, j.id::text AS key_id, j.keeper AS parent_subject, j.keeper AS contact,
               j.keeper AS account, concat_ws(': ', 'Job #' || coalesce(j.job_number, j.id::text), t.name)
               || CASE WHEN b.now <> 'Completed' THEN ' (' || lower(b.now) || ')' ELSE '' END AS subject_line,
               date_trunc('minute', coalesce(v.starts_at, j.completed_on - interval '1 hour')) AS starts_at,
               date_trunc('minute', j.completed_on) AS ends_at,
               b.now || '; ' || coalesce(u.name, 'no business unit') AS description
        FROM (SELECT j.*, k.keeper {_WITH_AN_EVENT}) j JOIN subject ON subject.st_id = j.customer_id
        CROSS JOIN LATERAL (
            SELECT CASE WHEN NOT j.active THEN 'Deleted' WHEN j.status IN ('completed', 'canceled')
                   THEN initcap(j.status) ELSE 'Reopened' END AS now) b
        LEFT JOIN servicetitan.job_types t ON t.tenant_id = j.tenant_id AND t.id = j.job_type_id
        LEFT JOIN servicetitan.business_units u ON u.tenant_id = j.tenant_id AND u.id = j.business_unit_id
        LEFT JOIN LATERAL (
            SELECT a.starts_at FROM servicetitan.appointments a
            WHERE a.tenant_id = j.tenant_id AND a.job_id = j.id AND a.active AND a.starts_at < j.completed_on
            AND a.starts_at > j.completed_on - interval '1 day' ORDER BY a.starts_at DESC LIMIT 1) v ON true
        ORDER BY j.id""",
    f"SELECT count(*) AS count {_WITH_AN_EVENT}",
    prepare=f"""WITH since AS (
                    INSERT INTO sync.watermarks (tenant_id, asset, at)
                    VALUES (%(tenant)s, 'salesforce/events', %(events_since)s) ON CONFLICT DO NOTHING)
                DELETE FROM sync.deliveries d USING servicetitan.jobs j
                WHERE d.tenant_id = %(tenant)s AND d.asset = 'salesforce/events' AND d.remote_id IS NULL
                AND d.sent_at IS NULL AND j.tenant_id = d.tenant_id AND j.id = d.subject
                AND j.customer_id IN (SELECT st_id FROM subject) AND {_IS_COMPLETED} IS NOT TRUE""",
)

# One row for each lead with a deal that had no customer when it was first seen; a converted one is left as it is.
_OF_A_LEAD: Final = """
FROM servicetitan.leads l WHERE l.tenant_id = %(tenant)s
AND EXISTS (SELECT FROM pipeline.opportunities o WHERE o.tenant_id = l.tenant_id AND o.lead_id = l.id)
AND (l.customer_id IS NULL OR EXISTS (SELECT FROM sync.deliveries d WHERE d.tenant_id = l.tenant_id
                                      AND d.asset = 'salesforce/leads' AND d.subject = l.id))"""
_LEADS: Final = Source(
    _columns(
        "servicetitan.leads",
        """
        key             text         id
        first_name      text         first_name
        last_name       text         last_name
        company         text
        name            text         name
        email           text         email
        phone           text         phone
        address_line1   text         street
        address_line2   text         unit
        city            text         city
        state           text         state
        zip             text         zip
        country         text         country
        status          text         status
        lead_source     text         servicetitan.campaigns.name
        owner_email     text
        synced_at       timestamptz
    """,
    ),
    f"""SELECT l.id AS subject, 'lead_' || l.id AS key_id, l.first_name, l.last_name, NULL::text AS company, l.name,
               l.email, l.phone, l.street AS address_line1, l.unit AS address_line2, l.city, l.state, l.zip, l.country,
               initcap(l.status) AS status,
               (SELECT g.name FROM servicetitan.campaigns g WHERE g.tenant_id = l.tenant_id AND g.id = l.campaign_id)
               AS lead_source, NULL::text AS owner_email
        {_OF_A_LEAD} AND (-l.id IN (SELECT st_id FROM subject) OR l.customer_id IN (SELECT st_id FROM subject))
        AND NOT EXISTS (SELECT FROM sync.conversions c WHERE c.tenant_id = l.tenant_id AND c.lead_id = l.id)
        ORDER BY l.id""",
    f"SELECT count(*) AS count {_OF_A_LEAD}",
)

# One row for each customer that was ever in a segment with a campaign, and that campaign (SF-3).
_MEMBERS: Final = Source(
    _columns(
        "customers.segment",
        """
        key           text         st_id  segment
        contact       bigint       st_id
        campaign_id   text         segment
        synced_at     timestamptz
    """,
    ),
    """SELECT m.id AS subject, m.st_id || '_' || m.campaign_id AS key_id, m.st_id AS parent_subject,
              m.st_id AS contact, m.campaign_id
       FROM customers.campaign_members m JOIN subject USING (st_id) WHERE m.tenant_id = %(tenant)s ORDER BY m.id""",
    "SELECT count(*) AS count FROM customers.campaign_members WHERE tenant_id = %(tenant)s",
    prepare="""INSERT INTO customers.campaign_members (tenant_id, st_id, campaign_id)
               SELECT s.tenant_id, s.st_id, c.value FROM customers.segment s JOIN subject USING (st_id)
               JOIN jsonb_each_text(%(campaigns)s) c ON c.key = s.segment
               WHERE s.tenant_id = %(tenant)s ORDER BY s.st_id ON CONFLICT DO NOTHING""",
)

# One row for each entry of the CRM's activity log, under the opportunity that it tells of, else under the contact.
_ACTIVITIES: Final = Source(
    _columns(
        "pipeline.activities",
        """
        key           text         key
        type          text         kind
        title         text         title
        body          text         records
        contact       bigint       pipeline.opportunities.subject  subject
        opportunity   bigint       opportunity_id
        data          jsonb        key  records  at
        synced_at     timestamptz
    """,
    ),
    """SELECT a.id AS subject, a.key AS key_id, coalesce(a.opportunity_id, a.subject) AS parent_subject,
              CASE WHEN a.opportunity_id IS NULL THEN 'crm/contacts' ELSE 'crm/opportunities' END AS parent_asset,
              CASE a.kind WHEN 'job_canceled' THEN 'note' ELSE a.kind END AS type, a.title,
              nullif(array_to_string(a.records, ', '), '') AS body, coalesce(o.subject, a.subject) AS contact,
              a.opportunity_id AS opportunity, jsonb_build_object(
                  'key', a.key, 'records', to_jsonb(a.records), 'at', to_jsonb(a.at)) AS data
       FROM pipeline.activities a JOIN subject ON subject.st_id = a.subject
       LEFT JOIN pipeline.opportunities o ON o.id = a.opportunity_id
       WHERE a.tenant_id = %(tenant)s ORDER BY a.id""",
    "SELECT count(*) AS count FROM pipeline.activities WHERE tenant_id = %(tenant)s",
)

SOURCES: Final = {
    "customers": _CUSTOMERS,
    "contacts": _CONTACTS,
    "deals": _ALL_DEALS,
    "customers' deals": _CUSTOMERS_DEALS,
    "completed jobs": _COMPLETED,
    "leads": _LEADS,
    "campaign members": _MEMBERS,
    "activities": _ACTIVITIES,
}


def rows(
    connection: Connection, tenant_id: int, source: str, values: Mapping[str, Any] | None = None
) -> Iterator[dict[str, Any]]:
    """Stream a source's rows of every customer in the temporary table `subject`."""
    given = {name: Jsonb(value) if isinstance(value, dict) else value for name, value in (values or {}).items()}
    given["tenant"] = tenant_id
    if prepare := SOURCES[source].prepare:
        connection.execute(prepare, given)
    with connection.cursor(name="outgoing") as cursor:
        cursor.itersize = 5_000
        cursor.execute(SOURCES[source].rows, given)
        yield from cursor


def count(db: Database, tenant_id: int, source: str) -> int:
    """Count the rows of a source: so many records belong into the target."""
    with db.connect() as connection:
        row = connection.execute(SOURCES[source].count, {"tenant": tenant_id}).fetchone()
    return int(row["count"]) if row else 0
