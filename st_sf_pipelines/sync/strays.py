"""Records that a person deleted or merged in a target: noticed by what points to them, given up, or followed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.ports import Outcome
from st_sf_pipelines.store import adoption, again, standing
from st_sf_pipelines.sync.references import pointed_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.ports import Destination, Receipt
    from st_sf_pipelines.store.database import Database
    from st_sf_pipelines.store.ledger import Delivery
    from st_sf_pipelines.sync.references import Pointed

    Answered = list[tuple[Delivery, Receipt]]
    Lost = Mapping[str, Sequence[Mapping[str, Any]]]


def look(
    db: Database,
    destination: Destination,
    tenant_id: int,
    target: ObjectMap,
    siblings: Sequence[ObjectMap],
    sent: Mapping[str, tuple[Delivery, Mapping[str, Any]]],
    answered: Answered,
) -> tuple[Answered, Lost]:
    """Look whether what refused records point to is still there; give the receipts as they are then, and what is not.

    A receipt names the fields that point to nothing; a new record waits for one that it hangs on. What is lost comes by
    asset: subject, key, remote_id. Raise RemoteError.
    """
    pointed = {
        receipt.key: {
            name: to
            for name, to in pointed_to(sent[receipt.key][1], target, siblings).items()
            if not receipt.fields or name in receipt.fields
        }
        for _, receipt in answered
        if receipt.code in destination.stray_codes
    }
    lost = _lost(db, destination, tenant_id, siblings, (to for each in pointed.values() for to in each.values()))
    gone = {(asset, row[name]) for asset, rows in lost.items() for row in rows for name in ("subject", "key")}
    told: Answered = []
    for delivery, receipt in answered:
        if fields := tuple(name for name, to in pointed.get(receipt.key, {}).items() if to in gone):
            waits = delivery.remote_id is None and delivery.parent in gone
            outcome = Outcome.PASSING if waits else Outcome.REFUSED
            told.append((delivery, replace(receipt, outcome=outcome, code=destination.stray_codes[0], fields=fields)))
        else:
            told.append((delivery, receipt))
    return told, lost


def _lost(
    db: Database, destination: Destination, tenant_id: int, siblings: Sequence[ObjectMap], pointed: Iterable[Pointed]
) -> Lost:
    wanted: defaultdict[str, set[int | str]] = defaultdict(set)
    for asset, name in pointed:
        wanted[asset].add(name)
    lost: dict[str, list[dict[str, Any]]] = {}
    for sibling in siblings:
        rows = standing.linked(db, tenant_id, sibling.asset, wanted[sibling.asset]) if sibling.asset in wanted else []
        if ids := [row["remote_id"] for row in rows]:
            there = {remote.remote_id for remote in destination.read(sibling, (), keyed=False, ids=ids)}
            lost[sibling.asset] = [row for row in rows if row["remote_id"] not in there]
    return lost


def give_up(
    db: Database, destination: Destination, tenant_id: int, target: ObjectMap, lost: Sequence[Mapping[str, Any]]
) -> None:
    """Park records that somebody deleted there, so that a person sees them and the mend; merged ones are followed."""
    if lost:
        again.park_missing(db, tenant_id, target.asset, [row["key"] for row in lost])
        follow_merges(db, destination, tenant_id, target, {row["remote_id"]: row["subject"] for row in lost})


def follow_merges(
    db: Database, destination: Destination, tenant_id: int, target: ObjectMap, gone: Mapping[str, int]
) -> None:
    """Tie records that are gone because the target merged them to the ones that won; they are sent anew (SF-10).

    Where the winner is another customer's already, a person has to merge the two in ServiceTitan, or part them there.
    """
    masters = destination.masters(target, list(gone)) if gone else {}
    if masters:
        adoption.relink(db, tenant_id, target.asset, {gone[loser]: master for loser, master in masters.items()})
