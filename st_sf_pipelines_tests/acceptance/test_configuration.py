"""An edited threshold or map moves exactly whom it must, at the next round, with no event in ServiceTitan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from st_sf_pipelines_tests.acceptance.desk import (
    ACCOUNTS,
    by_key,
    completed_job,
    dallas_of,
    fields_sent,
    many_customers,
    new_customer,
    one,
    two_shops,
    written,
)

if TYPE_CHECKING:
    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World

JUNE = "2026-06-01T20:00:00Z"


def segments(world: World) -> dict[str, str]:
    return {row["Name"]: row["Customer_Segment__c"] for row in world.sf.records("Account")}


def test_an_edited_threshold_moves_exactly_whom_it_must(world: World) -> None:
    for name, value in (("Ann Rich", "12000.00"), ("Bob Well", "7000.00"), ("Cal Some", "3000.00")):
        completed_job(world, new_customer(world, name), "2026-05-20T20:00:00Z", value)
    world.sync(as_of=JUNE)
    assert segments(world) == {"Ann Rich": "VIP", "Bob Well": "High Value", "Cal Some": "Standard"}
    world.write_site(segments={"vip_lifetime_value": 7000})
    world.sf.count_anew()
    round_ = world.sync(as_of=JUNE)
    assert round_["derived_changed"]["segments"] == 1
    assert segments(world) == {"Ann Rich": "VIP", "Bob Well": "VIP", "Cal Some": "Standard"}
    assert (written(world.sf, "Account"), written(world.sf, "Contact")) == (1, 0)
    world.write_site()
    world.sync(as_of=JUNE)
    assert segments(world)["Bob Well"] == "High Value"


def test_a_tenants_own_threshold_is_its_own(open_world: OpenWorld) -> None:
    world = open_world(two_shops())
    for tenant in ("socal", "dallas"):
        st_id = new_customer(world, f"Ann {tenant.title()}", tenant=tenant)
        bill = {"customer": {"id": st_id, "name": "x"}, "total": "3000.00"}
        world.st.put("invoices", [bill], tenant)
    world.write_site({**dallas_of(world), "segments": {"high_lifetime_value": 2500}})
    world.sync_all()
    assert segments(world) == {"Ann Socal": "Standard", "Ann Dallas": "High Value"}


def test_a_new_field_row_is_sent_for_all_and_alone(world: World) -> None:
    many_customers(world, 3)
    world.sync()
    rows = [
        {"to": "AccountSource", "constant": "ServiceTitan"},
        {"to": "Site", "source": "type", "values": {"Residential": "Home"}},
    ]

    def edit() -> None:
        world.extra = {"salesforce": {"fields": {"accounts": rows}}}
        world.write_site()
        world.sync()

    sent = fields_sent(world, edit)
    assert sent == {("Account", key): {"AccountSource", "Site"} for key in by_key(world.sf, "Account")}
    assert {(row["AccountSource"], row["Site"]) for row in world.sf.records("Account")} == {("ServiceTitan", "Home")}
    world.sf.count_anew()
    world.sync()
    assert world.sf.counters["requests"] == 0


def test_a_row_for_a_field_that_is_mapped_replaces_it(world: World) -> None:
    st_id = new_customer(world, "Ann Lee", phone="480-555-0101")
    world.sync()
    fields = {"accounts": [{"to": "Phone", "source": "phone", "values": {"480-555-0101": "by the map"}}]}
    world.extra = {"salesforce": {"fields": fields}}
    world.write_site()
    round_ = world.sync()
    assert round_["targets"][ACCOUNTS]["updated"] == 1
    assert one(world, "Account")["Phone"] == "by the map"
    assert one(world, "Contact")["Phone"] == "480-555-0101"
    world.extra = {}
    world.write_site()
    world.sync()
    assert by_key(world.sf, "Account")[f"st_{st_id}"]["Phone"] == "480-555-0101"


def test_an_edited_time_zone_moves_the_days(world: World) -> None:
    completed_job(world, new_customer(world, "Ann Lee"), "2026-05-02T05:00:00Z")
    world.sync(as_of=JUNE)
    assert one(world, "Contact")["Last_Service_Date__c"] == "2026-05-01"
    world.extra = {"timezone": "Europe/Berlin"}
    world.write_site()
    world.sync(as_of=JUNE)
    assert one(world, "Contact")["Last_Service_Date__c"] == "2026-05-02"
