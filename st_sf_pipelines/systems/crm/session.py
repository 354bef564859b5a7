"""The calls to one Payload CMS: who we are, how documents are asked for, and what its bad answers are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import orjson

from st_sf_pipelines.errors import CredentialsError, PermanentError, RemoteError, TransientError
from st_sf_pipelines.systems.http import Http, Pace, bad_answer, fields_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import httpx

    from st_sf_pipelines.config import Crm

CALLS_PER_SECOND: Final = 200.0  # above what a server can write, so that no wait of ours is the limit
TIMEOUT_SECONDS: Final = 30.0
READ_ATTEMPTS: Final = 4
PAGE: Final = 1_000
WRITE: Final = {"depth": "0", "select[id]": "true"}  # of what was written, the id is answered alone

Where = list[tuple[str, str]]
"""Pairs of a query, such as ("where[email][in][]", "a@b.c")."""


class CrmSession:
    """One Payload's REST API, for one tenant. Reads are tried again, writes are not: their caller looks first."""

    def __init__(
        self, tenant: str, config: Crm, timeout: float = TIMEOUT_SECONDS, attempts: int = READ_ATTEMPTS
    ) -> None:
        """Take the tenant's name for errors, its access, and the attempts of a read; nothing is sent yet."""
        self._tenant = tenant
        self._config = config
        self._api = f"{config.api_url.removesuffix('/api')}/api"
        pace = Pace(CALLS_PER_SECOND)
        self._reads = Http("crm", tenant, pace, timeout, attempts, refusal=refusal)
        self._writes = Http("crm", tenant, pace, timeout, 1, self._reads.sent, refusal)
        self._users = config.collections.get("users", "users")
        self._numeric: dict[str, bool] = {}

    @property
    def calls(self) -> int:
        """How many calls were sent."""
        return self._reads.calls

    def close(self) -> None:
        """Close the connections."""
        self._reads.close()
        self._writes.close()

    def documents(
        self, slug: str, where: Iterable[tuple[str, str]] = (), fields: Iterable[str] = ()
    ) -> Iterator[dict[str, Any]]:
        """Give all documents that are looked for, 1,000 a call, with these fields alone, by id. Raise RemoteError.

        Each page begins after the last id: pages by number would skip documents when others are deleted meanwhile.
        """
        query, names = [*where, ("sort", "id"), ("limit", str(PAGE))], list(fields)
        after: Where = []
        while True:
            answer = self.page(slug, [*query, *after], names)
            yield from answer["docs"]
            if not answer.get("hasNextPage"):
                return
            after = [("where[id][greater_than]", str(answer["docs"][-1]["id"]))]

    def page(self, slug: str, query: Where, fields: Iterable[str] = ()) -> Any:
        """Give one page of a list; the query goes as a form, which has room for 500 values. Raise RemoteError."""
        selected = [(f"select[{']['.join(name.split('.'))}]", "true") for name in fields] or [("select[id]", "true")]
        form = urlencode([*query, ("depth", "0"), *selected]).encode()
        headers = {
            "X-Payload-HTTP-Method-Override": "GET",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        answer = self._asked(self._reads, "POST", slug, content=form, headers=headers)
        documents = answer.get("docs") if isinstance(answer, dict) else None
        if not isinstance(documents, list):
            raise TransientError("crm", self._tenant, f"POST /api/{slug}", "the answer is no list of documents")
        self._learn(slug, documents)
        return answer

    def create(self, slug: str, body: dict[str, Any]) -> str:
        """Make a document; give its id as text. Raise RemoteError."""
        return self._written("POST", slug, slug, body, WRITE)

    def update(self, slug: str, remote_id: str, body: dict[str, Any]) -> str:
        """Change a document. With overrideLock the server looks for no lock: that look can lock up its pool for good.

        Raise RemoteError; its code is NOT_FOUND where the document is gone.
        """
        return self._written("PATCH", slug, f"{slug}/{remote_id}", body, {"overrideLock": "true", **WRITE})

    def emails(self, user_ids: Iterable[str]) -> dict[str, str]:
        """Give the e-mail addresses of users, by id. Raise RemoteError."""
        wanted = [("where[id][in][]", user_id) for user_id in dict.fromkeys(user_ids)]
        users = self.documents(self._users, wanted, ["email"]) if wanted else ()
        return {str(user["id"]): str(user["email"]) for user in users if user.get("email")}

    def native(self, slug: str, remote_id: str) -> int | str:
        """Write an id as this server does, number or text: the kind is seen in its answers. Raise RemoteError."""
        if slug not in self._numeric:
            self.page(slug, [("limit", "1")])
        return int(remote_id) if self._numeric.get(slug) and remote_id.isdecimal() else remote_id

    def _written(self, method: str, slug: str, path: str, body: dict[str, Any], query: dict[str, str]) -> str:
        answer = self._asked(self._writes, method, path, json=body, params=query)
        document = answer.get("doc") if isinstance(answer, dict) else None
        if not isinstance(document, dict) or "id" not in document:
            raise TransientError("crm", self._tenant, f"{method} /api/{path}", "the answer is no document")
        self._learn(slug, [document])
        return str(document["id"])

    def _asked(self, http: Http, method: str, path: str, headers: dict[str, str] | None = None, **sent: Any) -> Any:
        every = {**self._known_by(), **(headers or {})}
        try:
            return http.json(lambda: http.request(method, f"{self._api}/{path}", headers=every, **sent))
        except CredentialsError as error:
            error.cause = self._why_forbidden()
            raise

    def _known_by(self) -> dict[str, str]:
        if self._config.api_key:
            return {"Authorization": f"{self._users} API-Key {self._config.api_key.get_secret_value()}"}
        if self._config.webhook_secret:
            return {"X-Webhook-Secret": self._config.webhook_secret.get_secret_value()}
        return {}

    def _why_forbidden(self) -> str:
        """Tell a key that nobody knows from a user who may not: Payload answers 403 to both."""
        if not self._known_by():
            return "neither crm.api_key (CRM_API_KEY) nor crm.webhook_secret (CRM_WEBHOOK_SECRET) is set"
        if not self._config.api_key:
            return "the CRM does not take crm.webhook_secret (CRM_WEBHOOK_SECRET) for this"
        me = self._reads.json(
            lambda: self._reads.request(
                "GET", f"{self._api}/{self._users}/me", headers=self._known_by(), params={"depth": "0"}
            )
        )
        if isinstance(me, dict) and me.get("user"):
            return "the user of crm.api_key may not do this: grant it access to the collection"
        return (
            "the CRM does not know crm.api_key (CRM_API_KEY): enable an API key for a user there, and set it; where "
            f"users have another collection than {self._users!r}, name it in crm.collections"
        )

    def _learn(self, slug: str, documents: Sequence[dict[str, Any]]) -> None:
        if documents:
            self._numeric[slug] = isinstance(documents[0].get("id"), int)


def refusal(system: str, tenant: str, endpoint: str, response: httpx.Response) -> RemoteError:
    """Read a bad answer: paths of refused fields, never names or messages, which differ from build to build."""
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        body = None
    errors = body.get("errors") if isinstance(body, dict) else None
    errors = errors if isinstance(errors, list) else []
    status = response.status_code
    if status == 403:
        return CredentialsError(system, tenant, endpoint, "access is forbidden", status)
    if status == 404:
        cause, code = ("the document is not there", "NOT_FOUND") if errors else ("there is no such collection", None)
        return PermanentError(system, tenant, endpoint, cause, status, code)
    if status == 400:
        paths = tuple(sorted({path for error in errors for path in _paths(error)}))
        cause = " for ".join(filter(None, ["the request is refused", ", ".join(paths)]))
        return PermanentError(system, tenant, endpoint, cause, status, fields=paths)
    return bad_answer(system, tenant, endpoint, response)


def _paths(error: Any) -> Iterator[str]:
    data = error.get("data") if isinstance(error, dict) else None
    named = data.get("errors") if isinstance(data, dict) else data
    paths = [each.get("path") for each in named if isinstance(each, dict)] if isinstance(named, list) else []
    yield from fields_in(paths)
