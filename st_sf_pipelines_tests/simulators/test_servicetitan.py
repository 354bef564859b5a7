"""The ServiceTitan stand-in answers as the published API does, over real HTTP."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from st_sf_pipelines.simulators.servicetitan import ServiceTitanSimulator, feed, scopes
from st_sf_pipelines.simulators.servicetitan.access import RateLimit
from st_sf_pipelines.simulators.servicetitan.entities import ENTITIES
from st_sf_pipelines.simulators.servicetitan.scopes import SCOPES
from st_sf_pipelines.simulators.shop import make_shop, stamps

from .caller import Caller
from .published import NOT_PUBLISHED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 1, 31, 15, 30, tzinfo=UTC)


@pytest.fixture
def st() -> Iterator[ServiceTitanSimulator]:
    shop = make_shop(customers=60, anchor=NOW)
    with ServiceTitanSimulator(shop, page_size=7, rate_limit=None, clock=lambda: NOW) as simulator:
        yield simulator


@pytest.fixture
def caller(st: ServiceTitanSimulator) -> Iterator[Caller]:
    with Caller(st) as caller:
        yield caller


def control(caller: Caller, name: str, **told: Any) -> dict[str, Any]:
    answer = caller.http.post(f"/_sim/{name}", json=told)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


# Answers have the published shape.


def test_money_is_a_string_on_invoices_and_a_number_elsewhere(caller: Caller) -> None:
    invoices, _ = caller.read("invoices")
    assert all(isinstance(invoice["total"], str) and invoice["total"][-3] == "." for invoice in invoices)
    assert all(isinstance(customer["balance"], float) for customer in caller.read("customers")[0])


def test_unknown_keys_come_with_jobs(caller: Caller) -> None:
    assert all(job.keys() >= NOT_PUBLISHED for job in caller.read("jobs")[0])


# Who may call.


def test_a_token_lives_for_the_time_it_says(st: ServiceTitanSimulator, caller: Caller) -> None:
    form = {"grant_type": "client_credentials", **{name: caller.who[name] for name in ("client_id", "client_secret")}}
    body = caller.http.post("/connect/token", data=form).json()
    assert body["expires_in"] == 900
    assert body["token_type"] == "Bearer"
    assert body["access_token"].count(".") == 2
    st.clock.shift(899)
    assert caller.get("jobs").status_code == 200
    st.clock.shift(1)
    assert caller.get("jobs").status_code == 401
    caller.login()
    assert caller.get("jobs").status_code == 200
    assert st.counters["token_calls"] == 3


def test_an_unknown_client_is_told_so(caller: Caller) -> None:
    form = {"grant_type": "client_credentials", "client_id": caller.who["client_id"], "client_secret": "wrong"}
    answer = caller.http.post("/connect/token", data=form)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_client"})


def test_a_call_needs_a_token_an_app_key_and_its_own_tenant(caller: Caller) -> None:
    path = f"/jpm/v2/tenant/{caller.who['id']}/export/jobs"
    assert caller.http.get(path).status_code == 200
    for headers, where, status in (
        ({"Authorization": ""}, path, 401),
        ({"Authorization": "Bearer made-up"}, path, 401),
        ({"ST-App-Key": "ak1.wrong"}, path, 401),
        ({}, path.replace(str(caller.who["id"]), "4711"), 403),
    ):
        answer = caller.http.get(where, headers=headers)
        assert answer.status_code == status
        assert answer.json().keys() == {"type", "title", "status", "traceId", "errors", "data"}
        assert answer.json()["status"] == status
    bare = caller.http.headers["Authorization"].removeprefix("Bearer ")
    assert caller.http.get(path, headers={"Authorization": bare}).status_code == 200


def test_a_token_opens_only_what_its_scopes_name(caller: Caller) -> None:
    assert control(caller, "scopes", lacks=["tn.acc.invoices:r", "tn.crm.customers:w"]) == {}
    assert caller.get("invoices").status_code == 200  # the token that was given before
    caller.login()
    for kind in ("feed", "list"):
        answer = caller.get("invoices", kind)
        assert (answer.status_code, answer.json()["status"]) == (403, 403)
        assert "tn.acc.invoices:r" in answer.json()["title"]
        assert caller.get("payments", kind).status_code == 200
    customer = f"/crm/v2/tenant/{caller.who['id']}/customers/{caller.page('customers')['data'][0]['id']}"
    assert caller.http.get(customer).status_code == 200
    assert caller.http.patch(customer, json={"name": "Ann"}).status_code == 403
    assert caller.http.post("/_sim/scopes", json={"lacks": ["tn.acc.invoice:r"]}).status_code == 400
    form = {"grant_type": "client_credentials", **{name: caller.who[name] for name in ("client_id", "client_secret")}}
    told = caller.http.post("/connect/token", data=form).json()["scope"].split()
    assert set(SCOPES) - set(told) == {"tn.acc.invoices:r", "tn.crm.customers:w"}
    for entity in ENTITIES:
        for rest in filter(None, (entity.feed, entity.alias, entity.listed)):
            assert scopes.needed("GET", entity.module, rest) in SCOPES


def test_a_shops_file_may_leave_a_tenant_without_a_scope() -> None:
    tenant = {"id": 5, "name": "one", "customers": 3, "lacks": ["tn.jpm.jobs:r"]}
    with ServiceTitanSimulator({"tenants": [tenant]}) as simulator, Caller(simulator) as caller:
        assert [caller.get(entity).status_code for entity in ("customers", "jobs")] == [200, 403]
    with pytest.raises(ValueError, match="unknown scopes"):
        ServiceTitanSimulator({"tenants": [{**tenant, "lacks": ["jobs"]}]})


def test_tenants_read_only_their_own() -> None:
    shop = make_shop("two-regions", customers=10, anchor=NOW)
    with (
        ServiceTitanSimulator(shop, clock=lambda: NOW) as simulator,
        Caller(simulator, 0) as socal,
        Caller(simulator, 1) as dallas,
    ):
        ids = [{record["id"] for record in caller.read("customers")[0]} for caller in (socal, dallas)]
        assert [len(found) for found in ids] == [10, 10]
        assert not ids[0] & ids[1]
        assert socal.http.get(f"/crm/v2/tenant/{dallas.who['id']}/customers").status_code == 403


def test_a_wrong_path_gets_the_gateways_answer(caller: Caller) -> None:
    answer = caller.http.get(f"/crm/v2/tenant/{caller.who['id']}/custmers")
    assert answer.status_code == 404
    assert "traceId" not in answer.json()


def test_too_many_calls_are_refused_with_the_time_to_wait(st: ServiceTitanSimulator, caller: Caller) -> None:
    moments = [0.0]
    st.world.rate_limit = RateLimit(3, timer=lambda: moments[0])
    assert [caller.get("jobs").status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = caller.get("jobs")
    assert answer.headers["Retry-After"] == "1"
    assert answer.json()["title"] == "Rate limit is exceeded. Try again in 1 seconds."
    moments[0] = 1.0
    assert caller.get("jobs").status_code == 200


# Feeds.


def test_equal_stamps_across_page_boundaries_lose_nothing(st: ServiceTitanSimulator, caller: Caller) -> None:
    stamp = "2026-01-15T08:00:00.1234567Z"
    st.put("customers", [{"name": f"C{number}", "modifiedOn": stamp} for number in range(30)])
    for size in (1, 4, 7, 1000):
        st.world.page_size = size
        records, _ = caller.read("customers")
        assert len({record["id"] for record in records}) == len(records) == 90
        assert sum(record["modifiedOn"] == stamp for record in records) == 30


def test_a_page_that_is_kept_is_the_page_that_would_be_made() -> None:
    shop = make_shop(customers=60, anchor=NOW)
    table, query, terms = shop.tenant().tables["customers"], {"includeRecentChanges": "true"}, feed.Terms(7)
    pages, now = feed.Pages(most_bytes=20_000), stamps.ticks(NOW)
    for _ in range(2):
        token: str | None = ""
        while token is not None:
            asked = {**query, "from": token}
            made = feed.page(table, asked, now, terms)
            assert orjson.loads(pages.body(table, asked, now, terms)) == made
            token = made["continueFrom"] if made["hasMore"] else None
        assert sum(map(len, pages._kept.values())) == pages._bytes <= 20_000
    first = next(key for _, key in table.walk(feed.START))
    assert shop.tenant().put("customers", [{"id": first, "name": "Moved"}], now) == [first]
    body = orjson.loads(pages.body(table, {**query, "from": ""}, now, terms))
    assert first not in [record["id"] for record in body["data"]]


def test_a_page_holds_as_many_records_as_the_knob_says(caller: Caller) -> None:
    page = caller.page("customers")
    assert len(page["data"]) == 7
    assert page["hasMore"] is True
    moments = [record["modifiedOn"][:19] for record in caller.read("customers")[0]]
    assert moments == sorted(moments)


def test_inactive_records_come_in_the_feed(st: ServiceTitanSimulator, caller: Caller) -> None:
    customer = caller.page("customers")["data"][0]["id"]
    st.put("customers", [{"id": customer, "active": False}])
    records, _ = caller.read("customers", includeRecentChanges=True)
    assert [record["active"] for record in records if record["id"] == customer] == [False]


def test_a_change_shows_after_15_minutes_unless_recent_changes_are_asked_for(
    st: ServiceTitanSimulator, caller: Caller
) -> None:
    _, token = caller.read("customers")
    [new] = st.put("customers", [{"name": "Young"}])
    assert caller.page("customers", from_=token)["data"] == []
    assert [record["id"] for record in caller.page("customers", from_=token, includeRecentChanges=True)["data"]] == [
        new
    ]
    st.clock.shift(15 * 60 - 0.001)
    caller.login()
    assert caller.page("customers", from_=token)["data"] == []
    st.clock.shift(0.001)
    assert [record["id"] for record in caller.page("customers", from_=token)["data"]] == [new]


def test_young_records_repeat_until_they_are_old(st: ServiceTitanSimulator, caller: Caller) -> None:
    _, token = caller.read("customers", includeRecentChanges=True)
    st.put("customers", [{"name": f"Y{number}"} for number in range(10)])
    for _ in range(3):
        records, token = caller.read("customers", token, includeRecentChanges=True)
        assert [record["name"] for record in records] == [f"Y{number}" for number in range(10)]
    st.clock.shift(15 * 60)
    caller.login()
    records, token = caller.read("customers", token, includeRecentChanges=True)
    assert len(records) == 10
    assert caller.read("customers", token, includeRecentChanges=True) == ([], token)


def test_a_reader_that_stops_only_at_an_empty_page_ends(st: ServiceTitanSimulator, caller: Caller) -> None:
    st.put("customers", [{"name": "Young"}])
    token, seen = "", 0
    for _ in range(60):
        page = caller.page("customers", from_=token)
        token = page["continueFrom"]
        seen += len(page["data"])
        if not page["data"]:
            break
    assert page == {"hasMore": False, "continueFrom": token, "data": []}
    assert seen == 60
    for _ in range(3):
        assert caller.page("customers", from_=token) == page


@pytest.mark.parametrize("recent", [True, False])
def test_a_record_that_comes_late_with_an_old_stamp_is_not_lost(
    st: ServiceTitanSimulator, caller: Caller, *, recent: bool
) -> None:
    query: dict[str, Any] = {"includeRecentChanges": recent}
    _, token = caller.read("customers", **query)
    [late] = st.put("customers", [{"name": "Late", "modifiedOn": "2025-12-01T00:00:00Z"}])
    records, token = caller.read("customers", token, **query)
    assert [record["id"] for record in records] == [late]
    assert caller.read("customers", token, **query) == ([], token)


def test_from_takes_a_date_inclusively(st: ServiceTitanSimulator, caller: Caller) -> None:
    st.put("jobs", [{"id": 1, "modifiedOn": "2026-01-20T00:00:00Z"}])
    everything, _ = caller.read("jobs")
    for since in ("2026-01-20", "2026-01-20T00:00:00Z", "2026-01-20T00:00:00.0000000Z"):
        records, _ = caller.read("jobs", since)
        assert 1 in [record["id"] for record in records]
        expected = [record for record in everything if record["modifiedOn"] >= "2026-01-20T00:00:00Z"]
        assert sorted(record["id"] for record in records) == sorted(record["id"] for record in expected)
    assert 1 not in [record["id"] for record in caller.read("jobs", "2026-01-20T00:00:00.0000001Z")[0]]


@pytest.mark.parametrize("token", ["nonsense", "2026-99-01", "W10", "%%%"])
def test_a_token_that_is_none_is_refused_by_name(caller: Caller, token: str) -> None:
    answer = caller.get("jobs", from_=token)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["from"]


def test_a_contact_moves_alone_and_a_balance_moves_its_customer(st: ServiceTitanSimulator, caller: Caller) -> None:
    contact = caller.page("customer_contacts")["data"][0]
    customer = caller.page("customers", "list", ids=contact["customerId"], active="Any")["data"][0]
    _, token = caller.read("customers")
    st.put("customer_contacts", [{"id": contact["id"], "value": "6195550100"}])
    assert caller.read("customers", token, includeRecentChanges=True)[0] == []
    st.put("customers", [{"id": customer["id"], "balance": 12.5}], accounting=True)
    [moved] = caller.read("customers", token, includeRecentChanges=True)[0]
    assert moved == {**customer, "balance": 12.5}
    query = {"modifiedOnOrAfter": NOW.isoformat(), "active": "Any"}
    assert len(caller.page("customers", "list", **query)["data"]) == 1
    query["excludeAccountingChangesFromModifiedDateRange"] = "true"
    assert caller.page("customers", "list", **query)["data"] == []


def test_broken_records_are_served_as_they_are(st: ServiceTitanSimulator, caller: Caller) -> None:
    broken: list[dict[str, Any]] = [
        {"name": "no id"},
        {"id": "x", "modifiedOn": "yesterday"},
        {"id": 3, "name": None, "balance": "a lot"},
    ]
    _, token = caller.read("customers")
    st.put("customers", broken, raw=True)
    assert caller.read("customers", token, includeRecentChanges=True)[0] == broken


# Lists.


def test_lists_come_newest_id_first_in_pages_of_50(caller: Caller) -> None:
    first = caller.page("jobs", "list")
    assert (first["page"], first["pageSize"], first["hasMore"], first["totalCount"]) == (1, 50, True, None)
    counted = caller.page("jobs", "list", page=3, pageSize=50, includeTotal=True)
    assert (counted["hasMore"], counted["totalCount"], len(counted["data"])) == (False, 115, 15)
    ids = [record["id"] for record in caller.page("jobs", "list", pageSize=5000)["data"]]
    assert ids == sorted(ids, reverse=True)
    assert ids[:50] == [record["id"] for record in first["data"]]
    assert ids[100:] == [record["id"] for record in counted["data"]]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"pageSize": 5001}, "pageSize"),
        ({"pageSize": 0}, "pageSize"),
        ({"page": "x"}, "page"),
        ({"page": -1}, "page"),
        ({"modifiedBefore": "soon"}, "modifiedBefore"),
        ({"ids": ",".join(map(str, range(51)))}, "ids"),
        ({"ids": "a"}, "ids"),
        ({"active": "maybe"}, "active"),
        ({"sort": "+Shoe"}, "sort"),
    ],
)
def test_a_wrong_parameter_is_named(caller: Caller, query: dict[str, Any], field: str) -> None:
    answer = caller.get("customers", "list", **query)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_parameters_that_a_list_has_not_are_ignored(caller: Caller) -> None:
    assert caller.page("jobs", "list", continueFrom="x", shoe=9) == caller.page("jobs", "list")
    assert caller.page("job_cancel_reasons", "list", ids=1) == caller.page("job_cancel_reasons", "list")
    assert caller.page("business_units", "list", sort="+Shoe") == caller.page("business_units", "list")


def test_the_names_of_parameters_bind_in_any_case(caller: Caller) -> None:
    page = caller.page("jobs", "list", PageSize=3, INCLUDETOTAL="true", modifiedonorafter="2026-01-01")
    assert page == caller.page("jobs", "list", pageSize=3, includeTotal=True, modifiedOnOrAfter="2026-01-01")
    assert len(page["data"]) == 3
    assert page["totalCount"] < 115


def test_active_records_alone_are_the_default(st: ServiceTitanSimulator, caller: Caller) -> None:
    for entity, name, words in (
        ("customers", "active", ("True", "False", "Any")),
        ("invoices", "activeState", ("ActiveOnly", "InactiveOnly", "All")),
    ):
        [gone] = st.put(entity, [{"active": False}])
        counts = [caller.page(entity, "list", includeTotal=True, **{name: word})["totalCount"] for word in words]
        assert counts[0] + counts[1] == counts[2] == len(st.shop.tenant().tables[entity])
        assert caller.page(entity, "list", includeTotal=True)["totalCount"] == counts[0]
        assert caller.page(entity, "list", ids=gone)["data"] == []


def test_deleted_contacts_and_jobs_are_not_in_lists(st: ServiceTitanSimulator, caller: Caller) -> None:
    for entity in ("customer_contacts", "jobs"):
        [gone] = st.put(entity, [{"active": False, "customerId": 1}])
        listed = caller.page(entity, "list", pageSize=5000, modifiedOnOrAfter="2000-01-01")["data"]
        assert gone not in [record["id"] for record in listed]
        assert all("active" not in record for record in listed)


def test_modified_bounds_take_the_first_and_leave_the_last(st: ServiceTitanSimulator, caller: Caller) -> None:
    st.put("jobs", [{"id": day, "modifiedOn": f"2030-01-0{day}T00:00:00Z"} for day in (1, 2, 3)])
    query = {"modifiedOnOrAfter": "2030-01-01T00:00:00Z", "modifiedBefore": "2030-01-03T00:00:00Z"}
    assert [job["id"] for job in caller.page("jobs", "list", **query)["data"]] == [2, 1]
    query = {"createdOnOrAfter": "2026-01-31T15:30:00Z", "createdBefore": "2026-01-31T15:30:00.0000001Z"}
    assert [job["id"] for job in caller.page("jobs", "list", **query)["data"]] == [3, 2, 1]
    ups = [job["id"] for job in caller.page("jobs", "list", sort="+ModifiedOn", pageSize=5000)["data"]]
    downs = [job["id"] for job in caller.page("jobs", "list", sort="-ModifiedOn", pageSize=5000)["data"]]
    assert ups[-3:] == [1, 2, 3]
    assert downs == ups[::-1]


def test_a_list_of_contacts_wants_a_filter(caller: Caller) -> None:
    assert caller.get("customer_contacts", "list").status_code == 400
    owner = caller.page("customer_contacts")["data"][0]["customerId"]
    found = caller.page("customer_contacts", "list", customerIds=owner)["data"]
    assert {contact["customerId"] for contact in found} <= {owner}


def test_filters_find_records(st: ServiceTitanSimulator, caller: Caller) -> None:
    [customer] = st.put("customers", [{"name": "Zebedee Quill", "address": {"city": "Waco"}}])
    st.put("customer_contacts", [{"customerId": customer, "type": "Phone", "value": "(254) 555-0199"}])
    st.put("jobs", [{"customerId": customer, "jobStatus": "Hold"}])
    for query in ({"name": "zebedee"}, {"city": "Waco"}, {"phone": "2545550199"}):
        assert [record["id"] for record in caller.page("customers", "list", **query)["data"]] == [customer]
    assert len(caller.page("jobs", "list", customerId=customer, jobStatus="Hold")["data"]) == 1
    assert caller.page("jobs", "list", customerId=customer, jobStatus="Completed")["data"] == []


# Faults.


def test_statuses_strike_the_calls_that_a_rule_names(caller: Caller) -> None:
    do = {"status": 503, "headers": {"Retry-After": "2"}, "body": {"title": "busy"}}
    control(caller, "faults", rules=[{"match": {"entity": "jobs", "nth": 2}, "do": do}])
    answers = [caller.get("jobs") for _ in range(3)] + [caller.get("customers")]
    assert [answer.status_code for answer in answers] == [200, 503, 200, 200]
    assert answers[1].headers["Retry-After"] == "2"
    assert answers[1].json() == {"title": "busy"}
    control(caller, "faults", rules=[{"match": {"path": "/export/", "every": 3}, "do": {"status": 500}}])
    assert [caller.get("jobs").status_code for _ in range(6)] == [200, 200, 500, 200, 200, 500]
    control(
        caller, "faults", rules=[{"match": {"path": "/connect", "method": "POST", "times": 2}, "do": {"status": 502}}]
    )
    assert [caller.http.post("/connect/token").status_code for _ in range(3)] == [502, 502, 400]
    assert control(caller, "faults", rules=[]) == {"rules": []}


def test_connections_break_and_bodies_are_cut(caller: Caller) -> None:
    control(caller, "faults", rules=[{"match": {"times": 1}, "do": {"reset": True}}])
    with pytest.raises(httpx.RemoteProtocolError):
        caller.get("jobs")
    control(caller, "faults", rules=[{"match": {"times": 1}, "do": {"truncate": 40}}])
    assert len(caller.get("jobs").content) == 40
    control(caller, "faults", rules=[{"match": {"times": 1}, "do": {"garbage": True}}])
    answer = caller.get("jobs")
    assert answer.status_code == 200
    assert answer.text.startswith("<html>")
    control(caller, "faults", rules=[{"match": {"times": 1}, "do": {"silence": 0.2}}])
    with pytest.raises(httpx.TimeoutException):
        caller.http.get(f"/jpm/v2/tenant/{caller.who['id']}/export/jobs", timeout=0.02)
    assert caller.get("jobs").status_code == 200


def test_tokens_expire_and_pages_repeat(caller: Caller) -> None:
    control(caller, "faults", rules=[{"match": {"nth": 2}, "do": {"expire_token": True}}])
    assert [caller.get("jobs").status_code for _ in range(3)] == [200, 401, 401]
    caller.login()
    control(caller, "faults", rules=[{"match": {"entity": "jobs", "nth": 2}, "do": {"repeat_page": True}}])
    first = caller.page("jobs")
    second = caller.page("jobs", from_=first["continueFrom"])
    assert second["hasMore"] is True
    assert caller.page("jobs", from_=second["continueFrom"])["data"] == second["data"]
    control(caller, "faults", rules=[{"match": {"times": 1}, "do": {"null_token": True}}])
    assert caller.page("jobs")["continueFrom"] is None


def test_a_rule_with_unknown_words_is_refused(caller: Caller) -> None:
    unknown: list[dict[str, Any]] = [
        {"explode": True},
        {"match": {"entty": "jobs"}, "do": {"reset": True}},
        {"match": {}},
    ]
    for rule in unknown:
        assert caller.http.post("/_sim/faults", json={"rules": [rule]}).status_code == 400


# Control, and the process.


def test_calls_are_counted_by_entity_path_and_status(st: ServiceTitanSimulator, caller: Caller) -> None:
    caller.page("jobs")
    caller.page("jobs", "list")
    caller.get("jobs", from_="nonsense")
    assert caller.http.get("/_sim/counters").json() == st.counters
    assert st.counters["calls"] == 3
    assert st.counters["by_entity"] == {"jobs": {"feed": 2, "list": 1}}
    assert st.counters["by_status"] == {"200": 3, "400": 1}
    assert st.counters["by_path"][f"/jpm/v2/tenant/{caller.who['id']}/export/jobs"] == 2
    assert caller.http.delete("/_sim/counters").json()["calls"] == 0


def test_a_test_in_another_process_drives_shop_and_clock(caller: Caller) -> None:
    [new] = control(caller, "records", entity="customers", tenant="perfect-catch", records=[{"name": "Remote"}])["ids"]
    control(
        caller, "records", entity="customers", modifiedOn="2026-01-01T00:00:00Z", records=[{"id": new, "balance": 1}]
    )
    [record] = caller.http.get("/_sim/records", params={"entity": "customers", "ids": new}).json()["records"]
    assert (record["name"], record["balance"], record["modifiedOn"]) == ("Remote", 1, "2026-01-01T00:00:00Z")
    assert len(control(caller, "tick", events=4)["events"]) == 4
    assert control(caller, "clock", shift_seconds=60) == {"now": "2026-01-31T15:31:00Z", "stopped": False}
    assert control(caller, "clock", now="2027-01-01T00:00:00Z", stop=True)["stopped"] is True
    assert caller.http.get("/_sim/clock").json()["now"] == "2027-01-01T00:00:00Z"
    control(caller, "expire")
    assert caller.get("jobs").status_code == 401
    assert caller.http.post("/_sim/records", json={"entity": "widgets", "records": [{}]}).status_code == 400


def test_a_living_shop_changes_by_itself() -> None:
    shop = make_shop(customers=10, anchor=NOW)
    tables = shop.tenant().tables.values()
    with ServiceTitanSimulator(shop, live=0.001, clock=lambda: NOW) as simulator:
        while not any(table.version for table in tables):
            httpx.get(simulator.url + "/_sim/clock")


def test_the_clock_stops_and_goes_on(st: ServiceTitanSimulator) -> None:
    st.clock.stop()
    st.clock.shift(30)
    st.clock.run()
    assert st.clock.now() == NOW + timedelta(seconds=30)


def test_the_first_line_has_all_that_a_client_needs_and_the_same_at_each_start(tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('[{"match": {"entity": "jobs"}, "do": {"status": 503}}]')
    program = (
        "import sys; from st_sf_pipelines.simulators.servicetitan import ServiceTitanSimulator; "
        "ServiceTitanSimulator('perfect-catch', customers=10, page_size=3, faults=sys.argv[1]).serve()"
    )
    lines = []
    for end in (signal.SIGTERM, signal.SIGINT):
        command = [sys.executable, "-W", "error", "-c", program, str(faults)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout
            line = orjson.loads(process.stdout.readline())
            lines.append({name: value for name, value in line.items() if "url" not in name})
            with httpx.Client(base_url=line["api_url"]) as http:
                form = {"grant_type": "client_credentials", "client_id": line["client_id"]}
                form["client_secret"] = line["client_secret"]
                token = http.post(line["auth_url"], data=form).json()["access_token"]
                http.headers = httpx.Headers({"Authorization": f"Bearer {token}", "ST-App-Key": line["app_key"]})
                page = http.get(f"/crm/v2/tenant/{line['tenant_id']}/export/customers").json()
                assert len(page["data"]) == 3
                assert http.get(f"/jpm/v2/tenant/{line['tenant_id']}/export/jobs").status_code == 503
            process.send_signal(end)
            out, err = process.communicate()
            assert (process.returncode, out, err) == (0, b"", b"")
    assert lines[0] == lines[1]
    assert lines[0].keys() == {
        "system", "client_id", "client_secret", "app_key", "tenant_id", "timezone", "tenants",
    }  # fmt: skip
    assert lines[0]["tenants"][0].keys() == {"name", "id", "timezone", "client_id", "client_secret", "app_key"}
