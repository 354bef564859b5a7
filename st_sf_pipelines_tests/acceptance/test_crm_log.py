"""The log in the schema `crm` says what was done with the CRM, and the amounts there are amounts (CRM-13)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from st_sf_pipelines_tests.acceptance import sale
from st_sf_pipelines_tests.acceptance.desk import new_customer
from st_sf_pipelines_tests.acceptance.sale import good_round

if TYPE_CHECKING:
    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World


def log(world: World, direction: str = "st_to_crm") -> list[dict[str, Any]]:
    """Give the rows of the log, the newest first."""
    return world.rows("SELECT * FROM crm.v_recent_activity WHERE direction = %s ORDER BY started_at DESC", direction)


def test_the_log_says_how_it_went_with_the_crm_and_not_how_the_round_ended(open_world: OpenWorld) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    customer = new_customer(world, "Ann Lee")
    job = sale.a_job(world, customer)
    sale.an_estimate(world, customer, job, "Heater", 5000)
    good_round(world)
    [first] = log(world)
    assert (first["sync_type"], first["status"], first["records_updated"], first["records_failed"]) == (
        *("incremental", "completed", 0, 0),
    )
    assert type(first["records_created"]) is int
    [deal] = world.rows("SELECT monetary_value FROM crm.crm_opportunities")
    [place] = world.rows("SELECT count, total_value FROM crm.v_pipeline_distribution")
    assert [str(value) for value in (deal["monetary_value"], place["count"], place["total_value"])] == [
        *("5000.00", "1", "5000.00"),
    ]
    assert deal["monetary_value"] == Decimal(5000)
    assert log(world, "crm_to_st") == []

    world.extra["salesforce"] = {"access_token": "another"}
    world.write_site()
    world.st.put("customers", [{"id": customer, "name": "Ann Lee-Jones"}])
    assert world.sync(scope="all")["status"] == "failed"
    told = log(world)[0]
    assert (told["sync_type"], told["status"], told["records_updated"]) == ("full", "completed", 2)

    sale.crm_of(world).set_faults({"match": {"path": "/api"}, "do": {"status": 400}})
    world.st.put("customers", [{"id": customer, "name": "Ann Lee"}])
    assert world.sync()["status"] == "failed"
    assert log(world)[0]["status"] == "failed"
    assert [row["status"] for row in log(world, "crm_to_st")] == ["failed"]


def test_the_log_has_a_row_for_what_people_changed_in_the_crm(open_world: OpenWorld) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    for name in ("Ann Lee", "Bea Lee"):
        sale.a_job(world, new_customer(world, name))
    good_round(world)
    ann, _ = sale.crm_deals(world)
    sale.move_by_hand(world, ann, "estimate-followup", pinned=True)
    good_round(world)
    [row] = log(world, "crm_to_st")
    assert (row["sync_type"], row["status"], row["records_created"], row["records_updated"]) == (
        *("incremental", "completed", 0, 1),
    )
    assert row["started_at"] < row["completed_at"]
    assert len({each["id"] for each in world.rows("SELECT id FROM crm.crm_sync_log")}) == 3
