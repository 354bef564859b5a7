"""What people count of the deals names each by the key that it has everywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from st_sf_pipelines.rules.deals import Concluded, Deal, Move, Place
from st_sf_pipelines.rules.facts import Facts
from st_sf_pipelines.store import conclusions, funnel
from st_sf_pipelines_tests.store.feeding import TENANT

if TYPE_CHECKING:
    from st_sf_pipelines.store.database import Database

NOW = datetime(2026, 1, 31, 20, tzinfo=UTC)


def test_a_deal_that_moved_backward_is_named_by_its_key_a_leads_too(db: Database) -> None:
    before, after = Place("sales", "contacted", "open"), Place("sales", "new-lead", "open")
    with db.connect() as connection:
        for subject in (-45, 7):
            deal = Deal(
                subject=subject,
                opened_for=subject,
                number=1,
                pipeline="sales",
                stage="new-lead",
                title="Ann - New",
                label="New",
                opened_at=NOW,
                since_at=NOW,
                close_on=NOW.date(),
            )
            concluded = Concluded((deal,), (Move(deal.key, before, after, "Leads", (), NOW),))
            conclusions.write(connection, TENANT, [(Facts(subject, "Ann"), [], concluded)], conclusions.Written())
    assert funnel.moved_backward(db, TENANT) == ["lead_45", "st_7_1"]
