"""Derives profile and segment of those that changed or fell due; what each derived asset follows stands here."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from st_sf_pipelines.rules import segments, states
from st_sf_pipelines.store import derived, log
from st_sf_pipelines.store import segments as stored
from st_sf_pipelines.store import states as state_store

if TYPE_CHECKING:
    from datetime import date, datetime

    import pandas as pd

    from st_sf_pipelines.config import Pipelines, Segments, Site, States, Tenant
    from st_sf_pipelines.store.database import Database
    from st_sf_pipelines.store.derived import Derived
    from st_sf_pipelines.store.log import Scope

STATES_VERSION: Final = "1"  # raise it when the rules of states conclude otherwise than before

# fmt: off
FOLLOWS: Final = {  # asset → the assets whose changes it looks at; the asset graph is drawn from it
    "customers/profile":   ("servicetitan/customers", "servicetitan/customer_contacts",
                            "servicetitan/jobs", "servicetitan/invoices"),
    "customers/segment":   ("customers/profile",),
    "customers/state":     ("customers/profile", "servicetitan/leads", "servicetitan/jobs",
                            "servicetitan/appointments", "servicetitan/estimates", "servicetitan/business_units"),
    "pipeline/opportunities":
                           ("customers/profile", "servicetitan/leads", "servicetitan/jobs",
                            "servicetitan/appointments", "servicetitan/appointment_assignments",
                            "servicetitan/estimates", "servicetitan/business_units",
                            "servicetitan/technicians", "servicetitan/employees"),
    "salesforce/accounts": ("customers/profile", "customers/segment"),
    "salesforce/contacts": ("customers/profile",),
    "salesforce/opportunities":
                           ("pipeline/opportunities", "servicetitan/campaigns"),
    "salesforce/events":   ("customers/profile", "servicetitan/jobs", "servicetitan/appointments"),
    "salesforce/leads":    ("servicetitan/leads", "pipeline/opportunities", "servicetitan/campaigns"),
    "salesforce/campaign_members":
                           ("customers/segment",),
    "crm/contacts":        ("customers/profile", "servicetitan/leads", "pipeline/opportunities"),
    "crm/opportunities":   ("pipeline/opportunities",),
    "crm/activities":      ("pipeline/opportunities",),
}
# fmt: on


def day_of(tenant: Tenant, as_of: datetime) -> date:
    """Give the tenant's own calendar day at an instant."""
    return as_of.astimezone(tenant.zone).date()


def profile_version(tenant: Tenant) -> str:
    """Change when profiles would come out otherwise: the statement, or the zone of the tenant's days."""
    return f"{derived.PROFILE_VERSION} {tenant.timezone}"


def segment_version(bounds: Segments) -> str:
    """Change when a threshold changes, so that everybody is looked at again."""
    return hashlib.blake2b(bounds.model_dump_json().encode(), digest_size=8).hexdigest()


def derive_profiles(db: Database, tenant: Tenant, scope: Scope) -> Derived:
    """Bring the profiles up to date."""
    follows = FOLLOWS["customers/profile"]
    return derived.derive_profiles(db, tenant.id, tenant.timezone, profile_version(tenant), follows, scope)


def derive_segments(db: Database, tenant: Tenant, bounds: Segments, as_of: datetime, scope: Scope) -> Derived:
    """Bring the segments up to date for the tenant's day at `as_of`."""
    day = day_of(tenant, as_of)

    def steps(facts: pd.DataFrame) -> pd.DataFrame:
        return segments.steps(facts, day, bounds)

    return stored.derive_segments(db, tenant.id, day, segment_version(bounds), scope, steps)


def state_version(tenant: Tenant, bounds: States, rules: Pipelines) -> str:
    """Change when a limit of the states, the pipeline of a business unit, or the zone of the days changes."""
    told = f"{STATES_VERSION} {bounds.model_dump_json()} {sorted(rules.business_units.items())} {tenant.timezone}"
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


def derive_states(
    db: Database, tenant: Tenant, bounds: States, rules: Pipelines, as_of: datetime, scope: Scope
) -> dict[str, int]:
    """Bring the customer states up to date for the tenant's day at `as_of`; give looked, new, changed, total."""
    day = day_of(tenant, as_of)

    def conclude(facts: pd.DataFrame) -> pd.DataFrame:
        return states.conclude(facts, day, tenant.zone, bounds)

    version = state_version(tenant, bounds, rules)
    follows = FOLLOWS[state_store.ASSET]
    return state_store.derive_states(db, tenant.id, day, version, follows, scope, rules.business_units, conclude)


def is_behind(db: Database, tenant: Tenant, site: Site, as_of: datetime) -> bool:
    """Tell whether a derived asset has something to look at: the log went on, a rule was edited, somebody is due."""
    day = day_of(tenant, as_of)
    versions = {
        "customers/profile": profile_version(tenant),
        "customers/segment": segment_version(site.segments_of(tenant)),
        state_store.ASSET: state_version(tenant, site.states_of(tenant), site.pipelines_of(tenant)),
    }
    with db.connect() as connection:
        is_due = stored.has_due(connection, tenant.id, day) or state_store.has_due(connection, tenant.id, day)
        return is_due or any(
            log.behind(connection, tenant.id, asset, FOLLOWS[asset], version) for asset, version in versions.items()
        )
