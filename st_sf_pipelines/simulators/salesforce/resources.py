"""The table of what stands below `/services/data/vXX.0/`, and how a call finds its place in it."""

from typing import NamedTuple

from st_sf_pipelines.simulators.salesforce import about, queries, records, sobject_collections
from st_sf_pipelines.simulators.salesforce.exchange import Answer, Call, Handler
from st_sf_pipelines.simulators.salesforce.refusals import Refusal, not_found

WRITES = ("POST", "PATCH", "DELETE")


class Resource(NamedTuple):
    """An address, with words in braces for what varies, and who answers each method there."""

    path: str
    handlers: dict[str, Handler]


RESOURCES = (
    Resource("", {"GET": about.resources}),
    Resource("limits", {"GET": about.limits}),
    Resource("limits/recordCount", {"GET": about.record_counts}),
    Resource("query", {"GET": queries.query}),
    Resource("queryAll", {"GET": queries.query_all}),
    Resource("query/{locator}", {"GET": queries.next_page}),
    Resource("queryAll/{locator}", {"GET": queries.next_page}),
    Resource("sobjects", {"GET": about.list_objects}),
    Resource("sobjects/{object}", {"GET": about.object_summary, "POST": records.create}),
    Resource("sobjects/{object}/describe", {"GET": about.describe}),
    Resource("sobjects/{object}/{id}", {"GET": records.read, "PATCH": records.update, "DELETE": records.delete}),
    Resource(
        "sobjects/{object}/{field}/{id}",
        {"GET": records.read_by_key, "PATCH": records.upsert_by_key, "DELETE": records.delete_by_key},
    ),
    Resource(
        "composite/sobjects",
        {
            "POST": sobject_collections.create,
            "PATCH": sobject_collections.update,
            "DELETE": sobject_collections.delete,
        },
    ),
    Resource("composite/sobjects/{object}", {"GET": sobject_collections.read, "POST": sobject_collections.read}),
    Resource("composite/sobjects/{object}/{field}", {"PATCH": sobject_collections.upsert}),
)


class Place(NamedTuple):
    """Where a call belongs: its handlers, and a name for it in which no record's value stands."""

    handlers: dict[str, Handler]
    label: str


def place(call: Call, table: tuple[Resource, ...] = RESOURCES) -> Place | None:
    """Find a call's resource, and note what its address names."""
    for resource in table:
        pattern = resource.path.split("/") if resource.path else []
        if len(pattern) != len(call.segments):
            continue
        pairs = list(zip(pattern, call.segments, strict=True))
        if all(word.startswith("{") or word == segment for word, segment in pairs):
            call.args = {word[1:-1]: segment for word, segment in pairs if word.startswith("{")}
            shown = [call.args[word[1:-1]] if word in ("{object}", "{field}") else word for word in pattern]
            return Place(resource.handlers, "/" + "/".join(shown))
    return None


def answer(call: Call, table: tuple[Resource, ...] = RESOURCES) -> Answer:
    """Answer a call; a refusal of the whole request becomes its status and its array of one error."""
    here = place(call, table)
    if here is None:
        refusal = not_found()
        return Answer(refusal.status, refusal.as_body())
    handler = here.handlers.get(call.method)
    if handler is None:
        message = f"HTTP Method '{call.method}' not allowed. Allowed are {','.join(here.handlers)}"
        return Answer(405, Refusal("METHOD_NOT_ALLOWED", message).as_body())
    try:
        return handler(call)
    except Refusal as refusal:
        if call.method in WRITES and call.segments[0] == "sobjects":
            call.org.counters.refused[call.args["object"]] += 1
        return Answer(refusal.status, refusal.as_body())
