"""Instants as ServiceTitan writes them, counted in its own ticks of 100 nanoseconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

TICKS_A_SECOND = 10_000_000
TICKS_A_MINUTE = 60 * TICKS_A_SECOND
TICKS_A_DAY = 86_400 * TICKS_A_SECOND

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})"
    r"(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d{1,9}))?\s*(Z|z|[+-]\d{2}:?\d{2})?)?"
)


def ticks(moment: datetime) -> int:
    """Count the ticks of an aware instant."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * TICKS_A_SECOND + since.microseconds * 10


def moment(stamp: int) -> datetime:
    """Give the instant of a count of ticks, cut to microseconds."""
    return EPOCH + timedelta(microseconds=stamp // 10)


# Written stamps are put together of parts that are ready: a million records have some millions of them.
MINUTES = tuple(f"T{minute // 60:02}:{minute % 60:02}:" for minute in range(24 * 60))
SECONDS = tuple(f"{second:02}" for second in range(60))


def written(stamp: int) -> str:
    """Write a count of ticks in UTC with a Z and at most seven digits, trailing zeros cut."""
    days, rest = divmod(stamp, TICKS_A_DAY)
    minute, rest = divmod(rest, TICKS_A_MINUTE)
    second, fraction = divmod(rest, TICKS_A_SECOND)
    whole = date(days) + MINUTES[minute] + SECONDS[second]
    return f"{whole}.{fraction:07}".rstrip("0") + "Z" if fraction else whole + "Z"


@lru_cache(maxsize=4096)
def date(days: int) -> str:
    """Write the date that is some days after 1970-01-01."""
    return (EPOCH + timedelta(days=days)).date().isoformat()


def read(text: object) -> int | None:
    """Count the ticks of an ISO date or date-time (UTC where no offset is given), or give None if it is neither."""
    found = ISO.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        return None
    day, time, fraction, offset = found.groups()
    zone = "+00:00" if offset in {None, "Z", "z"} else offset
    try:
        whole = datetime.fromisoformat(f"{day}T{time or '00:00'}{zone}")
    except ValueError:
        return None
    return ticks(whole) + int((fraction or "0").ljust(7, "0")[:7])
