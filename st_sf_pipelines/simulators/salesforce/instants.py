"""Dates and instants as Salesforce writes them: `2022-03-17`, and `2022-03-17T16:21:26.000+0000` to the second."""

import re
from datetime import UTC, date, datetime

DATE = re.compile(r"\d{4}-\d\d-\d\d")
DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)")


def written(instant: datetime) -> str:
    """Return an instant as the API writes it; the same length for all, so that their text sorts as they do."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def read_datetime(text: str) -> str | None:
    """Return the written form of a well-formed instant, or nothing."""
    if not DATETIME.fullmatch(text):
        return None
    try:
        return written(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def read_date(text: str) -> str | None:
    """Return a well-formed day unchanged, or nothing."""
    if not DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None
