"""What we know of customers: one's story with its rule and records, and what did not fit."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.defs.instance import open_database
from st_sf_pipelines.defs.resources import tenants_of
from st_sf_pipelines.errors import ConfigError
from st_sf_pipelines.rules.states import STATE
from st_sf_pipelines.store import quarantine, sweeps
from st_sf_pipelines.store.states import set_by_hand
from st_sf_pipelines.sync.derive import day_of
from st_sf_pipelines.sync.explain import explain as tell

if TYPE_CHECKING:
    from st_sf_pipelines.config import Tenant
    from st_sf_pipelines.settings import Settings


_KEYS: Final = ("{id}", "st_{id}")


def subject_of(text: str, tenant: Tenant) -> int | None:
    """Read whom a person means: 12345, st_12345 or the tenant's own key, an opportunity's st_12345_2, a lead's lead_67.

    A lead is below zero. Give None if the text is none of these.
    """
    for key in (*_KEYS, *([tenant.salesforce.external_id] if tenant.salesforce else [])):
        before, after = map(re.escape, key.split("{id}"))
        if match := re.fullmatch(rf"{before}(lead_)?(\d+)(_\d+)?{after}", text.strip()):
            return -int(match[2]) if match[1] else int(match[2])
    return None


def _meant(settings: Settings, name: str | None, text: str) -> list[tuple[Tenant, int]]:
    """Give whom a person means in each tenant that has such keys. Raise ConfigError if none has."""
    read = [(tenant, subject_of(text, tenant)) for tenant in tenants_of(settings, name)]
    meant = [(tenant, subject) for tenant, subject in read if subject is not None]
    if not meant:
        raise ConfigError(
            [f"{text!r} is no customer; expected a number such as 12345, st_12345, st_12345_1 or lead_67"]
        )
    return meant


def explain(settings: Settings, name: str | None, customer: str) -> dict[str, Any]:
    """Explain a customer or an opportunity by its id or key, of one tenant or of the first that knows it.

    Raise ConfigError if the text is no id, or nobody knows it.
    """
    meant = _meant(settings, name, customer)
    db = open_database(settings)
    for tenant, subject in meant:
        found = tell(db, tenant, settings.site, subject, datetime.now(UTC))
        if found is not None:
            return {"tenant": tenant.name, **found}
    raise ConfigError([f"{customer}: not known; run `st-sf sync` first, or look for a typing error"])


def set_state(settings: Settings, name: str | None, customer: str, state: str, reason: str) -> dict[str, Any]:
    """Set a customer's state by hand, with the reason (STATE-3); it stays until a newer fact supports another.

    Raise ConfigError for a state that is none, an empty reason, or a customer that nobody knows.
    """
    if state not in STATE:
        raise ConfigError([f"{state!r} is no state; expected one of {', '.join(STATE)}"])
    if not reason.strip():
        raise ConfigError(["--reason is empty; say why, it is kept with the change"])
    meant = _meant(settings, name, customer)
    db, now = open_database(settings), datetime.now(UTC)
    for tenant, subject in meant:
        day = day_of(tenant, now)
        if set_by_hand(db, tenant.id, subject, state, reason.strip(), now, day):
            return {"tenant": tenant.name, "customer": customer, "state": state, "reason": reason.strip()}
    raise ConfigError([f"{customer}: has no state yet; run `st-sf sync` first, or look for a typing error"])


def drop_quarantined(settings: Settings, name: str | None, key: str, entity: str | None) -> dict[str, Any]:
    """Dismiss the one record in quarantine that has this key (EXT-6); raise ConfigError if there is none, or several.

    One without an id is never released by itself: nothing tells which record it was.
    """
    tenants, db = tenants_of(settings, name), open_database(settings)
    standing = [
        (tenant, row["entity"])
        for tenant in tenants
        for row in quarantine.records(db, tenant.id)
        if row["key"] == key and entity in (None, row["entity"])
    ]
    if not standing:
        raise ConfigError([f"nothing is in quarantine under {key!r}; `st-sf quarantine` lists what is"])
    [(tenant, found), *others] = standing
    if others:
        which = ", ".join(f"{each.name} {among}" for each, among in standing)
        raise ConfigError([f"{key!r} is in quarantine more than once ({which}); say which by --tenant and --entity"])
    quarantine.drop(db, tenant.id, found, key)
    return {"tenant": tenant.name, "entity": found, "dropped": key}


def list_quarantine(settings: Settings, name: str | None) -> dict[str, Any]:
    """List what did not fit (EXT-6): records with their reasons, fields that we did not know, records that are gone."""
    tenants = tenants_of(settings, name)
    db = open_database(settings)
    return {
        "tenants": [
            {
                "name": each.name,
                "quarantine": quarantine.records(db, each.id),
                "drift": quarantine.drift(db, each.id),
                "gone": sweeps.gone(db, each.id),
            }
            for each in tenants
        ]
    }
