"""The door of the stand-in: each request is read, struck by a fault or answered, and counted."""

import asyncio
from threading import Lock
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from st_sf_pipelines.simulators.crm.answers import Answer, Invalid, invalid, no_route
from st_sf_pipelines.simulators.crm.collections import COLLECTIONS
from st_sf_pipelines.simulators.crm.control import control
from st_sf_pipelines.simulators.crm.faults import strike
from st_sf_pipelines.simulators.crm.rest import Call, serve_rest
from st_sf_pipelines.simulators.crm.state import Options, State
from st_sf_pipelines.simulators.crm.webhooks import serve_webhook
from st_sf_pipelines.simulators.wire import close, gone, reset

GARBAGE = b"<html><body>\x00\xff Bad gateway"
PATCH_SECONDS = 0.02
"""How long a PATCH holds its database connection while it waits for a second one."""


class Front:
    """An ASGI application around one CRM. The lock lets a test look in from another thread."""

    def __init__(self, options: Options) -> None:
        """Start with an empty CRM."""
        self.lock = Lock()
        self._options = options
        self.state = State(options)

    def control(self, method: str, path: str, body: Any) -> Answer:
        """Do what a test asks for, below `/_sim/`."""
        with self.lock:
            if (method, path) == ("POST", "reset"):
                self.state = State(self._options)
                return Answer(204)
            return control(self.state, method, path, body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        try:
            content = await request.body()
        except ClientDisconnect:
            return
        call = Call(request.method, request.url.path, request.url.query, dict(request.headers), content)
        if call.path.startswith("/_sim/"):
            await _response(self._arranged(call))(scope, receive, send)
            return
        state = self.state
        state.in_flight += 1
        state.most_in_flight = max(state.most_in_flight, state.in_flight)
        try:
            await self._serve(call, state, scope, receive, send)
        finally:
            state.in_flight -= 1

    def _arranged(self, call: Call) -> Answer:
        try:
            body = orjson.loads(call.content) if call.content else None
        except orjson.JSONDecodeError as error:
            return Answer(400, {"error": f"not JSON: {error}"})
        return self.control(call.method, call.path.removeprefix("/_sim/"), body)

    async def _serve(self, call: Call, state: State, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or do to it what a fault, or the CRM's own lock-up, does."""
        with self.lock:
            fault = strike(state.faults, call.method, f"{call.path}?{call.query_string}", call.content)
        if await self._locks_up(call, state):
            fault = {"silence": self._options.hang_seconds}
        if "reset" in fault or "silence" in fault:
            self._count(call, state, "reset" if "reset" in fault else "silence")
            await _drop(scope, receive, fault.get("silence", 0))
            return
        with self.lock:
            response = self._struck(fault, call) or _response(self._answer(call, state))
        lost = next((name for name in fault if name.startswith("commit_then") or name == "truncate"), "")
        self._count(call, state, lost or response.status_code)
        if lost == "truncate":
            await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
            part = bytes(response.body[: fault["truncate"]])
            await send({"type": "http.response.body", "body": part, "more_body": True})
            await close(scope, receive)
        elif lost in ("commit_then_reset", "commit_then_silence"):
            await _drop(scope, receive, fault.get("commit_then_silence", 0))
        elif lost:
            await _response(Answer(fault[lost], fault.get("body")))(scope, receive, send)
        else:
            await response(scope, receive, send)

    def _answer(self, call: Call, state: State) -> Answer:
        given = serve_webhook(state.events, call)
        if given is None and call.path.startswith("/api/"):
            given = serve_rest(state.documents, call)
        return given or no_route(call.path)

    def _struck(self, fault: dict[str, Any], call: Call) -> Response | None:
        if "status" in fault:
            return _response(Answer(fault["status"], fault.get("body"), dict(fault.get("headers", {}))))
        if "garbage" in fault:
            return Response(GARBAGE, 200, media_type="application/json")
        if "row_error" in fault:
            row, slug = fault["row_error"], call.path.split("/")[2]
            refused = Invalid(row["path"], None, row.get("message", "Refused by a fault of the stand-in"))
            return _response(invalid(slug, [refused]).answer)
        return None

    async def _locks_up(self, call: Call, state: State) -> bool:
        """Tell whether a PATCH finds no second connection: the lock look-up runs outside its transaction.

        Once the pool is used up, nobody who is waiting gets one, and all of them hang.
        """
        parts = call.path.split("/")
        if call.method != "PATCH" or "overrideLock=true" in call.query_string or parts[2] not in COLLECTIONS:
            return False
        state.locking += 1
        before = state.lock_ups
        try:
            if state.locking >= self._options.pool:
                state.lock_ups += 1
            await asyncio.sleep(PATCH_SECONDS)
            return state.lock_ups > before
        finally:
            state.locking -= 1

    def _count(self, call: Call, state: State, outcome: int | str) -> None:
        """Count a request before its answer is sent: who has the answer finds it counted."""
        parts = call.path.split("/")
        known = len(parts) > 3 and parts[2] in COLLECTIONS and parts[3] not in ("count", "me")
        with self.lock:
            state.calls[call.method, f"/api/{parts[2]}/:id" if known else call.path, str(outcome)] += 1


async def _drop(scope: Scope, receive: Receive, after: float) -> None:
    """Say nothing for so long, or until the client gives up, and then hang up."""
    if after:
        await gone(receive, after)
    await reset(scope, receive)


def _response(given: Answer) -> Response:
    if given.body is None:
        return Response(status_code=given.status, headers=given.headers)
    headers = {"content-type": "application/json"} | given.headers
    return Response(orjson.dumps(given.body), given.status, headers)
