"""The REST API as a whole: who is let in, what each call costs, and the header that says what is left."""

from st_sf_pipelines.simulators.salesforce import about
from st_sf_pipelines.simulators.salesforce.composite import composite
from st_sf_pipelines.simulators.salesforce.exchange import Answer, open_call
from st_sf_pipelines.simulators.salesforce.faults import RowError
from st_sf_pipelines.simulators.salesforce.org import Org
from st_sf_pipelines.simulators.salesforce.refusals import Refusal, invalid_session, not_found
from st_sf_pipelines.simulators.salesforce.resources import RESOURCES, Resource, answer, place
from st_sf_pipelines.simulators.salesforce.soap import PATH as SOAP_PATH

TABLE = (*RESOURCES, Resource("composite", {"POST": composite}))
MOST_ADDRESS_BYTES = 16_384
VERSIONS = "/services/data"


def label_of(org: Org, method: str, address: str) -> str:
    """Return the name under which a request is counted; no id and no key stands in it."""
    call = open_call(org, method, address, {}, None)
    here = place(call, TABLE) if call else None
    if here is not None:
        return here.label
    path = address.partition("?")[0].rstrip("/")
    is_known = path == VERSIONS or path.startswith("/services/oauth2/") or SOAP_PATH.fullmatch(path)
    return path if is_known else "unknown"


def serve_rest(
    org: Org,
    method: str,
    address: str,
    headers: dict[str, str],
    content: bytes,
    row_faults: list[RowError],
) -> Answer:
    """Answer one request to an address below `/services/data`."""
    given = _serve(org, method, address, headers, content, row_faults)
    given.headers["Sforce-Limit-Info"] = f"api-usage={org.api_calls}/{org.daily_limit}"
    org.tables.settle()
    return given


def _serve(
    org: Org,
    method: str,
    address: str,
    headers: dict[str, str],
    content: bytes,
    row_faults: list[RowError],
) -> Answer:
    if address.partition("?")[0].rstrip("/") == VERSIONS:
        return Answer(body=about.versions())
    if org.sessions.bearer(headers.get("authorization", "")) is None:
        return _refused(invalid_session())
    if org.api_calls >= org.daily_limit:
        return _refused(Refusal("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403))
    org.api_calls += 1
    if len(address.encode()) > MOST_ADDRESS_BYTES:
        message = "The length of the URI exceeds the 16,384 byte limit."
        return _refused(Refusal("URI_TOO_LONG", message, status=414))
    call = open_call(org, method, address, headers, content)
    if call is None:
        return _refused(not_found())
    call.row_faults = row_faults
    return answer(call, TABLE)


def _refused(refusal: Refusal) -> Answer:
    return Answer(refusal.status, refusal.as_body())
