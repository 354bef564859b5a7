"""Who keeps the records of customers that ServiceTitan has merged: the end of a chain, the lowest of a loop (EXT-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Mapping


def survivors(merged: Mapping[int, int], known: Container[int]) -> dict[int, int]:
    """Give, for each customer that is merged away (id → `mergedToId`), the one that keeps its records in the end.

    A merge into a customer that we do not know is no merge. In a loop of merges the lowest id keeps all, and is
    itself not merged.
    """
    steps = {st_id: into for st_id, into in merged.items() if into in known and into != st_id}
    keepers: dict[int, int] = {}
    for start in steps:
        path: list[int] = []
        here = start
        while here in steps and here not in keepers and here not in path:
            path.append(here)
            here = steps[here]
        loop = path[path.index(here) :] if here in path else []
        keeper = min(loop) if loop else keepers.get(here, here)
        keepers |= dict.fromkeys(path, keeper)
    return {st_id: keeper for st_id, keeper in keepers.items() if st_id != keeper}
