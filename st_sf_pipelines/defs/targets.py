"""The targets: each Salesforce object is an asset that plans, pushes, and proves that every customer has a place."""

from typing import Any

import dagster as dg

from st_sf_pipelines.defs.raw import key_of
from st_sf_pipelines.defs.resources import TENANTS, RoundResource
from st_sf_pipelines.defs.round import Round, metadata
from st_sf_pipelines.errors import StSfError
from st_sf_pipelines.mapping import ObjectMap
from st_sf_pipelines.store import ledger
from st_sf_pipelines.store.derived import PROFILE
from st_sf_pipelines.store.ledger import Standing
from st_sf_pipelines.sync.derive import FOLLOWS
from st_sf_pipelines.sync.plan import plan
from st_sf_pipelines.sync.push import open_targets, push
from st_sf_pipelines.systems.salesforce.objects import OBJECTS, objects_of

CHECK = "every_record_accounted_for"
_TYPES = {name: kind for name, kind, _ in PROFILE} | {"tenant_id": "bigint", "synced_at": "timestamptz"}


def _asset(target: ObjectMap) -> dg.AssetsDefinition:
    columns = [
        dg.TableColumn(
            field.to,
            type=_TYPES.get(field.columns[0], "text") if field.columns else "constant",
            description=f"← {', '.join(field.columns) or field.constant}",
        )
        for field in target.fields
    ]
    parents = [target.parent] if target.parent else []

    @dg.asset(
        key=key_of(target.asset),
        deps=[key_of(asset) for asset in (*FOLLOWS[target.asset], *parents)],
        description=f"One Salesforce {target.remote} for each customer, by external id {target.key}.",
        group_name="salesforce",
        kinds={"salesforce"},
        partitions_def=TENANTS,
        code_version=target.digest,
        pool="salesforce",
        metadata={"dagster/column_schema": dg.TableSchema([dg.TableColumn(target.key), *columns])},
        check_specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=key_of(target.asset),
                description="All customers = synced; none parked, none waiting (SF-12).",
            )
        ],
    )
    def materialize(context: dg.AssetExecutionContext, tenant_round: RoundResource) -> dg.MaterializeResult:
        work = tenant_round.work
        if work.target(target.asset) is None:
            return dg.MaterializeResult(
                metadata={"skipped": f"tenant {work.tenant.name} has no salesforce section"},
                check_results=[dg.AssetCheckResult(check_name=CHECK, passed=True, metadata={"customers": 0})],
            )
        try:
            with work.operation(target.asset) as counts:
                standing = _deliver(work, target.asset, counts)
        except StSfError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        if standing.parked or standing.waiting or counts["passing"]:
            work.parked += standing.parked + standing.waiting + counts["passing"]
            context.instance.add_run_tags(context.run.run_id, {"st/outcome": "parked"})
        used, allowed = work.salesforce.usage or (None, None)
        return dg.MaterializeResult(
            metadata={
                **{name: value for name, value in counts.items() if name not in ("would", "calls")},
                "API calls": counts["calls"],
                **({"API calls of the org today": f"{used} of {allowed}"} if used is not None else {}),
                "dagster/row_count": standing.synced,
                "dagster/column_lineage": _lineage(target),
            },
            check_results=[_check(work, standing)],
        )

    return materialize


def _lineage(target: ObjectMap) -> dg.TableColumnLineage:
    """Draw each field from the columns that it is made of, as the map's row says."""
    home = {"segment": key_of("customers/segment")} | {name: key_of("customers/profile") for name, *_ in PROFILE}
    return dg.TableColumnLineage(
        {
            field.to: [dg.TableColumnDep(home[column], column) for column in field.columns if column in home]
            for field in target.fields
        }
    )


def _deliver(work: Round, asset: str, counts: dict[str, Any]) -> Standing:
    """Plan, then push unless the round is dry or goes back in time; give how all customers stand after it.

    The counts are true also when the target fails in the middle: they are made from the plan and from the receipts.
    """
    found = work.target(asset)
    if found is None or work.tenant.salesforce is None:
        raise LookupError(asset)
    target, key_format = found
    planned = plan(work.db, work.tenant, target, key_format, work.as_of, work.scope)
    before = ledger.standing(work.db, work.tenant.id, asset, target.parent)
    calls = work.salesforce.calls_for(before.pending)
    counts["looked"], counts["unchanged"], counts["planned"] = planned.looked, planned.unchanged, before.pending
    counts["would"] = {"create": before.creates, "update": before.updates, "calls": calls}
    called = work.salesforce.calls
    try:
        if before.pending and not (work.dry_run or work.backward):
            skip = work.tenant.salesforce.adopt == "skip"
            every = objects_of(work.tenant.salesforce)
            open_targets(work.db, work.salesforce, work.tenant.id, every, skip=skip)
            push(work.db, work.salesforce, work.tenant.id, target, work.run_id, work.lock.check)
    finally:
        counts.update(ledger.outcomes(work.db, work.run_id, work.tenant.id, asset))
        standing = ledger.standing(work.db, work.tenant.id, asset, target.parent)
        counts["parked"], counts["waiting"], counts["pending"] = standing.parked, standing.waiting, standing.pending
        counts["calls"] = work.salesforce.calls - called
    return standing


def _check(work: Round, standing: Standing) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=CHECK,
        passed=work.dry_run or work.backward or standing.source == standing.synced,
        metadata={
            **metadata(standing),
            "parked by code": dg.MetadataValue.json(standing.parked_by_code),
        },
    )


TARGETS = tuple(_asset(target) for target in OBJECTS)
SALESFORCE = dg.AssetSpec(
    ["salesforce", "org"],
    deps=[asset.key for asset in TARGETS],
    group_name="salesforce",
    kinds={"salesforce"},
    description="Salesforce itself: the org that sales people work in.",
)
