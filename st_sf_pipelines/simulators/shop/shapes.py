"""What a record of each entity looks like: every field of the API's own schema, with the values of a new record."""

from __future__ import annotations

from typing import Any

from . import stamps

Record = dict[str, Any]

JOB_STATUSES = ("Scheduled", "Dispatched", "InProgress", "Hold", "Completed", "Canceled")
CONTACT_KINDS = ("Phone", "MobilePhone", "Email")

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
INVOICE: Record = {
    "id": 0, "syncStatus": "Pending", "budgetCodeId": None, "referenceNumber": "", "invoiceDate": None,
    "dueDate": None, "subTotal": "0.00", "salesTax": "0.00", "salesTaxCode": None, "taxZoneId": None, "total": "0.00",
    "balance": "0.00", "invoiceType": None, "customer": None, "customerAddress": None, "location": None,
    "locationAddress": None, "businessUnit": None, "termName": "Due Upon Receipt", "createdBy": "office",
    "batch": None, "depositedOn": None, "createdOn": "", "modifiedOn": "", "adjustmentToId": None, "job": None,
    "projectId": None, "royalty": None, "employeeInfo": None, "commissionEligibilityDate": None,
    "sentStatus": "NotSent", "reviewStatus": "NeedsReview", "assignedTo": None, "summary": None, "items": [],
    "customFields": [], "active": True, "discountTotal": "0.00", "importId": None, "exportId": None,
    "materialSkuId": None, "membershipId": None, "paidOn": None, "invoiceConfiguration": "JobInvoice",
}  # fmt: skip
BUSINESS_UNIT: Record = {
    "id": 0, "active": True, "name": "", "officialName": None, "email": None, "currency": "USD", "phoneNumber": None,
    "invoiceHeader": None, "invoiceMessage": None, "defaultTaxRate": None, "authorizationParagraph": None,
    "acknowledgementParagraph": None, "address": None, "materialSku": None, "quickbooksClass": None,
    "accountCode": None, "franchiseId": None, "conceptCode": None, "corporateContractNumber": None, "trade": None,
    "division": None, "tagTypeIds": [], "tenant": None, "createdOn": "", "modifiedOn": "", "externalData": [],
}  # fmt: skip

NEW: dict[str, Record] = {
    "customers": CUSTOMER,
    "customer_contacts": CUSTOMER_CONTACT,
    "jobs": JOB,
    "invoices": INVOICE,
    "business_units": BUSINESS_UNIT,
}


def money(cents: int) -> str:
    """Write cents as invoices do: a string with two decimals."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02}"


def midnight(stamp: int) -> str:
    """Write the day of a stamp as business dates come: midnight Z, though they are dates."""
    return stamps.date(stamp // stamps.TICKS_A_DAY) + "T00:00:00Z"


def completed(entity: str, given: Record, before: Record | None, now: int) -> Record:
    """Complete a record that tells only some fields, from the version before it or else from a new record."""
    if before is not None:
        return {**before, "modifiedOn": stamps.written(now), **given}
    record = {
        **NEW.get(entity, {}),
        "createdOn": stamps.written(now),
        "modifiedOn": stamps.written(now),
        **given,
    }
    if entity == "customers" and isinstance(record["address"], dict):
        record["address"] = {**NO_ADDRESS, **record["address"]}
    if entity == "customer_contacts" and record["type"] != "Email" and record["phoneSettings"] is None:
        record["phoneSettings"] = {"phoneNumber": record["value"], "doNotText": False}
    if entity == "jobs" and not record["jobNumber"]:
        record["jobNumber"] = str(record.get("id"))
    return record
