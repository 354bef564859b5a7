"""What happens with customers: they call for the first time, ask, change their phone, turn out to be the same one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import people, stamps, words
from .events_of_jobs import book

if TYPE_CHECKING:
    from .draw import Draw
    from .live import Life, Touched
    from .shop import Tenant
    from .table import Record


def new_customer(life: Life, tenant: Tenant, now: int) -> Touched:
    """Let a customer call for the first time: with a location, contacts, a job, its appointment and empty invoice."""
    draw = life.draw()
    name = people.person_name(draw)
    touched = _arrive(tenant, draw, now, name)
    return touched + book(life, tenant, touched[0][1], name, now)


def _arrive(tenant: Tenant, draw: Draw, now: int, name: str) -> Touched:
    cities = people.cities_for(tenant.timezone)
    home = people.address(draw, cities)
    [customer] = tenant.put("customers", [{"name": name, "address": home}], now)
    # A customer's own location has the id beside the customer's.
    place = {"id": customer + 1, "customerId": customer, "name": name, "address": home}
    contacts = [
        {"customerId": customer, "type": "MobilePhone", "value": people.phone(draw, cities)},
        {"customerId": customer, "type": "Email", "value": people.email(draw, name)},
    ]
    touched = [("customers", customer), ("locations", tenant.put("locations", [place], now)[0])]
    return touched + [("customer_contacts", key) for key in tenant.put("customer_contacts", contacts, now)]


def new_lead(life: Life, tenant: Tenant, now: int) -> Touched:
    """Let somebody ask: a stranger, or a customer who is known."""
    draw, cities = life.draw(), people.cities_for(tenant.timezone)
    lead: Record = {"summary": draw.pick(words.LEAD_SUMMARIES), "callReasonId": 800}
    known = life.some(tenant, "customers", lambda record: bool(record["active"])) if draw.below(2) else None
    if known:
        lead |= {"customerId": known["id"], "locationId": known["id"] + 1}
    else:
        name = people.person_name(draw)
        lead |= {
            "leadCustomerName": name,
            "leadPhone": people.phone(draw, cities),
            "leadEmail": people.email(draw, name),
        }
    return [("leads", key) for key in tenant.put("leads", [lead], now)]


def lead_decided(life: Life, tenant: Tenant, now: int) -> Touched:
    """Let an open lead be dismissed, or become a job; a stranger becomes a customer by it."""
    lead = life.some(tenant, "leads", lambda record: record["status"] == "Open" and record["active"])
    if lead is None:
        return []
    if life.random.random() < 0.4:
        gone = {"id": lead["id"], "status": "Dismissed", "dismissingReasonId": 820}
        return [("leads", key) for key in tenant.put("leads", [gone], now)]
    touched: Touched = []
    customer = lead["customerId"]
    if customer in tenant.tables["customers"]:
        name = tenant.tables["customers"].get(customer)["name"]
    else:
        name = lead["leadCustomerName"] or people.person_name(life.draw())
        touched = _arrive(tenant, life.draw(), now, name)
        customer = touched[0][1]
    won = {"id": lead["id"], "status": "Converted", "customerId": customer, "locationId": customer + 1}
    [key] = tenant.put("leads", [won], now)
    return [("leads", key), *touched, *book(life, tenant, customer, name, now)]


def booking_made(life: Life, tenant: Tenant, now: int) -> Touched:
    """Let somebody book on the website."""
    draw, cities = life.draw(), people.cities_for(tenant.timezone)
    name, home = people.person_name(draw), people.address(draw, cities)
    place = {part: text for part, text in home.items() if part not in {"latitude", "longitude"}}
    booking = {
        "name": name,
        "address": place,
        "summary": draw.pick(words.LEAD_SUMMARIES),
        "source": draw.pick(words.BOOKING_SOURCES),
        "start": stamps.written(now + 2 * stamps.TICKS_A_DAY),
        "externalId": f"web-{now}",
    }
    return [("bookings", key) for key in tenant.put("bookings", [booking], now)]


def booking_decided(life: Life, tenant: Tenant, now: int) -> Touched:
    """Let the office dismiss a new booking, or make a customer and a job of it."""
    booking = life.some(tenant, "bookings", lambda record: record["status"] == "New" and record["active"])
    if booking is None:
        return []
    if life.random.random() < 0.2:
        gone = {"id": booking["id"], "status": "Dismissed", "dismissingReasonId": 820}
        return [("bookings", key) for key in tenant.put("bookings", [gone], now)]
    touched = _arrive(tenant, life.draw(), now, booking["name"])
    touched += book(life, tenant, touched[0][1], booking["name"], now, bookingId=booking["id"])
    job = next(key for entity, key in touched if entity == "jobs")
    [key] = tenant.put("bookings", [{"id": booking["id"], "status": "Converted", "jobId": job}], now)
    return [("bookings", key), *touched]


def phone_changed(life: Life, tenant: Tenant, now: int) -> Touched:
    """Let a customer's phone change; the customer's own modifiedOn does not move."""
    contact = life.some(tenant, "customer_contacts", lambda record: record["type"] in {"Phone", "MobilePhone"})
    if contact is None:
        return []
    number = people.phone(life.draw(), people.cities_for(tenant.timezone))
    settings = {"phoneNumber": number, "doNotText": False}
    changed = {"id": contact["id"], "value": number, "phoneSettings": settings}
    return [("customer_contacts", key) for key in tenant.put("customer_contacts", [changed], now)]


def customers_merged(life: Life, tenant: Tenant, now: int) -> Touched:
    """Let two customers turn out to be one: the younger record is merged into the older."""
    one, other = (life.some(tenant, "customers", lambda record: bool(record["active"])) for _ in range(2))
    if one is None or other is None or one["id"] == other["id"]:
        return []
    older, younger = sorted((one["id"], other["id"]))
    return [("customers", key) for key in tenant.put("customers", [{"id": younger, "mergedToId": older}], now)]
