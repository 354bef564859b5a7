"""Runs sweeps in this process, through the same job that the nightly schedule starts."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.definitions import defs
from st_sf_pipelines.defs.instance import open_database
from st_sf_pipelines.defs.jobs import SWEEP, TENANT_TAG
from st_sf_pipelines.defs.resources import TENANTS, tenants_of
from st_sf_pipelines.defs.sweep import ASSET
from st_sf_pipelines.operate.rounds import QUIET, cause
from st_sf_pipelines.store import audit

if TYPE_CHECKING:
    import dagster as dg

    from st_sf_pipelines.config import Tenant
    from st_sf_pipelines.settings import Settings


def run_sweeps(instance: dg.DagsterInstance, settings: Settings, name: str | None, calls: int | None) -> dict[str, Any]:
    """Sweep the tenants' lists, one tenant after the other; `ok` only if all worked and every list swept agrees."""
    tenants = [_sweep(instance, settings, tenant, calls) for tenant in tenants_of(settings, name)]
    return {"ok": all(each["ok"] for each in tenants), "tenants": tenants}


def _sweep(instance: dg.DagsterInstance, settings: Settings, tenant: Tenant, calls: int | None) -> dict[str, Any]:
    instance.add_dynamic_partitions(TENANTS.name or "", [tenant.name])
    run_id = str(uuid.uuid4())
    config = {} if calls is None else {"ops": {ASSET.replace("/", "__"): {"config": {"calls": calls}}}}
    result = (
        defs()
        .resolve_job_def(SWEEP.name)
        .execute_in_process(
            instance=instance,
            partition_key=tenant.name,
            run_config={**config, **QUIET},
            tags={TENANT_TAG: tenant.name, "st/started_by": "command line"},
            run_id=run_id,
            raise_on_error=False,
        )
    )
    done = audit.operations(open_database(settings), run_id, tenant.id).get(ASSET, {"counts": {}, "error": None})
    evaluations = result.get_asset_check_evaluations()
    return {
        "name": tenant.name,
        "ok": result.success and all(each.passed for each in evaluations),
        "error": done["error"] or (None if result.success else cause(result)),
        "run_id": run_id,
        "entities": done["counts"].get("entities", {}),
    }
