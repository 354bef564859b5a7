"""Every feed, list and single record has the form of the published documents, and every documented filter works."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines.simulators.servicetitan import ServiceTitanSimulator
from st_sf_pipelines.simulators.servicetitan.documents import QUERIES
from st_sf_pipelines.simulators.servicetitan.entities import ENTITIES, Entity
from st_sf_pipelines.simulators.shop import make_shop

from .caller import Caller
from .published import ANSWERS, misfits, route_of

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 1, 31, 15, 30, tzinfo=UTC)
FEEDS = [entity for entity in ENTITIES if entity.feed]
LISTS = [entity for entity in ENTITIES if entity.listed]
PAGING = {"page", "pageSize", "includeTotal", "sort", "orderBy", "orderByDirection", "ids", "active", "activeState"}


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    shop = make_shop(customers=120, anchor=NOW)
    with (
        ServiceTitanSimulator(shop, page_size=500, rate_limit=None, clock=lambda: NOW) as simulator,
        Caller(simulator) as caller,
    ):
        yield caller


def fits(caller: Caller, path: str, **query: Any) -> Any:
    """Fetch a path that answers, and check its answer's form."""
    answer = caller.http.get(path, params=query)
    assert answer.status_code == 200, answer.text
    published = ANSWERS[route_of("GET", path)]
    assert published
    assert not list(misfits(published, answer.json()))
    return answer.json()


def path_of(caller: Caller, entity: Entity, rest: str | None) -> str:
    return f"/{entity.module}/v2/tenant/{caller.who['id']}/{rest}"


@pytest.mark.parametrize("entity", FEEDS, ids=lambda entity: str(entity.name))
def test_a_feed_answers_as_published(caller: Caller, entity: Entity) -> None:
    page = fits(caller, path_of(caller, entity, entity.feed))
    assert page["data"]
    if entity.alias:
        assert fits(caller, path_of(caller, entity, entity.alias)) == page


@pytest.mark.parametrize("entity", LISTS, ids=lambda entity: str(entity.name))
def test_a_list_and_its_records_answer_as_published(caller: Caller, entity: Entity) -> None:
    page = fits(caller, path_of(caller, entity, entity.listed), pageSize=5000, modifiedOnOrAfter="2000-01-01")
    assert page["data"]
    assert page["totalCount"] is None
    key = page["data"][0]["id"]
    if entity.single:
        assert fits(caller, path_of(caller, entity, f"{entity.listed}/{key}")) == page["data"][0]
        missing = caller.http.get(path_of(caller, entity, f"{entity.listed}/999"))
        assert (missing.status_code, missing.json()["status"]) == (404, 404)
    else:
        assert caller.http.get(path_of(caller, entity, f"{entity.listed}/{key}")).status_code == 404


@pytest.mark.parametrize("entity", LISTS, ids=lambda entity: str(entity.name))
def test_the_months_of_creation_add_up_to_the_whole(caller: Caller, entity: Entity) -> None:
    query = {"includeTotal": True, "active": "Any", "activeState": "All", "pageSize": 1}
    months = [f"{year}-{month:02}-01" for year in (2022, 2023, 2024, 2025, 2026) for month in range(1, 13)]

    def count(**bounds: str) -> int:
        return int(caller.page(entity.name, "list", **query, **{**ALWAYS, **bounds})["totalCount"])

    counts = [count(createdOnOrAfter=since, createdBefore=before) for since, before in pairwise(months)]
    assert sum(counts) == count()
    if len(caller.page(entity.name, "list", **ALWAYS)["data"]) == 50:
        assert max(counts) < count()


ALWAYS = {"modifiedOnOrAfter": "2000-01-01"}


def sample(kind: str, name: str) -> str:
    """Give something that a parameter might say."""
    if name in SAMPLES:
        return SAMPLES[name]
    return {"time": "2025-06-01T00:00:00Z", "bool": "true", "int": "5", "num": "5"}.get(kind, "x")


SAMPLES = {
    "jobStatus": "Completed", "appointmentStatus": "Done", "status": "Open", "activeState": "All", "active": "Any",
    "statuses": "Posted", "reviewStatuses": "Reviewed", "invoiceConfigurations": "JobInvoice",
    "balanceFilter.Comparer": "Greater", "customField.Operator": "And", "transactionType": "ReceivePayment",
}  # fmt: skip


@pytest.mark.parametrize("entity", LISTS, ids=lambda entity: str(entity.name))
def test_every_documented_parameter_is_understood(caller: Caller, entity: Entity) -> None:
    path = path_of(caller, entity, entity.listed)
    # Parameters about things that this shop has not: another application's data, custom fields, permanent links.
    beside = {"externalDataApplicationGuid", "customField.Fields", "customField.Operator", "genPermUrl",
              "transactionType", "balanceFilter.Comparer", "excludeAccountingChangesFromModifiedDateRange",
              "createdOnOrAfter", "createdBefore", "modifiedOnOrAfter", "modifiedBefore"}  # fmt: skip
    asked = QUERIES[f"{entity.module}/{entity.listed}"]
    assert asked.keys() - PAGING - beside == entity.filters.keys()
    assert ({"active", "activeState"} & asked.keys()) == ({entity.active_filter} - {None})
    for name, kind in asked.items():
        if name in PAGING | {"customField.Fields"}:
            continue
        given = "Scheduled" if entity.name == "appointments" and name == "status" else sample(kind.strip("[]"), name)
        query = {"modifiedOnOrAfter": "2000-01-01", name: given}
        assert caller.http.get(path, params=query).status_code == 200, name
        if kind in {"time", "bool", "int", "num"}:
            answer = caller.http.get(path, params={**query, name: "soon"})
            assert (answer.status_code, list(answer.json()["errors"])) == (400, [name])


@pytest.mark.parametrize(
    ("entity", "query"),
    [
        ("locations", {"customerId": "customerId"}),
        ("leads", {"status": "status", "customerId": "customerId"}),
        ("bookings", {"externalId": "externalId"}),
        ("jobs", {"jobTypeId": "jobTypeId", "campaignId": "campaignId"}),
        ("appointments", {"jobId": "jobId", "status": "status"}),
        ("appointment_assignments", {"jobId": "jobId", "appointmentIds": "appointmentId"}),
        ("estimates", {"jobId": "jobId", "status": "status.name"}),
        ("invoices", {"jobId": "job.id", "statuses": "syncStatus"}),
        ("payments", {"customerId": "customer.id"}),
        ("technicians", {"name": "name"}),
        ("employees", {"userIds": "userId"}),
        ("campaigns", {"name": "name"}),
        ("job_types", {"name": "name", "priority": "priority"}),
    ],
)
def test_a_filter_gives_the_records_with_that_value_and_no_other(
    caller: Caller, entity: str, query: dict[str, str]
) -> None:
    def value(record: dict[str, Any], path: str) -> Any:
        for name in path.split("."):
            record = (record or {})[name] if isinstance(record, dict) else record
        return record

    everything = caller.page(entity, "list", pageSize=5000)["data"]
    for name, path in query.items():
        wanted = next(value(record, path) for record in reversed(everything) if value(record, path) is not None)
        found = caller.page(entity, "list", pageSize=5000, **{name: wanted})["data"]
        assert found == [record for record in everything if value(record, path) == wanted]


def test_jobs_are_found_by_their_appointments(caller: Caller) -> None:
    visits = caller.page("appointments", "list", pageSize=5000)["data"]
    sent = caller.page("appointment_assignments", "list", pageSize=5000)["data"]
    jobs = caller.page("jobs", "list", pageSize=5000)["data"]

    def ids(**query: Any) -> set[int]:
        return {job["id"] for job in caller.page("jobs", "list", pageSize=5000, **query)["data"]}

    assert ids(appointmentStatus="Canceled") == {each["jobId"] for each in visits if each["status"] == "Canceled"}
    someone = sent[0]["technicianId"]
    assert ids(technicianId=someone) == {each["jobId"] for each in sent if each["technicianId"] == someone}
    since = "2025-10-01T00:00:00Z"
    assert ids(appointmentStartsOnOrAfter=since) == {each["jobId"] for each in visits if each["start"] >= since}
    first = {job["id"]: job["firstAppointmentId"] for job in jobs}
    starts = {each["id"]: each["start"] for each in visits}
    assert ids(firstAppointmentStartsBefore=since) == {job for job, visit in first.items() if starts[visit] < since}


def test_a_feed_of_appointments_can_leave_out_the_deleted(caller: Caller) -> None:
    everything, _ = caller.read("appointment_assignments")
    for word, wanted in (("True", True), ("False", False)):
        records, _ = caller.read("appointment_assignments", active=word)
        assert records == [record for record in everything if record["active"] is wanted]


def test_amounts_and_stamps_are_bounds(caller: Caller) -> None:
    offers = caller.page("estimates", "list", pageSize=5000)["data"]
    found = caller.page("estimates", "list", pageSize=5000, totalGreater=1000, totalLess=9000)["data"]
    assert found == [offer for offer in offers if 1000 < offer["subtotal"] < 9000]
    sold = caller.page("estimates", "list", pageSize=5000, soldAfter="2025-01-01")["data"]
    assert sold == [offer for offer in offers if (offer["soldOn"] or "") >= "2025-01-01"]
    owed = caller.page("invoices", "list", pageSize=5000, **{"balanceFilter.Balance": 0})["data"]
    owing = {"balanceFilter.Balance": 0, "balanceFilter.Comparer": "Greater"}
    assert len(owed) + len(caller.page("invoices", "list", pageSize=5000, **owing)["data"]) == len(
        caller.page("invoices", "list", pageSize=5000)["data"]
    )
