"""The one HTTP client: what may pass is tried again, as long as the server asks; what may not is an error at once."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines.errors import CredentialsError, PermanentError, TransientError
from st_sf_pipelines.simulators.servicetitan.faults import rules
from st_sf_pipelines.sync.pages import check
from st_sf_pipelines.systems import http
from st_sf_pipelines.systems.http import ATTEMPTS, LATE_SECONDS, Http, Pace
from st_sf_pipelines.systems.servicetitan.entities import ENTITY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from st_sf_pipelines.simulators.servicetitan.simulator import ServiceTitanSimulator

SECRET = "very.secret.value"
AS_IS = 203
"""A success whose body the stand-in sends as it is, without reading it."""


@pytest.fixture
def client() -> Iterator[Http]:
    """Give a client of a system that is in no hurry to be slow."""
    made = Http("servicetitan", "socal", Pace(1000), timeout=5.0)
    yield made
    made.close()


def get(client: Http, st: ServiceTitanSimulator, path: str = "/x") -> Any:
    headers = {"Authorization": f"Bearer {SECRET}"}
    return client.json(lambda: client.request("GET", f"{st.url}{path}", params={"q": SECRET}, headers=headers))


def answer(st: ServiceTitanSimulator, *deeds: dict[str, Any]) -> None:
    """Let the next answers be these, and all later ones a good one."""
    good = {"status": 200, "body": {"good": True}}
    st.app.faults.rules = rules(
        [
            *({"match": {"nth": 1}, "do": deed} for deed in deeds),
            {"match": {}, "do": good},
        ]
    )


PASSING: dict[str, dict[str, Any]] = {
    **{f"status {status}": {"status": status} for status in (408, 425, 429, 500, 502, 503, 504, 520, 522, 524)},
    "a reset": {"status": 200, "body": {"good": True}, "reset": True},
    "a cut": {"status": 200, "body": {"good": True}, "truncate": 4},
    "nothing": {"status": 200, "body": "", "truncate": 0},
    "garbage": {"garbage": True},
    "garbage said to be gzip": {"status": 200, "headers": {"content-encoding": "gzip"}, "body": {"good": True}},
}


@pytest.mark.parametrize("trouble", PASSING)
def test_what_passes_is_tried_again(client: Http, st: ServiceTitanSimulator, naps: list[float], trouble: str) -> None:
    answer(st, PASSING[trouble], PASSING[trouble])
    assert get(client, st) == {"good": True}
    assert (client.calls, len(naps)) == (3, 2)
    assert 0 < naps[0] < naps[1] < 2


def test_half_a_character_does_not_spoil_the_answer(client: Http, st: ServiceTitanSimulator) -> None:
    answer(st, {"status": AS_IS, "body": r'{"a\ud800": "b\udc00c", "whole": "\ud83d\ude00", "n": [1, 0.1, -7, 1E5]}'})
    assert get(client, st) == {"a\ufffd": "b\ufffdc", "whole": "\U0001f600", "n": [1, 0.1, -7, 100000.0]}
    assert client.calls == 1


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "Infinity", "-Infinity", "9" * 5000])
def test_a_number_beyond_all_bounds_makes_its_record_alone_not_fit(
    client: Http, st: ServiceTitanSimulator, number: str
) -> None:
    good = '{"id": 1, "name": "Ann Lee", "modifiedOn": "2026-01-01T00:00:00Z", "balance": 0.1}'
    bad = [good.replace("1,", "2,").replace(used, number) for used in ("0.1", '"Ann Lee"', '"2026-01-01T00:00:00Z"')]
    answer(st, {"status": AS_IS, "body": f"[{good}, {', '.join(bad)}]"})
    rows, rejects = check(ENTITY["customers"], [(record, b"%d" % n, b"") for n, record in enumerate(get(client, st))])
    assert ([row.id for row in rows], [reject.key for reject in rejects]) == ([1], ["2"])
    assert client.calls == 1


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a": "\\ud800"', '{"a": 1e400'])
def test_what_no_reader_takes_is_an_answer_cut_off(
    client: Http, st: ServiceTitanSimulator, naps: list[float], body: str
) -> None:
    answer(st, {"status": AS_IS, "body": body})
    assert get(client, st) == {"good": True}
    assert len(naps) == 1


@pytest.mark.parametrize(("status", "kind"), [(400, PermanentError), (403, CredentialsError), (404, PermanentError)])
def test_a_refusal_is_final_and_names_all_but_the_secret(
    client: Http, st: ServiceTitanSimulator, naps: list[float], status: int, kind: type[Exception]
) -> None:
    body = {"title": SECRET, "traceId": "00-ab-01", "errors": {"From": [SECRET]}}
    answer(st, {"status": status, "body": body})
    with pytest.raises(kind) as caught:
        get(client, st, "/crm/v2/tenant/4101/export/customers")
    told = str(caught.value)
    assert told.startswith("servicetitan: socal: GET /crm/v2/tenant/4101/export/customers: ")
    assert (str(status) in told, "00-ab-01" in told, SECRET in told) == (True, True, False)
    assert (client.calls, naps) == (1, [])


def test_a_person_named_where_a_code_is_expected_is_not_told(
    client: Http, st: ServiceTitanSimulator, naps: list[float]
) -> None:
    told = {"error": "Customer John Smith john@x.com not found", "traceId": "call John 555"}
    answer(st, {"status": 400, "body": {**told, "errors": {"John Smith": ["not found"], "$.customerId": ["bad"]}}})
    with pytest.raises(PermanentError) as caught:
        get(client, st)
    assert str(caught.value) == "servicetitan: socal: GET /x: the request is refused for $.customerId (400)"
    assert naps == []


def test_it_gives_up_after_so_many_attempts_with_growing_pauses(
    client: Http, st: ServiceTitanSimulator, naps: list[float]
) -> None:
    st.app.faults.rules = rules([{"do": {"status": 503, "body": {"title": SECRET}}}])
    with pytest.raises(TransientError, match=r"socal: GET /x: the server is in trouble \(503\)") as caught:
        get(client, st)
    assert SECRET not in str(caught.value)
    assert (client.calls, len(naps)) == (ATTEMPTS, ATTEMPTS - 1)
    assert all(0.375 * 2**n <= nap <= 0.625 * 2**n or nap >= 22 for n, nap in enumerate(naps))


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "7"}, {}, 7),
        ({"Retry-After": "0"}, {}, 0),
        ({"Retry-After": "2.5"}, {}, 2.5),
        ({}, {"title": "Rate limit is exceeded. Try again in 9 seconds."}, 9),
    ],
)
def test_it_waits_as_long_as_the_server_asks(
    client: Http,
    st: ServiceTitanSimulator,
    naps: list[float],
    headers: dict[str, str],
    body: dict[str, str],
    seconds: float,
) -> None:
    answer(st, {"status": 429, "headers": headers, "body": body})
    assert get(client, st) == {"good": True}
    assert len(naps) == 1
    assert seconds <= naps[0] <= seconds + 0.5


def test_it_understands_a_date_and_never_waits_for_ever(
    client: Http, st: ServiceTitanSimulator, naps: list[float]
) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    past = format_datetime(datetime(2001, 1, 1, tzinfo=UTC), usegmt=True)
    for asked in (soon, past, "86400", "tomorrow"):
        answer(st, {"status": 503, "headers": {"Retry-After": asked}})
        assert get(client, st) == {"good": True}
    to_date, to_past, to_day, to_nonsense = naps
    assert 15 < to_date < 21
    assert to_past < 1
    assert 30 <= to_day <= 61
    assert to_nonsense < 1


def test_no_answer_in_time_is_tried_again(st: ServiceTitanSimulator, naps: list[float]) -> None:
    client = Http("servicetitan", "socal", Pace(1000), timeout=0.1)
    answer(st, {"silence": 0.3, "status": 200, "body": {"late": True}})
    assert get(client, st) == {"good": True}
    assert len(naps) == 1
    client.close()


def test_a_server_that_is_not_there_is_told_by_kind(client: Http, naps: list[float]) -> None:
    with pytest.raises(TransientError, match=r"GET /x: the connection failed \(ConnectError\)"):
        client.json(lambda: client.request("GET", "http://127.0.0.1:9/x"))
    assert len(naps) == ATTEMPTS - 1


@pytest.mark.parametrize("per_second", [10, 60])
def test_a_pace_lets_no_more_calls_begin_than_the_rate(monkeypatch: pytest.MonkeyPatch, per_second: int) -> None:
    now = [1000.0]
    began: list[float] = []

    def sleep(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(http, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep, time=lambda: now[0]))
    pace = Pace(per_second)
    for _ in range(5 * per_second):
        pace.wait()
        began.append(now[0])
    lasted = began[-1] - began[0]
    assert 4.5 <= lasted <= 5.1
    now[0] += 100
    rested = now[0]
    for _ in range(per_second):
        pace.wait()
    assert now[0] - rested > 0.7, "a rest gives no credit for a flood"


def test_a_connection_is_awaited_no_longer_than_an_answer() -> None:
    for timeout, connect in ((5.0, 5.0), (60.0, 10.0)):
        made = Http("servicetitan", "socal", Pace(1000), timeout=timeout)
        assert (made._client.timeout.connect, made._client.timeout.read) == (connect, timeout)
        made.close()


@pytest.mark.parametrize("processes", [1, 3])
@pytest.mark.parametrize("per_second", [5, 60])
def test_no_second_sees_more_calls_begin_than_the_rate(
    monkeypatch: pytest.MonkeyPatch, per_second: int, processes: int
) -> None:
    """Each process has a clock of its own, and the one that is furthest behind goes on: as if they ran side by side."""
    draw = random.Random(7)  # noqa: S311 - no secret hangs on it
    clocks = [1000.0] * processes
    who = 0

    def sleep(seconds: float) -> None:
        clocks[who] += seconds + draw.uniform(0, LATE_SECONDS)  # nobody wakes on the dot

    monkeypatch.setattr(http, "time", SimpleNamespace(monotonic=lambda: clocks[who], sleep=sleep))
    shared = Pace(per_second)._own
    paces = [Pace(per_second, shared) for _ in range(processes)]
    began: list[float] = []
    for _ in range(100 * per_second):
        who = clocks.index(min(clocks))
        paces[who].wait()
        began.append(clocks[who])
        clocks[who] += draw.choice([0.0] * 60 + [0.01, 0.05, 0.09, 0.3, 2.0])  # work, and rests
    began.sort()
    most = max(sum(start <= other < start + 0.999999 for other in began[n : n + 200]) for n, start in enumerate(began))
    assert most == per_second
