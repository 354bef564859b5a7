"""Users of the org by their e-mail: whom a record is to belong to, asked once for all records of a push."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from st_sf_pipelines.systems.salesforce.collection import chunks, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.ports import Upsert
    from st_sf_pipelines.systems.salesforce.session import SalesforceSession

Emails: TypeAlias = "str | Sequence[str] | None"
"""One address, or several, of which the first that the org knows counts."""

_EMAILS: Final = 100  # of a query: its address may have 16 kB


class Owners:
    """Knows the active users of one org; an e-mail that none or several of them have stands for nobody."""

    def __init__(self, session: SalesforceSession, default: str | None) -> None:
        """Take the session, and the e-mail of who owns what nobody else does."""
        self._session = session
        self._default = default
        self._ids: dict[str, str | None] = {}

    def placed(self, target: ObjectMap, upserts: Sequence[Upsert]) -> Sequence[Upsert]:
        """Put users' ids in the place of their e-mails; a field for whom nobody is found is left out."""
        users = target.users
        if not users:
            return upserts
        self._learn(upsert.fields.get(name) for upsert in upserts for name in users)
        return [replace(upsert, fields=self._placed(users, upsert)) for upsert in upserts]

    def is_shown(self, ours: Emails, theirs: str | None) -> bool:
        """Tell whether `theirs` is the e-mail of the owner that a record gets when `ours` is sent."""
        if theirs and _each(ours)[:1] == _each(theirs):
            return True
        self._learn([ours, theirs])
        owner = self._id(ours)
        return owner is None or owner == self._ids.get((theirs or "").lower())

    def _placed(self, users: frozenset[str], upsert: Upsert) -> dict[str, Any]:
        fields = dict(upsert.fields)
        for name in users if upsert.remote_id is None else users & fields.keys():
            owner = self._id(fields.pop(name, None))
            if owner:
                fields[name] = owner
        return fields

    def _id(self, emails: Emails) -> str | None:
        return next(filter(None, map(self._ids.get, (*_each(emails), *_each(self._default)))), None)

    def _learn(self, emails: Iterable[Emails]) -> None:
        asked = {email for some in (*emails, self._default) for email in _each(some)} - self._ids.keys()
        for some in chunks(sorted(asked), _EMAILS):
            soql = (
                "SELECT Id, Email FROM User WHERE IsActive = true AND UserType = 'Standard' "
                f"AND Email IN ({listed(some)})"
            )
            found: defaultdict[str, list[str]] = defaultdict(list)
            for user in self._session.records(soql):
                found[user["Email"].lower()].append(user["Id"])
            self._ids |= {email: found[email][0] if len(found[email]) == 1 else None for email in some}


def _each(emails: Emails) -> list[str]:
    return [email.lower() for email in ([emails] if isinstance(emails, str) else emails or ())]
