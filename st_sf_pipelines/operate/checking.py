"""Looks a site over before it runs, or when it runs ill: does each system answer, and what wants a person's hand."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.defs.instance import open_database
from st_sf_pipelines.defs.resources import tenants_of
from st_sf_pipelines.errors import StSfError
from st_sf_pipelines.store import quarantine, standing
from st_sf_pipelines.store.leases import lease
from st_sf_pipelines.sync.deals import unmapped
from st_sf_pipelines.systems.crm.client import CrmClient
from st_sf_pipelines.systems.servicetitan.client import ServiceTitanClient
from st_sf_pipelines.systems.targets import SYSTEMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from st_sf_pipelines.config import Site, Tenant
    from st_sf_pipelines.settings import Settings
    from st_sf_pipelines.store.database import Database

PROBE_SECONDS = 15.0


def check(settings: Settings, name: str | None) -> dict[str, Any]:
    """Check the tenants: each finding has level (error, warning), where, says, mend; `ok` if none is an error."""
    tenants = tenants_of(settings, name)
    db = open_database(settings)
    report: list[dict[str, Any]] = [
        {"name": each.name, "findings": list(_findings(db, settings.site, each))} for each in tenants
    ]
    is_ok = all(finding["level"] != "error" for each in report for finding in each["findings"])
    return {"ok": is_ok, "tenants": report}


def _findings(db: Database, site: Site, tenant: Tenant) -> Iterator[dict[str, str]]:
    if "timezone" not in tenant.model_fields_set:
        yield _finding("warning", "timezone", "is not set; days begin at midnight UTC", "Name the shop's own zone.")
    yield from _answers(db, tenant)
    yield from _units(db, site, tenant)
    for entity, count in quarantine.quarantined(db, tenant.id).items():
        says = f"{count} records do not fit, and stand in quarantine"
        yield _finding("warning", f"servicetitan/{entity}", says, "`st-sf quarantine` lists them with their reasons.")
    parked = standing.parked(db, tenant.id)
    for asset in sorted({row["asset"] for row in parked}):
        says = f"{sum(row['asset'] == asset for row in parked)} records are parked"
        yield _finding("warning", asset, says, "`st-sf parked` lists them with their mends.")


def _answers(db: Database, tenant: Tenant) -> Iterator[dict[str, str]]:
    """Ask each system one question."""
    source = ServiceTitanClient(tenant, timeout=PROBE_SECONDS, attempts=1, lease=partial(lease, db, tenant.id))
    try:
        source.page("business_units", None)
    except StSfError as error:
        yield _finding("error", "servicetitan", str(error), "Correct the access, or wait for ServiceTitan.")
    finally:
        source.close()
    for system in SYSTEMS:
        if system.section(tenant) is None:
            continue
        client = system.connect(tenant, partial(standing.taken, db, tenant.id))
        try:
            client.strangers(system.maps(tenant))
            if isinstance(client, CrmClient):
                for words in client.missing():
                    says = f"the CRM lacks {words}"
                    yield _finding("warning", "crm", says, "The next round makes it, or `st-sf setup --apply` does.")
        except StSfError as error:
            yield _finding("error", system.name, str(error), f"Correct the {system.name} section, or wait for it.")
        finally:
            client.close()


def _units(db: Database, site: Site, tenant: Tenant) -> Iterator[dict[str, str]]:
    """List the business units that nobody mapped (CRM, section 3)."""
    for unit, pipeline in unmapped(db, tenant, site.pipelines_of(tenant)).items():
        says = f"the business unit {unit!r} is in no pipeline's table; it counts as {pipeline}"
        yield _finding("warning", "pipelines.business_units", says, "Map it in the site file.")


def _finding(level: str, where: str, says: str, mend: str) -> dict[str, str]:
    return {"level": level, "where": where, "says": says, "mend": mend}
