"""The contract of a ServiceTitan feed, kept by the stand-in and by an account that ST_SF_TEST_CONFIG (a site) names.

Nothing is written: each test holds for any account, and none shows a value.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from st_sf_pipelines.errors import PermanentError
from st_sf_pipelines.settings import load
from st_sf_pipelines.sync.pages import check
from st_sf_pipelines.systems.servicetitan.client import ServiceTitanClient
from st_sf_pipelines.systems.servicetitan.entities import ENTITIES
from st_sf_pipelines_tests.systems.conftest import tenant_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from st_sf_pipelines.ports import Json, Source

PEERS = ["stand-in", "account"] if os.environ.get("ST_SF_TEST_CONFIG") else ["stand-in"]
ENOUGH = 20
FED = [entity for entity in ENTITIES if entity.is_fed]
NAMES = [entity.name for entity in FED]


@pytest.fixture(params=PEERS)
def source(request: pytest.FixtureRequest) -> Iterator[Source]:
    """Give a reader of the stand-in, or of the account's first tenant."""
    if request.param == "stand-in":
        tenant = tenant_of(request.getfixturevalue("st"))
    else:
        file = Path(os.environ["ST_SF_TEST_CONFIG"])
        [tenant, *_] = load({**os.environ, "ST_SF_CONFIG": str(file)}).site.tenants
    client = ServiceTitanClient(tenant)
    yield client
    client.close()


def pages(source: Source, entity: str, token: str | None = None) -> Iterator[tuple[list[Json], str | None, bool]]:
    for _ in range(ENOUGH):
        page = source.page(entity, token)
        yield page.records, page.token, page.has_more
        token = page.token
        if not page.has_more:
            return


@pytest.mark.parametrize("entity", NAMES)
def test_a_feed_is_read_to_its_end_without_a_record_twice(source: Source, entity: str) -> None:
    ids = [record["id"] for records, _, _ in pages(source, entity) for record in records]
    assert ids
    assert len(ids) == len(set(ids))
    assert source.calls_of(entity) <= ENOUGH


@pytest.mark.parametrize("entity", NAMES)
def test_the_same_token_gives_the_same_page(source: Source, entity: str) -> None:
    [(_, token, _), *_] = pages(source, entity)
    first, again = source.page(entity, token), source.page(entity, token)
    assert [record["id"] for record in first.records] == [record["id"] for record in again.records]


@pytest.mark.parametrize("entity", FED, ids=NAMES)
def test_every_record_passes_the_check_and_has_its_columns(source: Source, entity: object) -> None:
    chosen = next(each for each in FED if each is entity)
    for records, _, _ in pages(source, chosen.name):
        rows, rejects = check(chosen, [(record, b"digest", b"{}") for record in records])
        assert [reject.reason for reject in rejects] == []
        assert {len(row.columns) for row in rows} <= {len(chosen.table.columns)}


@pytest.mark.parametrize("entity", NAMES)
def test_a_date_far_ahead_brings_nothing_and_one_long_ago_brings_all(source: Source, entity: str) -> None:
    assert source.page(entity, "2199-01-01T00:00:00Z").records == []
    from_start = [record["id"] for record in source.page(entity, None).records]
    assert [record["id"] for record in source.page(entity, "2001-01-01").records] == from_start


def test_a_token_that_is_none_is_refused_with_its_path(source: Source) -> None:
    with pytest.raises(PermanentError, match=r"GET /crm/v2/tenant/\d+/export/customers: .*\(400"):
        source.page("customers", "no token at all")
