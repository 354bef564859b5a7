"""Salesforce down, slow to answer, out of calls or out of patience with our session: nothing is lost or doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines_tests.acceptance.desk import (
    ACCOUNTS,
    CONTACTS,
    by_key,
    contact_of,
    many_customers,
    new_customer,
    one,
    parked,
    prove,
    retry,
)
from st_sf_pipelines_tests.acceptance.sale import MEMBERS, good_round

if TYPE_CHECKING:
    from st_sf_pipelines_tests.world import World

PASSING: dict[str, dict[str, Any]] = {
    "503": {"status": 503, "body": [{"errorCode": "SERVER_UNAVAILABLE", "message": "try later"}]},
    "500 in HTML": {"status": 500, "body": "<html>sorry</html>"},
    "a reset": {"reset": True},
    "a cut-off answer": {"truncate": 30},
    "garbage": {"garbage": True},
    "a reset after it was done": {"commit_then_reset": True},
    "too many at once": {
        "status": 403,
        "body": [
            {"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests (Concurrent API Requests) ..."}
        ],
    },
}


@pytest.mark.parametrize(
    ("fault", "customers"), [*((fault, 5) for fault in PASSING), ("503", 450), ("a reset after it was done", 450)]
)
def test_a_trouble_that_passes_loses_nothing_and_doubles_nothing(
    world: World, naps: list[float], fault: str, customers: int
) -> None:
    many_customers(world, customers)
    world.sf.set_faults(
        {"match": {"path": "/composite", "times": 1}, "do": PASSING[fault]},
        {"match": {"path": "/composite", "nth": 3}, "do": PASSING[fault]},
    )
    round_ = world.sync()
    assert (round_["status"], round_["error"]) == ("success", None)
    assert len(naps) == 2
    for name in ("Account", "Contact"):
        assert len(world.sf.records(name)) == len(by_key(world.sf, name)) == customers
    world.sf.set_faults()
    assert prove(world)["ok"]


def test_a_deleted_contact_to_which_a_new_record_points_is_listed_and_that_record_waits_for_it(world: World) -> None:
    [campaign] = world.sf.put_records("Campaign", {"Name": "High", "IsActive": True})
    world.extra["salesforce"] = {"campaigns": {"High Value": campaign}}
    world.write_site()
    ann = new_customer(world, "Ann Lee")
    good_round(world)
    world.sf.put_records("Contact", {"Id": by_key(world.sf, "Contact")[f"st_{ann}"]["Id"], "IsDeleted": True})
    world.st.put("invoices", [{"customer": {"id": ann, "name": "x"}, "subTotal": "6000.00", "total": "6000.00"}])
    for _ in range(2):
        part = good_round(world, "parked")
        assert [(row["object"], row["key"], row["code"]) for row in parked(world)] == [
            (CONTACTS, f"st_{ann}", "NOT_FOUND")
        ]
        assert (part["targets"][MEMBERS]["waiting"], part["targets"][MEMBERS]["parked"]) == (1, 0)
    assert retry(world, f"st_{ann}") == 1
    good_round(world)
    anew = next(row for row in world.sf.records("Contact") if not row["IsDeleted"])
    assert one(world, "CampaignMember")["ContactId"] == anew["Id"]
    assert prove(world)["ok"]


def test_salesforce_down_leaves_the_source_loaded_and_the_next_round_sends_all(world: World, naps: list[float]) -> None:
    many_customers(world, 20)
    world.sf.set_faults({"match": {"path": "/services/data"}, "do": {"status": 503}})
    down = world.sync()
    assert down["status"] == "failed"
    assert "salesforce: socal: POST composite: the server is in trouble (503)" in down["error"]
    assert sum(naps) > 20, "it was waited for"
    assert (down["entities"]["customers"]["new"], down["derived"]["segments"]) == (20, 20)
    assert world.sf.records("Account") == []
    world.sf.set_faults()
    up = world.sync()
    assert (up["status"], up["targets"][ACCOUNTS]["created"], up["targets"][CONTACTS]["created"]) == ("success", 20, 20)


def test_a_trouble_between_two_objects_keeps_what_the_first_has_done(world: World, naps: list[float]) -> None:
    many_customers(world, 20)
    world.sf.set_faults({"match": {"path": "sobjects/Contact"}, "do": {"reset": True}})
    broken = world.sync()
    assert (broken["status"], broken["targets"][ACCOUNTS]["created"]) == ("failed", 20)
    assert naps
    world.sf.set_faults()
    world.sf.count_anew()
    mended = world.sync()
    assert (mended["status"], mended["targets"][CONTACTS]["created"]) == ("success", 20)
    assert world.sf.counters["rows"]["Account"]["written"] == 0


def with_grant(world: World, **grant: str) -> None:
    sf = world.sf.credentials
    access = {"access_token": None, "instance_url": sf["instance_url"], "login_url": sf["login_url"], **grant}
    world.extra = {"salesforce": access}
    world.write_site()


GRANTS = {
    "a refresh token": ("refresh_token", "client_id"),
    "a refresh token and a secret": ("refresh_token", "client_id", "client_secret"),
    "a private key": ("username", "private_key", "client_id"),
    "client credentials": ("client_id", "client_secret"),
}


@pytest.mark.parametrize("grant", GRANTS)
def test_a_session_that_dies_in_the_middle_is_renewed_with(world: World, grant: str) -> None:
    many_customers(world, 450)
    with_grant(world, **{name: world.sf.credentials[name] for name in GRANTS[grant]})
    world.sf.set_faults({"match": {"path": "/composite", "nth": 1}, "do": {"expire_session": True}})
    round_ = world.sync()
    assert (round_["status"], round_["error"]) == ("success", None)
    assert len(world.sf.records("Contact")) == 450
    tokens = [call["count"] for call in world.sf.counters["calls"] if call["path"] == "/services/oauth2/token"]
    assert sum(tokens) == 2, "one to begin with, one renewal"


def test_a_session_that_dies_without_a_grant_says_so_and_what_is_missing(world: World) -> None:
    many_customers(world, 5)
    world.sf.expire_session()
    round_ = world.sync()
    assert round_["status"] == "failed"
    assert "salesforce: socal:" in round_["error"]
    assert "the access token has expired" in round_["error"]
    assert "refresh token" in round_["error"]
    assert world.sf.credentials["access_token"] not in round_["error"]
    assert round_["entities"]["customers"]["new"] == 5
    with_grant(world, **{name: world.sf.credentials[name] for name in GRANTS["client credentials"]})
    assert world.sync()["targets"][CONTACTS]["created"] == 5


def test_a_refresh_token_that_was_revoked_fails_the_target_with_the_reason(world: World) -> None:
    many_customers(world, 2)
    with_grant(world, refresh_token="5Aep8revoked", client_id=world.sf.credentials["client_id"])
    round_ = world.sync()
    assert round_["status"] == "failed"
    assert "POST /services/oauth2/token: the client id or secret is refused (400, invalid_grant)" in round_["error"]
    assert "revoked" not in round_["error"]


@pytest.mark.parametrize("used", [100, 99, 98])
def test_the_daily_limit_stops_the_target_and_the_next_day_it_goes_on(world: World, used: int) -> None:
    many_customers(world, 30)
    world.extra = {"salesforce": {"reserve": 0.0}}
    world.write_site()
    world.sf.set_limit(100, used=used)
    spent = world.sync()
    assert spent["status"] in ("failed", "stopped")
    assert "API calls" in spent["error"]
    made = 30 if used == 98 else 0
    assert (len(world.sf.records("Account")), len(world.sf.records("Contact"))) == (made, 0)
    assert parked(world) == [], "nothing was refused for good"
    world.sf.set_limit(100, used=0)
    next_day = world.sync()
    assert next_day["status"] == "success"
    assert (len(world.sf.records("Account")), len(world.sf.records("Contact"))) == (30, 30)


def test_what_changed_while_salesforce_was_down_is_sent_once_as_it_is_now(world: World) -> None:
    st_id = new_customer(world, "Ann Lee", phone="480-555-0101")
    world.sync()
    world.sf.set_limit(100, used=100)
    for phone in ("480-555-0102", "480-555-0103"):
        world.st.put("customer_contacts", [{"id": contact_of(world, st_id, "MobilePhone"), "value": phone}])
        assert world.sync()["status"] in ("failed", "stopped")
    world.sf.set_limit(100, used=0)
    world.sf.count_anew()
    assert world.sync()["status"] == "success"
    assert by_key(world.sf, "Account")[f"st_{st_id}"]["Phone"] == "480-555-0103"
    assert world.sf.counters["rows"]["Account"]["written"] == 1
