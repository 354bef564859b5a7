"""One tenant's round: who it is for, as of when, what it may do, and the account that it keeps of itself."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.errors import RoundRunning, StSfError, TargetStopped
from st_sf_pipelines.store import audit, quarantine
from st_sf_pipelines.store.leases import lease
from st_sf_pipelines.systems.salesforce.client import SalesforceClient
from st_sf_pipelines.systems.salesforce.objects import objects_of
from st_sf_pipelines.systems.servicetitan.client import ServiceTitanClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from st_sf_pipelines.config import Segments, Tenant
    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.ports import Window
    from st_sf_pipelines.store.database import Database, Lock
    from st_sf_pipelines.store.log import Scope

WAIT_SECONDS: Final = 60.0
"""How long a round waits for another of the same tenant before it gives up and names it."""


@dataclass
class Round:
    """What every asset of a run shares; made by `begin`, which holds the tenant's lock as long as it lasts."""

    db: Database
    lock: Lock
    tenant: Tenant
    bounds: Segments
    run_id: str
    as_of: datetime
    scope: Scope
    window: Window | None = None
    dry_run: bool = False
    rewinds: bool = False
    """The last round, dry or not, had a later `as_of`: the day's conclusions are drawn anew for everybody."""
    backward: bool = False
    """The last round that was not dry had a later `as_of`: nothing is pushed (SEG-6)."""
    failures: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    parked: int = 0

    @cached_property
    def source(self) -> ServiceTitanClient:
        """The tenant's ServiceTitan."""
        return ServiceTitanClient(self.tenant, lease=partial(lease, self.db, self.tenant.id))

    @cached_property
    def salesforce(self) -> SalesforceClient:
        """The tenant's Salesforce; only for a tenant that has one."""
        return SalesforceClient(self.tenant)

    def target(self, asset: str) -> tuple[ObjectMap, str] | None:
        """Give the map in force of a Salesforce object and the format of its keys; None if the tenant has no org."""
        config = self.tenant.salesforce
        if config is None:
            return None
        return next(target for target in objects_of(config) if target.asset == asset), config.external_id

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
        for name in ("source", "salesforce"):
            if name in self.__dict__:
                self.__dict__[name].close()


@contextmanager
def begin(
    db: Database,
    tenant: Tenant,
    bounds: Segments,
    run_id: str,
    as_of: datetime,
    scope: Scope,
    *,
    window: Window | None = None,
    dry_run: bool = False,
    wait: float = WAIT_SECONDS,
) -> Iterator[Round]:
    """Hold the tenant's lock for a round and keep its account; raise RoundRunning if another holds it too long."""
    with held(db, tenant, wait=wait) as lock:
        concluded, pushed = audit.begin_round(db, run_id, tenant.id, tenant.name, as_of, dry_run=dry_run)
        work = Round(db, lock, tenant, bounds, run_id, as_of, scope, window, dry_run)
        work.rewinds = concluded is not None and as_of < concluded
        work.backward = pushed is not None and as_of < pushed
        try:
            yield work
        finally:
            work.close()
            error = "; ".join((*work.failures, *work.stopped)) or None
            audit.end_round(db, run_id, tenant.id, work.status, error)


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


def metadata(counts: Any) -> dict[str, int]:
    """Give the counts of a result as plain numbers."""
    return {name: value for name, value in asdict(counts).items() if isinstance(value, int)}
