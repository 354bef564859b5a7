"""What goes wrong in and around the CRM is named, held within its bounds, and mended without a double."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from st_sf_pipelines.operate import targets
from st_sf_pipelines.systems.crm import writer
from st_sf_pipelines_tests.acceptance import sale
from st_sf_pipelines_tests.acceptance.desk import adopt, by_key, new_customer, parked, prove, retry
from st_sf_pipelines_tests.acceptance.sale import ACTIVITIES, CRM_CONTACTS, CRM_DEALS, DEALS, good_round

if TYPE_CHECKING:
    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World


@pytest.fixture
def crm_naps(naps: list[float], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let writes to the CRM go on at once after a failure, too."""
    monkeypatch.setattr(writer, "time", SimpleNamespace(sleep=naps.append, monotonic=time.monotonic))
    return naps


def a_customer(world: World, name: str, **fields: str) -> int:
    """Let a customer call, and a job be booked."""
    customer = new_customer(world, name, **fields)
    sale.a_job(world, customer)
    return customer


def names(world: World) -> list[str]:
    """Give the last names of the CRM's contacts, in order."""
    return sorted(each["lastName"] for each in sale.crm_of(world).records("contacts"))


def test_a_stage_that_people_renamed_stays_and_one_that_they_deleted_is_asked_for(open_world: OpenWorld) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    crm = sale.crm_of(world)
    a_customer(world, "Ann Lee")
    good_round(world)
    crm.put_records("pipeline-stages", {"id": sale.stage_id(world, "contacted"), "name": "Reached"})
    a_customer(world, "Bob Lee")
    good_round(world)
    assert {each["slug"]: each["name"] for each in crm.records("pipeline-stages")}["contacted"] == "Reached"
    assert [deal["stage"] for deal in sale.crm_deals(world)] == ["contacted"] * 2

    crm.delete_record("pipeline-stages", sale.stage_id(world, "proposal-sent"))
    a_customer(world, "Cal Lee")
    before = crm.records("opportunities")
    part = world.sync()
    missing = "the stage Proposal Sent (proposal-sent) of Sales"
    assert (part["status"], f"the CRM no longer has {missing}; nothing was written" in part["error"]) == (
        "stopped",
        True,
    )
    assert crm.records("opportunities") == before
    assert len(sale.sf_deals(world)) == 3, "Salesforce went on"
    looked = targets.setup(world.settings, None, "crm", apply=False)
    assert (looked["ok"], looked["tenants"][0]["missing"]) == (False, [missing])
    assert len(crm.records("pipeline-stages")) == 12
    made = targets.setup(world.settings, None, "crm", apply=True)
    assert (made["ok"], made["tenants"][0]["made"], len(crm.records("pipeline-stages"))) == (True, [missing], 13)
    good_round(world)
    assert (len(crm.records("opportunities")), prove(world)["ok"]) == (3, True)


def test_what_people_deleted_is_not_made_again_and_whom_they_made_is_not_doubled(open_world: OpenWorld) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    crm = sale.crm_of(world)
    ann = a_customer(world, "Ann Lee")
    good_round(world)
    crm.delete_record("opportunities", sale.crm_deals(world)[0]["id"])
    [by_hand] = crm.put_records("contacts", {"lastName": "Ng", "email": "Bob@example.com"})
    bob = a_customer(world, "Bob Ng", email="bob@example.com")
    [job] = [row["id"] for row in world.rows("SELECT id FROM servicetitan.jobs")]
    sale.an_estimate(world, ann, job, "Heater", 100)
    for _ in range(2):
        part = good_round(world, "parked")
        assert [(row["object"], row["key"], row["code"]) for row in parked(world)] == [
            (CRM_DEALS, f"{ann}_1", "NOT_FOUND")
        ]
        assert part["targets"][ACTIVITIES]["waiting"] == 1, "what happened to it waits for it"
    assert parked(world)[0]["mend"] == "Somebody deleted it there: `st-sf parked retry KEY` makes it anew."
    contacts = {each["id"]: each["serviceTitanId"] for each in crm.records("contacts")}
    assert (len(contacts), contacts[by_hand]) == (2, str(bob))
    assert [deal["contact"] for deal in sale.crm_deals(world)] == [by_hand]
    assert sale.sf_deals(world)[f"st_{ann}_1"]["StageName"] == "Proposal/Price Quote"

    assert retry(world, f"{ann}_1") == 1
    good_round(world)
    assert [(deal["title"], deal["stage"]) for deal in sale.crm_deals(world)] == [
        ("Ann Lee - Heater - $100.00", "proposal-sent"),
        ("Bob Ng - New Customer Qualifying", "contacted"),
    ]
    made = sale.crm_deals(world)[0]["id"]
    [moved] = [each for each in crm.records("activities") if each["type"] == "stage_changed"]
    assert moved["opportunity"] == made
    assert prove(world)["ok"]


@pytest.mark.parametrize("others", [0, 1], ids=["refused by its path", "an error that names nothing"])
def test_a_deleted_contact_to_which_a_new_deal_points_is_listed_and_the_deal_waits_for_it(
    open_world: OpenWorld, crm_naps: list[float], others: int
) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    crm = sale.crm_of(world)
    ann = new_customer(world, "Ann Lee")
    sale.a_job(world, ann, createdOn=sale.now(-30))  # a contact, and no deal
    for _ in range(others):
        sale.a_job(world, new_customer(world, "Bob Lee"), createdOn=sale.now(-30))
    good_round(world)
    contact, *_ = crm.records("contacts")
    crm.delete_record("contacts", contact["id"])
    sale.a_job(world, ann)
    for _ in range(2):
        part = good_round(world, "parked")
        assert [(row["object"], row["key"], row["code"]) for row in parked(world)] == [
            (CRM_CONTACTS, str(ann), "NOT_FOUND")
        ]
        assert (part["targets"][CRM_DEALS]["waiting"], part["targets"][CRM_DEALS]["parked"]) == (1, 0)
    assert len(crm_naps) == others, "a deal that waits is sent no more"
    assert parked(world)[0]["mend"] == "Somebody deleted it there: `st-sf parked retry KEY` makes it anew."
    assert (len(crm.records("contacts")), sale.crm_deals(world)) == (others, [])
    assert len(sale.sf_deals(world)) == 1

    assert retry(world, str(ann)) == 1
    good_round(world)
    anew = {each["serviceTitanId"]: each["id"] for each in crm.records("contacts")}
    assert [deal["contact"] for deal in sale.crm_deals(world)] == [anew[str(ann)]]


def test_a_crm_that_is_down_holds_up_nothing_else(open_world: OpenWorld, crm_naps: list[float]) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    crm = sale.crm_of(world)
    ann = a_customer(world, "Ann Lee")
    good_round(world)
    crm.set_faults({"match": {"path": "/api"}, "do": {"status": 503}})
    bob = a_customer(world, "Bob Lee")
    part = world.sync()
    assert part["status"] == "failed"
    assert "crm" in part["error"]
    assert crm_naps
    assert set(sale.sf_deals(world)) == {f"st_{ann}_1", f"st_{bob}_1"}, "Salesforce went on in the same round"
    assert set(by_key(world.sf, "Contact")) == {f"st_{ann}", f"st_{bob}"}
    assert len(crm.records("contacts")) == 1
    crm.set_faults()
    good_round(world)
    assert len(sale.crm_deals(world)) == 2

    lost = {"commit_then_reset": True}
    crm.set_faults(
        *(
            {"match": {"path": f"/api/{name}?depth=0", "method": "POST", "times": 1}, "do": lost}
            for name in ("contacts", "opportunities", "activities")
        )
    )
    a_customer(world, "Cal Lee")
    good_round(world)
    assert (len(crm.records("contacts")), len(sale.crm_deals(world))) == (3, 3)
    assert len({each["data"]["key"] for each in crm.records("activities")}) == len(crm.records("activities")) == 3
    crm.set_faults()
    assert prove(world)["ok"]


def test_what_the_crm_refuses_is_parked_and_the_rest_goes_through(open_world: OpenWorld) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    crm = sale.crm_of(world)
    customers = {name: a_customer(world, name, email="x@example.com") for name in ("Ann Bad", "Bob", "Cal Bad", "Dee")}
    crm.set_faults(
        {"match": {"path": "/api/contacts"}, "do": {"row_error": {"path": "email", "when": {"lastName": "Bad"}}}}
    )
    part = good_round(world, "parked")
    assert names(world) == ["Bob", "Dee"]
    assert {asset: (row["parked"], row["waiting"]) for asset, row in part["targets"].items() if row["parked"]} == {
        CRM_CONTACTS: (2, 0)
    }
    assert {asset: part["targets"][asset]["waiting"] for asset in (CRM_DEALS, ACTIVITIES)} == {
        CRM_DEALS: 2,
        ACTIVITIES: 2,
    }
    assert [(row["key"], row["code"], row["fields"]) for row in parked(world)] == [
        (str(customers[name]), "INVALID_VALUE", ["email"]) for name in ("Ann Bad", "Cal Bad")
    ]
    assert "@" not in str(parked(world))
    assert len(sale.sf_deals(world)) == 4
    assert not prove(world)["ok"]
    crm.set_faults()
    assert retry(world) == 2
    good_round(world)
    assert (names(world), len(sale.crm_deals(world))) == (["Bad", "Bad", "Bob", "Dee"], 4)
    assert prove(world)["ok"]


def test_a_crm_that_holds_contacts_waits_for_adopt(open_world: OpenWorld) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    crm = sale.crm_of(world)
    [there] = crm.put_records("contacts", {"lastName": "Old", "email": "Ann@Example.com", "source": "website"})
    crm.put_records("contacts", {"lastName": "Stranger"})
    ann = a_customer(world, "Ann Lee", email="ann@example.com")
    before = crm.records("contacts")
    part = world.sync()
    assert part["status"] == "stopped"
    assert "contacts records without serviceTitanId" in part["error"]
    assert "st-sf adopt" in part["error"]
    assert (crm.records("contacts"), crm.records("opportunities")) == (before, [])
    assert list(sale.sf_deals(world)) == [f"st_{ann}_1"], "Salesforce went on"
    looked = adopt(world, apply=True)
    assert [(row["key"], row["by"]) for row in looked[CRM_CONTACTS]["linked"]] == [(str(ann), "e-mail")]
    assert looked[DEALS]["linked"] == ()
    good_round(world)
    mine, other = crm.records("contacts")
    assert (mine["id"], mine["serviceTitanId"], mine["lastName"]) == (there, str(ann), "Lee")
    assert other["serviceTitanId"] is None
    assert [deal["contact"] for deal in sale.crm_deals(world)] == [there]
    assert prove(world)["ok"]
