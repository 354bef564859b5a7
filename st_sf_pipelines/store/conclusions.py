"""What is concluded of deals, written: moves, activities, contacts, what is held back, and whose deals are whose."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from st_sf_pipelines.store.database import grown
from st_sf_pipelines.store.deals import ASSET, COLUMNS, LISTS
from st_sf_pipelines.store.ledger import HANDED_OVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from st_sf_pipelines.rules.deals import Activity, Concluded, Deal, Held, Move
    from st_sf_pipelines.rules.facts import Facts
    from st_sf_pipelines.store.database import Connection

_WRITE: Final = sql.SQL(
    """INSERT INTO pipeline.opportunities (tenant_id, {columns}) VALUES (%(tenant)s, {values})
       ON CONFLICT (tenant_id, opened_for, number) DO UPDATE SET {sets}, changed_at = now()"""
).format(
    columns=sql.SQL(", ").join(map(sql.Identifier, COLUMNS)),
    values=sql.SQL(", ").join(map(sql.Placeholder, COLUMNS)),
    sets=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in COLUMNS),
)


@dataclass
class Written:
    """What was written of the conclusions: how many deals are new, changed, moved, and how many things are held."""

    new: int = 0
    changed: int = 0
    moves: int = 0
    contacts: int = 0


def write(
    connection: Connection,
    tenant_id: int,
    batch: Sequence[tuple[Facts, Sequence[Deal], Concluded]],
    written: Written,
) -> None:
    """Keep what was concluded of some subjects, in this transaction; only what differs is written."""
    deals: dict[str, Deal] = {}
    changed: list[Deal] = []
    touched: set[int] = set()
    for facts, before, concluded in batch:
        known = {deal.key: deal for deal in before}
        deals |= {deal.key: deal for deal in concluded.deals}
        fresh = [deal for deal in concluded.deals if known.get(deal.key) != deal]
        written.new += sum(deal.key not in known for deal in fresh)
        written.changed += sum(deal.key in known for deal in fresh)
        changed += fresh
        if fresh:
            touched.add(facts.subject)
    with connection.cursor() as cursor:
        cursor.executemany(_WRITE, [{"tenant": tenant_id, **_row(deal)} for deal in changed])
    moves = [move for _, _, concluded in batch for move in concluded.moves]
    _write_moves(connection, tenant_id, moves, deals)
    written.moves += len(moves)
    _write_activities(connection, tenant_id, [a for _, _, concluded in batch for a in concluded.activities], deals)
    touched |= _write_contacts(connection, tenant_id, batch, written)
    _write_held(connection, tenant_id, {facts.subject: concluded.held for facts, _, concluded in batch})
    _write_due(connection, tenant_id, {facts.subject: concluded.due_on for facts, _, concluded in batch})
    _touch(connection, tenant_id, touched)


def _touch(connection: Connection, tenant_id: int, subjects: set[int]) -> None:
    connection.execute(
        "INSERT INTO sync.touched (tenant_id, asset, subject) SELECT %s, %s, unnest(%s::bigint[])",
        [tenant_id, ASSET, sorted(subjects)],
    )


def _write_moves(connection: Connection, tenant_id: int, moves: Iterable[Move], deals: Mapping[str, Deal]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            """INSERT INTO pipeline.moves (tenant_id, opportunity_id, from_pipeline, from_stage, from_status,
                                           to_pipeline, to_stage, to_status, rule, records, as_of)
               SELECT tenant_id, id, %s, %s, %s, %s, %s, %s, %s, %s, %s FROM pipeline.opportunities
               WHERE tenant_id = %s AND opened_for = %s AND number = %s""",
            [
                (
                    *(move.before or (None, None, None)),
                    *move.after,
                    *(move.rule, list(move.records), move.as_of, tenant_id),
                    *(deals[move.deal].opened_for, deals[move.deal].number),
                )
                for move in moves
            ],
        )


def _write_activities(
    connection: Connection, tenant_id: int, activities: Iterable[Activity], deals: Mapping[str, Deal]
) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            """INSERT INTO pipeline.activities (tenant_id, key, subject, kind, title, records, at, opportunity_id)
               VALUES (%s, %s, %s, %s, %s, %s, %s, (SELECT id FROM pipeline.opportunities
                       WHERE tenant_id = %s AND opened_for = %s AND number = %s))
               ON CONFLICT (tenant_id, key) DO NOTHING""",
            [
                (
                    *(tenant_id, each.key, each.subject, each.kind, each.title, list(each.records), each.at, tenant_id),
                    *((deals[each.deal].opened_for, deals[each.deal].number) if each.deal else (None, None)),
                )
                for each in activities
            ],
        )


def _write_contacts(
    connection: Connection,
    tenant_id: int,
    batch: Iterable[tuple[Facts, Sequence[Deal], Concluded]],
    written: Written,
) -> set[int]:
    wanted = {
        facts.subject: concluded.wants_contact
        for facts, _, concluded in batch
        if concluded.wants_contact not in (None, facts.contact)
    }
    written.contacts += len(wanted)
    with connection.cursor() as cursor:
        cursor.executemany(
            """INSERT INTO pipeline.contacts (tenant_id, subject, kind) VALUES (%s, %s, %s)
               ON CONFLICT (tenant_id, subject) DO UPDATE SET kind = excluded.kind""",
            [(tenant_id, subject, kind) for subject, kind in wanted.items()],
        )
    return set(wanted)


def let_go(connection: Connection, tenant_id: int) -> None:
    """Strike what is listed, and what falls due, of those in `subject` who conclude nothing more: not in `chosen`."""
    for table in ("pipeline.held", "pipeline.due"):
        connection.execute(
            f"""DELETE FROM {table} gone USING subject s WHERE gone.tenant_id = %s AND gone.subject = s.st_id
                AND NOT EXISTS (SELECT FROM chosen c WHERE c.st_id = s.st_id)""",
            [tenant_id],
        )


def hold_of_nobody(connection: Connection, tenant_id: int, held: Sequence[Held]) -> None:
    """List what belongs to no subject at all, under the subject 0."""
    _write_held(connection, tenant_id, {0: held})


def _write_held(connection: Connection, tenant_id: int, held: Mapping[int, Sequence[Held]]) -> None:
    before: dict[int, set[tuple[Any, ...]]] = defaultdict(set)
    for row in connection.execute(
        """SELECT subject, opportunity, rule, reason, records FROM pipeline.held
           WHERE tenant_id = %s AND subject = ANY(%s)""",
        [tenant_id, list(held)],
    ):
        before[row["subject"]].add((row["opportunity"], row["rule"], row["reason"], tuple(row["records"])))
    now = {subject: {(h.deal, h.rule, h.reason, h.records) for h in each} for subject, each in held.items()}
    with connection.cursor() as cursor:
        cursor.executemany(
            """DELETE FROM pipeline.held WHERE tenant_id = %s AND subject = %s
               AND opportunity IS NOT DISTINCT FROM %s AND rule = %s AND reason = %s AND records = %s""",
            [
                (tenant_id, subject, *row[:3], list(row[3]))
                for subject, each in now.items()
                for row in before[subject] - each
            ],
        )
        cursor.executemany(
            """INSERT INTO pipeline.held (tenant_id, subject, opportunity, rule, reason, records)
               VALUES (%s, %s, %s, %s, %s, %s)""",
            [
                (tenant_id, subject, *row[:3], list(row[3]))
                for subject, each in now.items()
                for row in each - before[subject]
            ],
        )


def _write_due(connection: Connection, tenant_id: int, due: Mapping[int, date | None]) -> None:
    connection.execute(
        """DELETE FROM pipeline.due USING unnest(%s::bigint[], %s::date[]) AS now (subject, due_on)
           WHERE due.tenant_id = %s AND due.subject = now.subject AND due.due_on IS DISTINCT FROM now.due_on""",
        [list(due), list(due.values()), tenant_id],
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO pipeline.due (tenant_id, subject, due_on) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [(tenant_id, subject, day) for subject, day in due.items() if day is not None],
        )


def totals(connection: Connection, tenant_id: int, written: Written) -> dict[str, int]:
    """Count all deals, contacts and things held back that stand, after a look: total, contacts, held."""
    grown(connection, "pipeline.opportunities", written.new)
    grown(connection, "pipeline.contacts", written.contacts)
    row = connection.execute(
        """SELECT (SELECT count(*) FROM pipeline.opportunities WHERE tenant_id = %(tenant)s) AS total,
                  (SELECT count(*) FROM pipeline.contacts WHERE tenant_id = %(tenant)s) AS contacts,
                  (SELECT count(*) FROM pipeline.held WHERE tenant_id = %(tenant)s) AS held""",
        {"tenant": tenant_id},
    ).fetchone()
    return dict(row or {})


def hand_over(
    connection: Connection,
    tenant_id: int,
    before: Mapping[int, Deal],
    after: Mapping[str, Deal],
    moves: Sequence[Move],
    activities: Sequence[Activity],
    rekeyed: Mapping[str, str],
) -> None:
    """Write whose deals are whose now: rows keep their id, though a lead's deal gets its customer's key."""
    touched = set()
    for row_id, deal in before.items():
        now = after[rekeyed.get(deal.key, deal.key)]
        if now != deal:
            touched.add(now.subject)
            sets = sql.SQL(", ").join(sql.SQL("{} = {}").format(sql.Identifier(n), sql.Placeholder(n)) for n in COLUMNS)
            connection.execute(
                sql.SQL("UPDATE pipeline.opportunities SET {}, changed_at = now() WHERE id = %(id)s").format(sets),
                {**_row(now), "id": row_id},
            )
    _write_moves(connection, tenant_id, moves, after)
    _write_activities(connection, tenant_id, activities, after)
    _touch(connection, tenant_id, touched)


def hand_over_contacts(connection: Connection, tenant_id: int, keeper_of: Mapping[int, int]) -> None:
    """Let a lead's contact be its customer's from now on (CRM-1, Leads).

    Where that has one already, the lead's is no record of ours any more: it is parked for a person to merge the two.
    """
    for lead, customer in keeper_of.items():
        if lead < 0:
            for statement in _HAND_OVER_CONTACT:
                connection.execute(
                    statement, {"tenant": tenant_id, "lead": lead, "customer": customer, "double": HANDED_OVER}
                )


_HAND_OVER_CONTACT: Final = (
    *(
        f"""UPDATE {table} SET subject = %(customer)s WHERE tenant_id = %(tenant)s AND subject = %(lead)s {more}
            AND NOT EXISTS (SELECT FROM {table}
                            WHERE tenant_id = %(tenant)s AND subject = %(customer)s {more})"""
        for table, more in (("pipeline.contacts", ""), ("sync.deliveries", "AND asset = 'crm/contacts'"))
    ),
    "DELETE FROM pipeline.contacts WHERE tenant_id = %(tenant)s AND subject = %(lead)s",
    """DELETE FROM sync.deliveries WHERE tenant_id = %(tenant)s AND asset = 'crm/contacts' AND subject = %(lead)s
       AND remote_id IS NULL AND sent_at IS NULL""",
    """UPDATE sync.deliveries SET state = 'parked', code = %(double)s, message = NULL, fields = NULL,
           wanted = NULL, wanted_digest = NULL, agreed = NULL, agreed_digest = NULL
       WHERE tenant_id = %(tenant)s AND asset = 'crm/contacts' AND subject = %(lead)s""",
    "UPDATE pipeline.activities SET subject = %(customer)s WHERE tenant_id = %(tenant)s AND subject = %(lead)s",
    """UPDATE sync.deliveries SET parent_subject = %(customer)s
       WHERE tenant_id = %(tenant)s AND parent_asset = 'crm/contacts' AND parent_subject = %(lead)s""",
)


def _row(deal: Deal) -> dict[str, Any]:
    return {name: list(getattr(deal, name)) if name in LISTS else getattr(deal, name) for name in COLUMNS}
