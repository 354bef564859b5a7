"""What tests of reading share: a stand-in with pages of five records, and readers of it that do not try again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from st_sf_pipelines.errors import PermanentError
from st_sf_pipelines.ports import Listed, Page
from st_sf_pipelines.simulators.servicetitan.simulator import ServiceTitanSimulator
from st_sf_pipelines.systems.servicetitan.client import ServiceTitanClient
from st_sf_pipelines_tests.systems.conftest import tenant_of
from st_sf_pipelines_tests.world import small_shop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from st_sf_pipelines.config import Tenant
    from st_sf_pipelines.ports import Window


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


class Laid:
    """A Source whose pages a test has laid out: those of a feed by their tokens, those of a list in their order."""

    def __init__(self, feed: Mapping[str | None, Page] | None = None, pages: Sequence[Listed] = ()) -> None:
        """Take the pages; what is asked for by ids is not there."""
        self._feed, self._pages, self.calls = feed or {}, pages, 0

    def calls_of(self, entity: str) -> int:
        """Count all calls: there is one entity in a test."""
        return self.calls if entity else 0

    def page(self, entity: str, token: str | None) -> Page:
        """Give what follows a token; one that was not laid out is refused."""
        self.calls += 1
        if token not in self._feed:
            raise PermanentError("servicetitan", "socal", entity, "refused", status=400)
        return self._feed[token]

    def listed(
        self,
        entity: str,  # noqa: ARG002 - there is one entity in a test
        page: int,
        window: Window | None = None,  # noqa: ARG002 - the pages are those of the window that is asked for
        picks: Sequence[int] = (),
    ) -> Listed:
        """Give a page of the list, or nothing for ids."""
        self.calls += 1
        return Listed([], has_more=False, total=0) if picks else self._pages[page - 1]


def five_a_page(tenant: Tenant) -> Tenant:
    """Let a tenant's lists be read five records a page."""
    return tenant.model_copy(update={"servicetitan": tenant.servicetitan.model_copy(update={"list_page_size": 5})})
