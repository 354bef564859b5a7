"""Every customer has exactly one segment, by the first rule that holds, until the day that its due date names."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from st_sf_pipelines.config import Segments
from st_sf_pipelines.rules.segments import RULE, SEGMENT_RULES, Segment, conclude, steps

EPOCH = date(1970, 1, 1)
TODAY = date(2026, 1, 31)
USUAL = Segments()
NEVER = None


def facts(*customers: tuple[str | Decimal, int | None], today: date = TODAY) -> pd.DataFrame:
    """Make a frame as the store does: lifetime value in dollars, age of the last job in days (None: no job)."""
    return pd.DataFrame(
        {
            "st_id": range(1, len(customers) + 1),
            "lifetime_cents": pd.Series([int(Decimal(value) * 100) for value, _ in customers], dtype="int64"),
            "last_job_day": pd.Series(
                [None if days is None else (today - EPOCH).days - days for _, days in customers], dtype="float64"
            ),
        }
    )


def one(value: str | Decimal, days: int | None, bounds: Segments = USUAL) -> tuple[str, int | None]:
    """Give a single customer's segment, and the days that remain until it is due."""
    row = conclude(facts((value, days)), TODAY, bounds).iloc[0]
    assert RULE[row["rule"]].segment == row["segment"]
    return row["segment"], None if row["due_on"] is None else (row["due_on"] - TODAY).days


def plainly(value: Decimal, days: int | None, bounds: Segments) -> str:
    """Say SEG-4 once more, in the plainest way, for one customer."""
    if value >= bounds.vip_lifetime_value and days is not None and days < bounds.recent_days:
        return "VIP"
    if value >= bounds.high_lifetime_value:
        return "High Value"
    if days is not None and days > bounds.churning_days:
        return "Churning"
    return "At Risk" if days is not None and days > bounds.recent_days else "Standard"


@pytest.mark.parametrize(
    ("value", "days", "segment", "due_in"),
    [
        # VIP needs both, each bound exact; it falls to High Value on the 180th day
        ("10000.00", 0, "VIP", 180),
        ("10000.00", 179, "VIP", 1),
        ("10000.00", 180, "High Value", NEVER),
        ("10000.00", 181, "High Value", NEVER),
        ("9999.99", 0, "High Value", NEVER),
        ("250000.00", 179, "VIP", 1),
        # High Value goes before Churning and At Risk, and no time takes it away
        ("5000.00", 0, "High Value", NEVER),
        ("5000.00", 181, "High Value", NEVER),
        ("5000.00", 366, "High Value", NEVER),
        ("10000.00", 4000, "High Value", NEVER),
        # the others go by days alone: At Risk from 181, Churning from 366
        ("4999.99", 0, "Standard", 181),
        ("4999.99", 179, "Standard", 2),
        ("4999.99", 180, "Standard", 1),
        ("4999.99", 181, "At Risk", 185),
        ("4999.99", 365, "At Risk", 1),
        ("4999.99", 366, "Churning", NEVER),
        ("4999.99", 4000, "Churning", NEVER),
        ("0.00", 180, "Standard", 1),
        ("-12.50", 366, "Churning", NEVER),
        # no completed job: Standard unless its value says otherwise, and never VIP
        ("0.00", None, "Standard", NEVER),
        ("4999.99", None, "Standard", NEVER),
        ("5000.00", None, "High Value", NEVER),
        ("10000.00", None, "High Value", NEVER),
        # a job that is completed tomorrow, by a clock that goes wrong or an `as_of` in the past
        ("10000.00", -1, "VIP", 181),
        ("0.00", -1, "Standard", 182),
        ("0.00", -4000, "Standard", 4181),
    ],
)
def test_the_bounds_of_each_segment_are_exact(value: str, days: int | None, segment: str, due_in: int | None) -> None:
    assert one(value, days) == (segment, due_in)


def test_the_rules_stand_in_the_order_of_the_specification() -> None:
    assert [rule.segment.value for rule in SEGMENT_RULES] == ["VIP", "High Value", "Churning", "At Risk", "Standard"]
    assert [rule.segment for rule in SEGMENT_RULES] == list(Segment)


@pytest.mark.parametrize(
    ("value", "days", "segment", "due_in"),
    [
        ("300.50", 9, "VIP", 1),
        ("300.50", 10, "High Value", NEVER),
        ("300.49", 9, "High Value", NEVER),
        ("100.00", 9, "High Value", NEVER),
        ("99.99", 10, "Standard", 1),
        ("99.99", 11, "At Risk", 10),
        ("99.99", 20, "At Risk", 1),
        ("99.99", 21, "Churning", NEVER),
    ],
)
def test_other_thresholds_are_as_exact(value: str, days: int, segment: str, due_in: int | None) -> None:
    bounds = Segments(
        vip_lifetime_value=Decimal("300.50"), high_lifetime_value=Decimal(100), recent_days=10, churning_days=20
    )
    assert one(value, days, bounds) == (segment, due_in)


def test_where_both_day_bounds_are_one_nobody_is_at_risk() -> None:
    bounds = Segments(recent_days=10, churning_days=10)
    assert [one("0", days, bounds) for days in (9, 10, 11)] == [("Standard", 2), ("Standard", 1), ("Churning", NEVER)]


def test_where_both_values_are_one_a_vip_still_falls_to_high_value() -> None:
    bounds = Segments(vip_lifetime_value=Decimal(5000), high_lifetime_value=Decimal(5000))
    assert [one("5000", days, bounds) for days in (179, 180)] == [("VIP", 1), ("High Value", NEVER)]


def test_on_every_day_of_a_year_a_segment_changes_just_on_the_day_that_was_due() -> None:
    customers = [
        (value, days)
        for value in ("-1", "0", "4999.99", "5000", "9999.99", "10000")
        for days in (None, 0, 179, 180, 181, 365, 366, -5)
    ]
    frame = facts(*customers)
    before = conclude(frame, TODAY, USUAL).to_dict("records")
    changes = 0
    for ahead in range(1, 375):
        day = TODAY + timedelta(days=ahead)
        now = conclude(frame, day, USUAL).to_dict("records")
        for was, became in zip(before, now, strict=True):
            assert (was["segment"] != became["segment"]) == (was["due_on"] == day)
            assert was["due_on"] in (became["due_on"], day)
            changes += was["segment"] != became["segment"]
        before = now
    # Three values below High Value: four ages see two changes, two see one; three of the VIPs fall.
    assert changes == 3 * (4 * 2 + 2 * 1) + 3


def test_an_empty_frame_gives_an_empty_one() -> None:
    concluded = conclude(facts(), TODAY, USUAL)
    assert list(concluded.columns) == ["st_id", "segment", "rule", "due_on"]
    assert concluded.empty


def test_a_sentence_shows_the_thresholds_in_force() -> None:
    bounds = Segments(
        vip_lifetime_value=Decimal("12500.50"), high_lifetime_value=Decimal(7500), recent_days=90, churning_days=200
    )
    assert [rule.sentence(bounds) for rule in SEGMENT_RULES] == [
        "Lifetime value of at least $12,500.50, and the last job less than 90 days ago.",
        "Lifetime value of at least $7,500.",
        "The last job more than 200 days ago.",
        "The last job more than 90 days ago.",
        "Everyone else.",
    ]
    assert SEGMENT_RULES[0].sentence(USUAL) == (
        "Lifetime value of at least $10,000, and the last job less than 180 days ago."
    )


# Values and days in which the bounds are hit often, not once in a million.
VALUES = st.sampled_from(["0", "4999.99", "5000", "9999.99", "10000"]).map(Decimal) | st.decimals(
    -20_000, 40_000, places=2
)
DAYS = st.none() | st.sampled_from([0, 179, 180, 181, 365, 366]) | st.integers(-400, 1500)
CUSTOMERS = st.tuples(VALUES, DAYS)


@st.composite
def bounds_of_a_site(draw: st.DrawFn) -> Segments:
    low, high = sorted(draw(st.tuples(*[st.decimals(0, 20_000, places=2)] * 2)))
    recent, churning = sorted(draw(st.tuples(*[st.integers(1, 400)] * 2)))
    return Segments(vip_lifetime_value=high, high_lifetime_value=low, recent_days=recent, churning_days=churning)


BOUNDS = st.just(USUAL) | bounds_of_a_site()


@settings(deadline=None)
@given(st.lists(CUSTOMERS, min_size=1, max_size=20), BOUNDS)
def test_each_customer_has_the_segment_that_the_plain_sentence_gives(
    customers: list[tuple[Decimal, int | None]], bounds: Segments
) -> None:
    concluded = conclude(facts(*customers), TODAY, bounds)
    assert list(concluded["st_id"]) == list(range(1, len(customers) + 1))
    assert list(concluded["segment"]) == [plainly(value, days, bounds) for value, days in customers]


@settings(deadline=None)
@given(CUSTOMERS, BOUNDS, st.floats(0, 1, exclude_max=True))
def test_time_changes_the_segment_on_its_due_day_and_on_no_day_before(
    customer: tuple[Decimal, int | None], bounds: Segments, part: float
) -> None:
    value, days = customer
    segment, due_in = one(value, days, bounds)
    frame = facts(customer)

    def after(ahead: int) -> str:
        return str(conclude(frame, TODAY + timedelta(days=ahead), bounds)["segment"].iloc[0])

    if due_in is None:
        assert {after(ahead) for ahead in (1, 401, 5000)} == {segment}
    else:
        assert due_in > 0
        assert after(due_in) != segment
        assert {after(ahead) for ahead in (due_in - 1, int(due_in * part))} == {segment}


@settings(deadline=None)
@given(st.lists(CUSTOMERS, min_size=1, max_size=8), BOUNDS, st.integers(0, 1000))
def test_one_customer_alone_and_many_in_any_order_are_concluded_alike(
    customers: list[tuple[Decimal, int | None]], bounds: Segments, shuffle: int
) -> None:
    frame = facts(*customers)
    together = conclude(frame, TODAY, bounds).to_dict("records")
    alone = [conclude(frame.iloc[[n]], TODAY, bounds).to_dict("records")[0] for n in range(len(frame))]
    shuffled = conclude(frame.sample(frac=1, random_state=shuffle), TODAY, bounds)
    assert alone == together
    assert sorted(shuffled.to_dict("records"), key=lambda row: row["st_id"]) == together


@settings(deadline=None)
@given(CUSTOMERS, st.decimals(0, 20_000, places=2), BOUNDS)
def test_more_money_never_lowers_a_customer(
    customer: tuple[Decimal, int | None], more: Decimal, bounds: Segments
) -> None:
    value, days = customer
    order = [rule.segment.value for rule in SEGMENT_RULES]
    assert order.index(one(value + more, days, bounds)[0]) <= order.index(one(value, days, bounds)[0])


@settings(deadline=None)
@given(VALUES, st.integers(0, 1500), st.integers(0, 1500), BOUNDS)
def test_a_newer_job_never_makes_a_customer_worse(value: Decimal, days: int, newer: int, bounds: Segments) -> None:
    worst = ["VIP", "High Value", "Standard", "At Risk", "Churning"]
    younger = one(value, max(days - newer, 0), bounds)[0]
    assert worst.index(younger) <= worst.index(one(value, days, bounds)[0])


@settings(deadline=None)
@given(st.lists(CUSTOMERS, min_size=1, max_size=5), BOUNDS, st.integers(0, 900))
def test_the_steps_of_an_outage_are_the_changes_that_a_look_on_each_of_its_days_would_have_seen(
    customers: list[tuple[Decimal, int | None]], bounds: Segments, outage: int
) -> None:
    made, last = facts(*customers), TODAY + timedelta(days=outage)
    due = [day if day and day <= last else None for day in conclude(made, TODAY, bounds)["due_on"]]
    due_day = pd.Series([(day - EPOCH).days if day else None for day in due], dtype="float64")
    walked = steps(made.assign(due_day=due_day), last, bounds)
    for st_id, (value, days) in enumerate(customers, 1):
        told = walked[walked["st_id"] == st_id].sort_values("step")
        assert told["segment"].iloc[-1] == plainly(value, None if days is None else days + outage, bounds)
        daily = [plainly(value, None if days is None else days + day, bounds) for day in range(outage + 1)]
        seen = [(now, day) for day, (before, now) in enumerate(pairwise(daily), 1) if before != now]
        if due[st_id - 1] is None:  # no day fell due: concluded by its facts, on the day of the look
            assert (seen, list(told["valid_from"])) == ([], [last])
        else:
            named = zip(told["segment"], told["valid_from"], strict=True)
            assert [(segment, (day - TODAY).days) for segment, day in named] == seen
