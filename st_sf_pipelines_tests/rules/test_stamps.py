"""A stamp of ServiceTitan is a count of ticks of 100 ns: no digit is lost, and what is no stamp is told (EXT-3)."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from st_sf_pipelines.rules import stamps
from st_sf_pipelines.rules.stamps import instant, ticks

if TYPE_CHECKING:
    from collections.abc import Callable

SECOND = 10_000_000
NEW_YEAR = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * SECOND
LAST = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()) * SECOND + SECOND - 1


@pytest.mark.parametrize(
    ("stamp", "after_new_year"),
    [
        ("2026-01-01T00:00:00Z", 0),
        ("2026-01-01T00:00:00.1Z", 1_000_000),
        ("2026-01-01T00:00:00.12Z", 1_200_000),
        ("2026-01-01T00:00:00.123Z", 1_230_000),
        ("2026-01-01T00:00:00.1234Z", 1_234_000),
        ("2026-01-01T00:00:00.12345Z", 1_234_500),
        ("2026-01-01T00:00:00.123456Z", 1_234_560),
        ("2026-01-01T00:00:00.1234567Z", 1_234_567),
        ("2026-01-01T00:00:00.0000001Z", 1),
        ("2026-01-01T00:00:00.9999999Z", SECOND - 1),
        ("2025-12-31T23:59:59.9999999Z", -1),
        ("2026-01-01T00:00:00.12345678Z", 1_234_567),
        ("2026-01-01T00:00:00.123456789Z", 1_234_567),
    ],
)
def test_every_digit_up_to_the_seventh_counts(stamp: str, after_new_year: int) -> None:
    assert ticks(stamp) - NEW_YEAR == after_new_year


def test_the_tick_that_microseconds_would_lose_keeps_its_order() -> None:
    stamps = ["2026-01-01T00:00:00.1234567Z", "2026-01-01T00:00:00.1234568Z", "2026-01-01T00:00:00.123457Z"]
    counts = [ticks(stamp) for stamp in stamps]
    assert counts == sorted(set(counts))
    assert instant(counts[0]) == instant(counts[1]) < instant(counts[2])


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-01-01T00:00:00.5Z",
        "2026-01-01T00:00:00.5000000Z",
        "2026-01-01T00:00:00.5",
        "2026-01-01T00:00:00.5+00:00",
        "2026-01-01T00:00:00.5-00:00",
        "2025-12-31T16:00:00.5-08:00",
        "2025-12-31T16:00:00.5-0800",
        "2026-01-01T05:30:00.5+05:30",
        "2026-01-01T14:00:00.50+14:00",
    ],
)
def test_one_instant_is_one_count_however_it_is_written(stamp: str) -> None:
    assert ticks(stamp) == NEW_YEAR + SECOND // 2


def test_leap_days_are_days() -> None:
    day = 86_400 * SECOND
    assert ticks("2024-03-01T00:00:00Z") - ticks("2024-02-29T00:00:00Z") == day
    assert ticks("2000-03-01T00:00:00Z") - ticks("2000-02-28T00:00:00Z") == 2 * day
    assert ticks("2024-02-29T23:59:59.9999999Z") == ticks("2024-03-01T00:00:00Z") - 1


def test_the_epoch_is_zero_and_what_came_before_is_negative() -> None:
    assert ticks("1970-01-01T00:00:00Z") == 0
    assert ticks("1969-12-31T23:59:59.9999999Z") == -1
    assert instant(-1) == datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert instant(ticks("0001-01-01T00:00:00Z")) == datetime(1, 1, 1, tzinfo=UTC)  # what .NET sends for 'no date'


@pytest.mark.parametrize(
    "stamp",
    [
        "",
        "yesterday",
        "2026-01-01",
        "2026-01-01T00:00Z",
        "2026-01-01 00:00:00Z",
        "20260101T000000Z",
        "2026-1-1T00:00:00Z",
        "2026-01-01t00:00:00z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00.Z",
        "2026-02-29T00:00:00.5Z",
        "2026-01-01T24:00:00.5Z",
        "2026-01-01T00:60:00.5Z",
        "2026-01-01T00:00:60.5Z",
        "2026-01-01T00:00:+1.5Z",
        "2026-01-01T00:00:00.1٢Z",
        "2026-01-01 00:00:00.5Z",
        "2026-01-01T00:00:00,5Z",
        "2026-01-01T00:00:00.1234567890Z",
        "2026-01-01T00:00:00+8",
        "2026-01-01T00:00:00ZZ",
        "2026-01-01T00:00:00Z\n",
        " 2026-01-01T00:00:00Z",
        "٢٠٢٦-01-01T00:00:00Z",
        "1767225600",
    ],
)
def test_what_is_no_stamp_is_told(stamp: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        ticks(stamp)


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00-99:99",
        "2026-01-01T00:00:00+08:60",
        "9999-12-31T23:59:59-08:00",
        "0001-01-01T00:00:00+08:00",
    ],
)
def test_an_offset_that_leads_out_of_the_calendar_is_no_stamp_either(stamp: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        ticks(stamp)


@settings(deadline=None)
@given(st.integers(0, LAST), st.integers(0, 7), st.sampled_from(["Z", "", "+00:00"]))
def test_a_count_written_as_a_stamp_reads_back(count: int, digits: int, zone: str) -> None:
    cut = count - count % 10 ** (7 - digits)
    whole, fraction = divmod(cut, SECOND)
    written = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=whole)).strftime("%Y-%m-%dT%H:%M:%S")
    assert ticks(f"{written}.{fraction:07d}"[: 20 + digits] + zone if digits else written + zone) == cut


@settings(deadline=None)
@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_an_offset_moves_the_instant_and_nothing_else(local: datetime, minutes: int) -> None:
    sign = "-" if minutes < 0 else "+"
    offset = f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    moment = local.replace(tzinfo=UTC) - timedelta(minutes=minutes)
    assert instant(ticks(f"{local:%Y-%m-%dT%H:%M:%S.%f}{offset}")) == moment


STAMPS = st.integers(NEW_YEAR - 20, NEW_YEAR + 20)


@settings(deadline=None)
@given(STAMPS, STAMPS)
def test_counts_are_ordered_as_instants_and_instants_never_turn_back(one: int, other: int) -> None:
    assert (instant(one) <= instant(other)) or one > other
    assert (instant(one) == instant(other)) == (one // 10 == other // 10)


@settings(deadline=None)
@given(st.text() | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)?", fullmatch=True))
def test_any_text_is_a_count_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert isinstance(instant(ticks(text)), datetime)


@settings(deadline=None)
@given(
    st.from_regex(re.compile(r"20\d\d-[01]\d-[0-3]\d[T ][0-2]\d:[0-6]\d:[0-6]\d\.\d{0,10}Z", re.ASCII), fullmatch=True)
)
def test_a_stamp_that_is_cut_counts_as_one_that_is_searched(stamp: str) -> None:
    def counted(how: Callable[[str], int]) -> int | None:
        try:
            return how(stamp)
        except ValueError:
            return None

    assert counted(ticks) == counted(stamps._ticks)
