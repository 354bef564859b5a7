"""The kinds of customers that a shop has, one row for each kind."""

from __future__ import annotations

from typing import NamedTuple

Dollars = tuple[tuple[int, int], ...]

# What a customer of a kind has brought in all: one of these ranges is picked.
ORDINARY: Dollars = ((0, 0), (0, 300), (80, 900), (300, 2_500), (900, 4_900))
HIGH: Dollars = ((5_000, 5_000), (5_001, 7_000), (5_500, 9_999), (5_500, 9_999))
VIP: Dollars = ((10_000, 10_000), (10_001, 16_000), (12_000, 30_000), (20_000, 60_000))
MIXED: Dollars = (*ORDINARY, *ORDINARY, *ORDINARY, *HIGH, *VIP)

COMPLETED = ("Completed",)
UNDER_WAY = ("InProgress", "InProgress", "Hold", "Completed", "Completed")
ANY_STANDING = ("Scheduled", "Dispatched", "InProgress", "Hold", "Completed")
MOSTLY_DONE = (*COMPLETED * 12, "Hold", "InProgress")


class Cohort(NamedTuple):
    """Customers whose latest job was created some days ago, in units of a kind, and stands at one of these statuses."""

    name: str
    of_1696: int
    created_days_ago: tuple[int, int]
    work_days: int
    statuses: tuple[str, ...]
    unit: str
    dollars: Dollars


# Jobs of the last 14 days stay clear of day 13, those of the last 90 clear of day 88, all others of day 94, so that
# the counts of a first run hold on the anchor's day and the one after. The bounds of 180 and 365 days are left free:
# there time alone moves customers. The order is the one in which a shop of ten gets its customers.
# fmt: off
COHORTS = (
    #       name                 customers   created   work  latest job    units            lifetime value
    Cohort("standard",                120,  (97, 170),   2, COMPLETED,    "Service",        ORDINARY),
    Cohort("churning",                430, (385, 990),  10, COMPLETED,    "",               ORDINARY),
    Cohort("at risk",                 300, (197, 350),  10, COMPLETED,    "",               ORDINARY),
    Cohort("vip",                      70,  (97, 168),   2, COMPLETED,    "Install",        VIP),
    Cohort("high value",              130,  (97, 900),   2, COMPLETED,    "Install",        HIGH),
    Cohort("in season",               359,   (17, 87),  10, MOSTLY_DONE,  "",               MIXED),
    Cohort("visited this week",        37,    (1, 12),   4, UNDER_WAY,    "Sales Service",  ORDINARY),
    Cohort("near 180 days",            50, (177, 184),   0, COMPLETED,    "",               MIXED),
    Cohort("quoted this week",         38,    (1, 12),   4, ANY_STANDING, "Sales Service",  ORDINARY),
    Cohort("install this week",        16,    (1, 12),   4, ANY_STANDING, "Install",        MIXED),
    Cohort("near 365 days",            50, (362, 369),   0, COMPLETED,    "",               ORDINARY),
    Cohort("never served",             96, (100, 900),   0, ("Canceled",), "Sales",         ((0, 0),)),
)
# fmt: on

CUSTOMERS, JOBS, APPOINTMENTS, ESTIMATES, INVOICES = 1_696, 3_260, 4_156, 1_247, 3_597
"""What the seeds' shop had; other sizes keep its ratios."""

LEADS, BOOKINGS, MERGED = 420, 260, 12
"""What it is given besides: no figures of these are published."""


def place_of(name: str) -> int:
    """Give the place of a cohort among all."""
    return next(place for place, cohort in enumerate(COHORTS) if cohort.name == name)


def scaled(count: int, customers: int) -> int:
    """Scale a count of the seeds' shop to one with so many customers."""
    return round(count * customers / CUSTOMERS)


def apportion(customers: int) -> list[int]:
    """Share customers among the cohorts: at least one each while there are enough, and exactly so many in all."""
    least = [int(place < customers) for place in range(len(COHORTS))]
    counts = [max(low, scaled(cohort.of_1696, customers)) for low, cohort in zip(least, COHORTS, strict=True)]
    while (over := sum(counts) - customers) != 0:
        largest = max(range(len(counts)), key=lambda place: counts[place] - least[place])
        counts[largest] -= 1 if over > 0 else over
    return counts
