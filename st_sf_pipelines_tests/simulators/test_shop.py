"""The made-up shop is the same for the same seed, has the seeds' sizes, and holds every kind of customer."""

from __future__ import annotations

import tracemalloc
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import orjson
import pytest

from st_sf_pipelines.simulators.shop import Shop, Tenant, make_shop, stamps
from st_sf_pipelines.simulators.shop.live import EVENTS, Life
from st_sf_pipelines.simulators.shop.table import Place, Record

if TYPE_CHECKING:
    from pathlib import Path

ANCHOR = datetime(2026, 1, 31, 15, 30, tzinfo=UTC)
STATUSES = {"Scheduled", "Dispatched", "InProgress", "Hold", "Completed", "Canceled"}


@pytest.fixture(scope="module")
def shop() -> Shop:
    return make_shop(anchor=ANCHOR)


def records(tenant: Tenant, entity: str) -> list[Record]:
    table = tenant.tables[entity]
    return [table.get(key) for key in table.keys()]  # noqa: SIM118 - a table is no dict


def everything(shop: Shop) -> bytes:
    return orjson.dumps(
        [records(tenant, entity) for tenant in shop.tenants.values() for entity in sorted(tenant.tables)]
    )


def segments(tenant: Tenant, as_of: datetime) -> Counter[str]:
    """Count the segments as the business tells them, in the plainest way."""
    zone = ZoneInfo(tenant.timezone)
    value: dict[int, Decimal] = defaultdict(Decimal)
    for invoice in records(tenant, "invoices"):
        if invoice["active"]:
            value[invoice["customer"]["id"]] += Decimal(invoice["total"])
    last: dict[int, datetime] = {}
    for job in records(tenant, "jobs"):
        if job["completedOn"]:
            done = datetime.fromisoformat(job["completedOn"])
            last[job["customerId"]] = max(done, last.get(job["customerId"], done))
    counts: Counter[str] = Counter()
    for customer in tenant.tables["customers"].keys():  # noqa: SIM118 - a table is no dict
        done_on = last.get(customer)
        age = (as_of.astimezone(zone).date() - done_on.astimezone(zone).date()).days if done_on else None
        if value[customer] >= 10_000 and age is not None and age < 180:
            counts["VIP"] += 1
        elif value[customer] >= 5_000:
            counts["High Value"] += 1
        elif age is not None and age > 365:
            counts["Churning"] += 1
        elif age is not None and age > 180:
            counts["At Risk"] += 1
        else:
            counts["Standard"] += 1
    return counts


def test_the_default_shop_has_the_sizes_of_the_seeds_shop(shop: Shop) -> None:
    sizes = {entity: len(table) for entity, table in shop.tenant().tables.items()}
    assert shop.name == shop.tenant().name == "perfect-catch"
    assert (sizes["customers"], sizes["jobs"], sizes["invoices"]) == (1_696, 3_260, 3_597)
    assert sizes["business_units"] == 6


def test_the_same_seed_gives_the_same_shop_and_another_one_another(shop: Shop) -> None:
    assert everything(make_shop("perfect-catch", 1_696, anchor=ANCHOR)) == everything(shop)
    assert everything(make_shop(customers=50, seed=1, anchor=ANCHOR)) != everything(
        make_shop(customers=50, seed=2, anchor=ANCHOR)
    )


@pytest.mark.parametrize("customers", [0, 1, 10, 57, 400])
def test_any_size_has_exactly_so_many_customers(customers: int) -> None:
    tenant = make_shop(customers=customers, anchor=ANCHOR).tenant()
    assert len(tenant.tables["customers"]) == customers
    assert len(tenant.tables["jobs"]) == round(customers * 3_260 / 1_696)


def test_a_customer_with_all_that_came_of_it_costs_some_hundred_bytes_and_no_object() -> None:
    tracemalloc.start()
    shop = make_shop({"tenants": [{"id": 5, "name": "one", "customers": 5_000}]}, anchor=ANCHOR)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(map(len, shop.tenant().tables.values())) > 15 * 5_000
    # So a million customers, with their fifteen million records, take little more than a gigabyte.
    assert held / 5_000 < 1_250
    assert peak / 5_000 < 1_300


def test_every_segment_occurs_even_among_ten(shop: Shop) -> None:
    assert min(segments(shop.tenant(), ANCHOR).values()) > 50
    for seed in range(20):
        assert len(segments(make_shop(customers=10, seed=seed, anchor=ANCHOR).tenant(), ANCHOR)) == 5


def test_time_alone_moves_customers_from_segment_to_segment(shop: Shop) -> None:
    days = [segments(shop.tenant(), ANCHOR + timedelta(days=day)) for day in range(5)]
    for before, after in pairwise(days):
        assert before != after


@pytest.mark.parametrize("hour", [0, 7, 8, 16, 23])
def test_the_first_run_meets_450_customers_with_a_recent_job_and_91_with_a_new_one(hour: int) -> None:
    anchor = datetime(2026, 3, 9, hour, tzinfo=UTC)  # the day after the clocks go forward
    tenant = make_shop(anchor=anchor).tenant()
    active = {record["id"] for record in records(tenant, "customers") if record["active"]}
    units = {record["id"]: record["name"] for record in records(tenant, "business_units")}
    ages: dict[int, set[int]] = defaultdict(set)
    new_units: dict[int, set[str]] = defaultdict(set)
    for job in records(tenant, "jobs"):
        created = datetime.fromisoformat(job["createdOn"])
        assert created < anchor
        if job["jobStatus"] != "Canceled" and job["customerId"] in active:
            age = (anchor - created).days
            ages[job["customerId"]].add(age)
            if age <= 14:
                new_units[job["customerId"]].add(units[job["businessUnitId"]])
    assert sum(1 for seen in ages.values() if min(seen) <= 90) == 450
    assert len(new_units) == 91
    assert sum(1 for names in new_units.values() if any("Install" in name for name in names)) == 16


def test_jobs_go_through_their_statuses(shop: Shop) -> None:
    jobs = records(shop.tenant(), "jobs")
    assert {job["jobStatus"] for job in jobs} == STATUSES
    for job in jobs:
        assert (job["completedOn"] is not None) == (job["jobStatus"] == "Completed")
        assert job["createdOn"][:19] <= job["modifiedOn"][:19] <= "2026-01-31T15:30:00"


def test_references_lead_to_records(shop: Shop) -> None:
    tables = shop.tenant().tables
    for contact in records(shop.tenant(), "customer_contacts"):
        assert contact["customerId"] in tables["customers"]
    for job in records(shop.tenant(), "jobs"):
        assert job["customerId"] in tables["customers"]
        assert job["businessUnitId"] in tables["business_units"]
        assert tables["invoices"].get(job["invoiceId"])["job"]["id"] == job["id"]
        customer = tables["customers"].get(job["customerId"])
        assert customer["createdOn"][:19] < job["createdOn"][:19]
    for invoice in records(shop.tenant(), "invoices"):
        owner = tables["customers"].get(invoice["customer"]["id"])
        assert owner["name"] == invoice["customer"]["name"]
        if invoice["job"]:
            assert tables["jobs"].get(invoice["job"]["id"])["customerId"] == owner["id"]


def test_adjustments_are_negative_and_name_what_they_adjust(shop: Shop) -> None:
    invoices = records(shop.tenant(), "invoices")
    adjustments = [invoice for invoice in invoices if invoice["adjustmentToId"]]
    assert len(adjustments) > 100
    for invoice in adjustments:
        assert Decimal(invoice["total"]) < 0
        assert shop.tenant().tables["invoices"].get(invoice["adjustmentToId"])["customer"] == invoice["customer"]
    assert 20 < sum(not invoice["active"] for invoice in invoices) < 200
    assert all(Decimal(invoice["total"]) >= 0 for invoice in invoices if not invoice["adjustmentToId"])


def test_people_are_as_offices_type_them(shop: Shop) -> None:
    customers = records(shop.tenant(), "customers")
    names = [record["name"] for record in customers if record["type"] == "Residential"]
    assert sum(", " in name for name in names) > 50
    assert sum(" & " in name for name in names) > 50
    assert any(name.endswith(" Jr.") for name in names)
    assert any(name.startswith("Dr. ") for name in names)
    assert any(name.startswith("María José ") for name in names)
    assert 50 < sum(record["type"] == "Commercial" for record in customers) < 250
    assert 20 < sum(not record["active"] for record in customers) < 150
    contacts = records(shop.tenant(), "customer_contacts")
    owned = Counter(contact["customerId"] for contact in contacts)
    assert max(owned.values()) == 4
    assert len(owned) < len(customers)
    assert {contact["type"] for contact in contacts} == {"Phone", "MobilePhone", "Email"}
    assert any("@" not in contact["value"] for contact in contacts if contact["type"] == "Email")
    assert any(not contact["active"] for contact in contacts)


def test_many_records_share_a_stamp_and_digits_are_cut(shop: Shop) -> None:
    for entity in ("customers", "customer_contacts", "invoices"):
        counts = Counter(record["modifiedOn"] for record in records(shop.tenant(), entity))
        assert counts.most_common(1)[0][1] > 10
    lengths = {len(record["modifiedOn"]) for record in records(shop.tenant(), "jobs")}
    assert {20, 28} <= lengths <= {20, *range(22, 29)}


def test_stamps_are_read_and_written_to_the_tick() -> None:
    for text in ("2026-01-02T16:28:55.8446003Z", "2026-01-02T00:00:00Z", "1999-12-31T23:59:59.5Z"):
        stamp = stamps.read(text)
        assert stamp is not None
        assert stamps.written(stamp) == text
    assert stamps.read("2026-01-02") == stamps.read("2026-01-01T16:00:00-08:00")
    assert stamps.read("yesterday") is stamps.read("2026-13-01") is stamps.read(None) is None


def test_a_file_gives_an_exact_world(tmp_path: Path) -> None:
    path = tmp_path / "shop.json"
    told = {
        "name": "tiny",
        "anchor": "2026-01-31T00:00:00Z",
        "tenants": [
            {
                "id": 5,
                "name": "one",
                "timezone": "America/Chicago",
                "records": {
                    "customers": [{"id": 11, "name": "Ann Lee", "modifiedOn": "2026-01-01T00:00:00Z", "shoeSize": 9}]
                },
            },
            {"id": 6, "name": "two", "customers": 3},
        ],
    }
    path.write_bytes(orjson.dumps(told))
    shop = make_shop(str(path))
    [customer] = records(shop.tenant("one"), "customers")
    assert customer["id"] == 11
    assert customer["shoeSize"] == 9
    assert customer["address"]["country"] == "USA"
    assert len(shop.tenant(6).tables["customers"]) == 3


def test_an_unknown_shop_or_entity_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="perfect-catch"):
        make_shop("no-such-shop")
    with pytest.raises(ValueError, match="customer_contacts"):
        make_shop({"tenants": [{"id": 1, "name": "x", "records": {"widgets": []}}]})


def test_tenants_share_no_id() -> None:
    shop = make_shop("two-regions", customers=20, anchor=ANCHOR)
    socal, dallas = (set(tenant.tables["customers"].keys()) for tenant in shop.tenants.values())
    assert len(socal) == len(dallas) == 20
    assert not socal & dallas


def test_a_put_record_moves_to_the_end_of_the_feed_and_only_its_newest_version_stays() -> None:
    tenant = make_shop(customers=10, anchor=ANCHOR).tenant()
    table, now = tenant.tables["customers"], stamps.ticks(ANCHOR)
    first = next(key for _, key in table.walk(Place(-1, -1)))
    for name in ("A", "B"):
        assert tenant.put("customers", [{"id": first, "name": name}], now) == [first]
    walked = [key for _, key in table.walk(Place(-1, -1))]
    assert walked[-1] == first
    assert sorted(walked) == sorted(table.keys())
    assert len(walked) == len(table) == 10
    assert table.get(first)["name"] == "B"
    assert table.get(first)["modifiedOn"] == "2026-01-31T15:30:00Z"
    [new] = tenant.put("customers", [{"name": "C"}], now)
    assert next(table.keys()) == new


def test_life_goes_on_in_the_same_way_for_the_same_seed() -> None:
    def lived() -> tuple[list[object], bytes]:
        shop = make_shop(customers=30, anchor=ANCHOR)
        life = Life(shop)
        start = stamps.ticks(ANCHOR)
        return [life.step(start + step * stamps.TICKS_A_MINUTE) for step in range(250)], everything(shop)

    events, world = lived()
    assert (events, world) == lived()
    happened = {event["event"] for event in events if isinstance(event, dict)}
    assert happened == {event.__name__ for event, _ in EVENTS}


def test_a_living_shop_keeps_its_books() -> None:
    shop = make_shop(customers=40, anchor=ANCHOR)
    life, tenant, start = Life(shop), shop.tenant(), stamps.ticks(ANCHOR)
    for step in range(400):
        life.step(start + step * stamps.TICKS_A_MINUTE)
    jobs = {job["id"]: job for job in records(tenant, "jobs")}
    for visit in records(tenant, "appointments"):
        assert visit["customerId"] == jobs[visit["jobId"]]["customerId"]
    for job in jobs.values():
        assert job["lastAppointmentId"] in tenant.tables["appointments"]
        assert all(offer in tenant.tables["estimates"] for offer in job["estimateIds"])
        assert job["createdFromEstimateId"] is None or job["createdFromEstimateId"] in tenant.tables["estimates"]
    paid: Counter[int] = Counter()
    for payment in records(tenant, "payments"):
        for applied in payment["appliedTo"]:
            paid[applied["appliedTo"]] += round(100 * Decimal(applied["appliedAmount"]))
    off: Counter[int] = Counter()
    for invoice in records(tenant, "invoices"):
        if invoice["adjustmentToId"]:
            off[invoice["adjustmentToId"]] += round(100 * Decimal(invoice["total"]))
    for invoice in records(tenant, "invoices"):
        if invoice["active"] and not invoice["adjustmentToId"]:
            total, balance = (round(100 * Decimal(invoice[name])) for name in ("total", "balance"))
            assert total + off[invoice["id"]] == balance + paid[invoice["id"]]


def test_a_life_without_customers_begins_with_one() -> None:
    shop = make_shop(customers=0, anchor=ANCHOR)
    event = Life(shop).step(stamps.ticks(ANCHOR))
    assert len(event["records"]) >= 1
    assert sum(map(len, shop.tenant().tables.values())) > 6
