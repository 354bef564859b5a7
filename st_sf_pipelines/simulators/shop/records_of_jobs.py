"""How rows become records: jobs, their appointments, who was sent, and why one was canceled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import listed, shapes, words
from .draw import Draw
from .stamps import TICKS_A_MINUTE, written

if TYPE_CHECKING:
    from .records import Records
    from .table import Record

SCHEDULED = shapes.APPOINTMENT_STATUSES.index("Scheduled")


def job(records: Records, number: int) -> Record:
    """Give a job."""
    row = records.jobs[number]
    draw = Draw(row.draw)
    priority, work = draw.pick(shapes.PRIORITIES), draw.below(len(words.WORK[listed.UNITS[row.unit]]))
    record_id = records.id_of("jobs", number)
    first, after = records.first_appointment[number], records.first_appointment[number + 1]
    offers = range(records.first_estimate[number], records.first_estimate[number + 1])
    loose, customer_id = records.estimates.columns["loose"], records.id_of("customers", row.customer)
    return {
        **shapes.JOB,
        "id": record_id,
        "jobNumber": str(record_id),
        "customerId": customer_id,
        "locationId": customer_id + 1,
        "jobStatus": shapes.JOB_STATUSES[row.status],
        "completedOn": written(row.completed) if row.completed >= 0 else None,
        "businessUnitId": records.id_of("business_units", row.unit),
        "jobTypeId": records.id_of("job_types", listed.FIRST_TYPE[row.unit] + work),
        "priority": priority,
        "campaignId": records.id_of("campaigns", row.draw % (len(words.CAMPAIGNS) - 1)),
        "appointmentCount": after - first,
        "firstAppointmentId": records.id_of("appointments", first),
        "lastAppointmentId": records.id_of("appointments", after - 1),
        "createdOn": written(row.created),
        "createdById": records.office,
        "modifiedOn": written(row.modified),
        "bookingId": records.maybe_id("bookings", row.booking),
        "invoiceId": records.id_of("invoices", row.invoice),
        "total": row.total / 100,
        "createdFromEstimateId": records.maybe_id("estimates", row.made_from),
        "estimateIds": [records.id_of("estimates", offer) for offer in offers if not loose[offer]],
        "summary": f"<p>{words.WORK[listed.UNITS[row.unit]][work]}</p>",
    }


def canceled_log(records: Records, number: int) -> Record:
    """Give the note that a job was canceled."""
    row = records.canceled[number]
    draw = Draw(row.draw)
    return {
        **shapes.JOB_CANCELED_LOG,
        "id": records.id_of("job_canceled_logs", number),
        "jobId": records.id_of("jobs", row.job),
        "reasonId": records.id_of("job_cancel_reasons", draw.below(len(words.CANCEL_REASONS))),
        "memo": draw.pick(words.CANCEL_MEMOS),
        "createdOn": written(row.created),
        "createdById": records.office,
    }


def appointment(records: Records, number: int) -> Record:
    """Give an appointment; it is numbered within its job."""
    row = records.appointments[number]
    job_id = records.id_of("jobs", row.job)
    end = row.start + row.minutes * TICKS_A_MINUTE
    return {
        **shapes.APPOINTMENT,
        "id": records.id_of("appointments", number),
        "jobId": job_id,
        "appointmentNumber": f"{job_id}-{1 + number - records.first_appointment[row.job]}",
        "start": written(row.start),
        "end": written(end),
        "arrivalWindowStart": written(row.start),
        "arrivalWindowEnd": written(min(end, row.start + 120 * TICKS_A_MINUTE)),
        "status": shapes.APPOINTMENT_STATUSES[row.status],
        "createdOn": written(row.created),
        "modifiedOn": written(row.modified),
        "customerId": records.id_of("customers", records.jobs.columns["customer"][row.job]),
        "createdById": records.office,
        "isConfirmed": row.status != SCHEDULED,
    }


def assignment(records: Records, number: int) -> Record:
    """Give a technician's assignment to an appointment."""
    row = records.assignments[number]
    first, last = listed.technician_name(row.technician + 100 * records.place)
    created = written(row.created)
    return {
        **shapes.APPOINTMENT_ASSIGNMENT,
        "id": records.id_of("appointment_assignments", number),
        "technicianId": records.id_of("technicians", row.technician),
        "technicianName": f"{first} {last}",
        "assignedById": records.office,
        "assignedOn": created,
        "status": shapes.ASSIGNMENT_STATUSES[row.status],
        "jobId": records.id_of("jobs", records.appointments.columns["job"][row.appointment]),
        "appointmentId": records.id_of("appointments", row.appointment),
        "createdOn": created,
        "modifiedOn": written(row.modified),
        "active": bool(row.active),
    }
