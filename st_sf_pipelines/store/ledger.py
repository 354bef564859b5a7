"""The ledger: for each record and target what is agreed and what is wanted, and every receipt (SF-5, SF-7)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from psycopg.types.json import Jsonb

from st_sf_pipelines.ports import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from st_sf_pipelines.ports import Receipt
    from st_sf_pipelines.store.database import Connection, Database

UNDECIDED: Final = "TWO_CANDIDATES"
"""The code of a record that waits for a person to choose among candidates."""

HANDED_OVER: Final = "HANDED_OVER"
"""The code of a lead's contact whose customer has one of its own: no record of ours, until a person has merged them."""

BACKOFF_SECONDS: Final = 30
"""A record refused for a passing reason waits this long before the next try, twice as long each time, up to an hour."""


@dataclass(frozen=True)
class Intended:
    """One record as it should stand in a target: our id of it, its key, its payload, and the record it hangs on."""

    subject: int
    key: str
    wanted: dict[str, Any]
    digest: bytes
    parent: tuple[str, int] | None = None


@dataclass(frozen=True)
class Delivery:
    """One record on its way: who it is, the target's id if known, what was agreed last and what is wanted now.

    `unsure`: it was sent before, and no answer was kept. `parent` is the record that it hangs on: asset and subject.
    """

    subject: int
    key: str
    remote_id: str | None
    agreed: dict[str, Any] | None
    wanted: dict[str, Any]
    wanted_digest: bytes
    unsure: bool = False
    parent: tuple[str, int] | None = None


@dataclass(frozen=True)
class Planned:
    """What planning one object came to: looked at, to be sent, as agreed already, still parked for the same reason."""

    looked: int
    planned: int
    unchanged: int
    parked: int


def plan(connection: Connection, tenant_id: int, asset: str, intended: Iterable[Intended]) -> Planned:
    """Lay what is intended over the ledger: what differs from the agreed is pending.

    A record that was parked stays parked until its payload is another one (SF-7), or, where a person has to choose
    among candidates, until that person has (SF-13).
    """
    connection.execute(
        """CREATE TEMP TABLE intended (subject bigint PRIMARY KEY, key text, wanted jsonb, digest bytea,
                                       parent_asset text, parent_subject bigint) ON COMMIT DROP"""
    )
    rows = iter(intended)
    while batch := list(islice(rows, 5_000)):  # the rows are read from this same connection, which a COPY occupies
        with connection.cursor().copy("COPY intended FROM STDIN") as copy:
            for each in batch:
                parent = each.parent or (None, None)
                copy.write_row((each.subject, each.key, Jsonb(each.wanted), each.digest, *parent))
    counts = connection.execute(
        """WITH laid AS (
               INSERT INTO sync.deliveries AS stored (tenant_id, asset, subject, key, state, wanted, wanted_digest,
                                                      parent_asset, parent_subject)
               SELECT %(tenant)s, %(asset)s, subject, key, 'pending', wanted, digest, parent_asset, parent_subject
               FROM intended
               ON CONFLICT (tenant_id, asset, subject) DO UPDATE SET
                   key = excluded.key, parent_asset = excluded.parent_asset, parent_subject = excluded.parent_subject,
                   wanted = CASE WHEN stored.agreed_digest = excluded.wanted_digest THEN NULL ELSE excluded.wanted END,
                   wanted_digest = CASE WHEN stored.agreed_digest = excluded.wanted_digest THEN NULL
                                   ELSE excluded.wanted_digest END,
                   state = CASE WHEN stored.agreed_digest = excluded.wanted_digest THEN 'synced'
                           WHEN stored.code = %(undecided)s THEN 'parked' ELSE 'pending' END,
                   code = CASE WHEN stored.code = %(undecided)s THEN stored.code END,
                   message = CASE WHEN stored.code = %(undecided)s THEN stored.message END,
                   fields = NULL, tries = 0, next_try_at = NULL
               WHERE CASE stored.state
                     WHEN 'synced' THEN stored.agreed_digest IS DISTINCT FROM excluded.wanted_digest
                     ELSE stored.wanted_digest IS DISTINCT FROM excluded.wanted_digest END)
           SELECT count(*) AS looked FROM intended""",
        {"tenant": tenant_id, "asset": asset, "undecided": UNDECIDED},
    ).fetchone()
    stands = connection.execute(
        """SELECT count(*) FILTER (WHERE state = 'pending') AS planned,
                  count(*) FILTER (WHERE state = 'synced') AS unchanged,
                  count(*) FILTER (WHERE state = 'parked') AS parked
           FROM sync.deliveries JOIN intended USING (subject) WHERE tenant_id = %s AND asset = %s""",
        [tenant_id, asset],
    ).fetchone()
    return Planned(**(counts or {}), **(stands or {}))


def ready(db: Database, tenant_id: int, asset: str, *, after: int | None = None, limit: int = 1_000) -> list[Delivery]:
    """Give the next pending deliveries in the order of their subject: due, and with their parent in the target."""
    with db.connect() as connection:
        rows = connection.execute(
            f"""SELECT d.subject, d.key, d.remote_id, d.agreed, d.wanted, d.wanted_digest,
                       d.sent_at IS NOT NULL AS unsure, d.parent_asset, d.parent_subject {_READY}
                AND (%(after)s::bigint IS NULL OR d.subject > %(after)s) ORDER BY d.subject LIMIT %(limit)s""",
            {"tenant": tenant_id, "asset": asset, "after": after, "limit": limit},
        ).fetchall()
    return [_delivery(row) for row in rows]


def _delivery(row: dict[str, Any]) -> Delivery:
    asset, subject = row.pop("parent_asset"), row.pop("parent_subject")
    return Delivery(**{**row, "wanted_digest": bytes(row["wanted_digest"])}, parent=(asset, subject) if asset else None)


# What is new waits also for a parent that a person deleted there: it would point to nothing.
_READY: Final = """
FROM sync.deliveries d
LEFT JOIN sync.deliveries p
     ON p.tenant_id = d.tenant_id AND p.asset = d.parent_asset AND p.subject = d.parent_subject
WHERE d.tenant_id = %(tenant)s AND d.asset = %(asset)s AND d.state = 'pending'
AND (d.next_try_at IS NULL OR d.next_try_at <= now()) AND (d.parent_asset IS NULL OR p.remote_id IS NOT NULL)
AND NOT (d.remote_id IS NULL AND p.state IS NOT DISTINCT FROM 'parked' AND p.agreed IS NOT DISTINCT FROM '{}')
"""


def wants_sending(connection: Connection, tenant_id: int, asset: str) -> bool:
    """Tell whether a record of this object is due to be sent; one whose parent is not there only waits."""
    row = connection.execute(
        f"SELECT EXISTS (SELECT {_READY}) AS wants", {"tenant": tenant_id, "asset": asset}
    ).fetchone()
    return bool(row and row["wants"])


def note_attempt(db: Database, tenant_id: int, asset: str, subjects: Iterable[int]) -> None:
    """Note, before it is sent, that a record is sent: a kill or a timeout then leaves it `unsure`."""
    with db.connect() as connection:
        connection.execute(
            """UPDATE sync.deliveries SET sent_at = now()
               WHERE tenant_id = %s AND asset = %s AND subject = ANY(%s)""",
            [tenant_id, asset, list(subjects)],
        )


def keep_receipts(
    db: Database, run_id: str, tenant_id: int, asset: str, sent: Iterable[tuple[Delivery, Receipt]]
) -> None:
    """Store the receipts of one request: an accepted record is agreed, a refused one parked, a passing one waits."""
    with db.connect() as connection, connection.pipeline():
        cursor = connection.cursor()
        for delivery, receipt in sent:
            at = (tenant_id, asset, delivery.subject)
            cursor.execute(
                """INSERT INTO sync.receipts
                   (run_id, tenant_id, asset, subject, outcome, remote_id, code, message, digest)
                   VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
                [
                    run_id,
                    *at,
                    receipt.outcome,
                    receipt.remote_id,
                    receipt.code,
                    receipt.message,
                    delivery.wanted_digest,
                ],
            )
            if receipt.outcome in (Outcome.CREATED, Outcome.UPDATED):
                cursor.execute(_AGREE, [receipt.remote_id, _agreed(delivery), *at, delivery.wanted_digest])
            else:
                cursor.execute(
                    """UPDATE sync.deliveries SET state = CASE WHEN %s THEN 'pending' ELSE 'parked' END,
                       agreed = CASE WHEN %s THEN '{}' ELSE agreed END,
                       agreed_digest = CASE WHEN %s THEN NULL ELSE agreed_digest END,
                       code = %s, message = %s, fields = %s, tries = tries + 1, sent_at = NULL,
                       next_try_at = CASE WHEN %s
                                     THEN now() + least(%s * 2 ^ least(tries, 8), 3600) * interval '1 second' END
                       WHERE tenant_id = %s AND asset = %s AND subject = %s""",
                    [
                        receipt.outcome is Outcome.PASSING,
                        receipt.outcome is Outcome.GONE,
                        receipt.outcome is Outcome.GONE,
                        receipt.code,
                        receipt.message,
                        list(receipt.fields),
                        receipt.outcome is Outcome.PASSING,
                        BACKOFF_SECONDS,
                        *at,
                    ],
                )


_AGREE: Final = """
UPDATE sync.deliveries SET state = 'synced', remote_id = coalesce(%s, remote_id), agreed = %s,
    agreed_digest = wanted_digest, agreed_at = now(), wanted = NULL, wanted_digest = NULL,
    code = NULL, message = NULL, fields = NULL, tries = 0, next_try_at = NULL, sent_at = NULL, allowed = NULL
WHERE tenant_id = %s AND asset = %s AND subject = %s AND wanted_digest = %s
"""


def _agreed(delivery: Delivery) -> Jsonb:
    """Give what both sides know now: a field that was empty with us, and never sent, is not agreed upon."""
    before = delivery.agreed or {}
    return Jsonb({name: value for name, value in delivery.wanted.items() if value is not None or name in before})


def outcomes(db: Database, run_id: str, tenant_id: int, asset: str) -> dict[str, int]:
    """Count a run's receipts by outcome: created, updated, refused, passing."""
    with db.connect() as connection:
        rows = connection.execute(
            """SELECT outcome, count(*) AS count FROM sync.receipts
               WHERE run_id = %s AND tenant_id = %s AND asset = %s GROUP BY outcome""",
            [run_id, tenant_id, asset],
        )
        return dict.fromkeys(map(str, Outcome), 0) | {row["outcome"]: row["count"] for row in rows}


def agree(db: Database, tenant_id: int, asset: str, deliveries: Sequence[Delivery]) -> None:
    """Take as agreed what needs no write, because nothing that may be sent differs."""
    with db.connect() as connection, connection.pipeline():
        for delivery in deliveries:
            at = (tenant_id, asset, delivery.subject)
            connection.execute(_AGREE, [None, _agreed(delivery), *at, delivery.wanted_digest])
