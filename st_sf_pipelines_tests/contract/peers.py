"""A CRM under test, be it the stand-in or a real Payload: its address, its ways in, and how a person would use it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from st_sf_pipelines.config import Crm, ServiceTitan, Tenant
from st_sf_pipelines.simulators.crm import CrmSimulator
from st_sf_pipelines.simulators.crm.payload import running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PEERS = ("stand-in number", "stand-in text", "payload number", "payload text")


@dataclass(frozen=True)
class Peer:
    """One CRM; `api` is a plain client of its REST API, with the user's key."""

    credentials: Mapping[str, Any]
    api: httpx.Client
    has_numbers: bool

    @classmethod
    @contextmanager
    def opened(cls, kind: str) -> Iterator[Peer]:
        """Start one of PEERS."""
        what, ids = kind.split()
        text_ids = ids == "text"
        if what == "payload":
            with running(text_ids=text_ids) as credentials, cls._client(credentials) as api:
                yield cls(credentials, api, not text_ids)
        else:
            with CrmSimulator(text_ids=text_ids) as simulator, cls._client(simulator.credentials) as api:
                yield cls(simulator.credentials, api, not text_ids)

    @staticmethod
    def _client(credentials: Mapping[str, Any]) -> httpx.Client:
        key = {"Authorization": f"users API-Key {credentials['api_key']}"}
        return httpx.Client(base_url=f"{credentials['url']}/api", headers=key, timeout=30)

    def reset(self) -> None:
        """Forget all documents and events."""
        httpx.post(f"{self.credentials['url']}/_sim/reset").raise_for_status()

    @property
    def events(self) -> list[Any]:
        """What the webhook received."""
        events: list[Any] = httpx.get(f"{self.credentials['url']}/_sim/events").json()
        return events

    def tenant(self, **crm: Any) -> Tenant:
        """Give a tenant of this CRM; `crm` is laid over its section."""
        access = ServiceTitan.model_validate({"client_id": "c", "client_secret": "s", "app_key": "k"})
        section = {"api_url": self.credentials["api_url"], "api_key": self.credentials["api_key"], **crm}
        return Tenant(name="socal", id=4101, servicetitan=access, crm=Crm.model_validate(section))

    def make(self, slug: str, /, **fields: Any) -> Any:
        """Make a document as a person would; give its id."""
        answer = self.api.post(f"/{slug}", params={"depth": "0"}, json=fields)
        assert answer.status_code == 201, answer.text
        return answer.json()["doc"]["id"]

    def change(self, slug: str, document_id: Any, /, **fields: Any) -> None:
        """Change a document as a person would."""
        answer = self.api.patch(f"/{slug}/{document_id}", params={"depth": "0"}, json=fields)
        assert answer.status_code == 200, answer.text

    def delete(self, slug: str, document_id: Any) -> None:
        """Delete a document as a person would."""
        answer = self.api.delete(f"/{slug}/{document_id}")
        assert answer.status_code == 200, answer.text

    def all(self, slug: str) -> list[dict[str, Any]]:
        """Give all documents of a collection, the oldest first."""
        answer = self.api.get(f"/{slug}", params={"depth": "0", "limit": "0", "sort": "createdAt"})
        documents: list[dict[str, Any]] = answer.json()["docs"]
        return documents
