"""Finds what is there already before anything is created: by our key, and contacts made by hand by their e-mail."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, Protocol

from st_sf_pipelines.systems.crm.documents import key_of, value_at

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.ports import Upsert
    from st_sf_pipelines.systems.crm.session import CrmSession

VALUES: Final = 500  # of one look-up
LIKES: Final = 100  # of one that has to read every record


Place = tuple[str, ...]
"""What a record is found by: its key, and where that is not its own alone, what it belongs to."""


class Taken(Protocol):
    """Knows what is linked."""

    def __call__(self, asset: str, remote_ids: Sequence[str], /) -> Collection[str]:
        """Give those of these records of an asset that are linked to records of ours already."""
        ...


def none_taken(_asset: str, _remote_ids: Sequence[str]) -> Collection[str]:
    """Take no record for linked."""
    return ()


def candidates(
    session: CrmSession, target: ObjectMap, rows: Sequence[Upsert], taken: Taken = none_taken
) -> dict[str, list[str]]:
    """Give, by our key, the ids of the records that each new row may be; none: it is to be created. Raise RemoteError.

    A record that is linked already is nobody's candidate. One that is there by hand, has no key, and the e-mail of
    one row of ours is its candidate; where two rows claim it, it is counted for both as two.
    """
    found = _by_key(session, target, rows, taken)
    rest = [row for row in rows if not found[row.key]]
    by_hand = _by_email(session, target, rest, taken)
    claims = Counter(remote_id for ids in by_hand.values() for remote_id in ids)
    for key, ids in by_hand.items():
        found[key] = [remote_id for remote_id in ids for _ in range(claims[remote_id])]
    return found


def _by_key(
    session: CrmSession, target: ObjectMap, rows: Sequence[Upsert], taken: Taken
) -> defaultdict[str, list[str]]:
    within = target.within
    names = [target.key, *([within] if within else [])]
    there: defaultdict[Place, list[str]] = defaultdict(list)
    for values in chunks(dict.fromkeys(key_of(target, row) for row in rows), VALUES):
        for document in session.documents(target.remote, among(target.key, values), names):
            place = tuple(str(value_at(document, name)) for name in names)
            there[place].append(str(document["id"]))
    free = _free(target, there.values(), taken)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        found[row.key] = [remote_id for remote_id in there.get(place_of(target, row), ()) if remote_id in free]
    return found


def place_of(target: ObjectMap, row: Upsert) -> Place:
    """Give what a new record of ours is found by."""
    return key_of(target, row), *([str(row.fields.get(target.within))] if target.within else [])


def _by_email(session: CrmSession, target: ObjectMap, rows: Sequence[Upsert], taken: Taken) -> dict[str, list[str]]:
    name = next((way.theirs[0] for way in target.matches if way.ours == ("email",)), None)
    emails = {row.key: str(row.fields[name]).strip() for row in rows if name and row.fields.get(name)}
    if not name or not emails:
        return {}
    there: defaultdict[str, list[str]] = defaultdict(list)
    for values in chunks(dict.fromkeys(email.casefold() for email in emails.values()), LIKES):
        alike = [(f"where[or][{nr}][{name}][like]", value) for nr, value in enumerate(values)]  # however it is spelt
        for document in session.documents(target.remote, alike, [name, target.key]):
            if not value_at(document, target.key):
                there[str(value_at(document, name)).casefold()].append(str(document["id"]))
    free = _free(target, there.values(), taken)
    return {key: [i for i in dict.fromkeys(there[email.casefold()]) if i in free] for key, email in emails.items()}


def _free(target: ObjectMap, groups: Iterable[Sequence[str]], taken: Taken) -> set[str]:
    ids = {remote_id for group in groups for remote_id in group}
    return ids - set(taken(target.asset, sorted(ids))) if ids else ids


def among(name: str, values: Iterable[str]) -> list[tuple[str, str]]:
    """Look for any of these values in a field."""
    return [(f"where[{name}][in][]", value) for value in values]


def chunks(values: Iterable[str], size: int) -> Iterator[list[str]]:
    """Cut a sequence into lists of at most so many."""
    every = list(values)
    for start in range(0, len(every), size):
        yield every[start : start + size]
