"""What tests of reading share: a stand-in with pages of five records, and readers of it that do not try again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from st_sf_pipelines.simulators.servicetitan.simulator import ServiceTitanSimulator
from st_sf_pipelines.systems.servicetitan.client import ServiceTitanClient
from st_sf_pipelines_tests.systems.conftest import tenant_of
from st_sf_pipelines_tests.world import small_shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from st_sf_pipelines.config import Tenant


@pytest.fixture
def st() -> Iterator[ServiceTitanSimulator]:
    """Give a shop of 23 customers, five records a page of its feeds."""
    with ServiceTitanSimulator(small_shop(23), page_size=5, rate_limit=None) as simulator:
        yield simulator


@pytest.fixture
def source(st: ServiceTitanSimulator) -> Iterator[ServiceTitanClient]:
    """Give a reader that does not try again: what fails, fails. Its lists have five records a page."""
    client = ServiceTitanClient(five_a_page(tenant_of(st)), attempts=1)
    yield client
    client.close()


def five_a_page(tenant: Tenant) -> Tenant:
    """Let a tenant's lists be read five records a page."""
    return tenant.model_copy(update={"servicetitan": tenant.servicetitan.model_copy(update={"list_page_size": 5})})
