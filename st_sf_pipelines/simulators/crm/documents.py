"""The documents of the CRM: how they are made, changed and deleted, and what keeps them from it."""

import re
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from st_sf_pipelines.simulators.crm.answers import Invalid, invalid, not_found, trouble
from st_sf_pipelines.simulators.crm.asking import Document
from st_sf_pipelines.simulators.crm.collections import COLLECTIONS, Collection, Field
from st_sf_pipelines.simulators.crm.values import Check, empty, stamp

Id = int | str
LEADING_NUMBER = re.compile(r"[0-9]+")


def system_clock() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


class Documents:
    """All documents, by collection and id, in the order in which they were made."""

    def __init__(self, *, text_ids: bool, clock: Callable[[], datetime]) -> None:
        """Start empty; ids are numbers, or texts as MongoDB makes them."""
        self.text_ids = text_ids
        self._clock = clock
        self._made: Counter[str] = Counter()
        self.of: dict[str, dict[Id, Document]] = {slug: {} for slug in COLLECTIONS}
        self.written: dict[str, Counter[str]] = {slug: Counter() for slug in COLLECTIONS}

    def fetch(self, slug: str, document_id: Any) -> Document | None:
        """Give the document that has an id, or nothing."""
        return self.of[slug].get(document_id) if isinstance(document_id, int | str) else None

    def is_id(self, _slug: str, value: Any) -> bool:
        """Tell whether a value is of the kind that ids are of; whether anybody has it is another matter."""
        return isinstance(value, str if self.text_ids else int) and not isinstance(value, bool)

    def read_id(self, text: str) -> Id | None:
        """Read an id out of an address, a number as far as it goes; nothing where it cannot be one."""
        if self.text_ids:
            return text
        number = LEADING_NUMBER.match(text)
        return int(number[0]) if number else None

    def reads_as_id(self, _slug: str, text: str) -> bool:
        """Tell whether a text in a query can be an id at all."""
        return self.text_ids or text.isdecimal()

    def create(self, collection: Collection, sent: Any) -> Document:
        """Make a document of what is sent; `createdAt` and `updatedAt` are taken where they are given."""
        document = empty(collection.fields)
        said = sent if isinstance(sent, dict) else {}
        self._check(collection, document, said, None)
        now = stamp(self._clock())
        for name in ("updatedAt", "createdAt"):
            document[name] = said.get(name) or now
        self._made[collection.slug] += 1
        document = {"id": self._next_id(collection.slug), **document}
        self.of[collection.slug][document["id"]] = document
        self.written[collection.slug]["created"] += 1
        return document

    def update(self, collection: Collection, document_id: Id | None, sent: Any) -> Document:
        """Lay what is sent over a document; it is another version even where nothing was sent."""
        there = self.of[collection.slug].get(document_id) if document_id is not None else None
        if there is None:
            raise not_found()
        document = deepcopy(there)
        self._check(collection, document, sent if isinstance(sent, dict) else {}, there["id"])
        document["updatedAt"] = stamp(self._clock())
        self.of[collection.slug][there["id"]] = document
        self.written[collection.slug]["updated"] += 1
        return document

    def delete(self, collection: Collection, document_id: Id | None) -> Document:
        """Take a document away, if no other must point to it; those that may point to nothing then do."""
        if document_id is None or document_id not in self.of[collection.slug]:
            raise not_found()
        pointers = [
            (document, field)
            for other in COLLECTIONS.values()
            for field in other.fields
            if field.to == collection.slug
            for document in self.of[other.slug].values()
            if document[field.name] == document_id
        ]
        if any(field.required for _, field in pointers):
            raise trouble()
        for document, field in pointers:
            document[field.name] = None
        self.written[collection.slug]["deleted"] += 1
        return self.of[collection.slug].pop(document_id)

    def populated(self, collection: Collection, document: Document, depth: int) -> Document:
        """Put the documents themselves where a document points to them, and so on, so many steps deep."""
        if depth < 1:
            return document
        full = dict(document)
        for field in collection.fields:
            pointed = self.fetch(field.to, document.get(field.name)) if field.to else None
            if pointed is not None:
                full[field.name] = self.populated(COLLECTIONS[field.to], pointed, depth - 1)
        return full

    def _check(self, collection: Collection, document: Document, sent: Document, document_id: Id | None) -> None:
        check = Check(self.is_id)
        check.lay(collection.fields, document, sent)
        if check.faults:
            raise invalid(collection.slug, check.faults, document_id)
        for field in collection.fields:
            if field.unique and self._is_taken(collection, field, document, document_id):
                raise invalid(collection.slug, [Invalid(field.name, None, "Value must be unique")], document_id)
        for field in collection.fields:
            pointed = document[field.name] if field.to else None
            if pointed is not None and pointed not in self.of[field.to]:
                raise trouble()

    def _is_taken(self, collection: Collection, field: Field, document: Document, document_id: Id | None) -> bool:
        value = document[field.name]
        others = self.of[collection.slug].values()
        return value is not None and any(doc[field.name] == value and doc["id"] != document_id for doc in others)

    def _next_id(self, slug: str) -> Id:
        made = self._made[slug]
        return f"69260a1c5f3e{made:012x}" if self.text_ids else made
