"""What we know of customers: one's story with its rule and records, and what did not fit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.defs.instance import open_database
from st_sf_pipelines.defs.resources import tenants_of
from st_sf_pipelines.errors import ConfigError
from st_sf_pipelines.store import quarantine, sweeps
from st_sf_pipelines.sync import derive

if TYPE_CHECKING:
    from st_sf_pipelines.settings import Settings


def explain(settings: Settings, name: str | None, customer: str) -> dict[str, Any]:
    """Explain a customer by its ServiceTitan id or its key (st_123), of one tenant or of the first that knows it.

    Raise ConfigError if the text is no id, or nobody knows it.
    """
    digits = "".join(filter(str.isdecimal, customer))
    if not digits:
        raise ConfigError([f"{customer!r} is no customer id; expected a number such as 12345, or st_12345"])
    tenants = tenants_of(settings, name)
    db = open_database(settings)
    for tenant in tenants:
        found = derive.explain(db, tenant, settings.site.segments_of(tenant), int(digits), datetime.now(UTC))
        if found is not None:
            return {"tenant": tenant.name, **found}
    raise ConfigError([f"no customer {digits} is known; run `st-sf sync` first, or look for a typing error"])


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
