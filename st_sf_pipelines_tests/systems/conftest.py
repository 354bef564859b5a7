"""Stand-ins for tests of one client alone, and retries whose pauses are noted, not waited for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import tenacity.nap

from st_sf_pipelines.config import Salesforce, ServiceTitan, Tenant
from st_sf_pipelines.simulators.salesforce.simulator import SalesforceSimulator
from st_sf_pipelines.simulators.servicetitan.simulator import ServiceTitanSimulator
from st_sf_pipelines.systems.salesforce import writer
from st_sf_pipelines_tests.world import small_shop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let retries go on at once; give the seconds that each would have waited."""
    slept: list[float] = []
    clock = SimpleNamespace(sleep=slept.append)
    monkeypatch.setattr(tenacity.nap, "time", clock)
    monkeypatch.setattr(writer, "time", clock)
    return slept


@pytest.fixture
def st() -> Iterator[ServiceTitanSimulator]:
    """Give a shop of 23 customers, five records a page."""
    with ServiceTitanSimulator(small_shop(23), page_size=5, rate_limit=None) as simulator:
        yield simulator


@pytest.fixture
def sf() -> Iterator[SalesforceSimulator]:
    """Give an org that is set up and empty."""
    with SalesforceSimulator() as simulator:
        yield simulator


def tenant_of(
    st: ServiceTitanSimulator | None = None,
    sf: SalesforceSimulator | None = None,
    salesforce: Mapping[str, Any] | None = None,
) -> Tenant:
    """Give a tenant that knows these stand-ins; `salesforce` is laid over its section."""
    access = {"client_id": "c", "client_secret": "s", "app_key": "k"}
    if st:
        names = ("api_url", "auth_url", "client_id", "client_secret", "app_key")
        access = {name: st.credentials[name] for name in names}
    section = None
    if sf:
        given = {name: sf.credentials[name] for name in ("instance_url", "login_url", "access_token")}
        section = Salesforce.model_validate({**given, **(salesforce or {})})
    return Tenant(
        name="socal",
        id=st.credentials["tenant_id"] if st else 4101,
        timezone="America/Los_Angeles",
        servicetitan=ServiceTitan.model_validate(access),
        salesforce=section,
    )
