"""The stand-in's own addresses below `/_sim/`, by which a test arranges the CRM and looks into it."""

from collections.abc import Callable
from typing import Any

from st_sf_pipelines.simulators.crm.answers import Answer, Refused
from st_sf_pipelines.simulators.crm.collections import COLLECTIONS
from st_sf_pipelines.simulators.crm.faults import CrmFault
from st_sf_pipelines.simulators.crm.state import State
from st_sf_pipelines.simulators.faults import FaultError


def control(state: State, method: str, path: str, body: Any) -> Answer:
    """Do what a test asks for; a request that makes no sense is answered with a sentence that says why."""
    name, _, rest = path.partition("/")
    try:
        if name == "records" and rest.partition("/")[0] in COLLECTIONS:
            return _records(state, method, rest, body)
        handler = _HANDLERS.get((method, path))
        return handler(state, body) if handler else Answer(404, {"error": f"{method} /_sim/{path} is not known"})
    except (FaultError, TypeError, AttributeError) as error:
        return Answer(400, {"error": f"{type(error).__name__}: {error}"})
    except Refused as refused:
        return Answer(400, {"error": str(refused.answer.body)})


def _records(state: State, method: str, path: str, body: Any) -> Answer:
    """Look at the documents of a collection, or make, change and delete some as a person would."""
    slug, _, document_id = path.partition("/")
    collection, documents = COLLECTIONS[slug], state.documents
    if method == "GET":
        return Answer(body=list(documents.of[slug].values()))
    if method == "DELETE":
        documents.delete(collection, documents.read_id(document_id))
        return Answer(204)
    ids = []
    for record in body if isinstance(body, list) else [body]:
        changed = "id" in record
        document = (
            documents.update(collection, record["id"], record) if changed else documents.create(collection, record)
        )
        documents.written[slug]["updated" if changed else "created"] -= 1  # it was nobody's client
        ids.append(document["id"])
    return Answer(201, {"ids": ids})


def _set_faults(state: State, body: Any) -> Answer:
    state.faults = CrmFault.read_all(body)
    return Answer(204)


def _clear_faults(state: State, _body: Any) -> Answer:
    state.faults = []
    return Answer(204)


def _report(state: State, _body: Any) -> Answer:
    return Answer(body=state.report())


def _count_anew(state: State, _body: Any) -> Answer:
    state.count_anew()
    return Answer(204)


def _events(state: State, _body: Any) -> Answer:
    return Answer(body=state.events)


_HANDLERS: dict[tuple[str, str], Callable[[State, Any], Answer]] = {
    ("POST", "faults"): _set_faults,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "counters"): _report,
    ("DELETE", "counters"): _count_anew,
    ("GET", "events"): _events,
}
