"""The shop's calendar: local working hours of days counted back from the anchor, seasons, and bulk edits."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from .stamps import TICKS_A_DAY, TICKS_A_MINUTE, TICKS_A_SECOND, ticks

if TYPE_CHECKING:
    from random import Random

DAYS = 1_120
"""The shop's history: a little more than three years."""

SEASON = (4, 4, 6, 8, 10, 10, 10, 9, 7, 5, 4, 3)
"""Work of each month, of ten: pools open in spring and are used until autumn."""

BULK_EDITS_DAYS_AGO = (700, 400, 200, 60)
"""On these days someone edited many records at once, and all of them carry one stamp."""


class Calendar:
    """Instants of local days before an anchor."""

    def __init__(self, anchor: datetime, timezone: str) -> None:
        zone = ZoneInfo(timezone)
        today = anchor.astimezone(zone).date()
        dates = [today - timedelta(days=age) for age in range(DAYS + 1)]
        self._opening = [ticks(datetime(day.year, day.month, day.day, 7, tzinfo=zone)) for day in dates]
        self._season = [SEASON[day.month - 1] for day in dates]
        self.anchor = ticks(anchor)
        self.openings = np.array(self._opening, dtype=np.int64)
        self.bulk_edits = [self._opening[age] + 30 * TICKS_A_MINUTE for age in BULK_EDITS_DAYS_AGO]

    def opening(self, days_ago: int) -> int:
        """Give when the shop opened on a day."""
        return self._opening[days_ago]

    def instant(self, random: Random, days_ago: int) -> int:
        """Give an instant in the working hours of a day, before the anchor, with zero to seven digits of a second."""
        day = self._opening[min(max(days_ago, 1), DAYS)]
        exact = day + int(random.random() * 10 * 60 * TICKS_A_MINUTE)
        # Most stamps have all seven digits, some fewer, a few none at all.
        coarse = random.random()
        return exact - exact % (1 if coarse < 0.85 else 1_000 if coarse < 0.93 else TICKS_A_SECOND)

    def in_season(self, random: Random, youngest: int, oldest: int) -> int:
        """Give a day between two ages, more often one of a busy month."""
        oldest = max(min(oldest, DAYS), youngest)
        for _ in range(4):
            age = youngest + int(random.random() * (oldest - youngest + 1))
            if random.random() * 10 < self._season[min(age, DAYS)]:
                break
        return age

    def nightly(self, stamp: int) -> int:
        """Give the nightly batch after an instant, which stamps all its records alike; the instant if it is to come."""
        batch = stamp - stamp % TICKS_A_DAY + TICKS_A_DAY + 9 * 60 * TICKS_A_MINUTE
        return batch if batch < self.anchor else stamp

    def touched(self, random: Random, since: int) -> int:
        """Give when a record that stands since some instant was last modified."""
        chance = random.random()
        if chance < 0.25:
            later = [edit for edit in self.bulk_edits if edit > since]
            return random.choice(later) if later else since
        if chance < 0.75:
            return since
        return since + int(random.random() ** 3 * max(0, self.anchor - TICKS_A_DAY - since))
