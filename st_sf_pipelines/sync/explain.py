"""Explains one customer: segment, state and deals, each with the rule and the records that put it there (CRM-9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from st_sf_pipelines.rules import segments, states
from st_sf_pipelines.rules.fold import STEPS
from st_sf_pipelines.store import derived, funnel, leads, records
from st_sf_pipelines.store import segments as segment_store
from st_sf_pipelines.store import states as state_store
from st_sf_pipelines.sync.deals import BY_HAND
from st_sf_pipelines.sync.derive import day_of

if TYPE_CHECKING:
    from datetime import datetime

    from st_sf_pipelines.config import Segments, Site, Tenant
    from st_sf_pipelines.store.database import Database


def explain(db: Database, tenant: Tenant, site: Site, subject: int, as_of: datetime) -> dict[str, Any] | None:
    """Say which rules put a customer where it is, on which records, and when that changes by itself; None: unknown.

    A subject below zero is a lead without a customer, which has deals alone.
    """
    facts = derived.facts_of(db, tenant.id, subject)
    lead = leads.called(db, tenant.id, -subject) if subject < 0 else None
    if facts is None and lead is None:
        return None
    columns = [name for name, *_ in derived.PROFILE]
    customer = (
        {"st_id": subject, "tenant_id": tenant.id, **{name: facts[name] for name in columns}}
        if facts
        else {"st_id": None, "lead_id": -subject, "tenant_id": tenant.id, **(lead or {})}
    )
    return {
        "customer": customer,
        "segment": _segment(db, tenant, site.segments_of(tenant), facts, as_of) if facts else None,
        "state": _state(db, tenant, subject),
        "opportunities": [
            {**deal, "held": [each for each in held if each["opportunity"] == deal["key"]]}
            for held in [funnel.held_of(db, tenant.id, subject)]
            for deal in funnel.story(db, tenant.id, subject)
        ],
        "held": [each for each in funnel.held_of(db, tenant.id, subject) if each["opportunity"] is None],
    }


def sentence(rule: str) -> str:
    """Say a deal's rule in the specification's words."""
    if rule == BY_HAND:
        return "A person set it in the CRM."
    if rule == "EXT-5":
        return "Customers were merged: the older opportunity stays open, the other is closed as lost."
    says = next((step.work.__doc__ or "" for step in STEPS if step.rule == rule), "")
    return says.strip().partition("\n\n")[0].replace("\n    ", " ")


def _segment(db: Database, tenant: Tenant, bounds: Segments, facts: dict[str, Any], as_of: datetime) -> dict[str, Any]:
    found = records.evidence(db, tenant.id, facts["st_id"], tenant.timezone)
    last, rule = facts["last_job_date"], segments.RULE.get(facts["rule"])
    return {
        "value": facts["segment"],
        "rule": facts["rule"],
        "says": rule.sentence(bounds) if rule else None,
        "evidence": {
            "lifetime_value": facts["lifetime_value"],
            "last_job_date": last,
            "days_since_last_job": (day_of(tenant, as_of) - last).days if last else None,
            "last_job": found["last_job"],
            "invoices": found["invoices"],
        },
        "due_on": facts["due_on"],
        "history": segment_store.segment_history(db, tenant.id, facts["st_id"]),
    }


def _state(db: Database, tenant: Tenant, subject: int) -> dict[str, Any] | None:
    found = state_store.state_of(db, tenant.id, subject)
    if found is None:
        return None
    row, rule = states.STATE[found["state"]], states.RULE.get(found["rule"])
    says = rule.sentence if rule else "A person set it." if found["rule"] == "by_hand" else "Its days were over."
    return {"value": found["state"], "meaning": row.meaning, "says": says, **found}
