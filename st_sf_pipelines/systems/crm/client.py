"""The client of one CRM: writes records, reads them back, and tells what people changed there."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.ports import Json, Receipt, Remote, Told, Upsert
from st_sf_pipelines.systems.crm.codes import STRAY_CODES
from st_sf_pipelines.systems.crm.documents import fields_of, same, value_at
from st_sf_pipelines.systems.crm.lookup import VALUES, among, chunks, none_taken
from st_sf_pipelines.systems.crm.objects import PIPELINES, STAGES
from st_sf_pipelines.systems.crm.session import PAGE, READ_ATTEMPTS, TIMEOUT_SECONDS, CrmSession
from st_sf_pipelines.systems.crm.stages import OURS, Stages
from st_sf_pipelines.systems.crm.webhook import Webhook
from st_sf_pipelines.systems.crm.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from st_sf_pipelines.config import Tenant
    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.systems.crm.lookup import Taken

OVERLAP: Final = timedelta(seconds=10)
"""A change may become visible so long after the instant that it carries: its transaction was still open."""


class CrmClient:
    """A Destination (see ports) for one tenant's CRM."""

    def __init__(
        self,
        tenant: Tenant,
        taken: Taken = none_taken,
        timeout: float = TIMEOUT_SECONDS,
        attempts: int = READ_ATTEMPTS,
    ) -> None:
        """Take a tenant that has a `crm` section; nothing is sent yet. A probe takes a short timeout and one attempt.

        `taken(asset, ids)` tells which of the CRM's records are linked to records of ours already.
        """
        if tenant.crm is None:
            raise ValueError(f"tenant {tenant.name} has no crm section")
        self._session = CrmSession(tenant.name, tenant.crm, timeout, attempts)
        self._writer = Writer(self._session, tenant.crm, taken)
        self._webhook = Webhook(tenant)
        self.stages: Final = Stages(self._session, tenant.crm)

    @property
    def calls(self) -> int:
        """How many calls were sent."""
        return self._session.calls

    @property
    def stray_codes(self) -> tuple[str, ...]:
        """The codes that a refusal may bear when a record pointed to was deleted; the first says just that."""
        return STRAY_CODES

    @property
    def usage(self) -> None:
        """Payload counts no calls and has no limit of a day."""
        return

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
        self._webhook.close()

    def calls_for(self, rows: int) -> int:
        """Count the calls for so many rows of one object: one for each, and a look-up for every 500."""
        return rows + -(-rows // VALUES)

    def storage_for(self, target: ObjectMap, rows: int) -> None:
        """Payload counts no storage."""

    def push(self, target: ObjectMap, upserts: Sequence[Upsert]) -> Iterator[Sequence[Receipt]]:
        """Write the records; yield receipts, in order, a few at a time. Raise RemoteError."""
        return self._writer.push(target, upserts)

    def seed(self, known: Collection[str], *, again: bool = False) -> dict[str, dict[str, str]]:
        """See to it that our pipelines and stages are there; give their ids by slug, under our assets' names (CRM-10).

        `known` are the slugs that were there once; one that a person deleted is made anew only with `again`. Raise
        TargetStopped, naming it; RemoteError.
        """
        found = self.stages.seed(OURS, known, again=again)
        return {PIPELINES: dict(found.pipelines), STAGES: dict(found.stages)}

    def missing(self) -> list[str]:
        """Name the pipelines and stages that the CRM lacks, in words. Raise RemoteError."""
        return list(self.stages.look(OURS).missing.values())

    def masters(self, target: ObjectMap, remote_ids: Sequence[str]) -> dict[str, str]:  # noqa: ARG002 - of the protocol
        """Payload merges no records."""
        return {}

    def tell(self, events: Sequence[Json]) -> Told:
        """Post events to the CRM's webhook; nothing without a `crm.webhook_secret` (CRM-11)."""
        return self._webhook.tell(events)

    def strangers(self, targets: Sequence[ObjectMap]) -> list[ObjectMap]:
        """Give the objects of which the CRM holds records without our key that could be ours.

        Deals and activities that people made are theirs: only our key makes one ours.
        """
        return [target for target in targets if target.matches and self._has_strangers(target)]

    def _has_strangers(self, target: ObjectMap) -> bool:
        page = self._session.page(target.remote, [(f"where[{target.key}][exists]", "false"), ("limit", "1")])
        return bool(page["docs"])

    def read(
        self,
        target: ObjectMap,
        fields: Iterable[str],
        *,
        keyed: bool,
        ids: Sequence[str] = (),
    ) -> Iterator[Remote]:
        """Read records back, 1,000 a call: those with our key, or just these by id, or all of them."""
        names = list(dict.fromkeys(fields))
        searches: list[list[tuple[str, str]]] = [[]]
        if ids:
            searches = [among("id", some) for some in chunks(ids, VALUES)]
        elif keyed and "." not in target.key:  # not every database can tell whether JSON has a key
            searches = [[(f"where[{target.key}][exists]", "true")]]
        for where in searches:
            for document in self._session.documents(target.remote, where, dict.fromkeys([target.key, *names])):
                remote = _remote(target, document, names)
                if remote.key is not None or not keyed:
                    yield remote

    def changed_since(self, target: ObjectMap, since: datetime, fields: Iterable[str]) -> Iterator[Remote]:
        """Read what changed at or after an instant, the oldest change first, `updatedAt` among the fields (CRM-12).

        It looks back ten seconds more, so the same change may come twice; our own writes come too. Raise RemoteError.
        """
        names = list(dict.fromkeys([*fields, "updatedAt"]))
        start = (since - OVERLAP).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        where = [("where[updatedAt][greater_than_equal]", start)]
        while True:
            page = self._session.page(
                target.remote,
                [*where, ("sort", "updatedAt,id"), ("limit", str(PAGE))],
                dict.fromkeys([target.key, *names]),
            )
            for document in page["docs"]:
                yield _remote(target, document, names)
            if not page.get("hasNextPage"):
                return
            where = _after(page["docs"][-1])

    def emails(self, user_ids: Iterable[str]) -> dict[str, str]:
        """Give the e-mail addresses of the CRM's users, by id (who owns a deal). Raise RemoteError."""
        return self._session.emails(user_ids)

    def same(self, field: str, ours: Any, theirs: Any) -> bool:  # noqa: ARG002 - of the protocol
        """Tell whether what the CRM shows is what it stores when it is sent our value."""
        return same(ours, theirs)


def _remote(target: ObjectMap, document: Mapping[str, Any], names: Sequence[str]) -> Remote:
    key = value_at(document, target.key)
    fields = fields_of(target, document, names)
    return Remote(str(document["id"]), None if key in (None, "") else str(key), fields)


def _after(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Look for what stands after a document in the order of change and id: pages by number would skip what moves."""
    at, document_id = str(document["updatedAt"]), str(document["id"])
    return [
        ("where[or][0][updatedAt][greater_than]", at),
        ("where[or][1][and][0][updatedAt][equals]", at),
        ("where[or][1][and][1][id][greater_than]", document_id),
    ]
