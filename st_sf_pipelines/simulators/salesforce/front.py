"""The door of the stand-in: each request is read, struck by a fault or answered, and counted."""

import zlib
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from st_sf_pipelines.simulators.salesforce import oauth
from st_sf_pipelines.simulators.salesforce.about import whoami
from st_sf_pipelines.simulators.salesforce.control import control
from st_sf_pipelines.simulators.salesforce.credentials import ORG_ID, USERNAME
from st_sf_pipelines.simulators.salesforce.exchange import Answer
from st_sf_pipelines.simulators.salesforce.faults import Struck
from st_sf_pipelines.simulators.salesforce.org import Options, Org
from st_sf_pipelines.simulators.salesforce.refusals import invalid_session, not_found
from st_sf_pipelines.simulators.salesforce.rest import label_of, serve_rest
from st_sf_pipelines.simulators.salesforce.wire import close, gone, reset

GARBAGE = b"<html><body>\x00\xff Down for maintenance"


class Front:
    """An ASGI application around one org. The lock lets a test look in from another thread."""

    def __init__(self, options: Options, url: str) -> None:
        self.url = url
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
            body = orjson.loads(content) if content else None
            given = self.control(request.method, path, dict(request.query_params), body)
            await _response(given)(scope, receive, send)
            return
        with self.lock:
            struck = self.org.faults.strike(request.method, address)
            label = label_of(self.org, request.method, address)
        outcome = await self._serve(_Line(scope, receive, send), request, address, content, struck)
        with self.lock:
            self.org.counters.called(request.method, label, outcome)

    async def _serve(
        self, line: "_Line", request: Request, address: str, content: bytes, struck: Struck
    ) -> int | str:
        """Answer one request, or do to it what a fault says; return what it is counted as."""
        fault = struck.whole or {}
        if "reset" in fault:
            await reset(line.scope, line.receive)
            return "reset"
        if "silence" in fault:
            await line.silence(fault["silence"])
            return "silence"
        if "status" in fault:
            told = Answer(fault["status"], fault.get("body"), dict(fault.get("headers", {})))
            return await line.say(_response(told))
        if "garbage" in fault:
            return await line.say(Response(GARBAGE, 200, media_type="application/json"))
        with self.lock:
            if "expire_session" in fault:
                token = self.org.sessions.bearer(request.headers.get("authorization", ""))
                self.org.sessions.expire(token)
            given = self._answer(request, address, content, struck)
        if "commit_then_reset" in fault:
            await reset(line.scope, line.receive)
            return "commit_then_reset"
        if "commit_then_silence" in fault:
            await line.silence(fault["commit_then_silence"])
            return "commit_then_silence"
        response = _response(given)
        if "truncate" in fault:
            await line.say_part(response, fault["truncate"])
            return "truncate"
        return await line.say(response)

    def _answer(self, request: Request, address: str, content: bytes, struck: Struck) -> Answer:
        path, method = request.url.path, request.method
        headers = dict(request.headers)
        if path.startswith("/services/data"):
            return serve_rest(self.org, method, address, headers, content, struck.rows)
        form = dict(parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True))
        authorization = headers.get("authorization", "")
        if (method, path) == ("POST", "/services/oauth2/token"):
            return oauth.token(self.org, self.url, form, authorization)
        if (method, path) == ("POST", "/services/oauth2/revoke"):
            return oauth.revoke(self.org, form)
        if (method, path) == ("GET", "/services/oauth2/authorize"):
            return oauth.authorize(self.org, dict(request.query_params))
        if path == "/services/oauth2/userinfo" or path.startswith(f"/id/{ORG_ID}"):
            if self.org.sessions.bearer(authorization) is None:
                return Answer(401, invalid_session().as_body())
            return Answer(body=whoami(self.url, ORG_ID, USERNAME))
        return Answer(404, not_found().as_body())


class _Line:
    """The way back to one client."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self._send = send

    async def say(self, response: Response) -> int:
        """Send an answer, and return its status."""
        await response(self.scope, self.receive, self._send)
        return response.status_code

    async def say_part(self, response: Response, length: int) -> None:
        """Promise a whole answer, send the first bytes of it, and hang up."""
        start = {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
        await self._send(start)
        await self._send({"type": "http.response.body", "body": bytes(response.body[:length]), "more_body": True})
        await close(self.scope, self.receive)

    async def silence(self, seconds: float) -> None:
        """Say nothing for so long, or until the client gives up, and then hang up."""
        await gone(self.receive, seconds)
        await reset(self.scope, self.receive)


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
