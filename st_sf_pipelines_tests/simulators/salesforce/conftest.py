"""One stand-in for all of these tests, reset before each, and a client that is let in."""

from collections.abc import Iterator

import httpx
import pytest

from st_sf_pipelines.simulators.salesforce import SalesforceSimulator
from st_sf_pipelines_tests.simulators.salesforce.client import Api


@pytest.fixture(scope="package")
def _running() -> Iterator[SalesforceSimulator]:
    with SalesforceSimulator() as simulator:
        yield simulator


@pytest.fixture
def sf(_running: SalesforceSimulator) -> SalesforceSimulator:
    _running.reset()
    return _running


@pytest.fixture
def api(sf: SalesforceSimulator) -> Iterator[Api]:
    with httpx.Client(base_url=sf.url, headers={"Authorization": f"Bearer {sf.credentials['access_token']}"}) as client:
        yield Api(client)
