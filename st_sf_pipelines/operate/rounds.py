"""Runs rounds in this process, through the same job that the sensor starts, and gives the account of each."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster_postgres.utils import DagsterPostgresException
from sqlalchemy.exc import OperationalError

from st_sf_pipelines import errors
from st_sf_pipelines.definitions import defs
from st_sf_pipelines.defs.automation import selected
from st_sf_pipelines.defs.instance import open_database
from st_sf_pipelines.defs.jobs import ROUND, TENANT_TAG
from st_sf_pipelines.defs.raw import key_of
from st_sf_pipelines.defs.resources import TENANTS, round_config, tenants_of
from st_sf_pipelines.errors import ConfigError, StoreError
from st_sf_pipelines.store import audit, funnel
from st_sf_pipelines.sync.deals import unmapped
from st_sf_pipelines.sync.deliver import mass_change
from st_sf_pipelines.systems.servicetitan.entities import ENTITIES, ENTITY
from st_sf_pipelines.systems.targets import SYSTEMS, system_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from st_sf_pipelines.config import Tenant
    from st_sf_pipelines.settings import Settings
    from st_sf_pipelines.store.database import Database

TARGETS = {system.name: tuple(target.asset for target in system.objects) for system in SYSTEMS}
_DERIVED = {
    "profiles": "customers/profile",
    "segments": "customers/segment",
    "opportunities": "pipeline/opportunities",
    "states": "customers/state",
}
_READ = ("read", "new", "changed", "quarantined", "calls")
_WROTE = ("planned", "created", "updated", "unchanged", "parked", "calls")
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_rounds(
    instance: dg.DagsterInstance,
    settings: Settings,
    tenants: Sequence[Tenant],
    *,
    entities: Sequence[str] = (),
    targets: Sequence[str] = (),
    **config: Any,
) -> dict[str, Any]:
    """Run a round of each tenant, one after the other; one tenant's failure never stops another's (EXT-8).

    Raise ConfigError for a name that is no entity or target, before anything starts; StoreError if Dagster's own
    database goes away and stays away.
    """
    unknown = [name for name in entities if name not in ENTITY] + [name for name in targets if name not in TARGETS]
    if unknown:
        expected = f"entities: {', '.join(ENTITY)}; targets: {', '.join(TARGETS)}"
        raise ConfigError([f"{', '.join(unknown)}: not known; {expected}"])
    as_of = config.pop("as_of", "") or datetime.now(UTC).isoformat().replace("+00:00", "Z")
    try:
        rounds = [
            run_round(instance, settings, tenant, entities=entities, targets=targets, as_of=as_of, **config)
            for tenant in tenants
        ]
    except (DagsterPostgresException, OperationalError) as error:
        raise StoreError("Dagster's database went away in the middle of the round; the next round goes on") from error
    return {"as_of": as_of, "tenants": rounds}


def run_round(
    instance: dg.DagsterInstance,
    settings: Settings,
    tenant: Tenant,
    *,
    entities: Sequence[str] = (),
    targets: Sequence[str] = (),
    **config: Any,
) -> dict[str, Any]:
    """Run one tenant's round and give its part of the `sync --json` object; a failure is in it, not raised."""
    instance.add_dynamic_partitions(TENANTS.name or "", [tenant.name])
    run_id = str(uuid.uuid4())
    result = _subset(entities, targets).execute_in_process(
        instance=instance,
        partition_key=tenant.name,
        run_config={**round_config(**{"scope": "changed", **config}), **QUIET},
        tags={TENANT_TAG: tenant.name, "st/started_by": "command line"},
        run_id=run_id,
        raise_on_error=False,
    )
    db = open_database(settings)
    done = audit.operations(db, run_id, tenant.id)
    kept = audit.round_of(db, run_id, tenant.id)
    status, error, note = (kept["status"], kept["error"], kept["note"]) if kept else ("failed", None, None)
    if not result.success and status in (None, "success", "parked"):
        status, error = "failed", None
    return {
        "name": tenant.name,
        "status": status,
        "error": error or (None if result.success else cause(result)),
        "note": note,
        "run_id": run_id,
        "entities": {e.name: _counts(done[e.asset], _READ) for e in ENTITIES if e.asset in done},
        "derived": {name: done[asset]["counts"].get("total", 0) for name, asset in _DERIVED.items() if asset in done},
        "derived_changed": {
            name: done[asset]["counts"].get("new", 0) + done[asset]["counts"].get("changed", 0)
            for name, asset in _DERIVED.items()
            if asset in done
        },
        "targets": {
            asset: _counts(done[asset], _WROTE) for assets in TARGETS.values() for asset in assets if asset in done
        },
        "held": funnel.held(db, tenant.id),
        "unmapped": list(unmapped(db, tenant, settings.site.pipelines_of(tenant))),
    }


def planned(settings: Settings, report: dict[str, Any]) -> dict[str, Any]:
    """Make the `plan --json` object of a dry round's: for each object the records, calls and storage that it takes.

    `held` lists the keys of those that the mass-change guard would not let go (CRM-15).
    """
    db = open_database(settings)
    tenants = [
        {
            **{name: each[name] for name in ("name", "status", "error")},
            "targets": {
                asset: {
                    "records": counts["planned"],
                    **counts["would"],
                    "unchanged": counts["unchanged"],
                    "parked": counts["parked"],
                    "held": _held(db, settings, each["name"], asset) if asset in counts.get("stopped", ()) else [],
                }
                for asset, counts in each["targets"].items()
                if "would" in counts
            },
        }
        for each in report["tenants"]
    ]
    return {"as_of": report["as_of"], "tenants": tenants}


def _held(db: Database, settings: Settings, name: str, asset: str) -> list[str]:
    [tenant] = tenants_of(settings, name)
    system = system_of(asset)
    target = next(each for each in system.maps(tenant) if each.asset == asset)
    return list(mass_change(db, tenant, target, system.closing(system.section(tenant)), shown=None).keys)


def _subset(entities: Sequence[str], targets: Sequence[str]) -> dg.JobDefinition:
    """Give the round's job for the entities and targets named, or whole; with its own checks, not the nightly ones."""
    job = defs().resolve_job_def(ROUND.name)
    if not entities and not targets:
        return job
    everything = set(selected(job, dg.AssetSelection.all())[0])
    raw = {key_of(entity.asset) for entity in ENTITIES}
    pushed = {key_of(asset) for assets in TARGETS.values() for asset in assets}
    keep_raw = {key_of(f"servicetitan/{name}") for name in entities} if entities else raw
    keep_pushed = {key_of(asset) for name in targets for asset in TARGETS[name]} if targets else pushed
    keep = (everything - raw - pushed) | keep_raw | keep_pushed
    assets, checks = selected(job, dg.AssetSelection.assets(*keep))
    return job.get_subset(asset_selection=set(assets), asset_check_selection=set(checks))


def _counts(operation: dict[str, Any], promised: tuple[str, ...]) -> dict[str, Any]:
    """Give what an asset did as far as it came, and in words why it came no further."""
    error = {"error": operation["error"]} if operation["error"] else {}
    return {**dict.fromkeys(promised, 0), **operation["counts"], **error}


def cause(result: dg.ExecuteInProcessResult) -> str:
    """Give the sentence of a run that failed before it could keep its account: our own error's, else the innermost."""
    for event in result.all_events:
        error = getattr(event.event_specific_data, "error", None)
        if error is not None:
            while error.cause is not None and not hasattr(errors, error.cls_name or ""):
                error = error.cause
            return str(error.message).partition(": ")[2].strip() or str(error.message)
    return "the run failed; its page in the Dagster UI tells why"
