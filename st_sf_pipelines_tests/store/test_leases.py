"""Processes that share a tenant's rate are given stretches of time that never overlap (EXT-7)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

from st_sf_pipelines.store.leases import lease

if TYPE_CHECKING:
    from st_sf_pipelines.store.database import Database

CALLS, RATE = 10, 60.0
TAKES = CALLS / RATE


def test_stretches_follow_each_other_without_overlap(db: Database) -> None:
    began = time.monotonic()

    def take(_: int) -> float:
        wait = lease(db, 7, CALLS, RATE)
        return time.monotonic() + wait  # never before the stretch begins: the clock was read after the lease

    with ThreadPoolExecutor(8) as threads:
        begins = sorted(threads.map(take, range(40)))
    assert begins[-1] >= began + 39 * TAKES - 1e-3


def test_tenants_do_not_share(db: Database) -> None:
    for _ in range(5):
        lease(db, 7, CALLS, RATE)
    assert lease(db, 8, CALLS, RATE) <= 0


def test_a_quiet_time_earns_no_burst(db: Database) -> None:
    lease(db, 7, CALLS, RATE)
    with db.connect() as connection:
        connection.execute("UPDATE sync.pace SET free_at = free_at - interval '1 hour'")
    with db.connect() as connection:
        row = connection.execute("SELECT clock_timestamp() AS now").fetchone()
    ends = []
    for _ in range(3):
        lease(db, 7, CALLS, RATE)
        with db.connect() as connection:
            ends += connection.execute("SELECT free_at FROM sync.pace").fetchall()
    assert row is not None
    moments = [row["now"], *(end["free_at"] for end in ends)]
    lengths = [(after - before).total_seconds() for before, after in pairwise(moments)]
    assert all(length >= TAKES - 1e-5 for length in lengths), "no stretch begins before it is asked for, none overlap"
