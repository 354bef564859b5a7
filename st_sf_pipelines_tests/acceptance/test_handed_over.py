"""A lead's contact in the CRM becomes its customer's; where that has one already, a person is told of the double."""

from __future__ import annotations

from typing import TYPE_CHECKING

from st_sf_pipelines_tests.acceptance import sale
from st_sf_pipelines_tests.acceptance.desk import new_customer, parked, prove, retry
from st_sf_pipelines_tests.acceptance.sale import CRM_CONTACTS, good_round

if TYPE_CHECKING:
    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld


def test_a_lead_of_a_customer_who_has_a_contact_leaves_one_contact_and_a_double_for_a_person(
    open_world: OpenWorld,
) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    crm = sale.crm_of(world)
    customer = new_customer(world, "Ann Lee")
    sale.a_job(world, customer, createdOn=sale.now(-30))  # a contact, and no deal
    lead = sale.a_lead(world, "Ann Lee")
    good_round(world)
    ids = {each["serviceTitanId"]: each["id"] for each in crm.records("contacts")}
    assert {*ids} == {str(customer), f"lead_{lead}"}

    world.st.put("leads", [{"id": lead, "customerId": customer}])
    part = good_round(world, "parked")
    assert [(row["object"], row["key"], row["code"]) for row in parked(world)] == [
        (CRM_CONTACTS, f"lead_{lead}", "HANDED_OVER")
    ]
    assert "merge the two by hand" in parked(world)[0]["mend"]
    assert [deal["contact"] for deal in sale.crm_deals(world)] == [ids[str(customer)]]
    assert world.rows("SELECT subject FROM pipeline.contacts") == [{"subject": customer}]
    assert part["targets"][CRM_CONTACTS]["parked"] == 1
    assert retry(world) == 0, "it is no record that could be sent"

    crm.delete_record("contacts", ids[f"lead_{lead}"])  # a person has merged the two
    assert retry(world, f"lead_{lead}") == 1
    assert parked(world) == []
    good_round(world)
    assert [each["id"] for each in crm.records("contacts")] == [ids[str(customer)]]
    assert prove(world, repair=True)["tenants"][0]["objects"][CRM_CONTACTS]["ok"]
