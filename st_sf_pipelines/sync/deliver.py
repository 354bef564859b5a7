"""Delivers one object of a target: plan, guard, open, push; and the account of it, true also when it fails midway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from st_sf_pipelines.errors import MassChangeHeld
from st_sf_pipelines.store import guard as guards
from st_sf_pipelines.store import ledger, outgoing
from st_sf_pipelines.store import standing as standings
from st_sf_pipelines.sync.derive import FOLLOWS
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
    from st_sf_pipelines.store.log import Scope
    from st_sf_pipelines.store.standing import Standing


def deliver(
    db: Database,
    tenant: Tenant,
    destination: Destination,
    target: ObjectMap,
    siblings: Sequence[ObjectMap],
    key_format: str,
    as_of: datetime,
    scope: Scope,
    run_id: str,
    counts: dict[str, Any],
    *,
    guard: Guard,
    closing: Closing,
    skip_adoption: bool,
    sends: bool,
    values: Mapping[str, Any],
    check: Callable[[], None],
) -> Standing:
    """Plan an object, then push it if this round `sends`; fill `counts`, and give how all records stand after it.

    `siblings` are all objects of the target, which are opened together. Those that follow no more than this one are
    planned and guarded with it: a person sees, and allows, the whole change at once. `values` are what the sources'
    statements ask of the system's section. Raise RemoteError, TargetStopped.
    """
    along = _companions(target, siblings)
    planned = {each.asset: plan(db, tenant, each, key_format, as_of, scope, values) for each in along}[target.asset]
    source = outgoing.count(db, tenant.id, target.source)
    before = standings.standing(db, tenant.id, target.asset, source)
    counts["looked"], counts["unchanged"], counts["planned"] = planned.looked, planned.unchanged, before.pending
    calls = destination.calls_for(before.pending)
    counts["would"] = {"create": before.creates, "update": before.updates, "calls": calls}
    called = destination.calls
    try:
        if held := _held(db, tenant, along, guard, closing):
            counts["stopped"] = held
            if sends:
                raise MassChangeHeld(_sentence(tenant, held, run_id))
        if before.pending and sends:
            open_targets(db, destination, tenant.id, siblings, skip=skip_adoption)
            seed(db, destination, tenant.id, target, siblings)
            push(db, destination, tenant.id, target, run_id, check)
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

    An object that is held is planned by each round, with its companions; those behind it are not reached.
    """
    held = {each.asset for each in targets if _exceeds(db, tenant, each, guard, closing)}
    planned: set[str] = set()
    stuck: set[str] = set()
    for target in targets:
        companions = {each.asset for each in _companions(target, targets)}
        if target.ahead & stuck:
            stuck.add(target.asset)
        elif companions & held:
            stuck.add(target.asset)
            planned |= companions
    reached = [each for each in targets if each.asset not in stuck or each.asset in planned]
    if any(is_behind(db, tenant, each, key_format) for each in reached):
        return "changes wait to be planned, or a map was edited"
    with db.connect() as connection:
        free = [each.asset for each in targets if each.asset not in stuck]
        waits = any(ledger.wants_sending(connection, tenant.id, asset) for asset in free)
    return "records wait to be sent" if waits else ""


def _exceeds(db: Database, tenant: Tenant, target: ObjectMap, guard: Guard, closing: Closing) -> bool:
    with db.connect() as connection:
        if not ledger.wants_sending(connection, tenant.id, target.asset):
            return False
    return mass_change(db, tenant, target, closing).exceeds(guard.share, guard.at_least)


def _companions(target: ObjectMap, siblings: Sequence[ObjectMap]) -> list[ObjectMap]:
    """Give the objects that follow no more than this one, itself among them: they are planned and guarded together."""
    return [each for each in siblings if set(FOLLOWS[each.asset]) <= set(FOLLOWS[target.asset])]


def mass_change(db: Database, tenant: Tenant, target: ObjectMap, closing: Closing) -> MassChange:
    """Count what an object's plan would do to the records that are linked (CRM-15)."""
    return guards.mass_change(
        db,
        tenant.id,
        target.asset,
        unguarded=target.unguarded,
        closing=closing.fields,
        closed=closing.values,
        owners=closing.owners,
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


def _sentence(tenant: Tenant, held: dict[str, str], run_id: str) -> str:
    told = "; ".join(f"{asset} {what}" for asset, what in held.items())
    return (
        f"{tenant.name}: this round {told}. Nothing of it was written; look with `st-sf plan`, then let it go on with "
        f"`st-sf allow {run_id}`"
    )
