"""Reads back what people changed in the CRM: stage, pin and owner of our opportunities (CRM-7, CRM-12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.store import hands
from st_sf_pipelines.store.hands import HandChange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.ports import Listener, ReadBack, Remote
    from st_sf_pipelines.store.database import Database

PAGE: Final = 1_000
BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Received:
    """What reading back came to: records read and changed, and stages, pins and owners that people changed."""

    read: int
    changed: int
    stages: int
    pins: int
    owners: int


def receive(db: Database, listener: Listener, tenant_id: int, target: ObjectMap, fields: ReadBack) -> Received:
    """Read what changed since the last look, and keep it for the deals' next one. Raise RemoteError.

    Our own writes come too; they stand there as we agreed, and are no change (SYNC-4).
    """
    read = 0
    changed: list[HandChange] = []
    for page, changes, newest in _looked(db, listener, tenant_id, target, fields):
        read += page
        changed += changes
        hands.keep(db, tenant_id, target.asset, changes, newest, stage_field=fields.stage, stages=fields.stages_asset)
    return Received(
        read,
        len(changed),
        sum(change.stage is not None for change in changed),
        sum(change.pinned is not None for change in changed),
        sum(change.owner is not None for change in changed),
    )


def has_news(db: Database, listener: Listener, tenant_id: int, target: ObjectMap, fields: ReadBack) -> bool:
    """Tell whether a person changed something; what is no news moves the watermark. Raise RemoteError."""
    for _, changes, newest in _looked(db, listener, tenant_id, target, fields):
        if changes:
            return True
        hands.keep(db, tenant_id, target.asset, (), newest, stage_field=fields.stage, stages=fields.stages_asset)
    return False


def _looked(
    db: Database, listener: Listener, tenant_id: int, target: ObjectMap, fields: ReadBack
) -> Iterator[tuple[int, list[HandChange], datetime | None]]:
    since = hands.watermark(db, tenant_id, target.asset) or BEGINNING
    slugs = hands.slugs(db, tenant_id, fields.stages_asset)
    remotes = listener.changed_since(target, since, (fields.stage, fields.pinned, fields.owner))
    while page := list(islice(remotes, PAGE)):
        known = hands.linked(db, tenant_id, target.asset, [remote.remote_id for remote in page])
        owners = {str(remote.fields[fields.owner]) for remote in page if remote.fields.get(fields.owner)}
        emails = listener.emails(sorted(owners)) if owners else {}
        changes = [
            change
            for remote in page
            if (deal := known.get(remote.remote_id)) and (change := _change(remote, deal, fields, slugs, emails))
        ]
        yield len(page), changes, max(map(_at, page))


def _change(
    remote: Remote, deal: Mapping[str, Any], fields: ReadBack, slugs: Mapping[str, str], emails: Mapping[str, str]
) -> HandChange | None:
    there = str(remote.fields.get(fields.stage))
    stage = slugs.get(there, f"stage {there}")
    agreed = (deal["agreed"].get(fields.stage) or {}).get("subject")
    pinned = bool(remote.fields.get(fields.pinned))
    user = remote.fields.get(fields.owner)
    owner = emails.get(str(user), "") if user else ""
    change = HandChange(
        deal["id"],
        _at(remote),
        stage if agreed is not None and stage != agreed else None,
        pinned if pinned != deal["pinned"] else None,
        owner if owner != (deal["owner_email"] or "") else None,
    )
    return change if (change.stage, change.pinned, change.owner) != (None, None, None) else None


def _at(remote: Remote) -> datetime:
    return datetime.fromisoformat(str(remote.fields["updatedAt"]))
