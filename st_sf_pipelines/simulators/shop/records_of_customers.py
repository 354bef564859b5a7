"""How rows become records: customers, how to reach them, where they live, and how they first asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import listed, people, shapes, words
from .draw import Draw
from .stamps import TICKS_A_DAY, written

if TYPE_CHECKING:
    from .records import Records
    from .table import Record


def customer(records: Records, number: int) -> Record:
    """Give a customer."""
    row = records.customers[number]
    draw = Draw(row.draw)
    name = people.name(draw, row.commercial)
    return {
        **shapes.CUSTOMER,
        "id": records.id_of("customers", number),
        "active": bool(row.active),
        "name": name,
        "type": "Commercial" if row.commercial else "Residential",
        "address": people.address(draw, records.cities),
        "balance": row.balance / 100,
        "doNotMail": draw.below(25) == 0,
        "doNotService": draw.below(120) == 0,
        "tagTypeIds": [records.id_of("tag_types", draw.below(len(words.TAGS)))] if draw.below(9) == 0 else [],
        "createdOn": written(row.created),
        "createdById": records.office,
        "modifiedOn": written(row.modified),
        "mergedToId": records.maybe_id("customers", row.merged),
    }


def location(records: Records, number: int) -> Record:
    """Give a customer's one location, which is where its bills go too; a merged customer keeps its own."""
    row = records.customers[number]
    draw = Draw(row.draw)
    name = people.name(draw, row.commercial)
    customer_id = records.id_of("customers", number)
    return {
        **shapes.LOCATION,
        "id": customer_id + 1,
        "customerId": customer_id,
        "active": bool(row.active),
        "name": name,
        "address": people.address(draw, records.cities),
        "createdOn": written(row.created),
        "createdById": records.office,
        "modifiedOn": written(row.modified),
    }


def contact(records: Records, number: int) -> Record:
    """Give a phone, mobile or email of a customer."""
    row = records.contacts[number]
    draw = Draw(row.draw)
    kind = shapes.CONTACT_KINDS[row.kind]
    settings: dict[str, Any] | None = None
    if kind == "Email":
        value = people.email(draw, records.name_of(row.customer))
    else:
        value = people.phone(draw, records.cities)
        settings = {"phoneNumber": value, "doNotText": draw.below(20) == 0}
    return {
        **shapes.CUSTOMER_CONTACT,
        "modifiedOn": written(row.modified),
        "phoneSettings": settings,
        "createdOn": written(row.created),
        "id": records.id_of("customer_contacts", number),
        "type": kind,
        "value": value,
        "memo": "spouse" if draw.below(15) == 0 else None,
        "customerId": records.id_of("customers", row.customer),
        "active": bool(row.active),
    }


def lead(records: Records, number: int) -> Record:
    """Give a lead; one without a customer tells who asked in its own fields."""
    row = records.leads[number]
    draw = Draw(row.draw)
    status, unit = shapes.LEAD_STATUSES[row.status], draw.pick((0, 1, 1, 3, 4))
    stranger: dict[str, Any] = {}
    if row.customer < 0:
        name, home = people.person_name(draw), people.address(draw, records.cities)
        stranger = {
            "leadCustomerName": name,
            "leadPhone": people.phone(draw, records.cities),
            "leadEmail": people.email(draw, name),
            **{
                f"lead{part.capitalize()}": home[part] for part in ("street", "unit", "city", "state", "zip", "country")
            },
        }
    elif row.job >= 0:
        unit = records.jobs.columns["unit"][row.job]
    customer_id = records.maybe_id("customers", row.customer)
    return {
        **shapes.LEAD,
        **stranger,
        "summary": draw.pick(words.LEAD_SUMMARIES),
        "callReasonId": 800 + draw.below(4),
        "id": records.id_of("leads", number),
        "status": status,
        "priority": draw.pick(shapes.PRIORITIES),
        "customerId": customer_id,
        "locationId": customer_id + 1 if customer_id else None,
        "businessUnitId": records.id_of("business_units", unit),
        "jobTypeId": records.id_of("job_types", listed.FIRST_TYPE[unit]),
        "campaignId": records.id_of("campaigns", draw.below(len(words.CAMPAIGNS) - 1)),
        "followUpDate": written(row.modified + 2 * TICKS_A_DAY) if status == "Open" else None,
        "createdOn": written(row.created),
        "createdById": records.office,
        "modifiedOn": written(row.modified),
        "dismissingReasonId": 820 if status == "Dismissed" else None,
        "active": bool(row.active),
    }


def booking(records: Records, number: int) -> Record:
    """Give a booking."""
    row = records.bookings[number]
    draw, record_id = Draw(row.draw), records.id_of("bookings", number)
    status = shapes.BOOKING_STATUSES[row.status]
    unit = records.jobs.columns["unit"][row.job] if row.job >= 0 else draw.pick((0, 1, 3, 4))
    return {
        **shapes.BOOKING,
        "summary": draw.pick(words.LEAD_SUMMARIES),
        "id": record_id,
        "source": draw.pick(words.BOOKING_SOURCES),
        "createdOn": written(row.created),
        "name": records.name_of(row.customer),
        "address": {
            part: text
            for part, text in people.address(draw, records.cities).items()
            if part not in {"latitude", "longitude"}
        },
        "start": written(row.created + TICKS_A_DAY),
        "campaignId": records.id_of("campaigns", 0),
        "businessUnitId": records.id_of("business_units", unit),
        "isFirstTimeClient": row.job < 0,
        "status": status,
        "dismissingReasonId": 820 if status == "Dismissed" else None,
        "jobId": records.maybe_id("jobs", row.job),
        "externalId": f"web-{record_id}",
        "jobTypeId": records.id_of("job_types", listed.FIRST_TYPE[unit]),
        "bookingProviderId": 4_001,
        "modifiedOn": written(row.modified),
        "active": bool(row.active),
    }
