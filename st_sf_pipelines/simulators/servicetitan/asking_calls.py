"""Calls that write leads, bookings and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .answers import RefusalError, invalid
from .calls import Call, conflict

if TYPE_CHECKING:
    from collections.abc import Callable

    from st_sf_pipelines.simulators.shop.table import Record

LINKED = {"customerId": "customers", "locationId": "locations", "businessUnitId": "business_units",
          "jobTypeId": "job_types", "campaignId": "campaigns", "bookingId": "bookings"}  # fmt: skip


def linked(call: Call) -> None:
    """Refuse a body that names a customer, campaign or the like which is not there."""
    for name, entity in LINKED.items():
        call.must_be(entity, name)


def create_lead(call: Call) -> Any:
    """Create a lead; it needs a reason of the call or a day to follow up."""
    if call.body.get("callReasonId") is None and call.body.get("followUpDate") is None:
        message = ["Either callReasonId or followUpDate is required."]
        wrong = {"callReasonId": message, "followUpDate": message}
        raise RefusalError(400, "One or more validation errors occurred.", wrong)
    linked(call)
    return call.put("leads", {name: value for name, value in call.body.items() if value is not None})


def update_lead(call: Call) -> Any:
    """Change a lead."""
    linked(call)
    return call.put("leads", {"id": call.found("leads")["id"], **call.body})


def dismiss_lead(call: Call) -> None:
    """Dismiss an open lead."""
    lead = _open_lead(call)
    call.put("leads", {"id": lead["id"], "status": "Dismissed", **call.body})


def follow_up_lead(call: Call) -> Any:
    """Set the day on which somebody is to follow up."""
    lead = _open_lead(call)
    call.put("leads", {"id": lead["id"], "followUpDate": call.body["followUpDate"]})
    return {
        "leadId": lead["id"],
        "followUpDate": call.body["followUpDate"],
        "text": call.body.get("text"),
        "pinToTop": bool(call.body.get("pinToTop")),
    }


def _open_lead(call: Call) -> Record:
    lead = call.found("leads")
    if lead["status"] != "Open":
        raise conflict(f"The lead is {lead['status'].lower()} already.")
    return lead


def create_booking(call: Call) -> Any:
    """Take a provider's booking; the same externalId of one provider is taken once."""
    linked(call)
    body = {name: value for name, value in call.body.items() if value is not None}
    contacts = body.pop("contacts", [])
    table = call.tenant.tables["bookings"]
    known = (table.get(key) for key in table.keys())  # noqa: SIM118 - a table's keys are walked in order
    if any((each["externalId"], each["bookingProviderId"]) == (body["externalId"], call.ids[0]) for each in known):
        raise conflict("A booking with this externalId exists already.")
    booking = call.put("bookings", {**body, "bookingProviderId": call.ids[0]})
    for contact in contacts:
        _add_contact(call, booking["id"], contact)
    return booking


def _own_booking(call: Call) -> Record:
    booking = call.found("bookings", call.ids[1])
    if booking["bookingProviderId"] != call.ids[0]:
        raise RefusalError(404, f"The provider has no booking with the id {call.ids[1]}.")
    return booking


def show_booking(call: Call) -> Any:
    """Give a provider's booking."""
    return {name: value for name, value in _own_booking(call).items() if name != "active"}


def list_bookings(call: Call) -> Any:
    """List a provider's bookings."""
    table = call.tenant.tables["bookings"]
    records = (table.get(key) for key in table.keys())  # noqa: SIM118 - a table's keys are walked in order
    own = [each for each in records if each["bookingProviderId"] == call.ids[0] and each["active"]]
    return call.page([{name: value for name, value in each.items() if name != "active"} for each in own])


def update_booking(call: Call) -> Any:
    """Change a provider's booking."""
    linked(call)
    return call.put("bookings", {"id": _own_booking(call)["id"], **call.body})


def dismiss_booking(call: Call) -> None:
    """Dismiss a provider's booking."""
    booking = _own_booking(call)
    if booking["status"] in {"Dismissed", "Converted"}:
        raise conflict(f"The booking is {booking['status'].lower()} already.")
    told = {"status": "Dismissed", "dismissingReasonId": call.body.get("callReasonId")}
    call.put("bookings", {"id": booking["id"], **told})


def list_booking_contacts(call: Call) -> Any:
    """List the contacts of a booking."""
    booking = call.found("bookings", call.ids[-1])
    return call.page(call.papers.contacts.get((call.tenant.id, booking["id"]), []))


def add_booking_contact(call: Call) -> Any:
    """Add a contact to a provider's booking."""
    return _add_contact(call, _own_booking(call)["id"], call.body)


def _add_contact(call: Call, booking: int, told: Record) -> Record:
    contact = {
        "id": call.papers.new_id(),
        "type": told["type"],
        "value": told["value"],
        "memo": told.get("memo") or "",
        "modifiedOn": call.moment,
    }
    call.papers.contacts.setdefault((call.tenant.id, booking), []).append(contact)
    return contact


def list_notes(entity: str) -> Callable[[Call], Any]:
    """Give the handler that lists the notes of a record."""
    return lambda call: call.page(_notes(call, entity))


def _notes(call: Call, entity: str) -> list[Record]:
    return call.papers.notes.setdefault((call.tenant.id, entity, call.found(entity)["id"]), [])


def add_note(entity: str) -> Callable[[Call], Any]:
    """Give the handler that adds a note to a record; only those of jobs are without an id."""

    def add(call: Call) -> Any:
        if not call.body["text"].strip():
            raise invalid("text", "The text field must not be empty.")
        note = {
            **({} if entity == "jobs" else {"id": call.papers.new_id()}),
            "text": call.body["text"],
            "isPinned": bool(call.body.get("pinToTop")),
            "createdById": call.tenant.office,
            "createdOn": call.moment,
            "modifiedOn": call.moment,
        }
        _notes(call, entity).insert(0, note)
        return note

    return add


def delete_note(entity: str) -> Callable[[Call], None]:
    """Give the handler that deletes a note."""

    def delete(call: Call) -> None:
        notes = _notes(call, entity)
        left = [note for note in notes if note["id"] != call.ids[1]]
        if len(left) == len(notes):
            raise RefusalError(404, f"There is no note with the id {call.ids[1]}.")
        notes[:] = left

    return delete


PROVIDER = "crm/booking-provider/{}/bookings"
CALLS: dict[str, Callable[[Call], Any]] = {
    "POST crm/leads": create_lead,
    "PATCH crm/leads/{}": update_lead,
    "POST crm/leads/{}/dismiss": dismiss_lead,
    "POST crm/leads/{}/follow-up": follow_up_lead,
    f"POST {PROVIDER}": create_booking,
    f"GET {PROVIDER}": list_bookings,
    f"GET {PROVIDER}/{{}}": show_booking,
    f"PATCH {PROVIDER}/{{}}": update_booking,
    f"POST {PROVIDER}/{{}}/dismiss": dismiss_booking,
    f"GET {PROVIDER}/{{}}/contacts": list_booking_contacts,
    f"POST {PROVIDER}/{{}}/contacts": add_booking_contact,
    "GET crm/bookings/{}/contacts": list_booking_contacts,
    **{f"GET crm/{entity}/{{}}/notes": list_notes(entity) for entity in ("customers", "locations", "leads")},
    **{f"POST crm/{entity}/{{}}/notes": add_note(entity) for entity in ("customers", "locations", "leads")},
    **{f"DELETE crm/{entity}/{{}}/notes/{{}}": delete_note(entity) for entity in ("customers", "locations")},
    "GET jpm/jobs/{}/notes": list_notes("jobs"),
    "POST jpm/jobs/{}/notes": add_note("jobs"),
}
