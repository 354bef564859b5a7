"""The targets: each object of a system is an asset that plans, pushes, and proves that every record has a place."""

from typing import TYPE_CHECKING, Any, cast

import dagster as dg

from st_sf_pipelines.defs.raw import key_of
from st_sf_pipelines.defs.resources import TENANTS, RoundResource
from st_sf_pipelines.defs.round import Round, metadata
from st_sf_pipelines.errors import StSfError
from st_sf_pipelines.mapping import Field, ObjectMap, Transform
from st_sf_pipelines.store import conversions
from st_sf_pipelines.store.outgoing import SOURCES
from st_sf_pipelines.store.standing import Standing
from st_sf_pipelines.sync.afterwards import convert_leads, tell
from st_sf_pipelines.sync.deals import ASSET as DEALS
from st_sf_pipelines.sync.deliver import Prepared, deliver, prepare
from st_sf_pipelines.sync.derive import FOLLOWS
from st_sf_pipelines.systems.crm.objects import ACTIVITY
from st_sf_pipelines.systems.targets import SYSTEMS, System

if TYPE_CHECKING:
    from st_sf_pipelines.ports import Converts, Hears

CHECK = "every_record_accounted_for"
_WRITES = {"pipeline.contacts": DEALS, "pipeline.activities": DEALS}
"""Tables that are no asset of their own, and the asset that writes them; every other bears its asset's name."""


def _asset(system: System, target: ObjectMap) -> dg.AssetsDefinition:
    columns = [
        dg.TableColumn(
            field.to,
            type=_type(target, field),
            description=f"← {', '.join(field.columns) or field.constant}",
        )
        for field in target.fields
    ]
    ours = {each.asset for each in system.objects} - {target.asset}
    before = sorted(target.ahead & ours)

    @dg.asset(
        key=key_of(target.asset),
        deps=[key_of(asset) for asset in dict.fromkeys((*FOLLOWS[target.asset], *before))],
        description=target.says,
        group_name=system.name,
        kinds={system.name},
        partitions_def=TENANTS,
        code_version=target.digest,
        pool=system.name,
        op_tags={"dagster/priority": "-1"},  # behind all that is derived: a target is planned and guarded as a whole
        metadata={"dagster/column_schema": dg.TableSchema([dg.TableColumn(target.key), *columns])},
        check_specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=key_of(target.asset),
                description="All of ours = synced; none parked, none waiting (SF-12).",
            )
        ],
    )
    def materialize(context: dg.AssetExecutionContext, tenant_round: RoundResource) -> dg.MaterializeResult:
        work = tenant_round.work
        if system.section(work.tenant) is None:
            return dg.MaterializeResult(
                metadata={"skipped": f"tenant {work.tenant.name} has no {system.name} section"},
                check_results=[dg.AssetCheckResult(check_name=CHECK, passed=True, metadata={"records": 0})],
            )
        try:
            with work.operation(target.asset) as counts:
                standing = _deliver(work, system, target.asset, counts)
                if work.sends:
                    _follow_up(work, system, target.asset, counts)
        except StSfError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        if standing.parked or standing.waiting or counts["passing"]:
            work.parked += standing.parked + standing.waiting + counts["passing"]
            context.instance.add_run_tags(context.run.run_id, {"st/outcome": "parked"})
        used, allowed = work.destination(system).usage or (None, None)
        return dg.MaterializeResult(
            metadata={
                **{name: value for name, value in counts.items() if name not in ("would", "calls", "unchanged")},
                "skipped": counts["unchanged"],
                "API calls": counts["calls"],
                **({"API calls of the org today": f"{used} of {allowed}"} if used is not None else {}),
                **({"API calls left": allowed - used} if used is not None and allowed is not None else {}),
                "as of": work.as_of.isoformat(),
                "dagster/row_count": standing.synced,
                "dagster/column_lineage": lineage(target),
            },
            check_results=[_check(work, standing)],
        )

    return materialize


def _type(target: ObjectMap, field: Field) -> str:
    """Say of what type a field's values are, in the words of our database."""
    if not field.columns:
        return {bool: "boolean", int: "integer", float: "numeric"}.get(type(field.constant), "text")
    if field.transform in _TEXTS:
        return "text"
    if field.values:
        return "text" if isinstance(next(iter(field.values.values())), str) else "integer"
    return SOURCES[target.source].columns[field.columns[0]].type


_TEXTS = {Transform.TEXT, Transform.LINES, Transform.PARENT, Transform.REFERENCE, Transform.USER}


def lineage(target: ObjectMap) -> dg.TableColumnLineage:
    """Draw each field from the columns that it is made of, as the map's row and the source's table of columns say."""
    columns = SOURCES[target.source].columns
    made_of = {field.to: [each for name in field.columns for each in columns[name].made_of] for field in target.fields}
    return dg.TableColumnLineage({to: [_dep(each) for each in dict.fromkeys(names)] for to, names in made_of.items()})


def _dep(made_of: str) -> dg.TableColumnDep:
    """Name the asset and the column of a column of ours; of a table that is no asset, the table goes along."""
    table, _, column = made_of.rpartition(".")
    if table in _WRITES:
        return dg.TableColumnDep(key_of(_WRITES[table]), f"{table.rpartition('.')[2]}.{column}")
    return dg.TableColumnDep(key_of(table.replace(".", "/")), column)


def _deliver(work: Round, system: System, asset: str, counts: dict[str, Any]) -> Standing:
    if system.name in work.unread:
        raise StSfError(work.unread[system.name])
    maps = system.maps(work.tenant)
    return deliver(
        work.db,
        work.tenant,
        work.destination(system),
        next(target for target in maps if target.asset == asset),
        maps,
        _prepared(work, system),
        work.run_id,
        counts,
        skip_adoption=system.section(work.tenant).adopt == "skip",
        sends=work.sends,
        check=work.lock.check,
    )


def _prepared(work: Round, system: System) -> Prepared:
    if system.name not in work.prepared:
        section = system.section(work.tenant)
        work.prepared[system.name] = prepare(
            work.db,
            work.tenant,
            system.maps(work.tenant),
            system.key(work.tenant),
            work.as_of,
            work.scope,
            guard=work.site.guard_of(work.tenant),
            closing=system.closing(section),
            values=system.values(section, work.as_of),
        )
    return work.prepared[system.name]


def _follow_up(work: Round, system: System, asset: str, counts: dict[str, Any]) -> None:
    if asset == conversions.ASSET:
        converts = cast("Converts", work.destination(system))
        counts["converted"] = convert_leads(work.db, converts, work.tenant.id, work.run_id)
    elif asset == ACTIVITY.asset and work.tenant.crm and work.tenant.crm.webhook_secret:
        counts.update(tell(work.db, cast("Hears", work.destination(system)), work.tenant.id))


def _check(work: Round, standing: Standing) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=CHECK,
        passed=not work.sends or standing.source == standing.synced,
        metadata={
            **metadata(standing),
            "parked by code": dg.MetadataValue.json(standing.parked_by_code),
        },
    )


TARGETS = tuple(_asset(system, target) for system in SYSTEMS for target in system.objects)
ENDS = tuple(
    dg.AssetSpec(
        [system.name, "org" if system.name == "salesforce" else "cms"],
        deps=[key_of(target.asset) for target in system.objects],
        group_name=system.name,
        kinds={system.name},
        description=system.says,
    )
    for system in SYSTEMS
)
