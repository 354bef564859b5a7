"""The mass-change guard (CRM-15): a change of many linked records waits for a person, before the first write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines.errors import ConfigError
from st_sf_pipelines.operate import targets
from st_sf_pipelines_tests.acceptance.desk import ACCOUNTS, CONTACTS, many_customers

if TYPE_CHECKING:
    from st_sf_pipelines_tests.world import World


def rename(world: World, ids: list[int], name: str = "Somebody Else") -> None:
    world.st.put("customers", [{"id": st_id, "name": name} for st_id in ids])


def names(world: World) -> set[str]:
    return {str(record["LastName"]) for record in world.sf.records("Contact")}


def stopped(world: World, **options: Any) -> dict[str, Any]:
    part = world.sync(**options)
    assert part["status"] == "stopped", part["error"]
    return part


def test_a_change_of_more_than_a_tenth_and_of_twenty_at_least_stops_before_the_first_write(world: World) -> None:
    ids = many_customers(world, 150)
    assert world.sync()["status"] == "success"  # a first load is no change
    before, asked = names(world), world.sf.counters["requests"]
    rename(world, ids[:20])
    part = stopped(world)
    assert f"this round {ACCOUNTS} would change 20 of 150 records (overwrite 20): st_" in part["error"]
    assert f"; {CONTACTS} would change 20 of 150 records (overwrite 20): st_" in part["error"]
    assert f"st-sf allow {part['run_id']}" in part["error"]
    assert "Somebody" not in part["error"]
    assert names(world) == before
    assert world.sf.counters["requests"] == asked
    part = stopped(world)["targets"][ACCOUNTS]
    assert (part["updated"], part["pending"]) == (0, 20)


@pytest.mark.parametrize(("customers", "renamed"), [(150, 19), (300, 30)])
def test_fewer_than_twenty_or_not_more_than_a_tenth_pass(world: World, customers: int, renamed: int) -> None:
    ids = many_customers(world, customers)
    world.sync()
    rename(world, ids[:renamed])
    assert world.sync()["targets"][CONTACTS]["updated"] == renamed


def test_what_a_person_allows_goes_on_and_another_change_of_it_is_counted_again(world: World) -> None:
    ids = many_customers(world, 40)
    world.sync()
    rename(world, ids)
    run_id = stopped(world)["run_id"]
    assert targets.allow(world.settings, run_id)["allowed"] == {ACCOUNTS: 40, CONTACTS: 40}
    rename(world, ids[:25], "Another")
    stopped(world)
    rename(world, ids[:25])
    assert world.sync()["targets"][CONTACTS]["updated"] == 40
    assert names(world) == {"Else"}


def test_filling_what_was_empty_is_no_mass_change(world: World) -> None:
    ids = many_customers(world, 40)
    world.sync()
    phones = [{"customerId": st_id, "type": "Phone", "value": "480-555-0142"} for st_id in ids]
    world.st.put("customer_contacts", phones)
    part = world.sync()
    assert part["status"] == "success"
    assert part["targets"][CONTACTS]["updated"] == 40


def test_a_poll_does_not_ask_again_for_what_the_guard_holds(world: World) -> None:
    from st_sf_pipelines_tests.acceptance.test_probe import JUNE, probe

    ids = many_customers(world, 40)
    world.sync(as_of=JUNE)
    rename(world, ids)
    stopped(world, as_of=JUNE)
    assert probe(world, JUNE).sentence == "nothing changed"


def test_the_guard_is_a_tenants_own_to_set(world: World) -> None:
    ids = many_customers(world, 40)
    world.sync()
    world.extra["guard"] = {"share": 1}
    world.write_site()
    rename(world, ids)
    assert world.sync()["targets"][CONTACTS]["updated"] == 40


def test_a_run_that_the_guard_did_not_stop_cannot_be_allowed(world: World) -> None:
    many_customers(world, 1)
    run_id = world.sync()["run_id"]
    with pytest.raises(ConfigError, match="the guard stopped nothing in a run"):
        targets.allow(world.settings, run_id)
