"""A round that would close most deals waits for a person, in the CRM and in Salesforce (CRM-15)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from st_sf_pipelines.operate import targets
from st_sf_pipelines.operate.rounds import planned
from st_sf_pipelines_tests.acceptance import sale
from st_sf_pipelines_tests.acceptance.desk import many_customers, prove
from st_sf_pipelines_tests.acceptance.sale import CRM_CONTACTS, CRM_DEALS, DEALS, good_round
from st_sf_pipelines_tests.acceptance.test_probe import probe

if TYPE_CHECKING:
    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World


def many_offers(world: World, count: int) -> tuple[list[int], list[int]]:
    """Give so many customers with an offer each, which stand in both targets; and the offers."""
    customers = many_customers(world, count)
    jobs = world.st.put("jobs", [{"customerId": each, "businessUnitId": sale.SALES_UNIT} for each in customers])
    offers = [
        {"customerId": customer, "jobId": job, "name": "Heater", "subtotal": 100}
        for customer, job in zip(customers, jobs, strict=True)
    ]
    estimates = world.st.put("estimates", offers)
    good_round(world)  # a first load is no change
    return customers, estimates


def test_closing_200_of_250_opportunities_stops_before_the_first_write_until_it_is_allowed(
    open_world: OpenWorld,
) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    customers, estimates = many_offers(world, 250)
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


def test_a_target_whose_deals_would_close_is_held_whole_its_accounts_and_contacts_too(open_world: OpenWorld) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    customers, estimates = many_offers(world, 60)
    sale.dismiss(world, *estimates[:50])
    world.st.put("customers", [{"id": customers[59], "name": "Bea Newname"}])
    sale.count_anew(world)
    part = world.sync()
    assert part["status"] == "stopped"
    assert sale.writes(world) == {}
    for asset in (DEALS, CRM_DEALS):
        assert part["error"].count(f"{asset} would change 51 of 60 records (close 50, overwrite 51)") == 1
    assert "Nothing of it was written" in part["error"]
    assert "`st-sf plan --json` lists every record of it" in part["error"]
    assert probe(world).sentence == "nothing changed"

    targets_of = planned(world.settings, world.sync_all(dry_run=True))["tenants"][0]["targets"]
    keys = {f"{customer}_1" for customer in (*customers[:50], customers[59])}
    assert {*targets_of[CRM_DEALS]["held"]} == keys
    assert {*targets_of[DEALS]["held"]} == {f"st_{key}" for key in keys}
    assert targets_of[CRM_CONTACTS]["held"] == []

    targets.allow(world.settings, part["run_id"])
    good_round(world)
    assert {contact["lastName"] for contact in sale.crm_of(world).records("contacts")} >= {"Newname"}
    assert prove(world)["ok"]


def test_each_target_is_held_by_its_own_numbers(open_world: OpenWorld) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    customers = many_customers(world, 30)
    sale.a_job(world, customers[0])
    good_round(world)  # one contact in the CRM, thirty in Salesforce
    world.st.put("customers", [{"id": each, "name": "Bea Newname"} for each in customers])
    sale.count_anew(world)
    assert world.sync()["status"] == "stopped"
    assert {*sale.writes(world)} == {"contacts", "opportunities"}
