"""The session below simple-salesforce: time limits, retries, one renewal of the token, and errors of ours."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError
from tenacity import Retrying, retry_if_exception

from st_sf_pipelines.errors import BudgetSpent, CredentialsError, PermanentError, TransientError
from st_sf_pipelines.systems.http import ATTEMPTS, Backoff, Patience, may_pass
from st_sf_pipelines.systems.salesforce.auth import SessionKeeper
from st_sf_pipelines.systems.salesforce.refusals import refusal
from st_sf_pipelines.systems.salesforce.soap import enveloped, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from xml.etree import ElementTree as ET

    from st_sf_pipelines.config import Salesforce as Config
    from st_sf_pipelines.systems.salesforce.auth import Session

HEADERS: Final = {"Sforce-Auto-Assign": "FALSE"}  # assignment rules of Leads and Accounts fire by default
_CONNECT, _READ = 10.0, 130.0


class _PlainHTTP(HTTPAdapter):
    """simple-salesforce writes https:// whatever it was given; a stand-in on this machine speaks plain http."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        request.url = (request.url or "").replace("https://", "http://", 1)
        return super().send(request, *args, **options)


class _Timed(requests.Session):
    """A session in which no call waits for ever."""

    def request(self, *args: Any, **options: Any) -> requests.Response:
        options.setdefault("timeout", (_CONNECT, _READ))
        return super().request(*args, **options)


class SalesforceSession:
    """Sends calls to one org, again where that does no harm: nearly every write we send may be repeated."""

    def __init__(self, tenant: str, config: Config, attempts: int = ATTEMPTS) -> None:
        """Take a tenant's name and access; nothing is sent yet."""
        self._tenant = tenant
        self._config = config
        self._attempts = attempts
        self._keeper = SessionKeeper(tenant, config)
        self._http = _Timed()
        logging.getLogger("urllib3").setLevel(logging.INFO)  # at DEBUG it writes whole queries, e-mails among them
        self._client: tuple[Session, Salesforce] | None = None
        self.calls = 0
        self.usage: tuple[int, int] | None = None

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        self._keeper.close()

    def call(
        self, method: str, path: str, body: Any = None, params: dict[str, str] | None = None, *, once: bool = False
    ) -> Any:
        """Call `path` below /services/data/vNN.0/; give the answer's JSON. Raise RemoteError.

        `once`: done twice it would do harm, so that after a lost answer the caller looks what became of it.
        """
        send = self._once if once else self._retried
        return send(
            f"{method} {path}",
            lambda client: client.restful(path, params=params, method=method, json=body, headers=HEADERS),
        )

    def query(self, soql: str, *, deleted: bool = False) -> Any:
        """Send a query, on `deleted` of those in the recycle bin too; give its first page."""
        return self._retried("GET query", lambda client: client.query(soql, include_deleted=deleted))

    def soap(self, body: str) -> ET.Element:
        """Call the SOAP API with the content of an envelope's body; give the answer's envelope. Raise RemoteError."""
        endpoint = "POST soap"
        answer: ET.Element = self._retried(endpoint, lambda client: self._posted(endpoint, client, body))
        return answer

    def _posted(self, endpoint: str, client: Salesforce, body: str) -> ET.Element:
        url = f"https://{client.sf_instance}/services/Soap/u/{self._config.api_version}"
        headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}
        response = self._http.post(url, data=enveloped(client.session_id, body).encode(), headers=headers)
        return opened(self._tenant, endpoint, response.status_code, response.content)

    def records(self, soql: str, *, deleted: bool = False) -> Iterator[dict[str, Any]]:
        """Give all records of a query, page by page."""
        page = self.query(soql, deleted=deleted)
        yield from records_of(page, self._tenant)
        while not page.get("done", True):
            page = self.query_more(page["nextRecordsUrl"])
            yield from records_of(page, self._tenant)

    def queries(self, soqls: Sequence[str]) -> list[Any]:
        """Send up to five queries in one call; give their first pages. One that does not go so is sent alone."""
        base = f"/services/data/v{self._config.api_version}/query"
        parts = [
            {"method": "GET", "url": f"{base}?q={quote(soql, safe='')}", "referenceId": f"part{n}"}
            for n, soql in enumerate(soqls)
        ]
        try:
            answer = self.call("POST", "composite", {"allOrNone": False, "compositeRequest": parts})
            pages = [part["body"] for part in answer["compositeResponse"]]
        except (PermanentError, KeyError, TypeError):
            pages = []
        is_whole = len(pages) == len(soqls) and all(isinstance(page, dict) and "records" in page for page in pages)
        return pages if is_whole else [self.query(soql) for soql in soqls]

    def query_more(self, url: str) -> Any:
        """Follow a page's nextRecordsUrl."""
        return self._retried("GET query", lambda client: client.query_more(url, identifier_is_url=True))

    def shown(self, remote: str) -> set[str]:
        """Give the fields of an object, and the names by which its parents are referred to, as the org shows them."""
        fields = self.call("GET", f"sobjects/{remote}/describe")["fields"]
        return {field["name"] for field in fields} | {
            f["relationshipName"] for f in fields if f.get("relationshipName")
        }

    def _retried(self, endpoint: str, send: Callable[[Salesforce], Any]) -> Any:
        retrying = Retrying(
            retry=retry_if_exception(may_pass), stop=Patience(self._attempts), wait=Backoff(), reraise=True
        )
        return retrying(self._once, endpoint, send)

    def _once(self, endpoint: str, send: Callable[[Salesforce], Any]) -> Any:
        if self.usage and self.usage[1] - self.usage[0] <= self._config.reserve * self.usage[1]:
            used, allowed = self.usage
            raise BudgetSpent(
                f"salesforce: {self._tenant}: {used} of the org's {allowed} API calls of the day are used; the reserve "
                f"of {self._config.reserve:.0%} stays untouched, and what waits is sent when there are calls again"
            )
        session = self._keeper.get()
        try:
            return self._sent(endpoint, send, session)
        except CredentialsError as error:
            if error.code != "INVALID_SESSION_ID":
                raise
        return self._sent(endpoint, send, self._keeper.get(refused=session))

    def _sent(self, endpoint: str, send: Callable[[Salesforce], Any], session: Session) -> Any:
        client = self._connected(session)
        self.calls += 1
        try:
            answer = send(client)
        except SalesforceError as error:
            raise refusal(self._tenant, endpoint, error.status, error.content) from None
        except requests.exceptions.JSONDecodeError:
            cause = "the answer is not JSON (cut off, or not from the API)"
            raise TransientError("salesforce", self._tenant, endpoint, cause) from None
        except requests.Timeout:
            raise TransientError("salesforce", self._tenant, endpoint, "no answer in time") from None
        except requests.RequestException as error:
            cause = f"the connection failed ({type(error).__name__})"
            raise TransientError("salesforce", self._tenant, endpoint, cause) from None
        used = client.api_usage.get("api-usage")
        if used is not None:
            self.usage = (int(used[0]), int(used[1]))
        return answer

    def _connected(self, session: Session) -> Salesforce:
        if self._client is None or self._client[0] != session:
            place = urlsplit(session.instance_url)
            if place.scheme == "http":
                self._http.mount(f"https://{place.netloc}/", _PlainHTTP())
            client = Salesforce(
                instance_url=session.instance_url,
                session_id=session.token,
                session=self._http,
                version=self._config.api_version,
                object_pairs_hook=dict,
            )
            self._client = (session, client)
        return self._client[1]


def records_of(answer: Any, tenant: str) -> list[dict[str, Any]]:
    """Give the records of a query's page; raise TransientError if the answer is not one."""
    records = answer.get("records") if isinstance(answer, dict) else None
    if not isinstance(records, list):
        raise TransientError("salesforce", tenant, "GET query", "the answer holds no records")
    return records
