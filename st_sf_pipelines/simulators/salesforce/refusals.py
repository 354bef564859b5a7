"""What Salesforce says no with: one code, one sentence, and the shape it takes in a row or in a whole answer."""

from collections.abc import Iterable
from typing import Any


class Refusal(Exception):  # noqa: N818 - a refusal is an answer of the stand-in, not a fault in it
    """A row or a request that the org does not take, with the HTTP status of a request about this record alone."""

    def __init__(self, code: str, message: str, fields: Iterable[str] = (), *, status: int = 400, **extra: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = list(fields)
        self.status = status
        self.extra = extra

    def as_body(self) -> list[dict[str, Any]]:
        """Return the body of a refused request: an array of one error, named by `errorCode`."""
        error = {"message": self.message, "errorCode": self.code, **self.extra}
        return [error | {"fields": self.fields} if self.fields else error]

    def as_row(self) -> dict[str, Any]:
        """Return the error of a refused row of a collection, where the code is named `statusCode`."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields, **self.extra}


def not_found(message: str = "The requested resource does not exist") -> Refusal:
    """Return the 404 of a resource that is not there."""
    return Refusal("NOT_FOUND", message, status=404)


def invalid_session() -> Refusal:
    """Return the 401 of a token that is unknown or has expired."""
    return Refusal("INVALID_SESSION_ID", "Session expired or invalid", status=401)
