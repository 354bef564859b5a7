"""Each materialization shows what it cost, how far it has read, and its result as a person sees it best (OPS-1)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.definitions import defs
from st_sf_pipelines_tests.acceptance import sale
from st_sf_pipelines_tests.acceptance.desk import new_customer

if TYPE_CHECKING:
    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World


def shown(world: World) -> dict[str, dict[str, Any]]:
    """Run the round's job as Dagster does, and give what each materialization shows, by asset."""
    world.dagster.add_dynamic_partitions("tenants", ["socal"])
    done = defs().resolve_job_def("round").execute_in_process(instance=world.dagster, partition_key="socal")
    events = done.get_asset_materialization_events()
    return {
        event.asset_key.to_user_string(): {name: each.value for name, each in event.materialization.metadata.items()}
        for event in events
        if event.asset_key
    }


def test_calls_watermarks_and_plots_are_shown(open_world: OpenWorld) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    for name in ("Ann Lee", "Bea Lee", "Cal Lee"):
        customer = new_customer(world, name)
        job = sale.a_job(world, customer)
    sale.a_visit(world, job)
    first = shown(world)
    assert first["crm/changes"]["watermark"] == "none yet"
    read = shown(world)
    changes = read["crm/changes"]
    assert changes["API calls"] > 0
    assert datetime.fromisoformat(changes["watermark"]).tzinfo

    [log] = world.rows("SELECT max(seq) AS seq FROM sync.touched WHERE asset = 'servicetitan/jobs'")
    derived = ("customers/profile", "customers/segment", "customers/state", "pipeline/opportunities")
    assert [read[asset]["watermark"] >= log["seq"] for asset in derived] == [True] * 4
    lines = read["pipeline/opportunities"]["funnel, drawn"].splitlines()
    assert f"| Sales: Contacted | 2 | {'█' * 40} |" in lines
    assert f"| Sales: Appointment Scheduled | 1 | {'█' * 20} |" in lines
    assert "| Sales: New Lead | 0 |  |" in lines
    states = read["customers/state"]["customers in each state, drawn"].splitlines()
    assert f"| 0 Contact Record | 2 | {'█' * 40} |" in states
    assert f"| Standard | 3 | {'█' * 40} |" in read["customers/segment"]["customers in each segment, drawn"]
