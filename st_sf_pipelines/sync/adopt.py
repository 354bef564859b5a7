"""Adopts what a target holds already: our customers are recognised among its records before anything is created."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.rules.matching import recognise
from st_sf_pipelines.store import adoption, standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.ports import Destination, Remote
    from st_sf_pipelines.rules.matching import Candidate
    from st_sf_pipelines.store.database import Database


@dataclass(frozen=True)
class Adopted:
    """What adopting one object came to: who is linked, whom a person must decide on, how many will be created."""

    asset: str
    records: int
    linked: tuple[Candidate, ...]
    undecided: tuple[Candidate, ...]
    unmatched: int


def adopt(
    db: Database, destination: Destination, tenant_id: int, targets: Sequence[ObjectMap], *, apply: bool
) -> list[Adopted]:
    """Match every customer that is not linked yet; with `apply`, link the certain ones and open the targets (SF-13).

    Children go first, as a parent may be recognised through its child. Two candidates are listed, and parked until a
    person has decided. Raise RemoteError.
    """
    through: dict[str, dict[int, str]] = {}
    report = []
    for target in reversed(targets):
        if not (target.matches or target.external_id):  # only our key makes one of these ours, when it is written
            if apply:
                adoption.open_target(db, tenant_id, target.asset, "adopt")
            continue
        pointers = {way.theirs[0] for parent in targets for way in parent.matches if way.through == target.asset}
        names = {name for way in target.matches if way.through is None for name in way.theirs} | pointers
        theirs = list(destination.read(target, sorted(names), keyed=False))
        rows = [_row(target, each) for each in adoption.unlinked(db, tenant_id, target.asset)]
        candidates = recognise(target, rows, theirs, through)
        certain = tuple(candidate for candidate in candidates if candidate.is_certain)
        undecided = tuple(candidate for candidate in candidates if not candidate.is_certain)
        ids = standing.remote_ids(db, tenant_id, target.asset) | {c.subject: c.remote_ids[0] for c in certain}
        through[target.asset] = _pointed(ids, theirs, pointers)
        if apply:
            adoption.link(db, tenant_id, target.asset, [(c.subject, c.remote_ids[0]) for c in certain])
            adoption.park_undecided(db, tenant_id, target.asset, [c.subject for c in undecided])
            adoption.open_target(db, tenant_id, target.asset, "adopt")
        report.append(Adopted(target.asset, len(theirs), certain, undecided, len(rows) - len(candidates)))
    return report[::-1]


def _row(target: ObjectMap, unlinked: dict[str, Any]) -> dict[str, Any]:
    """Give the columns of ours that a record's wanted fields were made of, to match by."""
    wanted = unlinked["wanted"]
    columns = {field.columns[0]: wanted.get(field.to) for field in reversed(target.fields) if field.columns}
    return {**columns, "subject": unlinked["subject"], "key": unlinked["key"]}


def _pointed(ids: dict[int, str], theirs: Sequence[Remote], pointers: set[str]) -> dict[int, str]:
    """Give, for each linked record of ours, the one that it points to there (a contact's account)."""
    points = {
        remote.remote_id: str(remote.fields[name]) for remote in theirs for name in pointers if remote.fields.get(name)
    }
    return {subject: points[remote_id] for subject, remote_id in ids.items() if remote_id in points}
