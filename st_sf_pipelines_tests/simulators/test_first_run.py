"""CRM-14: the first run over the default shop finds what the seeds' own first run found, whatever the day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from st_sf_pipelines.simulators.shop import Shop, make_shop

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


def shop_at(anchor: str) -> Shop:
    return make_shop(anchor=datetime.fromisoformat(anchor).replace(tzinfo=UTC))


@pytest.mark.parametrize("anchor", ANCHORS)
def test_the_first_run_gives_450_contacts_and_91_opportunities(anchor: str) -> None:
    shop = shop_at(anchor)
    tenant = shop.tenant()
    assert tenant.name == "perfect-catch"
    assert {entity: len(tenant.tables[entity]) for entity in VOLUMES} == VOLUMES
    assert first_run(tenant, shop.anchor) == KNOWN


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
    assert any(each["name"] is None for each in offers.values())
