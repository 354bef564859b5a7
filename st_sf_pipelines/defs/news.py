"""What is news for a tenant (OPS-2): a poll that finds none of it starts no run, and says so in words."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from st_sf_pipelines.defs.round import lock_name
from st_sf_pipelines.errors import StSfError
from st_sf_pipelines.store import ledger, records
from st_sf_pipelines.store.leases import lease
from st_sf_pipelines.sync import derive, plan
from st_sf_pipelines.sync.pull import has_news
from st_sf_pipelines.systems.salesforce.objects import objects_of
from st_sf_pipelines.systems.servicetitan.client import ServiceTitanClient
from st_sf_pipelines.systems.servicetitan.entities import ENTITIES, Entity

if TYPE_CHECKING:
    from datetime import datetime

    from st_sf_pipelines.config import Segments, Tenant
    from st_sf_pipelines.store.database import Database

PROBE_SECONDS: Final = 5.0
FED: Final = [entity for entity in ENTITIES if entity.is_fed]


@dataclass(frozen=True)
class News:
    """What a look at a tenant found: assets to be materialized with all that follows, why, and what went wrong."""

    assets: tuple[str, ...]
    reasons: tuple[str, ...]
    faults: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Say it in words, for the sensor's tick."""
        return "; ".join((*self.reasons, *self.faults)) or "nothing changed"


def look(db: Database, tenant: Tenant, bounds: Segments, as_of: datetime) -> News:
    """Ask each feed once, and our own tables; a feed that does not answer is told, and never raises."""
    with db.lock(lock_name(tenant)) as is_free:
        if not is_free:
            return News((), (), ("a round is running",))
    assets: list[str] = []
    reasons: list[str] = []
    faults: list[str] = []
    client = ServiceTitanClient(tenant, timeout=PROBE_SECONDS, attempts=1, lease=partial(lease, db, tenant.id))
    try:
        with ThreadPoolExecutor(len(FED), thread_name_prefix="probe") as threads:
            answers = threads.map(lambda entity: _probe(db, client, tenant, entity), FED)
            for entity, answer in zip(FED, answers, strict=True):
                if isinstance(answer, str):
                    faults.append(answer)
                elif answer:
                    assets.append(entity.asset)
    finally:
        client.close()
    if assets:
        reasons.append(f"new in {', '.join(asset.partition('/')[2] for asset in assets)}")
    if derive.is_behind(db, tenant, bounds, as_of):
        assets.append("customers/profile")
        reasons.append("a customer is due, or waits to be derived, or a rule was edited")
    if tenant.salesforce is not None:
        targets = objects_of(tenant.salesforce)
        if any(plan.is_behind(db, tenant, target, tenant.salesforce.external_id) for target in targets):
            assets += [target.asset for target in targets]
            reasons.append("changes wait to be planned, or a map was edited")
        with db.connect() as connection:
            if any(ledger.wants_sending(connection, tenant.id, each.asset, each.parent) for each in targets):
                assets += [target.asset for target in targets]
                reasons.append("records wait to be sent")
    return News(tuple(dict.fromkeys(assets)), tuple(reasons), tuple(faults))


def _probe(db: Database, client: ServiceTitanClient, tenant: Tenant, entity: Entity) -> bool | str:
    token, complete = records.token(db, tenant.id, entity.name)
    if not complete:
        return True  # an unfinished load goes on, whatever the feed says
    try:
        return has_news(db, tenant.id, entity, client.page(entity.name, token))
    except StSfError as error:
        return str(error)
