"""What a reader must bear: late, broken and unordered records, refused tokens, changes and merges that nobody tells."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from st_sf_pipelines.simulators.servicetitan import ServiceTitanSimulator
from st_sf_pipelines.simulators.shop import make_shop

from .caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 1, 31, 15, 30, tzinfo=UTC)


@pytest.fixture
def st() -> Iterator[ServiceTitanSimulator]:
    shop = make_shop(customers=30, anchor=NOW)
    with ServiceTitanSimulator(shop, page_size=10, rate_limit=None, clock=lambda: NOW) as simulator:
        yield simulator


@pytest.fixture
def caller(st: ServiceTitanSimulator) -> Iterator[Caller]:
    with Caller(st) as caller:
        yield caller


def strike(caller: Caller, **deed: Any) -> None:
    rule = {"match": {"entity": "customers", "nth": 1}, "do": deed}
    assert caller.http.post("/_sim/faults", json={"rules": [rule]}).status_code == 200


def ids(records: list[dict[str, Any]]) -> list[Any]:
    return [record.get("id") for record in records]


def test_a_record_held_back_comes_with_the_next_page(caller: Caller) -> None:
    whole = ids(caller.read("customers")[0])
    strike(caller, late_record=2)
    first = caller.page("customers")
    assert ids(first["data"]) == whole[2:10]
    second = caller.page("customers", from_=first["continueFrom"])
    assert ids(second["data"]) == whole[:2] + whole[10:20]


def test_a_page_comes_out_of_order(caller: Caller) -> None:
    whole = ids(caller.read("customers")[0])
    strike(caller, out_of_order=True)
    records, _ = caller.read("customers")
    assert ids(records) == whole[9::-1] + whole[10:]


def test_an_id_is_missing_and_a_type_is_wrong(caller: Caller) -> None:
    strike(caller, missing_id=True, wrong_type={"balance": "a lot"})
    page = caller.page("customers")
    assert "id" not in page["data"][0]
    assert page["data"][0]["balance"] == "a lot"
    assert len(page["data"]) == 10
    strike(caller, wrong_type=True)
    assert caller.page("customers")["data"][0]["modifiedOn"] == "yesterday"


def test_a_token_that_the_server_no_longer_accepts_is_refused_by_name(
    st: ServiceTitanSimulator, caller: Caller
) -> None:
    _, token = caller.read("customers")
    strike(caller, refuse_token=True)
    answers = [caller.get("customers", from_=token) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 200]
    assert list(answers[0].json()["errors"]) == ["from"]
    st.forget_feed_tokens()
    for _ in range(2):
        assert caller.get("customers", from_=token).status_code == 400
    assert len(caller.read("customers", "2000-01-01")[0]) == 30
    _, token = caller.read("customers")
    caller.http.post("/_sim/forget")
    assert caller.get("customers", from_=token).status_code == 400


def test_a_silence_longer_than_a_reader_waits(caller: Caller) -> None:
    strike(caller, silence=True)
    with pytest.raises(httpx.TimeoutException):
        caller.http.get(f"/crm/v2/tenant/{caller.who['id']}/customers", timeout=0.05)
    assert caller.get("customers").status_code == 200


def test_a_silent_change_is_told_by_no_feed_and_found_by_id(st: ServiceTitanSimulator, caller: Caller) -> None:
    whole, token = caller.read("customers", includeRecentChanges=True)
    first, second = whole[0]["id"], whole[1]["id"]
    st.put("customers", [{"id": first, "name": "Quietly Renamed"}], silent=True)
    strike(caller, silent_change={"id": second, "name": "Renamed Too"})
    assert caller.read("customers", token, includeRecentChanges=True)[0] == []
    for key, before, name in ((first, whole[0], "Quietly Renamed"), (second, whole[1], "Renamed Too")):
        [now] = caller.page("customers", "list", ids=key, active="Any")["data"]
        assert now == {**before, "name": name}
    changed, _ = caller.read("customers")
    assert ids(changed) == ids(whole)
    st.put("customers", [{"id": first, "balance": 5}])
    [told] = caller.read("customers", token, includeRecentChanges=True)[0]
    assert (told["id"], told["name"], told["balance"]) == (first, "Quietly Renamed", 5)


@pytest.mark.parametrize("silent", [False, True])
def test_a_merged_customer_is_inactive_until_it_is_unmerged(
    st: ServiceTitanSimulator, caller: Caller, *, silent: bool
) -> None:
    active = caller.page("customers", "list", pageSize=5000)["data"]
    gone, into = active[0]["id"], active[1]["id"]
    _, token = caller.read("customers", includeRecentChanges=True)
    st.merge(gone, into, silent=silent)
    [record] = caller.page("customers", "list", ids=gone, active="Any")["data"]
    assert (record["active"], record["mergedToId"]) == (False, into)
    assert gone not in ids(caller.page("customers", "list", pageSize=5000)["data"])
    told = caller.read("customers", token, includeRecentChanges=True)[0]
    assert told == ([] if silent else [record])
    assert (record["modifiedOn"] == active[0]["modifiedOn"]) is silent
    caller.http.post("/_sim/merge", json={"customer": gone, "into": None, "silent": silent})
    [record] = caller.page("customers", "list", ids=gone)["data"]
    assert (record["active"], record["mergedToId"]) == (True, None)
    assert caller.http.post("/_sim/merge", json={"customer": gone, "into": 5}).status_code == 400


def test_the_shop_has_merged_customers_and_a_chain() -> None:
    table = make_shop(anchor=NOW).tenant().tables["customers"]
    merged = {key: record["mergedToId"] for key in table.keys() if (record := table.get(key))["mergedToId"]}  # noqa: SIM118
    assert len(merged) == 12
    assert any(into in merged for into in merged.values())
    assert not any(table.get(key)["active"] for key in merged)


def test_a_share_of_the_calls_fails_here_and_there(caller: Caller) -> None:
    rule = {"match": {"path": "/jobs", "share": 0.2}, "do": {"status": 502}}
    caller.http.post("/_sim/faults", json={"rules": [rule]})
    answers = [caller.get("jobs").status_code for _ in range(200)]
    assert 20 < answers.count(502) < 60
    assert answers.count(502) + answers.count(200) == 200
    gaps = {after - before for before, after in pairwise([n for n, status in enumerate(answers) if status == 502])}
    assert len(gaps) > 3
    caller.http.post("/_sim/faults", json={"rules": [rule]})
    assert [caller.get("jobs").status_code for _ in range(200)] == answers
