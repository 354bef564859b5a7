"""The stand-in's own addresses below `/_sim/`, by which a test arranges the org and looks into it."""

from collections.abc import Callable
from typing import Any

from st_sf_pipelines.simulators.faults import FaultError
from st_sf_pipelines.simulators.salesforce.counters import Counters
from st_sf_pipelines.simulators.salesforce.custom_fields import CustomField
from st_sf_pipelines.simulators.salesforce.exchange import Answer
from st_sf_pipelines.simulators.salesforce.faults import Faults, SalesforceFault
from st_sf_pipelines.simulators.salesforce.merging import merge
from st_sf_pipelines.simulators.salesforce.office import put_records, raw_records
from st_sf_pipelines.simulators.salesforce.org import Org
from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.rules import DuplicateRule, Rules, ValidationRule


def control(org: Org, method: str, path: str, query: dict[str, str], body: Any) -> Answer:
    """Do what a test asks for; a request that makes no sense is answered with a sentence that says why."""
    name, _, rest = path.partition("/")
    try:
        if name == "records":
            return _records(org, method, rest, query, body)
        handler = _HANDLERS.get((method, path))
        return handler(org, body) if handler else Answer(404, {"error": f"{method} /_sim/{path} is not known"})
    except (FaultError, KeyError, TypeError, Refusal) as error:
        return Answer(400, {"error": f"{type(error).__name__}: {error}"})


def _records(org: Org, method: str, name: str, query: dict[str, str], body: Any) -> Answer:
    kind = org.schema.get(name)
    if method == "GET":
        return Answer(body=raw_records(org, kind, deleted=query.get("deleted") == "true"))
    records = body if isinstance(body, list) else [body]
    return Answer(201, {"ids": put_records(org, kind, records)})


def _set_faults(org: Org, body: Any) -> Answer:
    org.faults = Faults(SalesforceFault.read_all(body))
    return Answer(204)


def _clear_faults(org: Org, _body: Any) -> Answer:
    org.faults = Faults()
    return Answer(204)


def _report(org: Org, _body: Any) -> Answer:
    return Answer(body=org.counters.report(org.api_calls, org.tables.outcomes))


def _count_anew(org: Org, _body: Any) -> Answer:
    org.counters = Counters()
    for outcomes in org.tables.outcomes.values():
        outcomes.clear()
    return Answer(204)


def _change_field(org: Org, body: Any) -> Answer:
    """Add, remove, hide or show a field of an object."""
    kind = org.schema.get(body["object"])
    action, name = body["action"], body["name"]
    if action == "add":
        given = {key: value for key, value in body.items() if key != "action"}
        given["choices"] = tuple(given.get("choices", ()))
        given["reference_to"] = tuple(given.get("reference_to", ()))
        kind.add(CustomField(**given).describe())
    elif action == "remove":
        kind.remove(name)
    elif action in ("hide", "show"):
        kind.hide(name, hidden=action == "hide")
    else:
        raise FaultError("the action on a field is add, remove, hide or show")
    org.tables.of[kind.name].reindex()
    return Answer(204)


def _add_rule(org: Org, body: Any) -> Answer:
    """Add a validation rule or a duplicate rule."""
    org.schema.get(body["object"])
    kind, given = body["rule"], {key: value for key, value in body.items() if key != "rule"}
    if kind == "validation":
        org.rules.validation.append(ValidationRule(**given))
    elif kind == "duplicate":
        org.rules.duplicates.append(DuplicateRule(**given))
    else:
        raise FaultError("a rule is validation or duplicate")
    return Answer(204)


def _clear_rules(org: Org, _body: Any) -> Answer:
    org.rules = Rules()
    return Answer(204)


def _merge(org: Org, body: Any) -> Answer:
    """Merge records into another: `{"object": "Contact", "master": "003...", "losers": ["003..."]}`."""
    merge(org, body["object"], body["master"], body["losers"])
    return Answer(204)


def _expire(org: Org, body: Any) -> Answer:
    return Answer(body={"expired": org.sessions.expire((body or {}).get("token"))})


def _limit(org: Org, body: Any) -> Answer:
    org.daily_limit = body.get("daily_limit", org.daily_limit)
    org.api_calls = body.get("used", org.api_calls)
    return Answer(204)


_HANDLERS: dict[tuple[str, str], Callable[[Org, Any], Answer]] = {
    ("POST", "faults"): _set_faults,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "counters"): _report,
    ("DELETE", "counters"): _count_anew,
    ("POST", "fields"): _change_field,
    ("POST", "rules"): _add_rule,
    ("DELETE", "rules"): _clear_rules,
    ("POST", "merge"): _merge,
    ("POST", "session/expire"): _expire,
    ("POST", "limit"): _limit,
}
