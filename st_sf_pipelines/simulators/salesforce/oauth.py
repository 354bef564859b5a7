"""How a client gets its token: refresh, client credentials, a signed JWT, or a code with PKCE; and how it loses it."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from starlette.requests import Request

from st_sf_pipelines.simulators.salesforce.about import whoami
from st_sf_pipelines.simulators.salesforce.credentials import (
    CLIENT_ID,
    CLIENT_SECRET,
    ORG_ID,
    USERNAME,
    private_key,
)
from st_sf_pipelines.simulators.salesforce.exchange import Answer
from st_sf_pipelines.simulators.salesforce.org import INTEGRATION_USER, Org
from st_sf_pipelines.simulators.salesforce.refusals import invalid_session, not_found

LOGIN_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")
LONGEST_ASSERTION_SECONDS = 300
SCOPE = "api refresh_token id"


class OAuthRefusal(Exception):  # noqa: N818 - an answer, not a fault
    """A grant that is not given, in the words of the token endpoint."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.answer = Answer(status, {"error": error, "error_description": description})


def serve_oauth(org: Org, url: str, request: Request, form: dict[str, str]) -> Answer:
    """Answer one request to an address that is not part of the REST API: tokens, and who is behind them."""
    authorization = request.headers.get("authorization", "")
    path = request.url.path
    if path == "/services/oauth2/userinfo" or path.startswith(f"/id/{ORG_ID}"):
        if org.sessions.bearer(authorization) is None:
            return Answer(401, invalid_session().as_body())
        return Answer(body=whoami(url, ORG_ID, USERNAME))
    match request.method, path:
        case "POST", "/services/oauth2/token":
            return token(org, url, form, authorization)
        case "POST", "/services/oauth2/revoke":
            return revoke(org, form)
        case "GET", "/services/oauth2/authorize":
            return authorize(org, dict(request.query_params))
    return Answer(404, not_found().as_body())


def token(org: Org, url: str, form: dict[str, str], authorization: str) -> Answer:
    """POST `/services/oauth2/token`."""
    grant = _GRANTS.get(form.get("grant_type", ""))
    if grant is None:
        return OAuthRefusal("unsupported_grant_type", "grant type not supported").answer
    try:
        return grant(org, url, _with_basic(form, authorization))
    except OAuthRefusal as refusal:
        return refusal.answer


def revoke(org: Org, form: dict[str, str]) -> Answer:
    """POST `/services/oauth2/revoke`."""
    if org.sessions.revoke(form.get("token", "")):
        return Answer(200)
    return OAuthRefusal("invalid_token", "invalid token: the token is not known").answer


def authorize(org: Org, query: dict[str, str]) -> Answer:
    """GET `/services/oauth2/authorize`: the user of the stand-in agrees at once, and goes back with a code."""
    redirect = query.get("redirect_uri", "")
    if query.get("client_id") != CLIENT_ID:
        return OAuthRefusal("invalid_client_id", "client identifier invalid").answer
    if query.get("response_type") != "code" or not redirect:
        return OAuthRefusal("invalid_request", "a code and a redirect_uri are needed").answer
    code = f"aPrx{secrets.token_urlsafe(24)}"
    org.sessions.codes[code] = query
    joint = "&" if "?" in redirect else "?"
    state = f"&state={query['state']}" if "state" in query else ""
    return Answer(302, headers={"Location": f"{redirect}{joint}code={code}{state}"})


def _refresh(org: Org, url: str, form: dict[str, str]) -> Answer:
    _check_client(form, secret_needed=False)
    used = form.get("refresh_token", "")
    if used not in org.sessions.refresh:
        raise OAuthRefusal("invalid_grant", "expired access/refresh token")
    rotated = org.sessions.rotate(used)
    return _granted(org, url, {"refresh_token": rotated} if rotated else {})


def _client_credentials(org: Org, url: str, form: dict[str, str]) -> Answer:
    _check_client(form, secret_needed=True)
    return _granted(org, url, {})


def _jwt_bearer(org: Org, url: str, form: dict[str, str]) -> Answer:
    public_key = load_pem_private_key(private_key().encode(), None).public_key()
    audience = (url, f"{url}/services/oauth2/token", *LOGIN_HOSTS)
    try:
        claims = jwt.decode(form.get("assertion", ""), public_key, ["RS256"], audience=audience)  # type: ignore[arg-type]
    except jwt.InvalidAudienceError:
        raise OAuthRefusal("invalid_grant", "audience is invalid") from None
    except jwt.ExpiredSignatureError:
        raise OAuthRefusal("invalid_grant", "assertion is expired") from None
    except jwt.InvalidTokenError:
        raise OAuthRefusal("invalid_grant", "invalid assertion") from None
    if claims.get("iss") != CLIENT_ID:
        raise OAuthRefusal("invalid_client_id", "client identifier invalid")
    if claims.get("sub") != USERNAME:
        raise OAuthRefusal("invalid_grant", "user hasn't approved this consumer")
    if not isinstance(claims.get("exp"), int | float) or claims["exp"] > time.time() + LONGEST_ASSERTION_SECONDS:
        raise OAuthRefusal("invalid_grant", "assertion expires too late")
    return _granted(org, url, {})


def _authorization_code(org: Org, url: str, form: dict[str, str]) -> Answer:
    _check_client(form, secret_needed=False)
    asked = org.sessions.codes.pop(form.get("code", ""), None)
    if asked is None:
        raise OAuthRefusal("invalid_grant", "invalid authorization code")
    if asked["redirect_uri"] != form.get("redirect_uri"):
        raise OAuthRefusal("redirect_uri_mismatch", "redirect_uri must match configuration")
    challenge = asked.get("code_challenge")
    if challenge:
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if not hmac.compare_digest(proof, challenge.rstrip("=")):
            raise OAuthRefusal("invalid_grant", "invalid code verifier")
    return _granted(org, url, {"refresh_token": org.sessions.grant_refresh()})


def _granted(org: Org, url: str, more: dict[str, Any]) -> Answer:
    identity = f"{url}/id/{ORG_ID}/{INTEGRATION_USER}"
    issued_at = str(int(time.time() * 1000))
    digest = hmac.new(CLIENT_SECRET.encode(), f"{identity}{issued_at}".encode(), hashlib.sha256).digest()
    body = {
        "access_token": org.sessions.open(),
        "signature": base64.b64encode(digest).decode(),
        "scope": SCOPE,
        "instance_url": url,
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued_at,
    }
    return Answer(body=body | more)


def _check_client(form: dict[str, str], *, secret_needed: bool) -> None:
    if form.get("client_id") != CLIENT_ID:
        raise OAuthRefusal("invalid_client_id", "client identifier invalid")
    secret = form.get("client_secret")
    if (secret is None and secret_needed) or (secret is not None and secret != CLIENT_SECRET):
        raise OAuthRefusal("invalid_client", "invalid client credentials")


def _with_basic(form: dict[str, str], authorization: str) -> dict[str, str]:
    """Return the form with the client's credentials out of its Authorization header, where they stand there."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return form
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        raise OAuthRefusal("invalid_client", "invalid client credentials") from None
    return form | {"client_id": client_id, "client_secret": secret}


_GRANTS: dict[str, Callable[[Org, str, dict[str, str]], Answer]] = {
    "refresh_token": _refresh,
    "client_credentials": _client_credentials,
    "urn:ietf:params:oauth:grant-type:jwt-bearer": _jwt_bearer,
    "authorization_code": _authorization_code,
}
