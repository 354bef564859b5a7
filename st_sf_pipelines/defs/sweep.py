"""The nightly sweep as an asset: what no feed told, found by comparing whole lists with the store (EXT-5)."""

from dataclasses import asdict
from typing import Any

import dagster as dg
from pydantic import Field

from st_sf_pipelines.defs.raw import SERVICETITAN, key_of
from st_sf_pipelines.defs.resources import TENANTS, RoundResource
from st_sf_pipelines.defs.round import with_skipped
from st_sf_pipelines.errors import StSfError
from st_sf_pipelines.sync.one_by_one import collect
from st_sf_pipelines.sync.sweep import Swept
from st_sf_pipelines.sync.sweep import sweep as sweep_lists
from st_sf_pipelines.systems.servicetitan.entities import ENTITIES

ASSET = "servicetitan/sweep"
CHECK = "store_holds_what_the_lists_show"
COLUMNS = ("entity", "read", "new", "changed", "gone", "listed", "held", "calls", "finished", "doubt")


class SweepConfig(dg.Config):
    """How far a sweep goes."""

    calls: int = Field(default=-1, description="The budget of API calls; below zero: the tenant's own sweep_calls.")


@dg.asset(
    key=key_of(ASSET),
    deps=[SERVICETITAN.key],
    description=(
        "Reads whole lists, the least recently swept first, and compares them with the store: takes in what no feed "
        "told, marks what is gone. A night has a budget of calls; the next one goes on where it ended."
    ),
    group_name="servicetitan",
    kinds={"servicetitan", "postgres"},
    partitions_def=TENANTS,
    check_specs=[
        dg.AssetCheckSpec(CHECK, asset=key_of(ASSET), description="Each list swept has as many records as we hold.")
    ],
    pool="servicetitan",
)
def sweep(config: SweepConfig, tenant_round: RoundResource) -> dg.MaterializeResult:
    """Sweep the tenant's lists until the budget is spent."""
    work = tenant_round.work
    budget = config.calls if config.calls >= 0 else work.tenant.servicetitan.sweep_calls
    try:
        with work.operation(ASSET) as counts:
            found = collect(sweep_lists(work.db, work.source, work.tenant.id, ENTITIES, budget), counts)
    except StSfError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    rows = [_row(name, swept) for name, swept in found.items()]
    differ = [name for name, swept in found.items() if not swept.agrees]
    totals = {name: sum(getattr(each, name) for each in found.values()) for name in ("read", "new", "changed")}
    return dg.MaterializeResult(
        metadata={
            **with_skipped(totals),
            "gone": sum(len(each.gone) for each in found.values()),
            "API calls": sum(each.calls for each in found.values()),
            "budget": budget,
            "seconds": counts["seconds"],
            "lists": dg.MetadataValue.table(rows, dg.TableSchema([dg.TableColumn(name) for name in COLUMNS])),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=CHECK,
                asset_key=key_of(ASSET),
                passed=not differ,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"tenant": work.tenant.name, "lists that differ": ", ".join(differ) or "none"},
            )
        ],
    )


def _row(name: str, swept: Swept) -> dg.TableRecord:
    values: dict[str, Any] = {"entity": name, **asdict(swept), "gone": len(swept.gone)}
    return dg.TableRecord({column: "" if values[column] is None else values[column] for column in COLUMNS})
