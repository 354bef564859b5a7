"""Calls that write customers, their contacts, their locations and their tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from st_sf_pipelines.simulators.shop import links

from .answers import RefusalError, invalid
from .calls import Call, conflict, with_external, with_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from st_sf_pipelines.simulators.shop.table import Record

CONTACT_HIDES = ("customerId", "active")


def create_customer(call: Call) -> Any:
    """Create a customer with its locations and contacts."""
    body = dict(call.body)
    homes, contacts = body.pop("locations"), body.pop("contacts", None) or []
    if not homes:
        raise invalid("locations", "At least one location is required.")
    customer = call.put("customers", _told(body))
    made = [_location(call, {**home, "customerId": customer["id"]}) for home in homes]
    people = [_contact(call, customer["id"], contact) for contact in contacts]
    plain = [{name: each[name] for name in ("id", "type", "value", "memo")} for each in people]
    return {**customer, "locations": made, "contacts": plain}


def _told(body: Record, before: Record | None = None) -> Record:
    told = {name: value for name, value in body.items() if value is not None}
    if "address" in told and before:
        told["address"] = {**before["address"], **told["address"]}
    if "customFields" in told:
        told["customFields"] = with_fields(told["customFields"])
    if "externalData" in told:
        told["externalData"] = with_external(before["externalData"] if before else [], told["externalData"])
    return told


def update_customer(call: Call) -> Any:
    """Change a customer; lists are replaced whole."""
    before = call.found("customers")
    return call.put("customers", {"id": before["id"], **_told(call.body, before)})


def create_location(call: Call) -> Any:
    """Create a location of a customer."""
    call.must_be("customers", "customerId")
    return _location(call, call.body)


def _location(call: Call, body: Record) -> Record:
    told = {name: value for name, value in _told(body).items() if not name.startswith("coordinates")}
    contacts = told.pop("contacts", [])
    plain = [{"id": call.papers.new_id(), "memo": None, **each} for each in contacts]
    return {**call.put("locations", told), "contacts": plain}


def update_location(call: Call) -> Any:
    """Change a location."""
    before = call.found("locations")
    call.must_be("customers", "customerId")
    return call.put("locations", {"id": before["id"], **_told(call.body, before)})


def list_contacts(call: Call) -> Any:
    """List a customer's contacts."""
    return call.page([_shown(each) for each in links.contacts_of(call.tenant, call.found("customers")["id"])])


def create_contact(call: Call) -> Any:
    """Add a contact to a customer; the customer's own modifiedOn does not move."""
    return _shown(_contact(call, call.found("customers")["id"], call.body))


def _contact(call: Call, customer: int, told: Record) -> Record:
    return call.put("customer_contacts", {**told, "customerId": customer})


def _shown(contact: Record) -> Record:
    return {name: value for name, value in contact.items() if name not in CONTACT_HIDES}


def _own_contact(call: Call) -> Record:
    contact = call.found("customer_contacts", call.ids[1])
    if contact["customerId"] != call.ids[0] or not contact["active"]:
        raise RefusalError(404, f"The customer has no contact with the id {call.ids[1]}.")
    return contact


def update_contact(call: Call) -> Any:
    """Change a contact."""
    before = _own_contact(call)
    told = {"id": before["id"], **call.body}
    if "value" in told and before["phoneSettings"]:
        told["phoneSettings"] = {**before["phoneSettings"], "phoneNumber": told["value"]}
    return _shown(call.put("customer_contacts", told))


def delete_contact(call: Call) -> None:
    """Delete a contact: the feed tells it as inactive."""
    call.put("customer_contacts", {"id": _own_contact(call)["id"], "active": False})


def add_tag(entity: str, name: str) -> Callable[[Call], Any]:
    """Give the handler that tags a record."""

    def add(call: Call) -> Any:
        record, tag = call.found(entity), call.found("tag_types", call.ids[1])["id"]
        if tag in record["tagTypeIds"]:
            raise conflict("The record carries this tag already.")
        tagged = call.put(entity, {"id": record["id"], "tagTypeIds": [*record["tagTypeIds"], tag]})
        return {name: record["id"], "tagTypeIds": tagged["tagTypeIds"]}

    return add


def remove_tag(entity: str) -> Callable[[Call], None]:
    """Give the handler that takes a tag off."""

    def remove(call: Call) -> None:
        record = call.found(entity)
        left = [tag for tag in record["tagTypeIds"] if tag != call.ids[1]]
        if left == record["tagTypeIds"]:
            raise RefusalError(404, "The record does not carry this tag.")
        call.put(entity, {"id": record["id"], "tagTypeIds": left})

    return remove


def _bulk(call: Call, change: Callable[[list[int], list[int]], list[int]]) -> None:
    tags: list[int] = call.body["tagTypeIds"]
    for name, keys in (("customers", call.body["customerIds"]), ("tag_types", tags)):
        unknown = [key for key in keys if key not in call.tenant.tables[name]]
        if unknown:
            field = "customerIds" if name == "customers" else "tagTypeIds"
            raise invalid(field, f"These ids were not found: {', '.join(map(str, unknown))}.")
    for key in call.body["customerIds"]:
        before = call.found("customers", key)["tagTypeIds"]
        call.put("customers", {"id": key, "tagTypeIds": change(before, tags)})


def add_tags(call: Call) -> None:
    """Tag many customers."""
    _bulk(call, lambda before, tags: [*before, *(tag for tag in tags if tag not in before)])


def remove_tags(call: Call) -> None:
    """Take tags off many customers."""
    _bulk(call, lambda before, tags: [tag for tag in before if tag not in tags])


CALLS: dict[str, Callable[[Call], Any]] = {
    "POST crm/customers": create_customer,
    "PATCH crm/customers/{}": update_customer,
    "GET crm/customers/{}/contacts": list_contacts,
    "POST crm/customers/{}/contacts": create_contact,
    "PATCH crm/customers/{}/contacts/{}": update_contact,
    "DELETE crm/customers/{}/contacts/{}": delete_contact,
    "POST crm/customers/{}/tags/{}": add_tag("customers", "customerId"),
    "DELETE crm/customers/{}/tags/{}": remove_tag("customers"),
    "POST crm/locations": create_location,
    "PATCH crm/locations/{}": update_location,
    "POST crm/locations/{}/tags/{}": add_tag("locations", "locationId"),
    "DELETE crm/locations/{}/tags/{}": remove_tag("locations"),
    "PUT crm/tags": add_tags,
    "DELETE crm/tags": remove_tags,
}
