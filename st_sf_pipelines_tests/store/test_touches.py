"""A change touches the customer of its job, before and after, and who has a deal of it; a lone lead touches itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines.rules.deals import Concluded, Deal
from st_sf_pipelines.rules.facts import Facts
from st_sf_pipelines.store import conclusions
from st_sf_pipelines_tests.store.feeding import STAMP, TENANT, customer, feed, job, touched

if TYPE_CHECKING:
    from st_sf_pipelines.store.database import Database

ANN, BEN = 11, 12
ANNS_JOB, BENS_JOB = 31, 32
GOOD: dict[str, Any] = {"id": 90, "modifiedOn": STAMP, "createdOn": STAMP, "active": True}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = "2026-01-02T00:00:00Z"

OF_A_JOB: dict[str, dict[str, Any]] = {
    "bookings": {"status": "New"},
    "job_canceled_logs": {},
    "appointments": {"status": "Scheduled"},
    "appointment_assignments": {"status": "Scheduled", "appointmentId": 5, "technicianId": 6},
    "estimates": {"status": {"value": 0, "name": "Open"}},
}


def new(db: Database, entity: str, seen: int = 0) -> list[int]:
    return sorted(touched(db, f"servicetitan/{entity}")[seen:])


@pytest.fixture
def shop(db: Database) -> Database:
    """Give a store with a job of Ann's and one of Ben's."""
    feed(db, "jobs", job(ANNS_JOB, ANN), job(BENS_JOB, BEN))
    return db


@pytest.mark.parametrize("entity", OF_A_JOB)
def test_a_record_of_a_job_touches_the_jobs_customer_before_and_after(shop: Database, entity: str) -> None:
    feed(shop, entity, {**GOOD, **OF_A_JOB[entity], "jobId": ANNS_JOB})
    assert new(shop, entity) == [ANN]
    feed(shop, entity, {**GOOD, **OF_A_JOB[entity], "jobId": BENS_JOB, "modifiedOn": LATER})
    assert new(shop, entity, 1) == [ANN, BEN]


@pytest.mark.parametrize("entity", OF_A_JOB)
def test_a_record_that_comes_before_its_job_is_not_lost_for_the_job_touches_its_customer(
    db: Database, entity: str
) -> None:
    feed(db, entity, {**GOOD, **OF_A_JOB[entity], "jobId": ANNS_JOB})
    assert new(db, entity) == []
    feed(db, "jobs", job(ANNS_JOB, ANN))
    assert new(db, "jobs") == [ANN]


@pytest.mark.parametrize("entity", ["appointments", "estimates"])
def test_a_customer_of_its_own_goes_before_the_jobs(shop: Database, entity: str) -> None:
    feed(shop, entity, {**GOOD, **OF_A_JOB[entity], "jobId": ANNS_JOB, "customerId": BEN})
    assert new(shop, entity) == [BEN]


def test_an_invoice_of_nobody_touches_its_jobs_customer(shop: Database) -> None:
    feed(shop, "invoices", {**GOOD, "customer": None, "job": {"id": ANNS_JOB}, "total": "1.00"})
    assert new(shop, "invoices") == [ANN]


def test_a_lead_without_a_customer_is_touched_itself_and_with_its_customer_when_that_appears(db: Database) -> None:
    lead = {**GOOD, "status": "Open", "customerId": None}
    feed(db, "leads", lead)
    assert new(db, "leads") == [-90]
    feed(db, "leads", {**lead, "customerId": ANN, "modifiedOn": LATER})
    assert new(db, "leads", 1) == [-90, ANN]


def test_a_unit_that_is_renamed_touches_the_customers_of_its_jobs(db: Database) -> None:
    feed(db, "jobs", job(1, ANN, businessUnitId=9), job(2, ANN, businessUnitId=9), job(3, BEN, businessUnitId=8))
    feed(db, "business_units", {**GOOD, "id": 9, "name": "Pool - Sales"})
    assert new(db, "business_units") == [ANN]


def test_a_campaign_touches_the_customers_of_its_jobs_and_its_leads(db: Database) -> None:
    feed(db, "jobs", job(1, ANN, campaignId=7))
    feed(db, "leads", {**GOOD, "status": "Open", "campaignId": 7}, {**GOOD, "id": 91, "status": "Open"})
    feed(db, "campaigns", {**GOOD, "id": 7, "name": "Radio"})
    assert new(db, "campaigns") == [-90, ANN]


def deal(db: Database, subject: int, number: int = 1, **more: Any) -> None:
    """Store a deal."""
    usual = Deal(
        subject=subject,
        opened_for=subject,
        number=number,
        pipeline="sales",
        stage="job-sold",
        status="won",
        title="Heater",
        label="Ann",
        opened_at=NOW,
        since_at=NOW,
        close_on=NOW.date(),
    )
    concluded = Concluded((replace(usual, **more),))
    with db.connect() as connection:
        conclusions.write(connection, TENANT, [(Facts(subject, "Ann"), [], concluded)], conclusions.Written())


@pytest.mark.parametrize("entity", ["technicians", "employees"])
def test_a_person_touches_those_whose_deals_that_person_sold(db: Database, entity: str) -> None:
    for subject, seller in ((ANN, 90), (BEN, 91), (-5, 90)):
        deal(db, subject, seller_id=seller)
    feed(db, entity, {**GOOD, "name": "Sam"})
    assert new(db, entity) == [-5, ANN]


@pytest.mark.parametrize("entity", OF_A_JOB)
def test_a_job_and_its_records_touch_those_too_whose_open_or_won_deals_have_it(shop: Database, entity: str) -> None:
    deal(shop, 13, job_ids=(5, BENS_JOB))
    deal(shop, 14, job_ids=(BENS_JOB,), status="lost")
    feed(shop, "jobs", job(BENS_JOB, BEN, modifiedOn=LATER))
    assert new(shop, "jobs", 2) == [BEN, 13]
    feed(shop, entity, {**GOOD, **OF_A_JOB[entity], "jobId": BENS_JOB})
    assert new(shop, entity) == [BEN, 13]


@pytest.mark.parametrize("entity", ["job_types", "job_cancel_reasons", "tag_types"])
def test_other_settings_touch_nobody(shop: Database, entity: str) -> None:
    feed(shop, "customers", customer(90))
    feed(shop, entity, {**GOOD, "name": "Whoever"})
    assert new(shop, entity) == []
