"""How documents are asked for: the bracketed query, what it looks for, in which order, and what is shown of them."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from st_sf_pipelines.simulators.crm.answers import Refused, trouble, unknown_path
from st_sf_pipelines.simulators.crm.collections import COLLECTIONS, Collection, Field

PART = re.compile(r"[^\[\]]+|(?<=\[)(?=\])")
SAFE_IN_JSON = re.compile(r"[\w @.\-+:]*", re.ASCII)

Document = dict[str, Any]
Holds = Callable[[Document], bool]
Fetch = Callable[[str, Any], Document | None]
"""Gives the document of a collection that has an id."""


def read_query(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Nest `a[b][c]=1` into {"a": {"b": {"c": "1"}}}; `a[]=1&a[]=2` makes a list."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        *above, last = PART.findall(name) or [name]
        branch = tree
        for part in above[:-1] if last == "" else above:
            branch = branch.setdefault(part, {})
        if last == "":
            branch.setdefault(above[-1], []).append(value)
        else:
            branch[last] = value
    return tree


def _all_of(tests: list[Holds]) -> Holds:
    return lambda doc: all(test(doc) for test in tests)


def _one_of(tests: list[Holds]) -> Holds:
    return lambda doc: any(test(doc) for test in tests)


class Where:
    """Reads what is looked for into a function of a document."""

    def __init__(self, collection: Collection, fetch: Fetch, is_id: Callable[[str, str], bool]) -> None:
        """Take the collection that is looked through, and the way to documents that its own point to."""
        self._collection = collection
        self._fetch = fetch
        self._is_id = is_id

    def read(self, where: Any) -> Holds:
        """Read one level: every field beside another must hold, and so must `and`; of `or`, one."""
        tests: list[Holds] = []
        for name, what in (where or {}).items():
            if name.lower() in ("and", "or"):
                parts = [self.read(part) for part in (what.values() if isinstance(what, dict) else what)]
                tests.append(_all_of(parts) if name.lower() == "and" else _one_of(parts))
            else:
                tests += [self._test(name, operator, value) for operator, value in what.items()]
        return _all_of(tests)

    def _test(self, path: str, operator: str, value: Any) -> Holds:
        field, get = self._get(path)
        values = list(value.values()) if isinstance(value, dict) else value
        if operator in ("in", "not_in") and isinstance(values, str):
            values = [values] if field.kind == "json" else values.split(",")
        if field.kind == "json":
            for each in values if isinstance(values, list) else [values]:
                if not SAFE_IN_JSON.fullmatch(str(each)):
                    raise Refused(400, {"message": f"{each} is not allowed as a JSON query value"})
        if field.kind == "relationship" and operator in ("equals", "in") and not self._are_ids(field, values):
            raise trouble()
        maker = _OPERATORS.get(operator)
        if maker is None:
            raise unknown_path(f"{path}.{operator}")
        test = maker(values)
        return lambda doc: test(get(doc))

    def _are_ids(self, field: Field, values: Any) -> bool:
        return all(self._is_id(field.to, each) for each in (values if isinstance(values, list) else [values]))

    def _get(self, path: str) -> tuple[Field, Callable[[Document], Any]]:
        """Find the field of a path; a path may go through a group, into JSON, or over to another collection."""
        name, _, rest = path.partition(".")
        if path == "id":
            return Field("id"), lambda doc: doc["id"]
        field = self._collection.field(name)
        if field is None:
            raise unknown_path(path)
        if not rest:
            return field, lambda doc: doc.get(name)
        if field.kind == "json":
            return field, lambda doc: (doc.get(name) or {}).get(rest)
        if field.kind == "group" and any(inner.name == rest for inner in field.fields):
            return field, lambda doc: doc[name][rest]
        if field.kind != "relationship":
            raise unknown_path(path)
        inner, get = Where(COLLECTIONS[field.to], self._fetch, self._is_id)._get(rest)  # noqa: SLF001 - its own kind
        return inner, lambda doc: get(pointed) if (pointed := self._fetch(field.to, doc.get(name))) else None


def _text(value: Any) -> str | None:
    """Write a value as it stands in a query."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _ordered(value: Any, bound: str) -> tuple[Any, Any]:
    return (value, float(bound)) if isinstance(value, int | float) else (str(value), bound)


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[Any], Callable[[Any], bool]]:
    return lambda bound: lambda value: value is not None and compare(*_ordered(value, bound))


def _among(values: Any) -> Callable[[Any], bool]:
    wanted = set(values)
    return lambda value: _text(value) in wanted


def _like(words: Any) -> Callable[[Any], bool]:
    return lambda value: value is not None and all(word in str(value).lower() for word in str(words).lower().split())


_OPERATORS: dict[str, Callable[[Any], Callable[[Any], bool]]] = {
    "equals": lambda wanted: lambda value: _text(value) == wanted,
    "not_equals": lambda wanted: lambda value: _text(value) != wanted,
    "in": _among,
    "not_in": lambda values: lambda value: not _among(values)(value),
    "exists": lambda wanted: lambda value: (value is not None) == (wanted == "true"),
    "like": _like,
    "contains": lambda part: lambda value: value is not None and str(part).lower() in str(value).lower(),
    "greater_than": _compared(lambda value, bound: value > bound),
    "greater_than_equal": _compared(lambda value, bound: value >= bound),
    "less_than": _compared(lambda value, bound: value < bound),
    "less_than_equal": _compared(lambda value, bound: value <= bound),
}


def ordered(documents: list[Document], sort: str) -> list[Document]:
    """Sort by fields, `-` for the other way round; the newest come first where nothing, or no field, is named."""
    for name in reversed([*filter(None, sort.split(",")), "-createdAt"]):
        plain = name.removeprefix("-")
        filled = [doc for doc in documents if doc.get(plain) is not None]
        rest = [doc for doc in documents if doc.get(plain) is None]
        backward = name.startswith("-")
        filled.sort(key=lambda doc, plain=plain: doc[plain], reverse=backward)  # type: ignore[misc]
        documents = filled + rest if backward else rest + filled
    return documents


def shown(document: Document, select: Any) -> Document:
    """Show the fields that are asked for, and always the id; all of them where nothing is said."""
    if not isinstance(select, dict):
        return document
    kept: Document = {"id": document["id"]} if "id" in document else {}
    for name, value in document.items():
        if select.get(name) == "true":
            kept[name] = value
        elif isinstance(select.get(name), dict) and isinstance(value, dict):
            kept[name] = shown(value, select[name])
    return kept
