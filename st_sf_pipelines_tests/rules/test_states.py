"""Each row and each sentence of the customer states (STATE-1, STATE-2, STATE-3), over the facts frame."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from st_sf_pipelines.config import States
from st_sf_pipelines.rules.states import COLUMNS, RULE, STATE, STATE_RULES, conclude

Facts = dict[str, Any]
ZONE = ZoneInfo("America/Los_Angeles")
TODAY = date(2026, 1, 31)
NOON = datetime(2026, 1, 31, 20, tzinfo=UTC)
USUAL = States()
WHOLE: Facts = {"st_id": 7, "sales_stands": 0, "install_stands": 0, "installs": 0, "journey_before": 0}


def frame(**given: Any) -> pd.DataFrame:
    """Make one customer's facts; what ends in _at is told in days before now."""
    row: dict[str, Any] = dict.fromkeys(COLUMNS, np.nan) | {"customer_exists_at": 900, "hand_state": None} | WHOLE
    row |= given
    for name in row:
        if name.endswith("_at"):
            days = float(str(row[name]))
            row[name] = (NOON - timedelta(days=days)).timestamp() if not np.isnan(days) else np.nan
    types = {name: "int64" for name in WHOLE} | {"hand_state": "object"}  # noqa: C420 - as the store makes it
    return pd.DataFrame([row], columns=list(COLUMNS)).astype({name: types.get(name, "float64") for name in COLUMNS})


def one(bounds: States = USUAL, **given: Any) -> tuple[str, int]:
    """Give one customer's state and journey."""
    row = conclude(frame(**given), TODAY, ZONE, bounds).iloc[0]
    return row["state"], row["journey"]


SALES: Facts = {"sales_booked_at": 9, "sales_booked_job": 1, "sales_stands": 1}
SALES_CANCELED: Facts = {"sales_canceled_at": 8, "sales_canceled_job": 1}
OFFERED: Facts = {"estimate_open_at": 7, "estimate_open_job": 1}
SOLD: Facts = {"estimate_sold_at": 6, "estimate_sold_job": 1}
INSTALL: Facts = {"install_booked_at": 5, "install_booked_job": 2, "install_stands": 1}
INSTALL_CANCELED: Facts = {"install_canceled_at": 4, "install_canceled_job": 2}
COMPLETED: Facts = {"install_completed_at": 3, "install_completed_job": 2, "installs": 1}
LEAD: Facts = {"open_lead_at": 10}


def test_the_rules_stand_in_the_order_of_the_specification() -> None:
    assert [rule.state for rule in STATE_RULES] == ["0", "1", "2", "2.5", "3", "4", "5", "5.5", "6"]
    assert list(STATE) == [rule.state for rule in STATE_RULES]
    assert all(RULE[rule.name] is rule and rule.sentence for rule in STATE_RULES)


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({}, "0"),
        (LEAD, "1"),
        (LEAD | SALES, "2"),
        (LEAD | SALES_CANCELED, "2.5"),
        (SALES | SALES_CANCELED, "2"),  # another sales job stands, with its appointment
        ({"sales_stands": 1} | SALES_CANCELED, "0"),  # another one stands, without
        (SALES_CANCELED | OFFERED, "3"),
        (SALES | OFFERED, "3"),
        (OFFERED | SOLD, "4"),
        (SOLD | INSTALL, "5"),
        (SOLD | INSTALL_CANCELED, "5.5"),
        (INSTALL | INSTALL_CANCELED, "5"),
        ({"install_stands": 1} | INSTALL_CANCELED | SOLD, "4"),
        (COMPLETED, "6"),
        (COMPLETED | LEAD, "1"),
        (COMPLETED | OFFERED, "3"),
    ],
)
def test_the_furthest_that_todays_facts_support_within_the_journey(given: Facts, state: str) -> None:
    assert one(**given)[0] == state


def test_a_state_is_dated_by_the_fact_and_names_its_job() -> None:
    row = conclude(frame(**(SALES | OFFERED)), TODAY, ZONE, USUAL).iloc[0]
    assert (row["state"], row["rule"], row["journey"]) == ("3", "estimate_open", 1)
    assert (row["entered_on"], row["job_id"], row["due_on"]) == (TODAY - timedelta(days=7), 1, None)
    late = frame(customer_exists_at=0.75)  # 18 hours ago it was the day before, in Los Angeles
    assert conclude(late, TODAY, ZONE, USUAL)["entered_on"].tolist() == [TODAY - timedelta(days=1)]


@pytest.mark.parametrize(
    ("fact", "state"), [("open_lead_at", "1"), ("install_completed_at", "6")], ids=["lead", "install"]
)
def test_state_1_or_6_goes_back_to_0_on_the_90th_day_after_it_was_entered(fact: str, state: str) -> None:
    for days, now, entered, due in [
        (89, state, TODAY - timedelta(days=89), TODAY + timedelta(days=1)),
        (90, "0", TODAY, None),
        (400, "0", TODAY - timedelta(days=310), None),
    ]:
        facts = frame(**{fact: days, "installs": int(state == "6")})
        row = conclude(facts, TODAY, ZONE, USUAL).iloc[0]
        assert (row["state"], row["entered_on"], row["due_on"]) == (now, entered, due)
    short: Facts = {fact: 10, "installs": int(state == "6")}
    assert one(States(reset_after_days=10), **short)[0] == "0"


def test_the_other_states_stay_until_a_fact_moves_them_unless_stale_after_ends_them() -> None:
    old: Facts = {"estimate_open_at": 500, "estimate_open_job": 1}
    assert one(**old)[0] == "3"
    assert one(States(stale_after={"3": 501}), **old)[0] == "3"
    row = conclude(frame(**old), TODAY, ZONE, States(stale_after={"3": 500, "2.5": 1})).iloc[0]
    assert (row["state"], row["rule"], row["job_id"]) == ("0", "reset", None)


def test_a_new_journey_starts_as_soon_as_it_supports_a_state_and_until_then_the_old_one_stands() -> None:
    assert one(**COMPLETED) == ("6", 1)
    assert one(**COMPLETED, sales_stands=1) == ("6", 1)
    assert one(**COMPLETED, **SALES) == ("2", 2)
    assert one(**(COMPLETED | {"installs": 3}), **LEAD) == ("1", 4)


def test_a_journey_that_has_started_does_not_fall_back_into_the_one_before() -> None:
    assert one(**COMPLETED, journey_before=2) == ("0", 2)
    assert one(**COMPLETED, journey_before=1) == ("6", 1)
    assert one(**SALES, journey_before=2) == ("2", 1)  # the install that ended the first was reopened


def test_a_state_set_by_hand_stays_until_a_newer_fact_supports_another() -> None:
    by_hand: Facts = {"hand_state": "2.5", "hand_at": 6.5}
    row = conclude(frame(**OFFERED, **by_hand), TODAY, ZONE, USUAL).iloc[0]
    assert (row["state"], row["rule"], row["entered_on"]) == ("2.5", "by_hand", TODAY - timedelta(days=6))
    assert one(**by_hand)[0] == "2.5"
    assert one(**OFFERED, **SOLD, **by_hand)[0] == "4"
    assert one(hand_state="6", hand_at=90)[0] == "0"


def test_many_customers_are_concluded_as_one_is() -> None:
    alone: list[Facts] = [SALES, LEAD, COMPLETED | LEAD, {}, SOLD | {"hand_state": "5", "hand_at": 1.0}]
    together = conclude(pd.concat([frame(**each) for each in alone], ignore_index=True), TODAY, ZONE, USUAL)
    assert [(row["state"], row["journey"]) for _, row in together.iterrows()] == [one(**each) for each in alone]
    assert conclude(frame().iloc[:0], TODAY, ZONE, USUAL).empty
