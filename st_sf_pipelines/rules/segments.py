"""The customer segments: which rule gives which segment, and on which day time alone changes it (SEG-4, SEG-5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from st_sf_pipelines.config import Segments

    Facts = pd.DataFrame
    Holds = pd.Series


class Segment(StrEnum):
    """The five segments, as Salesforce's picklist spells them."""

    VIP = "VIP"
    HIGH_VALUE = "High Value"
    CHURNING = "Churning"
    AT_RISK = "At Risk"
    STANDARD = "Standard"


# Each rule reads two columns of the facts: `lifetime_cents`, and `days`, the age of the last completed job in whole
# days (not a number for a customer without one, which no comparison holds for). A docstring is the business's sentence.


def vip(facts: Facts, bounds: Segments) -> Holds:
    """Lifetime value of at least ${vip_lifetime_value:,}, and the last job less than {recent_days} days ago."""
    return (facts["lifetime_cents"] >= _cents(bounds.vip_lifetime_value)) & (facts["days"] < bounds.recent_days)


def high_value(facts: Facts, bounds: Segments) -> Holds:
    """Lifetime value of at least ${high_lifetime_value:,}."""
    return facts["lifetime_cents"] >= _cents(bounds.high_lifetime_value)


def churning(facts: Facts, bounds: Segments) -> Holds:
    """The last job more than {churning_days} days ago."""
    return facts["days"] > bounds.churning_days


def at_risk(facts: Facts, bounds: Segments) -> Holds:
    """The last job more than {recent_days} days ago."""
    return facts["days"] > bounds.recent_days


def standard(facts: Facts, bounds: Segments) -> Holds:  # noqa: ARG001 - every rule has the same shape
    """Everyone else."""
    return pd.Series(data=True, index=facts.index)


@dataclass(frozen=True)
class SegmentRule:
    """One row: the segment, and the function of the facts that gives it."""

    segment: Segment
    when: Callable[[Facts, Segments], Holds]

    @property
    def name(self) -> str:
        """The rule's name in tables and in `explain`."""
        return self.when.__name__

    def sentence(self, bounds: Segments) -> str:
        """Say the rule with the thresholds in force."""
        return (self.when.__doc__ or "").format(**bounds.model_dump())


# fmt: off
SEGMENT_RULES: Final = (  # the first that holds
    SegmentRule(Segment.VIP,        vip),
    SegmentRule(Segment.HIGH_VALUE, high_value),
    SegmentRule(Segment.CHURNING,   churning),
    SegmentRule(Segment.AT_RISK,    at_risk),
    SegmentRule(Segment.STANDARD,   standard),
)
# fmt: on

RULE: Final = {rule.name: rule for rule in SEGMENT_RULES}


def conclude(facts: Facts, as_of: date, bounds: Segments) -> pd.DataFrame:
    """Give each customer its segment, the rule, and the day on which time alone will change it (None: never).

    `facts` has a row a customer: `st_id`, `lifetime_cents`, `last_job_day` (days since 1970, or not a number).
    """
    return _dated(_on(facts, pd.Series(float(_count(as_of)), index=facts.index), bounds))


def steps(facts: Facts, as_of: date, bounds: Segments) -> pd.DataFrame:
    """Give the customers' segments up to `as_of`, each with the day from which it is valid; the last one is in force.

    A customer with a `due_day` (days since 1970; not a number: none) is where it is by time alone: it goes through
    every due day that passed while nobody looked. All others changed by their facts, and are concluded on `as_of`.
    Columns: those of `conclude`, `valid_from`, `step`, counted from 0 for each customer, `before`, the segment of the
    step before it (None: there is none), and `in_force`, true for the last one.
    """
    today = float(_count(as_of))
    day = facts["due_day"].fillna(today)
    before = pd.Series([None] * len(facts), index=facts.index, dtype=object)
    found: list[pd.DataFrame] = []
    while not found or len(facts):
        concluded = _on(facts, day, bounds)
        goes_on = concluded["due_day"] <= today  # a due day lies behind the day that it was concluded on: this ends
        found.append(concluded.assign(valid_day=day, step=len(found), before=before, in_force=~goes_on))
        facts, day, before = facts[goes_on], concluded["due_day"][goes_on], concluded["segment"][goes_on]
    return _dated(pd.concat(found, ignore_index=True))


def _on(facts: Facts, day: pd.Series, bounds: Segments) -> pd.DataFrame:
    """Conclude each customer on its own day, all days counted since 1970."""
    days = day - facts["last_job_day"]
    which = _first_rule(facts, days, bounds)
    due = pd.Series(np.nan, index=facts.index)
    for age in sorted({bounds.recent_days, bounds.recent_days + 1, bounds.churning_days + 1}, reverse=True):
        later = _first_rule(facts, pd.Series(float(age), index=facts.index), bounds)
        due = due.mask((days < age) & (later != which), facts["last_job_day"] + age)
    return pd.DataFrame(
        {
            "st_id": facts["st_id"],
            "segment": np.array([rule.segment.value for rule in SEGMENT_RULES], dtype=object)[which],
            "rule": np.array([rule.name for rule in SEGMENT_RULES], dtype=object)[which],
            "due_day": due,
        }
    )


def _dated(concluded: pd.DataFrame) -> pd.DataFrame:
    """Write the counted days as dates; a few thousand days stand for a million customers."""
    for counted, named in (("due_day", "due_on"), ("valid_day", "valid_from")):
        if counted in concluded:
            days = {
                count: date(1970, 1, 1) + timedelta(days=int(count)) for count in concluded[counted].dropna().unique()
            }
            concluded[named] = [days.get(count) for count in concluded[counted]]
    return concluded.drop(columns=["due_day", "valid_day"], errors="ignore")


def _first_rule(facts: Facts, days: Holds, bounds: Segments) -> np.ndarray:
    aged = pd.DataFrame({"lifetime_cents": facts["lifetime_cents"], "days": days})
    holds: np.ndarray = np.column_stack([rule.when(aged, bounds).to_numpy(dtype=bool) for rule in SEGMENT_RULES])
    first: np.ndarray = np.argmax(holds, axis=1)
    return first


def _cents(amount: Decimal) -> int:
    return int(amount * 100)


def _count(day: date) -> int:
    return (day - date(1970, 1, 1)).days
