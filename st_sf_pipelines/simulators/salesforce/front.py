"""The door of the stand-in: each request is read, struck by a fault or answered, and counted."""

import zlib
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from st_sf_pipelines.simulators.salesforce import oauth
from st_sf_pipelines.simulators.salesforce.control import control
from st_sf_pipelines.simulators.salesforce.exchange import Answer
from st_sf_pipelines.simulators.salesforce.faults import Struck
from st_sf_pipelines.simulators.salesforce.org import Options, Org
from st_sf_pipelines.simulators.salesforce.rest import label_of, serve_rest
from st_sf_pipelines.simulators.salesforce.soap import PATH as SOAP_PATH
from st_sf_pipelines.simulators.salesforce.soap import serve_soap
from st_sf_pipelines.simulators.wire import close, gone, reset

GARBAGE = b"<html><body>\x00\xff Down for maintenance"
# Faults that let a request be done, and keep its answer back.
LOST_ANSWERS = ("truncate", "commit_then_reset", "commit_then_silence")


class Front:
    """An ASGI application around one org. The lock lets a test look in from another thread."""

    def __init__(self, options: Options) -> None:
        self.lock = Lock()
        self._options = options
        self.org = Org(options)

    def reset(self) -> None:
        """Start again with an org as it was at first."""
        self.org = Org(self._options)

    def control(self, method: str, path: str, query: dict[str, str], body: Any) -> Answer:
        """Do what a test asks for, below `/_sim/`."""
        with self.lock:
            if (method, path) == ("POST", "reset"):
                self.reset()
                return Answer(204)
            return control(self.org, method, path, query, body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        try:
            content = _plain(request, await request.body())
        except ClientDisconnect:
            return
        query_string = scope["query_string"].decode("latin-1")
        address = scope["raw_path"].decode("latin-1") + (f"?{query_string}" if query_string else "")
        if address.startswith("/_sim/"):
            path = request.url.path.removeprefix("/_sim/")
            try:
                body = orjson.loads(content) if content else None
            except orjson.JSONDecodeError as error:
                given = Answer(400, {"error": f"not JSON: {error}"})
            else:
                given = self.control(request.method, path, dict(request.query_params), body)
            await _response(given)(scope, receive, send)
            return
        with self.lock:
            struck = self.org.faults.strike(request.method, address)
            label = label_of(self.org, request.method, address)
        await self._serve(_Line(scope, receive, send), _Asked(request, address, label, content), struck)

    async def _serve(self, line: "_Line", asked: "_Asked", struck: Struck) -> None:
        """Answer one request, or do to it what a fault says."""
        fault = struck.whole or {}
        if "reset" in fault or "silence" in fault:
            self._count(asked, "reset" if "reset" in fault else "silence")
            await line.drop(after=fault.get("silence", 0))
            return
        if "status" in fault:
            response = _response(Answer(fault["status"], fault.get("body"), dict(fault.get("headers", {}))))
        elif "garbage" in fault:
            response = Response(GARBAGE, 200, media_type="application/json")
        else:
            with self.lock:
                response = _response(self._answer(asked, struck, expire="expire_session" in fault))
        lost = next((name for name in LOST_ANSWERS if name in fault), None)
        self._count(asked, lost or response.status_code)
        if lost == "truncate":
            await line.say_part(response, fault["truncate"])
        elif lost:
            await line.drop(after=fault.get("commit_then_silence", 0))
        else:
            await line.say(response)

    def _count(self, asked: "_Asked", outcome: int | str) -> None:
        """Count a request before its answer is sent: who has the answer finds it counted."""
        with self.lock:
            self.org.counters.called(asked.request.method, asked.label, outcome)

    def _answer(self, asked: "_Asked", struck: Struck, *, expire: bool) -> Answer:
        request = asked.request
        authorization = request.headers.get("authorization", "")
        if expire:
            self.org.sessions.expire(self.org.sessions.bearer(authorization) or "a token that nobody has")
        if request.url.path.startswith("/services/data"):
            headers = dict(request.headers)
            return serve_rest(self.org, request.method, asked.address, headers, asked.content, struck.rows)
        if SOAP_PATH.fullmatch(request.url.path):
            return serve_soap(self.org, request.method, dict(request.headers), asked.content, struck.rows)
        form = dict(parse_qsl(asked.content.decode("utf-8", "replace"), keep_blank_values=True))
        host, port = request.scope["server"]
        return oauth.serve_oauth(self.org, f"http://{host}:{port}", request, form)


class _Asked(NamedTuple):
    """One request, read to its end, with the name under which it is counted."""

    request: Request
    address: str
    label: str
    content: bytes


class _Line:
    """The way back to one client."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send

    async def say(self, response: Response) -> None:
        """Send an answer."""
        await response(self._scope, self._receive, self._send)

    async def say_part(self, response: Response, length: int) -> None:
        """Promise a whole answer, send the first bytes of it, and hang up."""
        start = {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
        await self._send(start)
        await self._send({"type": "http.response.body", "body": bytes(response.body[:length]), "more_body": True})
        await close(self._scope, self._receive)

    async def drop(self, after: float) -> None:
        """Say nothing for so long, or until the client gives up, and then hang up."""
        if after:
            await gone(self._receive, after)
        await reset(self._scope, self._receive)


def _response(given: Answer) -> Response:
    if given.body is None:
        return Response(status_code=given.status, headers=given.headers)
    if isinstance(given.body, str):
        return Response(given.body, given.status, {"content-type": "text/html;charset=UTF-8"} | given.headers)
    headers = {"content-type": "application/json;charset=UTF-8"} | given.headers
    return Response(orjson.dumps(given.body), given.status, headers)


def _plain(request: Request, content: bytes) -> bytes:
    if request.headers.get("content-encoding") == "gzip":
        return zlib.decompress(content, wbits=31)
    return content
