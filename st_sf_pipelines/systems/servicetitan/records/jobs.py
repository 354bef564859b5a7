"""The work: jobs, why they were canceled, their appointments, and who was sent to them."""

from __future__ import annotations

from typing import Any

from st_sf_pipelines.rules.stamps import instant
from st_sf_pipelines.systems.servicetitan.records.record import (
    Id,
    Moment,
    Money,
    Record,
    Text,
    folded,
)


class Job(Record):
    """A job; its status is kept without case and spaces (SEG-1)."""

    COLUMNS = (
        *("customer_id", "job_number", "status", "business_unit_id", "job_type_id", "campaign_id", "location_id"),
        *("booking_id", "total", "sold_by_id", "created_from_estimate_id"),
        *("created_on", "completed_on", "modified_on"),
    )
    customerId: Id
    jobStatus: str
    jobNumber: Text = None
    businessUnitId: Id | None = None
    jobTypeId: Id | None = None
    campaignId: Id | None = None
    locationId: Id | None = None
    bookingId: Id | None = None
    total: Money | None = None
    soldById: Id | None = None
    createdFromEstimateId: Id | None = None
    completedOn: Moment | None = None

    def columns(self) -> tuple[Any, ...]:
        """Give the columns."""
        return (
            *(self.customerId, self.jobNumber, folded(self.jobStatus), self.businessUnitId, self.jobTypeId),
            *(self.campaignId, self.locationId, self.bookingId, self.total, self.soldById),
            *(self.createdFromEstimateId, self.createdOn, self.completedOn, instant(self.modifiedOn)),
        )


class JobCanceledLog(Record):
    """That a job was canceled, and the reason; it never changes, so that its stamp is the one of its creation."""

    COLUMNS = ("job_id", "reason_id", "created_on")
    STAMPED_AT_CREATION = True
    jobId: Id
    reasonId: Id | None = None

    def columns(self) -> tuple[Any, ...]:
        """Give the columns."""
        return self.jobId, self.reasonId, self.createdOn


class Appointment(Record):
    """A visit of a job."""

    COLUMNS = (
        *("job_id", "customer_id", "status", "number", "starts_at", "ends_at"),
        *("created_on", "modified_on"),
    )
    jobId: Id
    status: str
    customerId: Id | None = None
    appointmentNumber: Text = None
    start: Moment | None = None
    end: Moment | None = None

    def columns(self) -> tuple[Any, ...]:
        """Give the columns."""
        return (
            *(self.jobId, self.customerId or None, folded(self.status), self.appointmentNumber),
            *(self.start, self.end, self.createdOn, instant(self.modifiedOn)),
        )


class AppointmentAssignment(Record):
    """A technician who was given an appointment."""

    COLUMNS = (
        *("job_id", "appointment_id", "technician_id", "status", "assigned_on"),
        *("created_on", "modified_on"),
    )
    jobId: Id
    appointmentId: Id
    technicianId: Id
    status: str
    assignedOn: Moment | None = None

    def columns(self) -> tuple[Any, ...]:
        """Give the columns."""
        return (
            *(self.jobId, self.appointmentId, self.technicianId, folded(self.status)),
            *(self.assignedOn, self.createdOn, instant(self.modifiedOn)),
        )
