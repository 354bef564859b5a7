"""Rounds of one tenant never overlap; one that cannot begin names the round that is running."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from st_sf_pipelines.defs.news import look
from st_sf_pipelines.defs.round import begin
from st_sf_pipelines.store.log import Scope
from st_sf_pipelines_tests.acceptance.desk import dallas_of, many_customers, new_customer, prove, two_shops

if TYPE_CHECKING:
    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World


def test_a_second_round_while_one_runs_fails_and_names_it(world: World) -> None:
    many_customers(world, 3)
    settings = world.settings
    [tenant] = settings.site.tenants
    now = datetime.now(UTC)
    with begin(world.db, tenant, settings.site, "the-first-round", now, Scope()):
        second = world.sync(wait_seconds=0)
        assert second["status"] == "failed"
        assert "socal: round the-first-round, begun at" in second["error"]
        assert "never overlap" in second["error"]
        assert world.st.counters["calls"] == 0
        assert world.sf.counters["requests"] == 0
        news = look(world.db, tenant, settings.site, now)
        assert (news.assets, news.sentence) == ((), "a round is running")
    assert world.sync(wait_seconds=0)["status"] == "success"
    assert len(world.sf.records("Contact")) == 3


def test_a_proof_waits_for_the_round_as_well(world: World) -> None:
    new_customer(world, "Ann Lee")
    world.sync()
    with world.db.lock("round:4101") as is_ours:
        assert is_ours
        assert world.sync(wait_seconds=0)["status"] == "failed"
    assert prove(world)["ok"]


def test_another_tenants_round_is_not_held_up(open_world: OpenWorld) -> None:
    world = open_world(two_shops(socal=2, dallas=2))
    world.write_site(dallas_of(world))
    with world.db.lock("round:4101"):
        report = world.sync_all(wait_seconds=0)
    assert [each["status"] for each in report["tenants"]] == ["failed", "success"]


def test_a_round_that_a_kill_left_open_is_closed_by_the_next(world: World) -> None:
    with world.db.connect() as connection:
        connection.execute(
            """INSERT INTO sync.rounds (run_id, tenant_id, tenant, as_of, dry_run)
               VALUES ('killed', 4101, 'socal', now(), false)"""
        )
    world.sync()
    [killed] = world.rows("SELECT status, error FROM sync.rounds WHERE run_id = 'killed'")
    assert killed["status"] == "failed"
    assert "ended in the middle" in killed["error"]
