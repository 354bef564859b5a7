"""A Salesforce session is opened by the grant that is given, renewed once when it dies, and never asked for twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from st_sf_pipelines.errors import CredentialsError, TransientError
from st_sf_pipelines.systems.http import ATTEMPTS
from st_sf_pipelines.systems.salesforce.auth import SessionKeeper
from st_sf_pipelines.systems.salesforce.session import SalesforceSession
from st_sf_pipelines_tests.systems.conftest import tenant_of

if TYPE_CHECKING:
    from pathlib import Path

    from st_sf_pipelines.config import Salesforce
    from st_sf_pipelines.simulators.salesforce.simulator import SalesforceSimulator

GRANTS = {
    "refresh_token": ("refresh_token", "client_id"),
    "jwt": ("username", "private_key", "client_id"),
    "client_credentials": ("client_id", "client_secret"),
}


def config(sf: SalesforceSimulator, grant: str, **more: str) -> Salesforce:
    given = {name: sf.credentials[name] for name in GRANTS[grant]}
    section = tenant_of(sf=sf, salesforce={"access_token": None, **given, **more}).salesforce
    assert section is not None
    assert section.grant == grant
    return section


@pytest.mark.parametrize("grant", GRANTS)
def test_each_grant_opens_a_session_and_renews_it_once_when_it_dies(sf: SalesforceSimulator, grant: str) -> None:
    session = SalesforceSession("socal", config(sf, grant))
    assert session.call("GET", "limits")["DailyApiRequests"]["Max"] == 15_000
    sf.expire_session()
    assert session.call("GET", "limits")
    session.close()
    tokens = [call for call in sf.counters["calls"] if call["path"] == "/services/oauth2/token"]
    assert [call["count"] for call in tokens] == [2]


def test_a_private_key_may_lie_in_a_file(sf: SalesforceSimulator, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(sf.credentials["private_key"])
    session = SalesforceSession("socal", config(sf, "jwt", private_key=str(tmp_path / "key.pem")))
    assert session.call("GET", "limits")
    session.close()


@pytest.mark.parametrize(
    ("key", "says"), [("/no/such/key.pem", "cannot be read"), ("-----BEGIN NOTHING", "no RSA key")]
)
def test_a_key_that_is_none_is_told_without_being_shown(sf: SalesforceSimulator, key: str, says: str) -> None:
    keeper = SessionKeeper("socal", config(sf, "jwt", private_key=key))
    with pytest.raises(CredentialsError, match=says) as caught:
        keeper.get()
    keeper.close()
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    ("grant", "wrong"),
    [("refresh_token", "refresh_token"), ("client_credentials", "client_secret"), ("jwt", "username")],
)
def test_a_wrong_credential_is_refused_in_words_and_not_shown(sf: SalesforceSimulator, grant: str, wrong: str) -> None:
    keeper = SessionKeeper("socal", config(sf, grant, **{wrong: "wrong.value"}))
    with pytest.raises(CredentialsError, match=r"salesforce: socal: POST /services/oauth2/token: ") as caught:
        keeper.get()
    keeper.close()
    assert "wrong.value" not in str(caught.value)


def test_a_dead_token_without_a_grant_says_what_to_give(sf: SalesforceSimulator) -> None:
    section = tenant_of(sf=sf).salesforce
    assert section is not None
    session = SalesforceSession("socal", section)
    assert session.call("GET", "limits")
    sf.expire_session()
    with pytest.raises(CredentialsError, match=r"has expired .* give a refresh token or client id"):
        session.call("GET", "limits")
    session.close()
    assert session.calls == 2


def test_a_session_that_dies_again_at_once_is_an_error_and_no_loop(sf: SalesforceSimulator) -> None:
    session = SalesforceSession("socal", config(sf, "refresh_token"))
    sf.set_faults({"match": {"path": "/limits"}, "do": {"expire_session": True}})
    with pytest.raises(CredentialsError, match="the session is refused"):
        session.call("GET", "limits")
    session.close()
    assert session.calls == 2


def test_a_login_server_in_trouble_is_asked_in_one_series_of_attempts(
    sf: SalesforceSimulator, naps: list[float]
) -> None:
    session = SalesforceSession("socal", config(sf, "refresh_token"))
    sf.set_faults({"match": {"path": "/oauth2/token"}, "do": {"status": 503}})
    with pytest.raises(TransientError, match=r"POST /services/oauth2/token: the server is in trouble \(503\)"):
        session.call("GET", "limits")
    session.close()
    tokens = [call["count"] for call in sf.counters["calls"] if call["path"] == "/services/oauth2/token"]
    assert (sum(tokens), len(naps)) == (ATTEMPTS, ATTEMPTS - 1)
