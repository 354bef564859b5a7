"""The customers' profiles: joined and summed in SQL, each column beside its rule, for today or a past day (SEG-1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.rules.merges import survivors
from st_sf_pipelines.store import log, members
from st_sf_pipelines.store.database import grown

if TYPE_CHECKING:
    from st_sf_pipelines.store.database import Connection, Database

# fmt: off
PROFILE: Final = (  # column, its type, where it comes from; SEG-1 to SEG-3
    ("name",            "text",        "the customer's name"),
    ("first_name",      "text",        "the name, split by a library for a Residential customer (SEG-2)"),
    ("last_name",       "text",        "the name, never empty: else the whole name, else 'Customer st_ID' (SEG-2)"),
    ("type",            "text",        "the customer's type"),
    ("email",           "text",        "its newest active contact that is a valid e-mail address (SEG-3)"),
    ("phone",           "text",        "its newest active contact that is a number, a mobile before a phone (SEG-3)"),
    ("address_line1",   "text",        "the customer's address: street"),
    ("address_line2",   "text",        "the customer's address: unit"),
    ("city",            "text",        "the customer's address: city"),
    ("state",           "text",        "the customer's address: state"),
    ("zip",             "text",        "the customer's address: zip"),
    ("country",         "text",        "the customer's address: country"),
    ("active",          "boolean",     "the customer's active, and not merged away"),
    ("do_not_mail",     "boolean",     "the customer's doNotMail"),
    ("do_not_service",  "boolean",     "the customer's doNotService"),
    ("balance",         "numeric",     "the customer's balance, the API's own"),
    ("lifetime_value",  "numeric",     "the sum of the totals of its active invoices, adjustments included (SEG-1)"),
    ("total_jobs",      "integer",     "the count of its active jobs that are not canceled (SEG-1)"),
    ("completed_jobs",  "integer",     "the count of its active jobs that are completed (SEG-1)"),
    ("first_job_date",  "date",        "the first completedOn of those jobs, a day in the tenant's zone (SEG-1)"),
    ("last_job_date",   "date",        "the last completedOn of those jobs, a day in the tenant's zone (SEG-1)"),
    ("st_modified_on",  "timestamptz", "the customer's modifiedOn"),
)
# fmt: on
PROFILE_VERSION: Final = "1"  # raise it when the statement below concludes otherwise than before

COLUMN_LIST: Final = ", ".join(name for name, *_ in PROFILE)
PROFILE_QUERY: Final = """
WITH email AS (
    SELECT DISTINCT ON (c.customer_id) c.customer_id AS st_id, c.email
    FROM servicetitan.customer_contacts c JOIN subject ON subject.st_id = c.customer_id
    WHERE c.tenant_id = %(tenant)s AND c.active AND c.email IS NOT NULL
    AND (c.created_on <= %(until)s) IS NOT FALSE
    ORDER BY c.customer_id, c.created_on DESC NULLS LAST, c.id DESC),
phone AS (
    SELECT DISTINCT ON (c.customer_id) c.customer_id AS st_id, c.phone
    FROM servicetitan.customer_contacts c JOIN subject ON subject.st_id = c.customer_id
    WHERE c.tenant_id = %(tenant)s AND c.active AND c.phone IS NOT NULL
    AND (c.created_on <= %(until)s) IS NOT FALSE
    ORDER BY c.customer_id, (c.type = 'mobilephone') DESC, c.created_on DESC NULLS LAST, c.id DESC),
job AS (
    SELECT member.st_id, j.status, j.completed_on,
           j.status = 'completed' AND (j.completed_on <= %(until)s) IS NOT FALSE AS is_completed
    FROM servicetitan.jobs j JOIN member ON member.member_id = j.customer_id
    WHERE j.tenant_id = %(tenant)s AND j.active
    AND (least(j.created_on, j.completed_on) <= %(until)s) IS NOT FALSE),
work AS (
    SELECT st_id,
           count(*) FILTER (WHERE status <> 'canceled') AS total_jobs,
           count(*) FILTER (WHERE is_completed) AS completed_jobs,
           min(completed_on) FILTER (WHERE is_completed) AS first_completed,
           max(completed_on) FILTER (WHERE is_completed) AS last_completed
    FROM job GROUP BY st_id),
money AS (
    SELECT member.st_id, sum(i.total) AS lifetime_value
    FROM servicetitan.invoices i JOIN member ON member.member_id = i.customer_id
    WHERE i.tenant_id = %(tenant)s AND i.active
    AND (i.created_on <= %(until)s) IS NOT FALSE
    AND (i.invoice_date <= (%(until)s::timestamptz AT TIME ZONE %(zone)s)::date) IS NOT FALSE
    GROUP BY member.st_id)
SELECT c.tenant_id, c.id AS st_id, c.name, c.first_name, c.last_name, c.type, email.email, phone.phone,
       c.street, c.unit, c.city, c.state, c.zip, c.country,
       c.active AND v.st_id IS NULL, c.do_not_mail, c.do_not_service,
       c.balance, coalesce(money.lifetime_value, 0) AS lifetime_value,
       coalesce(work.total_jobs, 0), coalesce(work.completed_jobs, 0),
       (work.first_completed AT TIME ZONE %(zone)s)::date AS first_job_date,
       (work.last_completed AT TIME ZONE %(zone)s)::date AS last_job_date,
       c.modified_on
FROM servicetitan.customers c JOIN subject ON subject.st_id = c.id
LEFT JOIN email USING (st_id) LEFT JOIN phone USING (st_id)
LEFT JOIN work USING (st_id) LEFT JOIN money USING (st_id)
LEFT JOIN customers.survivor v ON v.tenant_id = c.tenant_id AND v.st_id = c.id
WHERE c.tenant_id = %(tenant)s AND (c.created_on <= %(until)s) IS NOT FALSE
"""
"""The profiles of those in the temporary table `subject`, of all records, or of those dated up to `until` (SEG-6).

A record without a date is there at any time. A job is there from the earlier of its dates on, and completed from
`completed_on` on; statuses are today's.
"""

_PROFILE_SQL: Final = f"""
WITH written AS (
    INSERT INTO customers.profile AS stored (tenant_id, st_id, {COLUMN_LIST}) {PROFILE_QUERY}
    ON CONFLICT (tenant_id, st_id) DO UPDATE
    SET {", ".join(f"{name} = excluded.{name}" for name, *_ in PROFILE)}, changed_at = now()
    WHERE ({", ".join(f"stored.{name}" for name, *_ in PROFILE)})
          IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name, *_ in PROFILE)})
    RETURNING st_id, xmax = 0 AS is_new),
touched AS (
    INSERT INTO sync.touched (tenant_id, asset, subject) SELECT %(tenant)s, 'customers/profile', st_id FROM written)
SELECT count(*) FILTER (WHERE is_new) AS new, count(*) FILTER (WHERE NOT is_new) AS changed FROM written
"""


@dataclass(frozen=True)
class Derived:
    """What one look concluded: how many customers were looked at, are new, have changed, and stand in the table."""

    looked: int
    new: int
    changed: int
    total: int


def derive_profiles(
    db: Database, tenant_id: int, zone: str, version: str, follows: tuple[str, ...], scope: log.Scope
) -> Derived:
    """Bring the profiles of the touched customers up to date, all in one statement and one transaction."""
    consumer = "customers/profile"
    with db.connect() as connection:
        seq = log.look(connection, tenant_id, consumer, follows, version, scope)
        _follow_merges(connection, tenant_id)
        members.gather(connection, tenant_id)
        values = {"tenant": tenant_id, "zone": zone, "until": None}
        counts = connection.execute(_PROFILE_SQL, values).fetchone() or {}
        log.move(connection, tenant_id, consumer, seq, version)
        return count(connection, tenant_id, "profile", counts)


def _follow_merges(connection: Connection, tenant_id: int) -> None:
    """Bring the survivors up to date, and add to `subject` all whom a merge or an unmerge concerns (EXT-5)."""
    concerned = connection.execute(
        """SELECT EXISTS (SELECT FROM servicetitan.customers c JOIN subject ON subject.st_id IN (c.id, c.merged_to_id)
                          WHERE c.tenant_id = %(tenant)s AND c.merged_to_id IS NOT NULL)
               OR EXISTS (SELECT FROM customers.survivor v JOIN subject ON subject.st_id IN (v.st_id, v.survivor_id)
                          WHERE v.tenant_id = %(tenant)s) AS concerned""",
        {"tenant": tenant_id},
    ).fetchone()
    if not concerned or not concerned["concerned"]:
        return
    merged = connection.execute(
        """SELECT c.id, c.merged_to_id, t.id IS NOT NULL AS is_known FROM servicetitan.customers c
           LEFT JOIN servicetitan.customers t ON t.tenant_id = c.tenant_id AND t.id = c.merged_to_id
           WHERE c.tenant_id = %s AND c.merged_to_id IS NOT NULL""",
        [tenant_id],
    ).fetchall()
    known = {row["merged_to_id"] for row in merged if row["is_known"]}
    keepers = survivors({row["id"]: row["merged_to_id"] for row in merged}, known)
    connection.execute(
        """CREATE TEMP TABLE keeper ON COMMIT DROP AS
           SELECT unnest(%s::bigint[]) AS st_id, unnest(%s::bigint[]) AS keeper""",
        [list(keepers), list(keepers.values())],
    )
    connection.execute(
        """WITH ended AS (
               DELETE FROM customers.survivor v WHERE v.tenant_id = %(tenant)s
               AND NOT EXISTS (SELECT FROM keeper k WHERE k.st_id = v.st_id AND k.keeper = v.survivor_id)
               RETURNING st_id, survivor_id),
           begun AS (
               SELECT k.st_id, k.keeper FROM keeper k WHERE NOT EXISTS (
                   SELECT FROM customers.survivor v
                   WHERE v.tenant_id = %(tenant)s AND v.st_id = k.st_id AND v.survivor_id = k.keeper)),
           concerned AS (
               SELECT st_id FROM ended UNION SELECT survivor_id FROM ended
               UNION SELECT st_id FROM begun UNION SELECT keeper FROM begun
               UNION SELECT k.keeper FROM keeper k JOIN subject USING (st_id))
           INSERT INTO subject SELECT st_id FROM concerned ON CONFLICT DO NOTHING""",
        {"tenant": tenant_id},
    )
    connection.execute(
        """INSERT INTO customers.survivor (tenant_id, st_id, survivor_id) SELECT %s, st_id, keeper FROM keeper
           ON CONFLICT (tenant_id, st_id) DO UPDATE SET survivor_id = excluded.survivor_id
           WHERE survivor.survivor_id <> excluded.survivor_id""",
        [tenant_id],
    )


def facts_of(db: Database, tenant_id: int, st_id: int) -> dict[str, Any] | None:
    """Give one customer's profile with its segment, as `explain` shows it; None if we do not know the customer."""
    with db.connect() as connection:
        return connection.execute(
            f"""SELECT st_id, p.tenant_id, {COLUMN_LIST}, s.segment, s.rule, s.due_on
                FROM customers.profile p LEFT JOIN customers.segment s USING (tenant_id, st_id)
                WHERE p.tenant_id = %s AND st_id = %s""",
            [tenant_id, st_id],
        ).fetchone()


def count(connection: Connection, tenant_id: int, table: str, counts: dict[str, int]) -> Derived:
    """Say what a look came to, in the transaction whose `subject` it looked at."""
    grown(connection, f"customers.{table}", counts["new"])
    row = (
        connection.execute(
            f"""SELECT (SELECT count(*) FROM subject) AS looked,
                       (SELECT count(*) FROM customers.{table} WHERE tenant_id = %s) AS total""",
            [tenant_id],
        ).fetchone()
        or {}
    )
    return Derived(row["looked"], counts["new"], counts["changed"], row["total"])
