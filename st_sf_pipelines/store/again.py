"""Lets records be sent again: the parked when a person asks, and what a target shows otherwise than agreed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from st_sf_pipelines.store.ledger import HANDED_OVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from st_sf_pipelines.store.database import Database


def retry(db: Database, tenant_id: int, key: str | None, *, gone_codes: Sequence[str]) -> int:
    """Let parked records be sent again at the next round, all or those of one key; say how many.

    One that was deleted in the target (`gone_codes`) is asked for anew: its old id is forgotten (SF-13). It is looked
    for before it is made, as the code may speak of a record that it points to. A double that was handed over is done
    with, once it is named.
    """
    values = {"tenant": tenant_id, "key": key, "gone": list(gone_codes), "double": HANDED_OVER}
    with db.connect() as connection:
        done = connection.execute(
            """DELETE FROM sync.deliveries
               WHERE tenant_id = %(tenant)s AND state = 'parked' AND code = %(double)s AND key = %(key)s""",
            values,
        ).rowcount
        return (
            done
            + connection.execute(
                """UPDATE sync.deliveries SET state = 'pending', next_try_at = NULL, tries = 0,
                       sent_at = CASE WHEN code = ANY(%(gone)s) THEN now() ELSE sent_at END,
                       remote_id = CASE WHEN code = ANY(%(gone)s) THEN NULL ELSE remote_id END,
                       agreed = CASE WHEN code = ANY(%(gone)s) THEN NULL ELSE agreed END,
                       agreed_digest = CASE WHEN code = ANY(%(gone)s) THEN NULL ELSE agreed_digest END,
                       code = NULL, message = NULL, fields = NULL
                   WHERE tenant_id = %(tenant)s AND state = 'parked' AND (%(key)s::text IS NULL OR key = %(key)s)
                   AND code IS DISTINCT FROM %(double)s""",
                values,
            ).rowcount
        )


def resend(db: Database, tenant_id: int, asset: str, actual: Iterable[tuple[int, dict[str, Any]]]) -> None:
    """Take as agreed what the target really holds (subject, fields): the next round sends what differs there."""
    with db.connect() as connection, connection.pipeline():
        for subject, fields in actual:
            connection.execute(
                """UPDATE sync.deliveries SET state = 'pending', wanted = coalesce(wanted, agreed),
                       wanted_digest = coalesce(wanted_digest, agreed_digest), agreed = %s, agreed_digest = NULL
                   WHERE tenant_id = %s AND asset = %s AND subject = %s AND state <> 'parked'""",
                [Jsonb(fields), tenant_id, asset, subject],
            )


def park_missing(db: Database, tenant_id: int, asset: str, keys: Sequence[str]) -> None:
    """Park what the target no longer holds: a record that somebody deleted is listed, not made again (SF-13).

    What is new and hangs on one of these waits for it, and for nothing else.
    """
    with db.connect() as connection:
        connection.execute(
            """UPDATE sync.deliveries d SET next_try_at = NULL FROM sync.deliveries p
               WHERE p.tenant_id = %s AND p.asset = %s AND p.key = ANY(%s) AND d.tenant_id = p.tenant_id
               AND d.parent_asset = p.asset AND d.parent_subject = p.subject AND d.remote_id IS NULL""",
            [tenant_id, asset, list(keys)],
        )
        connection.execute(
            """UPDATE sync.deliveries SET state = 'parked', code = 'NOT_FOUND', message = 'is missing in the target',
                   wanted = coalesce(wanted, agreed), wanted_digest = coalesce(wanted_digest, agreed_digest),
                   agreed = '{}', agreed_digest = NULL
               WHERE tenant_id = %s AND asset = %s AND key = ANY(%s)""",
            [tenant_id, asset, list(keys)],
        )
