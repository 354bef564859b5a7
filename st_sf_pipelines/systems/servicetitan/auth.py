"""ServiceTitan's access token: one in a process for all clients of a tenant, renewed before it expires (EXT-2)."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from st_sf_pipelines.errors import RemoteError, TransientError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from st_sf_pipelines.config import ServiceTitan
    from st_sf_pipelines.systems.http import Http

EARLY_SECONDS: Final = 60.0


class TokenKeeper:
    """Keeps one tenant's token; `get` never has two refreshes under way."""

    def __init__(self, config: ServiceTitan) -> None:
        """Take the credentials; the first token is fetched when it is needed."""
        self._config = config
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0
        self._failures = 0
        self._failure: RemoteError | None = None

    def get(self, http: Http, *, refused: str | None = None) -> str:
        """Give a token that lives, fetched by `http`; a `refused` one (a 401) is renewed unless it was meanwhile.

        Raise CredentialsError if the client id or secret is wrong, TransientError if the token server is down. Who
        waited for a fetch that failed is told the same: a server that is silent is asked for all of them once.
        """
        failures = self._failures
        with self._lock:
            if self._token and time.monotonic() < self._renew_at and self._token != refused:
                return self._token
            if self._failure and self._failures != failures:
                raise replace(self._failure, tenant=http.tenant)  # each thread its own: raising writes a traceback
            try:
                self._fetch(http)
            except RemoteError as error:
                self._failures, self._failure = self._failures + 1, error
                raise
            return self._token

    def _fetch(self, http: Http) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._config.client_id,
            "client_secret": self._config.client_secret.get_secret_value(),
        }
        answer = http.json(lambda: http.request("POST", self._config.auth_url, data=form))
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise TransientError("servicetitan", http.tenant, "POST token", "the answer holds no access_token")
        lives = answer.get("expires_in")
        seconds = float(lives) if isinstance(lives, int | float) else 900.0
        self._token = token
        self._renew_at = time.monotonic() + max(seconds - EARLY_SECONDS, seconds / 2)


_KEEPERS: Final[dict[tuple[str, str, SecretStr], TokenKeeper]] = {}


def keeper_of(config: ServiceTitan) -> TokenKeeper:
    """Give the one keeper of these credentials in this process: each look and each round has a client of its own."""
    return _KEEPERS.setdefault((config.auth_url, config.client_id, config.client_secret), TokenKeeper(config))
