"""A kill between two writes to the CRM, or before the receipts of Salesforce's events, doubles nothing."""

from __future__ import annotations

import signal
from collections import Counter
from typing import TYPE_CHECKING, Any

from st_sf_pipelines_tests.acceptance import sale
from st_sf_pipelines_tests.acceptance.desk import new_customer, prove
from st_sf_pipelines_tests.acceptance.sale import good_round
from st_sf_pipelines_tests.acceptance.test_kill import FOREVER, SILENCES, Driver, kill, lives, until

if TYPE_CHECKING:
    from pathlib import Path

    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World

SILENT: dict[str, Any] = {"commit_then_silence": FOREVER}
POINTS = (  # the system, and the write that it makes and never answers
    ("crm", {"path": "/api/contacts?depth=0", "method": "POST", "nth": 2}),
    ("crm", {"path": "/api/opportunities?depth=0", "method": "POST", "nth": 1}),
    ("crm", {"path": "/api/activities?depth=0", "method": "POST", "nth": 3}),
    ("salesforce", {"path": "/composite/sobjects", "method": "POST", "nth": 1}),
)


def test_a_kill_between_writes_doubles_nothing(open_world: OpenWorld, tmp_path: Path) -> None:
    world = open_world(sale.sales_shop(), crm=True)
    good_round(world)
    driver = Driver(tmp_path)
    try:
        for nr, (system, match) in enumerate(POINTS, start=1):
            for name in ("Ann", "Bob", "Cal"):
                customer = new_customer(world, f"{name} Lee", email=f"{name}{nr}@example.com")
                sale.a_job(world, customer, jobStatus="Completed", completedOn=sale.now())
            stand_in = sale.crm_of(world) if system == "crm" else world.sf
            sale.count_anew(world)
            stand_in.set_faults({"match": match, "do": SILENT})
            victim = driver.start()
            try:
                until(
                    lambda: any(each["status"] in SILENCES for each in stand_in.counters["calls"]) or not lives(victim),  # noqa: B023
                    f"{match} is silent",
                )
            finally:
                kill(victim)
                assert driver.end() == (-signal.SIGKILL, {})
            stand_in.set_faults()
            good_round(world)
            _each_is_there_once(world, 3 * nr)
    finally:
        driver.close()
    assert prove(world)["ok"]


def _each_is_there_once(world: World, customers: int) -> None:
    crm = sale.crm_of(world)
    there = {
        "contacts": Counter(each["serviceTitanId"] for each in crm.records("contacts")),
        "opportunities": Counter(each["contact"] for each in crm.records("opportunities")),
        "activities": Counter(each["data"]["key"] for each in crm.records("activities")),
        "events": Counter(each["ServiceTitan_Job_Id__c"] for each in world.sf.records("Event")),
    }
    assert {name: set(counts.values()) for name, counts in there.items()} == {name: {1} for name in there}
    assert [len(there[name]) for name in ("contacts", "opportunities", "events")] == [customers] * 3
