"""Answers in ServiceTitan's form: JSON bodies, and errors as ApiErrorResponse."""

from __future__ import annotations

from itertools import count
from typing import Any

import orjson
from starlette.responses import Response

ERROR_TYPE = "https://errors.servicetitan.io/"
_traces = count(1)


def json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer a JSON body."""
    return ready(orjson.dumps(body), status, headers)


def ready(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer a body that is JSON already."""
    return Response(body, status, headers, media_type="application/json; charset=utf-8")


class RefusalError(Exception):
    """A call that is answered with an error."""

    def __init__(self, status: int, title: str, errors: dict[str, list[str]] | None = None, **headers: str) -> None:
        super().__init__(title)
        self.status, self.title, self.errors = status, title, errors or {}
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def answer(self) -> Response:
        """Give the answer, with all six fields that the schema requires."""
        body = {
            "type": f"{ERROR_TYPE}{self.status}",
            "title": self.title,
            "status": self.status,
            "traceId": f"00-{next(_traces):032x}-01",
            "errors": self.errors,
            "data": {},
        }
        return json(body, self.status, self.headers)


def invalid(field: str, message: str) -> RefusalError:
    """Refuse a call whose parameter is wrong, naming the parameter."""
    return RefusalError(400, "One or more validation errors occurred.", {field: [message]})


def no_such_resource() -> Response:
    """Answer as the gateway does for a wrong path: no problem body."""
    return json({"statusCode": 404, "message": "Resource not found"}, 404)
