"""The nightly clean-up: runs of Dagster that hold nothing we show, and what our own tables need no longer (OPS-7)."""

from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from sqlalchemy import func, select

from st_sf_pipelines.defs.instance import current_settings, open_database
from st_sf_pipelines.errors import StSfError
from st_sf_pipelines.settings import Settings
from st_sf_pipelines.store import retention
from st_sf_pipelines.sync.derive import FOLLOWS

BATCH = 100
"""How many runs are looked up, and forgotten, together."""
_ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


def clean_up(instance: dg.DagsterInstance, settings: Settings, now: datetime, *, dry_run: bool) -> dict[str, int]:
    """Delete what is older than the site's `retention`; dry, only count. Give the rows of each table, and runs.

    Ticks are not here: Dagster prunes them itself, as dagster.yaml's `retention` says.
    """
    kept_for = settings.site.retention
    runs, kept = clean_runs(instance, now - timedelta(days=kept_for.runs_days), dry_run=dry_run)
    rows = retention.clean(open_database(settings), kept_for, FOLLOWS, now, dry_run=dry_run)
    return {"dagster runs": runs, "dagster runs kept": kept, **rows}


def clean_runs(instance: dg.DagsterInstance, before: datetime, *, dry_run: bool) -> tuple[int, int]:
    """Delete the runs that ended and were made before an instant, with their events, check results and output.

    A run stays that holds the latest materialization or check result of an asset and partition: without it Dagster
    would take the partition for missing. Give how many were deleted, and how many stayed for that.
    """
    old = instance.get_run_ids(dg.RunsFilter(statuses=list(_ENDED), created_before=before))
    shown = _shown(instance) if old else set()
    deleted = [run_id for run_id in old if run_id not in shown]
    for start in range(0, 0 if dry_run else len(deleted), BATCH):
        _delete(instance, deleted[start : start + BATCH])
    return len(deleted), len(old) - len(deleted)


def _shown(instance: dg.DagsterInstance) -> set[str]:
    """Find the runs that tell how an asset, a partition or a check stands now."""
    keys = list(instance.get_asset_keys())
    shown = {record.asset_entry.last_run_id for record in instance.get_asset_records(keys)}
    for key in keys:
        latest = instance.get_latest_materialization_event(key)
        shown.add(latest.run_id if latest else None)
        by_partition = instance.get_latest_storage_id_by_partition(key, dg.DagsterEventType.ASSET_MATERIALIZATION)
        ids = list(by_partition.values())
        for start in range(0, len(ids), BATCH):
            records = dg.AssetRecordsFilter(asset_key=key, storage_ids=ids[start : start + BATCH])
            shown |= {event.run_id for event in instance.fetch_materializations(records, limit=BATCH).records}
    if isinstance(storage := instance.event_log_storage, SqlEventLogStorage):
        check = AssetCheckExecutionsTable.c
        newest = select(func.max(check.id)).where(check.evaluation_event_storage_id.isnot(None))
        newest = newest.group_by(check.asset_key, check.check_name, check.partition)
        with storage.index_connection() as connection:
            shown |= {row[0] for row in connection.execute(select(check.run_id).where(check.id.in_(newest)))}
    return {run_id for run_id in shown if run_id}


def _delete(instance: dg.DagsterInstance, run_ids: list[str]) -> None:
    """Delete runs, each one last of all that belongs to it: what a kill leaves half done, the next night ends."""
    if isinstance(storage := instance.event_log_storage, SqlEventLogStorage):  # no call of Dagster's deletes these
        with storage.index_connection() as connection:
            checks = AssetCheckExecutionsTable.delete().where(AssetCheckExecutionsTable.c.run_id.in_(run_ids))
            connection.execute(checks)
    for run_id in run_ids:
        instance.event_log_storage.delete_events(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        instance.delete_run(run_id)


@dg.op(description="Deletes by the site's `retention`, in small transactions; rounds may run meanwhile.")
def forget(context: dg.OpExecutionContext) -> None:
    """Clean up, and tell the counts."""
    try:
        deleted = clean_up(context.instance, current_settings(), datetime.now(UTC), dry_run=False)
    except StSfError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    context.add_output_metadata(deleted)


CLEAN_UP = dg.GraphDefinition("clean_up", node_defs=[forget]).to_job(
    executor_def=dg.in_process_executor,
    description="Forget what is older than its retention: poll runs and their events, audit, receipts, the read log.",
)
nightly_clean_up = dg.ScheduleDefinition(
    name="nightly_clean_up",
    job=CLEAN_UP,
    cron_schedule="50 3 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night: forgets what is older than its retention (OPS-7).",
)
