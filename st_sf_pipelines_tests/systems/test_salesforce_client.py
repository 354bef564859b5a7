"""The Salesforce client writes and reads records through a real socket, and accounts for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines.errors import CredentialsError, PermanentError, TransientError
from st_sf_pipelines.ports import Outcome, Receipt, Upsert
from st_sf_pipelines.systems.salesforce.client import SalesforceClient
from st_sf_pipelines.systems.salesforce.codes import mend_for
from st_sf_pipelines.systems.salesforce.objects import ACCOUNT, CONTACT
from st_sf_pipelines_tests.systems.conftest import tenant_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.simulators.salesforce.simulator import SalesforceSimulator


@pytest.fixture
def client(sf: SalesforceSimulator) -> Iterator[SalesforceClient]:
    """Give a client of the stand-in's org."""
    made = SalesforceClient(tenant_of(sf=sf))
    yield made
    made.close()


def accounts(count: int, **fields: Any) -> list[Upsert]:
    return [Upsert(f"st_{n}", {ACCOUNT.key: f"st_{n}", "Name": f"Account {n}", **fields}) for n in range(count)]


def push(client: SalesforceClient, upserts: Iterable[Upsert], target: ObjectMap = ACCOUNT) -> list[Receipt]:
    return [receipt for receipts in client.push(target, list(upserts)) for receipt in receipts]


@pytest.mark.parametrize(("rows", "calls"), [(1, 1), (200, 1), (201, 1), (1000, 1), (1001, 2)])
def test_a_thousand_rows_take_one_call_and_each_gets_its_receipt(
    sf: SalesforceSimulator, client: SalesforceClient, rows: int, calls: int
) -> None:
    receipts = push(client, accounts(rows))
    assert [receipt.key for receipt in receipts] == [f"st_{n}" for n in range(rows)]
    assert {receipt.outcome for receipt in receipts} == {Outcome.CREATED}
    ids = {row["ServiceTitan_Account_Id__c"]: row["Id"] for row in sf.records("Account")}
    assert {receipt.key: receipt.remote_id for receipt in receipts} == ids
    assert (client.calls, client.calls_for(rows)) == (calls, calls)
    assert sf.counters["auto_assign"].keys() == {"FALSE"}


def test_a_key_that_is_there_is_updated_and_a_linked_record_goes_by_its_id(
    sf: SalesforceSimulator, client: SalesforceClient
) -> None:
    [stranger] = sf.put_records("Account", {"Name": "Stranger"})
    push(client, accounts(1))
    receipts = push(
        client,
        [
            Upsert("st_0", {ACCOUNT.key: "st_0", "Phone": "1"}),
            Upsert("st_1", {ACCOUNT.key: "st_1", "Name": "Linked"}, stranger),
        ],
    )
    assert [receipt.outcome for receipt in receipts] == [Outcome.UPDATED, Outcome.UPDATED]
    shown = {row["Id"]: (row["Name"], row["ServiceTitan_Account_Id__c"]) for row in sf.records("Account")}
    assert shown[stranger] == ("Linked", "st_1")
    assert len(shown) == 2


def test_a_null_clears_and_a_contact_finds_its_account_by_key(
    sf: SalesforceSimulator, client: SalesforceClient
) -> None:
    push(client, accounts(1, Phone="1"))
    parent = {"Account": {ACCOUNT.key: "st_0"}}
    push(client, [Upsert("st_0", {CONTACT.key: "st_0", "LastName": "Lee", **parent})], CONTACT)
    [account] = sf.records("Account")
    assert sf.records("Contact")[0]["AccountId"] == account["Id"]
    push(client, [Upsert("st_0", {ACCOUNT.key: "st_0", "Phone": None}, account["Id"])])
    assert sf.records("Account")[0]["Phone"] is None


def test_one_bad_row_fails_alone_with_code_and_field(sf: SalesforceSimulator, client: SalesforceClient) -> None:
    rows = accounts(250)
    rows[3] = Upsert("st_3", {ACCOUNT.key: "st_3"})
    rows[240] = Upsert("st_240", {ACCOUNT.key: "st_240", "Name": "x" * 256})
    refused = {r.key: (r.code, r.fields) for r in push(client, rows) if r.outcome is Outcome.REFUSED}
    assert refused == {"st_3": ("REQUIRED_FIELD_MISSING", ("Name",)), "st_240": ("STRING_TOO_LONG", ("Name",))}
    assert len(sf.records("Account")) == 248
    assert client.calls == 1
    assert all(mend_for(code) for code, _ in refused.values())


@pytest.mark.parametrize("bad", [{"Nonsense__c": "x"}, {"Account_Balance__c": "x"}, {"Name": 5}])
@pytest.mark.parametrize("count", [1, 40, 450])
def test_a_request_that_is_refused_whole_is_parted_until_the_bad_ones_stand_alone(
    sf: SalesforceSimulator, client: SalesforceClient, bad: dict[str, Any], count: int
) -> None:
    rows = accounts(count)
    for n in {0, count - 1}:
        rows[n] = Upsert(rows[n].key, {**rows[n].fields, **bad})
    receipts = push(client, rows)
    assert sorted(receipt.key for receipt in receipts) == sorted(row.key for row in rows), "one receipt each"
    assert {r.key for r in receipts if r.outcome is Outcome.REFUSED} == {"st_0", f"st_{count - 1}"}
    assert len(sf.records("Account")) == max(0, count - 2)
    assert client.calls <= (6 if "Nonsense__c" in bad else 40)


def test_a_missing_column_is_named_on_each_row_that_carries_it(client: SalesforceClient) -> None:
    rows = [*accounts(3), Upsert("st_9", {ACCOUNT.key: "st_9", "Name": "n", "Nope__c": 1, "Gone__c": 2})]
    [refused] = [r for r in push(client, rows) if r.outcome is Outcome.REFUSED]
    assert (refused.key, refused.code, refused.fields) == ("st_9", "INVALID_FIELD", ("Gone__c", "Nope__c"))


def test_an_unknown_parent_refuses_its_row_alone(sf: SalesforceSimulator, client: SalesforceClient) -> None:
    push(client, accounts(1))
    rows = [
        Upsert(f"st_{n}", {CONTACT.key: f"st_{n}", "LastName": "L", "Account": {ACCOUNT.key: f"st_{n}"}})
        for n in range(2)
    ]
    assert [r.outcome for r in push(client, rows, CONTACT)] == [Outcome.CREATED, Outcome.REFUSED]
    assert len(sf.records("Contact")) == 1


def row_error(code: str, times: int | None = None, **when: Any) -> dict[str, Any]:
    return {"do": {"row_error": {"statusCode": code, "message": "m", "times": times, "when": when}}}


def test_a_receipt_tells_which_rule_refused_and_not_whom(sf: SalesforceSimulator, client: SalesforceClient) -> None:
    message = "Ann Lee, 12 Elm St: a phone is required (ask bob@x.example)"
    fields = ["Phone", "Ann Lee's phone"]
    sf.set_faults({"do": {"row_error": {"statusCode": "Ann Lee failed", "message": message, "fields": fields}}})
    [row] = accounts(1, BillingStreet="12 Elm St", Name="Ann Lee")
    [receipt] = push(client, [row])
    assert (receipt.code, receipt.fields) == (None, ("Phone",))
    assert receipt.message == "…, …: a phone is required (ask …"


def test_a_locked_row_is_sent_again_alone(sf: SalesforceSimulator, client: SalesforceClient, naps: list[float]) -> None:
    sf.set_faults(row_error("UNABLE_TO_LOCK_ROW", times=1, Name="Account 2"))
    receipts = push(client, accounts(5))
    assert sorted((r.key, r.outcome) for r in receipts) == [(f"st_{n}", Outcome.CREATED) for n in range(5)]
    assert (client.calls, len(naps)) == (2, 1)


def test_a_row_that_stays_locked_is_passing_and_not_refused(
    sf: SalesforceSimulator, client: SalesforceClient, naps: list[float]
) -> None:
    sf.set_faults(row_error("UNABLE_TO_LOCK_ROW", Name="Account 2"))
    receipts = {r.key: (r.outcome, r.code) for r in push(client, accounts(3))}
    assert receipts["st_2"] == (Outcome.PASSING, "UNABLE_TO_LOCK_ROW")
    assert client.calls == len(naps) + 1 <= 5


def test_a_deleted_record_is_told_as_gone(sf: SalesforceSimulator, client: SalesforceClient) -> None:
    [receipt] = push(client, accounts(1))
    sf.put_records("Account", {"Id": receipt.remote_id, "IsDeleted": True})
    [again] = push(client, [Upsert("st_0", {"Phone": "1"}, receipt.remote_id)])
    assert (again.outcome, again.code) == (Outcome.GONE, "ENTITY_IS_DELETED")


@pytest.mark.parametrize(
    ("fault", "calls"),
    [
        ({"status": 404, "body": [{"errorCode": "NOT_FOUND", "message": "m"}]}, 4),
        ({"status": 405, "body": [{"errorCode": "METHOD_NOT_ALLOWED", "message": "m"}]}, 4),
    ],
)
def test_where_composite_calls_do_not_pass_each_collection_goes_alone(
    sf: SalesforceSimulator, client: SalesforceClient, fault: dict[str, Any], calls: int
) -> None:
    sf.set_faults({"match": {"method": "POST", "path": "/composite"}, "do": fault})
    assert {r.outcome for r in push(client, accounts(450))} == {Outcome.CREATED}
    assert (client.calls, len(sf.records("Account"))) == (calls, 450)


def test_a_daily_limit_and_a_forbidden_call_are_final(
    sf: SalesforceSimulator, client: SalesforceClient, naps: list[float]
) -> None:
    forbidden = [{"errorCode": "INSUFFICIENT_ACCESS", "message": "secret words", "fields": ["secret words"]}]
    sf.set_faults({"match": {"nth": 1}, "do": {"status": 403, "body": forbidden}})
    with pytest.raises(CredentialsError, match=r"socal: PATCH composite.*may not do this") as caught:
        push(client, accounts(1))
    assert "secret words" not in repr(caught.value)
    sf.set_limit(10, used=10)
    with pytest.raises(PermanentError, match="the org's daily limit of API calls is used up"):
        push(client, accounts(1))
    assert naps == []


def test_an_answer_that_does_not_match_the_request_is_no_receipt(
    sf: SalesforceSimulator, client: SalesforceClient
) -> None:
    one: Any = [{"id": "001000000000001AAA", "success": True, "created": True, "errors": []}]
    bodies: tuple[Any, ...] = (one, {}, {"compositeResponse": []})
    for body in bodies:
        sf.set_faults({"match": {"path": "/composite"}, "do": {"status": 200, "body": body}})
        for count in (2, 300):
            with pytest.raises(TransientError, match="the answer does not match the request"):
                push(client, accounts(count))


def test_a_whole_object_is_read_back_with_its_parents_key(sf: SalesforceSimulator, client: SalesforceClient) -> None:
    push(client, accounts(2500))
    contacts = [
        Upsert(f"st_{n}", {CONTACT.key: f"st_{n}", "LastName": f"L{n}", "Account": {ACCOUNT.key: f"st_{n}"}})
        for n in range(3)
    ]
    push(client, contacts, CONTACT)
    sf.put_records("Account", {"Name": "Stranger"})
    before = client.calls
    read = list(client.read(ACCOUNT, ["Name"], keyed=True))
    assert {remote.key: remote.fields["Name"] for remote in read} == {f"st_{n}": f"Account {n}" for n in range(2500)}
    assert client.calls - before == 2
    assert len(list(client.read(ACCOUNT, ["Name"], keyed=False))) == 2501
    some = [remote.remote_id for remote in client.read(ACCOUNT, ["Name"], keyed=True) if remote.key in ("st_5", "st_7")]
    assert {r.key for r in client.read(ACCOUNT, ["Name"], keyed=True, ids=some)} == {"st_5", "st_7"}
    [first, *_] = client.read(CONTACT, ["Account", "LastName"], keyed=True)
    assert first.fields["Account"] == {ACCOUNT.key: first.key}


def test_strangers_are_records_without_our_key(sf: SalesforceSimulator, client: SalesforceClient) -> None:
    push(client, accounts(2))
    assert client.strangers([ACCOUNT, CONTACT]) == []
    sf.put_records("Account", {"Name": "Stranger"})
    before = client.calls
    assert client.strangers([ACCOUNT, CONTACT]) == [ACCOUNT]
    assert client.calls == before + 1


def test_the_calls_of_the_day_are_read_from_the_answers(sf: SalesforceSimulator, client: SalesforceClient) -> None:
    assert client.usage is None
    sf.set_limit(15_000, used=40)
    push(client, accounts(1))
    assert client.usage == (41, 15_000)


SAME = [
    ("Name", " a ", "a"),
    ("Name", "", None),
    ("BillingStreet", "a\nb", "a\r\nb"),
    ("Email", "Ann@Example.com", "ann@example.com"),
    ("Total_Jobs__c", 3, 3.0),
    ("ServiceTitan_Last_Modified__c", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000+0000"),
    ("Active__c", True, True),
    ("Account", {ACCOUNT.key: "st_1"}, {ACCOUNT.key: "st_1"}),
]


@pytest.mark.parametrize(("field", "ours", "theirs"), SAME)
def test_what_salesforce_stores_of_a_value_is_the_same(
    client: SalesforceClient, field: str, ours: Any, theirs: Any
) -> None:
    assert client.same(field, ours, theirs)
    assert not client.same(field, ours, "another value")


@pytest.mark.parametrize(("field", "ours", "theirs"), [("Name", "Ann", "ann"), ("Phone", "1", None), ("x", 0, None)])
def test_what_differs_differs(client: SalesforceClient, field: str, ours: Any, theirs: Any) -> None:
    assert not client.same(field, ours, theirs)
