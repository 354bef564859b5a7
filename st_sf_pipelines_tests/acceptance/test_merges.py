"""A merged customer's jobs and invoices count for its survivor, and come back when the merge is undone (EXT-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from st_sf_pipelines_tests.world import World

ANN, BEN, CAL = 11, 12, 13


@pytest.fixture
def three(world: World) -> World:
    """Give a world of three customers with an invoice of 100 dollars each, after its first round."""
    world.st.put("customers", [{"id": n, "name": f"Ann Lee{n}", "type": "Residential"} for n in (ANN, BEN, CAL)])
    invoices = [{"id": 50 + n, "customer": {"id": n, "name": "x"}, "total": "100.00"} for n in (ANN, BEN, CAL)]
    world.st.put("invoices", invoices)
    world.sync()
    return world


def worth(world: World) -> dict[int, int]:
    """Give what each customer is worth; a negative number for one that is inactive."""
    rows = world.rows("SELECT st_id, lifetime_value, active FROM customers.profile")
    return {row["st_id"]: int(row["lifetime_value"]) if row["active"] else -1 for row in rows}


def merge(world: World, who: int, into: int | None) -> None:
    world.st.put("customers", [{"id": who, "mergedToId": into, "active": into is None}])
    done = world.sync()
    assert done["status"] == "success", done["error"]


def test_a_merged_customer_hands_over_and_is_left_with_nothing(three: World) -> None:
    merge(three, BEN, ANN)
    assert worth(three) == {ANN: 200, BEN: -1, CAL: 100}
    accounts = {row["Name"]: row for row in three.sf.records("Account")}
    assert accounts["Ann Lee11"]["Lifetime_Value__c"] == 200
    assert accounts["Ann Lee12"]["Lifetime_Value__c"] == 0
    assert accounts["Ann Lee12"]["Customer_Segment__c"] == "Standard"
    assert {row["LastName"]: row["Active__c"] for row in three.sf.records("Contact")}["Lee12"] is False


def test_what_comes_later_for_a_merged_customer_counts_for_its_survivor(three: World) -> None:
    merge(three, BEN, ANN)
    three.st.put("invoices", [{"id": 99, "customer": {"id": BEN, "name": "x"}, "total": "7.00"}])
    three.sync()
    assert worth(three) == {ANN: 207, BEN: -1, CAL: 100}


def test_a_chain_of_merges_ends_at_its_end_and_unmerging_gives_back(three: World) -> None:
    merge(three, BEN, ANN)
    merge(three, ANN, CAL)
    assert worth(three) == {ANN: -1, BEN: -1, CAL: 300}
    merge(three, ANN, None)
    assert worth(three) == {ANN: 200, BEN: -1, CAL: 100}
    merge(three, BEN, None)
    assert worth(three) == {ANN: 100, BEN: 100, CAL: 100}
    assert three.sync()["targets"]["salesforce/accounts"]["planned"] == 0


def test_a_customer_merged_in_a_ring_leaves_all_with_the_lowest_id(three: World) -> None:
    merge(three, ANN, CAL)
    merge(three, CAL, BEN)
    merge(three, BEN, ANN)
    rows = {row["st_id"]: int(row["lifetime_value"]) for row in three.rows("SELECT * FROM customers.profile")}
    assert rows == {ANN: 300, BEN: 0, CAL: 0}


def test_a_merge_into_somebody_unknown_waits_until_that_customer_comes(three: World) -> None:
    merge(three, BEN, 77)
    assert {row["st_id"]: int(row["lifetime_value"]) for row in three.rows("SELECT * FROM customers.profile")}[
        BEN
    ] == 100
    three.st.put("customers", [{"id": 77, "name": "Dee Late", "type": "Residential"}])
    three.sync()
    assert worth(three)[77] == 100
