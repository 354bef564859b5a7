"""One customer's whole way, from the first call to the finished install, as each system shows it at each step."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.operate.customers import explain
from st_sf_pipelines_tests.acceptance import sale
from st_sf_pipelines_tests.acceptance.desk import CONTACT_KEY, new_customer, prove
from st_sf_pipelines_tests.acceptance.sale import INSTALL_UNIT, SELLER, SELLERS_EMAIL, good_round

if TYPE_CHECKING:
    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World

IN_SALESFORCE = ("StageName", "Probability", "ForecastCategoryName", "Amount")


class Way:
    """Goes a step at a time, and compares what ours, the CRM and Salesforce say of the one deal."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.crm_id: Any = None
        self.sf_id: Any = None

    def shows(self, place: tuple[str, str, str], title: str, image: tuple[Any, ...] | None) -> dict[str, Any]:
        """Compare after a round; the records stay the same ones. Give ours."""
        good_round(self.world)
        [ours], [theirs] = sale.deals(self.world), sale.crm_deals(self.world)
        assert (sale.place(ours), ours["title"]) == (place, title)
        assert (sale.crm_place(theirs), theirs["title"]) == (place, title)
        value = None if ours["value_cents"] is None else ours["value_cents"] / 100
        assert theirs["value"] == value
        assert self.crm_id in (None, theirs["id"])
        self.crm_id = theirs["id"]
        there = sale.sf_deals(self.world)
        if image is None:
            assert there == {}
            return ours
        [(key, record)] = there.items()
        assert key == f"st_{ours['subject']}_1"
        assert (record["Name"], *(record[name] for name in IN_SALESFORCE)) == (title, *image, value)
        assert record["CloseDate"] == ours["close_on"].isoformat()
        assert self.sf_id in (None, record["Id"])
        self.sf_id = record["Id"]
        return ours


def test_a_deal_travels_from_a_lead_to_a_finished_install(open_world: OpenWorld) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    crm = sale.crm_of(world)
    world.extra["crm"]["webhook_secret"] = crm.credentials["webhook_secret"]
    world.write_site()
    [seller] = world.sf.put_records(
        "User", {"LastName": "Seller", "Email": SELLERS_EMAIL, "Username": SELLERS_EMAIL, "IsActive": True}
    )
    way = Way(world)

    lead = sale.a_lead(world, "Ann Lee", leadEmail="ann@example.com", leadPhone="480-555-0101")
    way.shows(("sales", "new-lead", "open"), "Ann Lee - New Customer Qualifying", None)
    [contact] = crm.records("contacts")
    assert (contact["type"], contact["serviceTitanId"], contact["email"]) == (
        *("lead", f"lead_{lead}", "ann@example.com"),
    )
    [their_lead] = world.sf.records("Lead")
    assert (their_lead["LastName"], their_lead["Company"], their_lead["IsConverted"]) == ("Lee", "Ann Lee", False)
    assert their_lead["ServiceTitan_Lead_Id__c"] == f"st_lead_{lead}", "no customer has that key"
    assert world.sf.records("Contact") == []

    customer = new_customer(world, "Ann Lee", email="ann@example.com", phone="480-555-0101")
    world.st.put("leads", [{"id": lead, "customerId": customer}])
    way.shows(("sales", "new-lead", "open"), "Ann Lee - New Customer Qualifying", ("Prospecting", 10.0, "Pipeline"))
    [handed] = crm.records("contacts")
    assert (handed["id"], handed["serviceTitanId"]) == (contact["id"], str(customer)), "handed over, not doubled"
    [there] = world.sf.records("Contact")
    [their_lead] = world.sf.records("Lead")
    assert (their_lead["IsConverted"], their_lead["ConvertedContactId"]) == (True, there["Id"])
    record = sale.sf_deals(world)[f"st_{customer}_1"]
    assert (record["AccountId"], record["ContactId"]) == (there["AccountId"], there["Id"])
    assert there[CONTACT_KEY] == f"st_{customer}"

    world.st.put("leads", [{"id": lead, "status": "Converted"}])
    job = sale.a_job(world, customer)
    qualifying = "Ann Lee - New Customer Qualifying"
    way.shows(("sales", "contacted", "open"), qualifying, ("Qualification", 10.0, "Pipeline"))
    assert crm.records("contacts")[0]["type"] == "customer"

    sale.a_visit(world, job)
    way.shows(("sales", "appointment-scheduled", "open"), qualifying, ("Needs Analysis", 25.0, "Pipeline"))

    estimate = sale.an_estimate(world, customer, job, "Heater", 1200, tax=34.56)
    heater = "Ann Lee - Heater - $1,234.56"
    way.shows(("sales", "proposal-sent", "open"), heater, ("Proposal/Price Quote", 50.0, "Best Case"))

    sale.sell(world, estimate, by=SELLER)
    won = ("Closed Won", 100.0, "Closed")
    sold = way.shows(("sales", "job-sold", "won"), heater, won)
    assert sold["close_on"] == sold["closed_at"].astimezone(world.settings.site.tenants[0].zone).date()
    assert sale.sf_deals(world)[f"st_{customer}_1"]["OwnerId"] == seller

    install = sale.a_job(world, customer, INSTALL_UNIT, jobNumber="77", createdFromEstimateId=estimate)
    titled = "Ann Lee - Install Job #77 - $1,234.56"
    way.shows(("install", "scheduled", "won"), titled, won)
    visit = sale.a_visit(world, install)
    for status, stage in (("InProgress", "in-progress"), ("Hold", "on-hold"), ("InProgress", "in-progress")):
        world.st.put("jobs", [{"id": install, "jobStatus": status}])
        way.shows(("install", stage, "won"), titled, won)
    world.st.put("appointments", [{"id": visit, "status": "Done"}])
    world.st.put("jobs", [{"id": install, "jobStatus": "Completed", "completedOn": sale.now()}])
    way.shows(("install", "job-completed", "won"), titled, won)

    assert sale.chain(explain(world.settings, None, f"st_{customer}")) == [
        (None, "new-lead", "Leads"),
        ("new-lead", "contacted", "Leads"),
        ("contacted", "appointment-scheduled", "CRM-2"),
        ("appointment-scheduled", "proposal-sent", "CRM-3"),
        ("proposal-sent", "job-sold", "CRM-4"),
        ("job-sold", "estimate-approved", "CRM-5"),
        ("estimate-approved", "scheduled", "CRM-6"),
        ("scheduled", "in-progress", "CRM-6"),
        ("in-progress", "on-hold", "CRM-6"),
        ("on-hold", "in-progress", "CRM-6"),
        ("in-progress", "job-completed", "CRM-6"),
    ]
    [event] = world.sf.records("Event")
    assert (event["ServiceTitan_Job_Id__c"], event["WhoId"], event["WhatId"]) == (
        *(f"st_{install}", there["Id"], there["AccountId"]),
    )
    record = sale.sf_deals(world)[f"st_{customer}_1"]
    ids = [record[f"ServiceTitan_{name}_Id__c"] for name in ("Job", "Estimate")]
    assert ids == [event["ServiceTitan_Job_Id__c"], f"st_{estimate}"]
    logged = crm.records("activities")
    assert Counter(each["type"] for each in logged) == {
        "contact_created": 1,
        "stage_changed": 10,
        "assignment_changed": 1,
        "estimate_sold": 1,
        "job_completed": 1,
    }
    assert {each["contact"] for each in logged} == {contact["id"]}
    assert {each["opportunity"] for each in logged} == {None, way.crm_id}
    keys = [each["data"]["key"] for each in logged]
    assert Counter(each["data"]["key"] for each in crm.events) == dict.fromkeys(keys, 1), "each told once"
    assert len(set(keys)) == len(keys)
    assert {each["event"] for each in crm.events} == {each["type"] for each in logged}

    sale.count_anew(world)
    good_round(world)
    assert sale.writes(world) == {}
    proof = prove(world)["tenants"][0]["objects"]
    assert {asset: row["differences"] for asset, row in proof.items() if not row["ok"]} == {}
    assert len(crm.events) == len(logged)
