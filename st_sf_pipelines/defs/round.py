"""One tenant's round: who it is for, as of when, what it may do, and the account that it keeps of itself."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final, cast

from st_sf_pipelines.errors import RoundRunning, StSfError, TargetStopped
from st_sf_pipelines.store import audit, quarantine
from st_sf_pipelines.store.leases import lease
from st_sf_pipelines.store.standing import taken
from st_sf_pipelines.systems.servicetitan.client import ServiceTitanClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from st_sf_pipelines.config import Segments, Site, Tenant
    from st_sf_pipelines.ports import Destination, Listener, Window
    from st_sf_pipelines.store.database import Database, Lock
    from st_sf_pipelines.store.log import Scope
    from st_sf_pipelines.sync.deliver import Prepared
    from st_sf_pipelines.systems.targets import System

WAIT_SECONDS: Final = 60.0
"""How long a round waits for another of the same tenant before it gives up and names it."""


@dataclass
class Round:
    """What every asset of a run shares; made by `begin`, which holds the tenant's lock as long as it lasts."""

    db: Database
    lock: Lock
    tenant: Tenant
    site: Site
    run_id: str
    as_of: datetime
    scope: Scope
    window: Window | None = None
    dry_run: bool = False
    whole: bool = False
    """It knows all that ServiceTitan has to tell: it reads every entity, or a look found no news in the others."""
    rewinds: bool = False
    """The last that concluded, dry or not, had a later `as_of`: the day's conclusions are drawn anew for everybody."""
    backward: bool = False
    """The last that pushed had a later `as_of`: nothing is pushed (SEG-6)."""
    last_good: datetime | None = None
    """The `as_of` of the last good round, to which the windows of the deals reach back (CRM-1)."""
    failures: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    parked: int = 0
    unread: dict[str, str] = field(default_factory=dict)
    """The systems that did not answer when they were read, and what they said: their objects are not written."""
    unread_entities: list[str] = field(default_factory=list)
    """What was said of each entity of ServiceTitan that could not be read: what follows it is left out."""
    prepared: dict[str, Prepared] = field(default_factory=dict)
    """What became of each system's plan, which is made before its first object is written."""
    _destinations: dict[str, Destination] = field(default_factory=dict)

    @property
    def bounds(self) -> Segments:
        """The thresholds of the segments in force."""
        return self.site.segments_of(self.tenant)

    @property
    def sends(self) -> bool:
        """Tell whether this round writes to targets: it is not dry, and does not go back in time."""
        return not (self.dry_run or self.backward)

    @property
    def note(self) -> str | None:
        """Say that this round goes back in time, if it does."""
        if self.dry_run or not self.backward:
            return None
        return (
            f"{self.tenant.name}: this round is as of {self.as_of.isoformat()}, a moment before the last one's: the "
            "rules were evaluated for it, and nothing was sent to any target"
        )

    @cached_property
    def source(self) -> ServiceTitanClient:
        """The tenant's ServiceTitan."""
        return ServiceTitanClient(self.tenant, lease=partial(lease, self.db, self.tenant.id))

    def destination(self, system: System) -> Destination:
        """Give the tenant's client of a system, one for the whole round; only for a tenant that has such a target."""
        if system.name not in self._destinations:
            self._destinations[system.name] = system.connect(self.tenant, partial(taken, self.db, self.tenant.id))
        return self._destinations[system.name]

    def listener(self, system: System) -> Listener:
        """Give the same client of a system whose people change records too."""
        return cast("Listener", self.destination(system))

    @contextmanager
    def operation(self, asset: str) -> Iterator[dict[str, Any]]:
        """Account for what an asset does: fill the counts; an error is noted with them and goes on up."""
        counts: dict[str, Any] = {}
        began = time.monotonic()
        error = None
        try:
            self.lock.check()
            yield counts
        except StSfError as caught:
            error = str(caught)
            (self.stopped if isinstance(caught, TargetStopped) else self.failures).append(error)
            raise
        except Exception as caught:
            error = f"{asset}: a fault of ours ({type(caught).__name__}); the run's page in the Dagster UI tells where"
            self.failures.append(error)
            raise
        finally:
            seconds = time.monotonic() - began
            counts["seconds"] = round(seconds, 3)
            audit.keep_operation(self.db, self.run_id, self.tenant.id, asset, counts, seconds, error)

    @property
    def status(self) -> str:
        """Say how the round went: success, parked, stopped or failed, the worst first (SF-12)."""
        if self.failures:
            return "failed"
        if self.stopped:
            return "stopped"
        return "parked" if self.parked or quarantine.quarantined(self.db, self.tenant.id) else "success"

    def close(self) -> None:
        """Close what was opened."""
        if "source" in self.__dict__:
            self.source.close()
        for destination in self._destinations.values():
            destination.close()


@contextmanager
def begin(
    db: Database,
    tenant: Tenant,
    site: Site,
    run_id: str,
    as_of: datetime,
    scope: Scope,
    *,
    window: Window | None = None,
    dry_run: bool = False,
    wait: float = WAIT_SECONDS,
    triggered_by: str = "person",
    looked: bool = False,
) -> Iterator[Round]:
    """Hold the tenant's lock for a round and keep its account; raise RoundRunning if another holds it too long."""
    with held(db, tenant, wait=wait) as lock:
        before = audit.begin_round(
            db,
            run_id,
            tenant.id,
            tenant.name,
            as_of,
            dry_run=dry_run,
            triggered_by=triggered_by,
            everybody=scope.everybody,
        )
        work = Round(db, lock, tenant, site, run_id, as_of, scope, window, dry_run, whole=looked)
        work.rewinds = before.concluded is not None and as_of < before.concluded
        work.backward = before.pushed is not None and as_of < before.pushed
        work.last_good = before.good
        try:
            yield work
        finally:
            work.close()
            error = "; ".join(dict.fromkeys((*work.failures, *work.stopped))) or None
            audit.end_round(db, run_id, tenant.id, work.status, error, whole=work.whole, note=work.note)


@contextmanager
def held(db: Database, tenant: Tenant, *, wait: float = WAIT_SECONDS) -> Iterator[Lock]:
    """Hold a tenant's lock, and give it; raise RoundRunning, naming the round that has it, if that takes too long."""
    until = time.monotonic() + wait
    while True:
        with db.hold(lock_name(tenant)) as lock:
            if lock is not None:
                yield lock
                return
        if time.monotonic() >= until:
            raise RoundRunning(_named(db, tenant))
        time.sleep(0.5)


def lock_name(tenant: Tenant) -> str:
    """Name the lock that rounds of a tenant hold."""
    return f"round:{tenant.id}"


def _named(db: Database, tenant: Tenant) -> str:
    other = audit.running(db, tenant.id)
    which = f"round {other['run_id']}, begun at {other['started_at']:%H:%M:%S} UTC," if other else "another round"
    return f"{tenant.name}: {which} is still running; rounds of one tenant never overlap. Try again when it has ended."


def with_skipped(counts: Mapping[str, int]) -> dict[str, int]:
    """Add how many of what was read, or looked at, changed nothing (OPS-1)."""
    seen = counts["read"] if "read" in counts else counts["looked"]
    return {**counts, "skipped": seen - counts["new"] - counts["changed"]}


def metadata(counts: Any) -> dict[str, int]:
    """Give the counts of a result as plain numbers."""
    return {name: value for name, value in asdict(counts).items() if isinstance(value, int)}
