"""A draw is one large random number that many small choices are read from, so that a person costs eight bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

Choice = TypeVar("Choice")

DRAW_BITS = 62
"""As many as a signed eight byte column holds, with one to spare."""


class Draw:
    """Reads one choice after another from a number; the same number always gives the same choices."""

    def __init__(self, number: int) -> None:
        # An odd multiplier spreads neighbouring numbers; Knuth's 64-bit one.
        self._left = (number * 6364136223846793005 + 1442695040888963407) & 0xFFFF_FFFF_FFFF_FFFF

    def below(self, bound: int) -> int:
        """Give a whole number from 0 to one less than the bound."""
        self._left = left = (self._left ^ (self._left >> 29)) * 0xBF58476D1CE4E5B9 & 0xFFFF_FFFF_FFFF_FFFF
        return (left >> 20) % bound

    def pick(self, choices: Sequence[Choice]) -> Choice:
        """Give one of the choices."""
        self._left = left = (self._left ^ (self._left >> 29)) * 0xBF58476D1CE4E5B9 & 0xFFFF_FFFF_FFFF_FFFF
        return choices[(left >> 20) % len(choices)]
