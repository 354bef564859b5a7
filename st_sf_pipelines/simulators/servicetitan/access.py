"""Who may call: made-up credentials that are the same at each start, tokens that expire, and the rate limit."""

from __future__ import annotations

import base64
import hashlib
import time
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import orjson

from .answers import RefusalError
from .scopes import SCOPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.requests import Request

    from st_sf_pipelines.simulators.shop import Shop, Tenant

    from .clock import Clock


def _made_up(prefix: str, what: str, tenant_id: int, length: int) -> str:
    return prefix + hashlib.sha256(f"{what} of {tenant_id}".encode()).hexdigest()[:length]


def app_key() -> str:
    """Give the key of the one application that calls; it is the same for all tenants."""
    return _made_up("ak1.", "app key", 0, 32)


def client_of(tenant: Tenant) -> tuple[str, str]:
    """Give a tenant's client id and client secret."""
    return _made_up("cid.", "client", tenant.id, 24), _made_up("cs1.", "secret", tenant.id, 48)


class Grant(NamedTuple):
    """What a token is good for."""

    tenant_id: int
    expires: float
    scopes: tuple[str, ...]


class Tokens:
    """Gives tokens to known clients, and tells whose a token is."""

    def __init__(self, shop: Shop, clock: Clock, life_seconds: int) -> None:
        self._clients = {client_of(tenant): tenant.id for tenant in shop.tenants.values()}
        self._clock, self.life_seconds = clock, life_seconds
        self._grants: dict[str, Grant] = {}
        self._numbers = count(1)
        self._scopes: dict[int, tuple[str, ...]] = {}
        for tenant in shop.tenants.values():
            self.withhold(tenant.id, tenant.lacks)

    def grant(self, grant_type: str, client_id: str, client_secret: str) -> dict[str, object] | None:
        """Give the body of a token answer, or None for an unknown client."""
        tenant_id = self._clients.get((client_id, client_secret))
        if grant_type != "client_credentials" or tenant_id is None:
            return None
        now, scopes = self._clock.now().timestamp(), self._scopes[tenant_id]
        claims = {
            "nbf": int(now), "exp": int(now) + self.life_seconds, "iat": int(now), "iss": "https://auth.servicetitan.io",
            "client_id": client_id, "tenant": str(tenant_id), "jti": f"{next(self._numbers):016X}", "scope": scopes,
        }  # fmt: skip
        parts = (orjson.dumps({"alg": "RS256", "typ": "at+jwt"}), orjson.dumps(claims))
        signed = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
        token = f"{signed}.{hashlib.sha256(signed.encode()).hexdigest()}"
        self._grants[token] = Grant(tenant_id, now + self.life_seconds, scopes)
        return {
            "access_token": token,
            "expires_in": self.life_seconds,
            "token_type": "Bearer",
            "scope": " ".join(scopes),
        }

    def expire_all(self) -> None:
        """Let every token that was given out end now."""
        self._grants.clear()

    def withhold(self, tenant_id: int, scopes: Iterable[str]) -> None:
        """Give a tenant no tokens with these scopes from now on; raise ValueError for an unknown one."""
        lacks = tuple(scopes)
        if unknown := sorted(set(lacks) - set(SCOPES)):
            raise ValueError(f"unknown scopes {unknown}; known: {', '.join(SCOPES)}")
        self._scopes[tenant_id] = tuple(scope for scope in SCOPES if scope not in lacks)

    def check(self, request: Request, tenant_id: str, scope: str | None) -> int:
        """Give the id of the tenant that a call may read, or refuse the call."""
        # The official sample shows the bare token, clients also send Bearer; both work.
        token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        grant = self._grants.get(token)
        if grant is None or grant.expires <= self._clock.now().timestamp():
            raise RefusalError(401, "Unauthorized: the access token is missing, unknown or expired.")
        key = request.headers.get("st-app-key") or request.query_params.get("servicetitanapplicationkey")
        if key != app_key():
            raise RefusalError(401, "Unauthorized: the application key is missing or unknown.")
        if tenant_id != str(grant.tenant_id):
            raise RefusalError(403, "Forbidden: the token is not for this tenant.")
        if scope is not None and scope not in grant.scopes:
            raise RefusalError(403, f"Forbidden: the token lacks the scope {scope}.")
        return grant.tenant_id


class RateLimit:
    """A bucket of calls for each tenant of the application, filled at a steady rate."""

    def __init__(self, calls_a_second: float | None, timer: Callable[[], float] = time.monotonic) -> None:
        self.calls_a_second, self._timer = calls_a_second, timer
        self._buckets: dict[int, tuple[float, float]] = {}

    def take(self, tenant_id: int) -> None:
        """Take one call from the tenant's bucket, or refuse."""
        if self.calls_a_second is None:
            return
        now = self._timer()
        left, since = self._buckets.get(tenant_id, (self.calls_a_second, now))
        left = min(self.calls_a_second, left + (now - since) * self.calls_a_second)
        if left < 1:
            self._buckets[tenant_id] = (left, now)
            raise RefusalError(429, "Rate limit is exceeded. Try again in 1 seconds.", Retry_After="1")
        self._buckets[tenant_id] = (left - 1, now)
