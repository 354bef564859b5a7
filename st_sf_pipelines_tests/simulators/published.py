"""The published form of answers: what each route gives, by the reduced OpenAPI documents among the test data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from st_sf_pipelines.simulators.shop import stamps

if TYPE_CHECKING:
    from collections.abc import Iterator

READ = orjson.loads((Path(__file__).parent.parent / "data" / "servicetitan_answers.json").read_bytes())
ANSWERS: dict[str, str | None] = READ["answers"]
SCHEMAS: dict[str, Any] = READ["schemas"]
TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,), "num": (int, float), "str": (str,), "bool": (bool,), "object": (dict,), "time": (str,),
}  # fmt: skip
# Live since May 2026, after the documents: a reader must bear them.
NOT_PUBLISHED = {"summaryOfWork", "equipmentIds", "isAutoDispatched"}


def route_of(method: str, path: str) -> str:
    """Give the published route of a call."""
    for route in ANSWERS:
        known, template = route.split(" ")
        if known == method and re.fullmatch(re.sub(r"\{\w+\}", r"\\d+", template), path):
            return route
    raise KeyError(f"{method} {path}")


def misfits(kind: str, value: Any, where: str = "") -> Iterator[str]:
    """Name what in a value is not as the documents have it."""
    schema = SCHEMAS.get(kind)
    if kind.startswith("["):
        if isinstance(value, list):
            for place, each in enumerate(value):
                yield from misfits(kind[1:-1], each, f"{where}[{place}]")
        else:
            yield f"{where} is {value!r}"
    elif isinstance(schema, dict):
        yield from _misfits_of_object(schema, value, where) if isinstance(value, dict) else [f"{where} is {value!r}"]
    elif isinstance(schema, list):
        if value not in schema:
            yield f"{where} is {value!r}"
    elif type(value) not in TYPES[kind] or (kind == "time" and stamps.read(value) is None):
        yield f"{where} is {value!r}"


def _misfits_of_object(schema: dict[str, str], value: dict[str, Any], where: str) -> Iterator[str]:
    yield from (f"{where}.{name} unknown" for name in value.keys() - schema.keys() - NOT_PUBLISHED)
    for name, told in schema.items():
        if name not in value:
            if told.startswith("!"):
                yield f"{where}.{name} missing"
        elif value[name] is None:
            # The documents say that phoneSettings is never null; for an email it is, in practice.
            if not told.lstrip("!").startswith("?") and name != "phoneSettings":
                yield f"{where}.{name} null"
        else:
            yield from misfits(told.lstrip("!?"), value[name], f"{where}.{name}")
