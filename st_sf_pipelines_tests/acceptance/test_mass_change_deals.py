"""A round that would close most deals waits for a person, in the CRM and in Salesforce (CRM-15)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from st_sf_pipelines.operate import targets
from st_sf_pipelines_tests.acceptance import sale
from st_sf_pipelines_tests.acceptance.desk import many_customers, prove
from st_sf_pipelines_tests.acceptance.sale import CRM_DEALS, DEALS, good_round

if TYPE_CHECKING:
    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld


def test_closing_200_of_250_opportunities_stops_before_the_first_write_until_it_is_allowed(
    open_world: OpenWorld,
) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    customers = many_customers(world, 250)
    jobs = world.st.put("jobs", [{"customerId": each, "businessUnitId": sale.SALES_UNIT} for each in customers])
    offers = [
        {"customerId": customer, "jobId": job, "name": "Heater", "subtotal": 100}
        for customer, job in zip(customers, jobs, strict=True)
    ]
    estimates = world.st.put("estimates", offers)
    good_round(world)  # a first load is no change
    before = sale.crm_deals(world), sale.sf_deals(world)
    assert [len(each) for each in before] == [250, 250]

    sale.dismiss(world, *estimates[:200])
    sale.count_anew(world)
    part = world.sync()
    assert part["status"] == "stopped"
    for asset, key in ((DEALS, "st_"), (CRM_DEALS, "")):
        assert (
            f"{asset} would change 200 of 250 records (close 200, overwrite 200): {key}{customers[0]}_1"
            in part["error"]
        )
    assert f"st-sf allow {part['run_id']}" in part["error"]
    assert "Ann" not in part["error"]
    assert sale.writes(world) == {}
    assert (sale.crm_deals(world), sale.sf_deals(world)) == before

    assert targets.allow(world.settings, part["run_id"])["allowed"] == {DEALS: 200, CRM_DEALS: 200}
    good_round(world)
    assert Counter(deal["status"] for deal in sale.crm_deals(world)) == {"lost": 200, "open": 50}
    assert Counter(row["StageName"] for row in sale.sf_deals(world).values()) == {
        "Closed Lost": 200,
        "Proposal/Price Quote": 50,
    }
    assert prove(world)["ok"]
