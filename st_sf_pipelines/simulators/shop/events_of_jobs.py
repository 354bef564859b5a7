"""What happens with jobs: they are booked, dispatched, worked on, done and billed, or canceled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import links, progress, shapes, stamps, words

if TYPE_CHECKING:
    from .live import Life, Touched
    from .shop import Tenant
    from .table import Record

# Where a job's status goes next; the first is the common way.
NEXT_STATUS = {
    "Scheduled": ("Dispatched", "Dispatched", "Dispatched", "Canceled"),
    "Dispatched": ("InProgress",),
    "InProgress": ("Completed", "Completed", "Completed", "Hold"),
    "Hold": ("InProgress",),
}
VISIT_STATUS = {"Dispatched": "Dispatched", "InProgress": "Working", "Hold": "Hold"}


def book(life: Life, tenant: Tenant, customer: int, name: str, now: int, **more: object) -> Touched:
    """Book a job for a customer, with an appointment, a technician and an empty invoice; an install only if told."""
    booked: Record = {"customerId": customer, "locationId": customer + 1, **more}
    if "businessUnitId" not in more:
        booked["businessUnitId"] = life.random.choice(units_of(tenant, installs=False) or [0])
    types = tenant.tables["job_types"]
    fit = [key for key in types.keys() if booked["businessUnitId"] in types.get(key)["businessUnitIds"]]  # noqa: SIM118 - a table is no dict
    if fit:
        booked["jobTypeId"] = life.random.choice(fit)
    [job] = tenant.put("jobs", [booked], now)
    billed = {
        "customer": {"id": customer, "name": name},
        "job": {"id": job, "number": str(job), "type": "Service"},
    }
    [invoice] = tenant.put("invoices", [billed], now)
    tenant.put("jobs", [{"id": job, "invoiceId": invoice}], now)
    return [("jobs", job), ("invoices", invoice), ("appointments", _visit(life, tenant, job, now))]


def units_of(tenant: Tenant, *, installs: bool) -> list[int]:
    """Give the business units that install, or the others."""
    units = tenant.tables["business_units"]
    return [key for key in units.keys() if ("Install" in units.get(key)["name"]) is installs]  # noqa: SIM118 - a table is no dict


def _visit(life: Life, tenant: Tenant, job: int, now: int) -> int:
    people = tenant.tables["technicians"].newest_ids(words.TECHNICIANS)
    start = now - now % stamps.TICKS_A_DAY + life.random.randrange(1, 8) * stamps.TICKS_A_DAY
    start += life.random.randrange(16, 24) * 60 * stamps.TICKS_A_MINUTE
    visit: Record = {
        "start": stamps.written(start),
        "end": stamps.written(start + 120 * stamps.TICKS_A_MINUTE),
        "technicianIds": [life.random.choice(people)] if people else [],
    }
    return progress.add_appointments(tenant, tenant.tables["jobs"].get(job), [visit], now)[0]


def return_visit_added(life: Life, tenant: Tenant, now: int) -> Touched:
    """Let a job that is under way or on hold need one more appointment."""
    job = life.some(tenant, "jobs", lambda record: record["jobStatus"] in {"InProgress", "Hold"})
    return [] if job is None else [("appointments", _visit(life, tenant, job["id"], now)), ("jobs", job["id"])]


def job_moves_on(life: Life, tenant: Tenant, now: int) -> Touched:
    """Let an open job take its next step, its appointments with it; a completed one is billed."""
    job = life.some(tenant, "jobs", lambda record: record["jobStatus"] in NEXT_STATUS)
    if job is None:
        return []
    status = life.random.choice(NEXT_STATUS[job["jobStatus"]])
    if status == "Completed":
        return _complete(life, tenant, job, now)
    if status == "Canceled":
        reasons = tenant.tables["job_cancel_reasons"].newest_ids(len(words.CANCEL_REASONS))
        reason = life.random.choice(reasons) if reasons else 0
        progress.cancel(tenant, job["id"], reason, life.random.choice(words.CANCEL_MEMOS), now)
        return [("jobs", job["id"])]
    visits = links.appointments_of(tenant, job["id"])
    standing = [each for each in visits if each["active"] and each["status"] not in progress.ENDED]
    if standing:
        progress.move(tenant, standing[0]["id"], VISIT_STATUS[status], now)
    else:
        tenant.put("jobs", [{"id": job["id"], "jobStatus": status}], now)
    return [("jobs", job["id"])]


def _complete(life: Life, tenant: Tenant, job: Record, now: int) -> Touched:
    cents = life.random.choice((0, 12_500, 38_900, 142_075, 655_000))
    done = {"completedOn": stamps.written(now), "total": cents / 100}
    progress.set_job(tenant, job["id"], "Completed", now, **done)
    touched: Touched = [("jobs", job["id"])]
    if job["invoiceId"] in tenant.tables["invoices"]:
        written = shapes.money(cents)
        bill = {"id": job["invoiceId"], "subTotal": written, "total": written, "balance": written}
        touched += [("invoices", key) for key in tenant.put("invoices", [bill], now)]
        touched += owe(tenant, job["customerId"], cents, now)
    return touched


def owe(tenant: Tenant, customer: int, cents: int, now: int) -> Touched:
    """Let a customer owe more, or less: in feeds and ranges the customer moves, its modifiedOn stays."""
    table = tenant.tables["customers"]
    if not cents or customer not in table:
        return []
    balance = round(100 * table.get(customer)["balance"]) + cents
    changed = {"id": customer, "balance": balance / 100}
    return [("customers", key) for key in tenant.put("customers", [changed], now, accounting=True)]
