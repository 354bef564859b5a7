"""Derives the deals of those that changed, fell due, or were moved by hand: the fold of rules/, over what is stored."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.rules.activities import stage_changed
from st_sf_pipelines.rules.by_hand import set_by_hand
from st_sf_pipelines.rules.deals import Deal, Held, Move
from st_sf_pipelines.rules.facts import AsOf
from st_sf_pipelines.rules.fold import fold
from st_sf_pipelines.rules.handover import hand_over
from st_sf_pipelines.rules.pipelines import pipeline_of_unit
from st_sf_pipelines.store import conclusions, log, shown
from st_sf_pipelines.store import deals as store
from st_sf_pipelines.store.facts import deal_facts, ownerless
from st_sf_pipelines.store.members import add_survivors
from st_sf_pipelines.sync.derive import FOLLOWS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from st_sf_pipelines.config import Pipelines, Tenant
    from st_sf_pipelines.rules.deals import Concluded
    from st_sf_pipelines.rules.facts import Facts
    from st_sf_pipelines.store.database import Connection, Database
    from st_sf_pipelines.store.log import Scope

ASSET: Final = store.ASSET
BATCH: Final = 1_000
BY_HAND: Final = "by hand"
"""The rule of a move that a person made in the CRM."""
NOBODYS: Final = "the estimate names neither a job nor a customer that we know"
RULES_VERSION: Final = "3"  # raise it when the fold concludes otherwise than before


@dataclass(frozen=True)
class Dealt:
    """What a look at the deals came to; the totals count all deals, contacts and things held that stand."""

    looked: int
    new: int
    changed: int
    moves: int
    total: int
    contacts: int
    held: int

    @property
    def counts(self) -> dict[str, int]:
        """Give them by name."""
        return asdict(self)


def deals_version(connection: Connection, tenant: Tenant, rules: Pipelines) -> str:
    """Change when the rules, their settings, the zone or a business unit's name change: everybody is looked at."""
    units = sorted(store.unit_names(connection, tenant.id).items())
    told = f"{RULES_VERSION} {rules.model_dump_json()} {tenant.timezone} {units}"
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


def derive_deals(
    db: Database, tenant: Tenant, rules: Pipelines, as_of: datetime, last_good: datetime | None, scope: Scope
) -> Dealt:
    """Bring the deals up to date, in one transaction: whose they are, then what their facts lead to."""
    moment = AsOf(as_of, tenant.zone, last_good.astimezone(tenant.zone).date() if last_good else None)
    written = conclusions.Written()
    with db.connect() as connection:
        version = deals_version(connection, tenant, rules)
        seq = log.look(connection, tenant.id, ASSET, FOLLOWS[ASSET], version, scope)
        if not scope.ids:
            store.add_due(connection, tenant.id, moment.today)
        store.add_seen(connection, tenant.id)
        add_survivors(connection, tenant.id)
        _hand_over(connection, tenant, moment)
        looked = 0
        concluded = _concluded(connection, tenant, rules, moment)
        while batch := list(islice(concluded, BATCH)):
            conclusions.write(connection, tenant.id, batch, written)
            looked += len(batch)
        conclusions.let_go(connection, tenant.id)
        written.changed += shown.refresh(connection, tenant.id)
        recent = as_of - timedelta(days=rules.opportunity_window_days)
        strays = [Held(None, "CRM-3", NOBODYS, (f"estimate {nr}",)) for nr in ownerless(connection, tenant.id, recent)]
        conclusions.hold_of_nobody(connection, tenant.id, strays)
        log.move(connection, tenant.id, ASSET, seq, version)
        totals = conclusions.totals(connection, tenant.id, written)
    return Dealt(looked, written.new, written.changed, written.moves, **totals)


def is_behind(db: Database, tenant: Tenant, rules: Pipelines, as_of: datetime) -> bool:
    """Tell whether there is something to look at: the log went on, a rule was edited, a deal is due or set by hand."""
    with db.connect() as connection:
        version = deals_version(connection, tenant, rules)
        return store.has_due(connection, tenant.id, as_of.astimezone(tenant.zone).date()) or log.behind(
            connection, tenant.id, ASSET, FOLLOWS[ASSET], version
        )


def unmapped(db: Database, tenant: Tenant, rules: Pipelines) -> dict[str, str]:
    """Give the business units that nobody mapped, each with the pipeline that its name leads to (CRM, section 3)."""
    with db.connect() as connection:
        names = store.unit_names(connection, tenant.id).values()
    found = {unit: pipeline_of_unit(unit, rules.business_units) for unit in sorted({name for name in names if name})}
    return {unit: pipeline for unit, (pipeline, is_mapped) in found.items() if not is_mapped}


def _hand_over(connection: Connection, tenant: Tenant, moment: AsOf) -> None:
    keeper_of = store.keepers(connection, tenant.id)
    if not keeper_of:
        return
    before = store.kept(connection, tenant.id, keeper_of)
    numbers = store.last_numbers(connection, tenant.id, keeper_of.values())
    handed = hand_over(before.values(), keeper_of, numbers, moment)
    after = {deal.key: deal for deals in handed.deals.values() for deal in deals}
    told = [stage_changed(after[move.deal], move, after[move.deal].changes) for move in handed.moves]
    conclusions.hand_over(connection, tenant.id, before, after, handed.moves, told, handed.rekeyed)
    conclusions.hand_over_contacts(connection, tenant.id, keeper_of)


def _concluded(
    connection: Connection, tenant: Tenant, rules: Pipelines, moment: AsOf
) -> Iterator[tuple[Facts, list[Deal], Concluded]]:
    store.show_to_facts(connection, tenant.id)
    contacts = store.contacts(connection, tenant.id)
    seen = store.take_seen(connection, tenant.id)
    for bare, before in facts_with_deals(connection, tenant.id, widest_window(rules, moment)):
        facts = replace(bare, contact=contacts.get(bare.subject))
        now, held = _as_people_set_them(before, seen, facts)
        concluded = fold(facts, now, moment, rules)
        by_hand = [
            Move(was.key, was.place, deal.place, BY_HAND, (), moment.at)
            for was, deal in zip(before, now, strict=True)
            if was.place != deal.place
        ]
        yield facts, before, replace(concluded, held=(*held, *concluded.held), moves=(*by_hand, *concluded.moves))


def facts_with_deals(
    connection: Connection, tenant_id: int, since: datetime | None
) -> Iterator[tuple[Facts, list[Deal]]]:
    """Stream the facts of those in `subject`, each beside its deals as they are kept, a batch at a time."""
    facts = deal_facts(connection, tenant_id, since)
    while batch := list(islice(facts, BATCH)):
        deals = store.deals_of(connection, tenant_id, [each.subject for each in batch])
        for each in batch:
            yield each, deals.get(each.subject, [])


def _as_people_set_them(
    deals: list[Deal], seen: dict[str, dict[str, Any]], facts: Facts
) -> tuple[list[Deal], list[Held]]:
    """Take over what people set in the CRM: a pin, and a stage that is not ours (CRM-7)."""
    now: list[Deal] = []
    held: list[Held] = []
    for deal in deals:
        there = seen.get(deal.key)
        if there is None:
            now.append(deal)
            continue
        pinned = deal if there["pinned"] is None else replace(deal, pinned=there["pinned"])
        if there["stage"] is None or there["stage"] == deal.stage:
            now.append(pinned)
            continue
        placed = set_by_hand(pinned, there["stage"], there["seen_at"], facts)
        if isinstance(placed, Held):
            held.append(placed)
            placed = pinned
        now.append(placed)
    return now, held


def widest_window(rules: Pipelines, moment: AsOf) -> datetime | None:
    """Give the begin of the widest window that the rules look back on; None: all of history counts."""
    if rules.contact_window_days == "all":
        return None
    days = max(rules.contact_window_days, rules.opportunity_window_days)
    if moment.last_good_on:
        days = max(days, (moment.today - moment.last_good_on).days)
    return moment.at - timedelta(days=days + 2)  # a local day begins before the instant does
