"""Salesforce's access token, by the grant that the site file gives (AUTH-1); one refresh at a time for one tenant."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jwt

from st_sf_pipelines.errors import CredentialsError
from st_sf_pipelines.systems.http import Http, Pace

if TYPE_CHECKING:
    from pydantic import SecretStr

    from st_sf_pipelines.config import Salesforce

_JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True)
class Session:
    """A token, and the instance that it opens."""

    token: str
    instance_url: str


class SessionKeeper:
    """Keeps one tenant's session; there is no expiry date in the answer, so it is renewed when a call is refused."""

    def __init__(self, tenant: str, config: Salesforce) -> None:
        """Take the grant; nothing is sent yet."""
        self._config = config
        self._http = Http("salesforce", tenant, Pace(10))
        self._tenant = tenant
        self._lock = threading.Lock()
        self._session: Session | None = None
        if config.grant == "access_token" and config.access_token and config.instance_url:
            self._session = Session(config.access_token.get_secret_value(), config.instance_url)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, *, refused: Session | None = None) -> Session:
        """Give a session; name the one that was `refused` to have it renewed. Raise CredentialsError if it cannot."""
        with self._lock:
            if self._session is None or self._session == refused:
                self._session = self._renewed()
            return self._session

    def _renewed(self) -> Session:
        config, url = self._config, f"{self._config.login_url}/services/oauth2/token"
        if config.grant == "access_token":
            cause = "the access token has expired and there is no grant to renew it: give a refresh token or client id"
            raise CredentialsError("salesforce", self._tenant, "session", cause)
        if config.grant == "client_credentials" and config.instance_url:
            url = f"{config.instance_url}/services/oauth2/token"  # this grant is only served by the org's own domain
        answer = self._http.json(lambda: self._http.request("POST", url, data=self._form()))
        token, instance = answer.get("access_token"), config.instance_url or answer.get("instance_url")
        if not isinstance(token, str) or not isinstance(instance, str):
            raise CredentialsError("salesforce", self._tenant, "token", "the answer holds no token or instance")
        return Session(token, instance.rstrip("/"))

    def _form(self) -> dict[str, Any]:
        config = self._config
        client = {"client_id": config.client_id, "client_secret": _open(config.client_secret)}
        match config.grant:
            case "refresh_token":
                form = {"grant_type": "refresh_token", "refresh_token": _open(config.refresh_token), **client}
            case "jwt":
                form = {"grant_type": _JWT_GRANT, "assertion": self._assertion()}
            case _:
                form = {"grant_type": "client_credentials", **client}
        return {name: value for name, value in form.items() if value}

    def _assertion(self) -> str:
        config = self._config
        key = _open(config.private_key) or ""
        if "-----BEGIN" not in key:
            try:
                key = Path(key).expanduser().read_text()
            except OSError as error:
                cause = f"the private key's file cannot be read ({error.strerror})"
                raise CredentialsError("salesforce", self._tenant, "token", cause) from None
        claims = {
            "iss": config.client_id,
            "sub": config.username,
            "aud": config.login_url,
            "exp": int(time.time()) + 170,
        }
        try:
            return jwt.encode(claims, key, algorithm="RS256")
        except (ValueError, jwt.PyJWTError):
            cause = "the private key is no RSA key in PEM form"
            raise CredentialsError("salesforce", self._tenant, "token", cause) from None


def _open(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
