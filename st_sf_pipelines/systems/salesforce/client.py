"""The client of one org: writes records, reads them back, and knows how Salesforce stores what it is sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.systems.salesforce.codes import STRAY_CODES
from st_sf_pipelines.systems.salesforce.collection import ID, ROWS
from st_sf_pipelines.systems.salesforce.conversion import Converter
from st_sf_pipelines.systems.salesforce.finding import Finder
from st_sf_pipelines.systems.salesforce.owners import Owners
from st_sf_pipelines.systems.salesforce.reading import Reader
from st_sf_pipelines.systems.salesforce.session import SalesforceSession
from st_sf_pipelines.systems.salesforce.writer import COLLECTIONS, Writer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from st_sf_pipelines.config import Tenant
    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.ports import Conversion, Receipt, Remote, Upsert

_INSTANT: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?:\+0000|Z)")

USUAL_KB: Final = 2
"""What the org's data storage counts for a record of most objects."""
RECORD_KB: Final = {"CampaignMember": 1}


class SalesforceClient:
    """A Destination (see ports) for one tenant's org."""

    def __init__(self, tenant: Tenant) -> None:
        """Take a tenant that has a `salesforce` section; nothing is sent yet."""
        if tenant.salesforce is None:
            raise ValueError(f"tenant {tenant.name} has no salesforce section")
        config = tenant.salesforce
        self._session = SalesforceSession(tenant.name, config)
        self._finder = Finder(self._session)
        self._writer = Writer(tenant.name, self._session, self._finder, config.api_version)
        self._reader = Reader(self._session)
        self._owners = Owners(self._session, config.owner)
        self._converter = Converter(tenant.name, self._session, config.converted_status)
        self._owner_fields: frozenset[str] = frozenset()

    @property
    def calls(self) -> int:
        """How many calls were sent, tokens aside."""
        return self._session.calls

    @property
    def stray_codes(self) -> tuple[str, ...]:
        """The codes that a refusal may bear when a record pointed to was deleted; the first says just that."""
        return STRAY_CODES

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

    def storage_for(self, target: ObjectMap, rows: int) -> int:
        """Count the KB of data storage that so many new records take: as many for each, whatever it holds."""
        return rows * RECORD_KB.get(target.remote, USUAL_KB)

    def push(self, target: ObjectMap, upserts: Sequence[Upsert]) -> Iterator[Sequence[Receipt]]:
        """Write records; yield receipts as they come. A request that is refused whole is halved (SF-6).

        Users come as e-mails. One that the org does not know gives way to the configured owner, else the field is left.
        """
        yield from filter(None, self._writer.push(target, self._owners.placed(target, upserts)))

    def convert(self, conversions: Sequence[Conversion]) -> Iterator[Sequence[Receipt]]:
        """Convert leads into the contacts that they became; yield receipts under the leads' ids. Raise RemoteError."""
        return self._converter.convert(conversions)

    def masters(self, target: ObjectMap, remote_ids: Iterable[str]) -> dict[str, str]:
        """Give, for each of these records that lost a merge there, the one that won (SF-10). Raise RemoteError."""
        return self._finder.masters(target, remote_ids)

    def seed(self, known: Collection[str], *, again: bool = False) -> dict[str, dict[str, str]]:  # noqa: ARG002
        """Nothing of Salesforce's is made beside the records: its stages are a picklist that the org has."""
        return {}

    def strangers(self, targets: Sequence[ObjectMap]) -> list[ObjectMap]:
        """Give the objects of which the org holds records that do not carry our key; one call asks for all.

        Objects without an external id are left out: nobody's events could be taken for ours.
        """
        keyed = [target for target in targets if target.external_id]
        queries = [f"SELECT Id FROM {target.remote} WHERE {target.key} = null LIMIT 1" for target in keyed]
        pages = self._session.queries(queries) if queries else []
        return [target for target, page in zip(keyed, pages, strict=True) if page["records"]]

    def read(
        self, target: ObjectMap, fields: Iterable[str], *, keyed: bool, ids: Sequence[str] = ()
    ) -> Iterator[Remote]:
        """Read records back, 2,000 a call (see `Reader`). Raise RemoteError."""
        self._owner_fields |= target.users
        return self._reader.read(target, list(fields), keyed=keyed, ids=ids)

    def same(self, field: str, ours: Any, theirs: Any) -> bool:
        """Compare as Salesforce stores: no blanks at the ends, line breaks of its own, e-mail in lower case.

        An id may lack its check sum; an owner whom the org does not know was never sent.
        """
        ours, theirs = _stored(ours), _stored(theirs)
        if field in self._owner_fields:
            return self._owners.is_shown(ours, theirs)
        if field == "Email" and ours and theirs:
            return bool(ours.lower() == theirs.lower())
        if field.endswith("Id") and isinstance(ours, str) and isinstance(theirs, str):
            return bool(ours[:ID] == theirs[:ID])
        return bool(ours == theirs)


def _stored(value: Any) -> Any:
    if isinstance(value, str):
        value = value.replace("\r\n", "\n").strip()
        match = _INSTANT.fullmatch(value)
        return f"{match[1]}Z" if match else value or None
    return value
