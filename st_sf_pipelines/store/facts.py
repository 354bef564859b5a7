"""The facts that the rules of deals see, joined in SQL: one subject's jobs, estimates and leads in one row (CRM)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.rules.facts import Appointment, Estimate, Facts, Job, Lead
from st_sf_pipelines.store.members import add_survivors, gather

if TYPE_CHECKING:
    from collections.abc import Iterator

    from st_sf_pipelines.store.database import Connection

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _micro(instant: str) -> str:
    """Write an instant as whole microseconds since 1970, which JSON carries exactly."""
    return f"(extract(epoch FROM {instant}) * 1000000)::bigint"


# Who concludes something: a subject with a deal, one with a job or an open lead created in the window, and one with an
# open or sold estimate touched in it, which is listed if it has no deal. A record that was deleted in ServiceTitan
# counts as canceled or dismissed; a deleted visit, assignment or estimate is not there.
_CHOSEN_SQL: Final = """
INSERT INTO chosen
SELECT st_id FROM subject WHERE EXISTS (SELECT FROM dealt WHERE dealt.st_id = subject.st_id)
UNION
SELECT m.st_id FROM member m JOIN servicetitan.jobs j ON j.tenant_id = %(tenant)s AND j.customer_id = m.member_id
WHERE coalesce(j.created_on, j.modified_on) >= %(since)s AND j.active AND j.status <> 'canceled'
UNION
SELECT m.st_id FROM member m JOIN servicetitan.leads l ON l.tenant_id = %(tenant)s AND l.customer_id = m.member_id
WHERE coalesce(l.created_on, l.modified_on) >= %(since)s AND l.active AND l.status = 'open'
UNION
SELECT m.st_id FROM member m JOIN servicetitan.jobs j ON j.tenant_id = %(tenant)s AND j.customer_id = m.member_id
JOIN servicetitan.estimates e ON e.tenant_id = %(tenant)s AND e.job_id = j.id
WHERE e.modified_on >= %(since)s AND e.active AND e.status IN ('open', 'sold')
UNION
SELECT m.st_id FROM member m
JOIN servicetitan.estimates e ON e.tenant_id = %(tenant)s AND e.customer_id = m.member_id
WHERE e.modified_on >= %(since)s AND e.active AND e.status IN ('open', 'sold')
AND NOT EXISTS (SELECT FROM servicetitan.jobs j WHERE j.tenant_id = %(tenant)s AND j.id = e.job_id)
UNION
SELECT s.st_id FROM subject s JOIN servicetitan.leads l ON l.tenant_id = %(tenant)s AND l.id = -s.st_id
WHERE coalesce(l.created_on, l.modified_on) >= %(since)s AND l.active AND l.status = 'open' AND s.st_id < 0
"""
# `mine` are the jobs of each subject, and those that its deals follow: such a one may stand there for two.
_FACTS_SQL: Final = f"""
WITH mine AS MATERIALIZED (
    SELECT j.st_id, j.id, CASE WHEN j.active THEN j.status ELSE 'canceled' END AS status,
           coalesce(j.created_on, j.modified_on) AS created_on, j.modified_on, j.customer_id, u.name AS unit,
           j.job_number, j.completed_on, round(j.total * 100)::bigint AS cents, j.created_from_estimate_id,
           j.sold_by_id, j.campaign_id, is_followed
    FROM (SELECT m.st_id, false AS is_followed, j.* FROM chosen JOIN member m USING (st_id)
          JOIN servicetitan.jobs j ON j.tenant_id = %(tenant)s AND j.customer_id = m.member_id
          UNION ALL
          SELECT d.st_id, true, j.*
          FROM (SELECT DISTINCT st_id, unnest(job_ids) AS job_id FROM chosen JOIN dealt USING (st_id)
                WHERE NOT is_lost) d
          JOIN servicetitan.jobs j ON j.tenant_id = %(tenant)s AND j.id = d.job_id
          WHERE NOT EXISTS (SELECT FROM member m WHERE m.st_id = d.st_id AND m.member_id = j.customer_id)) j
    LEFT JOIN servicetitan.business_units u ON u.tenant_id = j.tenant_id AND u.id = j.business_unit_id),
visits AS (
    SELECT a.job_id, json_agg(json_build_array(
               a.id, a.status, {_micro("coalesce(a.created_on, a.modified_on)")}, {_micro("a.modified_on")})
               ORDER BY coalesce(a.created_on, a.modified_on), a.id) AS visits
    FROM (SELECT DISTINCT id FROM mine) mine
    JOIN servicetitan.appointments a ON a.tenant_id = %(tenant)s AND a.job_id = mine.id
    WHERE a.active GROUP BY a.job_id),
crews AS (
    SELECT a.job_id, json_agg(a.technician_id ORDER BY a.assigned_on DESC NULLS LAST, a.id DESC) AS crew
    FROM (SELECT DISTINCT id FROM mine) mine
    JOIN servicetitan.appointment_assignments a ON a.tenant_id = %(tenant)s AND a.job_id = mine.id
    WHERE a.active GROUP BY a.job_id),
jobs AS (
    SELECT st_id, is_followed, json_agg(json_build_array(
               mine.id, status, {_micro("created_on")}, {_micro("modified_on")}, customer_id, unit, job_number,
               {_micro("completed_on")}, cents, created_from_estimate_id, sold_by_id, campaign_id, crew, visits)
               ORDER BY created_on, mine.id) AS jobs
    FROM mine LEFT JOIN visits ON visits.job_id = mine.id LEFT JOIN crews ON crews.job_id = mine.id
    GROUP BY st_id, is_followed),
offers AS (
    SELECT st_id, json_agg(json_build_array(
               e.id, status, {_micro("coalesce(created_on, modified_on)")}, {_micro("modified_on")}, job_id, name,
               coalesce(round((coalesce(subtotal, 0) + coalesce(tax, 0)) * 100)::bigint, 0), {_micro("sold_on")},
               sold_by) ORDER BY coalesce(created_on, modified_on), e.id) AS estimates
    FROM (SELECT mine.st_id, e.* FROM mine
          JOIN servicetitan.estimates e ON e.tenant_id = %(tenant)s AND e.job_id = mine.id
          UNION ALL
          SELECT m.st_id, e.* FROM chosen JOIN member m USING (st_id)
          JOIN servicetitan.estimates e ON e.tenant_id = %(tenant)s AND e.customer_id = m.member_id
          WHERE NOT EXISTS (SELECT FROM servicetitan.jobs j WHERE j.tenant_id = %(tenant)s AND j.id = e.job_id)) e
    WHERE e.active GROUP BY st_id),
asked AS (
    SELECT st_id, json_agg(json_build_array(
               l.id, CASE WHEN l.active THEN l.status ELSE 'dismissed' END,
               {_micro("coalesce(l.created_on, l.modified_on)")}, {_micro("l.modified_on")}, l.campaign_id)
               ORDER BY coalesce(l.created_on, l.modified_on), l.id) AS leads
    FROM (SELECT m.st_id, l.* FROM chosen JOIN member m USING (st_id)
          JOIN servicetitan.leads l ON l.tenant_id = %(tenant)s AND l.customer_id = m.member_id
          UNION ALL
          SELECT st_id, l.* FROM chosen JOIN servicetitan.leads l ON l.tenant_id = %(tenant)s AND l.id = -st_id
          WHERE st_id < 0 AND l.customer_id IS NULL) l
    GROUP BY st_id),
taken AS (
    SELECT mine.st_id, json_agg(mine.id) FILTER (WHERE NOT is_lost) AS job_ids,
           json_agg(mine.id) FILTER (WHERE is_lost) AS lapsed_ids
    FROM mine JOIN dealt ON dealt.job_ids @> ARRAY[mine.id] AND dealt.st_id <> mine.st_id
    WHERE NOT is_followed GROUP BY mine.st_id),
numbers AS (
    SELECT chosen.st_id, max(dealt.number) AS last_number
    FROM chosen JOIN dealt ON dealt.opened_for = chosen.st_id GROUP BY chosen.st_id)
SELECT chosen.st_id, coalesce(c.name, l.name) AS name, c.active IS NULL OR (c.active AND v.st_id IS NULL) AS active,
       jobs.jobs, followed.jobs AS followed, estimates, leads, taken.job_ids AS taken, taken.lapsed_ids AS lapsed,
       coalesce(last_number, 0) AS last_number
FROM chosen
LEFT JOIN servicetitan.customers c ON c.tenant_id = %(tenant)s AND c.id = chosen.st_id
LEFT JOIN servicetitan.leads l ON l.tenant_id = %(tenant)s AND l.id = -chosen.st_id
LEFT JOIN customers.survivor v ON v.tenant_id = %(tenant)s AND v.st_id = chosen.st_id
LEFT JOIN jobs ON jobs.st_id = chosen.st_id AND NOT jobs.is_followed
LEFT JOIN jobs followed ON followed.st_id = chosen.st_id AND followed.is_followed
LEFT JOIN offers ON offers.st_id = chosen.st_id
LEFT JOIN asked ON asked.st_id = chosen.st_id LEFT JOIN taken ON taken.st_id = chosen.st_id
LEFT JOIN numbers ON numbers.st_id = chosen.st_id
WHERE c.id IS NOT NULL OR l.id IS NOT NULL
ORDER BY chosen.st_id
"""


def deal_facts(connection: Connection, tenant_id: int, since: datetime | None) -> Iterator[Facts]:
    """Stream the facts of the subjects in the temporary table `subject`, lowest first; others conclude nothing.

    A subject has facts if it has a deal, a job or an open lead created at or after `since` (None: ever), the begin of
    the widest window, or an open or sold estimate touched since. What is known of deals is read from a relation
    `dealt`: st_id (the subject that it belongs to), opened_for, number, job_ids bigint[], is_lost. `contact` is left to
    whoever keeps the contacts. Whoever keeps the records of a merged customer is added to `subject`.
    """
    add_survivors(connection, tenant_id)
    gather(connection, tenant_id)
    values = {"tenant": tenant_id, "since": since or datetime.min.replace(tzinfo=UTC)}
    connection.execute("CREATE TEMP TABLE chosen (st_id bigint PRIMARY KEY) ON COMMIT DROP")
    connection.execute(_CHOSEN_SQL, values)
    connection.execute("ANALYZE chosen")  # else the planner takes the few who are dealt with for most of all
    with connection.cursor(name="deal_facts") as cursor:
        cursor.itersize = 1_000
        cursor.execute(_FACTS_SQL, values)
        for row in cursor:
            yield Facts(
                subject=row["st_id"],
                name=row["name"],
                active=row["active"],
                jobs=tuple(_job(*fields) for fields in row["jobs"] or ()),
                estimates=tuple(_estimate(*fields) for fields in row["estimates"] or ()),
                leads=tuple(_lead(*fields) for fields in row["leads"] or ()),
                followed=tuple(_job(*fields) for fields in row["followed"] or ()),
                taken=frozenset(row["taken"] or ()),
                lapsed=frozenset(row["lapsed"] or ()),
                last_number=row["last_number"],
            )


def ownerless(connection: Connection, tenant_id: int, since: datetime) -> list[int]:
    """List the open and sold estimates, modified since, that name neither a job nor a customer that we know."""
    rows = connection.execute(
        """SELECT e.id FROM servicetitan.estimates e
           LEFT JOIN servicetitan.jobs j ON j.tenant_id = e.tenant_id AND j.id = e.job_id
           LEFT JOIN servicetitan.customers c
               ON c.tenant_id = e.tenant_id AND c.id = coalesce(j.customer_id, e.customer_id)
           WHERE e.tenant_id = %s AND e.modified_on >= %s AND e.active AND e.status IN ('open', 'sold')
                 AND c.id IS NULL ORDER BY e.id""",
        [tenant_id, since],
    )
    return [row["id"] for row in rows]


def _job(*fields: Any) -> Job:
    nr, status, created, modified, customer_id, unit, number, completed, cents, estimate_id, seller, campaign, *sent = (
        fields
    )
    crew, visits = sent
    return Job(
        id=nr,
        status=status,
        created_at=_instant(created),
        modified_at=_instant(modified),
        customer_id=customer_id,
        unit=unit,
        number=number,
        completed_at=None if completed is None else _instant(completed),
        total_cents=cents,
        created_from_estimate_id=estimate_id,
        sold_by=seller,
        campaign_id=campaign,
        technicians=tuple(dict.fromkeys(crew or ())),
        appointments=tuple(
            Appointment(visit, state, _instant(made), _instant(touched)) for visit, state, made, touched in visits or ()
        ),
    )


def _estimate(*fields: Any) -> Estimate:
    nr, status, created, modified, job_id, name, cents, sold, seller = fields
    return Estimate(
        id=nr,
        status=status,
        created_at=_instant(created),
        modified_at=_instant(modified),
        job_id=job_id,
        label=name,
        value_cents=cents,
        sold_on=None if sold is None else _instant(sold),
        sold_by=seller,
    )


def _lead(*fields: Any) -> Lead:
    nr, status, created, modified, campaign_id = fields
    return Lead(nr, status, _instant(created), _instant(modified), campaign_id)


def _instant(micro: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micro)
