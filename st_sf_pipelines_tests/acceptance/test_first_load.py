"""The first load: every customer arrives, whole and exact, in a handful of calls; and then there is nothing to do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines.simulators.shop import make_shop
from st_sf_pipelines_tests.acceptance.desk import (
    ACCOUNTS,
    CONTACTS,
    by_key,
    calls,
    many_customers,
    new_customer,
    one,
    prove,
)
from st_sf_pipelines_tests.acceptance.model import expected
from st_sf_pipelines_tests.world import World, small_shop

if TYPE_CHECKING:
    from pathlib import Path

    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld

NOON = "2026-01-31T20:00:00Z"


def shop_of(customers: int) -> Any:
    return make_shop(small_shop(customers), anchor=datetime(2026, 1, 31, tzinfo=UTC))


@pytest.mark.parametrize("page_size", [7, 1000])
def test_every_customer_arrives_as_account_and_contact_with_the_fields_of_section_5(
    open_world: OpenWorld, page_size: int
) -> None:
    world = open_world(shop_of(60), page_size=page_size)
    round_ = world.sync(as_of=NOON)
    assert round_["status"] == "success"
    assert {round_["derived"][each] for each in ("profiles", "segments", "states")} == {60}
    accounts, contacts = by_key(world.sf, "Account"), by_key(world.sf, "Contact")
    wanted = expected(world.st.shop.tenant(), datetime.fromisoformat(NOON))
    assert len(wanted) == 60
    assert {key: {n: row[n] for n in wanted[key].account} for key, row in accounts.items()} == {
        key: each.account for key, each in wanted.items()
    }
    assert {key: {n: row[n] for n in wanted[key].contact} for key, row in contacts.items()} == {
        key: each.contact for key, each in wanted.items()
    }
    assert {key: row["AccountId"] for key, row in contacts.items()} == {key: row["Id"] for key, row in accounts.items()}
    assert all(row["Last_Sync_DateTime__c"] == "2026-01-31T20:00:00.000+0000" for row in contacts.values())
    assert len({row["Customer_Segment__c"] for row in accounts.values()}) == 5, "the shop shows every segment"


def test_450_customers_take_two_calls_an_object_and_a_second_round_none(open_world: OpenWorld) -> None:
    world = open_world(shop_of(450))
    first = world.sync(as_of=NOON)
    created = {asset: row["created"] for asset, row in first["targets"].items() if row["created"]}
    assert (created[ACCOUNTS], created[CONTACTS]) == (450, 450)
    assert all(row["calls"] <= 2 for row in first["targets"].values())
    assert calls(world.sf) <= 2 * len(created)
    assert world.sf.counters["auto_assign"].keys() == {"FALSE"}
    world.sf.count_anew()
    again = world.sync(as_of=NOON)
    assert again["status"] == "success"
    assert set(again["derived_changed"].values()) == {0}
    assert {row[what] for row in again["targets"].values() for what in ("planned", "created", "updated", "calls")} == {
        0
    }
    assert world.sf.counters["requests"] == 0


def test_a_round_of_everybody_finds_nothing_to_send_either(world: World) -> None:
    many_customers(world, 20)
    world.sync()
    world.sf.count_anew()
    again = world.sync(scope="all", full=True)
    assert again["targets"][CONTACTS]["unchanged"] == 20
    assert world.sf.counters["requests"] == 0


def test_a_customer_without_name_contacts_and_address_arrives(world: World) -> None:
    bare = {"street": None, "unit": None, "city": None, "state": None, "zip": None, "country": None}
    st_id = new_customer(world, "", address=bare)
    assert world.sync()["status"] == "success"
    assert one(world, "Account")["Name"] == one(world, "Contact")["LastName"] == f"Customer st_{st_id}"
    assert one(world, "Contact")["MailingCountry"] is None


def test_rounds_in_any_grouping_leave_the_same_org(
    database_url: str, another_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shop that lives: a round after each event, and one round after all of them, come to the same end."""
    moment = datetime(2026, 2, 1, 18, tzinfo=UTC)
    ended = []
    for url, group in ((database_url, 1), (another_database_url, 24)):
        with World.opened(url, tmp_path, monkeypatch, shop_of(12), clock=lambda: moment) as world:
            for _ in range(24 // group):
                world.st.tick(group)
                assert world.sync(as_of=moment.isoformat())["status"] == "success"
            ended.append({name: by_key(world.sf, name) for name in ("Account", "Contact")})
            assert prove(world)["ok"]
    assert _values(ended[0]) == _values(ended[1])


def _values(objects: dict[str, dict[str, dict[str, Any]]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Leave out what Salesforce itself gives a record: ids and stamps."""
    own = ("Id", "AccountId", "CreatedDate", "LastModifiedDate", "SystemModstamp")
    return {
        name: {key: {n: v for n, v in row.items() if n not in own} for key, row in rows.items()}
        for name, rows in objects.items()
    }
