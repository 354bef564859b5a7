"""What goes back to a client: an answer, and the refusals in the shapes that Payload gives them."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    """A status, a body that is JSON or nothing, and headers of its own."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):  # noqa: N818 - it names what becomes of a request
    """A request that is refused; its answer says how."""

    def __init__(self, status: int, *errors: dict[str, Any]) -> None:
        """Take the status and the errors of the answer."""
        super().__init__(str(status))
        self.answer = Answer(status, {"errors": list(errors)})


@dataclass(frozen=True)
class Invalid:
    """One field that does not hold: where, under which label (None: the database said so), and why."""

    path: str
    label: str | None
    message: str

    def shown(self, slug: str) -> dict[str, str]:
        """Write it as it stands in an answer."""
        named = {"tableName": slug} if self.label is None else {"label": self.label}
        return {"path": self.path, "message": self.message, **named}


def trouble() -> Refused:
    """Say nothing of use, as Payload does of any error that it did not foresee."""
    return Refused(500, {"message": "Something went wrong."})


def forbidden() -> Refused:
    """Refuse somebody whom nobody knows; a wrong key is no 401."""
    return Refused(403, {"message": "You are not allowed to perform this action."})


def not_found() -> Refused:
    """Say that there is no such document."""
    return Refused(404, {"message": "Not Found"})


def no_route(path: str) -> Answer:
    """Say that there is no such address, in a shape of its own."""
    return Answer(404, {"message": f'Route not found "{path}"'})


def unknown_path(path: str) -> Refused:
    """Refuse to look for what no document has."""
    message = f"The following path cannot be queried: {path}"
    return Refused(400, {"name": "QueryError", "data": [{"path": path}], "message": message})


def invalid(slug: str, faults: list[Invalid], document_id: int | str | None = None) -> Refused:
    """Refuse a document, and name each field that does not hold; the id stands there where it is one that exists."""
    known = {} if document_id is None else {"id": document_id}
    fields = "field is" if len(faults) == 1 else "fields are"
    return Refused(
        400,
        {
            "name": "ValidationError",
            "data": {**known, "collection": slug, "errors": [fault.shown(slug) for fault in faults]},
            "message": f"The following {fields} invalid: {', '.join(fault.label or fault.path for fault in faults)}",
        },
    )
