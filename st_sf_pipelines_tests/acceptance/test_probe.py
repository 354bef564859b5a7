"""The probe finds nothing after a good round, and each kind of news when there is some (OPS-2)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from st_sf_pipelines.defs import news as looking
from st_sf_pipelines.defs.news import News, look
from st_sf_pipelines.simulators.servicetitan.faults import rules
from st_sf_pipelines.systems.servicetitan.entities import ENTITIES
from st_sf_pipelines.systems.targets import SYSTEM
from st_sf_pipelines_tests.acceptance.desk import (
    ACCOUNTS,
    CONTACTS,
    completed_job,
    contact_of,
    many_customers,
    new_customer,
    retry,
)
from st_sf_pipelines_tests.silent import Silent

if TYPE_CHECKING:
    import pytest

    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World

FEEDS = sum(entity.is_fed for entity in ENTITIES)
JUNE = "2026-06-01T20:00:00Z"


def probe(world: World, as_of: str | None = None) -> News:
    settings = world.settings
    [tenant] = settings.site.tenants
    moment = datetime.fromisoformat(as_of) if as_of else datetime.now(UTC)
    return look(world.db, tenant, settings.site, moment)


def quiet(world: World) -> int:
    """Bring all up to date; give the id of the one customer there is."""
    st_id = new_customer(world, "Ann Lee", phone="480-555-0101")
    world.sync(as_of=JUNE)
    assert probe(world, JUNE) == News((), ())
    return st_id


def test_after_a_good_round_there_is_no_news_and_a_look_costs_one_call_a_feed(world: World) -> None:
    quiet(world)
    before, writes = world.st.counters["calls"], world.rows("SELECT count(*) AS n FROM sync.touched")
    world.sf.count_anew()
    news = probe(world, JUNE)
    assert (news.assets, news.sentence) == ((), "nothing changed")
    assert world.st.counters["calls"] - before == FEEDS
    assert world.sf.counters["requests"] == 0
    assert world.rows("SELECT count(*) AS n FROM sync.touched") == writes


def test_before_the_first_round_every_feed_is_news(world: World) -> None:
    assert len(probe(world).assets) >= FEEDS


def test_a_new_and_a_changed_record_are_news_of_their_feed_alone(world: World) -> None:
    st_id = quiet(world)
    world.st.put("customer_contacts", [{"id": contact_of(world, st_id, "MobilePhone"), "value": "480-555-0102"}])
    news = probe(world, JUNE)
    assert (news.assets, news.sentence) == (("servicetitan/customer_contacts",), "new in customer_contacts")
    world.sync(as_of=JUNE)
    assert probe(world, JUNE).assets == ()
    world.st.put("jobs", [{"customerId": st_id}])
    assert probe(world, JUNE).assets == ("servicetitan/jobs",)


def test_the_same_stamp_with_another_content_is_news(world: World) -> None:
    st_id = quiet(world)
    world.st.put("customers", [{"id": st_id, "balance": 5.0}], accounting=True)
    assert probe(world, JUNE).assets == ("servicetitan/customers",)


def test_a_record_in_quarantine_that_comes_again_is_no_news(world: World) -> None:
    quiet(world)
    world.st.put("customers", [{"id": 5, "name": None, "modifiedOn": "2026-06-01T00:00:00Z"}], raw=True)
    assert probe(world, JUNE).assets == ("servicetitan/customers",)
    assert world.sync(as_of=JUNE)["status"] == "parked"
    assert probe(world, JUNE).assets == ()


def test_a_customer_that_falls_due_is_news_on_its_day(world: World) -> None:
    st_id = quiet(world)
    completed_job(world, st_id, "2026-05-20T20:00:00Z")
    world.sync(as_of=JUNE)
    assert probe(world, "2026-11-16T20:00:00Z").assets == ()
    assert probe(world, "2026-11-17T20:00:00Z").assets == ("customers/profile",), "the 181st day"
    world.sync(as_of="2026-11-17T20:00:00Z")
    assert probe(world, "2026-11-17T20:00:00Z").assets == ()


def test_an_edited_threshold_is_news(world: World) -> None:
    quiet(world)
    world.write_site(segments={"vip_lifetime_value": 7000})
    assert "a rule was edited" in probe(world, JUNE).sentence
    world.sync(as_of=JUNE)
    assert probe(world, JUNE).assets == ()


def test_an_edited_map_is_news(world: World) -> None:
    quiet(world)
    fields = {"accounts": [{"to": "AccountSource", "constant": "ServiceTitan"}]}
    world.extra = {"salesforce": {"fields": fields}}
    world.write_site()
    news = probe(world, JUNE)
    assert "a map was edited" in news.sentence
    assert {ACCOUNTS, CONTACTS} < set(news.assets) == {target.asset for target in SYSTEM["salesforce"].objects}
    world.sync(as_of=JUNE)
    assert probe(world, JUNE).assets == ()


def test_a_refused_record_is_no_news_until_it_is_to_be_tried_again(world: World) -> None:
    world.sf.add_rule("validation", "Account", when={"Name": "Ann Bad"}, message="bad name")
    bad = new_customer(world, "Ann Bad")
    world.sync(as_of=JUNE)
    assert probe(world, JUNE).assets == ()
    retry(world, f"st_{bad}")
    assert probe(world, JUNE).sentence == "salesforce: records wait to be sent"


def test_a_record_that_waits_for_its_pause_is_news_when_it_is_over(world: World, naps: list[float]) -> None:
    stuck = {"statusCode": "UNABLE_TO_LOCK_ROW", "message": "locked"}
    world.sf.set_faults({"match": {"path": "sobjects/Account"}, "do": {"row_error": stuck}})
    new_customer(world, "Ann Lee")
    world.sync(as_of=JUNE)
    assert naps
    assert probe(world, JUNE).assets == ()
    with world.db.connect() as connection:
        connection.execute("UPDATE sync.deliveries SET next_try_at = now() WHERE next_try_at IS NOT NULL")
    assert probe(world, JUNE).sentence == "salesforce: records wait to be sent"
    world.sf.set_faults()
    world.sync(as_of=JUNE)
    assert probe(world, JUNE).assets == ()


def test_an_account_that_waits_is_news_though_its_contact_was_refused(world: World, naps: list[float]) -> None:
    st_id = new_customer(world, "Ann Lee")
    world.sf.add_rule("validation", "Contact", when={"LastName": "Lee"}, message="bad name")
    world.sync(as_of=JUNE)
    stuck = {"statusCode": "UNABLE_TO_LOCK_ROW", "message": "locked"}
    world.sf.set_faults({"match": {"path": "composite/sobjects"}, "do": {"row_error": stuck}})
    world.st.put("customers", [{"id": st_id, "balance": 5.0}], accounting=True)
    world.sync(as_of=JUNE)
    assert naps
    with world.db.connect() as connection:
        connection.execute("UPDATE sync.deliveries SET next_try_at = now() WHERE next_try_at IS NOT NULL")
    assert probe(world, JUNE).sentence == "salesforce: records wait to be sent"


def test_what_a_dry_round_left_to_send_is_news(world: World) -> None:
    new_customer(world, "Ann Lee")
    world.sync(as_of=JUNE, dry_run=True)
    assert probe(world, JUNE).sentence == "salesforce: records wait to be sent"


def test_an_unfinished_load_is_news(world: World) -> None:
    quiet(world)
    with world.db.connect() as connection:  # a kill between two pages leaves the feed so
        connection.execute("UPDATE sync.feeds SET complete = false WHERE entity = 'jobs'")
    assert probe(world, JUNE).assets == ("servicetitan/jobs",)


def test_young_records_that_come_again_are_no_news(open_world: OpenWorld) -> None:
    world = open_world(page_size=5)
    many_customers(world, 12)
    world.sync(as_of=JUNE)
    before = world.st.counters["by_entity"]["customers"]["feed"]
    assert probe(world, JUNE).sentence == "nothing changed"
    assert world.st.counters["by_entity"]["customers"]["feed"] - before == 3
    world.st.put("customers", [{"name": "Zoe Lee"}])
    assert probe(world, JUNE).assets == ("servicetitan/customers",)


def test_a_token_that_the_server_no_longer_accepts_is_news_so_that_a_round_begins_the_feed_again(world: World) -> None:
    quiet(world)
    world.st.forget_feed_tokens()
    news = probe(world, JUNE)
    assert (set(news.assets) > {"servicetitan/customers", "servicetitan/jobs"}, news.faults) == (True, ())
    assert world.sync(as_of=JUNE)["status"] == "success"
    assert probe(world, JUNE) == News((), ())


def test_a_feed_that_does_not_answer_is_told_and_does_not_raise(world: World) -> None:
    st_id = quiet(world)
    world.st.app.faults.rules = rules([{"match": {"entity": "jobs"}, "do": {"status": 503}}])
    world.st.put("customers", [{"id": st_id, "name": "Anna Lee"}])
    news = probe(world, JUNE)
    assert news.assets == ("servicetitan/customers",)
    assert len(news.faults) == 1
    assert "socal: GET /jpm/v2/tenant/4101/export/jobs: the server is in trouble (503)" in news.sentence


def test_a_silent_crm_is_asked_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "PROBE_SECONDS", 0.5)
    with Silent() as server:
        world.extra = {"crm": {"api_url": server.url, "api_key": "k"}}
        world.write_site()
        news = probe(world)  # each feed's first load is news without a call
        assert (len(news.assets) >= FEEDS, news.faults) == (True, ())
        assert [note.partition(": POST")[0] for note in news.notes] == ["crm: socal"]
        assert news.notes[0].endswith("no answer in time")
        assert server.calls == 1
