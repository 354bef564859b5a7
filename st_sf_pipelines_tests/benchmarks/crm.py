"""Contacts on their way into a real Payload CMS: new ones, changed ones, and such as are there already."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from st_sf_pipelines.config import Crm, Pipelines
from st_sf_pipelines.defs.instance import open_database
from st_sf_pipelines.settings import load
from st_sf_pipelines.simulators.crm.payload import running
from st_sf_pipelines.store.log import Scope
from st_sf_pipelines.sync.deals import derive_deals
from st_sf_pipelines.sync.derive import derive_profiles
from st_sf_pipelines.sync.plan import plan
from st_sf_pipelines.sync.push import push
from st_sf_pipelines.systems.crm.client import CrmClient
from st_sf_pipelines.systems.crm.lookup import LIKES, VALUES
from st_sf_pipelines.systems.crm.objects import CONTACT

from . import base
from .bench import home

if TYPE_CHECKING:
    from st_sf_pipelines.config import Tenant
    from st_sf_pipelines.store.database import Database

    from .table import Measured


def measure(rows: Measured, contacts: int) -> None:
    """Measure what is planned and pushed, call by call; raise SystemExit where the calls are not those expected."""
    with home() as place, running() as access:
        (place / "site.yaml").write_text("tenants: []\n")
        db = open_database(load())
        base.make(db, contacts, dealt=1)
        crm = Crm.model_validate({name: access[name] for name in ("api_url", "api_key")})
        tenant = base.tenant_of_base().model_copy(update={"crm": crm})
        everybody = Scope(everybody=True)
        derive_profiles(db, tenant, everybody)
        derive_deals(db, tenant, Pipelines(), datetime.now(UTC), None, everybody)
        by_key, by_email = -(-contacts // VALUES), -(-contacts // LIKES)
        _sent(rows, db, tenant, f"{contacts:,} contacts, new", contacts + by_key + by_email)
        _forget(db)
        _sent(rows, db, tenant, f"{contacts:,} contacts, there under our key, not linked yet", contacts + by_key)
        _run(db, "UPDATE customers.profile SET phone = '714 555 0100'")
        _sent(rows, db, tenant, f"{contacts:,} contacts, linked, a field changed", contacts)
        _sent(rows, db, tenant, f"{contacts:,} contacts, unchanged", 0)
        db.close()


def _sent(rows: Measured, db: Database, tenant: Tenant, which: str, expected: int) -> None:
    client, now = CrmClient(tenant), datetime.now(UTC)
    with rows.measured(f"into Payload: {which}") as row:
        planned = plan(db, tenant, CONTACT, "{id}", now, Scope(everybody=True))
        push(db, client, tenant.id, CONTACT, [CONTACT], "bench")
        row.records = planned.planned
    client.close()
    row.told.append(f"{planned.planned} written; expected {expected} calls, got {client.calls}")
    if client.calls != expected:
        raise SystemExit(f"{row.what}: {row.told[-1]}")


def _forget(db: Database) -> None:
    """Forget what was delivered, as if another program of ours had written it."""
    _run(db, "DELETE FROM sync.deliveries")


def _run(db: Database, statement: str) -> None:
    with db.connect() as connection:
        connection.execute(statement)
