"""Deals after a merge: of customers in ServiceTitan, which is followed everywhere, and of contacts in Salesforce."""

from __future__ import annotations

from typing import TYPE_CHECKING

from st_sf_pipelines_tests.acceptance import sale
from st_sf_pipelines_tests.acceptance.desk import CONTACTS, by_key, new_customer, one, parked, prove
from st_sf_pipelines_tests.acceptance.sale import good_round

if TYPE_CHECKING:
    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World


def test_a_merged_customers_deal_moves_along_and_a_second_one_is_closed_as_lost(open_world: OpenWorld) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    ann, bea, cal = (new_customer(world, name) for name in ("Ann Lee", "Bea Lee", "Cal Lee"))
    jobs = {customer: sale.a_job(world, customer) for customer in (ann, bea)}
    good_round(world)
    assert [sale.place(deal) for deal in sale.deals(world)] == [("sales", "contacted", "open")] * 2

    world.st.merge(ann, cal)
    good_round(world)
    moved = sale.sf_deals(world)[f"st_{ann}_1"]
    assert (moved["AccountId"], moved["Name"]) == (
        by_key(world.sf, "Account")[f"st_{cal}"]["Id"],
        "Cal Lee - New Customer Qualifying",
    )
    contacts = {each["id"]: each["serviceTitanId"] for each in sale.crm_of(world).records("contacts")}
    assert [contacts[deal["contact"]] for deal in sale.crm_deals(world)] == [str(cal), str(bea)]

    world.st.merge(bea, cal)
    good_round(world)
    older, other = sale.deals(world)
    assert (sale.place(older), older["subject"], older["job_ids"]) == (
        *(("sales", "contacted", "open"), cal, [jobs[ann], jobs[bea]]),
    )
    assert (sale.place(other), other["subject"], other["lost_reason"]) == (
        ("sales", "contacted", "lost"),
        bea,
        "merged",
    )
    assert [sale.crm_place(deal) for deal in sale.crm_deals(world)] == [sale.place(older), sale.place(other)]
    there = sale.sf_deals(world)
    assert (there[f"st_{ann}_1"]["StageName"], there[f"st_{bea}_1"]["StageName"]) == ("Qualification", "Closed Lost")
    assert there[f"st_{bea}_1"]["AccountId"] == by_key(world.sf, "Account")[f"st_{bea}"]["Id"]
    told = [each["title"] for each in sale.crm_of(world).records("activities") if each["type"] == "stage_changed"]
    assert told == ["Bea Lee - New Customer Qualifying: Contacted (lost)"]

    sale.count_anew(world)
    good_round(world)
    assert sale.writes(world) == {}
    assert prove(world)["ok"]


def test_contacts_that_salesforce_merged_are_followed_or_parked(world: World) -> None:
    ann, bea = new_customer(world, "Ann Lee"), new_customer(world, "Bea Lee")
    good_round(world)
    [stranger] = world.sf.put_records("Contact", {"LastName": "Lee", "AccountId": world.sf.records("Account")[0]["Id"]})
    there = {key: row["Id"] for key, row in by_key(world.sf, "Contact").items()}
    world.sf.merge("Contact", stranger, there[f"st_{ann}"])
    world.st.put("customers", [{"id": ann, "name": "Anna Lee"}])
    world.sync()
    good_round(world)
    followed = by_key(world.sf, "Contact")[f"st_{ann}"]
    assert (followed["Id"], followed["FirstName"]) == (stranger, "Anna")

    world.sf.merge("Contact", stranger, there[f"st_{bea}"])
    world.st.put("customers", [{"id": bea, "name": "Beatrice Lee"}])
    good_round(world, "parked")
    assert [(row["object"], row["key"], row["code"]) for row in parked(world)] == [
        (CONTACTS, f"st_{bea}", "MERGED_THERE")
    ]
    assert "merge the two in ServiceTitan" in parked(world)[0]["mend"]
    assert one(world, "Contact")["FirstName"] == "Anna"
    good_round(world, "parked")
