"""The customers' segments: the facts that their rules read, the segment in force, and the history of its changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from st_sf_pipelines.store import derived, log, members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date, datetime

    from st_sf_pipelines.store.database import Connection, Database
    from st_sf_pipelines.store.derived import Derived

CONSUMER: Final = "customers/segment"
AT_ONCE: Final = 100_000
"""How many customers are concluded in one frame: a million of them never lie in memory together."""


def derive_segments(
    db: Database,
    tenant_id: int,
    as_of: date,
    version: str,
    scope: log.Scope,
    steps: Callable[[pd.DataFrame], pd.DataFrame],
) -> Derived:
    """Re-evaluate those whose profile changed and those who fall due by `as_of` (SEG-5); write only what differs.

    `steps` is the rule: of a frame of facts it gives each customer's steps (see `rules.segments.steps`).
    """
    with db.connect() as connection:
        seq = log.look(connection, tenant_id, CONSUMER, ("customers/profile",), version, scope)
        values = {"tenant": tenant_id, "as_of": as_of, "version": version, "consumer": CONSUMER}
        if not scope.ids:
            connection.execute(
                """INSERT INTO subject SELECT st_id FROM customers.segment
                   WHERE tenant_id = %(tenant)s AND due_on <= %(as_of)s ON CONFLICT DO NOTHING""",
                values,
            )
        connection.execute(_BY_TIME_SQL, values)
        connection.execute(
            """CREATE TEMP TABLE concluded (st_id bigint, step integer, before text, segment text, rule text,
                                            valid_from date, due_on date, in_force boolean) ON COMMIT DROP"""
        )
        names = ["st_id", "step", "before", "segment", "rule", "valid_from", "due_on", "in_force"]
        for facts in _stream(connection, _FACTS_SQL, values):
            with connection.cursor().copy(f"COPY concluded ({', '.join(names)}) FROM STDIN") as copy:
                for row in steps(facts)[names].itertuples(index=False):
                    copy.write_row(row)
        connection.execute("ANALYZE concluded")
        connection.execute(_MOVED_SQL, values)
        connection.execute("ANALYZE moved")
        connection.execute(_HISTORY_SQL, values)
        counts = connection.execute(_SEGMENT_SQL, values).fetchone() or {}
        log.move(connection, tenant_id, CONSUMER, seq, version)
        return derived.count(connection, tenant_id, "segment", counts)


# Who is where it is by time alone: due under the rule in force, with a profile that has not changed since it was read.
_BY_TIME_SQL: Final = """
CREATE TEMP TABLE by_time ON COMMIT DROP AS
SELECT s.st_id, s.due_on FROM customers.segment s JOIN subject USING (st_id)
JOIN sync.positions p ON p.tenant_id = s.tenant_id AND p.consumer = %(consumer)s AND p.version = %(version)s
WHERE s.tenant_id = %(tenant)s AND s.due_on <= %(as_of)s AND NOT EXISTS (
    SELECT FROM sync.touched t
    WHERE t.tenant_id = s.tenant_id AND t.asset = 'customers/profile' AND t.subject = s.st_id AND t.seq > p.seq)
"""

_READ_FACTS: Final = """floor(lifetime_value * 100)::bigint AS lifetime_cents,
       (last_job_date - date '1970-01-01')::float8 AS last_job_day"""

_FACTS_SQL: Final = f"""
SELECT st_id, {_READ_FACTS}, (by_time.due_on - date '1970-01-01')::float8 AS due_day
FROM customers.profile JOIN subject USING (st_id) LEFT JOIN by_time USING (st_id)
WHERE tenant_id = %(tenant)s ORDER BY st_id
"""

_MOVED_SQL: Final = """
CREATE TEMP TABLE moved ON COMMIT DROP AS
SELECT c.st_id, c.step, coalesce(c.before, s.segment) AS from_segment, c.segment, c.rule, c.valid_from
FROM concluded c LEFT JOIN customers.segment s ON s.tenant_id = %(tenant)s AND s.st_id = c.st_id
WHERE coalesce(c.before, s.segment) IS DISTINCT FROM c.segment
"""

# The records that a change rests on are named when it is recorded: its last completed job, and how many invoices make
# the lifetime value; a survivor's are those of its merged customers too (EXT-5).
_HISTORY_SQL: Final = """
WITH mover AS (SELECT DISTINCT st_id FROM moved),
owner AS (
    SELECT st_id, st_id AS owner_id FROM mover
    WHERE NOT EXISTS (SELECT FROM customers.survivor v WHERE v.tenant_id = %(tenant)s AND v.st_id = mover.st_id)
    UNION ALL
    SELECT v.survivor_id, v.st_id FROM customers.survivor v JOIN mover ON mover.st_id = v.survivor_id
    WHERE v.tenant_id = %(tenant)s),
last_job AS (
    SELECT DISTINCT ON (owner.st_id) owner.st_id, j.id
    FROM servicetitan.jobs j JOIN owner ON owner.owner_id = j.customer_id
    WHERE j.tenant_id = %(tenant)s AND j.active AND j.status = 'completed' AND j.completed_on IS NOT NULL
    ORDER BY owner.st_id, j.completed_on DESC, j.id DESC),
billed AS (
    SELECT owner.st_id, count(*) AS invoices
    FROM servicetitan.invoices i JOIN owner ON owner.owner_id = i.customer_id
    WHERE i.tenant_id = %(tenant)s AND i.active GROUP BY owner.st_id)
INSERT INTO customers.segment_history (tenant_id, st_id, from_segment, to_segment, rule, valid_from,
                                       lifetime_value, last_job_date, last_job_id, invoices)
SELECT %(tenant)s, m.st_id, m.from_segment, m.segment, m.rule, m.valid_from,
       p.lifetime_value, p.last_job_date, last_job.id, coalesce(billed.invoices, 0)
FROM moved m JOIN customers.profile p ON p.tenant_id = %(tenant)s AND p.st_id = m.st_id
LEFT JOIN last_job ON last_job.st_id = m.st_id LEFT JOIN billed ON billed.st_id = m.st_id
ORDER BY m.st_id, m.step
"""

_SEGMENT_SQL: Final = """
WITH written AS (
    INSERT INTO customers.segment AS stored (tenant_id, st_id, segment, rule, due_on)
    SELECT %(tenant)s, st_id, segment, rule, due_on FROM concluded WHERE in_force
    ON CONFLICT (tenant_id, st_id) DO UPDATE SET
        segment = excluded.segment, rule = excluded.rule, due_on = excluded.due_on,
        changed_at = CASE WHEN stored.segment = excluded.segment THEN stored.changed_at ELSE now() END
    WHERE (stored.segment, stored.rule, stored.due_on)
          IS DISTINCT FROM (excluded.segment, excluded.rule, excluded.due_on)
    RETURNING st_id, xmax = 0 AS is_new),
touched AS (
    INSERT INTO sync.touched (tenant_id, asset, subject) SELECT %(tenant)s, %(consumer)s, st_id FROM written)
SELECT count(*) FILTER (WHERE is_new) AS new, count(*) FILTER (WHERE NOT is_new) AS changed FROM written
"""


def facts(connection: Connection, tenant_id: int) -> Iterator[pd.DataFrame]:
    """Stream every customer's facts as they are known, with the segment in force as `stored` (None: not concluded)."""
    yield from _stream(
        connection,
        f"""SELECT st_id, {_READ_FACTS}, s.segment AS stored
            FROM customers.profile p LEFT JOIN customers.segment s USING (tenant_id, st_id)
            WHERE p.tenant_id = %(tenant)s ORDER BY st_id""",
        {"tenant": tenant_id},
    )


def past_facts(connection: Connection, tenant_id: int, zone: str, until: datetime) -> Iterator[pd.DataFrame]:
    """Stream the facts of today's records less those dated after an instant; nothing is written (SEG-6)."""
    log.take_everybody(connection, tenant_id, leads=False)
    members.gather(connection, tenant_id)
    yield from _stream(
        connection,
        f"SELECT st_id, {_READ_FACTS} FROM ({derived.PROFILE_QUERY}) AS profile ORDER BY st_id",
        {"tenant": tenant_id, "zone": zone, "until": until},
    )


def _stream(connection: Connection, query: str, values: dict[str, Any]) -> Iterator[pd.DataFrame]:
    """Stream frames of facts; money in whole cents, days counted since 1970, not a number where there is none."""
    with connection.cursor(name="facts") as cursor:
        cursor.execute(query, values)
        while rows := cursor.fetchmany(AT_ONCE):
            frame = pd.DataFrame.from_records(rows)
            yield frame.astype({name: "float64" for name in frame if str(name).endswith("_day")})


def segment_history(db: Database, tenant_id: int, st_id: int) -> list[dict[str, Any]]:
    """List a customer's segment changes, oldest first: from, to, rule, valid from, on which records, recorded at."""
    with db.connect() as connection:
        return connection.execute(
            """SELECT from_segment, to_segment, rule, valid_from, lifetime_value, last_job_date, last_job_id, invoices,
                      recorded_at
               FROM customers.segment_history WHERE tenant_id = %s AND st_id = %s ORDER BY id""",
            [tenant_id, st_id],
        ).fetchall()


def segment_counts(db: Database, tenant_id: int) -> dict[str, int]:
    """Count the customers in each segment."""
    with db.connect() as connection:
        rows = connection.execute(
            "SELECT segment, count(*) AS count FROM customers.segment WHERE tenant_id = %s GROUP BY segment",
            [tenant_id],
        )
        return {row["segment"]: row["count"] for row in rows}


def has_due(connection: Connection, tenant_id: int, as_of: date) -> bool:
    """Tell whether somebody's segment falls due by this day."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM customers.segment WHERE tenant_id = %s AND due_on <= %s) AS due",
        [tenant_id, as_of],
    ).fetchone()
    return bool(row and row["due"])
