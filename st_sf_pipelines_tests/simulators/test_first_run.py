"""CRM-14: the first run over the default shop finds what the seeds' own first run found, whatever the day."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from st_sf_pipelines.simulators.shop import Shop, files, make_shop, stamps
from st_sf_pipelines.simulators.shop.live import Life

from .first_run import FirstRun, first_run, records

KNOWN = (450, {"Install": 16, "contacted": 37, "proposal-sent": 38})
VOLUMES = {"customers": 1_696, "jobs": 3_260, "appointments": 4_156, "estimates": 1_247, "invoices": 3_597}
ANCHORS = (
    "2026-01-31T15:30",  # the end of a month
    "2026-02-28T00:00",
    "2028-02-29T08:00",
    "2026-03-08T09:00",  # clocks go forward in California, at 10:00 UTC
    "2026-03-09T00:00",
    "2026-11-01T08:30",  # clocks go back, at 09:00 UTC
    "2026-11-02T23:00",
    "2026-12-31T07:59",  # still the day before in California
    "2027-01-01T08:00",
)


ZONES = (
    ("America/Phoenix", "2026-03-08T09:00"),  # no clock is moved there
    ("America/Chicago", "2026-03-08T07:59"),
    ("America/Chicago", "2026-11-01T06:30"),
    ("America/New_York", "2027-03-01T04:59"),
    ("UTC", "2026-12-31T23:59"),
)


def shop_at(anchor: str) -> Shop:
    return make_shop(anchor=datetime.fromisoformat(anchor).replace(tzinfo=UTC))


@pytest.mark.parametrize("anchor", ANCHORS)
def test_the_first_run_gives_450_contacts_and_91_opportunities(anchor: str) -> None:
    shop = shop_at(anchor)
    tenant = shop.tenant()
    assert tenant.name == "perfect-catch"
    assert {entity: len(tenant.tables[entity]) for entity in VOLUMES} == VOLUMES
    assert first_run(tenant, shop.anchor) == KNOWN


@pytest.mark.parametrize(("zone", "anchor"), ZONES)
def test_it_gives_the_same_in_another_time_zone(zone: str, anchor: str) -> None:
    told = {"customers": 1_696, "tenants": [{"id": 5, "name": "one", "timezone": zone}]}
    shop = make_shop(told, anchor=datetime.fromisoformat(anchor).replace(tzinfo=UTC))
    assert {entity: len(shop.tenant().tables[entity]) for entity in VOLUMES} == VOLUMES
    assert first_run(shop.tenant(), shop.anchor) == KNOWN


def test_the_second_tenant_is_smaller_in_another_zone_and_counts_apart() -> None:
    first, second = shop_at("2026-01-31T15:30").tenants.values()
    assert (second.name, second.timezone, len(second.tables["customers"])) == ("desert-air", "America/Phoenix", 240)
    assert first.timezone != second.timezone
    contacts, deals = first_run(second, datetime(2026, 1, 31, 15, 30, tzinfo=UTC))
    assert 0 < contacts < KNOWN[0]
    assert deals.keys() == KNOWN[1].keys()
    for asked, small in ((1_000_000, 240), (30, 4)):
        plan = files.plan(
            "perfect-catch", customers=asked, seed=None, anchor=None, today=datetime(2026, 1, 31, tzinfo=UTC)
        )
        assert [tenant.customers for tenant in plan.tenants] == [asked, small]


def test_it_gives_the_same_until_the_end_of_the_next_day() -> None:
    shop = shop_at("2026-10-31T07:00")
    for hours in (12, 23.9, 40.9):
        assert first_run(shop.tenant(), shop.anchor + timedelta(hours=hours)) == KNOWN


def test_the_install_deals_stand_in_several_stages() -> None:
    shop = shop_at("2026-06-15T00:00")
    run = FirstRun(shop.tenant(), shop.anchor)
    assert len({deal.stage for deal in run.deals if deal.pipeline == "Install"}) >= 3
    assert all(deal.status != "lost" for deal in run.deals)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_another_seed_keeps_the_known_counts(seed: int) -> None:
    shop = make_shop(seed=seed, anchor=datetime(2026, 5, 5, tzinfo=UTC))
    assert first_run(shop.tenant(), shop.anchor) == KNOWN


def test_estimates_are_of_all_kinds_and_lead_to_installs() -> None:
    tenant = shop_at("2026-06-15T00:00").tenant()
    offers = {each["id"]: each for each in records(tenant, "estimates")}
    jobs = {each["id"]: each for each in records(tenant, "jobs")}
    assert {each["status"]["name"] for each in offers.values()} == {"Open", "Sold", "Dismissed"}
    for each in offers.values():
        sold = each["status"]["name"] == "Sold"
        assert ((each["soldOn"] is not None), (each["soldBy"] is not None)) == (sold, sold)
        assert sum(round(item["total"] * 100) for item in each["items"]) == round(each["subtotal"] * 100)
        if each["jobId"]:
            assert each["id"] in jobs[each["jobId"]]["estimateIds"]
            assert each["createdOn"] > jobs[each["jobId"]]["createdOn"]
    made = [job for job in jobs.values() if job["createdFromEstimateId"]]
    assert len(made) > 50
    for job in made:
        offer = offers[job["createdFromEstimateId"]]
        assert offer["customerId"] == job["customerId"]
        assert offer["soldOn"] <= job["createdOn"]
    assert any(each["jobId"] is None for each in offers.values())
    assert 10 < sum(each["subtotal"] == 0 for each in offers.values()) < 100
    several = Counter(each["jobId"] for each in offers.values() if each["jobId"])
    assert max(several.values()) > 2


def test_an_estimate_without_a_value_leaves_a_deal_of_this_week_in_contacted() -> None:
    shop = shop_at("2026-06-15T00:00")
    run = FirstRun(shop.tenant(), shop.anchor)
    held = [deal for deal in run.deals if deal.stage == "contacted" and run.its_estimates(deal)]
    assert len(held) > 3
    for deal in held:
        assert {(each["status"]["name"], each["subtotal"]) for each in run.its_estimates(deal)} == {("Open", 0.0)}


def stands(run: FirstRun) -> set[tuple[int | None, str, str, str]]:
    """Tell how each customer's deals stand."""
    return {(deal.customer, deal.pipeline, deal.stage, deal.status) for deal in run.deals}


def test_a_living_shop_moves_deals_of_every_kind() -> None:
    shop = shop_at("2026-06-15T15:00")
    tenant, life = shop.tenant(), Life(shop)
    before = stands(FirstRun(tenant, shop.anchor))
    start = stamps.ticks(shop.anchor)
    for step in range(400):
        life.step(start + step * stamps.TICKS_A_MINUTE)
    moved = stands(FirstRun(tenant, shop.anchor + timedelta(minutes=400))) - before
    assert {deal[1:] for deal in moved} >= {
        ("Sales", "new-lead", "open"),
        ("Sales", "appointment-scheduled", "open"),
        ("Sales", "proposal-sent", "open"),
        ("Sales", "job-sold", "won"),
        ("Sales", "estimate-lost", "lost"),
        ("Install", "scheduled", "won"),
    }
    made = [job for job in records(tenant, "jobs") if job["createdFromEstimateId"] and job["createdOn"] >= "2026-06-15"]
    units = {unit["id"]: unit["name"] for unit in records(tenant, "business_units")}
    offers = {each["id"]: each for each in records(tenant, "estimates")}
    assert made
    for job in made:
        assert "Install" in units[job["businessUnitId"]]
        trade = offers[job["createdFromEstimateId"]]["businessUnitName"].split(" - ")[0]
        assert units[job["businessUnitId"]].startswith(trade)
    types = {each["id"]: each["businessUnitIds"] for each in records(tenant, "job_types")}
    assert all(job["businessUnitId"] in types[job["jobTypeId"]] for job in records(tenant, "jobs"))
    assert any(each["name"] is None for each in offers.values())
