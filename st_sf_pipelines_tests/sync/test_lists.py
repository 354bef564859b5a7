"""Lists: entities without a feed are read hourly with an overlap, and nothing is lost while their pages move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines.errors import TransientError
from st_sf_pipelines.ports import Listed, Window
from st_sf_pipelines.store import cursors
from st_sf_pipelines.sync import lists
from st_sf_pipelines.sync.pull import pull
from st_sf_pipelines.systems.servicetitan.client import ServiceTitanClient
from st_sf_pipelines.systems.servicetitan.entities import ENTITY
from st_sf_pipelines_tests.store.feeding import rows, touched
from st_sf_pipelines_tests.sync.conftest import Laid, five_a_page
from st_sf_pipelines_tests.systems.conftest import tenant_of
from st_sf_pipelines_tests.world import TENANT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from st_sf_pipelines.simulators.servicetitan.simulator import ServiceTitanSimulator
    from st_sf_pipelines.store.database import Database

CAMPAIGNS, JOB_TYPES = ENTITY["campaigns"], ENTITY["job_types"]


class Moving(ServiceTitanClient):
    """A reader under whose hands the account changes, after each page that it reads."""

    def __init__(self, st: ServiceTitanSimulator, change: Callable[[int], Any]) -> None:
        super().__init__(five_a_page(tenant_of(st)), attempts=1)
        self._change, self.pages = change, 0

    def listed(self, entity: str, page: int, window: Window | None = None, picks: Sequence[int] = ()) -> Listed:
        """Read a page, then let the account change."""
        found = super().listed(entity, page, window, picks)
        self.pages += 1
        self._change(self.pages)
        return found


def names(db: Database, entity: str) -> dict[int, Any]:
    return {row["id"]: row["name"] for row in rows(db, f"SELECT id, name FROM servicetitan.{entity}")}  # noqa: S608


def in_shop(st: ServiceTitanSimulator, entity: str) -> dict[int, Any]:
    table = st.shop.tenant().tables[entity]
    return {key: table.get(key)["name"] for key in table.keys()}  # noqa: SIM118 - a table of the stand-in, no dict


@pytest.mark.parametrize("entity", ["job_types", "job_cancel_reasons", "campaigns"])
def test_an_entity_without_a_feed_is_read_by_its_list_inactive_records_with_it(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient, entity: str
) -> None:
    [gone] = st.put(entity, [{"name": "Gone", "active": False}])
    pulled = pull(db, source, TENANT, ENTITY[entity])
    assert names(db, entity) == in_shop(st, entity)
    assert rows(db, f"SELECT active FROM servicetitan.{entity} WHERE id = %s", gone) == [{"active": False}]  # noqa: S608
    assert (pulled.read, pulled.new) == (len(in_shop(st, entity)), len(in_shop(st, entity)))
    assert pull(db, source, TENANT, ENTITY[entity]).calls == 1, "then only what changed since, with an overlap"


def test_a_campaign_that_was_renamed_is_taken_in_and_touches_its_jobs_customers_and_its_leads(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    [campaign] = st.put("campaigns", [{"name": "Radio"}])
    [job] = st.put("jobs", [{"customerId": 41000001, "campaignId": campaign}])
    [lead] = st.put("leads", [{"customerId": None, "campaignId": campaign}])
    for entity in ("campaigns", "jobs", "leads"):
        pull(db, source, TENANT, ENTITY[entity])
    before = touched(db, "servicetitan/campaigns")
    st.put("campaigns", [{"id": campaign, "name": "Television"}])
    pull(db, source, TENANT, CAMPAIGNS)
    assert names(db, "campaigns")[campaign] == "Television"
    assert sorted(touched(db, "servicetitan/campaigns")[len(before) :]) == [-lead, 41000001]
    assert job


def test_a_record_that_slides_to_a_page_that_was_read_is_not_lost(db: Database, st: ServiceTitanSimulator) -> None:
    """One of the first page is modified meanwhile and goes to the end, so that the sixth slides to the first page."""
    st.put("job_types", [{"name": f"Type {n}"} for n in range(12)])
    first = min(in_shop(st, "job_types"))
    moving = Moving(st, lambda page: page == 1 and st.put("job_types", [{"id": first, "name": "Moved"}]))
    pull(db, moving, TENANT, JOB_TYPES)
    moving.close()
    assert names(db, "job_types") == in_shop(st, "job_types")


def test_a_list_that_never_settles_is_told_and_begins_anew_next_time(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    st.put("job_types", [{"name": f"Type {n}"} for n in range(12)])
    moving = Moving(st, lambda page: st.put("job_types", [{"name": f"Another {page}"}]))
    with pytest.raises(TransientError, match="job_types: the list changed under each of 3 readings"):
        pull(db, moving, TENANT, JOB_TYPES)
    moving.close()
    assert cursors.token(db, TENANT, "job_types") == (None, False)
    pull(db, source, TENANT, JOB_TYPES)
    assert names(db, "job_types") == in_shop(st, "job_types")


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (Listed([], has_more=True, total=450), "page 1 of the list is empty, and says that more follow"),
        (Listed([], has_more=False, total=450), "shows less than it counts"),
        (Listed([{"id": 1, "modifiedOn": "2026-01-01T00:00:00Z"}], has_more=False, total=450), "shows less"),
    ],
)
def test_a_list_that_shows_less_than_it_counts_is_no_whole_reading(db: Database, page: Listed, told: str) -> None:
    with pytest.raises(TransientError, match=told):
        pull(db, Laid(pages=[page]), TENANT, CAMPAIGNS)
    assert cursors.token(db, TENANT, "campaigns") == (None, False)


@pytest.mark.parametrize("total", [1, None])
def test_a_list_of_one_page_that_shows_all_that_it_counts_is_whole(db: Database, total: int | None) -> None:
    page = Listed([{"id": 1, "modifiedOn": "2026-01-01T00:00:00Z"}], has_more=False, total=total)
    assert pull(db, Laid(pages=[page]), TENANT, CAMPAIGNS).new == 1
    assert cursors.token(db, TENANT, "campaigns")[1] is True


def test_the_watermark_is_never_later_than_the_beginning_of_the_reading(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    st.put("campaigns", [{"name": "Ahead", "modifiedOn": "2199-01-01T00:00:00Z"}])
    began = datetime.now(UTC)
    pull(db, source, TENANT, CAMPAIGNS)
    watermark = datetime.fromisoformat(cursors.token(db, TENANT, "campaigns")[0] or "")
    assert abs(watermark - began) < timedelta(minutes=5)


def test_what_was_modified_just_before_the_last_reading_is_found_by_the_overlap(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    st.put("campaigns", [{"name": "Now"}])
    pull(db, source, TENANT, CAMPAIGNS)
    watermark = datetime.fromisoformat(cursors.token(db, TENANT, "campaigns")[0] or "")
    late = (watermark - timedelta(minutes=9)).isoformat().replace("+00:00", "Z")
    [st_id] = st.put("campaigns", [{"name": "Late", "modifiedOn": late}])
    assert pull(db, source, TENANT, CAMPAIGNS).new == 1
    assert names(db, "campaigns")[st_id] == "Late"


def test_a_window_of_a_list_leaves_its_watermark_alone(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    old, new = st.put(
        "campaigns",
        [
            {"name": "Old", "modifiedOn": "2020-05-01T00:00:00Z"},
            {"name": "New", "modifiedOn": "2020-06-01T00:00:00Z"},
        ],
    )
    window = Window(datetime(2020, 5, 1, tzinfo=UTC), datetime(2020, 6, 1, tzinfo=UTC))
    assert pull(db, source, TENANT, CAMPAIGNS, window).read == 1
    assert (old in names(db, "campaigns"), new in names(db, "campaigns")) == (True, False)
    assert cursors.token(db, TENANT, "campaigns") == (None, False)


def test_a_list_is_due_once_an_hour(db: Database, source: ServiceTitanClient) -> None:
    now = datetime.now(UTC)
    assert lists.is_due(db, TENANT, CAMPAIGNS, now)
    pull(db, source, TENANT, CAMPAIGNS)
    assert not lists.is_due(db, TENANT, CAMPAIGNS, now + timedelta(minutes=59))
    assert lists.is_due(db, TENANT, CAMPAIGNS, now + timedelta(minutes=61))


def test_a_look_that_finds_nothing_new_begins_the_hour_anew_and_one_that_does_says_so(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    st.put("campaigns", [{"name": "Radio"}])
    pull(db, source, TENANT, CAMPAIGNS)
    before = cursors.read_at(db, TENANT, "campaigns")
    assert lists.list_has_news(db, source, TENANT, CAMPAIGNS) is False
    after = cursors.read_at(db, TENANT, "campaigns")
    assert before is not None
    assert after is not None
    assert after > before
    st.put("campaigns", [{"name": "Television"}])
    assert lists.list_has_news(db, source, TENANT, CAMPAIGNS) is True
    assert cursors.read_at(db, TENANT, "campaigns") == after


def test_a_list_that_shows_the_same_page_for_ever_is_told(db: Database) -> None:
    same = Listed([{"id": 1, "modifiedOn": "2026-01-01T00:00:00Z"}], has_more=True, total=None)
    laid = Laid(pages=[same] * 50)
    with pytest.raises(TransientError, match="the list does not move on"):
        pull(db, laid, TENANT, CAMPAIGNS)
    assert laid.calls == 4
