"""ServiceTitan's token: one for all threads, renewed before it ends and once when it is refused (EXT-2)."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from st_sf_pipelines.errors import CredentialsError, TransientError
from st_sf_pipelines.simulators.servicetitan.faults import rules
from st_sf_pipelines.systems.http import ATTEMPTS, Http, Pace
from st_sf_pipelines.systems.servicetitan import auth
from st_sf_pipelines.systems.servicetitan.auth import TokenKeeper, keeper_of
from st_sf_pipelines.systems.servicetitan.client import ServiceTitanClient
from st_sf_pipelines_tests.silent import Silent
from st_sf_pipelines_tests.systems.conftest import tenant_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from st_sf_pipelines.simulators.servicetitan.simulator import ServiceTitanSimulator


@pytest.fixture
def get(st: ServiceTitanSimulator) -> Iterator[Callable[..., str]]:
    """Give the tokens of the shop's first tenant."""
    client = Http("servicetitan", "socal", Pace(1000))
    yield partial(keeper_of(tenant_of(st).servicetitan).get, client)
    client.close()


def test_many_threads_fetch_one_token(st: ServiceTitanSimulator, get: Callable[..., str]) -> None:
    with ThreadPoolExecutor(12) as threads:
        tokens = set(threads.map(lambda _: get(), range(60)))
    assert len(tokens) == 1
    assert st.counters["token_calls"] == 1


def test_many_threads_that_were_refused_renew_it_once(st: ServiceTitanSimulator, get: Callable[..., str]) -> None:
    old = get()
    with ThreadPoolExecutor(12) as threads:
        tokens = set(threads.map(lambda _: get(refused=old), range(60)))
    assert old not in tokens
    assert len(tokens) == 1
    assert st.counters["token_calls"] == 2
    assert get(refused="another, long gone") in tokens


def test_it_is_renewed_before_it_ends(
    st: ServiceTitanSimulator, get: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [5000.0]
    monkeypatch.setattr(auth, "time", SimpleNamespace(monotonic=lambda: now[0]))
    first = get()
    now[0] += 800
    assert get() == first
    now[0] += 90
    assert get() != first, "ten seconds before its 900 are over"
    assert st.counters["token_calls"] == 2


def test_every_client_of_a_tenant_uses_the_same_token_and_of_other_credentials_another(
    st: ServiceTitanSimulator,
) -> None:
    tenant = tenant_of(st)
    wrong = tenant.servicetitan.model_copy(update={"client_secret": SecretStr("wrong.secret")})
    clients = [ServiceTitanClient(tenant_of(st)) for _ in range(6)]
    stranger = ServiceTitanClient(tenant.model_copy(update={"servicetitan": wrong}))
    with ThreadPoolExecutor(6) as threads:
        assert all(page.records for page in threads.map(lambda client: client.page("customers", None), clients))
    assert st.counters["token_calls"] == 1
    with pytest.raises(CredentialsError, match="the client id or secret is refused"):
        stranger.page("customers", None)
    for client in (*clients, stranger):
        client.close()


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
    st: ServiceTitanSimulator, get: Callable[..., str], naps: list[float]
) -> None:
    st.app.faults.rules = rules([{"match": {"path": "token", "nth": 1}, "do": {"status": 200, "body": {"a": 1}}}])
    with pytest.raises(TransientError, match="the answer holds no access_token"):
        get()
    assert get()
    assert naps == []


def test_all_who_waited_for_a_fetch_that_failed_are_told_so_and_none_asks_again() -> None:
    def waiting() -> int:
        """Count the threads that have noted the failures so far, and hold the lock or wait for it."""
        count = 0
        for frame in sys._current_frames().values():
            at: FrameType | None = frame
            while at and at.f_code is not TokenKeeper.get.__code__:
                at = at.f_back
            count += at is not None and "failures" in at.f_locals
        return count

    client = Http("servicetitan", "socal", Pace(1000), attempts=1)
    with Silent() as server, ThreadPoolExecutor(12) as threads:
        config = tenant_of().servicetitan.model_copy(update={"auth_url": f"{server.url}/connect/token"})
        fetches = [threads.submit(keeper_of(config).get, client) for _ in range(12)]
        while not (server.calls and waiting() == 12):
            time.sleep(0.01)
        server.__exit__()
        errors = [fetch.exception() for fetch in fetches]
    client.close()
    assert {str(error).partition(" (")[0] for error in errors} == {
        "servicetitan: socal: POST /connect/token: the connection failed"
    }
    assert len({id(error) for error in errors}) == 12
    assert client.calls == 1


def test_a_token_server_in_trouble_is_asked_in_one_series_of_attempts(
    st: ServiceTitanSimulator, naps: list[float]
) -> None:
    st.app.faults.rules = rules([{"match": {"path": "token"}, "do": {"status": 503}}])
    client = ServiceTitanClient(tenant_of(st))
    with pytest.raises(TransientError, match=r"POST /connect/token: the server is in trouble \(503\)"):
        client.page("customers", None)
    assert (st.counters["token_calls"], len(naps)) == (ATTEMPTS, ATTEMPTS - 1)
    st.app.faults.rules.clear()
    assert client.page("customers", None).records
    client.close()


def test_a_token_server_that_answers_401_is_asked_once(st: ServiceTitanSimulator) -> None:
    st.app.faults.rules = rules([{"match": {"path": "token"}, "do": {"status": 401}}])
    client = ServiceTitanClient(tenant_of(st))
    with pytest.raises(CredentialsError, match="POST /connect/token"):
        client.page("customers", None)
    client.close()
    assert (st.counters["token_calls"], st.counters["calls"]) == (1, 0)
