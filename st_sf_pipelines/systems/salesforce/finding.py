"""Finds records in an org: those that a lost call made, the twin of a refused one, the masters of merged ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.ports import Upsert
from st_sf_pipelines.systems.salesforce.collection import ID, ROWS, chunks, listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.systems.salesforce.session import SalesforceSession

MERGEABLE: Final = ("Account", "Contact", "Lead")


class Finder:
    """Looks into one org."""

    def __init__(self, session: SalesforceSession) -> None:
        """Take the session."""
        self._session = session

    def there(self, target: ObjectMap, rows: Sequence[Upsert]) -> list[Upsert]:
        """Give, linked, those of these records that are there already; of several the oldest.

        For objects without an external id: they are known by our key's field, else by what is set once.
        """
        names = (target.key,) if target.key else tuple(sorted(target.create_only))
        wanted = [_identity(target, {**row.fields, target.key: row.key}, names) for row in rows]
        found: dict[tuple[str, ...], str] = {}
        for some in chunks(wanted, ROWS):
            conditions = (
                f"{name} IN ({listed(values)})" for name, values in zip(names, zip(*some, strict=True), strict=True)
            )
            soql = f"SELECT Id, {', '.join(names)} FROM {target.remote} WHERE {' AND '.join(conditions)}"
            for record in self._session.records(f"{soql} ORDER BY CreatedDate, Id"):
                found.setdefault(_identity(target, record, names), record["Id"])
        known = zip(rows, map(found.get, wanted), strict=True)
        return [replace(row, remote_id=remote_id) for row, remote_id in known if remote_id]

    def twin(self, target: ObjectMap, row: Upsert) -> Upsert | None:
        """Find the record that a duplicate refusal speaks of: by our key, else by e-mail if it carries no key yet."""
        if row.remote_id is not None:
            return None
        conditions = [f"{target.key} = '{quoted(row.key)}'"]
        if row.fields.get("Email"):
            conditions.append(f"Email = '{quoted(str(row.fields['Email']))}' AND {target.key} = null")
        for condition in conditions:
            there = list(self._session.records(f"SELECT Id FROM {target.remote} WHERE {condition} LIMIT 2"))
            if len(there) == 1:
                return Upsert(row.key, {target.key: row.key, **row.fields}, there[0]["Id"])
            if there:
                return None
        return None

    def masters(self, target: ObjectMap, remote_ids: Iterable[str]) -> dict[str, str]:
        """Give, for each of these records that lost a merge, the one that won in the end (SF-10)."""
        if target.remote not in MERGEABLE:
            return {}
        given, into = set(remote_ids), dict[str, str]()
        asked = given
        while asked:
            for some in chunks(sorted(asked), ROWS):
                soql = (
                    f"SELECT Id, MasterRecordId FROM {target.remote} WHERE Id IN ({listed(some)}) AND IsDeleted = true"
                )
                into |= {
                    r["Id"]: r["MasterRecordId"]
                    for r in self._session.records(soql, deleted=True)
                    if r["MasterRecordId"]
                }
            asked = {into[remote_id] for remote_id in asked & into.keys()} - into.keys()
        return {remote_id: _last(into, remote_id) for remote_id in given & into.keys()}


def _identity(target: ObjectMap, fields: Mapping[str, Any], names: tuple[str, ...]) -> tuple[str, ...]:
    """Give what a record is known by; of ids the part that every spelling has."""
    values = (str(fields[name]) for name in names)
    return tuple(values) if target.key else tuple(value[:ID] for value in values)


def _last(into: dict[str, str], remote_id: str) -> str:
    """Follow merges to the record that is left: a winner may have lost another merge since."""
    while remote_id in into:
        remote_id = into[remote_id]
    return remote_id
