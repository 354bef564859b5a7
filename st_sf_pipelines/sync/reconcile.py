"""Proves that nothing is lost: counts every customer of ours in each target, and compares what the target shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.store import again, outgoing, standing
from st_sf_pipelines.sync import references

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.ports import Destination, Remote
    from st_sf_pipelines.store.database import Database
    from st_sf_pipelines.store.standing import Standing


@dataclass(frozen=True)
class Difference:
    """One record that is not as it was acknowledged: it is missing there, fields differ, or we do not know it."""

    key: str
    what: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reconciled:
    """The proof for one object: how all customers stand, how many records were compared, and what differs."""

    asset: str
    standing: Standing
    compared: int
    differences: tuple[Difference, ...]

    @property
    def is_whole(self) -> bool:
        """Tell whether every customer is in the target, and all of it is as acknowledged."""
        return self.standing.source == self.standing.synced and not self.differences


def reconcile(
    db: Database,
    destination: Destination,
    tenant_id: int,
    target: ObjectMap,
    key_format: str,
    *,
    sample: int | None = None,
    repair: bool = False,
) -> Reconciled:
    """Read the whole object back, or a random sample, and compare it field by field with what was acknowledged (SF-11).

    With `repair`, the next round sends again what differs in the fields we own. Raise RemoteError.
    """
    expected = standing.agreed(db, tenant_id, target.asset, sample)
    fields = [*filter(None, [target.key]), *(field.to for field in target.fields)]
    remotes = destination.read(target, fields, keyed=True, ids=list(expected) if sample or not target.key else ())
    ours = re.compile(re.escape(key_format).replace(re.escape("{id}"), r"(lead_)?\d+(_\d+)?"))
    differences: list[Difference] = []
    compared = 0
    for page in _pages(remotes, 2_000):
        known = standing.of_remotes(db, tenant_id, target.asset, page)
        found = references.remote_ids(db, tenant_id, (row["agreed"] or {} for row in known.values()))
        wrong: list[tuple[int, dict[str, Any]]] = []
        for remote in page:
            row = known.get(remote.remote_id)
            if row is None:
                if target.external_id and ours.fullmatch(remote.key or ""):
                    differences.append(Difference(str(remote.key), "carries our key, but we know no such record"))
                continue
            expected.pop(row["remote_id"], None)
            compared += 1
            if bad := _differing(destination, target, references.resolved(row["agreed"] or {}, found), remote):
                differences.append(Difference(row["key"], "differs", bad))
                wrong.append((row["subject"], dict(remote.fields)))
        if repair and wrong:
            again.resend(db, tenant_id, target.asset, wrong)
    differences += [Difference(key, "is missing in the target") for key in sorted(expected.values())]
    if repair and expected:
        again.park_missing(db, tenant_id, target.asset, sorted(expected.values()))
    stands = standing.standing(db, tenant_id, target.asset, outgoing.count(db, tenant_id, target.source))
    return Reconciled(target.asset, stands, compared, tuple(differences))


def _differing(destination: Destination, target: ObjectMap, agreed: dict[str, Any], remote: Remote) -> tuple[str, ...]:
    return tuple(
        name
        for name, value in agreed.items()
        if name not in target.volatile | target.create_only
        and not destination.same(name, value, remote.fields.get(name))
    )


def _pages(remotes: Iterator[Remote], size: int) -> Iterator[Sequence[Remote]]:
    while page := list(islice(remotes, size)):
        yield page
