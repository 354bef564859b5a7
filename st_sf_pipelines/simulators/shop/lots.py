"""Chances for whole columns at once: what a row is dealt depends on the seed, a word and the row's number alone."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Column = npt.NDArray[np.int64]

GOLDEN = 0x9E37_79B9_7F4A_7C15


class Lots:
    """Deals numbers to rows; numpy's own generators may change with its version, this one does not."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def _dealt(self, word: str, count: int) -> npt.NDArray[np.uint64]:
        # SplitMix64, one step for each row, from a start that the word gives.
        start = int.from_bytes(hashlib.sha256(f"{self._seed} {word}".encode()).digest()[:8], "big")
        dealt = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GOLDEN) + np.uint64(start)
        dealt = (dealt ^ (dealt >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
        dealt = (dealt ^ (dealt >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
        return dealt ^ (dealt >> np.uint64(31))

    def draws(self, word: str, count: int) -> Column:
        """Deal each row a number that a `Draw` reads."""
        return (self._dealt(word, count) >> np.uint64(2)).astype(np.int64)

    def below(self, word: str, count: int, bound: int) -> Column:
        """Deal each row a whole number from 0 to one less than the bound."""
        return (self._dealt(word, count) % np.uint64(max(bound, 1))).astype(np.int64)

    def chance(self, word: str, count: int) -> npt.NDArray[np.float64]:
        """Deal each row a fraction from 0 to 1."""
        return self._dealt(word, count).astype(np.float64) / float(1 << 64)

    def some(self, word: str, candidates: Column, count: int) -> Column:
        """Pick so many different candidates, or all of them where they are fewer."""
        order = np.argsort(self._dealt(word, len(candidates)), kind="stable")
        return candidates[order[: max(count, 0)]]
