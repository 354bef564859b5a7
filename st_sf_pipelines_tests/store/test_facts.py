"""The first run over the default shop, through the store: what SQL joins is what the rules conclude from (CRM-14)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from st_sf_pipelines.config import Pipelines, States
from st_sf_pipelines.rules import states
from st_sf_pipelines.rules.facts import AsOf
from st_sf_pipelines.rules.fold import fold
from st_sf_pipelines.simulators.shop import make_shop
from st_sf_pipelines.store.facts import deal_facts, ownerless
from st_sf_pipelines.store.log import Scope, look
from st_sf_pipelines.store.state_facts import state_facts
from st_sf_pipelines_tests.store.dealings import ENTITIES, NOW, Dealings, stamp
from st_sf_pipelines_tests.store.feeding import TENANT, feed

if TYPE_CHECKING:
    from st_sf_pipelines.rules.facts import Facts
    from st_sf_pipelines.simulators.shop import Tenant
    from st_sf_pipelines.store.database import Connection, Database

READ = ("business_units", "customers", "leads", "jobs", "appointments", "appointment_assignments", "estimates")
NO_DEALS = """CREATE TEMP TABLE dealt (st_id bigint, opened_for bigint, number int, job_ids bigint[], is_lost boolean)
              ON COMMIT DROP"""
NO_STATES = """CREATE TEMP TABLE kept (st_id bigint, state text, journey int, hand_state text, hand_at timestamptz)
               ON COMMIT DROP"""


def read(db: Database, tenant: Tenant) -> None:
    """Read a shop's tenant into the store."""
    for entity in READ:
        table = tenant.tables[entity]
        feed(db, entity, *(table.get(key) for key in table.keys()), tenant=tenant.id)  # noqa: SIM118 - no dict


def everybody(connection: Connection, tenant_id: int) -> None:
    """Look at all subjects of a tenant."""
    look(connection, tenant_id, "test", ("servicetitan/jobs",), "1", Scope(everybody=True))


@pytest.mark.parametrize("anchor", ["2026-01-31T15:30", "2026-03-08T09:00"])
def test_the_first_run_gives_450_contacts_and_91_opportunities(db: Database, anchor: str) -> None:
    shop = make_shop(anchor=datetime.fromisoformat(anchor).replace(tzinfo=UTC))
    tenant = shop.tenant()
    read(db, tenant)
    as_of = AsOf(shop.anchor, ZoneInfo(tenant.timezone))
    with db.connect() as connection:
        everybody(connection, tenant.id)
        connection.execute(NO_DEALS)
        seen = list(deal_facts(connection, tenant.id, shop.anchor - timedelta(days=92)))
    concluded = [fold(facts, (), as_of, Pipelines()) for facts in seen]
    deals = [deal for each in concluded for deal in each.deals]
    assert sum(each.wants_contact == "customer" for each in concluded) == 450
    assert Counter("Install" if deal.pipeline == "install" else deal.stage for deal in deals) == {
        "Install": 16,
        "contacted": 37,
        "proposal-sent": 38,
    }
    for facts, each in zip(seen, concluded, strict=True):
        assert fold(facts, each.deals, as_of, Pipelines()).deals == each.deals


def stored(db: Database, dealings: Dealings) -> None:
    """Store drawn records, and who was merged into whom."""
    for entity in ENTITIES:
        feed(db, entity, *dealings.records[entity].values())
    with db.connect() as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO customers.survivor (tenant_id, st_id, survivor_id) VALUES (%s, %s, %s)",
            [(TENANT, *pair) for pair in dealings.merged.items()],
        )


@pytest.mark.parametrize("seed", [1, 2])
def test_the_facts_are_those_that_plain_python_makes(db: Database, seed: int) -> None:
    dealings = Dealings.drawn(seed, 60)
    stored(db, dealings)
    leads = dealings.records["leads"].values()
    strangers = [-row["id"] for row in leads if row["customerId"] is None]
    subjects = [*dealings.records["customers"], *strangers]
    since = NOW - timedelta(days=30)
    with db.connect() as connection:
        look(connection, TENANT, "test", (), "1", Scope(ids=tuple(subjects)))
        connection.execute(NO_DEALS)
        connection.execute(
            "INSERT INTO dealt VALUES (1, 1, 3, '{}', true), (2, 1, 4, '{}', true), (10, 10, 1, '{}', true)"
        )
        seen = {facts.subject: facts for facts in deal_facts(connection, TENANT, since)}
    expected = {subject: dealings.facts(subject) for subject in subjects}
    for subject, facts in seen.items():
        assert facts == replace(expected[subject], last_number={1: 4, 10: 1}.get(subject, 0))
    concerned = {
        subject
        for subject, facts in expected.items()
        if any(job.stands and job.created_at >= since for job in facts.jobs)
        or any(lead.status == "open" and lead.created_at >= since for lead in facts.leads)
        or any(each.status in {"open", "sold"} and each.modified_at >= since for each in facts.estimates)
    }
    assert set(seen) == concerned | {1, 2, 10}
    assert 20 < len(seen) < len(subjects)
    assert seen[10].jobs == ()
    assert not seen[10].active


def facts_beside(db: Database, dealings: Dealings, st_id: int, *deals: tuple[int, list[int], bool]) -> Facts:
    """Give a customer's facts beside some deals: whose each is, which jobs it has, and whether it is lost."""
    stored(db, dealings)
    with db.connect() as connection:
        look(connection, TENANT, "test", (), "1", Scope(ids=(st_id,)))
        connection.execute(NO_DEALS)
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO dealt VALUES (%s, 7, 1, %s::bigint[], %s)", deals)
        return next(facts for facts in deal_facts(connection, TENANT, None) if facts.subject == st_id)


def test_a_job_that_another_subjects_deal_has_is_taken_or_lapsed_if_that_deal_is_lost(db: Database) -> None:
    dealings = Dealings.drawn(3, 9)
    first, second = (row["id"] for row in dealings.rows("jobs", 3))
    facts = facts_beside(db, dealings, 3, (88, [first], False), (3, [second], False), (88, [second], True))
    assert (set(facts.taken), set(facts.lapsed)) == ({first}, {second})
    assert facts.followed == ()


def test_the_jobs_of_its_deals_that_another_customer_has_now_are_followed_with_their_estimates(db: Database) -> None:
    dealings = Dealings.drawn(3, 9)
    own, others = dealings.facts(3), dealings.facts(1)
    (theirs,) = (job for job in others.jobs if job.id == 4)
    deals = [(3, [theirs.id, own.jobs[0].id], False), (3, [theirs.id], False), (3, [others.jobs[0].id], True)]
    facts = facts_beside(db, dealings, 3, *deals, (1, [theirs.id], True))
    assert (facts.jobs, facts.followed) == (own.jobs, (theirs,))
    offers = [each for each in (*own.estimates, *others.estimates) if each in own.estimates or each.job_id == theirs.id]
    assert facts.estimates == tuple(sorted(offers, key=lambda each: each.age))
    assert len(offers) == len(own.estimates) + 2


def test_a_job_that_two_subjects_have_in_their_facts_has_its_visits_once_in_each(db: Database) -> None:
    dealings = Dealings.drawn(3, 9)
    stored(db, dealings)
    job = dealings.facts(3).jobs[-1]
    with db.connect() as connection:
        look(connection, TENANT, "test", (), "1", Scope(ids=(1, 3)))
        connection.execute(NO_DEALS)
        connection.execute("INSERT INTO dealt VALUES (1, 1, 1, %s::bigint[], false)", [[job.id]])
        ann, bea = deal_facts(connection, TENANT, None)
    assert ann.followed == (job,)
    assert bea.jobs == dealings.facts(3).jobs
    assert len(job.appointments) == len(job.technicians) == 2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_states_are_those_that_plain_python_makes(db: Database, seed: int) -> None:
    dealings = Dealings.drawn(seed, 150)
    stored(db, dealings)
    with db.connect() as connection:
        look(connection, TENANT, "test", (), "1", Scope(ids=tuple(dealings.records["customers"])))
        connection.execute(NO_STATES)
        (frame,) = state_facts(connection, TENANT, {})
    made = states.conclude(frame, NOW.date(), ZoneInfo("UTC"), States())
    found = {
        row["st_id"]: (row["state"], row["journey"], row["entered_on"], row["job_id"]) for _, row in made.iterrows()
    }
    assert found == {customer: dealings.state(customer) for customer in dealings.records["customers"]}
    assert len(set(made["state"])) == len(states.STATE)
    assert max(journey for _, journey, *_ in found.values()) > 1


def test_the_states_as_of_a_past_instant_see_nothing_later(db: Database) -> None:
    dealings = Dealings.drawn(4, 40)
    stored(db, dealings)
    then = NOW - timedelta(days=60)
    for rows in dealings.records.values():
        for nr, row in list(rows.items()):
            if row.get("createdOn", "") > stamp(then):
                del rows[nr]
            elif row.get("completedOn", "") > stamp(then):
                row.update(jobStatus="Scheduled", completedOn="")
            elif row.get("soldOn", "") > stamp(then):
                row.update(status={"value": 0, "name": "Open"}, soldOn="")
    with db.connect() as connection:
        look(connection, TENANT, "test", (), "1", Scope(ids=tuple(range(1, 41))))
        connection.execute(NO_STATES)
        connection.execute("INSERT INTO kept VALUES (1, '5.5', 9, '5.5', '2026-01-31')")
        (frame,) = state_facts(connection, TENANT, {}, until=then)
    (kept,) = frame.loc[frame["st_id"] == 1, ["journey_before", "hand_state"]].itertuples(index=False)
    assert tuple(kept) == (9, "5.5")
    made = states.conclude(frame[frame["st_id"] > 1], NOW.date(), ZoneInfo("UTC"), States())
    found = dict(zip(made["st_id"], made["state"], strict=True))
    assert found == {nr: dealings.state(nr)[0] for nr in dealings.records["customers"] if nr > 1}
    assert 20 < len(found) < 39


def test_whoever_keeps_the_records_of_a_merged_customer_is_looked_at_too(db: Database) -> None:
    dealings = Dealings.drawn(5, 12)
    stored(db, dealings)
    with db.connect() as connection:
        look(connection, TENANT, "test", (), "1", Scope(ids=(10,)))
        connection.execute(NO_DEALS)
        connection.execute(NO_STATES)
        assert {facts.subject for facts in deal_facts(connection, TENANT, None)} <= {10, 11}
        connection.execute("DROP TABLE member")
        (frame,) = state_facts(connection, TENANT, {})
    assert sorted(frame["st_id"]) == [10, 11]


def test_an_estimate_without_a_job_and_without_a_customer_is_listed(db: Database) -> None:
    usual = {"modifiedOn": stamp(NOW), "createdOn": stamp(NOW), "active": True, "subtotal": 1, "tax": 0}
    is_open, is_sold = {"value": 0, "name": "Open"}, {"value": 1, "name": "Sold"}
    feed(db, "customers", {"id": 1, "name": "Li", "type": "Residential", **usual})
    feed(db, "jobs", {"id": 3, "jobNumber": "3", "customerId": 1, "jobStatus": "Hold", **usual})
    feed(
        db,
        "estimates",
        {"id": 50, "jobId": 3, "status": is_open, **usual},
        {"id": 51, "customerId": 1, "status": is_open, **usual},
        {"id": 52, "status": is_open, **usual},
        {"id": 53, "jobId": 4, "customerId": 2, "status": is_sold, **usual},
        {"id": 54, "status": {"value": 2, "name": "Dismissed"}, **usual},
    )
    with db.connect() as connection:
        assert ownerless(connection, TENANT, NOW - timedelta(days=1)) == [52, 53]
        assert ownerless(connection, TENANT, NOW + timedelta(days=1)) == []
