"""Customers of a segment are members of the campaign that the site file names for it (SF-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from st_sf_pipelines_tests.acceptance.desk import by_key, new_customer, one, prove
from st_sf_pipelines_tests.acceptance.sale import good_round

if TYPE_CHECKING:
    from st_sf_pipelines_tests.world import World


def test_a_member_of_a_segments_campaign_is_made_once(world: World) -> None:
    [campaign] = world.sf.put_records("Campaign", {"Name": "VIP", "IsActive": True})
    world.extra["salesforce"] = {"campaigns": {"High Value": campaign}}
    world.write_site()
    rich, _ = new_customer(world, "Ann Rich"), new_customer(world, "Bob Poor")
    bill = {"customer": {"id": rich, "name": "x"}, "subTotal": "6000.00", "total": "6000.00"}
    [invoice] = world.st.put("invoices", [bill])
    good_round(world)
    member = one(world, "CampaignMember")
    assert (member["CampaignId"], member["ContactId"]) == (campaign, by_key(world.sf, "Contact")[f"st_{rich}"]["Id"])
    for total in ("1.00", "7000.00"):  # out of the segment, and into it again
        world.st.put("invoices", [{"id": invoice, "total": total}])
        good_round(world)
    assert [row["Id"] for row in world.sf.records("CampaignMember")] == [member["Id"]]
    assert prove(world)["ok"]
