"""The REST API below `/api/`: who is let in, which address does what, and the answer's shape."""

import hmac
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

from st_sf_pipelines.simulators.crm.answers import Answer, Refused, forbidden, no_route, not_found, trouble
from st_sf_pipelines.simulators.crm.asking import Document, Where, ordered, read_query, shown
from st_sf_pipelines.simulators.crm.collections import COLLECTIONS, Collection
from st_sf_pipelines.simulators.crm.documents import Documents

API_KEY = "6d2f8c1e-3b7a-4e59-9c04-5a1d7e8f2b60"
WEBHOOK_SECRET = "shared-secret-of-the-crm"  # noqa: S105 - made up, opens nothing but the stand-in
OVERRIDE = "x-payload-http-method-override"
FORM = "application/x-www-form-urlencoded"


@dataclass
class Call:
    """One request, read to its end; the path without its query."""

    method: str
    path: str
    query_string: str
    headers: dict[str, str]
    content: bytes

    @property
    def knows_secret(self) -> bool:
        """Tell whether it carries the shared secret."""
        return hmac.compare_digest(self.headers.get("x-webhook-secret", ""), WEBHOOK_SECRET)

    @property
    def has_key(self) -> bool:
        """Tell whether it carries the user's key; slug and scheme are compared letter by letter."""
        return hmac.compare_digest(self.headers.get("authorization", ""), f"users API-Key {API_KEY}")

    def json(self) -> Any:
        """Read the body; without a content type it is an error that Payload does not foresee."""
        if not self.content:
            return {}
        if "json" not in self.headers.get("content-type", ""):
            raise trouble()
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError:
            raise Refused(400, {"message": "Invalid JSON"}) from None


def serve_rest(documents: Documents, call: Call) -> Answer:
    """Answer one request below `/api/`."""
    parts = call.path.removeprefix("/api/").split("/")
    pairs = parse_qsl(call.query_string, keep_blank_values=True)
    method = call.method
    if method == "POST" and call.headers.get(OVERRIDE) == "GET":
        method = "GET"
        if FORM in call.headers.get("content-type", ""):
            pairs += parse_qsl(call.content.decode(), keep_blank_values=True)
    collection = COLLECTIONS.get(parts[0])
    try:
        if parts == ["users", "me"] and method == "GET":
            return _me(documents, call)
        handler = _HANDLERS.get((method, "one" if len(parts) == 2 and parts[1] != "count" else "/".join(parts[1:])))
        if collection is None or handler is None:
            return no_route(call.path)
        if not (call.knows_secret or call.has_key):
            raise forbidden()
        return handler(_Asked(documents, collection, call, read_query(pairs), parts[-1]))
    except Refused as refused:
        return refused.answer


@dataclass
class _Asked:
    """What is asked of one collection."""

    documents: Documents
    collection: Collection
    call: Call
    query: dict[str, Any]
    last: str

    def found(self) -> list[Document]:
        """Give the documents that are looked for."""
        where = self.query.get("where")
        holds = Where(self.collection, self.documents.fetch, self.documents.reads_as_id).read(
            where if isinstance(where, dict) else {}
        )
        return [document for document in self.documents.of[self.collection.slug].values() if holds(document)]

    def show(self, document: Document) -> Document:
        depth = str(self.query.get("depth", "2"))
        full = self.documents.populated(self.collection, document, int(depth) if depth.isdecimal() else 2)
        return shown(full, self.query.get("select"))


def _me(documents: Documents, call: Call) -> Answer:
    user = {**next(iter(documents.of["users"].values())), "collection": "users"} if call.has_key else None
    return Answer(body={"user": user, "message": "Account"})


def _list(asked: _Asked) -> Answer:
    found = ordered(asked.found()[::-1], str(asked.query.get("sort", "")))
    said = str(asked.query.get("limit", "10"))
    limit = int(said) if said.lstrip("-").isdecimal() else 0
    if asked.query.get("pagination") == "false":
        found = found[:limit] if "limit" in asked.query and limit > 0 else found
    page = int(number) if (number := str(asked.query.get("page", "1"))).isdecimal() else 1
    pages = max(1, -(-len(found) // limit)) if limit > 0 else 1
    some = found[(page - 1) * limit : page * limit] if limit > 0 else found
    body = {
        "docs": [asked.show(document) for document in some],
        "hasNextPage": page < pages,
        "hasPrevPage": page > 1,
        "limit": limit if said.lstrip("-").isdecimal() else said,
        "nextPage": page + 1 if page < pages else None,
        "page": page,
        "pagingCounter": (page - 1) * limit + 1,
        "prevPage": page - 1 if page > 1 else None,
        "totalDocs": len(found),
        "totalPages": pages,
    }
    return Answer(body=body)


def _count(asked: _Asked) -> Answer:
    return Answer(body={"totalDocs": len(asked.found())})


def _get(asked: _Asked) -> Answer:
    document_id = asked.documents.read_id(asked.last)
    if document_id is None:
        raise trouble()
    document = asked.documents.fetch(asked.collection.slug, document_id)
    if document is None:
        raise not_found()
    return Answer(body=asked.show(document))


def _create(asked: _Asked) -> Answer:
    document = asked.documents.create(asked.collection, asked.call.json())
    message = f"{asked.collection.singular} successfully created."
    return Answer(201, {"doc": asked.show(document), "message": message})


def _update(asked: _Asked) -> Answer:
    document_id = asked.documents.read_id(asked.last)
    if document_id is None:
        raise Refused(400, {"message": "Missing ID of document to update."})
    document = asked.documents.update(asked.collection, document_id, asked.call.json())
    return Answer(body={"doc": asked.show(document), "message": "Updated successfully."})


def _delete(asked: _Asked) -> Answer:
    document_id = asked.documents.read_id(asked.last)
    if document_id is None:
        raise Refused(400, {"message": "Missing ID of document to delete."})
    document = asked.documents.delete(asked.collection, document_id)
    return Answer(body={"doc": asked.show(document), "message": "Deleted successfully."})


def _many(asked: _Asked) -> Answer:
    """Change or delete all that are found, one after the other; those that fail are named beside those that do not."""
    deletes = asked.call.method == "DELETE"
    if "where" not in asked.query:
        raise Refused(400, {"message": f"Missing 'where' query of documents to {'delete' if deletes else 'update'}."})
    sent = {} if deletes else asked.call.json()
    done, errors = [], []
    for document in asked.found():
        try:
            if deletes:
                done.append(asked.documents.delete(asked.collection, document["id"]))
            else:
                done.append(asked.documents.update(asked.collection, document["id"], sent))
        except Refused as refused:
            errors.append({"id": document["id"], "message": refused.answer.body["errors"][0]["message"]})
    verb = "Deleted" if deletes else "Updated"
    message = f"{verb} {len(done)} {asked.collection.plural} successfully."
    body = {"docs": [asked.show(document) for document in done], "errors": errors, "message": message}
    return Answer(400 if errors else 200, body)


_HANDLERS = {
    ("GET", ""): _list,
    ("GET", "count"): _count,
    ("GET", "one"): _get,
    ("POST", ""): _create,
    ("PATCH", "one"): _update,
    ("DELETE", "one"): _delete,
    ("PATCH", ""): _many,
    ("DELETE", ""): _many,
}
