"""Proves that nothing is lost: counts every customer of ours in each target, and compares what the target shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.store import ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.ports import Destination, Remote
    from st_sf_pipelines.store.database import Database
    from st_sf_pipelines.store.ledger import Standing


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
    keys = ledger.agreed_keys(db, tenant_id, target.asset, sample)
    expected = set(keys)
    fields = [field.to for field in target.fields]
    remotes = destination.read(target, fields, keyed=True, keys=keys if sample else ())
    ours = re.compile(re.escape(key_format).replace(re.escape("{id}"), r"\d+"))
    differences: list[Difference] = []
    compared = 0
    for page in _pages(remotes, 2_000):
        known = ledger.by_key(db, tenant_id, target.asset, [remote.key for remote in page if remote.key])
        wrong: list[tuple[int, dict[str, Any]]] = []
        for remote in page:
            row = known.get(remote.key or "")
            if row is None:
                if ours.fullmatch(remote.key or ""):
                    differences.append(Difference(str(remote.key), "carries our key, but we know no such customer"))
                continue
            expected.discard(row["key"])
            compared += 1
            if bad := _differing(destination, target, row["agreed"] or {}, remote):
                differences.append(Difference(row["key"], "differs", bad))
                wrong.append((row["st_id"], dict(remote.fields)))
        if repair and wrong:
            ledger.resend(db, tenant_id, target.asset, wrong)
    differences += [Difference(key, "is missing in the target") for key in sorted(expected)]
    if repair and expected:
        ledger.park_missing(db, tenant_id, target.asset, sorted(expected))
    standing = ledger.standing(db, tenant_id, target.asset, target.parent)
    return Reconciled(target.asset, standing, compared, tuple(differences))


def _differing(destination: Destination, target: ObjectMap, agreed: dict[str, Any], remote: Remote) -> tuple[str, ...]:
    return tuple(
        name
        for name, value in agreed.items()
        if name not in target.volatile and not destination.same(name, value, remote.fields.get(name))
    )


def _pages(remotes: Iterator[Remote], size: int) -> Iterator[Sequence[Remote]]:
    while page := list(islice(remotes, size)):
        yield page
