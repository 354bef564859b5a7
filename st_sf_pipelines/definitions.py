"""The code location, assembled on one screen; loading it reads no variable and opens nothing."""

import dagster as dg

from st_sf_pipelines.defs import (
    automation,
    checks,
    cleaning,
    deals,
    derived,
    history,
    inbound,
    jobs,
    raw,
    sweep,
    targets,
)
from st_sf_pipelines.defs.resources import RoundResource


@dg.definitions
def defs() -> dg.Definitions:
    """ServiceTitan → records → profile → segment → Salesforce, a partition for each tenant."""
    return dg.Definitions(
        assets=[
            raw.SERVICETITAN,
            raw.servicetitan,
            sweep.sweep,
            history.history,
            derived.profile,
            derived.segment,
            inbound.changes,
            deals.state,
            deals.opportunities,
            *targets.TARGETS,
            *targets.ENDS,
        ],
        asset_checks=[raw.every_entity_was_read, *checks.PROOFS],
        jobs=[jobs.ROUND, jobs.RECONCILE, jobs.SWEEP, cleaning.CLEAN_UP],
        sensors=[automation.poll],
        schedules=[automation.nightly_sweep, automation.nightly_proof, cleaning.nightly_clean_up],
        resources={"tenant_round": RoundResource()},
        executor=dg.in_process_executor,
    )
