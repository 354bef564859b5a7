"""The deals counted for people: how many stand in each stage, what is held back and why, what moved backward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psycopg.types.json import Jsonb

from st_sf_pipelines.rules.deals import key_of
from st_sf_pipelines.rules.pipelines import ALTERNATING, PIPELINES

if TYPE_CHECKING:
    from st_sf_pipelines.store.database import Database

_ORDER: Final = {stage.slug: stage.order for pipeline in PIPELINES for stage in pipeline.stages}


def stages(db: Database, tenant_id: int) -> list[dict[str, Any]]:
    """Count the deals in each stage, in the pipelines' order: pipeline, stage, open, won, lost, value in dollars."""
    with db.connect() as connection:
        rows = connection.execute(
            """SELECT pipeline, stage, count(*) FILTER (WHERE status = 'open') AS open,
                      count(*) FILTER (WHERE status = 'won') AS won, count(*) FILTER (WHERE status = 'lost') AS lost,
                      round(coalesce(sum(value_cents), 0) / 100.0, 2)::float8 AS value
               FROM pipeline.opportunities WHERE tenant_id = %s GROUP BY pipeline, stage""",
            [tenant_id],
        ).fetchall()
    found = {(row["pipeline"], row["stage"]): row for row in rows}
    return [
        found.get((pipeline.slug, stage.slug), {"open": 0, "won": 0, "lost": 0, "value": 0.0})
        | {"pipeline": pipeline.name, "stage": stage.name}
        for pipeline in PIPELINES
        for stage in pipeline.stages
    ]


def held(db: Database, tenant_id: int) -> list[dict[str, Any]]:
    """Count what is held back or has no deal: rule, reason, count, and a few of the records."""
    with db.connect() as connection:
        return connection.execute(
            """SELECT rule, reason, count(*) AS count,
                      array_to_string((array_agg(array_to_string(records, ' ') ORDER BY subject))[1:5], ', ')
                      AS examples
               FROM pipeline.held WHERE tenant_id = %s GROUP BY rule, reason ORDER BY count(*) DESC, rule, reason
               LIMIT 50""",
            [tenant_id],
        ).fetchall()


def moved_backward(db: Database, tenant_id: int) -> list[str]:
    """Name the deals that an automatic step moved to an earlier stage of their pipeline: there must be none (CRM-7)."""
    with db.connect() as connection:
        rows = connection.execute(
            """SELECT DISTINCT o.opened_for, o.number
               FROM pipeline.moves m JOIN pipeline.opportunities o ON o.id = m.opportunity_id
               WHERE m.tenant_id = %(tenant)s AND m.from_pipeline = m.to_pipeline AND m.rule <> 'by hand'
               AND (%(order)s ->> m.to_stage)::int < (%(order)s ->> m.from_stage)::int
               AND NOT (m.from_stage = ANY(%(alternating)s) AND m.to_stage = ANY(%(alternating)s)) ORDER BY 1, 2""",
            {"tenant": tenant_id, "order": Jsonb(_ORDER), "alternating": list(ALTERNATING)},
        )
        return [key_of(row["opened_for"], row["number"]) for row in rows]


def story(db: Database, tenant_id: int, subject: int) -> list[dict[str, Any]]:
    """Tell a subject's deals, the oldest first, each with its moves, and what is held back of each (CRM-9)."""
    with db.connect() as connection:
        deals = connection.execute(
            """SELECT id, opened_for, number, pipeline, stage, status, title, round(value_cents / 100.0, 2) AS value,
                      job_id, estimate_id, lead_id, close_on, closed_at, lost_reason, hand_stage, pinned
               FROM pipeline.opportunities WHERE tenant_id = %s AND (subject = %s OR opened_for = %s)
               ORDER BY since_at, opened_at, number""",
            [tenant_id, subject, subject],
        ).fetchall()
        moves = connection.execute(
            """SELECT opportunity_id, from_pipeline, from_stage, from_status, to_pipeline, to_stage, to_status, rule,
                      records, as_of, recorded_at
               FROM pipeline.moves WHERE opportunity_id = ANY(%s) ORDER BY id""",
            [[deal["id"] for deal in deals]],
        ).fetchall()
    for deal in deals:
        deal["key"] = key_of(deal["opened_for"], deal["number"])
        mine = [move for move in moves if move["opportunity_id"] == deal["id"]]
        deal["history"] = [{name: value for name, value in m.items() if name != "opportunity_id"} for m in mine]
        deal["rule"] = mine[-1]["rule"] if mine else None
    return deals


def held_of(db: Database, tenant_id: int, subject: int) -> list[dict[str, Any]]:
    """List what is held back of a subject: opportunity (its key, or None), rule, reason, records, first_seen."""
    with db.connect() as connection:
        return connection.execute(
            """SELECT opportunity, rule, reason, records, first_seen FROM pipeline.held
               WHERE tenant_id = %s AND subject = %s ORDER BY first_seen, rule, reason""",
            [tenant_id, subject],
        ).fetchall()
