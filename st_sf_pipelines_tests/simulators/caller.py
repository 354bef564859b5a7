"""A client of the ServiceTitan stand-in, as plain as can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import httpx

from st_sf_pipelines.simulators.servicetitan.entities import ENTITIES

if TYPE_CHECKING:
    from st_sf_pipelines.simulators.servicetitan import ServiceTitanSimulator


class Caller:
    """A client of one tenant, with a token; closed at the end of a with statement."""

    def __init__(self, simulator: ServiceTitanSimulator, tenant: int = 0) -> None:
        self.who = simulator.credentials["tenants"][tenant]
        self.http = httpx.Client(base_url=simulator.url)
        self.login()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.http.close()

    def login(self) -> None:
        """Fetch a token, and send it from now on."""
        form = {"grant_type": "client_credentials", **{name: self.who[name] for name in ("client_id", "client_secret")}}
        token = self.http.post("/connect/token", data=form).json()["access_token"]
        self.http.headers = httpx.Headers({"Authorization": f"Bearer {token}", "ST-App-Key": self.who["app_key"]})

    def get(self, entity: str, kind: str = "feed", **query: Any) -> httpx.Response:
        """Call a feed or a list."""
        [row] = [row for row in ENTITIES if row.name == entity]
        rest = row.feed if kind == "feed" else row.listed
        assert rest
        query = {"from" if name == "from_" else name: value for name, value in query.items()}
        return self.http.get(f"/{row.module}/v2/tenant/{self.who['id']}/{rest}", params=query)

    def page(self, entity: str, kind: str = "feed", **query: Any) -> dict[str, Any]:
        """Call a feed or a list that answers."""
        answer = self.get(entity, kind, **query)
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page

    def read(self, entity: str, token: str = "", **query: Any) -> tuple[list[dict[str, Any]], str]:
        """Read a feed while it has more, as a good reader does."""
        records = []
        while True:
            page = self.page(entity, from_=token, **query)
            records += page["data"]
            token = page["continueFrom"]
            if not page["hasMore"]:
                return records, token
