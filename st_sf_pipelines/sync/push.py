"""Pushes what is planned: in batches, parents first, with a receipt stored for every record sent (SF-6, SF-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from st_sf_pipelines.errors import TargetStopped
from st_sf_pipelines.mapping import difference
from st_sf_pipelines.ports import Outcome, Upsert
from st_sf_pipelines.store import adoption, ledger
from st_sf_pipelines.sync import references, strays

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.ports import Destination
    from st_sf_pipelines.store.database import Database
    from st_sf_pipelines.sync.strays import Lost

BATCH: Final = 1_000
"""Records taken from the plan at a time: what one Salesforce call carries (five collections of 200)."""


def open_targets(
    db: Database, destination: Destination, tenant_id: int, targets: Sequence[ObjectMap], *, skip: bool
) -> None:
    """See to it, before the first write of any object, that none can double what the target already holds (SF-13).

    Raise TargetStopped if it holds records without our key and nobody has run `adopt` or said `adopt: skip`.
    """
    closed = [target for target in targets if not adoption.is_open(db, tenant_id, target.asset)]
    strangers = [] if skip or not closed else destination.strangers(closed)
    if strangers:
        named = " and ".join(f"{target.remote} records without {target.key}" for target in strangers)
        raise TargetStopped(
            f"the target already holds {named}; nothing was written. Look with `st-sf adopt`, then link them with "
            "`st-sf adopt --apply` (or say `adopt: skip` in the site file)"
        )
    for target in closed:
        adoption.open_target(db, tenant_id, target.asset, "skip" if skip else "empty")


def push(
    db: Database,
    destination: Destination,
    tenant_id: int,
    target: ObjectMap,
    siblings: Sequence[ObjectMap],
    run_id: str,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Send every delivery that is due and whose parent is there. Raise RemoteError if the target cannot be worked.

    `siblings` are all objects of the target, to which this one may point. `check` is asked before each batch, and
    raises if the round may not go on. Receipts are stored request by request: after a kill, only the last request is
    sent again, under the same keys, or looked up where the target has none.
    """
    after = None
    while batch := ledger.ready(db, tenant_id, target.asset, after=after, limit=BATCH):
        check()
        after = batch[-1].subject
        differs = {d.key: (d, difference(target, d.wanted, d.agreed)) for d in batch}
        ledger.agree(db, tenant_id, target.asset, [d for d, fields in differs.values() if not fields])
        sent = {key: pair for key, pair in differs.items() if pair[1]}
        found = references.remote_ids(db, tenant_id, (fields for _, fields in sent.values()))
        upserts = [
            Upsert(d.key, references.resolved(fields, found), d.remote_id, d.unsure) for d, fields in sent.values()
        ]
        if not target.external_id:
            new = [d.subject for d, _ in sent.values() if d.remote_id is None]
            ledger.note_attempt(db, tenant_id, target.asset, new)
        for receipts in destination.push(target, upserts):
            answered = [(differs[receipt.key][0], receipt) for receipt in receipts]
            lost: Lost = {}
            try:
                answered, lost = strays.look(db, destination, tenant_id, target, siblings, sent, answered)
            finally:
                ledger.keep_receipts(db, run_id, tenant_id, target.asset, answered)
            for sibling in siblings:
                strays.give_up(db, destination, tenant_id, sibling, lost.get(sibling.asset, ()))
            gone = {d.remote_id: d.subject for d, r in answered if r.outcome is Outcome.GONE and d.remote_id}
            strays.follow_merges(db, destination, tenant_id, target, gone)
