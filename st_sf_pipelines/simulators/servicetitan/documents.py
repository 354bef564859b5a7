"""The published form of requests: types of list parameters, and bodies of writes, checked by the reduced OpenAPI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from st_sf_pipelines.simulators.shop import stamps

from .answers import RefusalError

if TYPE_CHECKING:
    from collections.abc import Mapping

READ: dict[str, Any] = orjson.loads((Path(__file__).parent / "published" / "requests.json").read_bytes())
QUERIES: dict[str, dict[str, str]] = READ["queries"]
BODIES: dict[str, str] = READ["bodies"]
SCHEMAS: dict[str, Any] = READ["schemas"]


def asked(place: str, query: Mapping[str, str]) -> dict[str, str]:
    """Give a list's parameters, or refuse those of a wrong type by name.

    Over there names bind in any case, and unknown ones are ignored: a filter that a list has not leaves all in.
    """
    published = QUERIES.get(place, {})
    given = {name.lower(): value for name, value in query.items()}
    known = {name: given[name.lower()] for name in published if given.get(name.lower())}
    wrong = {
        name: [f"The value '{value}' is not valid for {name}."]
        for name, value in known.items()
        if not _fits(published[name].strip("[]"), value)
    }
    if wrong:
        raise RefusalError(400, "One or more validation errors occurred.", wrong)
    return known


def _fits(kind: str, text: str) -> bool:
    if kind == "time":
        return stamps.read(text.replace(" ", "+") if "T" in text else text) is not None
    if kind == "bool":
        return text.lower() in {"true", "false"}
    if kind in {"int", "num"}:
        digits = text.removeprefix("-")
        return digits.isdigit() or (kind == "num" and digits.replace(".", "", 1).isdigit())
    choices = SCHEMAS.get(kind)
    if isinstance(choices, list):
        return all(word.strip().lower() in {choice.lower() for choice in choices} for word in text.split(","))
    return True


def checked(call: str, body: Any) -> dict[str, Any]:
    """Give the fields of a body that the API knows, or refuse it, naming each field that is wrong or wanting."""
    wrong: dict[str, list[str]] = {}
    if not isinstance(body, dict):
        raise RefusalError(400, "One or more validation errors occurred.", {"$": ["A JSON object is expected."]})
    kept = _object(BODIES[call], body, "", wrong)
    if wrong:
        raise RefusalError(400, "One or more validation errors occurred.", wrong)
    return kept


def _object(schema: str, given: dict[str, Any], where: str, wrong: dict[str, list[str]]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    fields: dict[str, str] = SCHEMAS[schema]
    # The documents require the whole address in a patch; over there a part of it will do, as in any patch.
    whole = schema not in PATCHED_ADDRESSES
    for name, kind in fields.items():
        value, path, required = given.get(name), where + name, kind.startswith("!") and whole
        if name not in given or (value is None and required):
            if required:
                wrong[path] = [f"The {name} field is required."]
        elif value is None:
            if kind.startswith("?") or not whole:
                kept[name] = None
            else:
                wrong[path] = [f"The {name} field cannot be null."]
        else:
            kept[name] = _value(kind.lstrip("!?"), value, path, wrong)
    return kept


PATCHED_ADDRESSES = {
    "Crm.V2.Customers.UpdateCustomerAddress",
    "Crm.V2.Locations.AddressPatchModel",
    "Crm.V2.AddressPatchModel",
}
TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "num": (int, float),
    "str": (str,),
    "bool": (bool,),
    "time": (str,),
}


def _value(kind: str, value: Any, path: str, wrong: dict[str, list[str]]) -> Any:
    if kind.startswith("["):
        if isinstance(value, list):
            return [_value(kind[1:-1], each, f"{path}[{place}]", wrong) for place, each in enumerate(value)]
    elif kind in TYPES:
        if type(value) in TYPES[kind] and (kind != "time" or stamps.read(value) is not None):
            return value
    elif isinstance(SCHEMAS[kind], list):
        if value in SCHEMAS[kind]:
            return value
    elif isinstance(value, dict):
        return _object(kind, value, f"{path}.", wrong)
    wrong[path] = [f"The value is not valid for {path.rsplit('.', 1)[-1]}."]
    return value
