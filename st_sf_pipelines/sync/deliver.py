"""Delivers a target: all of it planned and guarded, then each object opened and pushed, and the account of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.errors import MassChangeHeld
from st_sf_pipelines.store import guard as guards
from st_sf_pipelines.store import ledger, outgoing
from st_sf_pipelines.store import standing as standings
from st_sf_pipelines.sync.plan import is_behind, plan
from st_sf_pipelines.sync.push import open_targets, push

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from st_sf_pipelines.config import Guard, Tenant
    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.ports import Closing, Destination
    from st_sf_pipelines.store.database import Database
    from st_sf_pipelines.store.guard import MassChange
    from st_sf_pipelines.store.ledger import Planned
    from st_sf_pipelines.store.log import Scope
    from st_sf_pipelines.store.standing import Standing


@dataclass(frozen=True)
class Prepared:
    """What became of a target's plan before its first write: what each object's came to, and what the guard holds.

    `held` says, for each object of which too many records would change, what its plan would do; if there is any,
    nothing of the target is written.
    """

    planned: Mapping[str, Planned]
    held: Mapping[str, str]


def prepare(
    db: Database,
    tenant: Tenant,
    targets: Sequence[ObjectMap],
    key_format: str,
    as_of: datetime,
    scope: Scope,
    *,
    guard: Guard,
    closing: Closing,
    values: Mapping[str, Any],
) -> Prepared:
    """Plan and guard all objects of a target, so that a person sees, and allows, the whole change at once (CRM-15).

    It is done once a round, when all that the objects follow is derived. An object whose facts could not be had is
    planned by those it has; what is missing touches it again. `values` are what the sources' statements ask of the
    system's section.
    """
    planned = {each.asset: plan(db, tenant, each, key_format, as_of, scope, values) for each in targets}
    return Prepared(planned, _held(db, tenant, targets, guard, closing))


def deliver(
    db: Database,
    tenant: Tenant,
    destination: Destination,
    target: ObjectMap,
    siblings: Sequence[ObjectMap],
    prepared: Prepared,
    run_id: str,
    counts: dict[str, Any],
    *,
    skip_adoption: bool,
    sends: bool,
    check: Callable[[], None],
) -> Standing:
    """Push an object that is `prepared` if this round `sends`; fill `counts`, and give how all records stand after it.

    `siblings` are all objects of the target, which are opened together. Raise RemoteError, TargetStopped.
    """
    source = outgoing.count(db, tenant.id, target.source)
    before = standings.standing(db, tenant.id, target.asset, source)
    planned = prepared.planned[target.asset]
    counts["looked"], counts["unchanged"], counts["planned"] = planned.looked, planned.unchanged, before.pending
    calls = destination.calls_for(before.pending)
    storage = destination.storage_for(target, before.creates)
    counts["would"] = {"create": before.creates, "update": before.updates, "calls": calls, "storage_kb": storage}
    called = destination.calls
    try:
        if prepared.held:
            counts["stopped"] = dict(prepared.held)
            if sends:
                raise MassChangeHeld(_sentence(tenant, prepared.held, run_id))
        if before.pending and sends:
            open_targets(db, destination, tenant.id, siblings, skip=skip_adoption)
            seed(db, destination, tenant.id, target, siblings)
            push(db, destination, tenant.id, target, siblings, run_id, check)
    finally:
        counts.update(ledger.outcomes(db, run_id, tenant.id, target.asset))
        standing = standings.standing(db, tenant.id, target.asset, source)
        counts["parked"], counts["waiting"], counts["pending"] = standing.parked, standing.waiting, standing.pending
        counts["calls"] = destination.calls - called
    return standing


def seed(
    db: Database, destination: Destination, tenant_id: int, target: ObjectMap, siblings: Sequence[ObjectMap]
) -> None:
    """See to what an object points to that is none of our records (the CRM's pipelines and stages) (CRM-10)."""
    if target.points_to - {sibling.asset for sibling in siblings}:
        for asset, remote_ids in destination.seed(standings.seeded(db, tenant_id)).items():
            standings.keep_seeded(db, tenant_id, asset, remote_ids)


def has_news(
    db: Database, tenant: Tenant, targets: Sequence[ObjectMap], key_format: str, guard: Guard, closing: Closing
) -> str:
    """Say why a round of a target would get somewhere, or nothing: what the guard holds is no news until it is allowed.

    A target that is held is planned by each round, and nothing of it is sent.
    """
    if any(is_behind(db, tenant, each, key_format) for each in targets):
        return "changes wait to be planned, or a map was edited"
    with db.connect() as connection:
        waits = any(ledger.wants_sending(connection, tenant.id, each.asset) for each in targets)
    return "records wait to be sent" if waits and not _held(db, tenant, targets, guard, closing) else ""


def mass_change(
    db: Database, tenant: Tenant, target: ObjectMap, closing: Closing, *, shown: int | None = guards.SHOWN
) -> MassChange:
    """Count what an object's plan would do to the records that are linked, naming `shown` of them, or all (CRM-15)."""
    return guards.mass_change(
        db,
        tenant.id,
        target.asset,
        unguarded=target.unguarded,
        closing=closing.fields,
        closed=closing.values,
        owners=closing.owners,
        shown=shown,
    )


def _held(db: Database, tenant: Tenant, targets: Sequence[ObjectMap], guard: Guard, closing: Closing) -> dict[str, str]:
    """Say for each object of which too many records would change what its plan would do, in numbers and keys."""
    held: dict[str, str] = {}
    for target in targets:
        change = mass_change(db, tenant, target, closing)
        if change.exceeds(guard.share, guard.at_least):
            kinds = [("close", change.closed), ("clear", change.cleared), ("reassign", change.reassigned)]
            named = ", ".join(f"{verb} {count}" for verb, count in (*kinds, ("overwrite", change.overwritten)) if count)
            more = f" and {change.changed - len(change.keys)} more" if change.changed > len(change.keys) else ""
            held[target.asset] = (
                f"would change {change.changed} of {change.linked} records ({named}): {', '.join(change.keys)}{more}"
            )
    return held


def _sentence(tenant: Tenant, held: Mapping[str, str], run_id: str) -> str:
    told = "; ".join(f"{asset} {what}" for asset, what in held.items())
    return (
        f"{tenant.name}: this round {told}. Nothing of it was written; `st-sf plan --json` lists every record of it, "
        f"`st-sf allow {run_id}` lets it go on"
    )
