"""The derived assets: each customer's profile and segment."""

import dagster as dg

from st_sf_pipelines.config import Segments
from st_sf_pipelines.defs.plots import bars
from st_sf_pipelines.defs.raw import key_of
from st_sf_pipelines.defs.resources import TENANTS, RoundResource
from st_sf_pipelines.defs.round import metadata, with_skipped
from st_sf_pipelines.rules.segments import SEGMENT_RULES
from st_sf_pipelines.store import derived, log, segments
from st_sf_pipelines.store.log import Scope
from st_sf_pipelines.sync.derive import FOLLOWS, derive_profiles, derive_segments

PROFILE, SEGMENT = "customers/profile", "customers/segment"


def _rule_table() -> str:
    rows = [f"| {rule.segment.value} | {rule.sentence(Segments())} |" for rule in SEGMENT_RULES]
    return "\n".join(["The first that holds:", "", "| segment | rule |", "|---|---|", *rows])


@dg.asset(
    key=key_of(PROFILE),
    deps=[key_of(asset) for asset in FOLLOWS[PROFILE]],
    description="Each customer's record joined with its contacts, jobs and invoices.",
    group_name="customers",
    kinds={"postgres", "sql"},
    partitions_def=TENANTS,
    code_version=derived.PROFILE_VERSION,
    metadata={
        "dagster/table_name": "customers.profile",
        "dagster/column_schema": dg.TableSchema([dg.TableColumn(*column) for column in derived.PROFILE]),
    },
)
def profile(tenant_round: RoundResource) -> dg.MaterializeResult:
    """Bring up to date the profiles of those whom ServiceTitan's changes touched."""
    work = tenant_round.work
    with work.operation(PROFILE) as counts:
        result = derive_profiles(work.db, work.tenant, work.scope)
        counts.update(metadata(result))
    return dg.MaterializeResult(
        metadata={
            **with_skipped(metadata(result)),
            "dagster/row_count": result.total,
            "seconds": counts["seconds"],
            "as of": work.as_of.isoformat(),
            "watermark": log.position(work.db, work.tenant.id, PROFILE),
        }
    )


@dg.asset(
    key=key_of(SEGMENT),
    deps=[key_of(asset) for asset in FOLLOWS[SEGMENT]],
    description=_rule_table(),
    group_name="customers",
    kinds={"pandas", "postgres"},
    partitions_def=TENANTS,
    metadata={"dagster/table_name": "customers.segment"},
)
def segment(tenant_round: RoundResource) -> dg.MaterializeResult:
    """Look again at those whose profile changed, and those whose segment falls due."""
    work = tenant_round.work
    scope = Scope(everybody=True) if work.rewinds else work.scope
    with work.operation(SEGMENT) as counts:
        result = derive_segments(work.db, work.tenant, work.bounds, work.as_of, scope)
        counts.update(metadata(result))
    by_segment = segments.segment_counts(work.db, work.tenant.id)
    rows = [
        dg.TableRecord({"segment": rule.segment.value, "customers": by_segment.get(rule.segment.value, 0)})
        for rule in SEGMENT_RULES
    ]
    return dg.MaterializeResult(
        metadata={
            **with_skipped(metadata(result)),
            "dagster/row_count": result.total,
            "seconds": counts["seconds"],
            "as of": work.as_of.isoformat(),
            "watermark": log.position(work.db, work.tenant.id, SEGMENT),
            "customers in each segment": dg.MetadataValue.table(rows),
            "customers in each segment, drawn": bars(
                {rule.segment.value: by_segment.get(rule.segment.value, 0) for rule in SEGMENT_RULES}
            ),
        }
    )
