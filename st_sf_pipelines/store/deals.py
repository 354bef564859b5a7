"""The deals as they are kept, read: whose they are now, what people set on them, and who is to be looked at (CRM)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, Literal

from psycopg import sql

from st_sf_pipelines.rules.deals import Deal, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from st_sf_pipelines.store.database import Connection

ASSET: Final = "pipeline/opportunities"
COLUMNS: Final = tuple(field.name for field in fields(Deal))
LISTS: Final = frozenset({"job_ids", "hand_facts", "told"})
_SELECT: Final = sql.SQL("SELECT id, {} FROM pipeline.opportunities").format(
    sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
)


def add_due(connection: Connection, tenant_id: int, day: date) -> None:
    """Add to `subject` those of whose deals time alone changes something by this day."""
    connection.execute(
        """INSERT INTO subject SELECT subject FROM pipeline.due WHERE tenant_id = %s AND due_on <= %s
           ON CONFLICT DO NOTHING""",
        [tenant_id, day],
    )


def add_seen(connection: Connection, tenant_id: int) -> None:
    """Add to `subject` those whose deals a person has changed in the CRM since we looked (CRM-7)."""
    connection.execute(
        """INSERT INTO subject SELECT o.subject FROM pipeline.seen s JOIN pipeline.opportunities o
           ON o.id = s.opportunity_id WHERE s.tenant_id = %s ON CONFLICT DO NOTHING""",
        [tenant_id],
    )


def keepers(connection: Connection, tenant_id: int) -> dict[int, int]:
    """Give who keeps the deals of the subjects in `subject` now: a survivor, or a lead's customer; add the keepers."""
    rows = connection.execute(
        """SELECT v.st_id, v.survivor_id AS keeper FROM customers.survivor v
           WHERE v.tenant_id = %(tenant)s AND (EXISTS (SELECT FROM subject s WHERE s.st_id = v.st_id)
                                              OR EXISTS (SELECT FROM subject s WHERE s.st_id = v.survivor_id))
           UNION ALL
           SELECT -l.id, coalesce(v.survivor_id, l.customer_id) FROM servicetitan.leads l
           JOIN servicetitan.customers c ON c.tenant_id = l.tenant_id AND c.id = l.customer_id
           LEFT JOIN customers.survivor v ON v.tenant_id = l.tenant_id AND v.st_id = l.customer_id
           WHERE l.tenant_id = %(tenant)s AND l.customer_id IS NOT NULL
           AND EXISTS (SELECT FROM subject s WHERE s.st_id IN (-l.id, l.customer_id))
           AND (EXISTS (SELECT FROM pipeline.contacts k WHERE k.tenant_id = l.tenant_id AND k.subject = -l.id)
                OR EXISTS (SELECT FROM pipeline.opportunities o WHERE o.tenant_id = l.tenant_id
                           AND o.subject = -l.id))""",
        {"tenant": tenant_id},
    ).fetchall()
    found = {row["st_id"]: row["keeper"] for row in rows}
    connection.execute(
        "INSERT INTO subject SELECT DISTINCT unnest(%s::bigint[]) ON CONFLICT DO NOTHING", [list(found.values())]
    )
    return found


def kept(connection: Connection, tenant_id: int, also: Iterable[int] = ()) -> dict[int, Deal]:
    """Give the deals of the subjects in `subject`, and of these others: id → deal."""
    query = _SELECT + sql.SQL(
        " WHERE tenant_id = %s AND (subject IN (SELECT st_id FROM subject) OR subject = ANY(%s)) ORDER BY id"
    )
    return {row.pop("id"): _deal(row) for row in connection.execute(query, [tenant_id, list(also)]).fetchall()}


def deals_of(connection: Connection, tenant_id: int, subjects: Sequence[int]) -> dict[int, list[Deal]]:
    """Give the deals of some subjects, by subject; one without deals is left out."""
    query = _SELECT + sql.SQL(" WHERE tenant_id = %s AND subject = ANY(%s) ORDER BY id")
    found: dict[int, list[Deal]] = defaultdict(list)
    for row in connection.execute(query, [tenant_id, list(subjects)]):
        del row["id"]
        found[row["subject"]].append(_deal(row))
    return found


def last_numbers(connection: Connection, tenant_id: int, customers: Iterable[int]) -> dict[int, int]:
    """Give the highest number of a deal that was opened for each customer."""
    rows = connection.execute(
        """SELECT opened_for, max(number) AS number FROM pipeline.opportunities
           WHERE tenant_id = %s AND opened_for = ANY(%s) GROUP BY opened_for""",
        [tenant_id, list(customers)],
    )
    return {row["opened_for"]: row["number"] for row in rows}


def show_to_facts(connection: Connection, tenant_id: int, *, none: bool = False) -> None:
    """Make the relation `dealt` that `facts.deal_facts` reads: whose jobs have deals already; or as if none had."""
    connection.execute(
        sql.SQL(
            """CREATE OR REPLACE TEMP VIEW dealt AS
               SELECT subject AS st_id, opened_for, number, job_ids, status = 'lost' AS is_lost
               FROM pipeline.opportunities WHERE tenant_id = {} AND NOT {}"""
        ).format(sql.Literal(tenant_id), sql.Literal(none))
    )


def contacts(connection: Connection, tenant_id: int) -> dict[int, Literal["customer", "lead"]]:
    """Give the kind of CRM contact that the subjects in `subject` have: customer or lead."""
    rows = connection.execute(
        "SELECT subject, kind FROM pipeline.contacts JOIN subject ON st_id = subject WHERE tenant_id = %s", [tenant_id]
    )
    return {row["subject"]: row["kind"] for row in rows}


def take_seen(connection: Connection, tenant_id: int) -> dict[str, dict[str, Any]]:
    """Take what people set in the CRM on the deals of `subject`: key → stage or None, pinned or None, seen_at."""
    rows = connection.execute(
        """DELETE FROM pipeline.seen s USING pipeline.opportunities o, subject
           WHERE s.tenant_id = %s AND o.id = s.opportunity_id AND subject.st_id = o.subject
           RETURNING o.opened_for, o.number, s.stage, s.pinned, s.seen_at""",
        [tenant_id],
    ).fetchall()
    return {key_of(row["opened_for"], row["number"]): row for row in rows}


def has_due(connection: Connection, tenant_id: int, day: date) -> bool:
    """Tell whether a deal falls due by this day, or a person has set something in the CRM."""
    row = connection.execute(
        """SELECT EXISTS (SELECT FROM pipeline.due WHERE tenant_id = %(tenant)s AND due_on <= %(day)s)
               OR EXISTS (SELECT FROM pipeline.seen WHERE tenant_id = %(tenant)s) AS due""",
        {"tenant": tenant_id, "day": day},
    ).fetchone()
    return bool(row and row["due"])


def unit_names(connection: Connection, tenant_id: int) -> dict[int, str | None]:
    """Give the names of the business units by id."""
    rows = connection.execute("SELECT id, name FROM servicetitan.business_units WHERE tenant_id = %s", [tenant_id])
    return {row["id"]: row["name"] for row in rows}


def _deal(row: Mapping[str, Any]) -> Deal:
    fields_: dict[str, Any] = {name: tuple(value) if name in LISTS else value for name, value in row.items()}
    return Deal(**fields_)
