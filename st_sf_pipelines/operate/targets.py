"""The targets by hand: proves them, adopts what they hold, lists what they refused and lets it be tried again."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.defs.instance import open_database, open_instance
from st_sf_pipelines.defs.resources import tenants_of
from st_sf_pipelines.defs.round import held
from st_sf_pipelines.errors import ConfigError, StSfError
from st_sf_pipelines.operate.rounds import run_rounds
from st_sf_pipelines.store import again, audit, guard, standing
from st_sf_pipelines.sync.adopt import adopt as adopt_records
from st_sf_pipelines.sync.reconcile import reconcile
from st_sf_pipelines.systems.crm.client import CrmClient
from st_sf_pipelines.systems.targets import SYSTEMS, system_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from st_sf_pipelines.config import Tenant
    from st_sf_pipelines.ports import Destination
    from st_sf_pipelines.settings import Settings
    from st_sf_pipelines.store.database import Database
    from st_sf_pipelines.systems.targets import System


def prove(settings: Settings, name: str | None, *, sample: int | None, repair: bool) -> dict[str, Any]:
    """Reconcile every target of the tenants (SF-11); one that does not answer is told for its tenant alone."""
    tenants = tenants_of(settings, name)
    db = open_database(settings)
    report: list[dict[str, Any]] = []
    for tenant in tenants:
        objects: dict[str, Any] = {}
        error = None
        try:
            with held(db, tenant):
                for system, client in _connected(db, tenant):
                    for target in system.maps(tenant):
                        key = system.key(tenant)
                        proof = reconcile(db, client, tenant.id, target, key, sample=sample, repair=repair)
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
    """Read and plan without sending, then recognise our customers in each tenant's targets (SF-13)."""
    tenants = [each for each in tenants_of(settings, name) if any(system.section(each) for system in SYSTEMS)]
    db = open_database(settings)
    with open_instance(settings) as instance:
        rounds = run_rounds(instance, settings, tenants, dry_run=True)["tenants"]
    report: list[dict[str, Any]] = []
    for tenant, before in zip(tenants, rounds, strict=True):
        objects: dict[str, Any] = {}
        error = before["error"]
        if error is None:
            try:
                with held(db, tenant):
                    for system, client in _connected(db, tenant):
                        for adopted in adopt_records(db, client, tenant.id, system.maps(tenant), apply=apply):
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
                        "subject": row["subject"],
                        "code": row["code"] or "UNKNOWN",
                        "message": row["message"],
                        "fields": row["fields"] or [],
                        "mend": system_of(row["asset"]).mend_for(row["code"]),
                    }
                    for row in standing.parked(db, tenant.id)
                ],
            }
            for tenant in tenants
        ]
    }


def retry_parked(settings: Settings, name: str | None, key: str | None) -> int:
    """Let parked records be sent again at the next round, all or those of one key; raise ConfigError if none is."""
    tenants = tenants_of(settings, name)
    db = open_database(settings)
    gone = [code for system in SYSTEMS for code in system.gone_codes]
    count = sum(again.retry(db, tenant.id, key, gone_codes=gone) for tenant in tenants)
    if key and not count:
        raise ConfigError([f"nothing is parked under {key!r}; `st-sf parked` lists what is"])
    return count


def allow(settings: Settings, run_id: str) -> dict[str, Any]:
    """Let what the mass-change guard stopped in a run go on at the next round (CRM-15): object → records allowed.

    Raise ConfigError if the guard stopped nothing in a run of that id.
    """
    db = open_database(settings)
    stopped = audit.held(db, run_id)
    if not stopped:
        raise ConfigError([f"the guard stopped nothing in a run {run_id!r}; the error of the round names its run"])
    allowed = {row["asset"]: guard.allow(db, row["tenant_id"], row["asset"]) for row in stopped}
    return {"run_id": run_id, "allowed": allowed}


def setup(settings: Settings, name: str | None, target: str, *, apply: bool) -> dict[str, Any]:
    """Show which pipelines and stages each tenant's CRM lacks and, with `apply`, make them (CRM-10).

    Raise ConfigError for a target in which nothing is to be set up.
    """
    if target != "crm":
        raise ConfigError([f"{target!r}: only the CRM is set up by this command; expected --target crm"])
    tenants, db = tenants_of(settings, name), open_database(settings)
    report: list[dict[str, Any]] = []
    for tenant in tenants:
        if tenant.crm is None:
            continue
        missing: list[str] = []
        error = None
        client = CrmClient(tenant)
        try:
            missing = client.missing()
            if apply and missing:
                for asset, remote_ids in client.seed(standing.seeded(db, tenant.id), again=True).items():
                    standing.keep_seeded(db, tenant.id, asset, remote_ids)
        except StSfError as caught:
            error = str(caught)
        finally:
            client.close()
        report.append(
            {"name": tenant.name, "missing": missing, "made": missing if apply and not error else [], "error": error}
        )
    if not report:
        raise ConfigError(["no tenant has a crm section; there is nothing to set up"])
    is_ok = all(each["error"] is None and (apply or not each["missing"]) for each in report)
    return {"ok": is_ok, "applied": apply, "tenants": report}


def _connected(db: Database, tenant: Tenant) -> Iterator[tuple[System, Destination]]:
    """Connect to each target that a tenant has, one after the other."""
    for system in SYSTEMS:
        if system.section(tenant) is None:
            continue
        client = system.connect(tenant, partial(standing.taken, db, tenant.id))
        try:
            yield system, client
        finally:
            client.close()
