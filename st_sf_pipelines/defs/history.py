"""History as an asset: tenant by month of creation, so that reading it again is an ordinary backfill (EXT-4)."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import dagster as dg
from pydantic import Field

from st_sf_pipelines.defs.raw import SERVICETITAN, key_of
from st_sf_pipelines.defs.resources import TENANTS, RoundResource
from st_sf_pipelines.defs.round import with_skipped
from st_sf_pipelines.errors import StSfError
from st_sf_pipelines.ports import Window
from st_sf_pipelines.sync.history import Compared, backfill
from st_sf_pipelines.sync.one_by_one import collect, one_by_one
from st_sf_pipelines.systems.servicetitan.entities import ENTITIES, ENTITY

ASSET = "servicetitan/history"
CHECK = "store_holds_as_many_as_the_api_counts"
LISTED = tuple(entity.name for entity in ENTITIES if entity.is_listed)
COLUMNS = ("entity", "read", "new", "changed", "quarantined", "listed", "held", "calls")

MONTHS = dg.MonthlyPartitionsDefinition(start_date="2010-01-01", timezone="UTC", end_offset=1)
"""Months in UTC, for every tenant alike: the bounds of creation are instants, and no month has a doubled hour."""

TENANT_MONTHS = dg.MultiPartitionsDefinition({"tenant": TENANTS, "month": MONTHS})
"""A backfill runs each by itself: one run over a range would take in the tenants between."""


class HistoryConfig(dg.Config):
    """Which entities a month is read of."""

    entities: list[str] = Field(default_factory=list, description=f"Some of {', '.join(LISTED)}; empty: all of them.")


@dg.asset(
    key=key_of(ASSET),
    deps=[SERVICETITAN.key],
    description=(
        "Reads again what was created in a month (UTC), by the lists; the cursors stay. Compares our row counts, "
        "deleted rows aside, with the API's own. Canceled logs have no list of their own."
    ),
    group_name="servicetitan",
    kinds={"servicetitan", "postgres"},
    partitions_def=TENANT_MONTHS,
    check_specs=[
        dg.AssetCheckSpec(CHECK, asset=key_of(ASSET), description="We hold as many of the month as the API counts.")
    ],
    pool="servicetitan",
)
def history(
    context: dg.AssetExecutionContext, config: HistoryConfig, tenant_round: RoundResource
) -> dg.MaterializeResult:
    """Read the month of the partition's tenant, entity by entity."""
    work = tenant_round.work
    unknown = [name for name in config.entities if name not in LISTED]
    if unknown:
        raise dg.Failure(f"{', '.join(unknown)}: no entity with a list; choose among {', '.join(LISTED)}")
    month = month_of(context.partition_key)
    try:
        with work.operation(ASSET) as counts:
            chosen = [ENTITY[name] for name in config.entities or LISTED]
            read = one_by_one(chosen, lambda entity: backfill(work.db, work.source, work.tenant.id, entity, month))
            found = collect(read, counts)
    except StSfError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    differ = {name: f"{each.held} held, {each.listed} listed" for name, each in found.items() if not each.agrees}
    rows = [row_of(name, each) for name, each in found.items()]
    totals = {name: sum(getattr(each, name) for each in found.values()) for name in ("read", "new", "changed")}
    return dg.MaterializeResult(
        metadata={
            **with_skipped(totals),
            "API calls": sum(each.calls for each in found.values()),
            "seconds": counts["seconds"],
            "entities": dg.MetadataValue.table(rows, dg.TableSchema([dg.TableColumn(name) for name in COLUMNS])),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=CHECK,
                asset_key=key_of(ASSET),
                passed=not differ,
                metadata={"compared": len(found), **differ},
            )
        ],
    )


def row_of(name: str, compared: Compared) -> dg.TableRecord:
    """Give an entity's row of the table; a count that the API does not tell is unknown, and not none."""
    counts = {key: "unknown" if value is None else value for key, value in asdict(compared).items()}
    return dg.TableRecord({"entity": name, **counts})


def month_of(partition: str) -> Window:
    """Give the month of a partition (`2026-01-01|socal`) as the stretch of creation that its lists are asked for."""
    begins = datetime.fromisoformat(partition.partition("|")[0]).replace(tzinfo=UTC)
    return Window(begins, (begins + timedelta(days=32)).replace(day=1), of="created")
