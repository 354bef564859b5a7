"""The customer states as they are kept: the current one of each customer, and every change (STATE-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from st_sf_pipelines.store import log
from st_sf_pipelines.store.database import grown
from st_sf_pipelines.store.members import add_survivors
from st_sf_pipelines.store.state_facts import state_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    import pandas as pd

    from st_sf_pipelines.store.database import Connection, Database
    from st_sf_pipelines.store.log import Scope

ASSET: Final = "customers/state"
_COLUMNS: Final = ("st_id", "state", "rule", "journey", "entered_on", "job_id", "due_on")
_KEPT: Final = sql.SQL(
    """CREATE OR REPLACE TEMP VIEW kept AS SELECT st_id, state, journey, hand_state, hand_at
       FROM customers.state WHERE tenant_id = {}"""
)
# In the past no journey had been kept yet, and of what a person set only what was set by then, and still is.
_KEPT_THEN: Final = sql.SQL(
    """CREATE OR REPLACE TEMP VIEW kept AS SELECT st_id, NULL::text AS state, NULL::integer AS journey, hand_state,
           hand_at
       FROM customers.state WHERE tenant_id = {} AND hand_at <= {}"""
)
# What a person set ends when a fact moves the customer on; what they said of it stays in the history.
_WRITE: Final = """
WITH before AS (SELECT st_id, s.state FROM customers.state s JOIN concluded USING (st_id) WHERE tenant_id = %(tenant)s),
written AS (
    INSERT INTO customers.state AS stored (tenant_id, st_id, state, rule, journey, job_id, entered_on, due_on)
    SELECT %(tenant)s, st_id, state, rule, journey, job_id, entered_on, due_on FROM concluded
    ON CONFLICT (tenant_id, st_id) DO UPDATE SET
        state = excluded.state, rule = excluded.rule, journey = excluded.journey, job_id = excluded.job_id,
        entered_on = excluded.entered_on, due_on = excluded.due_on,
        previous = CASE WHEN stored.state = excluded.state THEN stored.previous ELSE stored.state END,
        hand_state = CASE WHEN excluded.rule = 'by_hand' THEN stored.hand_state END,
        hand_at = CASE WHEN excluded.rule = 'by_hand' THEN stored.hand_at END,
        reason = CASE WHEN excluded.rule = 'by_hand' THEN stored.reason END,
        changed_at = CASE WHEN stored.state = excluded.state THEN stored.changed_at ELSE now() END
    WHERE (stored.state, stored.rule, stored.journey, stored.job_id, stored.entered_on, stored.due_on) IS DISTINCT FROM
          (excluded.state, excluded.rule, excluded.journey, excluded.job_id, excluded.entered_on, excluded.due_on)
    RETURNING st_id, state, rule, journey, job_id, entered_on, reason, xmax = 0 AS is_new),
history AS (
    INSERT INTO customers.state_history
        (tenant_id, st_id, from_state, to_state, rule, journey, job_id, valid_from, reason)
    SELECT %(tenant)s, w.st_id, b.state, w.state, w.rule, w.journey, w.job_id, w.entered_on, w.reason
    FROM written w LEFT JOIN before b USING (st_id) WHERE b.state IS DISTINCT FROM w.state),
touched AS (
    INSERT INTO sync.touched (tenant_id, asset, subject) SELECT %(tenant)s, %(asset)s, st_id FROM written)
SELECT count(*) FILTER (WHERE is_new) AS new, count(*) FILTER (WHERE NOT is_new) AS changed FROM written
"""


def derive_states(
    db: Database,
    tenant_id: int,
    day: date,
    version: str,
    follows: Sequence[str],
    scope: Scope,
    business_units: Mapping[str, str],
    conclude: Callable[[pd.DataFrame], pd.DataFrame],
) -> dict[str, int]:
    """Re-evaluate those who changed and those who fall due by a day; give looked, new, changed, total."""
    with db.connect() as connection:
        seq = log.look(connection, tenant_id, ASSET, follows, version, scope)
        if not scope.ids:
            connection.execute(
                """INSERT INTO subject SELECT st_id FROM customers.state WHERE tenant_id = %s AND due_on <= %s
                   ON CONFLICT DO NOTHING""",
                [tenant_id, day],
            )
        add_survivors(connection, tenant_id)
        connection.execute(_KEPT.format(sql.Literal(tenant_id)))
        connection.execute(
            """CREATE TEMP TABLE concluded (st_id bigint, state text, rule text, journey integer, entered_on date,
                                            job_id bigint, due_on date) ON COMMIT DROP"""
        )
        frames = [conclude(facts)[list(_COLUMNS)] for facts in state_facts(connection, tenant_id, business_units)]
        with connection.cursor().copy("COPY concluded FROM STDIN") as copy:  # not while the facts are copied out
            for frame in frames:
                for row in frame.itertuples(index=False):
                    copy.write_row(row)
        counts = connection.execute(_WRITE, {"tenant": tenant_id, "asset": ASSET}).fetchone() or {}
        grown(connection, "customers.state", counts["new"])
        looked = connection.execute("SELECT count(*) AS count FROM concluded").fetchone() or {}
        total = connection.execute(
            "SELECT count(*) AS count FROM customers.state WHERE tenant_id = %s", [tenant_id]
        ).fetchone()
        log.move(connection, tenant_id, ASSET, seq, version)
        return {**counts, "looked": looked["count"], "total": total["count"] if total else 0}


def facts(connection: Connection, tenant_id: int, business_units: Mapping[str, str]) -> Iterator[pd.DataFrame]:
    """Stream every customer's facts, with the state in force as `stored` (not a number: not concluded)."""
    log.take_everybody(connection, tenant_id, leads=False)
    connection.execute(_KEPT.format(sql.Literal(tenant_id)))
    yield from state_facts(connection, tenant_id, business_units)


def past_facts(
    connection: Connection, tenant_id: int, business_units: Mapping[str, str], until: datetime
) -> Iterator[pd.DataFrame]:
    """Stream the facts of today's records less those dated after an instant; nothing is written (SEG-6)."""
    log.take_everybody(connection, tenant_id, leads=False)
    connection.execute(_KEPT_THEN.format(sql.Literal(tenant_id), sql.Literal(until)))
    yield from state_facts(connection, tenant_id, business_units, until)


def has_due(connection: Connection, tenant_id: int, day: date) -> bool:
    """Tell whether somebody's state falls due by this day."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM customers.state WHERE tenant_id = %s AND due_on <= %s) AS due", [tenant_id, day]
    ).fetchone()
    return bool(row and row["due"])


def state_of(db: Database, tenant_id: int, st_id: int) -> dict[str, Any] | None:
    """Give one customer's state as it is kept, with its history, oldest first; None if it has none yet."""
    with db.connect() as connection:
        row = connection.execute(
            """SELECT state, previous, rule, journey, job_id, entered_on, due_on, reason, changed_at
               FROM customers.state WHERE tenant_id = %s AND st_id = %s""",
            [tenant_id, st_id],
        ).fetchone()
        history = connection.execute(
            """SELECT from_state, to_state, rule, journey, job_id, valid_from, reason, recorded_at
               FROM customers.state_history WHERE tenant_id = %s AND st_id = %s ORDER BY id""",
            [tenant_id, st_id],
        ).fetchall()
    return {**row, "history": history} if row else None


def set_by_hand(db: Database, tenant_id: int, st_id: int, state: str, reason: str, at: datetime, day: date) -> bool:
    """Set a customer's state as a person says, with the reason; tell whether we know the customer (STATE-3).

    It stays until a fact that is newer than `at` supports another one; `day` is the tenant's own at that instant. The
    customer is looked at again at once.
    """
    with db.connect() as connection:
        log.share(connection, tenant_id)
        row = connection.execute(
            """UPDATE customers.state stored SET state = %(state)s, rule = 'by_hand', hand_state = %(state)s,
                   hand_at = %(at)s, reason = %(reason)s, job_id = NULL, entered_on = %(day)s, changed_at = now(),
                   previous = CASE WHEN stored.state = %(state)s THEN stored.previous ELSE stored.state END
               FROM customers.state before
               WHERE stored.tenant_id = %(tenant)s AND stored.st_id = %(st_id)s
               AND before.tenant_id = stored.tenant_id AND before.st_id = stored.st_id
               RETURNING before.state AS from_state, stored.journey""",
            {"tenant": tenant_id, "st_id": st_id, "state": state, "reason": reason, "at": at, "day": day},
        ).fetchone()
        if row is None:
            return False
        connection.execute(
            """INSERT INTO customers.state_history
                   (tenant_id, st_id, from_state, to_state, rule, journey, valid_from, reason)
               VALUES (%s, %s, %s, %s, 'by_hand', %s, %s, %s)""",
            [tenant_id, st_id, row["from_state"], state, row["journey"], day, reason],
        )
        connection.execute(
            "INSERT INTO sync.touched (tenant_id, asset, subject) VALUES (%s, 'customers/profile', %s)",
            [tenant_id, st_id],
        )
    return True


def counts(db: Database, tenant_id: int) -> dict[str, int]:
    """Count the customers in each state."""
    with db.connect() as connection:
        rows = connection.execute(
            "SELECT state, count(*) AS count FROM customers.state WHERE tenant_id = %s GROUP BY state", [tenant_id]
        )
        return {row["state"]: row["count"] for row in rows}
