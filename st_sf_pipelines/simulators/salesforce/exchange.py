"""One request to the REST API and its answer, whether it came by itself or inside a composite request."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson

from st_sf_pipelines.simulators.salesforce.faults import RowError
from st_sf_pipelines.simulators.salesforce.org import INTEGRATION_USER, Org
from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.schema import ObjectType
from st_sf_pipelines.simulators.salesforce.writer import Writer

VERSIONED = re.compile(r"/services/data/(v\d\d\.0)(?:/([^?]*))?(?:\?(.*))?", re.DOTALL)


@dataclass
class Answer:
    """What goes back: a status, a body that is JSON or nothing, and headers of its own."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """One request to a resource of the REST API, below `/services/data/vXX.0/`."""

    org: Org
    method: str
    version: str
    segments: list[str]
    query: dict[str, str]
    headers: dict[str, str]
    content: bytes | None = None
    row_faults: list[RowError] = field(default_factory=list)
    all_or_none: bool = False
    args: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> str:
        """Return the path below which all resources of this API version stand."""
        return f"/services/data/{self.version}"

    @cached_property
    def kind(self) -> ObjectType:
        """Return the object that the address names."""
        return self.org.schema.get(self.args["object"])

    @cached_property
    def json(self) -> Any:
        """Return the body as JSON."""
        if "json" not in self.headers.get("content-type", ""):
            message = "Content type of request was not a supported content type"
            raise Refusal("UNSUPPORTED_MEDIA_TYPE", message, status=415)
        try:
            return orjson.loads(self.content or b"")
        except orjson.JSONDecodeError as error:
            message = f"Unexpected character at [line:{error.lineno}, column:{error.colno}]"
            raise Refusal("JSON_PARSER_ERROR", message) from None

    def json_object(self) -> dict[str, Any]:
        """Return the body, which must be one JSON object."""
        if not isinstance(self.json, dict):
            raise Refusal("JSON_PARSER_ERROR", "The HTTP entity body must be one JSON object")
        return self.json

    def writer(self) -> Writer:
        """Return what saves this call's records, and note whether assignment rules were told to keep still."""
        self.org.counters.auto_assign[self.headers.get("sforce-auto-assign", "absent").upper()] += 1
        rule_header = self.headers.get("sforce-duplicate-rule-header", "").replace(" ", "").lower()
        return Writer(
            self.org.schema,
            self.org.tables,
            self.org.rules,
            INTEGRATION_USER,
            self.org.now(),
            allow_duplicates="allowsave=true" in rule_header,
            row_faults=self.row_faults,
        )


Handler = Callable[[Call], Answer]


def open_call(org: Org, method: str, address: str, headers: dict[str, str], content: bytes | None) -> Call | None:
    """Read an address below `/services/data/vXX.0`; nothing where it is another."""
    match = VERSIONED.fullmatch(address)
    if match is None:
        return None
    version, path, query = match.groups()
    # Split before decoding: a key's own slash comes as %2F and must not end its segment.
    segments = [unquote(segment) for segment in (path or "").split("/") if segment]
    parsed = dict(parse_qsl(query or "", keep_blank_values=True))
    return Call(org, method, version, segments, parsed, headers, content)
