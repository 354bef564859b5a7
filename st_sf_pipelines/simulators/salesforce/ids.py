"""Record ids: fifteen characters in which case matters, or eighteen with a suffix that survives folded case."""

import re

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?")


def with_suffix(short: str) -> str:
    """Return the eighteen characters of a fifteen-character id: one suffix letter tells the capitals of five."""
    suffix = ""
    for start in (0, 5, 10):
        capitals = (1 << place for place in range(5) if "A" <= short[start + place] <= "Z")
        suffix += SUFFIX[sum(capitals)]
    return short + suffix


def make(prefix: str, number: int) -> str:
    """Return the id of the record that is `number` among those of one object (`001` is the prefix of Account)."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = DIGITS[rest] + digits
    return with_suffix(f"{prefix}Hu0{digits:0>9}")


def normalise(text: str) -> str | None:
    """Return the eighteen-character form of an id, or nothing where the text is no id."""
    if not SHAPE.fullmatch(text):
        return None
    full = with_suffix(text[:15])
    return full if text in (full, text[:15]) else None
