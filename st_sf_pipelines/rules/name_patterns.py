"""Names that differ only in ordinary words are split alike: each pattern of a name is parsed once, then remembered.

The parser takes a third of a millisecond for a name, which would be nine tenths of a first load. What it decides by are
the words that tell (titles, particles, suffixes, ...), the signs between words, and which words are the same or Spanish
surnames. So the others are put in place of each other: 'Rob Ray Jr.' and 'Amy Tan Jr.' are both 'Adalwin Brunold Jr.'.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from st_sf_pipelines.rules.names import PersonName, fold, is_spanish, split_name, telling_words

# A word as names are mostly written: a capital, then small letters, perhaps with a capital within (McDonald).
_ORDINARY: Final = re.compile(r"(?<![^\W_])([A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]+(?:[A-Z][a-z]+)?)(?![^\W_])")
_PLAIN: Final = ("Adalwin", "Brunold", "Corvath", "Delmora", "Estwick", "Fenwood", "Galbrin", "Hestor")
_SPANISH: Final = ("Garza", "Lozano", "Montoya", "Zavala", "Quintero", "Sepulveda")
_STANDS_IN: Final = re.compile(f"({'|'.join((*_PLAIN, *_SPANISH))})")
PATTERNS: Final = 20_000
"""So many patterns, and so many words, are remembered."""


def split(name: str | None, customer_type: str | None, st_id: int) -> PersonName:
    """Split a name as `names.split_name` does, but parse its pattern only if it is not remembered (SEG-2)."""
    pattern = _pattern(name) if name else None
    if pattern is None:
        return split_name(name, customer_type, st_id)
    text, words = pattern
    both = list(_split_pattern(text, customer_type))
    both[1::2] = [words[stands_in] for stands_in in both[1::2]]
    first, _, last = "".join(both).partition("\n")
    return PersonName(first or None, last)


@lru_cache(PATTERNS)
def _split_pattern(pattern: str, customer_type: str | None) -> tuple[str, ...]:
    """Split a pattern; give first and last name, a line each, cut up so that every other piece is a stand-in."""
    first, last = split_name(pattern, customer_type, 0)
    return tuple(_STANDS_IN.split(f"{first or ''}\n{last}"))


@lru_cache(PATTERNS)
def _kind(word: str) -> tuple[str, bool, bool]:
    """Fold a word; tell whether it means something, and whether it is a Spanish surname."""
    folded = fold(word)
    return folded, folded in telling_words(), is_spanish(folded)


def _pattern(name: str) -> tuple[str, dict[str, str]] | None:
    """Put stand-ins in place of a name's ordinary words; give the pattern, and the words by their stand-ins.

    None for a name that has none, has more than there are stand-ins, or spells one word in two ways.
    """
    standing: dict[str, str] = {}  # stand-in → word
    known: dict[str, tuple[str, str]] = {}  # folded word → (word, stand-in)
    plain, spanish = iter(_PLAIN), iter(_SPANISH)
    parts = _ORDINARY.split(name)  # every other one is an ordinary word
    rest = parts.copy()
    for at in range(1, len(parts), 2):
        word = parts[at]
        folded, tells, is_surname = _kind(word)
        if tells:
            continue
        if folded not in known:
            stands_in = next(spanish if is_surname else plain, None)
            if stands_in is None:
                return None
            known[folded] = word, stands_in
            standing[stands_in] = word
        elif known[folded][0] != word:
            return None
        parts[at], rest[at] = known[folded][1], ""
    if not known:
        return None
    others = "".join(rest).casefold()
    if not others.isspace() and any(word in others for word in known):  # 'Juan Garza & Maria GARZA'
        return None
    return "".join(parts), standing
