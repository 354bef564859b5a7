"""The ledger knows of every record what is agreed, wanted, waiting or refused, and forgets none (SF-5, SF-7, SF-11)."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from st_sf_pipelines.mapping import Field, ObjectMap, difference, digest
from st_sf_pipelines.ports import Outcome, Receipt, Remote
from st_sf_pipelines.store import adoption, again, ledger, outgoing
from st_sf_pipelines.store import standing as standings
from st_sf_pipelines.store.ledger import Delivery, Intended, Planned
from st_sf_pipelines_tests.store.feeding import TENANT, customer, feed, rows
from st_sf_pipelines_tests.store.test_derived import derive

if TYPE_CHECKING:
    from collections.abc import Iterable

    from st_sf_pipelines.store.database import Database
    from st_sf_pipelines.store.standing import Standing

OTHER_TENANT = 4102
ACCOUNTS = ObjectMap("salesforce/accounts", "Account", key="Key__c", fields=(Field("Name", "name"),))
CONTACTS = ObjectMap(
    "salesforce/contacts", "Contact", key="Key__c", fields=(Field("Name", "name"),), parent=ACCOUNTS.asset
)
GONE = ("NOT_FOUND", "ENTITY_IS_DELETED")


def wanted(st_id: int, version: int = 1) -> dict[str, Any]:
    """Make the payload of a customer in a version."""
    return {"Key__c": f"st_{st_id}", "Name": f"v{version}"}


def plan(db: Database, *versions: tuple[int, int] | int, target: ObjectMap = ACCOUNTS, tenant: int = TENANT) -> Planned:
    """Plan customers (st_id), each in version 1 or the one given beside it."""
    pairs = [each if isinstance(each, tuple) else (each, 1) for each in versions]
    intended = (
        Intended(
            st_id,
            f"st_{st_id}",
            wanted(st_id, n),
            digest(target, wanted(st_id, n)),
            (target.parent, st_id) if target.parent else None,
        )
        for st_id, n in pairs
    )
    with db.connect() as connection:
        return ledger.plan(connection, tenant, target.asset, intended)


def ready(db: Database, target: ObjectMap = ACCOUNTS, tenant: int = TENANT, **options: int) -> list[Delivery]:
    return ledger.ready(db, tenant, target.asset, **options)


def answer(
    db: Database,
    receipts: Iterable[Receipt],
    target: ObjectMap = ACCOUNTS,
    *,
    run: str = "run",
    deliveries: list[Delivery] | None = None,
) -> None:
    """Store receipts for what is ready."""
    by_key = {delivery.key: delivery for delivery in deliveries or ready(db, target)}
    pairs = [(by_key[receipt.key], receipt) for receipt in receipts]
    ledger.keep_receipts(db, run, TENANT, target.asset, pairs)


def accept(db: Database, *st_ids: int, target: ObjectMap = ACCOUNTS) -> None:
    """Let the target create these customers."""
    answer(db, [Receipt(f"st_{nr}", Outcome.CREATED, remote_id=f"R{nr}") for nr in st_ids], target)


def refuse(db: Database, st_id: int, code: str = "STRING_TOO_LONG", target: ObjectMap = ACCOUNTS) -> None:
    """Let the target refuse a customer for good."""
    answer(db, [Receipt(f"st_{st_id}", Outcome.REFUSED, None, code, "too long", ("Name",))], target)


def hold_up(db: Database, st_id: int) -> None:
    """Let the target refuse a customer for a passing reason."""
    answer(db, [Receipt(f"st_{st_id}", Outcome.PASSING, None, "UNABLE_TO_LOCK_ROW", "locked")])


def due_now(db: Database) -> None:
    """Let the time of waiting pass."""
    with db.connect() as connection:
        connection.execute("UPDATE sync.deliveries SET next_try_at = now() WHERE next_try_at IS NOT NULL")


def row(db: Database, st_id: int = 7, target: ObjectMap = ACCOUNTS) -> dict[str, Any]:
    query = "SELECT * FROM sync.deliveries WHERE tenant_id = %s AND asset = %s AND subject = %s"
    (found,) = rows(db, query, TENANT, target.asset, st_id)
    return found


def state(db: Database, st_id: int = 7, target: ObjectMap = ACCOUNTS) -> str:
    return str(row(db, st_id, target)["state"])


def wants(db: Database, tenant: int = TENANT) -> bool:
    with db.connect() as connection:
        return any(ledger.wants_sending(connection, tenant, target.asset) for target in (ACCOUNTS, CONTACTS))


def standing(db: Database, target: ObjectMap = ACCOUNTS, tenant: int = TENANT) -> Standing:
    return standings.standing(db, tenant, target.asset, outgoing.count(db, tenant, "customers"))


def test_a_new_record_is_pending_and_ready_with_all_that_it_wants(db: Database) -> None:
    assert plan(db, 7, 8) == Planned(looked=2, planned=2, unchanged=0, parked=0)
    assert ready(db) == [
        Delivery(nr, f"st_{nr}", None, None, wanted(nr), digest(ACCOUNTS, wanted(nr))) for nr in (7, 8)
    ]
    assert wants(db)


def test_planning_twice_changes_nothing(db: Database) -> None:
    plan(db, 7)
    before = rows(db, "SELECT xmin::text, d FROM sync.deliveries d")
    assert plan(db, 7) == Planned(looked=1, planned=1, unchanged=0, parked=0)
    assert rows(db, "SELECT xmin::text, d FROM sync.deliveries d") == before
    accept(db, 7)
    before = rows(db, "SELECT xmin::text, d FROM sync.deliveries d")
    assert plan(db, 7) == Planned(looked=1, planned=0, unchanged=1, parked=0)
    assert rows(db, "SELECT xmin::text, d FROM sync.deliveries d") == before


def test_planning_nobody_is_nothing(db: Database) -> None:
    assert plan(db) == Planned(looked=0, planned=0, unchanged=0, parked=0)
    assert not wants(db)


def test_more_than_a_batch_is_planned_in_one_go(db: Database) -> None:
    assert plan(db, *range(1, 5_003)) == Planned(looked=5_002, planned=5_002, unchanged=0, parked=0)


def test_an_accepted_record_is_agreed_and_its_receipt_kept(db: Database) -> None:
    plan(db, 7)
    accept(db, 7)
    found = row(db)
    assert (found["state"], found["remote_id"], found["agreed"]) == ("synced", "R7", wanted(7))
    assert (found["wanted"], found["wanted_digest"], found["tries"]) == (None, None, 0)
    assert found["agreed_digest"] == digest(ACCOUNTS, wanted(7))
    assert found["agreed_at"] is not None
    assert (ready(db), wants(db)) == ([], False)
    (receipt,) = rows(db, "SELECT * FROM sync.receipts")
    assert (receipt["run_id"], receipt["asset"], receipt["subject"]) == ("run", ACCOUNTS.asset, 7)
    assert (receipt["outcome"], receipt["remote_id"], receipt["digest"]) == ("created", "R7", found["agreed_digest"])


def test_a_changed_record_is_pending_beside_what_is_agreed(db: Database) -> None:
    plan(db, 7)
    accept(db, 7)
    assert plan(db, (7, 2)) == Planned(looked=1, planned=1, unchanged=0, parked=0)
    assert ready(db) == [Delivery(7, "st_7", "R7", wanted(7), wanted(7, 2), digest(ACCOUNTS, wanted(7, 2)))]
    answer(db, [Receipt("st_7", Outcome.UPDATED)])
    assert (row(db)["agreed"], row(db)["remote_id"]) == (wanted(7, 2), "R7")


def test_a_change_that_is_taken_back_before_it_was_sent_needs_no_sending(db: Database) -> None:
    plan(db, 7)
    accept(db, 7)
    plan(db, (7, 2))
    assert plan(db, 7) == Planned(looked=1, planned=0, unchanged=1, parked=0)
    assert (state(db), row(db)["wanted"], wants(db)) == ("synced", None, False)


def test_a_refused_record_is_parked_until_its_payload_is_another(db: Database) -> None:
    plan(db, 7)
    refuse(db, 7)
    found = row(db)
    assert (found["state"], found["code"], found["message"]) == ("parked", "STRING_TOO_LONG", "too long")
    assert (found["fields"], found["tries"], found["next_try_at"]) == (["Name"], 1, None)
    assert plan(db, 7) == Planned(looked=1, planned=0, unchanged=0, parked=1)
    assert (ready(db), wants(db)) == ([], False)
    assert plan(db, (7, 2)) == Planned(looked=1, planned=1, unchanged=0, parked=0)
    found = row(db)
    assert (found["code"], found["message"], found["fields"], found["tries"]) == (None, None, None, 0)


def test_a_refused_change_that_is_taken_back_is_synced_again(db: Database) -> None:
    plan(db, 7)
    accept(db, 7)
    plan(db, (7, 2))
    refuse(db, 7)
    assert (state(db), row(db)["agreed"]) == ("parked", wanted(7))
    plan(db, 7)
    assert (state(db), row(db)["code"]) == ("synced", None)


def test_a_passing_refusal_waits_twice_as_long_each_time_up_to_an_hour(db: Database) -> None:
    plan(db, 7)
    waited = []
    for _ in range(9):
        hold_up(db, 7)
        assert (state(db), row(db)["code"], ready(db), wants(db)) == ("pending", "UNABLE_TO_LOCK_ROW", [], False)
        (wait,) = rows(
            db,
            """SELECT extract(epoch FROM d.next_try_at - r.at)::int AS seconds
               FROM sync.deliveries d, sync.receipts r ORDER BY r.id DESC LIMIT 1""",
        )
        waited.append(wait["seconds"])
        due_now(db)
        assert ([delivery.subject for delivery in ready(db)], wants(db)) == ([7], True)
    assert waited == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    accept(db, 7)
    assert (state(db), row(db)["tries"], row(db)["code"]) == ("synced", 0, None)


def test_waiting_is_not_cut_short_by_planning_the_same_and_is_by_a_change(db: Database) -> None:
    plan(db, 7)
    hold_up(db, 7)
    plan(db, 7)
    assert ready(db) == []
    plan(db, (7, 2))
    assert ([delivery.wanted for delivery in ready(db)], row(db)["tries"]) == ([wanted(7, 2)], 0)


def test_an_answer_to_an_older_payload_does_not_agree_on_a_newer_one(db: Database) -> None:
    plan(db, 7)
    sent = ready(db)
    plan(db, (7, 2))
    answer(db, [Receipt("st_7", Outcome.CREATED, remote_id="R7")], deliveries=sent)
    assert (state(db), row(db)["agreed"], row(db)["wanted"]) == ("pending", None, wanted(7, 2))


def test_what_needs_no_write_is_agreed_without_one(db: Database) -> None:
    plan(db, 7)
    accept(db, 7)
    plan(db, (7, 2))
    ledger.agree(db, TENANT, ACCOUNTS.asset, ready(db))
    assert (state(db), row(db)["agreed"], row(db)["remote_id"]) == ("synced", wanted(7, 2), "R7")
    assert len(rows(db, "SELECT 1 FROM sync.receipts")) == 1


def test_deliveries_come_in_order_and_in_batches(db: Database) -> None:
    plan(db, 9, 3, 5, 8)
    assert [delivery.subject for delivery in ready(db)] == [3, 5, 8, 9]
    assert [delivery.subject for delivery in ready(db, limit=2)] == [3, 5]
    assert [delivery.subject for delivery in ready(db, after=5, limit=2)] == [8, 9]
    assert ready(db, after=9) == []


def test_a_child_is_ready_only_when_its_parent_is_in_the_target(db: Database) -> None:
    plan(db, 1, 2, 3, 4, target=CONTACTS)
    assert ready(db, CONTACTS) == []
    plan(db, 1, 2, 3)
    accept(db, 1)
    refuse(db, 2)
    assert [delivery.subject for delivery in ready(db, CONTACTS)] == [1]
    plan(db, (1, 2))  # a parent that is there and waits for an update is there
    assert [delivery.subject for delivery in ready(db, CONTACTS)] == [1]


def test_children_of_a_parked_parent_wait_and_are_no_news(db: Database) -> None:
    feed(db, "customers", customer(1), customer(2))
    derive(db)
    plan(db, 1, 2)
    plan(db, 1, 2, target=CONTACTS)
    accept(db, 2)
    refuse(db, 1)
    accept(db, 2, target=CONTACTS)
    assert not wants(db)
    stands = standing(db, CONTACTS)
    assert (stands.waiting, stands.pending, stands.synced, stands.accounted) == (1, 0, 1, True)
    plan(db, (1, 2))
    assert wants(db)
    assert (standing(db, CONTACTS).waiting, standing(db, CONTACTS).pending) == (0, 1)


def test_a_parent_is_news_though_its_child_is_parked(db: Database) -> None:
    plan(db, 1)
    plan(db, 1, target=CONTACTS)
    accept(db, 1)
    refuse(db, 1, target=CONTACTS)
    assert not wants(db)
    plan(db, (1, 2))
    assert [delivery.subject for delivery in ready(db)] == [1]
    assert wants(db)


def test_every_customer_has_one_place_and_the_places_add_up(db: Database) -> None:
    feed(db, "customers", *(customer(st_id) for st_id in range(1, 10)))
    feed(db, "customers", customer(1), customer(2), tenant=OTHER_TENANT)
    derive(db)
    derive(db, tenant=OTHER_TENANT)
    assert (standing(db).source, standing(db).pending, standing(db).creates) == (9, 9, 9)
    plan(db, *range(1, 8))
    plan(db, 1, 2, tenant=OTHER_TENANT)
    accept(db, 1, 2, 3)
    plan(db, (3, 2))
    refuse(db, 4)
    refuse(db, 5, "REQUIRED_FIELD_MISSING")
    hold_up(db, 6)
    stands = standing(db)
    assert (stands.source, stands.synced, stands.pending, stands.waiting, stands.parked) == (9, 2, 5, 0, 2)
    assert stands.parked_by_code == {"REQUIRED_FIELD_MISSING": 1, "STRING_TOO_LONG": 1}
    assert (stands.creates, stands.updates, stands.accounted) == (4, 1, True)
    plan(db, *range(1, 7), target=CONTACTS)
    children = standing(db, CONTACTS)
    assert (children.source, children.pending, children.waiting, children.synced) == (9, 7, 2, 0)
    assert (children.creates, children.updates, children.accounted) == (7, 0, True)  # what waits is not sent
    assert standing(db, tenant=OTHER_TENANT).pending == 2


def test_a_delivery_of_a_customer_that_is_not_ours_does_not_add_up(db: Database) -> None:
    feed(db, "customers", customer(1))
    derive(db)
    plan(db, 1, 2)
    accept(db, 1, 2)
    assert (standing(db).source, standing(db).synced, standing(db).accounted) == (1, 2, False)


def test_parked_records_are_listed_with_their_reason(db: Database) -> None:
    plan(db, 8, 7)
    plan(db, 9, tenant=OTHER_TENANT)
    refuse(db, 8)
    refuse(db, 7)
    assert standings.parked(db, OTHER_TENANT) == []
    assert standings.parked(db, TENANT) == [
        {
            "asset": ACCOUNTS.asset,
            "key": f"st_{nr}",
            "subject": nr,
            "code": "STRING_TOO_LONG",
            "message": "too long",
            "fields": ["Name"],
        }
        for nr in (7, 8)
    ]


def test_a_person_lets_parked_records_go_again_all_or_one(db: Database) -> None:
    plan(db, 1, 2, 3)
    accept(db, 3)
    refuse(db, 1)
    refuse(db, 2)
    assert again.retry(db, OTHER_TENANT, None, gone_codes=GONE) == 0
    assert again.retry(db, TENANT, "st_99", gone_codes=GONE) == 0
    assert again.retry(db, TENANT, "st_3", gone_codes=GONE) == 0
    assert again.retry(db, TENANT, "st_2", gone_codes=GONE) == 1
    assert [delivery.subject for delivery in ready(db)] == [2]
    assert (row(db, 2)["code"], row(db, 2)["tries"]) == (None, 0)
    assert again.retry(db, TENANT, None, gone_codes=GONE) == 1
    assert [delivery.subject for delivery in ready(db)] == [1, 2]


def test_a_refused_change_goes_again_as_a_change_and_a_deleted_record_as_a_new_one(db: Database) -> None:
    plan(db, 1, 2)
    accept(db, 1, 2)
    plan(db, (1, 2), (2, 2))
    refuse(db, 1)
    refuse(db, 2, "ENTITY_IS_DELETED")
    again.retry(db, TENANT, None, gone_codes=GONE)
    assert [(delivery.remote_id, delivery.agreed) for delivery in ready(db)] == [("R1", wanted(1)), (None, None)]


def test_a_deleted_record_that_is_asked_for_is_made_though_its_change_is_taken_back(db: Database) -> None:
    plan(db, 7)
    accept(db, 7)
    plan(db, (7, 2))
    refuse(db, 7, "ENTITY_IS_DELETED")
    again.retry(db, TENANT, "st_7", gone_codes=GONE)
    plan(db, 7)
    assert [(delivery.subject, delivery.remote_id) for delivery in ready(db)] == [(7, None)]


def test_a_missing_record_is_parked_and_made_again_only_when_asked_for(db: Database) -> None:
    plan(db, 7, 8)
    accept(db, 7, 8)
    again.park_missing(db, TENANT, ACCOUNTS.asset, ["st_7"])
    assert (state(db), row(db)["code"], state(db, 8)) == ("parked", "NOT_FOUND", "synced")
    assert plan(db, 7) == Planned(looked=1, planned=0, unchanged=0, parked=1)
    again.retry(db, TENANT, None, gone_codes=GONE)
    assert [(delivery.subject, delivery.remote_id, delivery.wanted) for delivery in ready(db)] == [(7, None, wanted(7))]


def test_a_missing_record_is_not_called_synced_by_a_change_and_back(db: Database) -> None:
    plan(db, 7)
    accept(db, 7)
    again.park_missing(db, TENANT, ACCOUNTS.asset, ["st_7"])
    plan(db, (7, 2))
    plan(db, 7)
    assert state(db) != "synced"


def test_a_record_that_may_be_one_of_two_waits_for_a_person_whatever_changes(db: Database) -> None:
    plan(db, 7, 8)
    adoption.park_undecided(db, TENANT, ACCOUNTS.asset, [7])
    assert [delivery.subject for delivery in ready(db)] == [8]
    assert plan(db, 7).parked == 1
    plan(db, (7, 2))
    assert (state(db), row(db)["code"]) == ("parked", ledger.UNDECIDED)
    again.retry(db, TENANT, "st_7", gone_codes=GONE)
    assert [delivery.wanted for delivery in ready(db)] == [wanted(7, 2), wanted(8)]


def test_a_linked_record_is_pending_with_nothing_agreed(db: Database) -> None:
    plan(db, 1, 2, 3)
    accept(db, 3)
    adoption.park_undecided(db, TENANT, ACCOUNTS.asset, [2])
    adoption.link(db, TENANT, ACCOUNTS.asset, [(1, "X1"), (2, "X2"), (3, "X3"), (99, "X99")])
    assert [(d.subject, d.remote_id, d.agreed, d.wanted) for d in ready(db)] == [
        (1, "X1", None, wanted(1)),
        (2, "X2", None, wanted(2)),
    ]
    assert (row(db, 2)["code"], row(db, 2)["message"]) == (None, None)
    assert standings.remote_ids(db, TENANT, ACCOUNTS.asset) == {1: "X1", 2: "X2", 3: "R3"}


def test_the_records_that_are_not_linked_stream_with_what_they_want(db: Database) -> None:
    plan(db, 1, 2)
    accept(db, 1)
    (unlinked,) = adoption.unlinked(db, TENANT, ACCOUNTS.asset)
    assert unlinked == {"subject": 2, "key": "st_2", "wanted": wanted(2)}
    assert list(adoption.unlinked(db, OTHER_TENANT, ACCOUNTS.asset)) == []


def test_a_target_is_opened_once_and_the_first_reason_stays(db: Database) -> None:
    assert not adoption.is_open(db, TENANT, ACCOUNTS.asset)
    adoption.open_target(db, TENANT, ACCOUNTS.asset, "empty")
    adoption.open_target(db, TENANT, ACCOUNTS.asset, "adopt")
    assert adoption.is_open(db, TENANT, ACCOUNTS.asset)
    assert not adoption.is_open(db, TENANT, CONTACTS.asset)
    assert not adoption.is_open(db, OTHER_TENANT, ACCOUNTS.asset)
    assert rows(db, "SELECT opened_by FROM sync.targets") == [{"opened_by": "empty"}]


def test_a_record_of_the_target_is_known_by_its_own_id_or_else_by_our_key(db: Database) -> None:
    plan(db, *range(1, 12))
    plan(db, 50, target=CONTACTS)
    accept(db, *range(1, 11))
    there = [Remote("R1", "st_2", {}), Remote("X11", "st_11", {}), Remote("R50", "st_50", {}), Remote("X", None, {})]
    found = standings.of_remotes(db, TENANT, ACCOUNTS.asset, there)
    assert {remote_id: each["subject"] for remote_id, each in found.items()} == {"R1": 1, "R2": 2, "X11": 11}
    agreed = standings.agreed(db, TENANT, ACCOUNTS.asset)
    assert agreed == {f"R{nr}": f"st_{nr}" for nr in range(1, 11)}
    sample = standings.agreed(db, TENANT, ACCOUNTS.asset, 4)
    assert len(sample) == 4
    assert sample.items() <= agreed.items()


def test_what_differs_in_the_target_is_sent_again_and_what_is_parked_is_left(db: Database) -> None:
    plan(db, 7, 8)
    accept(db, 7, 8)
    plan(db, (8, 2))
    refuse(db, 8)
    actual = {"Key__c": "st_7", "Name": "somebody's"}
    again.resend(db, TENANT, ACCOUNTS.asset, [(7, actual), (8, actual)])
    assert plan(db, 7) == Planned(looked=1, planned=1, unchanged=0, parked=0)
    (delivery,) = ready(db)
    assert (delivery.subject, delivery.agreed, delivery.wanted) == (7, actual, wanted(7))
    assert difference(ACCOUNTS, delivery.wanted, delivery.agreed) == {"Name": "v1"}
    assert (state(db, 8), row(db, 8)["agreed"]) == ("parked", wanted(8))


def test_a_repair_of_a_record_that_wants_more_keeps_what_it_wants(db: Database) -> None:
    plan(db, 7)
    accept(db, 7)
    plan(db, (7, 2))
    again.resend(db, TENANT, ACCOUNTS.asset, [(7, {"Name": "somebody's"})])
    (delivery,) = ready(db)
    assert (delivery.wanted, delivery.agreed) == (wanted(7, 2), {"Name": "somebody's"})


def test_receipts_of_a_request_are_kept_all_or_nothing(db: Database) -> None:
    plan(db, 1, 2)
    first, second = ready(db)
    broken = Receipt("st_2", Outcome.REFUSED, None, "CODE", "not to be stored: \x00")
    with pytest.raises(Exception, match="NUL"):
        answer(db, [Receipt("st_1", Outcome.CREATED, remote_id="R1"), broken], deliveries=[first, second])
    assert (state(db, 1), state(db, 2), rows(db, "SELECT 1 FROM sync.receipts")) == ("pending", "pending", [])


# A target in a dictionary, to which anything may happen; in the end it must hold what is wanted.

TENANTS = count(500_000)
STEPS = st.one_of(
    st.tuples(st.just("plan"), st.lists(st.tuples(st.integers(1, 3), st.integers(1, 2)), min_size=1, max_size=3)),
    st.tuples(st.just("push"), st.lists(st.sampled_from(["ok", "ok", "refuse", "hold"]), min_size=3, max_size=3)),
    st.tuples(st.just("delete"), st.integers(1, 3)),
    st.tuples(st.just("edit"), st.integers(1, 3)),
    st.tuples(st.sampled_from(["retry", "repair"]), st.none()),
)


class There:
    """A target: what it holds by its own id, and what it answers."""

    def __init__(self, db: Database, tenant: int) -> None:
        """Begin empty."""
        self.db, self.tenant = db, tenant
        self.held: dict[str, dict[str, Any]] = {}
        self._ids = count(1)

    def receive(self, delivery: Delivery, outcome: str) -> Receipt:
        """Answer for one record, as Salesforce does."""
        fields = difference(ACCOUNTS, delivery.wanted, delivery.agreed)
        remote_id = delivery.remote_id
        if remote_id is not None and remote_id not in self.held:
            return Receipt(delivery.key, Outcome.REFUSED, None, "ENTITY_IS_DELETED")
        if outcome != "ok":
            return Receipt(delivery.key, Outcome.REFUSED if outcome == "refuse" else Outcome.PASSING, None, "CODE")
        by_key = {held["Key__c"]: there for there, held in self.held.items()}
        is_new = remote_id is None and delivery.key not in by_key
        there = remote_id or by_key.get(delivery.key) or f"R{next(self._ids)}"
        self.held[there] = {**self.held.get(there, {"Key__c": delivery.key}), **fields}
        return Receipt(delivery.key, Outcome.CREATED if is_new else Outcome.UPDATED, there)

    def push(self, outcomes: list[str]) -> None:
        """Take what is ready."""
        due_now(self.db)
        answers = [
            (delivery, self.receive(delivery, outcomes[delivery.subject - 1]))
            for delivery in ready(self.db, tenant=self.tenant)
        ]
        ledger.keep_receipts(self.db, "run", self.tenant, ACCOUNTS.asset, answers)

    def of(self, st_id: int) -> str | None:
        """Name the record of a customer."""
        return next((there for there, held in self.held.items() if held["Key__c"] == f"st_{st_id}"), None)

    def repair(self) -> None:
        """Read all back, and note what is missing or differs, as `reconcile --repair` does."""
        theirs = [Remote(there, held["Key__c"], held) for there, held in self.held.items()]
        known = standings.of_remotes(self.db, self.tenant, ACCOUNTS.asset, theirs)
        agreed = standings.agreed(self.db, self.tenant, ACCOUNTS.asset)
        missing = [key for remote_id, key in agreed.items() if remote_id not in self.held]
        again.park_missing(self.db, self.tenant, ACCOUNTS.asset, missing)
        differing = [
            (known[there]["subject"], held)
            for there, held in self.held.items()
            if there in agreed and held != known[there]["agreed"]
        ]
        again.resend(self.db, self.tenant, ACCOUNTS.asset, differing)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=12))
def test_whatever_happens_the_target_holds_in_the_end_what_is_wanted(
    db: Database, steps: list[tuple[str, Any]]
) -> None:
    tenant = next(TENANTS)
    there = There(db, tenant)
    last: dict[int, int] = {}
    for step, detail in steps:
        if step == "plan":
            last.update(detail)
            plan(db, *dict(detail).items(), tenant=tenant)
        elif step == "push":
            there.push(detail)
        elif step == "retry":
            again.retry(db, tenant, None, gone_codes=GONE)
        elif step == "repair":
            there.repair()
        elif remote_id := there.of(detail):
            if step == "delete":
                del there.held[remote_id]
            else:
                there.held[remote_id]["Name"] = "somebody's"
        for each in rows(db, "SELECT * FROM sync.deliveries WHERE tenant_id = %s", tenant):
            assert (each["wanted"] is None) == (each["state"] == "synced")
            assert (each["code"] is not None) >= (each["state"] == "parked")
            assert (each["remote_id"] is not None) >= (each["state"] == "synced")
    for _ in range(2):  # what is changed is found by the first repair, what was parked meanwhile by the second
        there.repair()
        again.retry(db, tenant, None, gone_codes=GONE)
        plan(db, *last.items(), tenant=tenant)
        there.push(["ok"] * 3)
    assert {held["Key__c"]: held for held in there.held.values()} == {
        f"st_{st_id}": wanted(st_id, version) for st_id, version in last.items()
    }
    assert plan(db, *last.items(), tenant=tenant) == Planned(len(last), planned=0, unchanged=len(last), parked=0)
