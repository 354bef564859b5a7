"""The states, through the store, against a second, plain reading of the same page, over a shop drawn at random."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from st_sf_pipelines.config import States
from st_sf_pipelines.rules import states
from st_sf_pipelines.store.log import Scope, look
from st_sf_pipelines.store.state_facts import state_facts
from st_sf_pipelines_tests.rules.plain_states import Customer
from st_sf_pipelines_tests.store.dealings import NOW, UNITS, Dealings
from st_sf_pipelines_tests.store.feeding import TENANT
from st_sf_pipelines_tests.store.test_facts import NO_STATES, stored

if TYPE_CHECKING:
    from st_sf_pipelines.store.database import Database

ZONE = ZoneInfo("America/Los_Angeles")


def customer_of(dealings: Dealings, nr: int) -> Customer:
    """Give a customer with its records."""
    jobs = dealings.rows("jobs", nr)
    ids = {job["id"] for job in jobs}
    visits = [visit for visit in dealings.records["appointments"].values() if visit["jobId"] in ids]
    created_on = dealings.records["customers"][nr]["createdOn"]
    return Customer(created_on, jobs, visits, dealings.rows("estimates", nr), dealings.rows("leads", nr), UNITS)


@pytest.mark.parametrize("seed", [11, 12])
def test_the_states_are_what_the_page_says(db: Database, seed: int) -> None:
    dealings = Dealings.drawn(seed, 400)
    stored(db, dealings)
    with db.connect() as connection:
        look(connection, TENANT, "test", (), "1", Scope(ids=tuple(dealings.records["customers"])))
        connection.execute(NO_STATES)
        (frame,) = state_facts(connection, TENANT, {})
    made = states.conclude(frame, NOW.astimezone(ZONE).date(), ZONE, States())
    columns = ("st_id", "state", "entered_on", "due_on")
    found = {nr: tuple(row) for nr, *row in zip(*(made[name] for name in columns), strict=True)}
    today = NOW.astimezone(ZONE).date()
    plain = {nr: customer_of(dealings, nr).state(today, ZONE) for nr in dealings.records["customers"]}
    assert {nr: (found[nr], plain[nr]) for nr in plain if found[nr] != plain[nr]} == {}
