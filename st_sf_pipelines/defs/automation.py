"""When it runs by itself: the sensor that polls every tenant on its beat, the nightly sweep and proof."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime

import dagster as dg
from cronsim import CronSim

from st_sf_pipelines.config import Tenant
from st_sf_pipelines.defs.instance import current_settings, open_database
from st_sf_pipelines.defs.jobs import RECONCILE, ROUND, SWEEP, TENANT_TAG
from st_sf_pipelines.defs.news import News, look
from st_sf_pipelines.defs.raw import SERVICETITAN, key_of, servicetitan
from st_sf_pipelines.defs.resources import TENANTS, round_config
from st_sf_pipelines.defs.round import lock_name
from st_sf_pipelines.errors import StSfError
from st_sf_pipelines.settings import Settings
from st_sf_pipelines.store import audit
from st_sf_pipelines.store.database import Database

LOOKS_AT_ONCE = 8
LOOKING_SECONDS = 40.0  # Dagster gives a tick up after 60 seconds, with all that was found
_ACTIVE = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


def beat_before(cron: str, now: datetime) -> datetime:
    """Give the last instant of the beat, whose form the settings have checked."""
    return next(CronSim(cron, now, reverse=True))


@dg.sensor(
    job=ROUND,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Looks at every tenant on the beat of CRM_SYNC_CRON; starts a round only where there is news.",
)
def poll(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Look at the tenants that are due, side by side; say for each what was found.

    A look that has not ended in LOOKING_SECONDS is told, and left; one that had no turn has it at the next tick.
    """
    try:
        settings = current_settings()
        if not settings.enabled:
            return dg.SensorResult(skip_reason="CRM_SYNC_ENABLED is false")
        return _tick(context, settings, datetime.now(UTC))
    except StSfError as error:
        return dg.SensorResult(skip_reason=str(error))


def _tick(context: dg.SensorEvaluationContext, settings: Settings, now: datetime) -> dg.SensorResult:
    db = open_database(settings)
    beat = beat_before(settings.cron, now)
    looks = {tenant.id: audit.last_look(db, tenant.id) for tenant in settings.site.tenants}
    due = [tenant for tenant in settings.site.tenants if (looks[tenant.id] or datetime.min.replace(tzinfo=UTC)) < beat]
    if not due:
        names = "no tenant is configured" if not settings.site.tenants else f"looked at since {beat:%H:%M:%S} UTC"
        return dg.SensorResult(skip_reason=names)
    if context.repository_def is None:
        raise LookupError("the sensor runs outside a code location")
    job = context.repository_def.get_job(ROUND.name)
    requests: list[dg.RunRequest] = []
    words: list[str] = []
    for tenant, news in zip(due, _looks(context.instance, settings, due, now), strict=True):
        if news is None:
            words.append(f"{tenant.name}: not looked at yet, the others took too long")
            continue
        audit.keep_look(db, tenant.id, now, news.sentence, good=not news.faults)
        words.append(f"{tenant.name}: {news.sentence}")
        if news.assets:
            requests.append(_request(job, tenant, news))
    context.log.info("; ".join(words))
    known = set(context.instance.get_dynamic_partitions(TENANTS.name or ""))
    added = [tenant.name for tenant in due if tenant.name not in known]
    return dg.SensorResult(
        run_requests=requests or None,
        skip_reason=None if requests else "; ".join(words),
        dynamic_partitions_requests=[TENANTS.build_add_request(added)] if added else None,
    )


def _looks(instance: dg.DagsterInstance, settings: Settings, due: list[Tenant], now: datetime) -> list[News | None]:
    """Look at tenants side by side, and wait for none longer than the tick can; None for one that had no turn."""
    threads = ThreadPoolExecutor(LOOKS_AT_ONCE, thread_name_prefix="tenant")
    looks = [threads.submit(_look, instance, settings, tenant, now) for tenant in due]
    wait(looks, LOOKING_SECONDS)
    threads.shutdown(wait=False, cancel_futures=True)
    late = News((), (), (f"the look did not end in {LOOKING_SECONDS:g} seconds",))
    return [None if look.cancelled() else look.result() if look.done() else late for look in looks]


def _look(instance: dg.DagsterInstance, settings: Settings, tenant: Tenant, now: datetime) -> News:
    try:
        db = open_database(settings)
        for run in instance.get_runs(dg.RunsFilter(statuses=list(_ACTIVE), tags={TENANT_TAG: tenant.name})):
            if not _ended_by_a_kill(db, tenant, run):
                return News((), (), ("a run is active",))
            instance.report_run_failed(run, audit.KILLED)
        return look(db, tenant, settings.site, now)
    except StSfError as error:
        return News((), (), (str(error),))
    except Exception as error:  # noqa: BLE001 - whatever happens to one tenant's look, the others have theirs (EXT-8)
        return News((), (), (f"{tenant.name}: a fault of ours ({type(error).__name__})",))


def _ended_by_a_kill(db: Database, tenant: Tenant, run: dg.DagsterRun) -> bool:
    """Tell whether a run's process is gone: its round was begun, under the tenant's lock, and the lock is free.

    Dagster's launcher does not watch the processes that it starts: after a kill -9 the run would count as started for
    hours, and keep its tenant from the beat.
    """
    kept = audit.round_of(db, run.run_id, tenant.id)
    is_open = kept is not None and (kept["status"] is None or kept["error"] == audit.KILLED)
    if run.status is not dg.DagsterRunStatus.STARTED or not is_open:
        return False
    with db.lock(lock_name(tenant)) as is_free:
        return is_free


def _request(job: dg.JobDefinition, tenant: Tenant, news: News) -> dg.RunRequest:
    selection = dg.AssetSelection.assets(*(key_of(asset) for asset in news.assets)).downstream()
    assets, checks = selected(job, selection)
    return dg.RunRequest(
        partition_key=tenant.name,
        asset_selection=assets,
        asset_check_keys=checks,  # the round's own: unless told, the nightly proof would run with them at each beat
        # Before the runs of a backfill, which wait by the hundred.
        tags={TENANT_TAG: tenant.name, "st/news": news.sentence[:250], "dagster/priority": "1"},
        run_config=round_config(scope="changed", looked=not news.faults),
    )


def selected(job: dg.JobDefinition, selection: dg.AssetSelection) -> tuple[list[dg.AssetKey], list[dg.AssetCheckKey]]:
    """Resolve a selection among what a job can materialize; give its assets, and the checks that go with them."""
    graph = job.asset_layer.asset_graph
    assets = selection.resolve(graph) & graph.materializable_asset_keys
    concerned = assets | ({SERVICETITAN.key} if assets & set(servicetitan.keys) else set())
    return sorted(assets), sorted(key for key in graph.asset_check_keys if key.asset_key in concerned)


@dg.schedule(
    job=RECONCILE,
    cron_schedule="20 3 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night: reads the targets back and compares them with what they acknowledged.",
)
def nightly_proof(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:  # noqa: ARG001
    """Ask for one proof a tenant."""
    try:
        tenants = current_settings().site.tenants
    except StSfError as error:
        return dg.SkipReason(str(error))
    return [
        dg.RunRequest(tags={TENANT_TAG: tenant.name}, run_config=round_config(tenant=tenant.name)) for tenant in tenants
    ]


@dg.schedule(
    job=SWEEP,
    cron_schedule="50 1 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night: compares whole lists of each tenant with the store, within its budget of calls.",
)
def nightly_sweep(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
    """Ask for one sweep a tenant that has a budget."""
    try:
        tenants = [each for each in current_settings().site.tenants if each.servicetitan.sweep_calls > 0]
    except StSfError as error:
        return dg.SkipReason(str(error))
    known = set(context.instance.get_dynamic_partitions(TENANTS.name or ""))
    asked = [tenant for tenant in tenants if tenant.name in known]  # the poll makes a tenant's partition
    if not asked:
        return dg.SkipReason("no tenant has been polled yet")
    return [dg.RunRequest(partition_key=tenant.name, tags={TENANT_TAG: tenant.name}) for tenant in asked]
