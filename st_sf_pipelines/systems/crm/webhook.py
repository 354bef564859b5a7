"""Tells the CRM what happened, at its own webhook; that it could not be told is told, and fails nothing (CRM-11)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from st_sf_pipelines.errors import RemoteError
from st_sf_pipelines.ports import Told
from st_sf_pipelines.systems.http import Http, Pace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from st_sf_pipelines.config import Tenant
    from st_sf_pipelines.ports import Json

PATH: Final = "/api/webhooks/st-automation"
TIMEOUT_SECONDS: Final = 10.0
ATTEMPTS: Final = 2
EVENTS_PER_SECOND: Final = 50.0


class Webhook:
    """The webhook of one tenant's CRM."""

    def __init__(self, tenant: Tenant) -> None:
        """Take the tenant; without a `crm.webhook_secret` nothing is ever sent."""
        self._crm = tenant.crm
        self._http = Http("crm", tenant.name, Pace(EVENTS_PER_SECOND), TIMEOUT_SECONDS, ATTEMPTS)

    @property
    def calls(self) -> int:
        """How many calls were sent."""
        return self._http.calls

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def tell(self, events: Sequence[Json]) -> Told:
        """Post events ({event, entityType, entityId, data}), one a call, in order; the first failure ends it."""
        if self._crm is None or self._crm.webhook_secret is None:
            return Told(0, 0)
        url = f"{self._crm.api_url.removesuffix('/api')}{PATH}"
        headers = {"X-Webhook-Secret": self._crm.webhook_secret.get_secret_value()}
        for sent, event in enumerate(events):
            try:
                self._http.json(partial(self._http.request, "POST", url, headers=headers, json=event))
            except RemoteError as error:
                if error.status is None or not 200 <= error.status < 300:  # else it was taken, and said so in no JSON
                    return Told(sent, len(events) - sent, str(error))
        return Told(len(events), 0)
