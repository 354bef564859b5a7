"""How rows become records: estimates with their items, invoices with their adjustments, and payments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import listed, shapes, words
from .draw import Draw
from .shapes_of_money import ESTIMATE, ESTIMATE_ITEM, INVOICE, PAYMENT
from .stamps import written

if TYPE_CHECKING:
    from .records import Records
    from .table import Record

TAX_OF_10000 = 775


def estimate(records: Records, number: int) -> Record:
    """Give an estimate; every other one is taxed, a few have no name, and its items add up to its subtotal."""
    row = records.estimates[number]
    draw, unit = Draw(row.draw), records.jobs.columns["unit"][row.job]
    customer_id = records.id_of("customers", records.jobs.columns["customer"][row.job])
    created, modified = written(row.created), written(row.modified)
    work = draw.pick(words.WORK[listed.UNITS[unit]])
    name = f"{work}{draw.pick(words.TIERS)}" if draw.below(20) else None
    tax = row.subtotal * TAX_OF_10000 // 10_000 if draw.below(2) else 0
    job_id = None if row.loose else records.id_of("jobs", row.job)
    record_id = records.id_of("estimates", number)
    parts = [row.subtotal] if draw.below(3) else [row.subtotal // 3, row.subtotal - row.subtotal // 3]
    items = [
        {
            **ESTIMATE_ITEM,
            "id": record_id * 10 + place,
            "sku": {"id": 7_000 + unit, "name": f"SKU-{unit}{place}", "displayName": work, "type": "Service",
                    "soldHours": 2.0, "generalLedgerAccountId": 4_000, "generalLedgerAccountName": "Sales",
                    "modifiedOn": modified},
            "description": f"<p>{work}</p>",
            "unitRate": part / 100,
            "total": part / 100,
            "createdOn": created,
            "modifiedOn": modified,
        }
        for place, part in enumerate(parts)
    ]  # fmt: skip
    return {
        **ESTIMATE,
        "id": record_id,
        "jobId": job_id,
        "locationId": customer_id + 1,
        "customerId": customer_id,
        "name": name,
        "jobNumber": str(job_id) if job_id else None,
        "status": {"value": row.status, "name": shapes.ESTIMATE_STATUSES[row.status]},
        "createdOn": created,
        "modifiedOn": modified,
        "soldOn": written(row.sold) if row.sold >= 0 else None,
        "soldBy": seller(records, row.draw) if row.sold >= 0 else None,
        "active": bool(row.active),
        "items": items,
        "subtotal": row.subtotal / 100,
        "tax": tax / 100,
        "businessUnitId": records.id_of("business_units", unit),
        "businessUnitName": listed.UNITS[unit],
        "isRecommended": number % 3 == 0,
    }


def seller(records: Records, draw: int) -> int:
    """Give the id of the technician who sells."""
    return records.id_of("technicians", draw % 5)


def invoice(records: Records, number: int) -> Record:
    """Give an invoice, or an adjustment to one."""
    row = records.invoices[number]
    record_id, customer_id = records.id_of("invoices", number), records.id_of("customers", row.customer)
    name, day, total = records.name_of(row.customer), shapes.midnight(row.created), shapes.money(row.total)
    job = unit = None
    if row.job >= 0:
        place, job_id = records.jobs.columns["unit"][row.job], records.id_of("jobs", row.job)
        job = {"id": job_id, "number": str(job_id), "type": "Service"}
        unit = {"id": records.id_of("business_units", place), "name": listed.UNITS[place]}
    return {
        **INVOICE,
        "id": record_id,
        "syncStatus": "Posted" if row.balance == 0 else "Pending",
        "referenceNumber": str(record_id),
        "invoiceDate": day,
        "dueDate": day,
        "subTotal": total,
        "total": total,
        "balance": shapes.money(row.balance),
        "customer": {"id": customer_id, "name": name},
        "location": {"id": customer_id + 1, "name": name},
        "businessUnit": unit,
        "createdOn": written(row.created),
        "modifiedOn": written(row.modified),
        "adjustmentToId": records.maybe_id("invoices", row.adjusts),
        "job": job,
        "sentStatus": "Sent" if row.total else "NotSent",
        "reviewStatus": "Reviewed" if row.balance == 0 else "NeedsReview",
        "active": bool(row.active),
        "paidOn": written(row.modified) if row.total > 0 and row.balance == 0 else None,
        "invoiceConfiguration": "JobInvoice" if job else "CounterSales",
    }


def payment(records: Records, number: int) -> Record:
    """Give a payment, applied to its invoice."""
    row = records.payments[number]
    customer = records.invoices.columns["customer"][row.invoice]
    record_id, invoice_id = records.id_of("payments", number), records.id_of("invoices", row.invoice)
    kind, total, created = Draw(row.draw).below(len(words.PAYMENT_TYPES)), shapes.money(row.total), written(row.created)
    applied = {
        "appliedId": record_id + 1,
        "appliedTo": invoice_id,
        "appliedAmount": total,
        "appliedOn": created,
        "appliedBy": "office",
        "appliedToReferenceNumber": str(invoice_id),
    }
    return {
        **PAYMENT,
        "active": bool(row.active),
        "appliedTo": [applied] if row.active else [],
        "checkNumber": str(1_000 + number % 9_000) if words.PAYMENT_TYPES[kind] == "Check" else None,
        "createdOn": created,
        "customer": {"id": records.id_of("customers", customer), "name": records.name_of(customer)},
        "date": shapes.midnight(row.created),
        "id": record_id,
        "modifiedOn": written(row.modified),
        "referenceNumber": str(record_id),
        "total": total,
        "type": words.PAYMENT_TYPES[kind],
        "typeId": str(kind + 1),
        "unappliedAmount": "0.00" if row.active else total,
    }
