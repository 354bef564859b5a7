"""A customer's way through whole rounds: first loads, a poll with and without news, everybody's segments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import httpx

from st_sf_pipelines.defs import news
from st_sf_pipelines.defs.instance import open_database
from st_sf_pipelines.operate.rounds import run_rounds
from st_sf_pipelines.settings import load
from st_sf_pipelines.store.log import Scope
from st_sf_pipelines.sync.derive import derive_segments

from .bench import home, stand_in, write_site

if TYPE_CHECKING:
    from .table import Measured

FIRST_CUSTOMER, STEP = 41_000_003, 7
"""How the made-up shop numbers its customers."""


def measure(rows: Measured, customers: int) -> None:
    """Measure a small shop's first load, then a large one's life."""
    with home() as place, stand_in("servicetitan", "--customers", "450") as st, stand_in("salesforce") as sf:
        write_site(place, st, sf)
        _round(rows, "first load of 450 customers")
    with home() as place, stand_in("servicetitan", "--customers", str(customers)) as st, stand_in("salesforce") as sf:
        write_site(place, st, sf)
        _round(rows, f"first load of {customers:,} customers")
        db, tenant, bounds = open_database(load()), load().site.tenants[0], load().site.segments
        with rows.measured("a poll with no news") as row:
            row.told.append(news.look(db, tenant, load().site, datetime.now(UTC)).sentence)
        with rows.measured(f"segments of {customers:,} customers, all of them") as row:
            done = derive_segments(db, tenant, bounds, datetime.now(UTC), Scope(everybody=True))
            row.told.append(f"{done.changed} changed")
            row.records = done.looked
        with rows.measured("segments, one day later") as row:
            done = derive_segments(db, tenant, bounds, datetime.now(UTC) + timedelta(days=1), Scope())
            row.told.append(f"{done.looked} due, {done.changed} changed")
        touched = [{"id": FIRST_CUSTOMER + STEP * n, "doNotService": True} for n in range(customers // 100)]
        body = {"entity": "customers", "records": touched}
        httpx.post(f"{st['url']}/_sim/records", json=body, timeout=60).raise_for_status()
        _round(rows, "a round after 1 % changed")


def _round(rows: Measured, what: str, **options: Any) -> None:
    """Measure a round; its calls to Salesforce are told object by object. Raise SystemExit unless it is a success."""
    settings = load()
    with dg.DagsterInstance.ephemeral() as instance, rows.measured(what) as row:
        part = run_rounds(instance, settings, settings.site.tenants, **options)["tenants"][0]
        if part["status"] != "success":
            raise SystemExit(f"{what}: {part['status']}: {part['error']}")
        row.records = sum(entity["read"] for entity in part["entities"].values())
        calls = sum(entity["calls"] for entity in part["entities"].values())
        wrote = ", ".join(
            f"{asset.partition('/')[2]} {target['created'] + target['updated']} rows in {target['calls']} calls"
            for asset, target in part["targets"].items()
        )
        row.told.append(f"{row.records} records in {calls} calls; {wrote}")
