"""The ledger: for each record and target what is agreed and what is wanted, and every receipt (SF-5, SF-7)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from psycopg.types.json import Jsonb

from st_sf_pipelines.ports import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from st_sf_pipelines.ports import Receipt
    from st_sf_pipelines.store.database import Connection, Database

UNDECIDED: Final = "TWO_CANDIDATES"
"""The code of a record that waits for a person to choose among candidates."""

BACKOFF_SECONDS: Final = 30
"""A record refused for a passing reason waits this long before the next try, twice as long each time, up to an hour."""


@dataclass(frozen=True)
class Delivery:
    """One record on its way: who it is, the target's id if known, what was agreed last and what is wanted now."""

    st_id: int
    key: str
    remote_id: str | None
    agreed: dict[str, Any] | None
    wanted: dict[str, Any]
    wanted_digest: bytes


@dataclass(frozen=True)
class Planned:
    """What planning one object came to: looked at, to be sent, as agreed already, still parked for the same reason."""

    looked: int
    planned: int
    unchanged: int
    parked: int


@dataclass(frozen=True)
class Standing:
    """How an object's records stand, all of them: the sum is the number of our customers (SF-11)."""

    source: int
    synced: int
    pending: int
    waiting: int
    parked: int
    parked_by_code: dict[str, int]
    creates: int
    updates: int

    @property
    def accounted(self) -> bool:
        """Tell whether every customer of ours has a place."""
        return self.source == self.synced + self.pending + self.waiting + self.parked


def plan(
    connection: Connection, tenant_id: int, asset: str, intended: Iterable[tuple[int, str, dict[str, Any], bytes]]
) -> Planned:
    """Lay what is intended (st_id, key, payload, digest) over the ledger: what differs from the agreed is pending.

    A record that was parked stays parked until its payload is another one (SF-7), or, where a person has to choose
    among candidates, until that person has (SF-13).
    """
    connection.execute(
        "CREATE TEMP TABLE intended (st_id bigint PRIMARY KEY, key text, wanted jsonb, digest bytea) ON COMMIT DROP"
    )
    rows = iter(intended)
    while batch := list(islice(rows, 5_000)):  # the rows are read from this same connection, which a COPY occupies
        with connection.cursor().copy("COPY intended (st_id, key, wanted, digest) FROM STDIN") as copy:
            for st_id, key, wanted, digest in batch:
                copy.write_row((st_id, key, Jsonb(wanted), digest))
    counts = connection.execute(
        """WITH laid AS (
               INSERT INTO sync.deliveries AS stored (tenant_id, asset, st_id, key, state, wanted, wanted_digest)
               SELECT %(tenant)s, %(asset)s, st_id, key, 'pending', wanted, digest FROM intended
               ON CONFLICT (tenant_id, asset, st_id) DO UPDATE SET
                   key = excluded.key,
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
           FROM sync.deliveries JOIN intended USING (st_id) WHERE tenant_id = %s AND asset = %s""",
        [tenant_id, asset],
    ).fetchone()
    return Planned(**(counts or {}), **(stands or {}))


def ready(
    db: Database, tenant_id: int, asset: str, parent: str | None, *, after: int = 0, limit: int = 1_000
) -> list[Delivery]:
    """Give the next pending deliveries in the order of st_id: due, and with their parent in the target already."""
    with db.connect() as connection:
        rows = connection.execute(
            f"""SELECT d.st_id, d.key, d.remote_id, d.agreed, d.wanted, d.wanted_digest {_READY}
                AND d.st_id > %(after)s ORDER BY d.st_id LIMIT %(limit)s""",
            {"tenant": tenant_id, "asset": asset, "parent": parent, "after": after, "limit": limit},
        ).fetchall()
    return [Delivery(**{**row, "wanted_digest": bytes(row["wanted_digest"])}) for row in rows]


_READY: Final = """
FROM sync.deliveries d
LEFT JOIN sync.deliveries p ON p.tenant_id = d.tenant_id AND p.asset = %(parent)s AND p.st_id = d.st_id
WHERE d.tenant_id = %(tenant)s AND d.asset = %(asset)s AND d.state = 'pending'
AND (d.next_try_at IS NULL OR d.next_try_at <= now()) AND (%(parent)s::text IS NULL OR p.remote_id IS NOT NULL)
"""


def keep_receipts(
    db: Database, run_id: str, tenant_id: int, asset: str, sent: Iterable[tuple[Delivery, Receipt]]
) -> None:
    """Store the receipts of one request: an accepted record is agreed, a refused one parked, a passing one waits."""
    with db.connect() as connection, connection.pipeline():
        cursor = connection.cursor()
        for delivery, receipt in sent:
            at = (tenant_id, asset, delivery.st_id)
            cursor.execute(
                """INSERT INTO sync.receipts
                   (run_id, tenant_id, asset, st_id, outcome, remote_id, code, message, digest)
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
                       code = %s, message = %s, fields = %s, tries = tries + 1,
                       next_try_at = CASE WHEN %s
                                     THEN now() + least(%s * 2 ^ least(tries, 8), 3600) * interval '1 second' END
                       WHERE tenant_id = %s AND asset = %s AND st_id = %s""",
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
    code = NULL, message = NULL, fields = NULL, tries = 0, next_try_at = NULL
WHERE tenant_id = %s AND asset = %s AND st_id = %s AND wanted_digest = %s
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
            at = (tenant_id, asset, delivery.st_id)
            connection.execute(_AGREE, [None, _agreed(delivery), *at, delivery.wanted_digest])


def standing(db: Database, tenant_id: int, asset: str, parent: str | None) -> Standing:
    """Count how every customer of ours stands with a target's object; one not planned yet is pending (SF-11).

    Two counts walk an index of the whole base; all else looks only at what is not synced.
    """
    with db.connect() as connection:
        row = (
            connection.execute(
                """WITH open AS (
                   SELECT d.state, d.remote_id, coalesce(d.code, 'UNKNOWN') AS code,
                          d.state = 'pending' AND p.state = 'parked' AND p.remote_id IS NULL AS waits
                   FROM sync.deliveries d
                   LEFT JOIN sync.deliveries p
                        ON p.tenant_id = d.tenant_id AND p.asset = %(parent)s AND p.st_id = d.st_id
                   WHERE d.tenant_id = %(tenant)s AND d.asset = %(asset)s AND d.state <> 'synced'),
               codes AS (SELECT code, count(*) AS count FROM open WHERE state = 'parked' GROUP BY code ORDER BY code)
               SELECT (SELECT count(*) FROM customers.profile WHERE tenant_id = %(tenant)s) AS source,
                      (SELECT count(*) FROM sync.deliveries
                       WHERE tenant_id = %(tenant)s AND asset = %(asset)s) AS planned,
                      count(*) AS open,
                      count(*) FILTER (WHERE state = 'pending' AND waits IS NOT TRUE) AS pending,
                      count(*) FILTER (WHERE waits) AS waiting,
                      count(*) FILTER (WHERE state = 'parked') AS parked,
                      count(*) FILTER (WHERE state = 'pending' AND waits IS NOT TRUE AND remote_id IS NULL) AS creates,
                      count(*) FILTER (WHERE state = 'pending' AND remote_id IS NOT NULL) AS updates,
                      (SELECT coalesce(jsonb_object_agg(code, count), '{}') FROM codes) AS parked_by_code
               FROM open""",
                {"tenant": tenant_id, "asset": asset, "parent": parent},
            ).fetchone()
            or {}
        )
    unplanned = max(0, row["source"] - row["planned"])
    return Standing(
        source=row["source"],
        synced=row["planned"] - row["open"],
        pending=row["pending"] + unplanned,
        waiting=row["waiting"],
        parked=row["parked"],
        parked_by_code=row["parked_by_code"],
        creates=row["creates"] + unplanned,
        updates=row["updates"],
    )


def parked(db: Database, tenant_id: int) -> list[dict[str, Any]]:
    """List the parked records of a tenant: asset, key, code, message, fields."""
    with db.connect() as connection:
        return connection.execute(
            """SELECT asset, key, st_id, code, message, fields FROM sync.deliveries
               WHERE tenant_id = %s AND state = 'parked' ORDER BY asset, st_id""",
            [tenant_id],
        ).fetchall()


def retry(db: Database, tenant_id: int, key: str | None, *, gone_codes: Sequence[str]) -> int:
    """Let parked records be sent again at the next round, all or those of one key; say how many.

    One that was deleted in the target (`gone_codes`) is asked for anew: its old id is forgotten (SF-13).
    """
    with db.connect() as connection:
        return connection.execute(
            """UPDATE sync.deliveries SET state = 'pending', next_try_at = NULL, tries = 0,
                   remote_id = CASE WHEN code = ANY(%(gone)s) THEN NULL ELSE remote_id END,
                   agreed = CASE WHEN code = ANY(%(gone)s) THEN NULL ELSE agreed END,
                   agreed_digest = CASE WHEN code = ANY(%(gone)s) THEN NULL ELSE agreed_digest END,
                   code = NULL, message = NULL, fields = NULL
               WHERE tenant_id = %(tenant)s AND state = 'parked' AND (%(key)s::text IS NULL OR key = %(key)s)""",
            {"tenant": tenant_id, "key": key, "gone": list(gone_codes)},
        ).rowcount


def wants_sending(connection: Connection, tenant_id: int, asset: str, parent: str | None) -> bool:
    """Tell whether a record of this object is due to be sent; one whose parent is not there only waits."""
    row = connection.execute(
        f"SELECT EXISTS (SELECT {_READY}) AS wants", {"tenant": tenant_id, "asset": asset, "parent": parent}
    ).fetchone()
    return bool(row and row["wants"])


def is_open(db: Database, tenant_id: int, asset: str) -> bool:
    """Tell whether a target's object may be written: it was empty, adopted, or adoption is to be skipped (SF-13)."""
    with db.connect() as connection:
        return (
            connection.execute(
                "SELECT FROM sync.targets WHERE tenant_id = %s AND asset = %s", [tenant_id, asset]
            ).fetchone()
            is not None
        )


def open_target(db: Database, tenant_id: int, asset: str, opened_by: str) -> None:
    """Remember, before the first write, why a target's object may be written."""
    with db.connect() as connection:
        connection.execute(
            "INSERT INTO sync.targets (tenant_id, asset, opened_by) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [tenant_id, asset, opened_by],
        )


def link(db: Database, tenant_id: int, asset: str, pairs: Iterable[tuple[int, str]]) -> None:
    """Tie customers (st_id) to records that the target already holds (remote id); the key goes with the next write.

    Nothing counts as agreed: what we have is written, and what we lack clears nothing there.
    """
    with db.connect() as connection, connection.pipeline():
        for st_id, remote_id in pairs:
            connection.execute(
                """UPDATE sync.deliveries SET remote_id = %s, agreed = NULL, agreed_digest = NULL, state = 'pending',
                       code = NULL, message = NULL, fields = NULL, next_try_at = NULL
                   WHERE tenant_id = %s AND asset = %s AND st_id = %s AND remote_id IS NULL""",
                [remote_id, tenant_id, asset, st_id],
            )


def park_undecided(db: Database, tenant_id: int, asset: str, st_ids: Iterable[int]) -> None:
    """Hold records back until a person has chosen among candidates (SF-13)."""
    with db.connect() as connection:
        connection.execute(
            """UPDATE sync.deliveries
               SET state = 'parked', code = %s, message = 'several records there could be this customer'
               WHERE tenant_id = %s AND asset = %s AND st_id = ANY(%s)""",
            [UNDECIDED, tenant_id, asset, list(st_ids)],
        )


def unlinked(db: Database, tenant_id: int, asset: str) -> Iterator[dict[str, Any]]:
    """Stream the customers that are not tied to a record of the target yet: key and profile columns, for `adopt`."""
    with db.connect() as connection, connection.cursor(name="unlinked") as cursor:
        cursor.execute(
            """SELECT d.key, p.* FROM sync.deliveries d JOIN customers.profile p USING (tenant_id, st_id)
               WHERE d.tenant_id = %s AND d.asset = %s AND d.remote_id IS NULL ORDER BY st_id""",
            [tenant_id, asset],
        )
        yield from cursor


def by_key(db: Database, tenant_id: int, asset: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Give the deliveries of these keys: st_id, remote_id, agreed, state."""
    with db.connect() as connection:
        rows = connection.execute(
            """SELECT key, st_id, remote_id, agreed, state FROM sync.deliveries
               WHERE tenant_id = %s AND asset = %s AND key = ANY(%s)""",
            [tenant_id, asset, list(keys)],
        )
        return {row["key"]: row for row in rows}


def agreed_keys(db: Database, tenant_id: int, asset: str, sample: int | None = None) -> list[str]:
    """Give the keys of the records that the target has acknowledged, all or a random sample of them."""
    with db.connect() as connection:
        rows = connection.execute(
            f"""SELECT key FROM sync.deliveries WHERE tenant_id = %s AND asset = %s AND agreed IS NOT NULL
                ORDER BY {"random()" if sample else "st_id"} LIMIT %s""",
            [tenant_id, asset, sample],
        )
        return [row["key"] for row in rows]


def remote_ids(db: Database, tenant_id: int, asset: str) -> dict[int, str]:
    """Give the target's id of every linked customer (st_id → id)."""
    with db.connect() as connection:
        rows = connection.execute(
            """SELECT st_id, remote_id FROM sync.deliveries
               WHERE tenant_id = %s AND asset = %s AND remote_id IS NOT NULL""",
            [tenant_id, asset],
        )
        return {row["st_id"]: row["remote_id"] for row in rows}


def resend(db: Database, tenant_id: int, asset: str, actual: Iterable[tuple[int, dict[str, Any]]]) -> None:
    """Take as agreed what the target really holds (st_id, fields), so that the next round sends what differs there."""
    with db.connect() as connection, connection.pipeline():
        for st_id, fields in actual:
            connection.execute(
                """UPDATE sync.deliveries SET state = 'pending', wanted = coalesce(wanted, agreed),
                       wanted_digest = coalesce(wanted_digest, agreed_digest), agreed = %s, agreed_digest = NULL
                   WHERE tenant_id = %s AND asset = %s AND st_id = %s AND state <> 'parked'""",
                [Jsonb(fields), tenant_id, asset, st_id],
            )


def park_missing(db: Database, tenant_id: int, asset: str, keys: Sequence[str]) -> None:
    """Park what the target no longer holds: a record that somebody deleted is listed, not made again (SF-13)."""
    with db.connect() as connection:
        connection.execute(
            """UPDATE sync.deliveries SET state = 'parked', code = 'NOT_FOUND', message = 'is missing in the target',
                   wanted = coalesce(wanted, agreed), wanted_digest = coalesce(wanted_digest, agreed_digest),
                   agreed = '{}', agreed_digest = NULL
               WHERE tenant_id = %s AND asset = %s AND key = ANY(%s)""",
            [tenant_id, asset, list(keys)],
        )
