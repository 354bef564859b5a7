"""History: a month of creation is read by its list, and our count of it compared with the API's own (EXT-4)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from st_sf_pipelines.defs.history import month_of, row_of
from st_sf_pipelines.ports import Listed, Window
from st_sf_pipelines.store import cursors
from st_sf_pipelines.sync.history import backfill
from st_sf_pipelines.sync.pull import pull
from st_sf_pipelines.systems.servicetitan.entities import ENTITIES, ENTITY
from st_sf_pipelines_tests.store.feeding import STAMP, rows
from st_sf_pipelines_tests.sync.conftest import Laid
from st_sf_pipelines_tests.world import TENANT

if TYPE_CHECKING:
    from st_sf_pipelines.simulators.servicetitan.simulator import ServiceTitanSimulator
    from st_sf_pipelines.store.database import Database
    from st_sf_pipelines.systems.servicetitan.client import ServiceTitanClient

EVER = Window(datetime(2001, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC), of="created")
MAY = Window(datetime(2020, 5, 1, tzinfo=UTC), datetime(2020, 6, 1, tzinfo=UTC), of="created")


@pytest.mark.parametrize("name", [entity.name for entity in ENTITIES if entity.is_listed])
def test_a_month_is_read_by_the_list_and_the_counts_agree_whatever_form_it_has(
    db: Database, source: ServiceTitanClient, name: str
) -> None:
    compared = backfill(db, source, TENANT, ENTITY[name], EVER)
    assert compared.agrees
    assert compared.listed == compared.held == compared.new
    assert compared.held > 0
    assert pull(db, source, TENANT, ENTITY[name]).changed == 0, "what the feed tells more is the deleted ones alone"


def test_only_the_month_is_read_and_the_cursor_stays(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    stamps = (
        "2020-04-30T23:59:59.9999999Z",
        "2020-05-01T00:00:00Z",
        "2020-05-31T23:59:59.9999999Z",
        "2020-06-01T00:00:00Z",
    )
    ids = st.put("customers", [{"name": f"Ann {n}", "createdOn": stamp} for n, stamp in enumerate(stamps)])
    compared = backfill(db, source, TENANT, ENTITY["customers"], MAY)
    assert (compared.listed, compared.held, compared.agrees) == (2, 2, True)
    assert [row["id"] for row in rows(db, "SELECT id FROM servicetitan.customers ORDER BY id")] == ids[1:3]
    assert cursors.token(db, TENANT, "customers") == (None, False)


def test_deleted_rows_are_left_out_of_the_count(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    [kept, gone] = st.put("leads", [{"createdOn": "2020-05-10T00:00:00Z"}] * 2)
    pull(db, source, TENANT, ENTITY["leads"])
    st.put("leads", [{"id": gone, "active": False}])
    pull(db, source, TENANT, ENTITY["leads"])
    compared = backfill(db, source, TENANT, ENTITY["leads"], MAY)
    assert (compared.listed, compared.held, compared.agrees) == (1, 1, True)
    assert kept


def test_a_record_that_we_hold_and_the_api_does_not_makes_the_counts_unequal(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    [lead] = st.put("leads", [{"createdOn": "2020-05-10T00:00:00Z"}])
    pull(db, source, TENANT, ENTITY["leads"])
    st.put("leads", [{"id": lead, "active": False}], silent=True)
    compared = backfill(db, source, TENANT, ENTITY["leads"], MAY)
    assert (compared.listed, compared.held, compared.agrees) == (0, 1, False)


def test_a_record_that_does_not_fit_makes_the_counts_unequal(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    st.put("campaigns", [{"name": "Radio", "createdOn": "2020-05-10T00:00:00Z", "source": 5}])
    compared = backfill(db, source, TENANT, ENTITY["campaigns"], MAY)
    assert (compared.listed, compared.held, compared.quarantined, compared.agrees) == (1, 0, 1, False)


@pytest.mark.parametrize(("total", "shown"), [(None, "unknown"), (0, 0), (1, 1)])
def test_a_count_that_the_api_does_not_tell_is_shown_as_unknown(
    db: Database, total: int | None, shown: int | str
) -> None:
    page = Listed(
        [{"id": 1, "modifiedOn": STAMP, "createdOn": STAMP}] if total != 0 else [], has_more=False, total=total
    )
    compared = backfill(db, Laid(pages=[page]), TENANT, ENTITY["campaigns"], EVER)
    assert (row_of("campaigns", compared).data["listed"], compared.agrees) == (shown, True)


@pytest.mark.parametrize(
    ("partition", "since", "until"),
    [("2020-05-01|socal", (2020, 5), (2020, 6)), ("2020-12-01|a-b", (2020, 12), (2021, 1))],
)
def test_a_partition_is_a_month_in_utc(partition: str, since: tuple[int, int], until: tuple[int, int]) -> None:
    month = month_of(partition)
    assert month == Window(datetime(*since, 1, tzinfo=UTC), datetime(*until, 1, tzinfo=UTC), of="created")
