"""The deals and the customer states: derived assets with their funnel, what is held back, and the proof of CRM-7."""

import dagster as dg

from st_sf_pipelines.defs.inbound import CHANGES
from st_sf_pipelines.defs.plots import bars
from st_sf_pipelines.defs.raw import key_of
from st_sf_pipelines.defs.resources import TENANTS, RoundResource
from st_sf_pipelines.defs.round import with_skipped
from st_sf_pipelines.rules.pipelines import PIPELINES
from st_sf_pipelines.rules.states import STATE_RULES
from st_sf_pipelines.store import funnel, log, states
from st_sf_pipelines.store.log import Scope
from st_sf_pipelines.sync.deals import ASSET as DEALS
from st_sf_pipelines.sync.deals import RULES_VERSION, derive_deals
from st_sf_pipelines.sync.derive import FOLLOWS, derive_states

STATE = states.ASSET
FORWARD = "no_opportunity_moved_backward"
SHOWN = 50


def _stage_table() -> str:
    lines = []
    for pipeline in PIPELINES:
        rows = [f"| {stage.order} | {stage.name} | {stage.sentence} |" for stage in pipeline.stages]
        lines += [f"**{pipeline.name}**", "", "| order | stage | trigger |", "|---|---|---|", *rows, ""]
    return "\n".join(lines)


def _state_table() -> str:
    rows = [f"| {rule.state} | {rule.meaning} | {rule.sentence} | {rule.flow or 'none'} |" for rule in STATE_RULES]
    head = ["The furthest that today's facts support within the journey:", ""]
    return "\n".join([*head, "| state | meaning | entered when | flow |", "|---|---|---|---|", *rows])


@dg.asset(
    key=key_of(DEALS),
    deps=[key_of(asset) for asset in (*FOLLOWS[DEALS], CHANGES)],
    description=_stage_table(),
    group_name="pipeline",
    kinds={"postgres", "python"},
    partitions_def=TENANTS,
    code_version=RULES_VERSION,
    metadata={"dagster/table_name": "pipeline.opportunities"},
    check_specs=[
        dg.AssetCheckSpec(
            FORWARD, asset=key_of(DEALS), description="No automatic step moved one to an earlier stage (CRM-7)."
        )
    ],
)
def opportunities(tenant_round: RoundResource) -> dg.MaterializeResult:
    """Move the deals of those whom ServiceTitan's changes touched, who fall due, or whom a person moved in the CRM."""
    work = tenant_round.work
    scope = Scope(everybody=True) if work.rewinds else work.scope
    rules = work.site.pipelines_of(work.tenant)
    with work.operation(DEALS) as counts:
        dealt = derive_deals(work.db, work.tenant, rules, work.as_of, work.last_good, scope)
        counts.update(dealt.counts)
    backward = funnel.moved_backward(work.db, work.tenant.id)
    stages = funnel.stages(work.db, work.tenant.id)
    return dg.MaterializeResult(
        metadata={
            **dealt.counts,
            "dagster/row_count": dealt.total,
            "seconds": counts["seconds"],
            "as of": work.as_of.isoformat(),
            "watermark": log.position(work.db, work.tenant.id, DEALS),
            "funnel": dg.MetadataValue.table([dg.TableRecord(row) for row in stages]),
            "funnel, drawn": bars(
                {f"{row['pipeline']}: {row['stage']}": row["open"] + row["won"] + row["lost"] for row in stages}
            ),
            "held back, by reason": dg.MetadataValue.table(
                [dg.TableRecord(row) for row in funnel.held(work.db, work.tenant.id)],
                dg.TableSchema([dg.TableColumn(name) for name in ("rule", "reason", "count", "examples")]),
            ),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=FORWARD,
                passed=not backward,
                metadata={"tenant": work.tenant.name, "opportunities": ", ".join(backward[:SHOWN]) or "none"},
            )
        ],
    )


@dg.asset(
    key=key_of(STATE),
    deps=[key_of(asset) for asset in FOLLOWS[STATE]],
    description=_state_table(),
    group_name="customers",
    kinds={"pandas", "postgres"},
    partitions_def=TENANTS,
    metadata={"dagster/table_name": "customers.state"},
)
def state(tenant_round: RoundResource) -> dg.MaterializeResult:
    """Look again at those whose records changed, and those whose state goes back on its day."""
    work = tenant_round.work
    scope = Scope(everybody=True) if work.rewinds else work.scope
    with work.operation(STATE) as counts:
        result = derive_states(
            work.db,
            work.tenant,
            work.site.states_of(work.tenant),
            work.site.pipelines_of(work.tenant),
            work.as_of,
            scope,
        )
        counts.update(result)
    by_state = states.counts(work.db, work.tenant.id)
    rows = [
        dg.TableRecord({"state": rule.state, "meaning": rule.meaning, "customers": by_state.get(rule.state, 0)})
        for rule in STATE_RULES
    ]
    return dg.MaterializeResult(
        metadata={
            **with_skipped(result),
            "dagster/row_count": result["total"],
            "seconds": counts["seconds"],
            "as of": work.as_of.isoformat(),
            "watermark": log.position(work.db, work.tenant.id, STATE),
            "customers in each state": dg.MetadataValue.table(rows),
            "customers in each state, drawn": bars(
                {f"{rule.state} {rule.meaning}": by_state.get(rule.state, 0) for rule in STATE_RULES}
            ),
        }
    )
