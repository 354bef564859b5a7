"""Which handler answers which call beside the feeds, lists and single records."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson

from . import asking_calls, customer_calls, documents, estimate_calls, job_calls
from .answers import RefusalError
from .calls import Call, Papers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from st_sf_pipelines.simulators.shop import Tenant

CALLS: dict[str, Callable[[Call], Any]] = {
    **customer_calls.CALLS,
    **asking_calls.CALLS,
    **job_calls.CALLS,
    **estimate_calls.CALLS,
}
BODIES = {re.sub(r"\{\w+\}", "{}", call): call for call in documents.BODIES}


def known(method: str, module: str, rest: str) -> str | None:
    """Give the name of the handler of a call, if there is one."""
    call = f"{method} {module}/{re.sub(r'(?<=/)[0-9]+', '{}', rest)}"
    return call if call in CALLS else None


def answer(
    call: str, tenant: Tenant, papers: Papers, now: int, rest: str, query: Mapping[str, str], body: bytes
) -> Any:
    """Let the handler answer: with what it gives, or with nothing."""
    ids = tuple(int(word) for word in rest.split("/") if word.isdigit())
    told: dict[str, Any] = {}
    if call in BODIES:
        try:
            given = orjson.loads(body)
        except orjson.JSONDecodeError as wrong:
            raise RefusalError(
                400, "One or more validation errors occurred.", {"$": ["The body is no JSON."]}
            ) from wrong
        told = documents.checked(BODIES[call], given)
    return CALLS[call](Call(tenant, papers, now, ids, told, query))
