"""The history of segments tells each change with the day from which it is valid, its rule and its records (SEG-6)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

import pytest

from st_sf_pipelines.config import Segments
from st_sf_pipelines.rules.segments import steps
from st_sf_pipelines.store import derived, records, segments
from st_sf_pipelines.store.log import Scope
from st_sf_pipelines.sync.derive import FOLLOWS
from st_sf_pipelines_tests.store.feeding import TENANT, customer, feed, invoice, job

if TYPE_CHECKING:
    from st_sf_pipelines.store.database import Database

ANN = 7
USUAL = Segments()
FIRST, AT_RISK, CHURNING = date(2026, 2, 1), date(2026, 7, 1), date(2027, 1, 2)
"""The day of the first round, and the days on which a job of January 1 makes a customer At Risk, and Churning."""


def look(
    db: Database, as_of: date, *, bounds: Segments = USUAL, scope: Scope | None = None, version: str = "1"
) -> derived.Derived:
    """Derive profiles and segments as a round of a day does."""
    derived.derive_profiles(db, TENANT, "UTC", "1", FOLLOWS["customers/profile"], Scope())
    rule = partial(steps, as_of=as_of, bounds=bounds)
    return segments.derive_segments(db, TENANT, as_of, version, scope or Scope(), rule)


def history(db: Database, st_id: int = ANN) -> list[tuple[str | None, str, date]]:
    """Give a customer's changes: from, to, valid from."""
    kept = segments.segment_history(db, TENANT, st_id)
    return [(row["from_segment"], row["to_segment"], row["valid_from"]) for row in kept]


@pytest.fixture
def shop(db: Database) -> Database:
    """Give a store with Ann, whose last job was done on January 1, and a round behind her."""
    feed(db, "customers", customer(ANN), customer(8))
    feed(db, "jobs", job(1, ANN, done="2026-01-01T12:00:00Z"), job(2, 8, done="2026-01-20T12:00:00Z"))
    look(db, FIRST)
    assert history(db) == [(None, "Standard", FIRST)]
    return db


def test_a_change_by_time_alone_is_valid_from_its_day_also_when_nobody_looked_on_it(shop: Database) -> None:
    assert look(shop, date(2026, 7, 9)).changed == 1
    assert history(shop) == [(None, "Standard", FIRST), ("Standard", "At Risk", AT_RISK)]
    look(shop, date(2026, 7, 9))
    assert len(history(shop)) == 2


def test_every_step_that_fell_due_in_an_outage_is_kept_with_its_own_day(shop: Database) -> None:
    assert look(shop, date(2028, 1, 1)).changed == 2
    assert history(shop) == [
        (None, "Standard", FIRST),
        ("Standard", "At Risk", AT_RISK),
        ("At Risk", "Churning", CHURNING),
    ]
    assert history(shop, 8)[1:] == [
        ("Standard", "At Risk", date(2026, 7, 20)),
        ("At Risk", "Churning", date(2027, 1, 21)),
    ]


def test_a_change_by_facts_is_valid_from_the_rounds_day(shop: Database) -> None:
    feed(shop, "invoices", invoice(1, ANN, "7000.00"))
    look(shop, date(2026, 3, 5))
    assert history(shop)[1:] == [("Standard", "High Value", date(2026, 3, 5))]


def test_of_two_customers_due_the_one_whose_facts_changed_too_is_dated_by_the_round(shop: Database) -> None:
    feed(shop, "invoices", invoice(1, ANN, "10.00"))
    look(shop, date(2026, 7, 25))
    assert history(shop)[1:] == [("Standard", "At Risk", date(2026, 7, 25))]
    assert history(shop, 8)[1:] == [("Standard", "At Risk", date(2026, 7, 20))]


@pytest.mark.parametrize("scope", [Scope(everybody=True), Scope(ids=(ANN,))])
def test_a_look_at_everybody_or_at_one_by_hand_dates_what_time_alone_did_as_any_round(
    shop: Database, scope: Scope
) -> None:
    look(shop, date(2026, 7, 9), scope=scope)
    assert history(shop)[1:] == [("Standard", "At Risk", AT_RISK)]


def test_what_an_edited_rule_changes_is_valid_from_the_rounds_day(shop: Database) -> None:
    look(shop, date(2026, 7, 9), bounds=Segments(recent_days=100), version="2")
    assert history(shop)[1:] == [("Standard", "At Risk", date(2026, 7, 9))]


def test_each_change_names_its_rule_and_the_records_that_it_rests_on(shop: Database) -> None:
    look(shop, AT_RISK)
    feed(shop, "jobs", job(3, ANN, done="2026-07-04T12:00:00Z"), job(4, ANN, "Hold"), job(5, ANN))
    feed(shop, "invoices", invoice(1, ANN, "7000.00"), invoice(2, ANN, "-1.00"), invoice(3, ANN, "9.00", active=False))
    look(shop, date(2026, 7, 5))
    kept = segments.segment_history(shop, TENANT, ANN)
    assert all(row["recorded_at"].tzinfo is not None for row in kept)
    named = ("rule", "lifetime_value", "last_job_date", "last_job_id", "invoices")
    assert [tuple(row[name] for name in named) for row in kept] == [
        ("standard", Decimal("0.00"), date(2026, 1, 1), 1, 0),
        ("at_risk", Decimal("0.00"), date(2026, 1, 1), 1, 0),
        ("high_value", Decimal("6999.00"), date(2026, 7, 4), 3, 2),
    ]
    assert segments.segment_history(shop, 4102, ANN) == []


def test_a_survivors_change_and_its_evidence_name_the_records_of_the_one_merged_into_it(shop: Database) -> None:
    feed(shop, "customers", customer(8, mergedToId=ANN))
    feed(shop, "invoices", invoice(1, 8, "5000.00"))
    look(shop, date(2026, 3, 5))
    kept = segments.segment_history(shop, TENANT, ANN)[-1]
    assert (kept["to_segment"], kept["last_job_id"], kept["invoices"]) == ("High Value", 2, 1)
    of_ann, of_the_other = (records.evidence(shop, TENANT, st_id, "UTC") for st_id in (ANN, 8))
    assert (of_ann["last_job"]["id"], of_ann["invoices"]["largest"]) == (2, [1])
    assert of_the_other == {"last_job": None, "invoices": {"count": 0, "total": 0, "largest": None}}


def test_what_changes_a_profile_and_not_its_segment_leaves_no_history(shop: Database) -> None:
    feed(shop, "jobs", job(3, ANN, done="2026-02-10T12:00:00Z"))
    assert look(shop, date(2026, 2, 10)).changed == 1  # its due day moved
    look(shop, date(2026, 2, 10), scope=Scope(everybody=True))
    assert len(history(shop)) == 1
