"""SOQL finds what it says, pages what is long, and refuses what it cannot read."""

from datetime import UTC, datetime

import pytest

from st_sf_pipelines.simulators.salesforce import SalesforceSimulator
from st_sf_pipelines_tests.simulators.salesforce.client import ROOT, Api, code


@pytest.fixture
def people(sf: SalesforceSimulator, api: Api) -> Api:
    acme, zeta = sf.put_records(
        "Account",
        {"Name": "Acme", "ServiceTitan_Account_Id__c": "st_1", "NumberOfEmployees": 7},
        {"Name": "Zeta", "ServiceTitan_Account_Id__c": "st_2"},
    )
    sf.put_records(
        "Contact",
        {"LastName": "ann", "AccountId": acme, "Total_Jobs__c": 3, "Last_Service_Date__c": "2026-01-15"},
        {"LastName": "Bob", "AccountId": zeta, "Total_Jobs__c": 1, "Email": "bob@x.example", "Active__c": False},
        {"LastName": "O'Hara", "SystemModstamp": "2020-05-05T12:00:00Z", "Total_Jobs__c": 2},
        {"LastName": "100%_Dan", "AccountId": acme, "LastModifiedDate": "2020-05-05T12:00:00Z"},
    )
    return api


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("LastName = 'ANN'", ["ann"]),
        ("LastName != 'ann'", ["Bob", "O'Hara", "100%_Dan"]),
        (r"LastName = 'O\'Hara'", ["O'Hara"]),
        ("LastName LIKE '%A%'", ["ann", "O'Hara", "100%_Dan"]),
        ("LastName LIKE 'a_n'", ["ann"]),
        (r"LastName LIKE '100\%\_%'", ["100%_Dan"]),
        ("LastName IN ('bob', 'ann', 'nobody')", ["ann", "Bob"]),
        ("LastName NOT IN ('bob', 'ann')", ["O'Hara", "100%_Dan"]),
        ("Email = null", ["ann", "O'Hara", "100%_Dan"]),
        ("Email <> null", ["Bob"]),
        ("Email != 'nobody@x.example'", ["ann", "Bob", "O'Hara", "100%_Dan"]),
        ("Active__c = false", ["Bob"]),
        ("Total_Jobs__c > 1 AND Total_Jobs__c <= 3.0", ["ann", "O'Hara"]),
        ("Total_Jobs__c < 2 OR Total_Jobs__c = null", ["Bob", "100%_Dan"]),
        ("(LastName = 'ann' OR LastName = 'Bob') AND Active__c = true", ["ann"]),
        ("NOT LastName = 'ann' AND Email = null", ["O'Hara", "100%_Dan"]),
        ("NOT (LastName = 'ann' OR Email = null)", ["Bob"]),
        ("Last_Service_Date__c >= 2026-01-15", ["ann"]),
        ("SystemModstamp < 2021-01-01T00:00:00Z", ["O'Hara"]),
        ("SystemModstamp <= 2020-05-05T14:00:00+02:00", ["O'Hara"]),
        ("Account.Name = 'acme'", ["ann", "100%_Dan"]),
        ("Account.ServiceTitan_Account_Id__c IN ('st_2')", ["Bob"]),
        ("Contact.Account.NumberOfEmployees > 5", ["ann", "100%_Dan"]),
        ("AccountId = null", ["O'Hara"]),
        ("Account.Name = null", ["O'Hara"]),
    ],
)
def test_a_condition_finds_whom_it_means(people: Api, where: str, expected: list[str]) -> None:
    assert people.names("WHERE", where) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("LastName", ["100%_Dan", "ann", "Bob", "O'Hara"]),
        ("LastName DESC", ["O'Hara", "Bob", "ann", "100%_Dan"]),
        ("Total_Jobs__c ASC", ["100%_Dan", "Bob", "O'Hara", "ann"]),
        ("Total_Jobs__c ASC NULLS LAST", ["Bob", "O'Hara", "ann", "100%_Dan"]),
        ("Total_Jobs__c DESC NULLS FIRST", ["100%_Dan", "ann", "O'Hara", "Bob"]),
        ("Account.Name NULLS LAST, LastName DESC", ["ann", "100%_Dan", "Bob", "O'Hara"]),
    ],
)
def test_an_order_is_kept(people: Api, order: str, expected: list[str]) -> None:
    assert people.names("ORDER BY", order) == expected
    assert people.names("order by", order, "limit 2 offset 1") == expected[1:3]


def test_a_record_shows_its_fields_and_its_parents(people: Api) -> None:
    ann, _, ohara, _ = people.query("SELECT id, LASTNAME, Account.Name, Account.Owner.Name, Email FROM Contact")
    assert list(ann) == ["attributes", "Id", "LastName", "Account", "Email"]
    assert ann["attributes"] == {"type": "Contact", "url": f"{ROOT}/sobjects/Contact/{ann['Id']}"}
    assert ann["Account"]["attributes"]["type"] == "Account"
    assert (ann["Account"]["Name"], ann["Account"]["Owner"]["Name"]) == ("Acme", "Integration User")
    assert (ohara["Account"], ohara["Email"]) == (None, None)


def test_a_record_is_found_by_either_form_of_its_id(people: Api) -> None:
    ann = people.query("SELECT Id FROM Contact WHERE LastName = 'ann'")[0]["Id"]
    assert people.names(f"WHERE Id = '{ann[:15]}'") == ["ann"]
    assert people.names(f"WHERE Id IN ('{ann}', '003000000000000AAA')") == ["ann"]


def test_a_count_has_no_records(people: Api) -> None:
    counted = people.get("/query", q="SELECT COUNT() FROM Contact WHERE AccountId != null").json()
    assert counted == {"totalSize": 3, "done": True, "records": []}


def test_deleted_records_are_in_query_all_only(people: Api) -> None:
    bob = people.query("SELECT Id FROM Contact WHERE LastName = 'Bob'")[0]["Id"]
    people.send("DELETE", f"/sobjects/Contact/{bob}")
    soql = "SELECT Id FROM Contact WHERE Email = 'bob@x.example'"
    assert people.query(soql) == []
    assert people.get("/queryAll", q=soql).json()["totalSize"] == 1
    assert people.get("/queryAll", q="SELECT Id FROM Contact WHERE IsDeleted = true").json()["totalSize"] == 1


def test_a_long_result_comes_in_pages(sf: SalesforceSimulator, api: Api) -> None:
    sf.put_records("Account", *({"Name": f"A{number:03}"} for number in range(450)))
    headers = {"Sforce-Query-Options": "batchSize=200"}
    page = api.client.get(f"{ROOT}/query", params={"q": "SELECT Name FROM Account"}, headers=headers).json()
    names, sizes = [], []
    while True:
        names += [record["Name"] for record in page["records"]]
        sizes.append(len(page["records"]))
        assert page["totalSize"] == 450
        if page["done"]:
            break
        page = api.client.get(page["nextRecordsUrl"]).json()
    assert sizes == [200, 200, 50]
    assert names == [f"A{number:03}" for number in range(450)]
    assert "nextRecordsUrl" not in page
    lost = api.get("/query/01g000000000000AAA-200")
    assert (lost.status_code, code(lost)) == (400, "INVALID_QUERY_LOCATOR")


@pytest.mark.parametrize(
    ("soql", "expected"),
    [
        ("SELECT Name", "MALFORMED_QUERY"),
        ("SELECT Name FROM Contact WHERE", "MALFORMED_QUERY"),
        ("SELECT Name FROM Contact WHERE Name = 'a", "MALFORMED_QUERY"),
        ("SELECT Name FROM Contact WHERE Name == 'a'", "MALFORMED_QUERY"),
        (r"SELECT Name FROM Contact WHERE Name = '\q'", "MALFORMED_QUERY"),
        ("SELECT Name FROM Contact WHERE Email = null AND Phone = null OR Title = null", "MALFORMED_QUERY"),
        ("SELECT Name FROM Contact LIMIT x", "MALFORMED_QUERY"),
        ("SELECT Name FROM Contact; DROP", "MALFORMED_QUERY"),
        ("SELECT MAX(Name) FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Nothing__c FROM Contact", "INVALID_FIELD"),
        ("SELECT Name, name FROM Contact", "INVALID_FIELD"),
        ("SELECT Name FROM Contact WHERE Nobody.Name = 'a'", "INVALID_FIELD"),
        ("SELECT Name FROM Contact ORDER BY Nothing__c", "INVALID_FIELD"),
        ("SELECT Name FROM Contact WHERE Total_Jobs__c = '3'", "INVALID_FIELD"),
        ("SELECT Name FROM Contact WHERE LastName = 3", "INVALID_FIELD"),
        ("SELECT Name FROM Contact WHERE SystemModstamp > 2026-01-01", "INVALID_FIELD"),
        ("SELECT Name FROM Contact WHERE Description = 'a'", "INVALID_FIELD"),
        ("SELECT Name FROM Contact WHERE Id = 'nonsense'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Name FROM Contact WHERE Total_Jobs__c LIKE 'a'", "INVALID_FIELD"),
        ("SELECT Name FROM Nothing__c", "INVALID_TYPE"),
        ("SELECT Name FROM Contact OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(api: Api, soql: str, expected: str) -> None:
    refused = api.get("/query", q=soql)
    assert (refused.status_code, code(refused)) == (400, expected)


def test_a_refusal_points_at_the_word(api: Api) -> None:
    message = api.get("/query", q="SELECT Id, Nam FROM Contact").json()[0]["message"]
    assert "ERROR at Row:1:Column:12\nNo such column 'Nam' on entity 'Contact'." in message


def test_an_address_that_is_too_long_is_refused(api: Api) -> None:
    assert api.get("/query", q="SELECT Id FROM Contact WHERE Name = '" + "x" * 17_000 + "'").status_code == 414


def test_stamps_come_from_the_clock() -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    with SalesforceSimulator(clock=lambda: noon) as sf:
        sf.put_records("Account", {"Name": "A"})
        assert sf.records("Account")[0]["SystemModstamp"] == "2026-01-31T12:00:00.000+0000"
