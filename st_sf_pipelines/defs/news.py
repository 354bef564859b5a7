"""What is news for a tenant (OPS-2): a poll that finds none of it starts no run, and says so in words."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from st_sf_pipelines.defs.inbound import CHANGES
from st_sf_pipelines.defs.round import lock_name
from st_sf_pipelines.errors import PermanentError, StSfError
from st_sf_pipelines.store import cursors
from st_sf_pipelines.store.leases import lease
from st_sf_pipelines.sync import deals, deliver, derive, lists, receive
from st_sf_pipelines.sync.pages import has_news
from st_sf_pipelines.sync.pull import REFUSED_TOKEN
from st_sf_pipelines.systems.crm.client import CrmClient
from st_sf_pipelines.systems.servicetitan.client import ServiceTitanClient
from st_sf_pipelines.systems.servicetitan.entities import ENTITIES, Entity
from st_sf_pipelines.systems.targets import SYSTEM, SYSTEMS

if TYPE_CHECKING:
    from datetime import datetime

    from st_sf_pipelines.config import Site, Tenant
    from st_sf_pipelines.store.database import Database

PROBE_SECONDS: Final = 5.0
PROBE_PAGES: Final = 20
"""A look goes no further into a feed that repeats what is known; a round does."""


@dataclass(frozen=True)
class News:
    """What a look at a tenant found: assets to be materialized with all that follows, why, and what went wrong."""

    assets: tuple[str, ...]
    reasons: tuple[str, ...]
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What did not answer either, but holds nothing up."""

    @property
    def sentence(self) -> str:
        """Say it in words, for the sensor's tick."""
        return "; ".join((*self.reasons, *self.faults, *self.notes)) or "nothing changed"


def look(db: Database, tenant: Tenant, site: Site, as_of: datetime) -> News:
    """Ask each feed once, a list whose hour has come, the CRM's people, and our own tables.

    What does not answer is told, not raised.
    """
    with db.lock(lock_name(tenant)) as is_free:
        if not is_free:
            return News((), (), ("a round is running",))
    fed, faults = _fed(db, tenant, as_of)
    assets = list(fed)
    reasons = [f"new in {', '.join(asset.partition('/')[2] for asset in fed)}"] if fed else []
    if derive.is_behind(db, tenant, site, as_of):
        assets.append("customers/profile")
        reasons.append("a customer is due, or waits to be derived, or a rule was edited")
    if deals.is_behind(db, tenant, site.pipelines_of(tenant), as_of):
        assets.append(deals.ASSET)
        reasons.append("a deal is due, or waits to be derived, or a rule was edited")
    for system in SYSTEMS:
        if (section := system.section(tenant)) is None:
            continue
        targets = system.maps(tenant)
        guard, closing = site.guard_of(tenant), system.closing(section)
        if why := deliver.has_news(db, tenant, targets, system.key(tenant), guard, closing):
            assets += [target.asset for target in targets]
            reasons.append(f"{system.name}: {why}")
    answer = _by_hand(db, tenant)
    if answer is True:
        assets.append(CHANGES)
        reasons.append("a person changed an opportunity in the CRM")
    notes = (answer,) if isinstance(answer, str) else ()
    return News(tuple(dict.fromkeys(assets)), tuple(reasons), tuple(dict.fromkeys(faults)), notes)


def _fed(db: Database, tenant: Tenant, now: datetime) -> tuple[list[str], list[str]]:
    """Ask ServiceTitan's feeds side by side; give the assets with news, and what went wrong."""
    assets: list[str] = []
    faults: list[str] = []
    client = ServiceTitanClient(tenant, timeout=PROBE_SECONDS, attempts=1, lease=partial(lease, db, tenant.id))
    try:
        with ThreadPoolExecutor(len(ENTITIES), thread_name_prefix="probe") as threads:
            answers = threads.map(lambda entity: _probe(db, client, tenant, entity, now), ENTITIES)
            for entity, answer in zip(ENTITIES, answers, strict=True):
                if isinstance(answer, str):
                    faults.append(answer)
                elif answer:
                    assets.append(entity.asset)
    finally:
        client.close()
    return assets, faults


def _by_hand(db: Database, tenant: Tenant) -> bool | str:
    """Ask the CRM what its people changed; one that does not answer is told, and holds nothing else up."""
    system = SYSTEM["crm"]
    section = system.section(tenant)
    if section is None or system.read_back is None:
        return False
    fields = system.read_back(section)
    target = next(each for each in system.maps(tenant) if each.asset == fields.asset)
    client = CrmClient(tenant, timeout=PROBE_SECONDS, attempts=1)
    try:
        return receive.has_news(db, client, tenant.id, target, fields)
    except StSfError as error:
        return str(error)
    finally:
        client.close()


def _probe(db: Database, client: ServiceTitanClient, tenant: Tenant, entity: Entity, now: datetime) -> bool | str:
    token, complete = cursors.token(db, tenant.id, entity.name)
    if not complete:
        return True  # an unfinished load goes on, whatever the feed says
    try:
        if entity.is_fed:
            return _feed_has_news(db, client, tenant.id, entity, token)
        return lists.is_due(db, tenant.id, entity, now) and lists.list_has_news(db, client, tenant.id, entity)
    except StSfError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever one entity's answer holds, the others have theirs (EXT-8)
        return f"{tenant.name}: {entity.asset}: a fault of ours ({type(error).__name__})"


def _feed_has_news(db: Database, client: ServiceTitanClient, tenant_id: int, entity: Entity, token: str | None) -> bool:
    """Look a few pages into a feed: young records come again for a quarter of an hour, and what is known is no news."""
    try:
        for _ in range(PROBE_PAGES):
            page = client.page(entity.name, token)
            if has_news(db, tenant_id, entity, page.records):
                return True
            if not page.has_more:
                return False
            token = page.token or token
    except PermanentError as error:
        if error.status != REFUSED_TOKEN or token is None:
            raise
    return True  # a round begins a feed again whose token is refused
