"""ServiceTitan's token: one for all threads, renewed before it ends and once when it is refused (EXT-2)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from st_sf_pipelines.errors import CredentialsError, TransientError
from st_sf_pipelines.simulators.servicetitan.faults import rules
from st_sf_pipelines.systems.http import Http, Pace
from st_sf_pipelines.systems.servicetitan import auth
from st_sf_pipelines.systems.servicetitan.auth import TokenKeeper
from st_sf_pipelines.systems.servicetitan.client import ServiceTitanClient
from st_sf_pipelines_tests.systems.conftest import tenant_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from st_sf_pipelines.simulators.servicetitan.simulator import ServiceTitanSimulator


@pytest.fixture
def keeper(st: ServiceTitanSimulator) -> Iterator[TokenKeeper]:
    """Give the keeper of the shop's first tenant."""
    client = Http("servicetitan", "socal", Pace(1000))
    yield TokenKeeper(tenant_of(st).servicetitan, client)
    client.close()


def test_many_threads_fetch_one_token(st: ServiceTitanSimulator, keeper: TokenKeeper) -> None:
    with ThreadPoolExecutor(12) as threads:
        tokens = set(threads.map(lambda _: keeper.get(), range(60)))
    assert len(tokens) == 1
    assert st.counters["token_calls"] == 1


def test_many_threads_that_were_refused_renew_it_once(st: ServiceTitanSimulator, keeper: TokenKeeper) -> None:
    old = keeper.get()
    with ThreadPoolExecutor(12) as threads:
        tokens = set(threads.map(lambda _: keeper.get(refused=old), range(60)))
    assert old not in tokens
    assert len(tokens) == 1
    assert st.counters["token_calls"] == 2
    assert keeper.get(refused="another, long gone") in tokens


def test_it_is_renewed_before_it_ends(
    st: ServiceTitanSimulator, keeper: TokenKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [5000.0]
    monkeypatch.setattr(auth, "time", SimpleNamespace(monotonic=lambda: now[0]))
    first = keeper.get()
    now[0] += 800
    assert keeper.get() == first
    now[0] += 90
    assert keeper.get() != first, "ten seconds before its 900 are over"
    assert st.counters["token_calls"] == 2


def test_a_call_with_a_dead_token_is_sent_again_with_a_new_one(st: ServiceTitanSimulator) -> None:
    client = ServiceTitanClient(tenant_of(st))
    first = client.page("customers", None)
    st.world.tokens.expire_all()
    second = client.page("customers", first.token)
    client.close()
    assert {record["id"] for record in first.records} & {record["id"] for record in second.records} == set()
    assert (st.counters["token_calls"], st.counters["by_status"]["401"]) == (2, 1)


def test_a_token_that_is_refused_anew_is_an_error_and_no_loop(st: ServiceTitanSimulator) -> None:
    st.app.faults.rules = rules([{"match": {"path": "export/"}, "do": {"status": 401}}])
    client = ServiceTitanClient(tenant_of(st))
    with pytest.raises(CredentialsError, match="the credentials are refused"):
        client.page("customers", None)
    client.close()
    assert (st.counters["token_calls"], st.counters["calls"]) == (2, 2)


def test_an_answer_without_a_token_is_no_token(
    st: ServiceTitanSimulator, keeper: TokenKeeper, naps: list[float]
) -> None:
    st.app.faults.rules = rules([{"match": {"path": "token", "nth": 1}, "do": {"status": 200, "body": {"a": 1}}}])
    with pytest.raises(TransientError, match="the answer holds no access_token"):
        keeper.get()
    assert keeper.get()
    assert naps == []
