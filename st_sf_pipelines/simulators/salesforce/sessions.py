"""Who is let in: access tokens that live until they are killed, refresh tokens that may be rotated."""

import secrets
from dataclasses import dataclass, field

from st_sf_pipelines.simulators.salesforce.credentials import ACCESS_TOKEN, ORG_ID, REFRESH_TOKEN


@dataclass
class Sessions:
    """The tokens in force, with the user that each stands for."""

    user_id: str
    rotates: bool = False
    access: set[str] = field(default_factory=lambda: {ACCESS_TOKEN})
    refresh: set[str] = field(default_factory=lambda: {REFRESH_TOKEN})
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    opened: int = 0

    def open(self) -> str:
        """Return a new access token."""
        self.opened += 1
        token = f"{ORG_ID[:15]}!AQ{secrets.token_urlsafe(24)}"
        self.access.add(token)
        return token

    def grant_refresh(self) -> str:
        """Return a new refresh token."""
        token = f"5Aep8{secrets.token_urlsafe(24)}"
        self.refresh.add(token)
        return token

    def rotate(self, used: str) -> str | None:
        """Return the refresh token that takes the place of the one just used, where the org rotates them."""
        if not self.rotates:
            return None
        self.refresh.discard(used)
        return self.grant_refresh()

    def bearer(self, authorization: str) -> str | None:
        """Return the live access token of an Authorization header, or nothing."""
        scheme, _, token = authorization.partition(" ")
        known = scheme.lower() in ("bearer", "oauth") and token in self.access
        return token if known else None

    def expire(self, token: str | None = None) -> int:
        """Kill one access token, or all, and tell how many died."""
        doomed = self.access & {token} if token else set(self.access)
        self.access -= doomed
        return len(doomed)

    def revoke(self, token: str) -> bool:
        """Kill a token of either kind, as a disconnect does; a refresh token takes all sessions with it."""
        if token in self.refresh:
            self.refresh.discard(token)
            self.access.clear()
            return True
        return self.expire(token) > 0
