"""What happens with money: estimates are made and decided, things sold over the counter, bills paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import shapes, stamps, words
from .events_of_jobs import book, owe, units_of
from .shapes_of_money import ESTIMATE_ITEM

if TYPE_CHECKING:
    from .live import Life, Touched
    from .shop import Tenant
    from .table import Record

STANDING = {"Scheduled", "Dispatched", "InProgress", "Hold", "Completed"}


def estimate_made(life: Life, tenant: Tenant, now: int) -> Touched:
    """Let a job get an estimate."""
    job = life.some(tenant, "jobs", lambda record: record["jobStatus"] in STANDING)
    if job is None:
        return []
    worth, moment = life.random.randrange(300, 18_000) / 1, stamps.written(now)
    work = life.random.choice([name for names in words.WORK.values() for name in names])
    sku = {"id": 7_000, "name": "SKU", "displayName": work, "type": "Service", "soldHours": 1.0,
           "generalLedgerAccountId": 4_000, "generalLedgerAccountName": "Sales", "modifiedOn": moment}  # fmt: skip
    item = {**ESTIMATE_ITEM, "id": now // 1_000, "sku": sku, "description": work, "unitRate": worth, "total": worth,
            "createdOn": moment, "modifiedOn": moment}  # fmt: skip
    offer = {name: job[name] for name in ("customerId", "locationId", "businessUnitId", "jobNumber")}
    unit, units = job["businessUnitId"], tenant.tables["business_units"]
    offer |= {"jobId": job["id"], "name": work, "subtotal": worth, "items": [item],
              "businessUnitName": units.get(unit)["name"] if unit in units else None}  # fmt: skip
    [key] = tenant.put("estimates", [offer], now)
    tenant.put("jobs", [{"id": job["id"], "estimateIds": [*job["estimateIds"], key]}], now)
    return [("estimates", key), ("jobs", job["id"])]


def estimate_decided(life: Life, tenant: Tenant, now: int) -> Touched:
    """Let an open estimate be sold or dismissed; what was sold on a job is often installed by another."""
    estimate = life.some(tenant, "estimates", lambda record: record["status"]["name"] == "Open" and record["active"])
    if estimate is None:
        return []
    if life.random.random() < 0.4:
        return [
            ("estimates", key) for key in tenant.put("estimates", [{"id": estimate["id"], "status": "Dismissed"}], now)
        ]
    sellers = tenant.tables["technicians"].newest_ids(words.TECHNICIANS)
    sold = {"status": "Sold", "soldOn": stamps.written(now), "soldBy": life.random.choice(sellers) if sellers else None}
    touched = [("estimates", key) for key in tenant.put("estimates", [{"id": estimate["id"], **sold}], now)]
    installs = _installers(tenant, estimate)
    customer = estimate["customerId"]
    if installs and customer in tenant.tables["customers"] and life.random.random() < 0.7:
        name = tenant.tables["customers"].get(customer)["name"]
        made = {"businessUnitId": life.random.choice(installs), "createdFromEstimateId": estimate["id"]}
        touched += book(life, tenant, customer, name, now, **made)
    return touched


def _installers(tenant: Tenant, estimate: Record) -> list[int]:
    """Give the units that install what an estimate sells: those of its trade, or all where its own is not known."""
    units = units_of(tenant, installs=True)
    names = {key: tenant.tables["business_units"].get(key)["name"] for key in units}
    trade = (estimate["businessUnitName"] or "").split(" - ")[0]
    return [key for key, name in names.items() if name.startswith(trade)] or units


def invoice_added(life: Life, tenant: Tenant, now: int) -> Touched:
    """Let something be sold over the counter, and paid at once."""
    customer = life.some(tenant, "customers", lambda record: bool(record["active"]))
    if customer is None:
        return []
    total, who = shapes.money(life.random.randrange(1_500, 90_000)), {"id": customer["id"], "name": customer["name"]}
    sale = {
        "customer": who, "subTotal": total, "total": total, "invoiceConfiguration": "CounterSales",
        "paidOn": stamps.written(now),
    }  # fmt: skip
    [key] = tenant.put("invoices", [sale], now)
    return [("invoices", key), _pay(tenant, tenant.tables["invoices"].get(key), _cents(total), now)]


def _pay(tenant: Tenant, invoice: Record, cents: int, now: int) -> tuple[str, int]:
    moment, amount = stamps.written(now), shapes.money(cents)
    applied = {"appliedId": now // 1_000, "appliedTo": invoice["id"], "appliedAmount": amount, "appliedOn": moment,
               "appliedBy": "office", "appliedToReferenceNumber": invoice["referenceNumber"]}  # fmt: skip
    payment = {"customer": invoice["customer"], "date": shapes.midnight(now), "total": amount, "appliedTo": [applied]}
    return "payments", tenant.put("payments", [payment], now)[0]


def payment_made(life: Life, tenant: Tenant, now: int) -> Touched:
    """Let a bill be paid, whole or in part: its balance falls, and the customer's with it."""
    invoice = life.some(tenant, "invoices", lambda record: record["active"] and _cents(record["balance"]) > 0)
    if invoice is None:
        return []
    owed = _cents(invoice["balance"])
    paid = owed if life.random.random() < 0.8 else max(owed // 2, 1)
    done = stamps.written(now) if paid == owed else None
    left = {"id": invoice["id"], "balance": shapes.money(owed - paid), "paidOn": done}
    touched = [_pay(tenant, invoice, paid, now)]
    touched += [("invoices", key) for key in tenant.put("invoices", [left], now)]
    return touched + (owe(tenant, invoice["customer"]["id"], -paid, now) if invoice["customer"] else [])


def _cents(written: object) -> int:
    text = str(written or "0")
    whole, _, part = text.partition(".")
    return int(whole + part.ljust(2, "0")[:2]) if whole.lstrip("-").isdigit() else 0


def balance_changed(life: Life, tenant: Tenant, now: int) -> Touched:
    """Let the books be set right: a balance moves, the customer's modifiedOn stays."""
    customer = life.some(tenant, "customers", lambda record: bool(record["active"]))
    if customer is None:
        return []
    changed = {"id": customer["id"], "balance": life.random.randrange(0, 250_000) / 100}
    return [("customers", key) for key in tenant.put("customers", [changed], now, accounting=True)]
