"""The first run over the default shop, through the store: what SQL joins is what the rules conclude from (CRM-14)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from st_sf_pipelines.config import Pipelines
from st_sf_pipelines.rules.facts import AsOf
from st_sf_pipelines.rules.fold import fold
from st_sf_pipelines.simulators.shop import make_shop
from st_sf_pipelines.store.facts import deal_facts
from st_sf_pipelines.store.log import Scope, look
from st_sf_pipelines_tests.store.feeding import feed

if TYPE_CHECKING:
    from st_sf_pipelines.simulators.shop import Tenant
    from st_sf_pipelines.store.database import Connection, Database

READ = ("business_units", "customers", "leads", "jobs", "appointments", "appointment_assignments", "estimates")
NO_DEALS = "CREATE TEMP TABLE dealt (st_id bigint, opened_for bigint, number int, job_ids bigint[]) ON COMMIT DROP"
NO_STATES = "CREATE TEMP TABLE kept (st_id bigint, journey int, hand_state text, hand_at timestamptz) ON COMMIT DROP"


def read(db: Database, tenant: Tenant) -> None:
    """Read a shop's tenant into the store."""
    for entity in READ:
        table = tenant.tables[entity]
        feed(db, entity, *(table.get(key) for key in table.keys()), tenant=tenant.id)  # noqa: SIM118 - no dict


def everybody(connection: Connection, tenant_id: int) -> None:
    """Look at all subjects of a tenant."""
    look(connection, tenant_id, "test", ("servicetitan/jobs",), "1", Scope(everybody=True))


@pytest.mark.parametrize("anchor", ["2026-01-31T15:30", "2026-03-08T09:00"])
def test_the_first_run_gives_450_contacts_and_91_opportunities(db: Database, anchor: str) -> None:
    shop = make_shop(anchor=datetime.fromisoformat(anchor).replace(tzinfo=UTC))
    tenant = shop.tenant()
    read(db, tenant)
    as_of = AsOf(shop.anchor, ZoneInfo(tenant.timezone))
    with db.connect() as connection:
        everybody(connection, tenant.id)
        connection.execute(NO_DEALS)
        seen = list(deal_facts(connection, tenant.id, shop.anchor - timedelta(days=92)))
    concluded = [fold(facts, (), as_of, Pipelines()) for facts in seen]
    deals = [deal for each in concluded for deal in each.deals]
    assert sum(each.wants_contact == "customer" for each in concluded) == 450
    assert Counter("Install" if deal.pipeline == "install" else deal.stage for deal in deals) == {
        "Install": 16,
        "contacted": 37,
        "proposal-sent": 38,
    }
    for facts, each in zip(seen, concluded, strict=True):
        assert fold(facts, each.deals, as_of, Pipelines()).deals == each.deals
