"""What a deal shows of its job, its estimate and its seller follows them, though the deal itself stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from st_sf_pipelines_tests.acceptance import sale
from st_sf_pipelines_tests.acceptance.desk import new_customer, prove
from st_sf_pipelines_tests.acceptance.sale import good_round

if TYPE_CHECKING:
    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld

ELECTRICAL = 903


def test_a_deal_shows_its_jobs_unit_and_number_and_its_estimates_name_as_they_are_now(open_world: OpenWorld) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    world.st.put("business_units", [{"id": ELECTRICAL, "name": "Electrical - Sales"}])
    customers = [new_customer(world, name) for name in ("Ann Lee", "Bea Lee", "Cal Lee")]
    jobs = [sale.a_job(world, customer, jobNumber="1") for customer in customers]
    estimate = sale.an_estimate(world, customers[0], jobs[0], "Heater", 100)
    good_round(world)
    sale.dismiss(world, estimate)
    good_round(world)
    assert [deal["status"] for deal in sale.crm_deals(world)] == ["lost", "open", "open"]
    assert [deal["businessUnit"] for deal in sale.crm_deals(world)] == ["pool-sales"] * 3

    world.st.put("jobs", [{"id": jobs[1], "businessUnitId": ELECTRICAL}, {"id": jobs[2], "jobNumber": "2"}])
    world.st.put("estimates", [{"id": estimate, "name": "Pump"}])
    part = good_round(world)
    shown = ("businessUnit", "serviceTitanJobNumber", "estimateName")
    assert [tuple(deal[name] for name in shown) for deal in sale.crm_deals(world)] == [
        ("pool-sales", "1", "Pump"),
        ("electrical-sales", "1", None),
        ("pool-sales", "2", None),
    ]
    assert part["targets"][sale.CRM_DEALS]["updated"] == 3
    assert part["derived_changed"]["opportunities"] == 3
    assert prove(world)["ok"]

    world.st.put("business_units", [{"id": ELECTRICAL, "name": "Electrical - Service"}])
    good_round(world, full=True)
    assert [deal["businessUnit"] for deal in sale.crm_deals(world)] == [
        *("pool-sales", "electrical-service", "pool-sales"),
    ]


def test_a_deal_shows_its_job_also_when_that_is_another_customers_now(open_world: OpenWorld) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    world.st.put("business_units", [{"id": ELECTRICAL, "name": "Electrical - Sales"}])
    ann, bea = new_customer(world, "Ann Lee"), new_customer(world, "Bea Lee")
    job = sale.a_job(world, ann)
    good_round(world)
    world.st.put("jobs", [{"id": job, "customerId": bea}])
    good_round(world)
    [deal] = sale.deals(world)
    assert (deal["subject"], deal["job_id"]) == (ann, job)
    world.st.put("jobs", [{"id": job, "businessUnitId": ELECTRICAL}])
    good_round(world)
    assert [deal["businessUnit"] for deal in sale.crm_deals(world)] == ["electrical-sales"]


def test_a_deal_belongs_to_its_seller_under_the_address_that_the_seller_has_now(open_world: OpenWorld) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    before, after = world.sf.put_records(
        "User",
        *(
            {"LastName": "Seller", "Email": email, "Username": email, "IsActive": True}
            for email in (sale.SELLERS_EMAIL, "sam@example.com")
        ),
    )
    for name in ("Ann Lee", "Bea Lee"):
        customer = new_customer(world, name)
        job = sale.a_job(world, customer)
        estimate = sale.an_estimate(world, customer, job, "Heater", 100)
        sale.sell(world, estimate, by=sale.SELLER if name == "Ann Lee" else None)
    good_round(world)
    ann, bea = sale.sf_deals(world).values()
    assert (ann["OwnerId"], bea["OwnerId"] in (before, after)) == (before, False)

    world.st.put("employees", [{"id": sale.SELLER, "email": "sam@example.com"}])
    part = good_round(world)
    assert [deal["OwnerId"] for deal in sale.sf_deals(world).values()] == [after, bea["OwnerId"]]
    assert part["targets"][sale.DEALS]["updated"] == 1
    assert prove(world)["ok"]


def test_a_deal_goes_to_its_seller_while_the_org_does_not_know_whom_the_crm_assigned(open_world: OpenWorld) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    people = {
        name: world.sf.put_records("User", {"LastName": name, "Email": email, "Username": email, "IsActive": True})[0]
        for name, email in (("Seller", sale.SELLERS_EMAIL), ("Boss", "boss@example.com"))
    }
    world.extra["salesforce"] = {"owner": "boss@example.com"}
    world.write_site()
    customer = new_customer(world, "Ann Lee")
    estimate = sale.an_estimate(world, customer, sale.a_job(world, customer), "Heater", 100)
    sale.sell(world, estimate, by=sale.SELLER)
    good_round(world)
    [deal] = sale.crm_deals(world)
    users = sale.crm_of(world).put_records(
        "users", {"name": "Sue", "email": "sue@example.com"}, {"name": "Boss", "email": "boss@example.com"}
    )
    for user, owner in zip(users, ("Seller", "Boss"), strict=True):
        sale.move_by_hand(world, deal, "job-sold", assignedTo=user)
        good_round(world)
        assert [row["OwnerId"] for row in sale.sf_deals(world).values()] == [people[owner]]
        assert prove(world)["ok"]
