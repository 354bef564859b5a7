"""Writes answer as published, refuse what is wrong by name, drop what nobody knows, and show in the feeds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines.simulators.servicetitan import ServiceTitanSimulator
from st_sf_pipelines.simulators.servicetitan.documents import BODIES
from st_sf_pipelines.simulators.servicetitan.routing import CALLS
from st_sf_pipelines.simulators.shop import make_shop

from .caller import Caller
from .published import ANSWERS, misfits, route_of

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 1, 31, 15, 30, tzinfo=UTC)
ADDRESS = {"street": "1 Oak St", "city": "Irvine", "state": "CA", "zip": "92602", "country": "USA"}
SPAN = {"start": "2026-02-03T17:00:00Z", "end": "2026-02-03T19:00:00Z"}


class Office(Caller):
    """A client that writes, and checks the form of each answer."""

    def call(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """Make a call that ends with a status; give its body."""
        module, rest = path.split("/", 1)
        whole = f"/{module}/v2/tenant/{self.who['id']}/{rest}"
        answer = self.http.request(method, whole, json=body)
        assert answer.status_code == status, answer.text
        if status != 200:
            assert answer.json().keys() == {"type", "title", "status", "traceId", "errors", "data"}
            return answer.json()
        kind = ANSWERS[route_of(method, whole)]
        if kind is None:
            assert answer.content == b""
            return None
        assert not list(misfits(kind, answer.json()))
        return answer.json()

    def wrong(self, method: str, path: str, body: Any) -> set[str]:
        """Make a call that is refused; give the fields that are named."""
        return set(self.call(method, path, body, 400)["errors"])

    def newest(self, entity: str) -> dict[str, Any]:
        """Give the record that reached the feed last."""
        return self.read(entity, includeRecentChanges=True)[0][-1]

    def new_job(self, **more: Any) -> dict[str, Any]:
        """Create a customer and a job."""
        customer = self.call("POST", "crm/customers", NEW_CUSTOMER)
        unit, kind, campaign = (self.page(name, "list")["data"][0]["id"] for name in REFERRED)
        body = {
            "customerId": customer["id"],
            "locationId": customer["locations"][0]["id"],
            "businessUnitId": unit,
            "jobTypeId": kind,
            "priority": "Normal",
            "campaignId": campaign,
            "appointments": [SPAN],
            **more,
        }
        job: dict[str, Any] = self.call("POST", "jpm/jobs", body)
        return job


REFERRED = ("business_units", "job_types", "campaigns")
NEW_CUSTOMER = {
    "name": "Ann Lee",
    "address": ADDRESS,
    "locations": [{"name": "Home", "address": ADDRESS, "contacts": [{"type": "Phone", "value": "6195550101"}]}],
    "contacts": [{"type": "Email", "value": "ann@example.com"}, {"type": "MobilePhone", "value": "6195550100"}],
    "externalData": {"applicationGuid": "a-1", "externalData": [{"key": "sf", "value": "003"}]},
    "shoeSize": 9,
}


@pytest.fixture
def st() -> Iterator[ServiceTitanSimulator]:
    shop = make_shop(customers=30, anchor=NOW)
    with ServiceTitanSimulator(shop, page_size=1000, rate_limit=None, clock=lambda: NOW) as simulator:
        yield simulator


@pytest.fixture
def office(st: ServiceTitanSimulator) -> Iterator[Office]:
    with Office(st) as office:
        yield office


def test_every_published_write_has_a_handler() -> None:
    routes = {route.replace("/v2/tenant/{tenant}", "") for route in ANSWERS if not route.startswith("GET ")}
    handled = {call.replace(" ", " /") for call in CALLS}
    assert {_plain(route) for route in routes} <= handled
    assert {_plain(call.replace(" ", " /")) for call in BODIES} <= handled


def _plain(route: str) -> str:
    return "/".join("{}" if word.startswith("{") else word for word in route.split("/"))


def test_a_customer_comes_with_location_and_contacts(office: Office) -> None:
    made = office.call("POST", "crm/customers", NEW_CUSTOMER)
    assert "shoeSize" not in made
    assert (made["type"], made["active"]) == ("Residential", True)
    assert [each["value"] for each in made["contacts"]] == ["ann@example.com", "6195550100"]
    assert made["locations"][0]["customerId"] == made["id"]
    assert office.call("GET", f"crm/customers/{made['id']}")["name"] == "Ann Lee"
    assert office.newest("customers")["id"] == made["id"]
    assert [each["id"] for each in office.page("customers", "list", externalDataValues="003")["data"]] == [made["id"]]
    assert len(office.call("GET", f"crm/customers/{made['id']}/contacts")["data"]) == 2


def test_what_is_wrong_is_named_field_by_field(office: Office) -> None:
    assert office.wrong("POST", "crm/customers", {}) == {"name", "locations", "address"}
    body: dict[str, Any] = {**NEW_CUSTOMER, "name": 5, "type": "Alien", "contacts": [{"type": "Phone"}]}
    assert office.wrong("POST", "crm/customers", body) == {"name", "type", "contacts[0].value"}
    assert office.wrong("POST", "crm/customers", {**NEW_CUSTOMER, "locations": []}) == {"locations"}
    assert office.wrong("POST", "crm/customers", {**NEW_CUSTOMER, "address": {}}) >= {"address.street", "address.zip"}
    assert office.wrong("POST", "crm/customers", []) == {"$"}
    assert office.wrong("POST", "crm/leads", {"summary": "x", "campaignId": 1}) == {"callReasonId", "followUpDate"}
    assert office.wrong("POST", "jpm/jobs", {"priority": "Normal"}) == {
        "customerId", "locationId", "businessUnitId", "jobTypeId", "campaignId", "appointments",
    }  # fmt: skip


def test_a_customer_is_changed_in_part_and_lists_whole(office: Office) -> None:
    made = office.call("POST", "crm/customers", NEW_CUSTOMER)
    path = f"crm/customers/{made['id']}"
    tag = office.page("tag_types", "list")["data"][0]["id"]
    changed = office.call("PATCH", path, {"address": {"street": "2 Elm St"}, "tagTypeIds": [tag], "balance": 99})
    assert changed["address"] == {**made["address"], "street": "2 Elm St"}
    assert (changed["tagTypeIds"], changed["balance"]) == ([tag], made["balance"])
    more = {"applicationGuid": "a-1", "patchMode": "Merge", "externalData": [{"key": "crm", "value": "7"}]}
    kept = office.call("PATCH", path, {"externalData": more})["externalData"]
    assert kept == [{"key": "sf", "value": "003"}, {"key": "crm", "value": "7"}]
    less = {**more, "patchMode": "Replace", "externalData": []}
    assert office.call("PATCH", path, {"externalData": less})["externalData"] == []
    assert office.call("PATCH", "crm/customers/5", {"name": "x"}, 404)["status"] == 404
    assert office.wrong("PATCH", path, {"name": None, "active": "yes"}) == {"name", "active"}


def test_contacts_are_added_changed_and_deleted(office: Office) -> None:
    made = office.call("POST", "crm/customers", NEW_CUSTOMER)
    path = f"crm/customers/{made['id']}/contacts"
    new = office.call("POST", path, {"type": "Phone", "value": "6195550199"})
    changed = office.call("PATCH", f"{path}/{new['id']}", {"value": "6195550198", "memo": "work"})
    assert (changed["value"], changed["memo"]) == ("6195550198", "work")
    assert changed["phoneSettings"]["phoneNumber"] == "6195550198"
    assert office.page("customers", "list", phone="6195550198")["data"][0]["id"] == made["id"]
    office.call("DELETE", f"{path}/{new['id']}")
    assert new["id"] not in [each["id"] for each in office.call("GET", path)["data"]]
    assert (office.newest("customer_contacts")["id"], office.newest("customer_contacts")["active"]) == (
        new["id"],
        False,
    )
    office.call("DELETE", f"{path}/{new['id']}", status=404)


def test_tags_go_on_and_off(office: Office) -> None:
    made = office.call("POST", "crm/customers", NEW_CUSTOMER)
    one, two = (each["id"] for each in office.page("tag_types", "list")["data"][:2])
    path = f"crm/customers/{made['id']}/tags"
    assert office.call("POST", f"{path}/{one}") == {"customerId": made["id"], "tagTypeIds": [one]}
    office.call("POST", f"{path}/{one}", status=409)
    office.call("PUT", "crm/tags", {"customerIds": [made["id"]], "tagTypeIds": [one, two]})
    assert office.call("GET", f"crm/customers/{made['id']}")["tagTypeIds"] == [one, two]
    office.call("DELETE", "crm/tags", {"customerIds": [made["id"]], "tagTypeIds": [two]})
    office.call("DELETE", f"{path}/{one}")
    assert office.call("GET", f"crm/customers/{made['id']}")["tagTypeIds"] == []
    assert office.wrong("PUT", "crm/tags", {"customerIds": [5], "tagTypeIds": [one]}) == {"customerIds"}
    home = made["locations"][0]["id"]
    assert office.call("POST", f"crm/locations/{home}/tags/{one}") == {"locationId": home, "tagTypeIds": [one]}
    office.call("DELETE", f"crm/locations/{home}/tags/{one}")


def test_locations_are_made_and_moved(office: Office) -> None:
    made = office.call("POST", "crm/customers", NEW_CUSTOMER)
    home = office.call("POST", "crm/locations", {"customerId": made["id"], "name": "Shed", "address": ADDRESS})
    moved = office.call("PATCH", f"crm/locations/{home['id']}", {"active": False, "address": {"city": "Tustin"}})
    assert (moved["active"], moved["address"]["city"], moved["address"]["street"]) == (False, "Tustin", "1 Oak St")
    assert office.wrong("POST", "crm/locations", {"customerId": 5, "name": "x", "address": ADDRESS}) == {"customerId"}


def test_notes_are_added_and_listed_newest_first(office: Office) -> None:
    job = office.new_job()
    lead = office.page("leads", "list")["data"][0]["id"]
    for entity, module, key in (
        ("customers", "crm", job["customerId"]),
        ("locations", "crm", job["locationId"]),
        ("leads", "crm", lead),
        ("jobs", "jpm", job["id"]),
    ):
        path = f"{module}/{entity}/{key}/notes"
        for text in ("first", "second"):
            note = office.call("POST", path, {"text": text, "pinToTop": text == "second"})
            assert note["isPinned"] is (text == "second")
        assert [note["text"] for note in office.call("GET", path)["data"]] == ["second", "first"]
        assert office.wrong("POST", path, {"text": ""}) == {"text"}
        if entity in {"customers", "locations"}:
            office.call("DELETE", f"{path}/{note['id']}")
            office.call("DELETE", f"{path}/{note['id']}", status=404)
    office.call("GET", "crm/leads/5/notes", status=404)


def test_a_lead_is_followed_up_and_dismissed(office: Office) -> None:
    campaign = office.page("campaigns", "list")["data"][0]["id"]
    lead = office.call(
        "POST", "crm/leads", {"campaignId": campaign, "summary": "Pump", "callReasonId": 1, "leadPhone": "6195550177"}
    )
    assert (lead["status"], lead["customerId"]) == ("Open", None)
    assert office.page("leads", "list", leadPhone="(619) 555-0177", withoutCustomer=True)["data"] == [lead]
    told = office.call("POST", f"crm/leads/{lead['id']}/follow-up", {"followUpDate": "2026-02-05T17:00:00Z"})
    assert told["pinToTop"] is False
    changed = office.call("PATCH", f"crm/leads/{lead['id']}", {"leadCustomerName": "Bo", "status": "Converted"})
    assert (changed["leadCustomerName"], changed["status"]) == ("Bo", "Open")
    assert changed["followUpDate"] == "2026-02-05T17:00:00Z"
    assert office.wrong("POST", f"crm/leads/{lead['id']}/dismiss", {}) == {"dismissingReasonId"}
    office.call("POST", f"crm/leads/{lead['id']}/dismiss", {"dismissingReasonId": 3})
    assert office.newest("leads")["status"] == "Dismissed"
    office.call("POST", f"crm/leads/{lead['id']}/dismiss", {"dismissingReasonId": 3}, 409)
    body = {"campaignId": 5, "summary": "x", "callReasonId": 1}
    assert office.wrong("POST", "crm/leads", body) == {"campaignId"}


def test_a_provider_books_and_an_external_id_only_once(office: Office) -> None:
    path = "crm/booking-provider/77/bookings"
    body = {
        "source": "Web",
        "name": "Cy",
        "summary": "Leak",
        "isFirstTimeClient": True,
        "externalId": "w-1",
        "contacts": [{"type": "Email", "value": "cy@example.com"}],
    }
    booking = office.call("POST", path, body)
    assert (booking["status"], booking["bookingProviderId"]) == ("New", 77)
    office.call("POST", path, body, 409)
    office.call("POST", f"{path}/{booking['id']}/contacts", {"type": "Phone", "value": "6195550166"})
    assert [each["type"] for each in office.call("GET", f"crm/bookings/{booking['id']}/contacts")["data"]] == [
        "Email",
        "Phone",
    ]
    assert office.call("GET", path)["data"] == [booking]
    assert office.call("PATCH", f"{path}/{booking['id']}", {"summary": "Flood"})["summary"] == "Flood"
    job = office.new_job(bookingId=booking["id"])
    converted = office.call("GET", f"{path}/{booking['id']}")
    assert (converted["status"], converted["jobId"]) == ("Converted", job["id"])
    office.call("POST", f"{path}/{booking['id']}/dismiss", {}, 409)
    office.call("GET", f"crm/booking-provider/78/bookings/{booking['id']}", status=404)


def test_a_job_comes_with_appointment_technician_and_invoice(office: Office) -> None:
    technician = office.page("technicians", "list")["data"][0]
    campaign = office.page("campaigns", "list")["data"][0]["id"]
    lead = office.call("POST", "crm/leads", {"campaignId": campaign, "summary": "Pump", "callReasonId": 1})
    visit = {**SPAN, "technicianIds": [technician["id"]]}
    job = office.new_job(appointments=[visit, SPAN], leadId=lead["id"], jobStatus="Completed")
    assert (job["jobStatus"], job["appointmentCount"]) == ("Scheduled", 2)
    visits = office.page("appointments", "list", jobId=job["id"])["data"]
    assert {each["id"] for each in visits} == {job["firstAppointmentId"], job["lastAppointmentId"]}
    [sent] = office.page("appointment_assignments", "list", jobId=job["id"])["data"]
    assert (sent["technicianName"], sent["appointmentId"]) == (technician["name"], job["firstAppointmentId"])
    [invoice] = office.page("invoices", "list", ids=job["invoiceId"])["data"]
    assert (invoice["job"]["id"], invoice["total"]) == (job["id"], "0.00")
    assert office.call("GET", f"crm/leads/{lead['id']}")["status"] == "Converted"
    changed = office.call("PATCH", f"jpm/jobs/{job['id']}", {"summary": "New", "jobStatus": "Hold"})
    assert (changed["summary"], changed["jobStatus"]) == ("New", "Scheduled")
    bad = {"start": SPAN["end"], "end": SPAN["start"]}
    body = {name: job[name] for name in ("customerId", "locationId", "businessUnitId", "jobTypeId", "campaignId")}
    body |= {"priority": "Normal", "appointments": [bad]}
    assert office.wrong("POST", "jpm/jobs", body) == {"appointments[0].end"}
    assert office.wrong("POST", "jpm/jobs", {**body, "customerId": 5}) == {"customerId"}
    assert office.wrong("PATCH", f"jpm/jobs/{job['id']}", {"priority": "Soon"}) == {"priority"}


def test_a_job_is_held_canceled_taken_back_and_completed(office: Office) -> None:
    job = office.new_job()
    path = f"jpm/jobs/{job['id']}"
    reason = office.page("job_cancel_reasons", "list")["data"][0]["id"]

    def state() -> tuple[str, set[str]]:
        visits = office.page("appointments", "list", jobId=job["id"])["data"]
        return office.call("GET", path)["jobStatus"], {each["status"] for each in visits}

    office.call("PUT", f"{path}/hold", {"reasonId": 1, "memo": "parts"})
    assert state() == ("Hold", {"Hold"})
    assert office.wrong("PUT", f"{path}/cancel", {"reasonId": reason}) == {"memo"}
    assert office.wrong("PUT", f"{path}/cancel", {"reasonId": 5, "memo": "x"}) == {"reasonId"}
    office.call("PUT", f"{path}/cancel", {"reasonId": reason, "memo": "no show"})
    assert state() == ("Canceled", {"Canceled"})
    log = office.newest("job_canceled_logs")
    assert (log["jobId"], log["reasonId"], log["memo"]) == (job["id"], reason, "no show")
    assert office.call("GET", f"{path}/canceled-log")["data"] == [log]
    office.call("PUT", f"{path}/cancel", {"reasonId": reason, "memo": "again"}, 409)
    office.call("PUT", f"{path}/remove-cancellation")
    assert state() == ("Scheduled", {"Scheduled"})
    office.call("PUT", f"{path}/complete", {"completedOn": "2026-01-31T15:00:00Z"})
    assert state() == ("Completed", {"Done"})
    assert office.call("GET", path)["completedOn"] == "2026-01-31T15:00:00Z"
    office.call("PUT", f"{path}/hold", {"reasonId": 1, "memo": "x"}, 409)


def test_a_job_follows_its_appointments(st: ServiceTitanSimulator, office: Office) -> None:
    technician = office.page("technicians", "list")["data"][0]["id"]
    job = office.new_job(appointments=[{**SPAN, "technicianIds": [technician]}])
    visit = job["firstAppointmentId"]
    for status, follows in (("Dispatched", "Dispatched"), ("Working", "InProgress"), ("Hold", "Hold")):
        assert st.move_appointment(visit, status) == {"appointment": visit, "job": job["id"]}
        assert office.call("GET", f"jpm/jobs/{job['id']}")["jobStatus"] == follows
    again = office.call("POST", "jpm/appointments", {"jobId": job["id"], **SPAN})
    assert again["appointmentNumber"] == f"{job['jobNumber']}-2"
    assert office.wrong("POST", "jpm/appointments", {"jobId": 5, **SPAN}) == {"jobId"}
    st.move_appointment(visit, "Done")
    [sent] = office.page("appointment_assignments", "list", jobId=job["id"])["data"]
    assert sent["status"] == "Done"
    assert office.call("GET", f"jpm/jobs/{job['id']}")["jobStatus"] == "Scheduled"
    moved = office.call("PATCH", f"jpm/appointments/{again['id']}/reschedule", {"end": "2026-02-03T20:00:00Z"})
    assert moved["end"] == "2026-02-03T20:00:00Z"
    office.call("PATCH", f"jpm/appointments/{visit}/reschedule", {}, 409)
    told = {"id": again["id"], "status": "Done"}
    assert office.http.post("/_sim/appointment", json=told).json()["job"] == job["id"]
    done = office.call("GET", f"jpm/jobs/{job['id']}")
    assert (done["jobStatus"], done["completedOn"]) == ("Completed", "2026-01-31T15:30:00Z")
    office.call("DELETE", f"jpm/appointments/{again['id']}")
    office.call("DELETE", f"jpm/appointments/{visit}", status=409)
    assert office.http.post("/_sim/appointment", json={"id": visit, "status": "Lunch"}).status_code == 400


def test_estimates_are_made_sold_taken_back_and_dismissed(office: Office) -> None:
    job = office.new_job()
    seller = office.page("employees", "list")["data"][0]["id"]
    items = [{"skuName": "Pump", "quantity": 2, "unitPrice": 450.5}, {"skuName": "Work", "unitPrice": 99}]
    estimate = office.call("POST", "sales/estimates", {"name": "Pump", "jobId": job["id"], "items": items, "tax": 10})
    assert (estimate["subtotal"], estimate["customerId"]) == (1_000, job["customerId"])
    assert office.call("GET", f"jpm/jobs/{job['id']}")["estimateIds"] == [estimate["id"]]
    path = f"sales/estimates/{estimate['id']}"
    assert office.call("PUT", path, {"name": "Two pumps"})["name"] == "Two pumps"
    assert office.wrong("PUT", f"{path}/sell", {}) == office.wrong("PUT", f"{path}/sell", {"soldBy": 5}) == {"soldBy"}
    sold = office.call("PUT", f"{path}/sell", {"soldBy": seller})
    assert (sold["status"]["name"], sold["soldOn"], sold["soldBy"]) == ("Sold", "2026-01-31T15:30:00Z", seller)
    office.call("PUT", f"{path}/sell", {"soldBy": seller}, 409)
    office.call("PUT", f"{path}/dismiss", status=409)
    office.call("PUT", f"{path}/unsell")
    assert office.newest("estimates")["soldOn"] is None
    office.call("PUT", f"{path}/dismiss")
    assert office.call("GET", path)["status"] == {"value": 2, "name": "Dismissed"}
    office.call("PUT", f"{path}/unsell", status=409)


def test_a_write_counts_apart_and_needs_its_own_tenant(st: ServiceTitanSimulator, office: Office) -> None:
    office.call("POST", "crm/customers", NEW_CUSTOMER)
    assert st.counters["by_entity"]["customers"] == {"write": 1}
    other = st.credentials["tenants"][1]["id"]
    assert office.http.post(f"/crm/v2/tenant/{other}/customers", json=NEW_CUSTOMER).status_code == 403
    assert office.http.post(f"/crm/v2/tenant/{office.who['id']}/bookings", json={}).status_code == 404
    answer = office.http.post(f"/crm/v2/tenant/{office.who['id']}/customers", content=b"{")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["$"])


def test_a_second_tenants_new_records_name_its_own_office(st: ServiceTitanSimulator) -> None:
    with Office(st, 1) as desert:
        assert desert.who["name"] == "desert-air"
        made = desert.call("POST", "crm/customers", NEW_CUSTOMER)
        assert made["createdById"] in [each["id"] for each in desert.page("employees", "list")["data"]]
        st.put("jobs", [{"customerId": made["id"]}], tenant="desert-air")
        job = desert.newest("jobs")
        assert job["campaignId"] in [each["id"] for each in desert.page("campaigns", "list", active="Any")["data"]]


def test_every_call_of_the_documents_answers_as_published_when_it_is_made_in_order(office: Office) -> None:
    tag, seller, reason = (office.page(name, "list")["data"][0]["id"] for name in TOLD)
    campaign = office.page("campaigns", "list")["data"][0]["id"]
    contact = {"type": "Phone", "value": "6195550177"}
    known: dict[str, int] = {}
    # fmt: off
    steps: tuple[tuple[str, str, Any, str], ...] = (
        ("POST",   "crm/customers", NEW_CUSTOMER, "customer"),
        ("PATCH",  "crm/customers/{customer}", {"name": "Ann Poe"}, ""),
        ("POST",   "crm/customers/{customer}/contacts", contact, "contact"),
        ("GET",    "crm/customers/{customer}/contacts", None, ""),
        ("PATCH",  "crm/customers/{customer}/contacts/{contact}", {"memo": "work"}, ""),
        ("DELETE", "crm/customers/{customer}/contacts/{contact}", None, ""),
        ("POST",   "crm/customers/{customer}/tags/{tag}", None, ""),
        ("DELETE", "crm/customers/{customer}/tags/{tag}", None, ""),
        ("PUT",    "crm/tags", {"customerIds": ["customer"], "tagTypeIds": ["tag"]}, ""),
        ("DELETE", "crm/tags", {"customerIds": ["customer"], "tagTypeIds": ["tag"]}, ""),
        ("POST",   "crm/customers/{customer}/notes", {"text": "x"}, "note"),
        ("GET",    "crm/customers/{customer}/notes", None, ""),
        ("DELETE", "crm/customers/{customer}/notes/{note}", None, ""),
        ("POST",   "crm/locations", {"customerId": "customer", "name": "Shed", "address": ADDRESS}, "location"),
        ("PATCH",  "crm/locations/{location}", {"name": "Barn"}, ""),
        ("POST",   "crm/locations/{location}/tags/{tag}", None, ""),
        ("DELETE", "crm/locations/{location}/tags/{tag}", None, ""),
        ("POST",   "crm/locations/{location}/notes", {"text": "x"}, "note"),
        ("GET",    "crm/locations/{location}/notes", None, ""),
        ("DELETE", "crm/locations/{location}/notes/{note}", None, ""),
        ("POST",   "crm/leads", {"campaignId": campaign, "summary": "Pump", "callReasonId": 1}, "lead"),
        ("PATCH",  "crm/leads/{lead}", {"summary": "Pumps"}, ""),
        ("POST",   "crm/leads/{lead}/notes", {"text": "x"}, ""),
        ("GET",    "crm/leads/{lead}/notes", None, ""),
        ("POST",   "crm/leads/{lead}/follow-up", {"followUpDate": SPAN["start"]}, ""),
        ("POST",   "crm/leads/{lead}/dismiss", {"dismissingReasonId": 3}, ""),
        ("POST",   "crm/booking-provider/77/bookings", {"source": "Web", "name": "Bo", "summary": "x",
                    "isFirstTimeClient": True, "externalId": "e-1"}, "booking"),
        ("GET",    "crm/booking-provider/77/bookings", None, ""),
        ("GET",    "crm/booking-provider/77/bookings/{booking}", None, ""),
        ("PATCH",  "crm/booking-provider/77/bookings/{booking}", {"summary": "y"}, ""),
        ("POST",   "crm/booking-provider/77/bookings/{booking}/contacts", contact, ""),
        ("GET",    "crm/booking-provider/77/bookings/{booking}/contacts", None, ""),
        ("GET",    "crm/bookings/{booking}/contacts", None, ""),
        ("POST",   "crm/booking-provider/77/bookings/{booking}/dismiss", {}, ""),
        ("PATCH",  "jpm/jobs/{job}", {"summary": "x"}, ""),
        ("POST",   "jpm/jobs/{job}/notes", {"text": "x"}, ""),
        ("GET",    "jpm/jobs/{job}/notes", None, ""),
        ("POST",   "jpm/appointments", {"jobId": "job", **SPAN}, "visit"),
        ("PATCH",  "jpm/appointments/{visit}/reschedule", {"end": "2026-02-03T21:00:00Z"}, ""),
        ("DELETE", "jpm/appointments/{visit}", None, ""),
        ("PUT",    "jpm/jobs/{job}/hold", {"reasonId": 1, "memo": "x"}, ""),
        ("PUT",    "jpm/jobs/{job}/cancel", {"reasonId": reason, "memo": "x"}, ""),
        ("GET",    "jpm/jobs/{job}/canceled-log", None, ""),
        ("PUT",    "jpm/jobs/{job}/remove-cancellation", None, ""),
        ("PUT",    "jpm/jobs/{job}/complete", {"completedOn": "2026-01-31T15:00:00Z"}, ""),
        ("POST",   "sales/estimates", {"name": "Pump", "jobId": "job", "items": []}, "estimate"),
        ("PUT",    "sales/estimates/{estimate}", {"name": "Pumps"}, ""),
        ("PUT",    "sales/estimates/{estimate}/sell", {"soldBy": seller}, ""),
        ("PUT",    "sales/estimates/{estimate}/unsell", None, ""),
        ("PUT",    "sales/estimates/{estimate}/dismiss", None, ""),
    )
    # fmt: on
    known |= {"tag": tag, "job": office.new_job()["id"]}
    made = {"POST jpm/jobs"}
    for method, path, body, name in steps:
        answer = office.call(method, path.format_map(known), _filled(body, known))
        known |= {name: answer["id"]} if name else {}
        made.add(f"{method} {_plain(path.replace('77', '{}'))}")
    assert made == CALLS.keys()


TOLD = ("tag_types", "employees", "job_cancel_reasons")


def _filled(body: Any, known: dict[str, int]) -> Any:
    """Put ids where a body has their names."""
    if isinstance(body, dict):
        return {name: _filled(value, known) for name, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, known) for value in body]
    return known.get(body, body) if isinstance(body, str) else body
