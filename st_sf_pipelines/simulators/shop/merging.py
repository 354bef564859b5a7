"""Customers that turned out to be another one: merged into it, and inactive from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import cohorts
from .stamps import TICKS_A_DAY, TICKS_A_MINUTE

if TYPE_CHECKING:
    from .calendar import Calendar
    from .lots import Lots
    from .records import Records

SETTLED = cohorts.place_of("churning")
"""Both sides are customers of this kind: a merge must not change what a first run finds."""


def fill(records: Records, calendar: Calendar, lots: Lots, count: int) -> None:
    """Merge so many customers into others; where there are three or more, the first two are links of a chain."""
    customers = records.customers
    settled = np.flatnonzero((customers.seen("kind") == SETTLED) & (customers.seen("active") == 1))
    picked = lots.some("merged", settled, 2 * count)
    gone, kept = picked[: len(picked) // 2].copy(), picked[len(picked) // 2 :][: len(picked) // 2].copy()
    if len(gone) > 2:
        kept[0] = gone[1]
    merged, active, modified = (customers.seen(name).copy() for name in ("merged", "active", "modified"))
    merged[gone], active[gone] = kept, 0
    when = calendar.openings[2 + lots.below("merge day", len(gone), 300)] + 90 * TICKS_A_MINUTE
    modified[gone] = np.minimum(np.maximum(modified[gone], when), calendar.anchor - TICKS_A_DAY)
    for name, column in (("merged", merged), ("active", active), ("modified", modified)):
        customers.set(name, column)
