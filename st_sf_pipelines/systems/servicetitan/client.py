"""The client of ServiceTitan's export feeds and lists for one tenant."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

import httpx

from st_sf_pipelines.errors import CredentialsError, TransientError
from st_sf_pipelines.ports import Listed, Page
from st_sf_pipelines.systems.http import ATTEMPTS, Http, Pace
from st_sf_pipelines.systems.servicetitan.auth import keeper_of
from st_sf_pipelines.systems.servicetitan.entities import ENTITY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from st_sf_pipelines.config import Tenant
    from st_sf_pipelines.ports import Json, Window

LARGEST_PAGE: Final = 5000
EVER: Final = "2000-01-01T00:00:00Z"
"""Before any record: for a list that must be given a bound."""


class ServiceTitanClient:
    """A Source (see ports): safe to be used by several threads, which share one token and one pace."""

    def __init__(
        self,
        tenant: Tenant,
        *,
        timeout: float = 60.0,
        attempts: int = ATTEMPTS,
        lease: Callable[[int, float], float] | None = None,
    ) -> None:
        """Take a tenant; nothing is sent yet. A probe takes a short timeout and one attempt.

        `lease` shares the tenant's rate with other processes (see `Pace`).
        """
        self._tenant = tenant
        self._config = tenant.servicetitan
        self._http = Http(
            "servicetitan", tenant.name, Pace(self._config.calls_per_second, lease), timeout=timeout, attempts=attempts
        )
        self._token = keeper_of(self._config)

    @property
    def calls(self) -> int:
        """How many calls were sent, tokens included."""
        return self._http.calls

    def calls_of(self, entity: str) -> int:
        """How many calls were sent for one entity's feed and list, retries included."""
        return sum(
            self._http.sent[f"GET {ENTITY[entity].path(self._tenant.id, listed=each)}"] for each in (False, True)
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def page(self, entity: str, token: str | None) -> Page:
        """Fetch what follows `token`: None is the beginning, an ISO date is what changed since. Raise RemoteError.

        `includeRecentChanges` makes a change visible at once, and repeats it for 15 minutes (reference, section 3).
        """
        path = ENTITY[entity].path(self._tenant.id)
        query = {"includeRecentChanges": "true", **({"from": token} if token else {})}
        answer, records = self._page(path, query)
        follows = answer.get("continueFrom")
        return Page(records, follows if isinstance(follows, str) and follows else None, answer.get("hasMore") is True)

    def listed(self, entity: str, page: int, window: Window | None = None, picks: Sequence[int] = ()) -> Listed:
        """Fetch a page of a list, inactive records with it: all, a window, or some by id. Raise RemoteError.

        A window is sorted by its own stamp, all else by id, where the list can be sorted. A list that cannot be asked
        for ids comes in the largest pages: of one page, nothing slides to another.
        """
        chosen = ENTITY[entity]
        order = {"modified": "ModifiedOn", "created": "CreatedOn"}[window.of] if window else "Id"
        query = {
            "page": str(page),
            "pageSize": str(self._config.list_page_size if chosen.picks and not picks else LARGEST_PAGE),
            "includeTotal": "true",
            **dict([chosen.inactive.split("=")] if chosen.inactive else []),
            **{"sort": {"sort": f"+{order}"}, "orderBy": {"orderBy": order, "orderByDirection": "asc"}}.get(
                chosen.order, {}
            ),
            **_bounds(window),
            **({chosen.picks[0]: ",".join(map(str, picks))} if chosen.picks and picks else {}),
        }
        if chosen.needs_a_bound and not picks and "modifiedOnOrAfter" not in query:
            query["modifiedOnOrAfter"] = EVER
        answer, records = self._page(chosen.path(self._tenant.id, listed=True), query)
        total = answer.get("totalCount")
        return Listed(records, answer.get("hasMore") is True, total if type(total) is int else None)

    def _page(self, path: str, query: dict[str, str]) -> tuple[Json, list[Json]]:
        answer = self._get(path, query)
        records = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(records, list):
            raise TransientError("servicetitan", self._tenant.name, f"GET {path}", "the answer holds no list of data")
        return answer, records

    def _get(self, path: str, query: dict[str, str]) -> Any:
        """Send a GET with a living token; a token that is refused is renewed once (EXT-2)."""
        used = ""

        def make(refused: str | None) -> httpx.Request:
            nonlocal used
            used = self._token.get(self._http, refused=refused)
            headers = {"Authorization": f"Bearer {used}", "ST-App-Key": self._config.app_key.get_secret_value()}
            return self._http.request("GET", f"{self._config.api_url}{path}", params=query, headers=headers)

        try:
            return self._http.json(lambda: make(None))
        except CredentialsError as error:
            if error.status != httpx.codes.UNAUTHORIZED or not used:  # without a token, the token server refused us
                raise
        refused = used
        return self._http.json(lambda: make(refused))


def _bounds(window: Window | None) -> dict[str, str]:
    """Write a window as the lists' parameters."""
    if window is None:
        return {}
    ends = {f"{window.of}OnOrAfter": window.since, f"{window.of}Before": window.until}
    return {name: f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}" for name, moment in ends.items() if moment}
