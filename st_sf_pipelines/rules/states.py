"""The customer states: which fact supports which, and on which day time alone ends one (STATE-1 to STATE-3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from st_sf_pipelines.config import States

    Facts = pd.DataFrame
    Holds = pd.Series

# A rule rests on two columns of its own name: `RULE_at`, when the newest record that supports it came (seconds since
# 1970, not a number where there is none), and `RULE_job`, that record's job. All but the first and the last look at the
# newest journey only, which began when the last install was completed. A docstring is the business's sentence.


def customer_exists(facts: Facts) -> Holds:
    """The customer exists."""
    return pd.Series(data=True, index=facts.index)


def open_lead(facts: Facts) -> Holds:
    """An open lead; a converted one, until its job supports more."""
    return facts["open_lead_at"].notna()


def sales_booked(facts: Facts) -> Holds:
    """A sales job has a scheduled appointment (one that is not canceled)."""
    return facts["sales_booked_at"].notna()


def sales_canceled(facts: Facts) -> Holds:
    """That job was canceled, and no other sales job stands."""
    return facts["sales_canceled_at"].notna() & (facts["sales_stands"] == 0)


def estimate_open(facts: Facts) -> Holds:
    """An open estimate."""
    return facts["estimate_open_at"].notna()


def estimate_sold(facts: Facts) -> Holds:
    """An estimate sold."""
    return facts["estimate_sold_at"].notna()


def install_booked(facts: Facts) -> Holds:
    """An install job has a scheduled appointment (one that is not canceled)."""
    return facts["install_booked_at"].notna()


def install_canceled(facts: Facts) -> Holds:
    """That job was canceled, and no other install job stands."""
    return facts["install_canceled_at"].notna() & (facts["install_stands"] == 0)


def install_completed(facts: Facts) -> Holds:
    """The install job is completed, and nothing since has started a new journey."""
    return facts["install_completed_at"].notna() & (facts["journey_before"] <= facts["installs"])


@dataclass(frozen=True)
class StateRule:
    """One row: the state, what it means, the function of the facts that gives it, and the flow that it starts."""

    state: str
    meaning: str
    when: Callable[[Facts], Holds]
    flow: str | None

    @property
    def name(self) -> str:
        """The rule's name in tables and in `explain`."""
        return self.when.__name__

    @property
    def sentence(self) -> str:
        """Say when it is entered."""
        return self.when.__doc__ or ""


# fmt: off
STATE_RULES: Final = (
    #         state  meaning                        entered when        flow started
    StateRule("0",   "Contact Record",              customer_exists,    None),
    StateRule("1",   "Lead",                        open_lead,          "Email Followup"),
    StateRule("2",   "Sales Appointment Booked",    sales_booked,       "What to Expect"),
    StateRule("2.5", "Sales Appointment Canceled",  sales_canceled,     "Sorry We Missed You"),
    StateRule("3",   "Estimates Created",           estimate_open,      "Unsold Estimates"),
    StateRule("4",   "Estimates Sold",              estimate_sold,      "Schedule the Install"),
    StateRule("5",   "Install Job Scheduled",       install_booked,     "What to Expect: Install"),
    StateRule("5.5", "Install Job Canceled",        install_canceled,   "Let's Reschedule"),
    StateRule("6",   "Install Complete",            install_completed,  "Install Job Done"),
)
# fmt: on

RULE: Final = {rule.name: rule for rule in STATE_RULES}
STATE: Final = {rule.state: rule for rule in STATE_RULES}
COLUMNS: Final = (
    "st_id",
    *(f"{rule}_at" for rule in RULE),
    *(f"{rule}_job" for rule in RULE),
    "sales_stands",  # 1 if one of the newest journey's sales jobs stands, and of its install jobs
    "install_stands",
    "installs",  # how many journeys an install has ended
    "journey_before",  # the journey, the state and, if a person set that, when, as they are kept; 0, None, not a number
    "hand_state",
    "hand_at",
)
"""The columns of the facts."""

_STATES: Final = np.array([rule.state for rule in STATE_RULES], dtype=object)
_OLD: Final = len(STATE_RULES) - 1  # state 6, of the journey that its install ended: it stands until a new one begins
_NEW: Final = range(_OLD - 1, 0, -1)  # the states of the newest journey, the furthest first
_RULES: Final = np.array([rule.name for rule in STATE_RULES], dtype=object)


def conclude(facts: Facts, as_of: date, zone: ZoneInfo, bounds: States) -> pd.DataFrame:
    """Give each customer its state: the furthest that today's facts support within the journey (STATE-1).

    The columns are st_id, state, rule, journey (1 is the first), entered_on (the fact's own local day), job_id (the job
    behind it, or None) and due_on (the day on which time alone ends the state, or None). States 1 and 6 go back to 0 on
    the 90th day after they were entered (STATE-2). A state that a person set stays until a fact that is newer supports
    another one.
    """
    which = _furthest(facts)
    installs = facts["installs"].to_numpy()
    started = ((which > 0) & (which < _OLD)) | (facts["journey_before"].to_numpy() > installs)
    at, job = _pick(facts, which, "at"), _pick(facts, which, "job")
    rule, state = _RULES[which], _STATES[which]
    by_hand = facts["hand_state"].notna().to_numpy() & ~(at > facts["hand_at"].to_numpy())
    state = np.where(by_hand, facts["hand_state"].to_numpy(dtype=object), state)
    rule = np.where(by_hand, "by_hand", rule)
    entered = _days(np.where(by_hand, facts["hand_at"].to_numpy(), at), zone)
    limit = _limits(state, bounds)
    ends = entered + limit
    today = float((as_of - _EPOCH).days)
    over = ends <= today
    return pd.DataFrame(
        {
            "st_id": facts["st_id"].to_numpy(),
            "state": np.where(over, "0", state),
            "rule": np.where(over, "reset", rule),
            "journey": np.maximum(installs + started, 1),
            "entered_on": _dates(np.where(over, ends, entered)),
            "job_id": _numbers(np.where(over | by_hand, np.nan, job)),
            "due_on": _dates(np.where(over, np.nan, ends)),
        }
    )


def sentences(bounds: States) -> dict[str, str]:
    """Say of each rule by its name when it holds; time and people come after the facts."""
    days = ", ".join(f"{state} after {limit}" for state, limit in sorted(_limit_of(bounds).items()))
    return {rule.name: rule.sentence for rule in STATE_RULES} | {
        "reset": f"So many days after it was entered a state goes back to 0: {days}.",
        "by_hand": "A person set it, and no newer fact supports another one.",
    }


_EPOCH: Final = date(1970, 1, 1)


def _furthest(facts: Facts) -> np.ndarray:
    """Give the place of each customer's rule in the table."""
    which = np.zeros(len(facts), dtype="int64")
    which[STATE_RULES[_OLD].when(facts).to_numpy(dtype=bool)] = _OLD
    holds = [STATE_RULES[place].when(facts).to_numpy(dtype=bool) for place in _NEW]
    chosen: np.ndarray = np.select(holds, list(_NEW), default=which)
    return chosen


def _pick(facts: Facts, which: np.ndarray, part: str) -> np.ndarray:
    """Take, for each customer, one part of the fact that its rule rests on; not a number where it has none."""
    picked = np.full(len(facts), np.nan)
    for place, rule in enumerate(RULE):
        mine = which == place
        picked[mine] = facts[f"{rule}_{part}"].to_numpy(dtype="float64")[mine]
    return picked


def _days(seconds: np.ndarray, zone: ZoneInfo) -> np.ndarray:
    """Give the local days since 1970 of instants in seconds."""
    local = pd.to_datetime(pd.Series(seconds), unit="s", utc=True).dt.tz_convert(zone).dt.tz_localize(None)
    days: np.ndarray = ((local.dt.normalize() - pd.Timestamp(0)) / pd.Timedelta(days=1)).to_numpy(dtype="float64")
    return days


def _limits(state: np.ndarray, bounds: States) -> np.ndarray:
    """Give the days after which each state goes back to 0; not a number: it stays until a fact moves it."""
    limits = np.full(len(state), np.nan)
    for name, limit in _limit_of(bounds).items():
        limits[state == name] = limit
    return limits


def _limit_of(bounds: States) -> dict[str, int]:
    days: dict[str, int] = {"1": bounds.reset_after_days, "6": bounds.reset_after_days}
    return days | {str(state): limit for state, limit in bounds.stale_after.items()}


def _dates(days: np.ndarray) -> np.ndarray:
    """Give dates, None where there is no number; each different one is made once."""
    known, places = np.unique(days, return_inverse=True)
    made = np.array([None if np.isnan(day) else _EPOCH + timedelta(days=int(day)) for day in known], dtype=object)
    dates: np.ndarray = made[places]
    return dates


def _numbers(values: np.ndarray) -> np.ndarray:
    whole = np.full(len(values), None, dtype=object)
    known = ~np.isnan(values)
    whole[known] = values[known].astype("int64")
    return whole
