"""Calls that write jobs and appointments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from st_sf_pipelines.simulators.shop import links, progress, stamps

from .answers import invalid
from .asking_calls import linked
from .calls import Call, conflict, with_external, with_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from st_sf_pipelines.simulators.shop.table import Record

PRIORITIES = ("Low", "Normal", "High", "Urgent")
NOT_KEPT = ("appointments", "invoiceSignatureIsRequired", "leadId", "shouldUpdateInvoiceItems")


def create_job(call: Call) -> Any:
    """Create a job, with its appointments and its empty invoice; a lead or booking that it comes of is converted."""
    _check_job(call)
    call.must_be("leads", "leadId")
    visits = call.body["appointments"]
    if not visits:
        raise invalid("appointments", "At least one appointment is required.")
    _check_span(visits)
    job = call.put("jobs", _told(call.body))
    progress.add_appointments(call.tenant, job, visits, call.now)
    customer = call.found("customers", job["customerId"])
    bill = {
        "customer": {"id": customer["id"], "name": customer["name"]},
        "job": {"id": job["id"], "number": job["jobNumber"], "type": "Service"},
        "businessUnit": {
            "id": job["businessUnitId"],
            "name": call.found("business_units", job["businessUnitId"])["name"],
        },
    }
    invoice = call.put("invoices", bill)
    for entity, name in (("leads", "leadId"), ("bookings", "bookingId")):
        if call.body.get(name):
            done = {"jobId": job["id"]} if entity == "bookings" else {}
            call.put(entity, {"id": call.body[name], "status": "Converted", **done})
    return call.put("jobs", {"id": job["id"], "invoiceId": invoice["id"]})


def _check_job(call: Call) -> None:
    linked(call)
    if call.body.get("priority", "Normal") not in PRIORITIES:
        raise invalid("priority", f"The priority must be one of {', '.join(PRIORITIES)}.")


def _check_span(visits: list[Record]) -> None:
    for place, visit in enumerate(visits):
        if (stamps.read(visit["end"]) or 0) <= (stamps.read(visit["start"]) or 0):
            raise invalid(f"appointments[{place}].end", "The end must be after the start.")


def _told(body: Record, before: Record | None = None) -> Record:
    told = {name: value for name, value in body.items() if value is not None and name not in NOT_KEPT}
    if "customFields" in told:
        told["customFields"] = with_fields(told["customFields"])
    if "externalData" in told:
        told["externalData"] = with_external(before["externalData"] if before else [], told["externalData"])
    return told


def update_job(call: Call) -> Any:
    """Change a job; lists are replaced whole, and its status cannot be set so."""
    _check_job(call)
    before = call.found("jobs")
    return call.put("jobs", {"id": before["id"], **_told(call.body, before)})


def _job_not(call: Call, *statuses: str) -> int:
    job = call.found("jobs")
    if job["jobStatus"] in statuses:
        raise conflict(f"The job is {job['jobStatus'].lower()}.")
    return int(job["id"])


def cancel_job(call: Call) -> None:
    """Cancel a job, its appointments with it."""
    job = _job_not(call, "Canceled", "Completed")
    call.must_be("job_cancel_reasons", "reasonId")
    progress.cancel(call.tenant, job, call.body["reasonId"], call.body["memo"], call.now)


def hold_job(call: Call) -> None:
    """Put a job on hold."""
    progress.set_job(call.tenant, _job_not(call, "Canceled", "Completed"), "Hold", call.now)


def take_back_cancellation(call: Call) -> None:
    """Let a canceled job stand again."""
    job = _job_not(call, "Scheduled", "Dispatched", "InProgress", "Hold", "Completed")
    progress.set_job(call.tenant, job, "Scheduled", call.now)


def complete_job(call: Call) -> None:
    """Complete a job on a day."""
    job = _job_not(call, "Canceled", "Completed")
    progress.set_job(call.tenant, job, "Completed", call.now, completedOn=call.body["completedOn"])


def list_canceled_logs(call: Call) -> Any:
    """List the notes of a job's cancellations."""
    return call.page(links.canceled_logs_of(call.tenant, call.found("jobs")["id"]))


def create_appointment(call: Call) -> Any:
    """Add an appointment to a job."""
    call.must_be("jobs", "jobId")
    job = call.found("jobs", call.body["jobId"])
    visit = {name: value for name, value in call.body.items() if name != "jobId" and value is not None}
    _check_span([visit])
    [key] = progress.add_appointments(call.tenant, job, [visit], call.now)
    return call.tenant.tables["appointments"].get(key)


def reschedule(call: Call) -> Any:
    """Move an appointment that has not ended to another time."""
    visit = call.found("appointments")
    if visit["status"] in progress.ENDED:
        raise conflict(f"The appointment is {visit['status'].lower()}.")
    _check_span([{"start": visit["start"], "end": visit["end"], **call.body}])
    return call.put("appointments", {"id": visit["id"], **call.body})


def delete_appointment(call: Call) -> None:
    """Delete an appointment, but never a job's only one."""
    visit = call.found("appointments")
    standing = [each for each in links.appointments_of(call.tenant, visit["jobId"]) if each["active"]]
    if len(standing) < 2:
        raise conflict("A job has at least one appointment.")
    call.put("appointments", {"id": visit["id"], "active": False})
    left = [each["id"] for each in standing if each["id"] != visit["id"]]
    counts = {"appointmentCount": len(left), "firstAppointmentId": left[0], "lastAppointmentId": left[-1]}
    call.put("jobs", {"id": visit["jobId"], **counts})


CALLS: dict[str, Callable[[Call], Any]] = {
    "POST jpm/jobs": create_job,
    "PATCH jpm/jobs/{}": update_job,
    "PUT jpm/jobs/{}/cancel": cancel_job,
    "PUT jpm/jobs/{}/hold": hold_job,
    "PUT jpm/jobs/{}/remove-cancellation": take_back_cancellation,
    "PUT jpm/jobs/{}/complete": complete_job,
    "GET jpm/jobs/{}/canceled-log": list_canceled_logs,
    "POST jpm/appointments": create_appointment,
    "PATCH jpm/appointments/{}/reschedule": reschedule,
    "DELETE jpm/appointments/{}": delete_appointment,
}
