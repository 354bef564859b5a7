"""A customer's states, from the first record to the finished install and back, and what a person says of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from st_sf_pipelines.operate.customers import explain, set_state
from st_sf_pipelines_tests.acceptance import sale
from st_sf_pipelines_tests.acceptance.desk import new_customer
from st_sf_pipelines_tests.acceptance.sale import INSTALL_UNIT, good_round
from st_sf_pipelines_tests.acceptance.test_probe import probe

if TYPE_CHECKING:
    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World


def state(world: World, customer: int) -> dict[str, Any]:
    """Give the state that `explain` tells."""
    told: dict[str, Any] = explain(world.settings, None, f"st_{customer}")["state"]
    return told


def path(told: dict[str, Any]) -> list[tuple[str, str]]:
    """Give the states that were entered, each with its rule."""
    return [(each["to_state"], each["rule"]) for each in told["history"]]


def test_a_customer_goes_through_every_state_and_back_to_none_after_90_days(open_world: OpenWorld) -> None:
    world = open_world(sale.sales_shop())
    ann = new_customer(world, "Ann Lee")

    def is_now(value: str) -> None:
        good_round(world)
        assert state(world, ann)["value"] == value

    is_now("0")
    sale.a_lead(world, customerId=ann)
    is_now("1")
    first = sale.a_job(world, ann)
    sale.a_visit(world, first)
    is_now("2")
    world.st.put("jobs", [{"id": first, "jobStatus": "Canceled"}])
    is_now("2.5")
    second = sale.a_job(world, ann)
    sale.a_visit(world, second)
    is_now("2")
    estimate = sale.an_estimate(world, ann, second, "Heater", 100)
    is_now("3")
    sale.sell(world, estimate)
    is_now("4")
    install = sale.a_job(world, ann, INSTALL_UNIT)
    sale.a_visit(world, install)
    is_now("5")
    world.st.put("jobs", [{"id": install, "jobStatus": "Canceled"}])
    is_now("5.5")
    install = sale.a_job(world, ann, INSTALL_UNIT)
    sale.a_visit(world, install)
    is_now("5")
    world.st.put("jobs", [{"id": install, "jobStatus": "Completed", "completedOn": sale.now()}])
    is_now("6")
    told = state(world, ann)
    assert (told["meaning"], told["previous"], told["job_id"]) == ("Install Complete", "5", install)
    assert path(told) == [
        ("0", "customer_exists"),
        ("1", "open_lead"),
        ("2", "sales_booked"),
        ("2.5", "sales_canceled"),
        ("2", "sales_booked"),
        ("3", "estimate_open"),
        ("4", "estimate_sold"),
        ("5", "install_booked"),
        ("5.5", "install_canceled"),
        ("5", "install_booked"),
        ("6", "install_completed"),
    ]
    assert (told["due_on"] - told["entered_on"]).days == 90
    again = good_round(world)
    assert again["derived_changed"]["states"] == 0
    assert path(state(world, ann)) == path(told)

    assert probe(world, sale.now(89)).assets == ()
    news = probe(world, sale.now(90))
    assert (news.assets, "a customer is due" in news.sentence) == (("customers/profile",), True)
    good_round(world, as_of=sale.now(90))
    reset = state(world, ann)
    assert (reset["value"], reset["rule"], reset["entered_on"]) == ("0", "reset", told["due_on"])
    assert path(reset) == [*path(told), ("0", "reset")]
    assert probe(world, sale.now(90)).assets == ()


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])  # it is never one day in both
def test_a_state_set_by_hand_is_dated_by_the_tenants_own_day(open_world: OpenWorld, zone: str) -> None:
    world = open_world(sale.sales_shop())
    world.extra["timezone"] = zone
    world.write_site()
    ann = new_customer(world, "Ann Lee")
    good_round(world)
    set_state(world.settings, None, f"st_{ann}", "3", "quoted by phone")
    today = datetime.now(ZoneInfo(zone)).date()
    told = state(world, ann)
    assert (told["entered_on"], told["history"][-1]["valid_from"]) == (today, today)


def test_a_state_set_by_hand_is_kept_with_its_reason_until_a_newer_fact(open_world: OpenWorld) -> None:
    world = open_world(sale.sales_shop())
    ann = new_customer(world, "Ann Lee")
    good_round(world)
    set_state(world.settings, None, f"st_{ann}", "3", "quoted by phone")
    for _ in range(2):
        good_round(world)
        told = state(world, ann)
        assert (told["value"], told["says"], told["reason"]) == ("3", "A person set it.", "quoted by phone")
    assert path(told) == [("0", "customer_exists"), ("3", "by_hand")]
    assert told["history"][-1]["reason"] == "quoted by phone"
    estimate = sale.an_estimate(world, ann, sale.a_job(world, ann), "Heater", 100)
    sale.sell(world, estimate)
    good_round(world)
    told = state(world, ann)
    assert (told["value"], told["previous"], told["reason"]) == ("4", "3", None)
    assert path(told)[-1] == ("4", "estimate_sold")
