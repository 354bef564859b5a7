"""What people set in the CRM stands, goes on to Salesforce, and is never fought over (CRM-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from st_sf_pipelines.defs.inbound import CHANGES
from st_sf_pipelines_tests.acceptance import sale
from st_sf_pipelines_tests.acceptance.desk import new_customer, prove
from st_sf_pipelines_tests.acceptance.sale import good_round
from st_sf_pipelines_tests.acceptance.test_probe import probe

if TYPE_CHECKING:
    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World


def four_deals(world: World) -> dict[str, int]:
    """Give four customers with an open deal each, which stand in the CRM after the first round; name to customer."""
    customers = {name: new_customer(world, f"{name} Lee") for name in ("Ann", "Bea", "Cal", "Dee")}
    for customer in customers.values():
        sale.a_job(world, customer)
    good_round(world)
    return customers


def test_what_people_set_in_the_crm_stands_until_a_new_fact_leads_on(open_world: OpenWorld) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    [boss] = world.sf.put_records(
        "User", {"LastName": "Boss", "Email": "boss@example.com", "Username": "boss@example.com", "IsActive": True}
    )
    world.extra["salesforce"] = {"owner": "boss@example.com"}
    world.write_site()
    customers = four_deals(world)
    crm = sale.crm_of(world)
    [user] = crm.put_records("users", {"name": "Sam", "email": sale.SELLERS_EMAIL})
    [seller] = world.sf.put_records(
        "User", {"LastName": "Seller", "Email": sale.SELLERS_EMAIL, "Username": sale.SELLERS_EMAIL, "IsActive": True}
    )
    assert probe(world).assets == (), "an echo of our own writes is no news"
    assert probe(world).assets == ()

    ann, bea, cal, dee = sale.crm_deals(world)
    sale.move_by_hand(world, ann, "estimate-followup")
    sale.move_by_hand(world, bea, "contacted", pinned=True)
    sale.move_by_hand(world, cal, "contacted", assignedTo=user)
    [pipeline] = [each["id"] for each in crm.records("pipelines") if each["slug"] == "sales"]
    [strange] = crm.put_records("pipeline-stages", {"name": "Warranty", "slug": "w", "order": 9, "pipeline": pipeline})
    sale.move_by_hand(world, dee, strange)
    news = probe(world)
    assert (news.assets, news.sentence) == ((CHANGES,), "a person changed an opportunity in the CRM")
    jobs = {row["customer_id"]: row["id"] for row in world.rows("SELECT id, customer_id FROM servicetitan.jobs")}
    sale.a_visit(world, jobs[customers["Bea"]])
    good_round(world)
    stands = [("sales", "estimate-followup", "open"), *[("sales", "contacted", "open")] * 3]
    assert [sale.place(deal) for deal in sale.deals(world)] == stands
    assert [sale.crm_place(deal) for deal in sale.crm_deals(world)] == stands
    there = sale.sf_deals(world)
    assert [row["StageName"] for row in there.values()] == ["Negotiation/Review", *["Qualification"] * 3]
    assert [row["OwnerId"] for row in there.values()] == [boss, boss, seller, boss]
    assert sale.held(world) == [
        (f"st_{customers['Bea']}_1", "CRM-2", "a person has pinned it"),
        (
            *(f"st_{customers['Dee']}_1", "CRM-7"),
            f"a person set 'stage {strange}', which is no stage of its pipeline",
        ),
    ]
    assert probe(world).assets == ()

    sale.an_estimate(world, customers["Ann"], jobs[customers["Ann"]], "Heater", 100)
    good_round(world)
    moved = sale.deals(world)[0]
    assert (moved["stage"], moved["title"]) == ("estimate-followup", "Ann Lee - Heater - $100.00")
    assert sale.crm_deals(world)[0]["title"] == moved["title"]
    crm.put_records("opportunities", {"id": bea["id"], "pinned": False})
    crm.put_records("opportunities", {"id": cal["id"], "assignedTo": None})
    [estimate] = [row["id"] for row in world.rows("SELECT id FROM servicetitan.estimates")]
    sale.sell(world, estimate)
    good_round(world)
    assert [deal["stage"] for deal in sale.crm_deals(world)] == [
        *("job-sold", "appointment-scheduled", "contacted", "contacted"),
    ]
    assert {row["OwnerId"] for row in sale.sf_deals(world).values()} == {boss}

    won = sale.crm_deals(world)[0]
    sale.move_by_hand(world, won, "contacted")
    sale.move_by_hand(world, sale.crm_deals(world)[2], "estimate-lost")
    good_round(world)
    assert [sale.crm_place(sale.crm_deals(world)[nr]) for nr in (0, 2)] == [
        ("sales", "job-sold", "won"),
        ("sales", "estimate-lost", "lost"),
    ]
    assert sale.deals(world)[2]["lost_reason"] == "by hand"
    assert (f"st_{customers['Ann']}_1", "CRM-7", "a person set Contacted, and nothing moves on from Job Sold") in (
        sale.held(world)
    )
    assert [row["StageName"] for row in sale.sf_deals(world).values()] == [
        *("Closed Won", "Needs Analysis", "Closed Lost", "Qualification"),
    ]
    assert probe(world).assets == ()
    sale.count_anew(world)
    good_round(world)
    assert sale.writes(world) == {}
    assert prove(world)["ok"]
