"""The nightly proof: each target read back whole, and compared field by field with what it acknowledged (SF-11)."""

import dagster as dg

from st_sf_pipelines.defs.raw import key_of
from st_sf_pipelines.defs.resources import RoundResource
from st_sf_pipelines.errors import StSfError
from st_sf_pipelines.mapping import ObjectMap
from st_sf_pipelines.sync.reconcile import reconcile
from st_sf_pipelines.systems.targets import SYSTEMS, System

NAME = "target_shows_what_it_acknowledged"
SHOWN = 50


def _check(system: System, target: ObjectMap) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=key_of(target.asset),
        name=NAME,
        description="Reads every record back and compares it; any difference names its record (SF-11).",
        pool=system.name,
    )
    def compare(tenant_round: RoundResource) -> dg.AssetCheckResult:
        work = tenant_round.work
        if system.section(work.tenant) is None:
            return dg.AssetCheckResult(passed=True, metadata={"skipped": f"the tenant has no {system.name} section"})
        found = next(each for each in system.maps(work.tenant) if each.asset == target.asset)
        try:
            with work.operation(f"{target.asset} reconciled") as counts:
                destination = work.destination(system)
                proof = reconcile(work.db, destination, work.tenant.id, found, system.key(work.tenant))
                counts.update({"compared": proof.compared, "differences": len(proof.differences)})
        except StSfError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        shown = [
            dg.TableRecord({"key": each.key, "what": each.what, "fields": ", ".join(each.fields)})
            for each in proof.differences[:SHOWN]
        ]
        columns = [dg.TableColumn(name) for name in ("key", "what", "fields")]
        return dg.AssetCheckResult(
            passed=proof.is_whole,
            metadata={
                "tenant": work.tenant.name,
                "compared": proof.compared,
                "differences": len(proof.differences),
                "the first differences": dg.MetadataValue.table(shown, dg.TableSchema(columns)),
                "records": proof.standing.source,
                "synced": proof.standing.synced,
                "parked": proof.standing.parked,
            },
        )

    return compare


PROOFS = tuple(_check(system, target) for system in SYSTEMS for target in system.objects)
