"""A record of a target is recognised as a customer of ours by the best way that finds one, and never by a guess."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from st_sf_pipelines.ports import Remote
from st_sf_pipelines.rules.matching import Candidate, folded, recognise
from st_sf_pipelines.systems.salesforce.objects import ACCOUNT, CONTACT

if TYPE_CHECKING:
    from st_sf_pipelines.mapping import ObjectMap

JOHN: dict[str, Any] = {
    "name": "John Smith",
    "last_name": "Smith",
    "email": "john@smith.com",
    "phone": "(480) 555-0142",
    "zip": "92101",
}


def customer(st_id: int, **values: str | None) -> dict[str, Any]:
    """Make one of our customers; all are John unless told otherwise."""
    return {"subject": st_id, "key": f"st_{st_id}", **JOHN, **values}


def contact(remote_id: str, key: str | None = None, **fields: str | None) -> Remote:
    """Make a Contact of theirs that nothing recognises but the fields given."""
    return Remote(remote_id, key, {"Email": None, "Phone": None, "LastName": "Nobody", "AccountId": None, **fields})


def account(remote_id: str, key: str | None = None, **fields: str | None) -> Remote:
    """Make an Account of theirs."""
    return Remote(remote_id, key, {"Name": "Nobody", "BillingPostalCode": None, **fields})


def found(
    ours: list[dict[str, Any]],
    theirs: list[Remote],
    target: ObjectMap = CONTACT,
    linked: dict[str, dict[int, str]] | None = None,
) -> dict[int, tuple[str, tuple[str, ...], bool]]:
    """Recognise; give for each customer by which way, which records, and whether that is certain."""
    candidates = recognise(target, ours, theirs, linked or {})
    return {c.subject: (c.by, c.remote_ids, c.is_certain) for c in candidates}


EMAIL = contact("C-EMAIL", Email="john@smith.com")
PHONE = contact("C-PHONE", Phone="480-555-0142", LastName="Smith")
KEY = contact("C-KEY", key="st_1")


def test_our_key_goes_before_email_and_that_before_phone_and_last_name() -> None:
    assert found([customer(1)], [PHONE, EMAIL, KEY]) == {1: ("key", ("C-KEY",), True)}
    assert found([customer(1)], [PHONE, EMAIL]) == {1: ("e-mail", ("C-EMAIL",), True)}
    assert found([customer(1)], [PHONE]) == {1: ("phone and last name", ("C-PHONE",), True)}
    assert found([customer(1)], []) == {}


def test_our_key_is_enough_though_nothing_else_agrees() -> None:
    stranger = contact("C", key="st_1", Email="mary@jones.com", LastName="Jones")
    assert found([customer(1)], [stranger]) == {1: ("key", ("C",), True)}


def test_a_way_that_finds_two_is_not_settled_by_a_weaker_one() -> None:
    theirs = [EMAIL, contact("C-EMAIL2", Email="john@smith.com"), PHONE]
    assert found([customer(1)], theirs) == {1: ("e-mail", ("C-EMAIL", "C-EMAIL2"), False)}


def test_one_record_that_two_customers_claim_is_certain_for_neither() -> None:
    twins = found([customer(1), customer(2)], [EMAIL])
    assert {st_id: (by, ids[0], certain) for st_id, (by, ids, certain) in twins.items()} == {
        1: ("e-mail", "C-EMAIL", False),
        2: ("e-mail", "C-EMAIL", False),
    }


def test_a_claim_counts_whichever_way_it_is_made() -> None:
    both = contact("C", Email="john@smith.com", Phone="480-555-0142", LastName="Smith")
    claims = found([customer(1), customer(2, email="mary@smith.com")], [both])
    assert {st_id: (by, certain) for st_id, (by, _, certain) in claims.items()} == {
        1: ("e-mail", False),
        2: ("phone and last name", False),
    }


def test_a_certain_claim_is_no_longer_so_beside_one_of_several() -> None:
    theirs = [
        contact("C", Email="john@smith.com", Phone="480-555-0142", LastName="Smith"),
        contact("D", Phone="480-555-0142", LastName="Smith"),
    ]
    claims = found([customer(1), customer(2, email=None)], theirs)
    assert [certain for _, _, certain in claims.values()] == [False, False]


def test_a_record_that_carries_another_customers_key_is_nobodys_candidate() -> None:
    taken = contact("C", key="st_9", Email="john@smith.com", Phone="480-555-0142", LastName="Smith")
    assert found([customer(1)], [taken]) == {}


def test_a_key_that_is_taken_leaves_the_others_free() -> None:
    ours = [customer(1), customer(2, email="mary@smith.com")]
    assert found(ours, [KEY, contact("C-MARY", Email="mary@smith.com")]) == {
        1: ("key", ("C-KEY",), True),
        2: ("e-mail", ("C-MARY",), True),
    }


def test_what_is_empty_recognises_nothing() -> None:
    nameless = customer(1, email=None, phone=None, last_name="Smith", name=None, zip=None)
    blank = contact("C", Email="", Phone="", LastName="")
    assert found([nameless], [blank, contact("D", LastName="Smith")]) == {}
    assert found([customer(1, email="", phone="none")], [blank, contact("D", Phone="none", LastName="Smith")]) == {}
    assert found([nameless], [account("A", Name="", BillingPostalCode="")], ACCOUNT) == {}


def test_a_phone_alone_or_a_name_alone_is_not_enough() -> None:
    others = [contact("C", Phone="480-555-0142", LastName="Jones"), contact("D", LastName="Smith")]
    assert found([customer(1)], others) == {}
    assert found([customer(1)], [account("A", Name="John Smith", BillingPostalCode="10001")], ACCOUNT) == {}


@pytest.mark.parametrize("email", ["JOHN@smith.com", " john@Smith.COM ", "john@smith.com"])
def test_case_and_blanks_do_not_part_one_email_from_itself(email: str) -> None:
    assert found([customer(1)], [contact("C", Email=email)])[1] == ("e-mail", ("C",), True)


@pytest.mark.parametrize(
    ("phone", "last_name"),
    [
        ("4805550142", "SMITH"),
        ("+1 480 555 0142", "smith"),
        ("480.555.0142 x12", " Smith "),
        ("(480) 555-0142", "Smith\u00a0"),
    ],
)
def test_format_and_case_do_not_part_one_phone_and_name_from_themselves(phone: str, last_name: str) -> None:
    theirs = [contact("C", Phone=phone, LastName=last_name)]
    assert found([customer(1)], theirs)[1] == ("phone and last name", ("C",), True)


@pytest.mark.parametrize(
    ("ours", "theirs"), [("Müller", "Mu\u0308ller"), ("STRASSE", "Straße"), ("O Brien", "O  BRIEN")]
)
def test_one_name_in_two_spellings_of_unicode_is_one_name(ours: str, theirs: str) -> None:
    remote = [contact("C", Phone="4805550142", LastName=theirs)]
    assert found([customer(1, last_name=ours)], remote)[1] == ("phone and last name", ("C",), True)


@pytest.mark.parametrize("zip_code", ["92101", "92101-4455", "921014455", " 92101 "])
def test_an_account_is_recognised_by_name_and_five_digits_of_its_postal_code(zip_code: str) -> None:
    theirs = [account("A", Name="JOHN  SMITH", BillingPostalCode=zip_code)]
    assert found([customer(1)], theirs, ACCOUNT)[1] == ("name and postal code", ("A",), True)


def test_an_account_is_recognised_through_its_contact_before_its_name() -> None:
    theirs = [account("A-NAME", Name="John Smith", BillingPostalCode="92101"), account("A-CONTACT")]
    through = {CONTACT.asset: {1: "A-CONTACT"}}
    assert found([customer(1)], theirs, ACCOUNT, through) == {1: ("its contact", ("A-CONTACT",), True)}
    assert found([customer(2)], theirs, ACCOUNT, through) == {2: ("name and postal code", ("A-NAME",), True)}


def test_two_contacts_in_one_account_make_it_certain_for_neither() -> None:
    through = {CONTACT.asset: {1: "A", 2: "A"}}
    ours = [customer(1), customer(2, name="Mary Jones")]
    assert [certain for _, _, certain in found(ours, [account("A")], ACCOUNT, through).values()] == [False, False]


def test_a_contact_in_an_account_of_somebody_else_points_to_nothing() -> None:
    taken = [account("A", key="st_9"), account("B", Name="John Smith", BillingPostalCode="92101")]
    through = {CONTACT.asset: {1: "A", 2: "gone"}}
    assert found([customer(1)], taken, ACCOUNT, through) == {1: ("name and postal code", ("B",), True)}
    assert found([customer(2, name="Mary")], taken, ACCOUNT, through) == {}


def test_a_candidate_is_certain_only_with_one_record() -> None:
    assert Candidate(1, "st_1", ("C",), "key").is_certain
    assert not Candidate(1, "st_1", ("C", "D"), "key").is_certain


def test_a_postal_code_is_folded_and_a_zip_like_name_is_not() -> None:
    assert folded("zip", "92101-4455") == "92101"
    assert folded("name", "92101-4455") == "92101-4455"
    assert folded("phone", "480 555 0142") == "+14805550142"
    assert folded("phone", "ask his wife") == folded("email", None) == ""


PEOPLE = st.sampled_from(["john@smith.com", "mary@smith.com", "", None])
PHONES = st.sampled_from(["480-555-0142", "(480) 5550143", "", None])
NAMES = st.sampled_from(["Smith", "SMITH", "Jones"])


@settings(deadline=None)
@given(
    st.lists(st.tuples(PEOPLE, PHONES, NAMES), max_size=6),
    st.lists(st.tuples(st.sampled_from([None, "st_1", "st_2", "st_77"]), PEOPLE, PHONES, NAMES), max_size=6),
)
def test_a_certain_record_has_one_owner_and_no_other_key(
    ours: list[tuple[str | None, str | None, str]], theirs: list[tuple[str | None, str | None, str | None, str]]
) -> None:
    keys: set[str] = set()
    remotes = []
    for n, (key, email, phone, last_name) in enumerate(theirs):
        own = key if key and key not in keys else None  # an external id is unique there
        keys.add(own or "")
        remotes.append(contact(f"C{n}", key=own, Email=email, Phone=phone, LastName=last_name))
    rows = [customer(n, email=e, phone=p, last_name=name) for n, (e, p, name) in enumerate(ours, 1)]
    candidates = recognise(CONTACT, rows, remotes, {})
    certain = [c.remote_ids[0] for c in candidates if c.is_certain]
    assert len(certain) == len(set(certain))
    holder = {remote.remote_id: remote.key for remote in remotes}
    for candidate in candidates:
        assert holder[candidate.remote_ids[0]] in (None, candidate.key)
        assert (candidate.by == "key") == (candidate.key in keys)
