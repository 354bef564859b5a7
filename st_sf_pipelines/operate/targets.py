"""The targets by hand: proves them, adopts what they hold, lists what they refused and lets it be tried again."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.defs.instance import open_database, open_instance
from st_sf_pipelines.defs.resources import tenants_of
from st_sf_pipelines.defs.round import held
from st_sf_pipelines.errors import ConfigError, StSfError
from st_sf_pipelines.operate.rounds import run_rounds
from st_sf_pipelines.store import ledger
from st_sf_pipelines.sync.adopt import adopt as adopt_records
from st_sf_pipelines.sync.reconcile import reconcile
from st_sf_pipelines.systems.salesforce.client import SalesforceClient
from st_sf_pipelines.systems.salesforce.codes import GONE_CODES, mend_for
from st_sf_pipelines.systems.salesforce.objects import objects_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from st_sf_pipelines.config import Tenant
    from st_sf_pipelines.settings import Settings


def prove(settings: Settings, name: str | None, *, sample: int | None, repair: bool) -> dict[str, Any]:
    """Reconcile every target of the tenants (SF-11); an org that does not answer is told for its tenant alone."""
    tenants = tenants_of(settings, name)
    db = open_database(settings)
    report: list[dict[str, Any]] = []
    for tenant in tenants:
        objects: dict[str, Any] = {}
        error = None
        try:
            with held(db, tenant), _salesforce(tenant) as client:
                for target, key_format in _targets(tenant):
                    proof = reconcile(db, client, tenant.id, target, key_format, sample=sample, repair=repair)
                    differences = [asdict(difference) for difference in proof.differences]
                    objects[target.asset] = {
                        **asdict(proof.standing),
                        "compared": proof.compared,
                        "differences": differences,
                        "ok": proof.is_whole,
                    }
        except StSfError as caught:
            error = str(caught)
        report.append({"name": tenant.name, "objects": objects, "error": error})
    is_ok = all(not each["error"] and all(row["ok"] for row in each["objects"].values()) for each in report)
    return {"ok": is_ok, "tenants": report}


def adopt(settings: Settings, name: str | None, *, apply: bool) -> dict[str, Any]:
    """Read and plan without sending, then recognise our customers in each tenant's org (SF-13)."""
    tenants = [tenant for tenant in tenants_of(settings, name) if tenant.salesforce is not None]
    db = open_database(settings)
    with open_instance(settings) as instance:
        rounds = run_rounds(instance, settings, tenants, dry_run=True)["tenants"]
    report: list[dict[str, Any]] = []
    for tenant, before in zip(tenants, rounds, strict=True):
        objects: dict[str, Any] = {}
        error = before["error"]
        if error is None:
            try:
                with held(db, tenant), _salesforce(tenant) as client:
                    maps = [target for target, _ in _targets(tenant)]
                    for adopted in adopt_records(db, client, tenant.id, maps, apply=apply):
                        objects[adopted.asset] = asdict(adopted)
            except StSfError as caught:
                error = str(caught)
        report.append({"name": tenant.name, "objects": objects, "error": error})
    return {"ok": all(each["error"] is None for each in report), "applied": apply, "tenants": report}


def list_parked(settings: Settings, name: str | None) -> dict[str, Any]:
    """List the parked records of the tenants, each with what a person can do."""
    tenants = tenants_of(settings, name)
    db = open_database(settings)
    return {
        "tenants": [
            {
                "name": tenant.name,
                "parked": [
                    {
                        "object": row["asset"],
                        "key": row["key"],
                        "st_id": row["st_id"],
                        "code": row["code"] or "UNKNOWN",
                        "message": row["message"],
                        "fields": row["fields"] or [],
                        "mend": mend_for(row["code"]),
                    }
                    for row in ledger.parked(db, tenant.id)
                ],
            }
            for tenant in tenants
        ]
    }


def retry_parked(settings: Settings, name: str | None, key: str | None) -> int:
    """Let parked records be sent again at the next round, all or those of one key; raise ConfigError if none is."""
    tenants = tenants_of(settings, name)
    db = open_database(settings)
    count = sum(ledger.retry(db, tenant.id, key, gone_codes=GONE_CODES) for tenant in tenants)
    if key and not count:
        raise ConfigError([f"nothing is parked under {key!r}; `st-sf parked` lists what is"])
    return count


def _targets(tenant: Tenant) -> list[tuple[Any, str]]:
    config = tenant.salesforce
    return [(target, config.external_id) for target in objects_of(config)] if config else []


@contextmanager
def _salesforce(tenant: Tenant) -> Iterator[SalesforceClient]:
    client = SalesforceClient(tenant)
    try:
        yield client
    finally:
        client.close()
