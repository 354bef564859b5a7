"""How jobs and their appointments go on together: the field moves appointments, the office moves jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import links, shapes, stamps

if TYPE_CHECKING:
    from .shop import Tenant
    from .table import Record

ENDED = ("Done", "Canceled")
JOB_STATUS = {"Scheduled": "Scheduled", "Dispatched": "Dispatched", "Working": "InProgress", "Hold": "Hold"}
SENT_STATUS = {"Scheduled": "Scheduled", "Dispatched": "Dispatched", "Working": "Working", "Done": "Done"}


def move(tenant: Tenant, appointment: int, status: str, now: int) -> dict[str, int]:
    """Let an appointment reach a status; technicians follow it, and the job follows its appointments."""
    if status not in shapes.APPOINTMENT_STATUSES:
        raise ValueError(f"{status!r} is no status of an appointment")
    visit = tenant.tables["appointments"].get(appointment)
    _set_visits(tenant, [visit], status, now)
    job = tenant.tables["jobs"].get(visit["jobId"])
    standing = [each for each in links.appointments_of(tenant, job["id"]) if each["active"]]
    still = [each["status"] for each in standing if each["status"] not in ENDED]
    if status in JOB_STATUS:
        now_stands = JOB_STATUS[status]
    elif still:
        now_stands = JOB_STATUS[still[0]]
    else:
        now_stands = "Completed" if any(each["status"] == "Done" for each in standing) else job["jobStatus"]
    if now_stands != job["jobStatus"]:
        done = stamps.written(now) if now_stands == "Completed" else None
        tenant.put("jobs", [{"id": job["id"], "jobStatus": now_stands, "completedOn": done}], now)
    return {"appointment": appointment, "job": job["id"]}


def _set_visits(tenant: Tenant, visits: list[Record], status: str, now: int) -> None:
    tenant.put("appointments", [{"id": each["id"], "status": status} for each in visits], now)
    if status in SENT_STATUS:
        sent = [
            {"id": person["id"], "status": SENT_STATUS[status]}
            for each in visits
            for person in links.assignments_of(tenant, each["id"])
            if person["active"]
        ]
        tenant.put("appointment_assignments", sent, now)


def set_job(tenant: Tenant, job: int, status: str, now: int, **fields: Any) -> None:
    """Let the office give a job a status; its appointments that have not ended follow."""
    tenant.put("jobs", [{"id": job, "jobStatus": status, **fields}], now)
    wanted = {"Canceled": "Canceled", "Completed": "Done", "Hold": "Hold", "Scheduled": "Scheduled"}[status]
    visits = [each for each in links.appointments_of(tenant, job) if each["active"]]
    # What was canceled with its job comes back with it.
    ended = ("Done",) if status == "Scheduled" else ENDED
    _set_visits(tenant, [each for each in visits if each["status"] not in ended], wanted, now)


def cancel(tenant: Tenant, job: int, reason: int, memo: str | None, now: int) -> None:
    """Cancel a job, with its appointments, and write the log."""
    set_job(tenant, job, "Canceled", now, completedOn=None)
    tenant.put("job_canceled_logs", [{"jobId": job, "reasonId": reason, "memo": memo}], now)


def add_appointments(tenant: Tenant, job: Record, wanted: list[Record], now: int) -> list[int]:
    """Add appointments to a job, with the technicians that they name, and let the job count them."""
    before = links.appointments_of(tenant, job["id"])
    visits: list[int] = []
    for nth, told in enumerate(wanted, start=len(before) + 1):
        technicians = told.get("technicianIds") or []
        visit = {name: value for name, value in told.items() if name != "technicianIds"}
        number = f"{job['jobNumber']}-{nth}"
        [key] = tenant.put(
            "appointments",
            [{**visit, "jobId": job["id"], "customerId": job["customerId"], "appointmentNumber": number}],
            now,
        )
        visits.append(key)
        send(tenant, job["id"], key, technicians, now)
    standing = [each["id"] for each in before if each["active"]] + visits
    counts = {"appointmentCount": len(standing), "firstAppointmentId": standing[0], "lastAppointmentId": standing[-1]}
    tenant.put("jobs", [{"id": job["id"], **counts}], now)
    return visits


def send(tenant: Tenant, job: int, appointment: int, technicians: list[int], now: int) -> list[int]:
    """Send technicians to an appointment."""
    people = tenant.tables["technicians"]
    sent = [
        {
            "jobId": job,
            "appointmentId": appointment,
            "technicianId": key,
            "technicianName": people.get(key)["name"] if key in people else "",
        }
        for key in technicians
    ]
    return tenant.put("appointment_assignments", sent, now)
