"""The nightly sweep finds what no feed told, marks what is gone, keeps to its budget, and goes on where it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines.errors import PermanentError, TransientError
from st_sf_pipelines.ports import Listed
from st_sf_pipelines.simulators.servicetitan.faults import rules
from st_sf_pipelines.store import sweeps
from st_sf_pipelines.sync.pull import pull
from st_sf_pipelines.sync.sweep import Swept, sweep
from st_sf_pipelines.systems.servicetitan.entities import ENTITIES, ENTITY
from st_sf_pipelines_tests.store.feeding import STAMP, rows, touched
from st_sf_pipelines_tests.sync.conftest import Laid
from st_sf_pipelines_tests.world import TENANT

if TYPE_CHECKING:
    from st_sf_pipelines.ports import Source
    from st_sf_pipelines.simulators.servicetitan.simulator import ServiceTitanSimulator
    from st_sf_pipelines.store.database import Database
    from st_sf_pipelines.systems.servicetitan.client import ServiceTitanClient

ENOUGH = 500


@pytest.fixture
def loaded(db: Database, source: ServiceTitanClient) -> Database:
    """Give a store with the shop's customers, contacts, leads, jobs and tags."""
    for name in ("customers", "customer_contacts", "leads", "jobs", "tag_types"):
        pull(db, source, TENANT, ENTITY[name])
    return db


def sweep_of(db: Database, source: Source, name: str, budget: int = ENOUGH) -> Swept:
    [(_, swept)] = sweep(db, source, TENANT, [ENTITY[name]], budget)
    assert isinstance(swept, Swept)
    return swept


def first(st: ServiceTitanSimulator, entity: str) -> int:
    """Give the first record of the shop that is active."""
    table = st.shop.tenant().tables[entity]
    return min(key for key in table.keys() if table.get(key).get("active", True))  # noqa: SIM118 - no dict


def stored(db: Database, entity: str, st_id: int) -> dict[str, Any]:
    [row] = rows(db, f"SELECT * FROM servicetitan.{entity} WHERE id = %s", st_id)  # noqa: S608 - our own tables
    return row


@pytest.mark.parametrize("name", [entity.name for entity in ENTITIES if entity.is_listed])
def test_a_sweep_after_a_load_finds_nothing_whatever_form_a_list_has(
    db: Database, source: ServiceTitanClient, name: str
) -> None:
    loaded = pull(db, source, TENANT, ENTITY[name])
    log = len(touched(db, f"servicetitan/{name}"))
    swept = sweep_of(db, source, name)
    assert (swept.new, swept.changed, swept.gone, swept.finished, swept.agrees) == (0, 0, [], True, True)
    assert swept.listed == swept.held
    assert swept.held <= loaded.new
    assert len(touched(db, f"servicetitan/{name}")) == log


def test_a_record_that_changed_silently_is_found(
    loaded: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    st_id = first(st, "customers")
    st.put("customers", [{"id": st_id, "name": "Silent Change"}], silent=True)
    assert pull(loaded, source, TENANT, ENTITY["customers"]).changed == 0, "no feed tells it"
    assert sweep_of(loaded, source, "customers").changed == 1
    assert stored(loaded, "customers", st_id)["name"] == "Silent Change"
    assert touched(loaded, "servicetitan/customers")[-1] == st_id


def test_a_record_that_no_feed_told_is_taken_in(db: Database, source: ServiceTitanClient) -> None:
    swept = sweep_of(db, source, "customers")
    assert (swept.new, swept.held, swept.listed) == (23, 23, 23)


@pytest.mark.parametrize("entity", ["leads", "customer_contacts", "jobs"])
def test_a_record_that_its_list_no_longer_shows_is_marked_and_comes_back_when_it_shows_again(
    loaded: Database, st: ServiceTitanSimulator, source: ServiceTitanClient, entity: str
) -> None:
    st_id = first(st, entity)
    st.put(entity, [{"id": st_id, "active": False}], silent=True)
    swept = sweep_of(loaded, source, entity)
    assert (swept.gone, swept.agrees) == ([st_id], True)
    row = stored(loaded, entity, st_id)
    assert (row["active"], row["record"]["id"]) == (False, st_id), "kept, and marked"
    assert [(each["entity"], each["id"]) for each in sweeps.gone(loaded, TENANT)] == [(entity, st_id)]
    assert touched(loaded, f"servicetitan/{entity}")
    assert sweep_of(loaded, source, entity).gone == [], "once"
    st.put(entity, [{"id": st_id, "active": True}], silent=True)
    assert sweep_of(loaded, source, entity).changed == 1
    assert (stored(loaded, entity, st_id)["active"], sweeps.gone(loaded, TENANT)) == (True, [])


def test_a_gone_record_comes_back_by_its_feed_too(
    loaded: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    st_id = first(st, "leads")
    st.put("leads", [{"id": st_id, "active": False}], silent=True)
    sweep_of(loaded, source, "leads")
    st.put("leads", [{"id": st_id, "active": True}])
    pull(loaded, source, TENANT, ENTITY["leads"])
    assert (stored(loaded, "leads", st_id)["active"], sweeps.gone(loaded, TENANT)) == (True, [])


def test_a_list_never_clears_a_deletion_that_only_the_feed_told(
    loaded: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    """Our copy says deleted, and the list, which shows no `active`, still has the record."""
    st_id = first(st, "leads")
    st.put("leads", [{"id": st_id, "active": False}])
    pull(loaded, source, TENANT, ENTITY["leads"])
    st.put("leads", [{"id": st_id, "active": True}], silent=True)
    swept = sweep_of(loaded, source, "leads")
    assert (swept.changed, stored(loaded, "leads", st_id)["active"]) == (0, False)


def test_a_sweep_keeps_to_its_budget_and_goes_on_where_it_ended(
    loaded: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    st_id = max(st.shop.tenant().tables["customers"].keys())
    st.put("customers", [{"id": st_id, "name": "Silent Change"}], silent=True)
    nights = []
    for _ in range(3):
        before = source.calls
        nights.append(sweep_of(loaded, source, "customers", budget=2))
        assert source.calls - before == 2 if not nights[-1].finished else 1
    assert [night.finished for night in nights] == [False, False, True]
    assert sum(night.changed for night in nights) == 1
    assert nights[-1].agrees
    assert stored(loaded, "customers", st_id)["name"] == "Silent Change"


def test_the_one_under_way_comes_first_then_the_least_recently_swept(
    loaded: Database, source: ServiceTitanClient
) -> None:
    entities = [ENTITY[name] for name in ("tag_types", "customers", "leads")]
    sweep_of(loaded, source, "tag_types")
    sweep_of(loaded, source, "customers", budget=1)
    swept = [entity.name for entity, _ in sweep(loaded, source, TENANT, entities, ENOUGH)]
    assert swept == ["customers", "leads", "tag_types"]
    assert [entity.name for entity, _ in sweep(loaded, source, TENANT, entities, 0)] == []


def test_when_most_of_a_list_is_missing_the_list_is_doubted_and_nothing_is_marked(
    loaded: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    many = st.put("leads", [{"customerId": None} for _ in range(30)])
    pull(loaded, source, TENANT, ENTITY["leads"])
    st.put("leads", [{"id": st_id, "active": False} for st_id in many], silent=True)
    swept = sweep_of(loaded, source, "leads")
    assert swept.gone == []
    assert "too many to be believed" in swept.doubt
    assert not swept.agrees
    assert sweeps.gone(loaded, TENANT) == []


@pytest.mark.parametrize("name", ["campaigns", "job_cancel_reasons"])
def test_an_empty_list_is_doubted_however_few_we_hold(db: Database, name: str) -> None:
    eight = [{"id": n, "modifiedOn": STAMP} for n in range(1, 9)]
    pull(db, Laid(pages=[Listed(eight, has_more=False, total=8)]), TENANT, ENTITY[name])
    swept = sweep_of(db, Laid(pages=[Listed([], has_more=False, total=0)]), name)
    assert (swept.gone, swept.finished, swept.agrees) == ([], True, False)
    assert "page 1 of the list is empty, and 8 of our records not shown" in swept.doubt
    assert sweeps.gone(db, TENANT) == []


def test_a_list_that_breaks_off_is_doubted(db: Database) -> None:
    campaigns = [{"id": n, "modifiedOn": STAMP} for n in range(1, 5)]
    pull(db, Laid(pages=[Listed(campaigns, has_more=False, total=4)]), TENANT, ENTITY["campaigns"])
    source = Laid(pages=[Listed(campaigns[:2], has_more=True, total=4), Listed([], has_more=True, total=4)])
    swept = sweep_of(db, source, "campaigns")
    assert (swept.gone, swept.agrees) == ([], False)
    assert "page 2 of the list is empty" in swept.doubt


def test_of_a_list_that_cannot_be_asked_for_ids_a_record_that_slid_between_its_pages_is_not_marked(
    db: Database,
) -> None:
    """The second is deleted after the first page was read, so that the fourth slides to it."""
    reasons = [{"id": n, "modifiedOn": STAMP} for n in range(1, 7)]
    whole = Laid(pages=[Listed(reasons, has_more=False, total=6)])
    pull(db, whole, TENANT, ENTITY["job_cancel_reasons"])
    sliding = Laid(pages=[Listed(reasons[:3], has_more=True, total=6), Listed(reasons[4:], has_more=False, total=5)])
    swept = sweep_of(db, sliding, "job_cancel_reasons")
    assert (swept.gone, swept.agrees, sweeps.gone(db, TENANT)) == ([], False, [])
    assert "slid from one page to another" in swept.doubt
    swept = sweep_of(
        db, Laid(pages=[Listed([reasons[0], *reasons[2:]], has_more=False, total=5)]), "job_cancel_reasons"
    )
    assert (swept.gone, swept.agrees) == ([2], True), "one page shows it whole"


def test_what_the_list_only_seemed_not_to_show_is_asked_for_by_id(loaded: Database, source: ServiceTitanClient) -> None:
    """Another night's page was skipped, as rows had moved: the records are there when they are asked for."""
    sweep_of(loaded, source, "customers", budget=1)
    with loaded.connect() as connection:
        connection.execute("UPDATE sync.sweeps SET page = 3")
    swept = sweep_of(loaded, source, "customers")
    assert (swept.gone, swept.finished, swept.agrees) == ([], True, True)


def test_two_tenants_are_swept_apart(loaded: Database, source: ServiceTitanClient) -> None:
    sweep_of(loaded, source, "tag_types")
    [(_, other)] = sweep(loaded, source, TENANT + 1, [ENTITY["tag_types"]], ENOUGH)
    assert isinstance(other, Swept)
    assert other.new == other.held
    assert sweep_of(loaded, source, "tag_types").new == 0


def test_a_list_that_is_refused_holds_up_no_other(
    loaded: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    entities = [ENTITY[name] for name in ("leads", "tag_types", "customers")]
    st.app.faults.rules = rules([{"match": {"path": "/leads"}, "do": {"status": 403}}])
    swept = dict(sweep(loaded, source, TENANT, entities, ENOUGH))
    assert [entity.name for entity, came in swept.items() if isinstance(came, PermanentError)] == ["leads"]
    assert len(swept) == 3
    again = [entity.name for entity, _ in sweep(loaded, source, TENANT, entities, ENOUGH)]
    assert again == ["leads", "tag_types", "customers"]


def test_a_server_that_is_down_is_not_asked_for_every_list(
    loaded: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    st.app.faults.rules = rules([{"match": {"path": "/v2/"}, "do": {"status": 503}}])
    entities = [ENTITY[name] for name in ("leads", "tag_types", "customers")]
    assert [type(came) for _, came in sweep(loaded, source, TENANT, entities, ENOUGH)] == [TransientError] * 2
