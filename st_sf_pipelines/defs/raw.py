"""The reader: ServiceTitan's entities, an asset each, pulled side by side in one step."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import dagster as dg

from st_sf_pipelines.defs.resources import TENANTS, RoundResource
from st_sf_pipelines.defs.round import Round, metadata, with_skipped
from st_sf_pipelines.errors import StSfError
from st_sf_pipelines.rules.stamps import instant
from st_sf_pipelines.store import cursors
from st_sf_pipelines.sync.pull import Pulled, pull
from st_sf_pipelines.systems.servicetitan.entities import ENTITIES, Entity

SERVICETITAN = dg.AssetSpec(
    ["servicetitan", "api"],
    group_name="servicetitan",
    kinds={"servicetitan"},
    description="ServiceTitan itself: the tenant's account, read through its export feeds and its lists.",
)
CHECK = "every_record_fits"
READ = "every_entity_was_read"


def key_of(asset: str) -> dg.AssetKey:
    """Write an asset's name as Dagster's key."""
    return dg.AssetKey(asset.split("/"))


def _spec(entity: Entity) -> dg.AssetSpec:
    columns = [dg.TableColumn(name, description="typed, beside the whole record") for name in entity.record.COLUMNS]
    return dg.AssetSpec(
        key_of(entity.asset),
        deps=[SERVICETITAN.key],
        description=entity.says if entity.is_fed else f"{entity.says} It has no feed: its list is read hourly.",
        group_name="servicetitan",
        kinds={"servicetitan", "postgres"},
        metadata={
            "dagster/table_name": entity.asset.replace("/", "."),
            "dagster/column_schema": dg.TableSchema([dg.TableColumn("record", "jsonb", "the record whole"), *columns]),
            "feed" if entity.is_fed else "list": entity.path("TENANT", listed=not entity.is_fed),
        },
        partitions_def=TENANTS,
        skippable=True,  # what follows an entity that could not be read is left out, and nothing else is
    )


@dg.multi_asset(
    name="servicetitan",
    specs=[_spec(entity) for entity in ENTITIES],
    check_specs=[
        dg.AssetCheckSpec(CHECK, asset=key_of(entity.asset), description="No record stands in quarantine (EXT-6).")
        for entity in ENTITIES
    ],
    can_subset=True,
    pool="servicetitan",
)
def servicetitan(context: dg.AssetExecutionContext, tenant_round: RoundResource) -> Iterator[dg.MaterializeResult]:
    """Pull the chosen entities; one that fails fails the run, after all that does not follow it had its turn (SF-12).

    Dagster would leave out whatever follows this step; so the failure is left to a check, which is the run's last step.
    A run that was put together without that check fails here.
    """
    work = tenant_round.work
    chosen = [entity for entity in ENTITIES if key_of(entity.asset) in context.selected_asset_keys]
    work.whole |= len(chosen) == len(ENTITIES)
    errors = work.unread_entities
    quarantined = 0
    with ThreadPoolExecutor(len(chosen), thread_name_prefix="feed") as threads:
        futures = {threads.submit(_pull, work, entity): entity for entity in chosen}
        for future in as_completed(futures):
            entity = futures[future]
            try:
                pulled, seconds = future.result()
            except StSfError as error:
                errors.append(str(error))
                continue
            except Exception as error:
                context.log.exception("%s: a fault of ours", entity.asset)
                errors.append(f"{entity.asset}: a fault of ours ({type(error).__name__}); the run's log tells where")
                continue
            quarantined += pulled.quarantined
            yield dg.MaterializeResult(
                asset_key=key_of(entity.asset),
                metadata=_metadata(work, entity, pulled, seconds),
                check_results=[
                    dg.AssetCheckResult(
                        check_name=CHECK,
                        asset_key=key_of(entity.asset),
                        passed=pulled.quarantined == 0,
                        metadata={"quarantined": pulled.quarantined},
                    )
                ],
            )
    if quarantined:
        context.instance.add_run_tags(context.run.run_id, {"st/outcome": "parked"})
    if errors and not context.job_def.has_node_named(every_entity_was_read.node_def.name):
        raise dg.Failure("; ".join(sorted(set(errors))), allow_retries=False)


@dg.asset_check(
    asset=SERVICETITAN.key,
    name=READ,
    description="Every entity that the round asked for was read; the run fails if not, at its end (SF-12).",
    op_tags={"dagster/priority": "-2"},  # behind whatever else is ready
)
def every_entity_was_read(tenant_round: RoundResource) -> dg.AssetCheckResult:
    """Fail the run for the entities that could not be read."""
    work = tenant_round.work
    if work.unread_entities:
        raise dg.Failure("; ".join(sorted(set(work.unread_entities))), allow_retries=False)
    return dg.AssetCheckResult(passed=True, metadata={"tenant": work.tenant.name})


def _pull(work: Round, entity: Entity) -> tuple[Pulled, float]:
    with work.operation(entity.asset) as counts:
        pulled = pull(work.db, work.source, work.tenant.id, entity, work.window, counts)
        counts.update({name: count for name, count in metadata(pulled).items() if name != "newest"})
        if pulled.drift:
            counts["drift"] = list(pulled.drift)
    return pulled, counts["seconds"]


def _metadata(work: Round, entity: Entity, pulled: Pulled, seconds: float) -> dict[str, Any]:
    counts = {name: count for name, count in metadata(pulled).items() if name not in ("newest", "calls")}
    until = cursors.read_at(work.db, work.tenant.id, entity.name)
    watermark = {"watermark": until.isoformat()} if until else {}
    newest = {"newest change": instant(pulled.newest).isoformat()} if pulled.newest else {}
    drift = {"fields that we did not know": ", ".join(pulled.drift)} if pulled.drift else {}
    counts["drift"] = len(pulled.drift)
    return {**with_skipped(counts), "API calls": pulled.calls, "seconds": seconds, **watermark, **newest, **drift}
