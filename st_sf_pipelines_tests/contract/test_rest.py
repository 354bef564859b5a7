"""What the client relies on of Payload's REST API holds for the stand-in and for a real Payload alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx
import pytest

if TYPE_CHECKING:
    from st_sf_pipelines_tests.contract.peers import Peer

GET = {"X-Payload-HTTP-Method-Override": "GET", "Content-Type": "application/x-www-form-urlencoded"}


def paths(answer: httpx.Response) -> set[str]:
    return {fault["path"] for error in answer.json()["errors"] for fault in error["data"]["errors"]}


def found(peer: Peer, slug: str, *where: tuple[str, str], **query: str) -> list[Any]:
    """Look documents up as the client does; give their last names or titles."""
    form = urlencode([*where, *query.items(), ("depth", "0")])
    answer = peer.api.post(f"/{slug}", content=form, headers=GET)
    assert answer.status_code == 200, answer.text
    return [document.get("lastName", document.get("title")) for document in answer.json()["docs"]]


@pytest.fixture
def deal(peer: Peer) -> dict[str, Any]:
    """Give the fields that a deal must have, and the records that they point to."""
    pipeline = peer.make("pipelines", name="Sales", slug="sales", type="sales")
    stage = peer.make("pipeline-stages", name="New Lead", slug="new-lead", order=1, pipeline=pipeline)
    contact = peer.make("contacts", lastName="Lee", serviceTitanId="1")
    return {"title": "T", "contact": contact, "pipeline": pipeline, "stage": stage, "status": "open"}


@pytest.mark.parametrize("header", [{}, {"Authorization": "users API-Key wrong"}, {"Authorization": "Bearer x"}])
def test_whom_nobody_knows_is_forbidden_and_has_no_name(peer: Peer, header: dict[str, str]) -> None:
    url = f"{peer.credentials['url']}/api"
    answer = httpx.get(f"{url}/contacts", headers=header)
    assert (answer.status_code, list(answer.json())) == (403, ["errors"])
    assert httpx.post(f"{url}/contacts", headers=header, json={"lastName": "x"}).status_code == 403
    me = httpx.get(f"{url}/users/me", headers=header)
    assert (me.status_code, me.json()["user"]) == (200, None)


def test_the_key_and_the_shared_secret_both_open(peer: Peer) -> None:
    assert peer.api.get("/users/me").json()["user"]["email"] == "sync@example.com"
    secret = {"X-Webhook-Secret": peer.credentials["webhook_secret"]}
    url = f"{peer.credentials['url']}/api"
    assert httpx.post(f"{url}/contacts", headers=secret, json={"lastName": "x"}).status_code == 201
    assert httpx.get(f"{url}/users/me", headers=secret).json()["user"] is None


def test_a_created_document_is_answered_whole_or_as_selected(peer: Peer) -> None:
    sent = {"lastName": "Lee", "nobody": "knows", "id": 77, "address": {"city": "X"}}
    whole = peer.api.post("/contacts?depth=0", json=sent)
    assert (whole.status_code, sorted(whole.json())) == (201, ["doc", "message"])
    document = whole.json()["doc"]
    assert isinstance(document["id"], int if peer.has_numbers else str)
    assert (document["id"] == 77, "nobody" in document, document["email"]) == (False, False, None)
    assert document["address"] == {"street": None, "city": "X", "state": None, "zip": None}
    selected = peer.api.post("/contacts?depth=0&select[id]=true", json={"lastName": "Lee"})
    assert list(selected.json()["doc"]) == ["id"]


def test_values_are_cast_to_the_kind_of_their_field(peer: Peer, deal: dict[str, Any]) -> None:
    peer.make("opportunities", **deal, serviceTitanId=77, value="12.5", closeDate="2026-01-31T12:00:00.000Z")
    [document] = peer.all("opportunities")
    assert (document["serviceTitanId"], document["value"]) == ("77", 12.5)
    assert document["closeDate"] == "2026-01-31T12:00:00.000Z"


@pytest.mark.parametrize(
    ("slug", "sent", "refused"),
    [
        ("contacts", {"firstName": "x"}, {"lastName"}),
        ("contacts", {"lastName": ""}, {"lastName"}),
        ("contacts", {"type": "nope", "email": "no mail"}, {"lastName", "type", "email"}),
        ("contacts", {"lastName": "x", "email": "a@b.c "}, {"email"}),
        ("contacts", {"lastName": "x", "tags": [{}]}, {"tags.0.tag"}),
        ("opportunities", {"title": "x"}, {"contact", "pipeline", "stage"}),
        ("activities", {"type": "note", "data": "text"}, {"data"}),
    ],
)  # fmt: skip
def test_a_refused_document_names_the_path_of_each_field(
    peer: Peer, slug: str, sent: dict[str, Any], refused: set[str]
) -> None:
    answer = peer.api.post(f"/{slug}", json=sent)
    assert (answer.status_code, paths(answer)) == (400, refused)
    assert peer.all(slug) == []


def test_a_unique_value_is_taken_once_and_nothing_may_stand_often(peer: Peer) -> None:
    for name in "ab":
        peer.make("contacts", lastName=name)
    peer.make("contacts", lastName="c", serviceTitanId="1")
    other = peer.make("contacts", lastName="d", serviceTitanId="2")
    for answer in (
        peer.api.post("/contacts", json={"lastName": "e", "serviceTitanId": "1"}),
        peer.api.patch(f"/contacts/{other}", json={"serviceTitanId": "1"}),
    ):
        assert (answer.status_code, paths(answer)) == (400, {"serviceTitanId"})


def test_a_patch_keeps_what_is_not_sent_clears_nulls_and_merges_groups(peer: Peer) -> None:
    made = peer.make("contacts", lastName="Lee", phone="1", email="a@b.co", address={"street": "s", "city": "c"})
    answer = peer.api.patch(
        f"/contacts/{made}?depth=0&overrideLock=true", json={"phone": None, "address": {"city": "d"}}
    )
    document = answer.json()["doc"]
    assert (answer.status_code, document["id"], document["lastName"], document["phone"]) == (200, made, "Lee", None)
    assert (document["email"], document["address"]["street"], document["address"]["city"]) == ("a@b.co", "s", "d")
    assert paths(peer.api.patch(f"/contacts/{made}", json={"lastName": None})) == {"lastName"}


def test_a_patch_replaces_json_whole(peer: Peer) -> None:
    made = peer.make("activities", type="note", data={"key": "k", "n": 1})
    peer.change("activities", made, data={"n": 2})
    assert peer.all("activities")[0]["data"] == {"n": 2}


def test_every_patch_is_a_later_version_even_an_empty_one(peer: Peer) -> None:
    made = peer.make("contacts", lastName="Lee")
    stamps = [peer.all("contacts")[0]["updatedAt"]]
    for sent in ({}, {"updatedAt": "2020-01-01T00:00:00.000Z"}):
        peer.change("contacts", made, **sent)
        stamps.append(peer.all("contacts")[0]["updatedAt"])
    assert stamps == sorted(set(stamps))


def test_what_is_not_there_is_404_in_two_shapes(peer: Peer) -> None:
    missing = "999999" if peer.has_numbers else "00000000-0000-4000-8000-000000000000"
    for method in ("GET", "PATCH", "DELETE"):
        answer = peer.api.request(method, f"/contacts/{missing}", json={"lastName": "x"})
        assert (answer.status_code, list(answer.json())) == (404, ["errors"])
    for method, path in (("GET", "/nope"), ("PUT", f"/contacts/{missing}"), ("POST", "/nope")):
        answer = peer.api.request(method, path)
        assert (answer.status_code, list(answer.json())) == (404, ["message"])


def test_a_relationship_takes_ids_of_the_servers_own_kind_and_of_records_that_are_there(
    peer: Peer, deal: dict[str, Any]
) -> None:
    wrong = str(deal["contact"]) if peer.has_numbers else 1
    refused = peer.api.post("/opportunities", json={**deal, "contact": wrong})
    assert (refused.status_code, paths(refused)) == (400, {"contact"})
    missing = 999_999 if peer.has_numbers else "00000000-0000-4000-8000-000000000000"
    assert peer.api.post("/opportunities", json={**deal, "contact": missing}).status_code == 500
    assert peer.all("opportunities") == []
    made = peer.make("opportunities", **deal)
    assert peer.api.patch(f"/opportunities/{made}", json={"contact": missing}).status_code == 500
    assert peer.api.delete(f"/contacts/{deal['contact']}").status_code == 500
    assert [document["contact"] for document in peer.all("opportunities")] == [deal["contact"]]


def test_relationships_come_whole_unless_depth_is_0(peer: Peer, deal: dict[str, Any]) -> None:
    made = peer.make("opportunities", **deal)
    assert peer.api.get(f"/opportunities/{made}").json()["contact"]["lastName"] == "Lee"
    assert peer.api.get(f"/opportunities/{made}?depth=0").json()["contact"] == deal["contact"]


def test_a_list_is_paged_and_has_the_newest_first(peer: Peer) -> None:
    for n in range(12):
        peer.make("contacts", lastName=f"L{n:02}")
    plain = peer.api.get("/contacts").json()
    assert (len(plain["docs"]), plain["docs"][0]["lastName"], plain["limit"], plain["totalDocs"]) == (10, "L11", 10, 12)
    assert (plain["hasNextPage"], plain["nextPage"], plain["totalPages"]) == (True, 2, 2)
    last = peer.api.get("/contacts", params={"limit": "5", "page": "3", "sort": "lastName", "depth": "0"}).json()
    assert [document["lastName"] for document in last["docs"]] == ["L10", "L11"]
    assert (last["hasNextPage"], last["nextPage"]) == (False, None)
    assert len(peer.api.get("/contacts", params={"limit": "0"}).json()["docs"]) == 12
    assert peer.api.get("/contacts/count").json() == {"totalDocs": 12}
    assert peer.api.get("/contacts", params={"limit": "1", "page": "9"}).json()["nextPage"] == 10


def test_a_look_up_takes_500_values_in_a_form(peer: Peer) -> None:
    for n in (1, 2, 700):
        peer.make("contacts", lastName=f"L{n}", serviceTitanId=str(n))
    where = [("where[serviceTitanId][in][]", str(n)) for n in range(500)]
    assert sorted(found(peer, "contacts", *where, limit="1000")) == ["L1", "L2"]


def test_values_with_commas_and_quotes_are_looked_for_as_they_are(peer: Peer) -> None:
    for name in ("O'Brien, Jr.", 'The "Best"', "100% & more"):
        peer.make("contacts", lastName=name)
        assert found(peer, "contacts", ("where[lastName][in][]", name)) == [name]
        assert found(peer, "contacts", ("where[lastName][equals]", name)) == [name]


def test_operators_find_what_they_say(peer: Peer, deal: dict[str, Any]) -> None:
    peer.make("contacts", lastName="Ann", email="Ann@x.com", serviceTitanId="2", address={"city": "Y"})
    peer.make("contacts", lastName="Bob", email="bob@x.com")
    for name, contact in (("A", deal["contact"]), ("B", deal["contact"])):
        peer.make("opportunities", **{**deal, "title": name, "contact": contact, "serviceTitanId": name})
    bob_or_ann = [("where[or][0][email][equals]", "bob@x.com"), ("where[or][1][lastName][equals]", "Ann")]
    both = [("where[and][0][email][equals]", "bob@x.com"), ("where[and][1][lastName][equals]", "Ann")]
    people: list[tuple[list[tuple[str, str]], list[str]]] = [
        ([("where[serviceTitanId][exists]", "false")], ["Bob"]),
        ([("where[serviceTitanId][exists]", "true")], ["Ann", "Lee"]),
        ([("where[email][equals]", "ann@x.com")], []),
        ([("where[email][like]", "ann@X")], ["Ann"]),
        ([("where[address.city][equals]", "Y")], ["Ann"]),
        (bob_or_ann, ["Ann", "Bob"]),
        (both, []),
        ([("where[email][in][]", "bob@x.com"), ("where[serviceTitanId][exists]", "false")], ["Bob"]),
    ]
    for where, names in people:
        assert sorted(found(peer, "contacts", *where)) == names, where
    contact = ("where[contact][in][]", str(deal["contact"]))
    assert found(peer, "opportunities", contact, ("where[serviceTitanId][in][]", "B")) == ["B"]
    assert sorted(found(peer, "opportunities", ("where[contact.serviceTitanId][equals]", "1"))) == ["A", "B"]
    assert found(peer, "opportunities", ("where[contact.serviceTitanId][equals]", "2")) == []


@pytest.mark.parametrize("where", ["where[nope][equals]", "where[email][nope]"])
def test_what_nobody_knows_cannot_be_looked_for(peer: Peer, where: str) -> None:
    assert peer.api.get("/contacts", params={where: "x"}).status_code == 400
    assert peer.api.get("/contacts", params={"sort": "nope"}).status_code == 200


def test_a_key_inside_json_is_found_if_it_is_plain(peer: Peer) -> None:
    for key in ("st_1:2.x-y", "st_1:3"):
        peer.make("activities", type="note", title=key, data={"key": key, "n": 1})
    peer.make("activities", type="note", title="none")
    where = [("where[data.key][in][]", key) for key in ("st_1:3", "st_1:4")]
    assert found(peer, "activities", *where) == ["st_1:3"]
    assert found(peer, "activities", ("where[data.key][equals]", "st_1:2.x-y")) == ["st_1:2.x-y"]
    for odd in ("a/b", "a,b", "it's", "é"):
        assert peer.api.get("/activities", params={"where[data.key][equals]": odd}).status_code == 400


def test_changes_are_read_in_the_order_of_stamp_and_id(peer: Peer) -> None:
    ids = [peer.make("contacts", lastName=f"L{n}") for n in range(4)]
    peer.change("contacts", ids[0], phone="1")
    ordered = sorted(peer.all("contacts"), key=lambda document: (document["updatedAt"], document["id"]))
    names = [document["lastName"] for document in ordered]
    assert found(peer, "contacts", sort="updatedAt,id") == names
    at, document_id = ordered[1]["updatedAt"], str(ordered[1]["id"])
    after = [
        ("where[or][0][updatedAt][greater_than]", at),
        ("where[or][1][and][0][updatedAt][equals]", at),
        ("where[or][1][and][1][id][greater_than]", document_id),
    ]
    assert found(peer, "contacts", *after, sort="updatedAt,id") == names[2:]
    assert found(peer, "contacts", ("where[updatedAt][greater_than_equal]", at), sort="updatedAt,id") == names[1:]


def test_select_shows_just_what_is_asked_for(peer: Peer) -> None:
    peer.make("contacts", lastName="Lee", address={"city": "X", "zip": "1"})
    asked = {"depth": "0", "select[lastName]": "true", "select[address][city]": "true", "select[nope]": "true"}
    [document] = peer.api.get("/contacts", params=asked).json()["docs"]
    assert {name: value for name, value in document.items() if name != "id"} == {
        "lastName": "Lee",
        "address": {"city": "X"},
    }


def test_a_body_without_a_content_type_is_an_error_that_nobody_foresaw(peer: Peer) -> None:
    assert peer.api.post("/contacts", content=b'{"lastName": "x"}').status_code == 500
    assert peer.api.post("/contacts", json=[{"lastName": "x"}]).status_code == 400


def test_the_webhook_takes_events_from_whoever_knows_the_secret(peer: Peer) -> None:
    url = f"{peer.credentials['url']}/api/webhooks/st-automation"
    known = {"X-Webhook-Secret": peer.credentials["webhook_secret"]}
    assert httpx.post(url, json={"event": "a"}, headers=known).status_code == 202
    for header in ({}, {"X-Webhook-Secret": "wrong"}):
        assert httpx.post(url, json={"event": "b"}, headers=header).status_code == 401
    assert peer.events == [{"event": "a"}]
    assert httpx.get(f"{url}/health").status_code == 200
