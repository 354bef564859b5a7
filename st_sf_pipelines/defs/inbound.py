"""What comes back: the changes that people made in the CRM, read before the deals are looked at (CRM-7)."""

from dataclasses import asdict

import dagster as dg

from st_sf_pipelines.defs.raw import key_of
from st_sf_pipelines.defs.resources import TENANTS, RoundResource
from st_sf_pipelines.errors import StSfError
from st_sf_pipelines.store.hands import watermark
from st_sf_pipelines.sync.receive import receive
from st_sf_pipelines.systems.targets import SYSTEM

CHANGES = "crm/changes"
ANSWERS = "the_crm_answers"


@dg.asset(
    key=key_of(CHANGES),
    description="Stages, pins and owners that people set in the CRM since the last look.",
    group_name="pipeline",
    kinds={"crm"},
    partitions_def=TENANTS,
    pool="crm",
    check_specs=[dg.AssetCheckSpec(ANSWERS, asset=key_of(CHANGES), description="The CRM could be read.")],
)
def changes(tenant_round: RoundResource) -> dg.MaterializeResult:
    """Read them; a CRM that does not answer holds up neither the deals nor Salesforce: its own objects fail later."""
    work, system = tenant_round.work, SYSTEM["crm"]
    section = system.section(work.tenant)
    if section is None or system.read_back is None:
        return dg.MaterializeResult(
            metadata={"skipped": f"tenant {work.tenant.name} has no crm section"},
            check_results=[dg.AssetCheckResult(check_name=ANSWERS, passed=True)],
        )
    fields = system.read_back(section)
    target = next(each for each in system.maps(work.tenant) if each.asset == fields.asset)
    destination = work.destination(system)
    called = destination.calls
    try:
        with work.operation(CHANGES) as counts:
            try:
                received = receive(work.db, work.listener(system), work.tenant.id, target, fields)
                counts.update(asdict(received))
            finally:
                counts["calls"] = destination.calls - called
    except StSfError as error:
        work.unread[system.name] = str(error)
        return dg.MaterializeResult(
            metadata={"error": str(error), "API calls": counts["calls"]},
            check_results=[dg.AssetCheckResult(check_name=ANSWERS, passed=False, metadata={"error": str(error)})],
        )
    since = watermark(work.db, work.tenant.id, target.asset)
    return dg.MaterializeResult(
        metadata={
            **asdict(received),
            "API calls": counts["calls"],
            "seconds": counts["seconds"],
            "watermark": since.isoformat() if since else "none yet",
        },
        check_results=[dg.AssetCheckResult(check_name=ANSWERS, passed=True)],
    )
