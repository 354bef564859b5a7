"""The client of one org: writes records, reads them back, and knows how Salesforce stores what it is sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.errors import PermanentError
from st_sf_pipelines.ports import Receipt, Remote, Upsert
from st_sf_pipelines.systems.salesforce.session import SalesforceSession, records_of
from st_sf_pipelines.systems.salesforce.writer import COLLECTIONS, ROWS, Writer, chunks, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from st_sf_pipelines.config import Tenant
    from st_sf_pipelines.mapping import ObjectMap

_INSTANT: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?:\+0000|Z)")


class SalesforceClient:
    """A Destination (see ports) for one tenant's org."""

    def __init__(self, tenant: Tenant) -> None:
        """Take a tenant that has a `salesforce` section; nothing is sent yet."""
        if tenant.salesforce is None:
            raise ValueError(f"tenant {tenant.name} has no salesforce section")
        self._tenant = tenant.name
        self._session = SalesforceSession(tenant.name, tenant.salesforce)
        self._writer = Writer(tenant.name, self._session, tenant.salesforce.api_version)

    @property
    def calls(self) -> int:
        """How many calls were sent, tokens aside."""
        return self._session.calls

    @property
    def usage(self) -> tuple[int, int] | None:
        """API calls used and allowed today, as the last answer said (SF-8)."""
        return self._session.usage

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def calls_for(self, rows: int) -> int:
        """Count the calls for so many rows of one object: 1,000 rows go in one."""
        return -(-rows // (ROWS * COLLECTIONS))

    def push(self, target: ObjectMap, upserts: Sequence[Upsert]) -> Iterator[Sequence[Receipt]]:
        """Write records; yield receipts as they come. A request that is refused whole is halved (SF-6)."""
        return self._writer.push(target, upserts)

    def strangers(self, targets: Sequence[ObjectMap]) -> list[ObjectMap]:
        """Give the objects of which the org holds records that do not carry our key; one call asks for all."""
        queries = [f"SELECT Id FROM {target.remote} WHERE {target.key} = null LIMIT 1" for target in targets]
        return [target for target, page in zip(targets, self._session.queries(queries), strict=True) if page["records"]]

    def read(
        self, target: ObjectMap, fields: Iterable[str], *, keyed: bool, ids: Sequence[str] = ()
    ) -> Iterator[Remote]:
        """Read records back, 2,000 a call; a parent's key comes nested, as it is sent.

        A column that the org does not show is left out of what is read.
        """
        fields = list(fields)
        try:
            yield from self._read(target, list(fields), keyed=keyed, ids=ids)
        except PermanentError as error:
            if error.code != "INVALID_FIELD":
                raise
            shown = self._session.shown(target.remote)
            if target.key not in shown:
                raise
            yield from self._read(target, [name for name in fields if name in shown], keyed=keyed, ids=ids)

    def _read(self, target: ObjectMap, fields: Sequence[str], *, keyed: bool, ids: Sequence[str]) -> Iterator[Remote]:
        parents = {field.to: field.refers_to for field in target.fields if field.refers_to}
        names = [f"{name}.{parents[name]}" if name in parents else name for name in fields]
        columns = ", ".join(dict.fromkeys(["Id", target.key, *names]))
        conditions = [f" WHERE {target.key} != null" if keyed else ""]
        if ids:
            lists = [", ".join(f"'{quoted(each)}'" for each in some) for some in chunks(ids, ROWS)]
            conditions = [f" WHERE Id IN ({some})" for some in lists]
        for condition in conditions:
            yield from self._remotes(target, parents, f"SELECT {columns} FROM {target.remote}{condition}")

    def _remotes(self, target: ObjectMap, parents: dict[str, str], soql: str) -> Iterator[Remote]:
        page = self._page(soql)
        while True:
            for record in page["records"]:
                values = {name: value for name, value in record.items() if name not in ("Id", "attributes")}
                for name, key in parents.items():
                    if isinstance(values.get(name), dict):
                        values[name] = {key: values[name].get(key)}
                yield Remote(record["Id"], record.get(target.key), values)
            if page.get("done", True):
                return
            page = self._session.query_more(page["nextRecordsUrl"])

    def _page(self, soql: str) -> Any:
        answer = self._session.query(soql)
        records_of(answer, self._tenant)
        return answer

    def same(self, field: str, ours: Any, theirs: Any) -> bool:
        """Compare as Salesforce stores: no blanks at the ends, line breaks of its own, e-mail in lower case."""
        ours, theirs = _stored(ours), _stored(theirs)
        if field == "Email" and ours and theirs:
            return bool(ours.lower() == theirs.lower())
        return bool(ours == theirs)


def _stored(value: Any) -> Any:
    if isinstance(value, str):
        value = value.replace("\r\n", "\n").strip()
        match = _INSTANT.fullmatch(value)
        return f"{match[1]}Z" if match else value or None
    return value
