"""ServiceTitan's time stamps: 0 to 7 fractional digits, compared as whole ticks of 100 ns (EXT-3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

_STAMP: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - the zone is added by hand: it costs less
_TICKS: Final = 10_000_000


def ticks(stamp: str) -> int:
    """Count the ticks since 1970 of an ISO stamp; without a zone it is UTC. Raise ValueError if it is none."""
    if stamp[19:20] == "." and stamp[-1] == "Z" and 22 <= len(stamp) <= 30:  # nearly all: cut, not searched
        seconds = stamp[17:19] + stamp[20:-1]
        if seconds.isascii() and seconds.isdigit() and seconds < "6":
            return _day(stamp[:11]) + _minute(stamp[11:17]) + int(seconds.ljust(9, "0")[:9])
    return _ticks(stamp)


@lru_cache(10_000)
def _day(begins: str) -> int:
    return _ticks(f"{begins}00:00:00")


@lru_cache(24 * 60)
def _minute(begins: str) -> int:
    return _ticks(f"1970-01-01T{begins}00")


def _ticks(stamp: str) -> int:
    match = _STAMP.fullmatch(stamp)
    if not match:
        msg = "is not a time stamp"
        raise ValueError(msg)
    fraction, zone = match.groups()
    moment = datetime.fromisoformat(stamp[:19])
    if zone and zone != "Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        try:
            moment -= offset if zone[0] == "+" else -offset
        except OverflowError:
            msg = "leads out of the calendar"
            raise ValueError(msg) from None
    since = moment - _ZERO
    return (since.days * 86_400 + since.seconds) * _TICKS + int((fraction or "0").ljust(7, "0")[:7])


def instant(count: int) -> datetime:
    """Give the instant of a count of ticks, cut to the microsecond."""
    return _EPOCH + timedelta(0, 0, count // 10)
