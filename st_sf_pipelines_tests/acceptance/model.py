"""What section 5 of the specification promises for a shop, worked out anew from its records in plain Python."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from st_sf_pipelines.simulators.shop import stamps, words

if TYPE_CHECKING:
    from st_sf_pipelines.simulators.shop import Tenant

Record = dict[str, Any]
OWNED = {"customer_contacts": "customerId", "jobs": "customerId", "invoices": "customer"}
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]{2,}")


@dataclass(frozen=True)
class Expected:
    """The Account and the Contact of one customer; what we leave alone is absent."""

    account: Record
    contact: Record


def expected(tenant: Tenant, as_of: datetime, key: str = "st_{}") -> dict[str, Expected]:
    """Give what the org must hold for each customer of a tenant, by external id."""
    owned: dict[int, dict[str, list[Record]]] = defaultdict(lambda: {entity: [] for entity in OWNED})
    for entity, path in OWNED.items():
        for record in records(tenant, entity):
            owned[record[path]["id"] if path == "customer" else record[path]][entity].append(record)
    return {
        (name := key.format(customer["id"])): _expected(customer, owned[customer["id"]], tenant, as_of, name)
        for customer in records(tenant, "customers")
    }


def records(tenant: Tenant, entity: str) -> list[Record]:
    """Give all records of an entity of the shop."""
    table = tenant.tables[entity]
    return [table.get(key) for key in table.keys()]  # noqa: SIM118 - a table is no dict


def _expected(customer: Record, owned: dict[str, list[Record]], tenant: Tenant, as_of: datetime, key: str) -> Expected:
    contacts, jobs, invoices = (owned[entity] for entity in OWNED)
    zone = ZoneInfo(tenant.timezone)
    done = [job for job in jobs if job["active"] and job["jobStatus"].replace(" ", "").lower() == "completed"]
    days = sorted(_day(job["completedOn"], zone) for job in done if job["completedOn"])
    value = sum((Decimal(bill["total"]) for bill in invoices if bill["active"]), Decimal(0))
    first, last = name_parts(customer)
    phone = _newest(contacts, "MobilePhone") or _newest(contacts, "Phone")
    at = {part: text or None for part, text in customer["address"].items()}
    place = {
        "Street": "\n".join(line for line in (at["street"], at["unit"]) if line) or None,
        "City": at["city"],
        "State": at["state"],
        "PostalCode": at["zip"],
        "Country": at["country"],
    }
    account = {
        "ServiceTitan_Account_Id__c": key,
        "Name": customer["name"].strip() or last,
        "Type": customer["type"],
        "Phone": phone,
        **{f"Billing{part}": text for part, text in place.items()},
        "Account_Balance__c": customer["balance"],
        "Lifetime_Value__c": float(value),
        "Customer_Segment__c": segment(value, days[-1] if days else None, as_of.astimezone(zone).date()),
    }
    contact = {
        "ServiceTitan_Customer_Id__c": key,
        "ServiceTitan_Tenant_Id__c": tenant.id,
        "FirstName": first,
        "LastName": last,
        "Email": _newest(contacts, "Email"),
        "Phone": phone,
        **{f"Mailing{part}": text for part, text in place.items()},
        "HasOptedOutOfEmail": customer["doNotMail"],
        "Active__c": customer["active"] and not customer["mergedToId"],
        "Do_Not_Service__c": customer["doNotService"],
        "Total_Jobs__c": sum(1 for job in jobs if job["active"] and job["jobStatus"] != "Canceled"),
        "Completed_Jobs__c": len(done),
        "First_Service_Date__c": days[0].isoformat() if days else None,
        "Last_Service_Date__c": days[-1].isoformat() if days else None,
        "ServiceTitan_Last_Modified__c": f"{customer['modifiedOn'][:19]}.000+0000",
    }
    return Expected(account, contact)


def segment(value: Decimal, last_job: date | None, today: date) -> str:
    """Give the segment, as SEG-4 words it."""
    age = (today - last_job).days if last_job else None
    if value >= 10_000 and age is not None and age < 180:
        return "VIP"
    if value >= 5_000:
        return "High Value"
    if age is not None and age > 365:
        return "Churning"
    if age is not None and age > 180:
        return "At Risk"
    return "Standard"


def name_parts(customer: Record) -> tuple[str | None, str]:
    """Take a name of the shop apart by the lists that the shop makes its names of."""
    whole = " ".join(customer["name"].split())
    if customer["type"] == "Commercial":
        return None, whole
    if ", " in whole:
        last, first = whole.split(", ")
        return first, last
    parts = whole.split()
    if parts[0] in words.TITLES:
        parts = parts[1:]
    suffix = [parts.pop()] if parts[-1] in words.SUFFIXES else []
    if all(part in words.SPANISH_LAST_NAMES for part in parts[-2:]):
        size = 2
    else:
        size = next(size for size in (3, 2, 1) if " ".join(parts[-size:]) in words.LAST_NAMES)
    first = " ".join(parts[:-size])
    return first or None, " ".join([*parts[-size:], *suffix])


def _newest(contacts: list[Record], kind: str) -> str | None:
    fit = [
        c for c in contacts if c["active"] and c["type"] == kind and (kind != "Email" or EMAIL.fullmatch(c["value"]))
    ]
    if not fit:
        return None
    newest = max(fit, key=lambda c: (stamps.read(c["createdOn"]), c["id"]))
    return str(newest["value"]).strip()


def _day(stamp: str, zone: ZoneInfo) -> date:
    moment = datetime.fromisoformat(f"{stamp[:19]}+00:00")
    return moment.astimezone(UTC).astimezone(zone).date()
