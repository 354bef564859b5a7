"""Every grant opens a session that the REST API takes, and what is wrong is said as the reference says it."""

import base64
import hashlib
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from st_sf_pipelines.simulators.salesforce import SalesforceSimulator
from st_sf_pipelines_tests.simulators.salesforce.client import ROOT, Api, code

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def token(sf: SalesforceSimulator, **form: str) -> httpx.Response:
    return httpx.post(f"{sf.url}/services/oauth2/token", data=form)


def works(answer: httpx.Response) -> bool:
    assert answer.status_code == 200, answer.text
    grant = answer.json()
    assert "expires_in" not in grant
    assert grant["token_type"] == "Bearer"
    assert grant["issued_at"].isdigit()
    headers = {"Authorization": f"Bearer {grant['access_token']}"}
    return httpx.get(f"{grant['instance_url']}{ROOT}/limits", headers=headers).status_code == 200


def client_of(sf: SalesforceSimulator) -> dict[str, str]:
    return {name: sf.credentials[name] for name in ("client_id", "client_secret")}


def assertion(sf: SalesforceSimulator, key: Any = None, **changes: Any) -> str:
    claims = {
        "iss": sf.credentials["client_id"],
        "sub": sf.credentials["username"],
        "aud": sf.credentials["login_url"],
        "exp": int(time.time()) + 120,
    }
    return jwt.encode(claims | changes, key or sf.credentials["private_key"], algorithm="RS256")


def test_a_refresh_token_opens_a_session_and_stays_good(sf: SalesforceSimulator) -> None:
    for _ in range(2):
        refreshed = token(
            sf,
            grant_type="refresh_token",
            refresh_token=sf.credentials["refresh_token"],
            client_id=sf.credentials["client_id"],
        )
        assert works(refreshed)
        assert "refresh_token" not in refreshed.json()


def test_an_unknown_refresh_token_is_an_invalid_grant(sf: SalesforceSimulator) -> None:
    refused = token(sf, grant_type="refresh_token", refresh_token="gone", **client_of(sf))
    assert refused.status_code == 400
    assert refused.json() == {"error": "invalid_grant", "error_description": "expired access/refresh token"}


def test_a_rotated_refresh_token_dies_with_its_use() -> None:
    with SalesforceSimulator(rotate_refresh_tokens=True) as sf:
        old = sf.credentials["refresh_token"]
        first = token(sf, grant_type="refresh_token", refresh_token=old, **client_of(sf))
        assert works(first)
        again = token(sf, grant_type="refresh_token", refresh_token=old, **client_of(sf))
        assert again.json()["error"] == "invalid_grant"
        new = first.json()["refresh_token"]
        assert works(token(sf, grant_type="refresh_token", refresh_token=new, **client_of(sf)))


def test_client_credentials_stand_in_the_body_or_in_the_header(sf: SalesforceSimulator) -> None:
    assert works(token(sf, grant_type="client_credentials", **client_of(sf)))
    basic = httpx.BasicAuth(sf.credentials["client_id"], sf.credentials["client_secret"])
    form = {"grant_type": "client_credentials"}
    assert works(httpx.post(f"{sf.url}/services/oauth2/token", data=form, auth=basic))


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_id": "nobody"}, "invalid_client_id"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_client_that_is_not_known_gets_nothing(sf: SalesforceSimulator, form: dict[str, str], error: str) -> None:
    refused = token(sf, **{"grant_type": "client_credentials", **client_of(sf), **form})
    assert refused.status_code == 400
    assert refused.json()["error"] == error


def test_a_jwt_signed_with_the_printed_key_opens_a_session(sf: SalesforceSimulator) -> None:
    assert works(token(sf, grant_type=JWT_BEARER, assertion=assertion(sf)))
    for audience in ("https://login.salesforce.com", "https://test.salesforce.com"):
        assert works(token(sf, grant_type=JWT_BEARER, assertion=assertion(sf, aud=audience)))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"sub": "somebody@else.example"}, "user hasn't approved this consumer"),
        ({"iss": "nobody"}, "client identifier invalid"),
        ({"aud": "https://elsewhere.example"}, "audience is invalid"),
        ({"exp": 1}, "assertion is expired"),
        ({"exp": 99_999_999_999}, "assertion expires too late"),
    ],
)
def test_a_jwt_that_says_something_else_does_not(sf: SalesforceSimulator, changes: dict[str, Any], error: str) -> None:
    refused = token(sf, grant_type=JWT_BEARER, assertion=assertion(sf, **changes))
    assert refused.status_code == 400
    assert refused.json()["error_description"] == error


def test_a_jwt_signed_with_another_key_does_not(sf: SalesforceSimulator) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    refused = token(sf, grant_type=JWT_BEARER, assertion=assertion(sf, other))
    assert refused.json() == {"error": "invalid_grant", "error_description": "invalid assertion"}


def test_the_code_of_the_web_server_flow_is_good_once_and_only_with_its_verifier(sf: SalesforceSimulator) -> None:
    verifier = "v" * 64
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    back = "http://127.0.0.1:9/callback"
    ask = {
        "response_type": "code",
        "client_id": sf.credentials["client_id"],
        "redirect_uri": back,
        "state": "s 1",
        "code_challenge": challenge,
    }

    def fresh_code() -> str:
        sent = httpx.get(f"{sf.url}/services/oauth2/authorize", params=ask)
        assert sent.status_code == 302
        answer = parse_qs(urlsplit(sent.headers["location"]).query)
        assert answer["state"] == ["s 1"]
        return answer["code"][0]

    form = {"grant_type": "authorization_code", "redirect_uri": back, **client_of(sf)}
    wrong = token(sf, **form, code=fresh_code(), code_verifier="w" * 64)
    assert wrong.json()["error_description"] == "invalid code verifier"
    good = fresh_code()
    granted = token(sf, **form, code=good, code_verifier=verifier)
    assert works(granted)
    renewed = granted.json()["refresh_token"]
    assert works(token(sf, grant_type="refresh_token", refresh_token=renewed, **client_of(sf)))
    assert token(sf, **form, code=good, code_verifier=verifier).json()["error"] == "invalid_grant"


def test_an_expired_session_is_told_so(sf: SalesforceSimulator, api: Api) -> None:
    sf.expire_session(sf.credentials["access_token"])
    refused = api.get("/limits")
    assert (refused.status_code, code(refused)) == (401, "INVALID_SESSION_ID")
    assert api.client.get("/services/oauth2/userinfo").status_code == 401


def test_a_revoked_refresh_token_ends_the_connection(sf: SalesforceSimulator, api: Api) -> None:
    revoked = {"token": sf.credentials["refresh_token"]}
    assert httpx.post(f"{sf.url}/services/oauth2/revoke", data=revoked).status_code == 200
    assert api.get("/limits").status_code == 401
    refresh = token(sf, grant_type="refresh_token", refresh_token=sf.credentials["refresh_token"], **client_of(sf))
    assert refresh.json()["error"] == "invalid_grant"
    assert httpx.post(f"{sf.url}/services/oauth2/revoke", data=revoked).status_code == 400


def test_the_user_behind_a_token_is_told(sf: SalesforceSimulator, api: Api) -> None:
    user = api.client.get("/services/oauth2/userinfo").json()
    assert user["preferred_username"] == sf.credentials["username"]
    identity = api.client.get(urlsplit(user["sub"]).path, params={"format": "json"}).json()
    assert identity["user_id"] == user["user_id"]
    assert identity["organization_id"].startswith("00D")
