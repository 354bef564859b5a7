"""A completed job has its Event in Salesforce, which tells what became of the job, and stays accounted for (SF-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines_tests.acceptance import sale
from st_sf_pipelines_tests.acceptance.desk import completed_job, new_customer, one, prove
from st_sf_pipelines_tests.acceptance.sale import EVENTS, good_round

if TYPE_CHECKING:
    from st_sf_pipelines_tests.world import World

REOPENED: dict[str, Any] = {"jobStatus": "InProgress", "completedOn": None}


def proven(world: World) -> None:
    report = prove(world)
    assert report["ok"], report
    assert report["tenants"][0]["objects"][EVENTS]["source"] == len(world.sf.records("Event"))


@pytest.mark.parametrize(
    ("change", "became"),
    [
        (REOPENED, "reopened"),
        ({"active": False}, "deleted"),
        ({"jobStatus": "Canceled", "completedOn": None}, "canceled"),
        ({"completedOn": sale.now(-1000)}, None),
    ],
    ids=["reopened", "deleted", "canceled", "completed earlier"],
)
def test_the_event_of_a_job_that_is_completed_no_longer_stays_and_says_so(
    world: World, change: dict[str, Any], became: str | None
) -> None:
    job = completed_job(world, new_customer(world, "Ann Lee"), sale.now(-2))
    good_round(world)
    before = one(world, "Event")
    world.st.put("jobs", [{"id": job, **change}])
    good_round(world)
    after = one(world, "Event")
    assert after["Subject"] == before["Subject"] + (f" ({became})" if became else "")
    assert after["Description"].startswith(became.capitalize() if became else "Completed")
    if became:
        assert after["StartDateTime"] == before["StartDateTime"]
    proven(world)
    world.st.put("jobs", [{"id": job, "active": True, "jobStatus": "Completed", "completedOn": sale.now(-1)}])
    good_round(world)
    assert one(world, "Event")["Subject"] == before["Subject"]
    proven(world)


def test_a_job_that_is_reopened_before_its_event_was_made_gets_none(world: World) -> None:
    job = completed_job(world, new_customer(world, "Ann Lee"), sale.now(-2))
    world.sync(dry_run=True)
    world.st.put("jobs", [{"id": job, **REOPENED}])
    good_round(world)
    assert world.sf.records("Event") == []
    proven(world)
