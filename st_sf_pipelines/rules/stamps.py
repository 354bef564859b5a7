"""ServiceTitan's time stamps: 0 to 7 fractional digits, compared as whole ticks of 100 ns (EXT-3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_STAMP: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICKS: Final = 10_000_000


def ticks(stamp: str) -> int:
    """Count the ticks since 1970 of an ISO stamp; without a zone it is UTC. Raise ValueError if it is none."""
    match = _STAMP.fullmatch(stamp)
    if not match:
        msg = "is not a time stamp"
        raise ValueError(msg)
    *parts, fraction, zone = match.groups()
    moment = datetime(*map(int, parts), tzinfo=UTC)  # type: ignore[misc, arg-type]
    if zone and zone != "Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        try:
            moment -= offset if zone[0] == "+" else -offset
        except OverflowError:
            msg = "leads out of the calendar"
            raise ValueError(msg) from None
    whole = (moment - _EPOCH) // timedelta(seconds=1)
    return whole * _TICKS + int((fraction or "0").ljust(7, "0")[:7])


def instant(count: int) -> datetime:
    """Give the instant of a count of ticks, cut to the microsecond."""
    return _EPOCH + timedelta(microseconds=count // 10)
