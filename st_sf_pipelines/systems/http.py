"""The one HTTP client: paces calls, tries again what may pass, and turns every bad answer into an error of ours."""

from __future__ import annotations

import json
import math
import random
import re
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import httpx
import orjson
from tenacity import Retrying, retry_if_exception
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from st_sf_pipelines.errors import CredentialsError, PermanentError, RemoteError, TransientError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from tenacity import RetryCallState

ATTEMPTS: Final = 8
PATIENCE: Final = 30  # attempts while the server says itself how long to wait
LONGEST_WAIT: Final = 30.0
LEASE_CALLS: Final = 10
LATE_SECONDS: Final = 0.02  # so late may a call begin after its slot: threads wake late, and a lease's answer travels
TRANSIENT_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 522, 524})
_CODE: Final = re.compile(r"[A-Za-z0-9_.:|-]{1,80}")
_FIELD: Final = re.compile(r"[A-Za-z0-9_.\[\]$]+")
_SECONDS_IN_TITLE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*second", re.IGNORECASE)


class Pace:
    """Lets at most `per_second` calls begin in any second, evenly, however many threads, or processes, ask (EXT-7).

    Each call has a slot of its own; one that nobody took within LATE_SECONDS is lost. Slots lie so far apart that a
    second and that lateness together hold no more than `per_second` of them: so it is true as long as no thread wakes,
    and no lease is answered, later than that.
    """

    def __init__(self, per_second: float, lease: Callable[[int, float], float] | None = None) -> None:
        """Take the rate, and where processes share it the function that leases them stretches of time.

        `lease(slots, per_second)` gives the seconds from now to the beginning of the next free stretch of so many.
        """
        self._per_second = per_second / (1 + LATE_SECONDS)
        self._lease = lease or self._own
        self._slots: deque[float] = deque()
        self._free = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Sleep until the next call may begin."""
        with self._lock:
            delay = self._slot() - time.monotonic()
        if delay > 0:
            time.sleep(delay)

    def _slot(self) -> float:
        while True:
            if not self._slots:
                wait = self._lease(LEASE_CALLS, self._per_second)
                begins = time.monotonic() + wait  # read after the lease, so that no slot comes before its stretch
                self._slots.extend(begins + n / self._per_second for n in range(LEASE_CALLS))
            slot = self._slots.popleft()
            if slot >= time.monotonic() - LATE_SECONDS:
                return slot

    def _own(self, slots: int, per_second: float) -> float:
        now = time.monotonic()
        begins = max(self._free, now)
        self._free = begins + slots / per_second
        return begins - now


@dataclass
class Http:
    """A client for one system of one tenant; `calls` counts what was sent, by method and path."""

    system: str
    tenant: str
    pace: Pace
    timeout: float = 60.0
    attempts: int = ATTEMPTS
    sent: Counter[str] = field(default_factory=Counter)
    refusal: Callable[[str, str, str, httpx.Response], RemoteError] | None = None

    def __post_init__(self) -> None:
        """Open the connection pool; nothing is sent yet. `refusal` reads bad answers, where a system has its own."""
        self._counting = threading.Lock()
        self._client = httpx.Client(
            verify=_authorities(),
            timeout=httpx.Timeout(self.timeout, connect=min(10.0, self.timeout)),
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=20),
            headers={"User-Agent": "st-sf-pipelines", "Accept": "application/json"},
        )

    @property
    def calls(self) -> int:
        """How many calls were sent."""
        return self.sent.total()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def json(self, make: Callable[[], httpx.Request]) -> Any:
        """Send the request that `make` builds, anew for each attempt; give the answer's JSON or raise RemoteError.

        Limits, faults of the server, timeouts, resets and cut-off answers are tried again with jittered backoff, which
        honours Retry-After; other refusals are not. The last error is marked as `exhausted`; such a one, raised by
        `make` (a token could not be fetched), is not tried again.
        """
        retrying = Retrying(
            retry=retry_if_exception(may_pass), stop=Patience(self.attempts), wait=Backoff(), reraise=True
        )
        try:
            return retrying(lambda: self._once(make()))
        except TransientError as error:
            error.exhausted = True
            raise

    def request(self, method: str, url: str, **options: Any) -> httpx.Request:
        """Build a request for `json`."""
        return self._client.build_request(method, url, **options)

    def _once(self, request: httpx.Request) -> Any:
        endpoint = f"{request.method} {request.url.path}"
        self.pace.wait()
        with self._counting:
            self.sent[endpoint] += 1
        try:
            response = self._client.send(request)
        except httpx.TimeoutException:
            raise TransientError(self.system, self.tenant, endpoint, "no answer in time") from None
        except httpx.RequestError as error:
            what = "the answer cannot be read" if isinstance(error, httpx.DecodingError) else "the connection failed"
            cause = f"{what} ({type(error).__name__})"
            raise TransientError(self.system, self.tenant, endpoint, cause) from None
        if response.is_success:
            try:
                return read_json(response.content)
            except ValueError:
                cause = "the answer is not JSON (cut off, or not from the API)"
                raise TransientError(self.system, self.tenant, endpoint, cause, response.status_code) from None
        raise (self.refusal or bad_answer)(self.system, self.tenant, endpoint, response)


@cache
def _authorities() -> ssl.SSLContext:
    """Read the certificates that we trust, once a process and not for each client."""
    return httpx.create_ssl_context()


def read_json(content: bytes) -> Any:
    """Read JSON; raise ValueError if it is none. What only some readers take does not spoil the records beside it.

    Half of a character (a lone surrogate) becomes the replacement character; a number beyond all bounds becomes a list
    of its text, which no field that we use takes: so its record, and no other, does not fit.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        pass
    try:
        found = json.loads(content, parse_int=_number, parse_float=_number, parse_constant=lambda name: [name])
    except RecursionError:
        raise ValueError("is nested too deep") from None
    halves = json.dumps(found, ensure_ascii=False).encode("utf-16", "surrogatepass")
    return orjson.loads(halves.decode("utf-16", "replace"))


def _number(text: str) -> Any:
    if not math.isfinite(float(text)):
        return [text]
    return int(text) if text.lstrip("-").isdigit() else float(text)


def bad_answer(system: str, tenant: str, endpoint: str, response: httpx.Response) -> RemoteError:
    """Turn a refusal into the error that says whether trying again can help; the body's own words stay out."""
    status = response.status_code
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        body = None
    body = body if isinstance(body, dict) else {}
    code = code_in(body.get("error"))
    kind: type[RemoteError] = PermanentError
    cause = "refused"
    if status in TRANSIENT_STATUSES or status >= 500:
        kind = TransientError
        cause = "too many calls" if status == 429 else "the server is in trouble"
    elif status == 401:
        kind, cause = CredentialsError, "the credentials are refused (token or app key)"
    elif status == 403:
        kind, cause = CredentialsError, "access is forbidden (scope missing, or the app is not connected to the tenant)"
    elif status == 404:
        cause = "not found"
    elif code in ("invalid_client", "invalid_grant", "unauthorized_client"):
        kind, cause = CredentialsError, "the client id or secret is refused"
    elif status == 400:
        named = ", ".join(sorted(fields_in(body.get("errors"))))
        cause = f"the request is refused{f' for {named}' if named else ''}"
    return kind(
        system,
        tenant,
        endpoint,
        cause,
        status=status,
        code=code,
        trace_id=code_in(body.get("traceId")),
        retry_after=_retry_after(response, body),
    )


def code_in(told: object) -> str | None:
    """Take a code, or a trace id, that looks like one: where servers put a sentence, it may name a person (AUTH-2)."""
    return told if isinstance(told, str) and _CODE.fullmatch(told) else None


def fields_in(told: object) -> tuple[str, ...]:
    """Take the names of fields, in a list or as the keys of an object, that look like names (AUTH-2)."""
    named = told if isinstance(told, list | tuple | dict) else ()
    return tuple(name for name in named if isinstance(name, str) and _FIELD.fullmatch(name))


def _retry_after(response: httpx.Response, body: dict[str, Any]) -> float | None:
    """Read how long to wait: the header in seconds or as a date, else the number in the problem's title."""
    header = response.headers.get("Retry-After", "")
    if header.replace(".", "", 1).isdigit():
        return float(header)
    if header:
        try:
            return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
        except ValueError:
            pass
    match = _SECONDS_IN_TITLE.search(str(body.get("title", "")))
    return float(match[1]) if match and response.status_code == 429 else None


def may_pass(error: BaseException) -> bool:
    """Tell whether to try again after an error: not if it ended a series of attempts already."""
    return isinstance(error, TransientError) and not error.exhausted


class Patience(stop_base):
    """Gives up after so many attempts; later, if more than one was meant, where the server asks for a pause (429)."""

    def __init__(self, attempts: int) -> None:
        """Take the number of attempts."""
        self._attempts = attempts

    def __call__(self, retry_state: RetryCallState) -> bool:
        """Tell whether to give up."""
        error = retry_state.outcome.exception() if retry_state.outcome else None
        asked = isinstance(error, RemoteError) and error.retry_after is not None and self._attempts > 1
        return retry_state.attempt_number >= (PATIENCE if asked else self._attempts)


class Backoff(wait_base):
    """Half a second, doubled each time, with jitter; as long as the server asks where it does, within bounds."""

    def __call__(self, retry_state: RetryCallState) -> float:
        """Give the seconds to wait before the next attempt."""
        error = retry_state.outcome.exception() if retry_state.outcome else None
        asked = error.retry_after if isinstance(error, RemoteError) else None
        if asked is not None:
            return min(asked, 2 * LONGEST_WAIT) + _jitter(0.25)
        return min(0.5 * 2.0 ** (retry_state.attempt_number - 1), LONGEST_WAIT) * (0.75 + _jitter(0.5))


def _jitter(width: float) -> float:
    """Spread simultaneous retries."""
    return random.uniform(0, width)  # noqa: S311 - no secret hangs on it
