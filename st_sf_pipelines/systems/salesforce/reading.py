"""Reads records back as they are sent: a parent by its key, a user by e-mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from st_sf_pipelines.errors import PermanentError
from st_sf_pipelines.ports import Remote
from st_sf_pipelines.systems.salesforce.collection import ROWS, chunks, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.systems.salesforce.session import SalesforceSession


class Reader:
    """Reads the records of one org."""

    def __init__(self, session: SalesforceSession) -> None:
        """Take the session."""
        self._session = session

    def read(
        self, target: ObjectMap, fields: Sequence[str], *, keyed: bool, ids: Sequence[str] = ()
    ) -> Iterator[Remote]:
        """Read records, 2,000 a call: those with our key, or just these by id, or all.

        A parent's key comes nested, as it is sent, a user's e-mail under the field of his id. A column that the org
        does not show is left out.
        """
        try:
            yield from self._read(target, fields, keyed=keyed, ids=ids)
        except PermanentError as error:
            if error.code != "INVALID_FIELD":
                raise
            shown = self._session.shown(target.remote)
            if target.key and target.key not in shown:
                raise
            yield from self._read(target, [name for name in fields if name in shown], keyed=keyed, ids=ids)

    def _read(self, target: ObjectMap, fields: Sequence[str], *, keyed: bool, ids: Sequence[str]) -> Iterator[Remote]:
        paths = {name: (name, key) for name, key in target.parents.items()}
        paths |= {name: (_relationship(name), "Email") for name in target.users}
        names = [".".join(paths.get(name, (name,))) for name in fields]
        columns = ", ".join(dict.fromkeys(["Id", *filter(None, [target.key]), *names]))
        conditions = [f" WHERE {target.key} != null" if keyed and target.key else ""]
        if ids:
            conditions = [f" WHERE Id IN ({listed(some)})" for some in chunks(ids, ROWS)]
        for condition in conditions:
            for record in self._session.records(f"SELECT {columns} FROM {target.remote}{condition}"):
                yield Remote(record["Id"], record.get(target.key), _as_sent(target, record))


def _as_sent(target: ObjectMap, record: dict[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in record.items() if name not in ("Id", "attributes")}
    for name, key in target.parents.items():
        if isinstance(values.get(name), dict):
            values[name] = {key: values[name].get(key)}
    for name in target.users:
        if _relationship(name) in values:
            user = values.pop(_relationship(name))
            values[name] = user.get("Email") if isinstance(user, dict) else None
    return values


def _relationship(name: str) -> str:
    """Name the relationship behind a lookup field: Owner of OwnerId, Seller__r of Seller__c."""
    return f"{name.removesuffix('__c')}__r" if name.endswith("__c") else name.removesuffix("Id")
