"""What a record of each entity looks like: every field of the API's own schema, with the values of a new record."""

from __future__ import annotations

from typing import Any

from . import shapes_of_money, shapes_of_settings, stamps

Record = dict[str, Any]

JOB_STATUSES = ("Scheduled", "Dispatched", "InProgress", "Hold", "Completed", "Canceled")
CONTACT_KINDS = ("Phone", "MobilePhone", "Email")

APPOINTMENT_STATUSES = ("Scheduled", "Dispatched", "Working", "Hold", "Done", "Canceled")
ASSIGNMENT_STATUSES = ("Scheduled", "Dispatched", "Working", "Done")
LEAD_STATUSES = ("Open", "Dismissed", "Converted")
BOOKING_STATUSES = ("New", "Converted", "Dismissed", "Accepted")
ESTIMATE_STATUSES = ("Open", "Sold", "Dismissed")
PRIORITIES = ("Normal", "Normal", "Normal", "Low", "High", "Urgent")

OFFICE_EMPLOYEE = 30_000_017
CAMPAIGN = 50_000_024
JOB_TYPE = 60_000_011
NO_ADDRESS = {"street": "", "unit": None, "city": "", "state": "", "zip": "", "country": "USA"}

# Values here are shared by many records: a record is replaced, never changed in place.
CUSTOMER: Record = {
    "id": 0, "active": True, "name": "", "type": "Residential", "address": NO_ADDRESS, "customFields": [],
    "balance": 0.0, "taxExempt": False, "tagTypeIds": [], "doNotMail": False, "doNotService": False,
    "nationalAccount": False, "createdOn": "", "createdById": OFFICE_EMPLOYEE, "modifiedOn": "", "mergedToId": None,
    "paymentTermId": None, "creditLimit": None, "creditLimitBalance": None, "externalData": [],
}  # fmt: skip
CUSTOMER_CONTACT: Record = {
    "modifiedOn": "", "phoneSettings": None, "createdOn": "", "preferences": None, "id": 0, "type": "Phone",
    "value": "", "memo": None, "customerId": 0, "active": True,
}  # fmt: skip
LOCATION: Record = {
    "taxZoneId": None, "id": 0, "customerId": 0, "active": True, "name": "", "address": NO_ADDRESS, "customFields": [],
    "createdOn": "", "createdById": OFFICE_EMPLOYEE, "modifiedOn": "", "mergedToId": None, "zoneId": None,
    "taxExempt": False, "tagTypeIds": [], "externalData": [],
}  # fmt: skip
LEAD: Record = {
    "summary": None, "callReasonId": None, "callId": None, "bookingId": None, "manualCallId": None, "leadUrl": None,
    "leadCustomerName": None, "leadPhone": None, "leadEmail": None, "leadStreet": None, "leadUnit": None,
    "leadCity": None, "leadState": None, "leadZip": None, "leadCountry": None, "captureSource": None, "id": 0,
    "status": "Open", "priority": "Normal", "customerId": None, "locationId": None, "businessUnitId": None,
    "jobTypeId": None, "campaignId": CAMPAIGN, "followUpDate": None, "createdById": OFFICE_EMPLOYEE, "createdOn": "",
    "modifiedOn": "", "tagTypeIds": [], "dismissingReasonId": None, "active": True,
}  # fmt: skip
BOOKING: Record = {
    "summary": None, "id": 0, "source": "Website", "createdOn": "", "name": "", "address": None,
    "customerType": "Residential", "start": "", "campaignId": CAMPAIGN, "businessUnitId": None,
    "isFirstTimeClient": True, "uploadedImages": [], "isSendConfirmationEmail": False, "status": "New",
    "dismissingReasonId": None, "jobId": None, "externalId": "", "priority": "Normal", "jobTypeId": None,
    "bookingProviderId": 1, "modifiedOn": "", "active": True,
}  # fmt: skip
JOB: Record = {
    "id": 0, "jobNumber": "", "projectId": None, "customerId": 0, "locationId": 0, "jobStatus": "Scheduled",
    "completedOn": None, "businessUnitId": 0, "jobTypeId": JOB_TYPE, "priority": "Normal", "campaignId": CAMPAIGN,
    "appointmentCount": 1, "firstAppointmentId": 0, "lastAppointmentId": 0, "recallForId": None, "warrantyId": None,
    "jobGeneratedLeadSource": None, "noCharge": False, "notificationsEnabled": True, "createdOn": "",
    "createdById": OFFICE_EMPLOYEE, "modifiedOn": "", "tagTypeIds": [], "leadCallId": None, "partnerLeadCallId": None,
    "bookingId": None, "soldById": None, "customerPo": "", "invoiceId": 0, "membershipId": None, "total": 0.0,
    "createdFromEstimateId": None, "estimateIds": [], "summary": None, "customFields": [], "externalData": [],
    "active": True,
    # Sent since May 2026, in no published schema: a reader must be tolerant.
    "summaryOfWork": None, "equipmentIds": [], "isAutoDispatched": False,
}  # fmt: skip
JOB_CANCELED_LOG: Record = {
    "id": 0, "jobId": 0, "reasonId": 0, "memo": None, "createdOn": "", "createdById": OFFICE_EMPLOYEE, "active": True,
}  # fmt: skip
APPOINTMENT: Record = {
    "id": 0, "jobId": 0, "appointmentNumber": None, "start": "", "end": "", "arrivalWindowStart": None,
    "arrivalWindowEnd": None, "status": "Scheduled", "specialInstructions": None, "createdOn": "", "modifiedOn": "",
    "customerId": 0, "unused": False, "createdById": OFFICE_EMPLOYEE, "isConfirmed": False, "active": True,
}  # fmt: skip
APPOINTMENT_ASSIGNMENT: Record = {
    "id": 0, "technicianId": 0, "technicianName": "", "assignedById": OFFICE_EMPLOYEE, "assignedOn": "",
    "status": "Scheduled", "isPaused": False, "jobId": 0, "appointmentId": 0, "createdOn": "", "modifiedOn": "",
    "active": True,
}  # fmt: skip

NEW: dict[str, Record] = {
    "customers": CUSTOMER,
    "customer_contacts": CUSTOMER_CONTACT,
    "locations": LOCATION,
    "leads": LEAD,
    "bookings": BOOKING,
    "jobs": JOB,
    "job_canceled_logs": JOB_CANCELED_LOG,
    "appointments": APPOINTMENT,
    "appointment_assignments": APPOINTMENT_ASSIGNMENT,
    **shapes_of_money.NEW,
    **shapes_of_settings.NEW,
}

STAMPS: dict[str, tuple[str, ...]] = {
    "job_canceled_logs": ("createdOn",),
    "appointments": ("createdOn", "modifiedOn", "start", "end"),
    "bookings": ("createdOn", "modifiedOn", "start"),
    "appointment_assignments": ("createdOn", "modifiedOn", "assignedOn"),
}
"""Fields that are now in a new record; all others have createdOn and modifiedOn."""

REFERS = ("createdById", "assignedById", "campaignId", "jobTypeId")
"""Fields that name a record of the first tenant in a new record."""


def money(cents: int) -> str:
    """Write cents as invoices do: a string with two decimals."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02}"


def midnight(stamp: int) -> str:
    """Write the day of a stamp as business dates come: midnight Z, though they are dates."""
    return stamps.date(stamp // stamps.TICKS_A_DAY) + "T00:00:00Z"


def estimate_status(name: str) -> Record:
    """Give an estimate's status as the API tells it: a number and a name."""
    return {"value": ESTIMATE_STATUSES.index(name), "name": name}


def completed(entity: str, given: Record, before: Record | None, now: int) -> Record:
    """Complete a record that tells only some fields, from the version before it or else from a new record."""
    if entity == "customers" and "mergedToId" in given:
        given = {"active": given["mergedToId"] is None, **given}
    if entity == "estimates" and isinstance(given.get("status"), str):
        given = {**given, "status": estimate_status(given["status"])}
    if before is not None:
        return {**before, **({"modifiedOn": stamps.written(now)} if "modifiedOn" in before else {}), **given}
    new = NEW.get(entity, {})
    stamped = {name: stamps.written(now) for name in STAMPS.get(entity, ("createdOn", "modifiedOn"))}
    record = {**new, **stamped, **given}
    if entity in {"customers", "locations"} and isinstance(record["address"], dict):
        record["address"] = {**NO_ADDRESS, **record["address"]}
    if entity == "customer_contacts" and record["type"] != "Email" and record["phoneSettings"] is None:
        record["phoneSettings"] = {"phoneNumber": record["value"], "doNotText": False}
    if entity == "jobs" and not record["jobNumber"]:
        record["jobNumber"] = str(record.get("id"))
    return record
