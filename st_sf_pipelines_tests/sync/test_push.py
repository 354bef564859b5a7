"""Planning and pushing: what is acknowledged is not sent again, and a batch of any size leaves a receipt for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from st_sf_pipelines_tests.world import TENANT

if TYPE_CHECKING:
    from st_sf_pipelines_tests.world import World


def put(world: World, count: int, **fields: object) -> list[int]:
    return world.st.put("customers", [{"name": f"Ann Person{n}", **fields} for n in range(count)])


def test_a_plan_after_a_push_is_empty_and_the_wanted_is_agreed(world: World) -> None:
    put(world, 12)
    world.sync()
    planned = world.sync(dry_run=True, scope="all")
    assert {row["planned"] for row in planned["targets"].values()} == {0}
    states = world.rows("SELECT DISTINCT state, wanted IS NULL AS done, agreed IS NULL AS open FROM sync.deliveries")
    assert states == [{"state": "synced", "done": True, "open": False}]


def test_every_record_sent_has_a_receipt_of_its_run(world: World) -> None:
    put(world, 1203)
    run = world.sync()
    assert run["status"] == "success"
    receipts = world.rows(
        "SELECT asset, outcome, count(*) AS n, count(DISTINCT remote_id) AS ids FROM sync.receipts"
        " WHERE run_id = %s AND tenant_id = %s GROUP BY 1, 2 ORDER BY 1",
        run["run_id"],
        TENANT,
    )
    assert [(r["asset"], r["outcome"], r["n"], r["ids"]) for r in receipts] == [
        ("salesforce/accounts", "created", 1203, 1203),
        ("salesforce/contacts", "created", 1203, 1203),
    ]
    calls = {target: row["calls"] for target, row in run["targets"].items() if row["calls"]}
    assert calls == {"salesforce/accounts": 3, "salesforce/contacts": 2}, (
        "one look at both objects, then two calls each of at most a thousand rows"
    )


def test_only_the_customers_named_are_planned_when_ids_are_given(world: World) -> None:
    first, second = put(world, 2)
    world.sync()
    world.st.put("customers", [{"id": st_id, "name": f"Bob Person{st_id}"} for st_id in (first, second)])
    world.sync(scope="ids", ids=[first])
    shown = {row["ServiceTitan_Customer_Id__c"]: row["FirstName"] for row in world.sf.records("Contact")}
    assert shown == {f"st_{first}": "Bob", f"st_{second}": "Ann"}
    world.sync()
    assert {row["FirstName"] for row in world.sf.records("Contact")} == {"Bob"}


def test_a_change_that_goes_back_before_it_is_sent_sends_nothing(world: World) -> None:
    [st_id] = put(world, 1, balance=1.0)
    world.sync()
    world.sf.count_anew()
    world.st.put("customers", [{"id": st_id, "balance": 2.0}], accounting=True)
    assert world.sync(dry_run=True)["targets"]["salesforce/accounts"]["would"]["update"] == 1
    world.st.put("customers", [{"id": st_id, "balance": 1.0}], accounting=True)
    assert world.sync()["status"] == "success"
    assert world.sf.counters["requests"] == 0
