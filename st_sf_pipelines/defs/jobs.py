"""The jobs: a tenant's round, the proof of its targets, and the sweep of its lists."""

from typing import Any

import dagster as dg

from st_sf_pipelines.defs import history, sweep
from st_sf_pipelines.defs.checks import NAME, PROOFS
from st_sf_pipelines.defs.raw import every_entity_was_read, key_of
from st_sf_pipelines.defs.resources import TENANTS

TENANT_TAG = "st/tenant"  # dagster.yaml lets one run of a tenant go at a time by it


def _tags(tenant: str) -> dict[str, str]:
    return {TENANT_TAG: tenant}


def _config(tenant: str) -> dict[str, Any]:  # noqa: ARG001 - every tenant begins with the same configuration
    return {}


_BY_TENANT = dg.PartitionedConfig(TENANTS, run_config_for_partition_key_fn=_config, tags_for_partition_key_fn=_tags)
_PROOFS = dg.AssetSelection.checks(*PROOFS)
_READ = dg.AssetSelection.checks(every_entity_was_read)
_ASIDE = dg.AssetSelection.assets(key_of(sweep.ASSET), key_of(history.ASSET))

ROUND = dg.define_asset_job(
    "round",
    selection=(dg.AssetSelection.all() - _PROOFS - _ASIDE) | _READ,
    config=_BY_TENANT,
    executor_def=dg.in_process_executor,  # a step of its own process costs 3 to 4 CPU-seconds, in one process 0.25
    description="One tenant's whole way: read what is new, derive, plan, push, and account for every customer.",
)
RECONCILE = dg.define_asset_job(
    "reconcile",
    selection=_PROOFS,
    executor_def=dg.in_process_executor,
    description=f"Read one tenant's targets back and compare them ({NAME}); its configuration names the tenant.",
)
SWEEP = dg.define_asset_job(
    "sweep",
    selection=dg.AssetSelection.assets(key_of(sweep.ASSET)),
    config=_BY_TENANT,
    executor_def=dg.in_process_executor,
    description="Compare one tenant's whole lists with the store, within the night's budget of calls.",
)
