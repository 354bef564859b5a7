"""Recognises our customers among the records that a target holds: one candidate, none, or too many (SF-13)."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.rules.contacts import phone_e164

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from st_sf_pipelines.mapping import Match, ObjectMap
    from st_sf_pipelines.ports import Remote


@dataclass(frozen=True)
class Candidate:
    """One customer of ours, the target's records that it may be, and by which way they were recognised."""

    subject: int
    key: str
    remote_ids: tuple[str, ...]
    by: str

    @property
    def is_certain(self) -> bool:
        """Tell whether there is exactly one record, and nobody else claims it."""
        return len(self.remote_ids) == 1


def recognise(
    target: ObjectMap,
    ours: Iterable[Mapping[str, Any]],
    theirs: Sequence[Remote],
    linked: Mapping[str, Mapping[int, str]],
) -> list[Candidate]:
    """Match customers (rows with `subject`, `key` and columns of ours) with a target's records; no guess is made.

    The first way that finds anything decides: our key, then the map's own ways. `linked` gives, for a way that goes
    through another asset, the record that each customer's record there points to. A record that carries the key of
    somebody else is nobody's candidate; one that two customers claim is certain for neither.
    """
    by_key = {remote.key: remote.remote_id for remote in theirs if remote.key}
    free = {remote.remote_id: remote for remote in theirs if not remote.key}
    indexes = {way: _index(way, free.values()) for way in target.matches if way.through is None}
    found = [candidate for row in ours if (candidate := _candidate(target, row, by_key, free, indexes, linked))]
    claims = Counter(remote_id for candidate in found for remote_id in candidate.remote_ids)
    return [
        replace(candidate, remote_ids=(*candidate.remote_ids, "claimed by another customer too"))
        if candidate.is_certain and claims[candidate.remote_ids[0]] > 1
        else candidate
        for candidate in found
    ]


def _candidate(
    target: ObjectMap,
    row: Mapping[str, Any],
    by_key: Mapping[str, str],
    free: Mapping[str, Remote],
    indexes: Mapping[Match, Mapping[tuple[str, ...], list[str]]],
    linked: Mapping[str, Mapping[int, str]],
) -> Candidate | None:
    if row["key"] in by_key:
        return Candidate(row["subject"], row["key"], (by_key[row["key"]],), "key")
    for way in target.matches:
        if way.through is not None:
            pointed = linked.get(way.through, {}).get(row["subject"])
            remote_ids = [pointed] if pointed is not None and pointed in free else []
        else:
            value = tuple(folded(column, row[column]) for column in way.ours)
            remote_ids = indexes[way].get(value, []) if all(value) else []
        if remote_ids:
            return Candidate(row["subject"], row["key"], tuple(remote_ids), way.says)
    return None


def _index(way: Match, free: Iterable[Remote]) -> Mapping[tuple[str, ...], list[str]]:
    index: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for remote in free:
        value = tuple(folded(ours, remote.fields.get(name)) for ours, name in zip(way.ours, way.theirs, strict=True))
        index[value].append(remote.remote_id)
    return index


def folded(column: str, value: Any) -> str:
    """Write a value so that two spellings of one thing are equal: numbers in E.164, five digits of a postal code."""
    text = " ".join(unicodedata.normalize("NFC", str(value or "")).split()).casefold()
    if column == "phone":
        return phone_e164(text) or ""
    return text[:5] if column == "zip" else text
