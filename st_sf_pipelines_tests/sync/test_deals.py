"""Deals through the store: what people set, and what is listed, round after round (CRM-7, CRM-3, CRM-1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines.config import Pipelines
from st_sf_pipelines.store.hands import HandChange, keep
from st_sf_pipelines.store.log import Scope
from st_sf_pipelines.sync.deals import Dealt, derive_deals, is_behind
from st_sf_pipelines.sync.derive import derive_profiles
from st_sf_pipelines_tests.store.feeding import TENANT, customer, feed, job, rows
from st_sf_pipelines_tests.systems.conftest import tenant_of

if TYPE_CHECKING:
    from st_sf_pipelines.store.database import Database

NOON = datetime(2026, 1, 31, 20, tzinfo=UTC)  # in Los Angeles


def stamp(minutes: float = 0, days: float = 0) -> str:
    """Write an instant so many minutes, and days, after noon."""
    return (NOON + timedelta(days=days, minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def offer(nr: int, stamped: str, dollars: float = 500, status: str = "Open", **more: Any) -> dict[str, Any]:
    """Make an estimate of customer 1."""
    made = {"id": nr, "createdOn": stamped, "modifiedOn": stamped, "active": True, "customerId": 1, "name": "Heater"}
    return {**made, "status": {"value": 0, "name": status}, "subtotal": dollars, "tax": 0, **more}


def look(db: Database, minutes: float = 0, days: float = 0, rules: Pipelines | None = None) -> Dealt:
    """Work the round of an instant so many minutes, and days, after noon, over those that changed."""
    moment = NOON + timedelta(days=days, minutes=minutes)
    return derive_deals(db, tenant_of(), rules or Pipelines(), moment, None, Scope())


def set_in_the_crm(db: Database, stage: str, minutes: float) -> None:
    """Have a person set the only deal's stage."""
    (deal,) = rows(db, "SELECT id FROM pipeline.opportunities")
    change = HandChange(deal["id"], NOON + timedelta(minutes=minutes), stage)
    keep(db, TENANT, "crm/opportunities", [change], None, stage_field="stage", stages="crm/stages")


def stages(db: Database) -> list[str]:
    """Give where the deals stand."""
    return [row["stage"] for row in rows(db, "SELECT stage FROM pipeline.opportunities ORDER BY number")]


def held(db: Database) -> list[tuple[list[str], str]]:
    """Give what is listed: the records and the reason."""
    found = rows(db, "SELECT records, reason FROM pipeline.held ORDER BY records, reason")
    return [(row["records"], row["reason"]) for row in found]


def test_a_fact_that_came_after_a_persons_move_moves_on_though_one_round_reads_both(db: Database) -> None:
    feed(db, "customers", customer(1))
    feed(db, "jobs", job(3, 1, "Scheduled", createdOn=stamp(days=-1)))
    look(db, -5)
    set_in_the_crm(db, "appointment-scheduled", 0)
    feed(db, "estimates", offer(50, stamp(3), jobId=3))
    look(db, 5)
    assert stages(db) == ["proposal-sent"]


def test_a_visit_that_was_touched_after_a_persons_move_is_a_new_fact(db: Database) -> None:
    visit = {"id": 4, "jobId": 3, "createdOn": stamp(-60), "modifiedOn": stamp(-60), "active": True}
    feed(db, "customers", customer(1))
    feed(db, "business_units", {"id": 8, "name": "Pool - Install", "active": True, "modifiedOn": stamp(-60)})
    feed(db, "jobs", job(3, 1, "Dispatched", createdOn=stamp(-60), modifiedOn=stamp(-60), businessUnitId=8))
    feed(db, "appointments", {**visit, "status": "Dispatched"})
    look(db, -5)
    set_in_the_crm(db, "pre-install-planning", 0)
    feed(db, "appointments", {**visit, "status": "Working", "modifiedOn": stamp(3)})
    look(db, 5)
    assert stages(db) == ["in-progress"]


def test_an_estimate_without_an_opportunity_is_listed_though_its_customer_has_nothing_else_new(db: Database) -> None:
    feed(db, "customers", customer(1), customer(2))
    feed(db, "jobs", job(3, 2, createdOn=stamp(days=-200), modifiedOn=stamp(days=-200)))
    feed(db, "estimates", offer(50, stamp(days=-1)), offer(51, stamp(days=-1), 700, "Sold", jobId=3, customerId=None))
    look(db)
    nothing_before = "and the customer has no opportunity from before it"
    assert held(db) == [
        (["estimate 50"], "the estimate names no job"),
        (["estimate 51"], f"the estimate is of a job without an opportunity, {nothing_before}"),
    ]


def test_of_estimates_without_an_opportunity_only_those_touched_of_late_are_listed(db: Database) -> None:
    feed(db, "customers", customer(1))
    feed(db, "jobs", job(3, 1, createdOn=stamp(days=-200), modifiedOn=stamp(days=-200)))
    feed(
        db,
        "estimates",
        offer(50, stamp(days=-190), modifiedOn=stamp(days=-2)),
        offer(51, stamp(days=-190), modifiedOn=stamp(days=-15)),
        offer(52, stamp(days=-190), jobId=3),
        offer(53, stamp(days=-1), status="Dismissed"),
        offer(54, stamp(days=-1), active=False),
    )
    look(db)
    assert [records for records, _ in held(db)] == [["estimate 50"]]


def unmapped(db: Database) -> None:
    """Store an inactive customer with a job of a unit that nobody mapped, and list it."""
    feed(db, "customers", customer(1, active=False))
    feed(db, "business_units", {"id": 8, "name": "Roof", "active": True, "modifiedOn": stamp()})
    feed(db, "jobs", job(3, 1, "Scheduled", createdOn=stamp(-60), modifiedOn=stamp(-60), businessUnitId=8))
    look(db)
    assert held(db) == [(["job 3"], "nobody mapped the business unit 'Roof'; it counts as sales")]


@pytest.mark.parametrize("days", [1, 201])
def test_a_unit_is_listed_as_unmapped_until_somebody_maps_it(db: Database, days: int) -> None:
    unmapped(db)
    look(db, days=days, rules=Pipelines(business_units={"Roof": "sales"}))
    assert held(db) == []


def test_what_is_listed_for_being_recent_is_struck_when_it_is_no_more_without_any_news(db: Database) -> None:
    unmapped(db)
    feed(db, "estimates", offer(50, stamp(days=1)))
    look(db, days=14)
    assert [records for records, _ in held(db)] == [["estimate 50"], ["job 3"]]
    look(db, days=15)
    assert [records for records, _ in held(db)] == [["estimate 50"]]
    look(db, days=201)
    assert held(db) == []
    assert not is_behind(db, tenant_of(), Pipelines(), NOON + timedelta(days=999))


def installing(db: Database, status: str, minutes: float, owner: int = 7, **more: Any) -> None:
    """Store the install job as it is so many minutes after noon."""
    made: dict[str, Any] = {"createdOn": stamp(days=-3), "businessUnitId": 8, "modifiedOn": stamp(minutes)}
    feed(db, "jobs", job(70, owner, status, **made, **more))


def in_install(db: Database) -> None:
    """Have customer 7 an opportunity that is won, in Install, and tied to job 70."""
    feed(db, "customers", customer(7), customer(8), customer(9))
    feed(db, "business_units", {"id": 8, "name": "Pool - Install", "active": True, "modifiedOn": stamp(-60)})
    feed(db, "jobs", job(3, 7, "Completed", createdOn=stamp(days=-9)))
    feed(db, "estimates", offer(50, stamp(days=-5), 500, "Sold", jobId=3, customerId=7, soldOn=stamp(days=-5)))
    installing(db, "Scheduled", -60)
    around(db, 0)
    assert places(db) == [("st_7_1", 7, "scheduled", "won")]


def around(db: Database, minutes: float) -> Dealt:
    """Work a round, the profiles too, so many minutes after noon; another one right after it must do nothing."""
    derive_profiles(db, tenant_of(), Scope())
    done = look(db, minutes)
    assert not is_behind(db, tenant_of(), Pipelines(), NOON + timedelta(minutes=minutes))
    again = derive_deals(db, tenant_of(), Pipelines(), NOON + timedelta(minutes=minutes), None, Scope(everybody=True))
    assert (again.new, again.changed, again.moves) == (0, 0, 0)
    return done


def places(db: Database) -> list[tuple[str, int, str, str]]:
    """Give each deal's key, whose it is, and where it stands."""
    query = "SELECT opened_for, number, subject, stage, status FROM pipeline.opportunities ORDER BY opened_for, number"
    found = rows(db, query)
    return [(f"st_{row['opened_for']}_{row['number']}", row["subject"], row["stage"], row["status"]) for row in found]


@pytest.mark.parametrize("owner", [7, 8])  # who has the job in ServiceTitan after the merge
def test_a_won_opportunity_of_a_merged_customer_follows_its_install_job_to_the_end(db: Database, owner: int) -> None:
    in_install(db)
    feed(db, "customers", customer(7, stamp(1), mergedToId=8))
    around(db, 2)
    assert places(db) == [("st_7_1", 7, "scheduled", "won")]
    installing(db, "InProgress", 3, owner)
    assert around(db, 4).moves == 1
    assert places(db) == [("st_7_1", 7, "in-progress", "won")]
    installing(db, "Completed", 5, owner, done=stamp(5))
    assert around(db, 6).moves == 1
    assert places(db) == [("st_7_1", 7, "job-completed", "won")]
    told = rows(db, "SELECT subject FROM pipeline.activities WHERE kind = 'job_completed' AND key LIKE '%%:70'")
    assert [row["subject"] for row in told] == [7]


def test_an_opportunity_follows_the_visits_of_a_job_that_was_given_to_another_customer(db: Database) -> None:
    in_install(db)
    installing(db, "Scheduled", 1, owner=9)
    around(db, 2)
    visit = {"id": 4, "jobId": 70, "createdOn": stamp(3), "modifiedOn": stamp(3), "active": True}
    feed(db, "appointments", {**visit, "customerId": 9, "status": "Working"})
    assert around(db, 4).moves == 1
    assert places(db) == [("st_7_1", 7, "in-progress", "won")]


def test_an_open_opportunity_is_lost_with_the_estimate_of_a_job_that_was_given_to_another_customer(
    db: Database,
) -> None:
    feed(db, "customers", customer(7), customer(9))
    feed(db, "jobs", job(3, 7, "Scheduled", createdOn=stamp(days=-9)))
    around(db, 0)
    feed(db, "jobs", job(3, 9, "Scheduled", createdOn=stamp(days=-9), modifiedOn=stamp(1)))
    around(db, 2)
    feed(db, "estimates", offer(50, stamp(3), status="Dismissed", jobId=3, customerId=9))
    around(db, 4)
    assert places(db) == [("st_7_1", 7, "estimate-lost", "lost")]


def test_an_estimate_sold_on_the_job_of_a_lost_opportunity_of_a_merged_customer_is_listed(db: Database) -> None:
    feed(db, "customers", customer(7), customer(8))
    feed(db, "business_units", {"id": 9, "name": "Pool - Sales", "active": True, "modifiedOn": stamp(-60)})
    feed(db, "jobs", job(70, 7, "Scheduled", createdOn=stamp(days=-9), businessUnitId=9))
    feed(db, "estimates", offer(50, stamp(days=-5), status="Dismissed", jobId=70, customerId=7))
    around(db, 0)
    feed(db, "customers", customer(7, stamp(1), mergedToId=8))
    around(db, 2)
    assert (places(db), held(db)) == ([("st_7_1", 7, "estimate-lost", "lost")], [])
    feed(db, "estimates", offer(51, stamp(3), 700, "Sold", jobId=70, customerId=8, soldOn=stamp(4)))
    around(db, 5)
    assert places(db) == [("st_7_1", 7, "estimate-lost", "lost")]
    why = "the estimate is of a job whose opportunity was lost, and stayed with another customer"
    assert held(db) == [(["estimate 51"], why)]
