"""The facts that the rules of customer states see, summed in SQL into a row a customer (STATE)."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pandas as pd
from psycopg import sql

from st_sf_pipelines.rules.pipelines import INSTALL, pipeline_of_unit
from st_sf_pipelines.rules.states import COLUMNS
from st_sf_pipelines.store.members import add_survivors, gather

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from st_sf_pipelines.store.database import Connection

_CHUNK: Final = 16_000_000
"""Bytes of a frame's text: some 200,000 customers."""

# A journey ends when its first install is completed; what was created after that belongs to the next one (STATE-2).
# A job cannot be completed before it was created: else it would end the journey that it begins, for ever.
_COMPLETED: Final = """
CREATE TEMP TABLE completed ON COMMIT DROP AS
SELECT m.st_id, j.id AS job_id, coalesce(j.created_on, j.modified_on) AS created_on,
       greatest(coalesce(j.completed_on, j.modified_on), j.created_on) AS completed_on
FROM member m JOIN servicetitan.jobs j ON j.tenant_id = {tenant} AND j.customer_id = m.member_id
WHERE j.active AND j.status = 'completed' AND j.business_unit_id = ANY({installs})
      AND coalesce(j.created_on, j.modified_on) <= {until} AND (j.completed_on <= {until}) IS NOT FALSE
"""
_ENDED: Final = """
CREATE TEMP TABLE ended ON COMMIT DROP AS
WITH RECURSIVE ended AS (
    (SELECT DISTINCT ON (st_id) st_id, 1 AS installs, completed_on, job_id FROM completed
     ORDER BY st_id, completed_on, job_id)
    UNION ALL
    SELECT e.st_id, e.installs + 1, later.completed_on, later.job_id FROM ended e CROSS JOIN LATERAL (
        SELECT c.completed_on, c.job_id FROM completed c WHERE c.st_id = e.st_id AND c.created_on > e.completed_on
        ORDER BY c.completed_on, c.job_id LIMIT 1) later)
SELECT DISTINCT ON (st_id) st_id, installs, completed_on, job_id FROM ended ORDER BY st_id, installs DESC
"""
# The jobs of the newest journey.
_WORK: Final = """
CREATE TEMP TABLE work ON COMMIT DROP AS
SELECT m.st_id, j.id AS job_id, coalesce(j.business_unit_id = ANY({installs}), false) AS is_install,
       j.active AND j.status <> 'canceled' AS stands, j.modified_on
FROM member m JOIN servicetitan.jobs j ON j.tenant_id = {tenant} AND j.customer_id = m.member_id
LEFT JOIN ended ON ended.st_id = m.st_id
WHERE coalesce(j.created_on, j.modified_on) <= {until}
      AND (ended.st_id IS NULL OR coalesce(j.created_on, j.modified_on) > ended.completed_on)
"""
# Each fact is the newest of its kind: max over (instant, job). An estimate without a job starts no journey by itself.
_FACTS: Final = """
WITH visits AS (
    SELECT a.job_id, CASE WHEN a.active AND a.status <> 'canceled' THEN coalesce(a.created_on, a.modified_on) END
               AS booked_on
    FROM servicetitan.appointments a
    WHERE a.tenant_id = {tenant} AND coalesce(a.created_on, a.modified_on) <= {until}),
jobs AS (
    SELECT st_id,
           max(ARRAY[date_part('epoch', booked_on), work.job_id]) FILTER (WHERE stands AND NOT is_install
               AND booked_on IS NOT NULL) AS sales_booked,
           max(ARRAY[date_part('epoch', modified_on), work.job_id]) FILTER (WHERE NOT stands AND NOT is_install
               AND visits.job_id IS NOT NULL) AS sales_canceled,
           max(ARRAY[date_part('epoch', booked_on), work.job_id]) FILTER (WHERE stands AND is_install
               AND booked_on IS NOT NULL) AS install_booked,
           max(ARRAY[date_part('epoch', modified_on), work.job_id]) FILTER (WHERE NOT stands AND is_install
               AND visits.job_id IS NOT NULL) AS install_canceled,
           bool_or(stands AND NOT is_install) AS sales_stands, bool_or(stands AND is_install) AS install_stands
    FROM work LEFT JOIN visits USING (job_id) GROUP BY st_id),
leads AS (
    SELECT m.st_id, max(date_part('epoch', coalesce(l.created_on, l.modified_on))) AS lead_at
    FROM member m JOIN servicetitan.leads l ON l.tenant_id = {tenant} AND l.customer_id = m.member_id
    LEFT JOIN ended ON ended.st_id = m.st_id
    WHERE l.active AND l.status IN ('open', 'converted') AND coalesce(l.created_on, l.modified_on) <= {until}
          AND (ended.st_id IS NULL OR coalesce(l.created_on, l.modified_on) > ended.completed_on)
    GROUP BY m.st_id),
offers AS (
    SELECT work.st_id, work.job_id, e.status, e.created_on, e.modified_on, e.sold_on, e.active
    FROM work JOIN servicetitan.estimates e ON e.tenant_id = {tenant} AND e.job_id = work.job_id
    UNION ALL
    SELECT m.st_id, NULL, e.status, e.created_on, e.modified_on, e.sold_on, e.active
    FROM member m JOIN servicetitan.estimates e ON e.tenant_id = {tenant} AND e.customer_id = m.member_id
    LEFT JOIN ended ON ended.st_id = m.st_id
    WHERE NOT EXISTS (SELECT FROM servicetitan.jobs j WHERE j.tenant_id = {tenant} AND j.id = e.job_id)
          AND (ended.st_id IS NULL OR coalesce(e.created_on, e.modified_on) > ended.completed_on)),
estimates AS (
    SELECT st_id, bool_or(job_id IS NOT NULL AND status IN ('open', 'sold')) AS has_job,
           max(ARRAY[date_part('epoch', coalesce(created_on, modified_on)), job_id])
               FILTER (WHERE status = 'open' OR status = 'sold' AND sold_on > {until}) AS estimate_open,
           max(ARRAY[date_part('epoch', coalesce(sold_on, modified_on)), job_id])
               FILTER (WHERE status = 'sold' AND (sold_on <= {until}) IS NOT FALSE) AS estimate_sold
    FROM offers WHERE active AND coalesce(created_on, modified_on) <= {until} GROUP BY st_id),
facts AS (
    SELECT c.id AS st_id, date_part('epoch', coalesce(c.created_on, c.modified_on)) AS customer_exists_at,
           lead_at, sales_booked, sales_canceled, install_booked, install_canceled, sales_stands,
           install_stands,
           CASE WHEN is_under_way THEN estimate_open END AS estimate_open,
           CASE WHEN is_under_way THEN estimate_sold END AS estimate_sold,
           coalesce(ended.installs, 0) AS installs, date_part('epoch', ended.completed_on) AS ended_at,
           ended.job_id AS ended_job, kept.state AS stored, kept.journey, kept.hand_state,
           date_part('epoch', kept.hand_at) AS hand_at
    FROM subject JOIN servicetitan.customers c ON c.tenant_id = {tenant} AND c.id = subject.st_id
         AND (c.created_on <= {until}) IS NOT FALSE
    LEFT JOIN jobs ON jobs.st_id = c.id LEFT JOIN leads ON leads.st_id = c.id
    LEFT JOIN estimates ON estimates.st_id = c.id LEFT JOIN ended ON ended.st_id = c.id
    LEFT JOIN kept ON kept.st_id = c.id
    CROSS JOIN LATERAL (SELECT ended.installs IS NULL OR coalesce(has_job, false) OR lead_at IS NOT NULL OR coalesce(
        sales_booked, sales_canceled, install_booked, install_canceled) IS NOT NULL AS is_under_way) way)
SELECT {columns} FROM facts
"""
_READ: Final = (*COLUMNS, "stored")
_PAIRS: Final = (
    "sales_booked",
    "sales_canceled",
    "estimate_open",
    "estimate_sold",
    "install_booked",
    "install_canceled",
)
_PLAIN: Final = {
    "customer_exists_job": "NULL",
    "open_lead_at": "lead_at",
    "open_lead_job": "NULL",
    "install_completed_at": "ended_at",
    "install_completed_job": "ended_job",
    "sales_stands": "coalesce(sales_stands, false)::int",
    "install_stands": "coalesce(install_stands, false)::int",
    "journey_before": "coalesce(journey, 0)",
    **{f"{pair}_at": f"{pair}[1]" for pair in _PAIRS},
    **{f"{pair}_job": f"{pair}[2]" for pair in _PAIRS},
}


def state_facts(
    connection: Connection, tenant_id: int, business_units: Mapping[str, str], until: datetime | None = None
) -> Iterator[pd.DataFrame]:
    """Stream the facts of the customers in the temporary table `subject`, some 200,000 a frame, in no order.

    The columns are `states.COLUMNS` and `stored`, the state in force. `until` leaves out what is dated after it
    (backtest): a record, a completion, a sale; other statuses are today's. What is kept of states is read from a
    relation `kept`: st_id, state, journey, hand_state and hand_at (null unless a person set the state).
    """
    add_survivors(connection, tenant_id)
    gather(connection, tenant_id)
    values = {
        "tenant": sql.Literal(tenant_id),
        "until": sql.Literal(until or datetime.max.replace(tzinfo=UTC)),
        "installs": sql.Literal(_install_units(connection, tenant_id, business_units)),
        "columns": sql.SQL(", ").join(sql.SQL(_PLAIN.get(column, column)) for column in _READ),
    }
    connection.execute(sql.SQL(_COMPLETED).format(**values))
    connection.execute("CREATE INDEX ON completed (st_id, completed_on); ANALYZE completed")
    connection.execute(_ENDED)
    connection.execute("ANALYZE ended")
    connection.execute(sql.SQL(_WORK).format(**values))
    connection.execute("ANALYZE work")
    query = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(sql.SQL(_FACTS).format(**values))
    with connection.cursor().copy(query) as copy:
        text = bytearray()
        for row in copy:  # COPY sends a row at a time
            text += row
            if len(text) >= _CHUNK:
                yield _frame(text)
                text = bytearray()
    if text:
        yield _frame(text)


def _install_units(connection: Connection, tenant_id: int, business_units: Mapping[str, str]) -> list[int]:
    rows = connection.execute("SELECT id, name FROM servicetitan.business_units WHERE tenant_id = %s", [tenant_id])
    return [row["id"] for row in rows if pipeline_of_unit(row["name"], business_units)[0] == INSTALL]


def _frame(text: bytearray) -> pd.DataFrame:
    whole = dict.fromkeys(("st_id", "sales_stands", "install_stands", "installs", "journey_before"), "int64")
    types = {name: whole.get(name, "float64") for name in _READ} | {"hand_state": "object", "stored": "object"}
    return pd.read_csv(io.BytesIO(text), header=None, names=list(_READ), dtype=types)
