"""What is concluded of a large base: profiles, segments, states and deals, of all of it and of the 1 % that changed."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.config import Pipelines, Segments, Site, States
from st_sf_pipelines.defs.instance import open_database
from st_sf_pipelines.rules import segments, states
from st_sf_pipelines.rules.facts import AsOf
from st_sf_pipelines.rules.fold import fold
from st_sf_pipelines.settings import load
from st_sf_pipelines.store import deals as deal_store
from st_sf_pipelines.store import log
from st_sf_pipelines.store import segments as segment_store
from st_sf_pipelines.store import states as state_store
from st_sf_pipelines.store.log import Scope
from st_sf_pipelines.sync.deals import derive_deals, facts_with_deals, widest_window
from st_sf_pipelines.sync.derive import day_of, derive_profiles, derive_segments, derive_states
from st_sf_pipelines.sync.preview import rehearse

from . import base
from .bench import home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from st_sf_pipelines.store.database import Connection, Database

    from .table import Measured

FULL = Scope(everybody=True)


def measure(rows: Measured, customers: int) -> None:
    """Measure the first look at everybody, its parts, one that changes nothing, and one at 1 %."""
    with home() as place:
        (place / "site.yaml").write_text("tenants: []\n")
        db = open_database(load())
        with rows.measured(f"a base of {customers:,} customers, made by SQL"):
            base.make(db, customers)
        now = datetime.now(UTC)
        _derived(rows, db, f"of {customers:,} customers, the first time", FULL, now)
        _parts(rows, db, customers, now)
        _derived(rows, db, f"of {customers:,} customers again", FULL, now)
        base.book(db, customers)
        _derived(rows, db, "of the 1 % who booked a job", Scope(), datetime.now(UTC))
        with rows.measured(f"preview of {customers:,} customers: segments, states, stages") as row:
            found = rehearse(db, base.tenant_of_base(), Site(), datetime.now(UTC))
            row.told.append(", ".join(f"{name} {moves.moved} move" for name, moves in found.items()))
        db.close()


def _derived(rows: Measured, db: Database, whose: str, scope: Scope, now: datetime) -> None:
    tenant = base.tenant_of_base()
    steps: dict[str, Callable[[], Any]] = {
        "profiles": lambda: derive_profiles(db, tenant, scope),
        "segments": lambda: derive_segments(db, tenant, Segments(), now, scope),
        "states": lambda: derive_states(db, tenant, States(), Pipelines(), now, scope),
        "deals": lambda: derive_deals(db, tenant, Pipelines(), now, None, scope),
    }
    for name, derive in steps.items():
        with rows.measured(f"{name} {whose}") as row:
            done = derive()
            counts = done if isinstance(done, dict) else vars(done)
            row.records = counts["looked"]
            row.told.append(f"{counts['looked']} looked at, {counts['new']} new, {counts['changed']} changed")


def _parts(rows: Measured, db: Database, customers: int, now: datetime) -> None:
    """Tell what the statements and what the rules take; the rest of a look is the writing."""
    tenant, as_of = base.tenant_of_base(), AsOf(now, base.tenant_of_base().zone)
    day = day_of(tenant, now)

    def deals(connection: Connection) -> Iterable[Any]:
        log.take_everybody(connection, tenant.id, leads=True)
        deal_store.show_to_facts(connection, tenant.id)
        return facts_with_deals(connection, tenant.id, widest_window(Pipelines(), as_of))

    parts: dict[str, tuple[Callable[[Connection], Iterable[Any]], Callable[[Any], Any]]] = {
        "segments": (
            lambda connection: segment_store.facts(connection, tenant.id),
            lambda frame: segments.conclude(frame, day, Segments()),
        ),
        "states": (
            lambda connection: state_store.facts(connection, tenant.id, {}),
            lambda frame: states.conclude(frame, day, tenant.zone, States()),
        ),
        "deals": (deals, lambda pair: fold(pair[0], pair[1], as_of, Pipelines())),
    }
    for name, (facts, conclude) in parts.items():
        ruled = 0.0
        with rows.measured(f"{name} of {customers:,} customers without writing") as row, db.connect() as connection:
            for some in facts(connection):
                began = time.perf_counter()
                conclude(some)
                ruled += time.perf_counter() - began
        row.told.append(f"rules {ruled:.2f} s, SQL and reading {(row.wall or 0) - ruled:.2f} s")
