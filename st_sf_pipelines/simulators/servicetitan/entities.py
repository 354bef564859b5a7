"""The entities that the stand-in serves, one row each: where they are, and what their lists can do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Filter(NamedTuple):
    """What a list's parameter compares (see `filters.TESTS`), and with which field of a record."""

    test: str
    path: str


@dataclass(frozen=True)
class Entity:
    """Where an entity's feed and list are, and how the list filters.

    `active_filter` is the list's parameter for active records; an entity without one never lists inactive records.
    `needs_one_of` are filters of which one must be given. `feed_only` are fields that the list form lacks. `alias` is
    another path of the feed; `single` tells whether one record can be fetched under the list's path and its id.
    """

    name: str
    module: str
    feed: str | None
    listed: str | None
    active_filter: str | None = None
    feed_only: tuple[str, ...] = ()
    sorts: tuple[str, ...] = ()
    needs_one_of: tuple[str, ...] = ()
    filters: dict[str, Filter] = field(default_factory=dict)
    alias: str | None = None
    single: bool = True
    feed_active: bool = False


def same(*names: str, **paths: str) -> dict[str, Filter]:
    """Compare fields for being one of the values given; a field is told where its name is another."""
    return {name: Filter("is", path) for name, path in {**{each: each for each in names}, **paths}.items()}


def part(**paths: str) -> dict[str, Filter]:
    """Compare fields for holding the text given."""
    return {name: Filter("holds", path) for name, path in paths.items()}


def span(path: str, since: str, before: str) -> dict[str, Filter]:
    """Compare a stamp with a first moment that counts and one that no longer does."""
    return {since: Filter("since", path), before: Filter("before", path)}


def amount(path: str) -> dict[str, Filter]:
    """Compare an amount."""
    return {"totalGreater": Filter("above", path), "totalLess": Filter("below", path)}


BY_AGE = ("Id", "ModifiedOn", "CreatedOn")
PLACE = ("street", "unit", "city", "state", "zip", "country", "latitude", "longitude")
ADDRESS = same(**{name: f"address.{name}" for name in PLACE})
NAMED = part(name="name")
OWNED = ("customerIds", "modifiedOnOrAfter", "modifiedBefore")
PATRON = {f"customer{name}": Filter("customer", f"address.{name.lower()}") for name in ("City", "State", "Zip")}
PATRON |= {
    "customerCreatedOnOrAfter": Filter("customer since", "createdOn"),
    "customerCreatedBefore": Filter("customer before", "createdOn"),
    "customerModifiedOnOrAfter": Filter("customer since", "modifiedOn"),
}
EXTERNAL = {"externalDataKey": Filter("key", "externalData"), "externalDataValues": Filter("values", "externalData")}

# fmt: off
ENTITIES = (
    Entity("customers", "crm", "export/customers", "customers", active_filter="active", sorts=BY_AGE,
           filters={**NAMED, **ADDRESS, **EXTERNAL, "phone": Filter("phone", "id")}),
    Entity("customer_contacts", "crm", "export/customers/contacts", "customers/contacts", single=False,
           feed_only=("active",), needs_one_of=OWNED, filters=same(customerIds="customerId")),
    Entity("locations", "crm", "export/locations", "locations", active_filter="active", sorts=BY_AGE,
           filters={**NAMED, **ADDRESS, **EXTERNAL, **same("customerId")}),
    Entity("leads", "crm", "export/leads", "leads", feed_only=("active",), sorts=BY_AGE,
           filters={**same("status", "customerId"), **part(leadCustomerName="leadCustomerName"), **PATRON,
                    "leadPhone": Filter("digits", "leadPhone"), "withoutCustomer": Filter("none", "customerId"),
                    "isProspect": Filter("none", "customerId"),
                    "isCaptureSourceForm": Filter("form", "captureSource")}),
    Entity("bookings", "crm", "export/bookings", "bookings", feed_only=("active",), sorts=BY_AGE,
           filters=same("externalId")),
    Entity("jobs", "jpm", "export/jobs", "jobs", feed_only=("active",), sorts=(*BY_AGE, "Priority"),
           filters={**same("jobStatus", "priority", "customerId", "locationId", "businessUnitId", "jobTypeId",
                           "campaignId", "projectId", "bookingId", "soldById", "invoiceId", "createdFromEstimateId",
                           number="jobNumber"),
                    **span("completedOn", "completedOnOrAfter", "completedBefore"), **EXTERNAL,
                    "estimateIds": Filter("any", "estimateIds"), "tagTypeIds": Filter("any", "tagTypeIds"),
                    "appointmentStatus": Filter("visit", "status"), "technicianId": Filter("visitor", "id"),
                    "hasUnusedAppointments": Filter("visit flag", "unused"),
                    "appointmentStartsOnOrAfter": Filter("visit since", "start"),
                    "appointmentStartsBefore": Filter("visit before", "start"),
                    "firstAppointmentStartsOnOrAfter": Filter("first visit since", "start"),
                    "firstAppointmentStartsBefore": Filter("first visit before", "start")}),
    Entity("job_canceled_logs", "jpm", "export/job-canceled-logs", None, single=False),
    Entity("appointments", "jpm", "export/appointments", "appointments", active_filter="active", sorts=BY_AGE,
           feed_active=True,
           filters={**same("jobId", "projectId", "status", "customerId", number="appointmentNumber"),
                    **span("start", "startsOnOrAfter", "startsBefore"), "unused": Filter("flag", "unused"),
                    "technicianId": Filter("sent", "id")}),
    Entity("appointment_assignments", "dispatch", "export/appointment-assignments", "appointment-assignments",
           active_filter="active", sorts=BY_AGE, single=False, feed_active=True,
           filters=same("jobId", appointmentIds="appointmentId")),
    Entity("estimates", "sales", "export/estimates", "estimates", active_filter="active", sorts=BY_AGE,
           alias="estimates/export",
           filters={**same("jobId", "projectId", "jobNumber", "locationId", status="status.name", soldById="soldBy",
                           soldByEmployeeId="soldBy"),
                    **span("soldOn", "soldAfter", "soldBefore"), **amount("subtotal")}),
    Entity("invoices", "accounting", "export/invoices", "invoices", active_filter="activeState", sorts=BY_AGE,
           single=False,
           filters={**same("adjustmentToId", jobId="job.id", jobNumber="job.number", customerId="customer.id",
                           businessUnitId="businessUnit.id", number="referenceNumber", statuses="syncStatus",
                           reviewStatuses="reviewStatus", invoiceConfigurations="invoiceConfiguration",
                           batchId="batch.id", batchNumber="batch.number", assignedToIds="assignedTo.id"),
                    **span("invoiceDate", "invoicedOnOrAfter", "invoicedOnBefore"),
                    **span("dueDate", "dueDateOnOrAfter", "dueDateBefore"), **amount("total"),
                    "balanceFilter.Balance": Filter("balance", "balance")}),
    Entity("payments", "accounting", "export/payments", "payments", active_filter="activeState", sorts=BY_AGE,
           single=False,
           filters={**same(customerId="customer.id", businessUnitIds="businessUnit.id", batchId="batch.id",
                           batchNumber="batch.number", depositIds="deposit.id", statuses="syncStatus"),
                    **span("date", "paidOnAfter", "paidOnBefore"), **amount("total"),
                    "appliedToInvoiceIds": Filter("any", "appliedTo.appliedTo"),
                    "appliedToReferenceNumber": Filter("any", "appliedTo.appliedToReferenceNumber")}),
    Entity("business_units", "settings", "export/business-units", "business-units", active_filter="active",
           filters=NAMED),
    Entity("job_types", "jpm", None, "job-types", active_filter="active", sorts=(*BY_AGE, "Name"),
           filters={**NAMED, **same("priority"), "minDuration": Filter("least", "duration"),
                    "maxDuration": Filter("most", "duration")}),
    Entity("job_cancel_reasons", "jpm", None, "job-cancel-reasons", active_filter="active", sorts=BY_AGE,
           single=False),
    Entity("campaigns", "marketing", None, "campaigns", active_filter="active", sorts=(*BY_AGE, "Name"),
           filters={**NAMED, "campaignPhoneNumber": Filter("any", "campaignPhoneNumbers")}),
    Entity("technicians", "settings", "export/technicians", "technicians", active_filter="active",
           filters={**NAMED, **same(userIds="userId")}),
    Entity("employees", "settings", "export/employees", "employees", active_filter="active",
           filters={**NAMED, **same("email", userIds="userId")}),
    Entity("tag_types", "settings", "export/tag-types", "tag-types", active_filter="active", sorts=BY_AGE,
           single=False),
)
# fmt: on

BY_NAME = {entity.name: entity for entity in ENTITIES}
PLACES: dict[tuple[str, str], tuple[Entity, str]] = {
    **{(entity.module, path): (entity, "feed") for entity in ENTITIES for path in (entity.feed, entity.alias) if path},
    **{(entity.module, entity.listed): (entity, "list") for entity in ENTITIES if entity.listed},
}
# The entity that a call below another one's record is about.
BELOW = {("customers", "contacts"): "customer_contacts", ("jobs", "canceled-log"): "job_canceled_logs"}


def split(path: str) -> tuple[str, str, str] | None:
    """Take the path of an API call apart: module, tenant and the rest."""
    parts = path.strip("/").split("/", 4)
    if len(parts) != 5 or parts[1] != "v2" or parts[2] != "tenant":
        return None
    return parts[0], parts[3], parts[4]


def at(path: str) -> tuple[Entity, str] | None:
    """Give the entity behind a path, and whether the path is its feed, its list, or one of its records."""
    parts = split(path)
    if parts is None:
        return None
    module, _, rest = parts
    place = PLACES.get((module, rest))
    if place:
        return place
    words = rest.split("/")
    if words[0] == "booking-provider":
        return BY_NAME["bookings"], "one"
    found = PLACES.get((module, words[0]))
    if found is None or len(words) < 2 or not words[1].isdigit():
        return None
    return BY_NAME[BELOW.get((found[0].name, words[2] if len(words) > 2 else ""), found[0].name)], "one"
