"""An org that already has these people: nothing is made before `adopt`; then they are linked, and nobody is doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from st_sf_pipelines_tests.acceptance.desk import (
    ACCOUNT_KEY,
    ACCOUNTS,
    ADDRESS,
    CONTACT_KEY,
    CONTACTS,
    adopt,
    by_key,
    new_customer,
    one,
    parked,
    prove,
    retry,
)

if TYPE_CHECKING:
    from st_sf_pipelines_tests.world import World


def person(world: World, first: str, last: str, **fields: Any) -> tuple[str, str]:
    """Put a contact with an account of its own into the org; give both ids."""
    [account] = world.sf.put_records("Account", {"Name": f"{last} Household"})
    [contact] = world.sf.put_records("Contact", {"FirstName": first, "LastName": last, "AccountId": account, **fields})
    return account, contact


def test_people_who_are_there_are_linked_and_not_doubled(world: World) -> None:
    by_mail = person(world, "A.", "Lee", Email="Ann@Example.com", Phone="1", Title="Owner", MailingCity="Old Town")
    by_phone = person(world, "Robert", "Ng", Phone="(480) 555-0102")
    [by_name] = world.sf.put_records("Account", {"Name": "cal  orr", "BillingPostalCode": "92602-1234"})
    twins = [person(world, "Dee", "Poe", Email="dee@example.com")[1] for _ in range(2)]
    stranger = person(world, "Someone", "Else", Email="else@example.com")
    nowhere = dict.fromkeys(("street", "unit", "city", "state", "zip", "country"))
    ann = new_customer(world, "Ann Lee", email="ann@example.com", address=nowhere)
    bob = new_customer(world, "Bob Ng", phone="480-555-0102", address={**ADDRESS, "zip": "1"})
    cal = new_customer(world, "Cal Orr")
    dee = new_customer(world, "Dee Poe", email="dee@example.com", address={**ADDRESS, "zip": "2"})
    eve = new_customer(world, "Eve New", email="eve@example.com", address={**ADDRESS, "zip": "3"})
    before = {name: world.sf.records(name) for name in ("Account", "Contact")}

    stopped = world.sync()
    assert stopped["status"] == "stopped"
    assert "st-sf adopt" in stopped["error"]
    assert {name: world.sf.records(name) for name in before} == before
    looked = adopt(world)
    assert {name: world.sf.records(name) for name in before} == before
    assert world.sync()["status"] == "stopped", "a look opens nothing"
    assert {row["key"]: row["by"] for row in looked[CONTACTS]["linked"]} == {
        f"st_{ann}": "e-mail",
        f"st_{bob}": "phone and last name",
    }
    assert {row["key"]: row["by"] for row in looked[ACCOUNTS]["linked"]} == {
        f"st_{ann}": "its contact",
        f"st_{bob}": "its contact",
        f"st_{cal}": "name and postal code",
    }
    [undecided] = looked[CONTACTS]["undecided"]
    assert (undecided["key"], set(undecided["remote_ids"])) == (f"st_{dee}", set(twins))

    assert adopt(world, apply=True) == looked
    assert {name: world.sf.records(name) for name in before} == before, "linking itself writes nothing"
    adopted = world.sync()
    assert (adopted["status"], adopted["error"]) == ("parked", None)
    accounts, contacts = by_key(world.sf, "Account"), by_key(world.sf, "Contact")
    assert {key: row["Id"] for key, row in contacts.items() if key in (f"st_{ann}", f"st_{bob}")} == {
        f"st_{ann}": by_mail[1],
        f"st_{bob}": by_phone[1],
    }
    assert (accounts[f"st_{ann}"]["Id"], accounts[f"st_{bob}"]["Id"]) == (by_mail[0], by_phone[0])
    assert accounts[f"st_{cal}"]["Id"] == by_name
    assert set(contacts) == {f"st_{st_id}" for st_id in (ann, bob, cal, eve)}
    assert len(world.sf.records("Contact")) == len(before["Contact"]) + 2, "only Cal's and Eve's are new"
    mine = contacts[f"st_{ann}"]
    assert (mine["FirstName"], mine["AccountId"]) == ("Ann", by_mail[0])
    assert (mine["Phone"], mine["Title"], mine["MailingCity"]) == ("1", "Owner", "Old Town"), "nothing of ours clears"
    assert [(row["key"], row["code"]) for row in parked(world) if row["object"] == CONTACTS] == [
        (f"st_{dee}", "TWO_CANDIDATES")
    ]
    others = {row["Id"]: row for row in world.sf.records("Contact")}
    assert [others[contact_id][CONTACT_KEY] for contact_id in (*twins, stranger[1])] == [None] * 3

    world.sf.put_records("Contact", {"Id": twins[0], CONTACT_KEY: f"st_{dee}"})
    decided = adopt(world, apply=True)
    assert [(row["key"], row["by"]) for row in decided[CONTACTS]["linked"]] == [(f"st_{dee}", "key")]
    world.sync()
    assert by_key(world.sf, "Contact")[f"st_{dee}"]["Id"] == twins[0]
    world.sf.count_anew()
    world.sync()
    assert world.sf.counters["requests"] == 0


def test_two_candidates_are_made_anew_when_a_person_says_so(world: World) -> None:
    for _ in range(2):
        world.sf.put_records("Contact", {"LastName": "Poe", "Email": "dee@example.com"})
    dee = new_customer(world, "Dee Poe", email="dee@example.com")
    adopt(world, apply=True)
    assert world.sync()["status"] == "parked"
    assert retry(world, f"st_{dee}") == 1
    assert world.sync()["status"] == "success"
    assert (len(world.sf.records("Contact")), list(by_key(world.sf, "Contact"))) == (3, [f"st_{dee}"])


def test_one_record_that_two_customers_claim_is_certain_for_neither(world: World) -> None:
    world.sf.put_records("Contact", {"LastName": "Lee", "Email": "family@example.com"})
    both = {f"st_{new_customer(world, name, email='family@example.com')}" for name in ("Ann Lee", "Bob Lee")}
    looked = adopt(world, apply=True)
    assert looked[CONTACTS]["linked"] == ()
    assert {row["key"] for row in looked[CONTACTS]["undecided"]} == both
    world.sync()
    assert by_key(world.sf, "Contact") == {}


def test_an_adopted_org_is_proved_whole_and_a_repair_clears_nothing(world: World) -> None:
    person(world, "Ann", "Lee", Email="ann@example.com", Phone="480-555-0199", MailingCity="Old Town")
    new_customer(world, "Ann Lee", email="ann@example.com", address=dict.fromkeys(ADDRESS))
    adopt(world, apply=True)
    world.sync()
    report = prove(world, repair=True)
    found = {name: row["differences"] for name, row in report["tenants"][0]["objects"].items()}
    assert {ACCOUNTS, CONTACTS} <= set(found)
    assert not any(found.values())
    assert report["ok"]
    world.sync()
    contact = one(world, "Contact")
    assert (contact["Phone"], contact["MailingCity"]) == ("480-555-0199", "Old Town")


def test_an_org_with_contacts_alone_gets_no_account_before_adopt(world: World) -> None:
    world.sf.put_records("Contact", {"LastName": "Lee", "Email": "ann@example.com"})
    new_customer(world, "Ann Lee", email="ann@example.com")
    assert world.sync()["status"] == "stopped"
    assert world.sf.records("Account") == []
    adopt(world, apply=True)
    assert world.sync()["status"] == "success"
    assert one(world, "Contact")["AccountId"] == one(world, "Account")["Id"]


def test_adopt_skip_writes_beside_what_is_there(world: World) -> None:
    person(world, "Ann", "Lee", Email="ann@example.com")
    new_customer(world, "Ann Lee", email="ann@example.com")
    world.extra = {"salesforce": {"adopt": "skip"}}
    world.write_site()
    assert world.sync()["status"] == "success"
    assert (len(world.sf.records("Contact")), len(by_key(world.sf, "Contact"))) == (2, 1)


def test_an_org_that_holds_our_keys_alone_is_no_stranger_to_a_new_database(world: World) -> None:
    names = ["Ann Lee", "Bob Lee"]
    keys = {f"st_{new_customer(world, name)}" for name in names}
    world.sync()
    there = {row["Id"] for row in world.sf.records("Contact")}
    with world.db.connect() as connection:  # another machine, which knows of nothing
        connection.execute("TRUNCATE sync.deliveries, sync.targets, sync.positions, sync.receipts")
    again = world.sync()
    assert again["status"] == "success"
    assert {row["Id"] for row in world.sf.records("Contact")} == there
    assert set(by_key(world.sf, "Account")) == keys
    assert all(row[ACCOUNT_KEY] for row in world.sf.records("Account"))


def test_an_empty_org_needs_no_adopting(world: World) -> None:
    new_customer(world, "Ann Lee")
    assert world.sync()["status"] == "success"
    person(world, "Bob", "Elsewhere", Email="bob@example.com")
    new_customer(world, "Cal Lee")
    assert world.sync()["status"] == "success", "people who come by hand later stop nothing"
