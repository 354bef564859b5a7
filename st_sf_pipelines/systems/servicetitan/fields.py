"""The fields that ServiceTitan documents for each entity: any other one in a record is drift (EXT-6).

From the OpenAPI files of developer.servicetitan.io as of 2026-03-05 (kept in archdotdev/tap-service-titan@0001e257):
what a feed or a list may hold, by its own name.
"""

from __future__ import annotations

from typing import Final

_DOCUMENTED: Final = {
    "customers": """
        id active name type address customFields balance taxExempt tagTypeIds doNotMail doNotService
        nationalAccount createdOn createdById modifiedOn mergedToId paymentTermId creditLimit creditLimitBalance
        externalData
    """,
    "customer_contacts": """
        modifiedOn phoneSettings createdOn preferences id type value memo customerId active
    """,
    "locations": """
        taxZoneId id customerId active name address customFields createdOn createdById modifiedOn mergedToId
        zoneId taxExempt tagTypeIds externalData
    """,
    "leads": """
        summary callReasonId callId bookingId manualCallId leadUrl leadCustomerName leadPhone leadEmail
        leadStreet leadUnit leadCity leadState leadZip leadCountry captureSource id status priority customerId
        locationId businessUnitId jobTypeId campaignId followUpDate createdById createdOn modifiedOn tagTypeIds
        dismissingReasonId active
    """,
    "bookings": """
        summary id source createdOn name address customerType start campaignId businessUnitId isFirstTimeClient
        uploadedImages isSendConfirmationEmail status dismissingReasonId jobId externalId priority jobTypeId
        bookingProviderId modifiedOn active
    """,
    "jobs": """
        summary customFields externalData id jobNumber projectId customerId locationId jobStatus completedOn
        businessUnitId jobTypeId priority campaignId appointmentCount firstAppointmentId lastAppointmentId
        recallForId warrantyId jobGeneratedLeadSource noCharge notificationsEnabled createdOn createdById
        modifiedOn tagTypeIds leadCallId partnerLeadCallId bookingId soldById customerPo invoiceId membershipId
        total createdFromEstimateId estimateIds active
    """,
    "job_canceled_logs": """
        id jobId reasonId memo createdOn createdById active
    """,
    "appointments": """
        id jobId appointmentNumber start end arrivalWindowStart arrivalWindowEnd status specialInstructions
        createdOn modifiedOn customerId unused createdById isConfirmed active
    """,
    "appointment_assignments": """
        id technicianId technicianName assignedById assignedOn status isPaused jobId appointmentId createdOn
        modifiedOn active
    """,
    "estimates": """
        id jobId projectId locationId customerId name jobNumber status reviewStatus summary createdOn modifiedOn
        soldOn soldBy active items externalLinks subtotal tax businessUnitId businessUnitName isRecommended
        budgetCodeId isChangeOrder proposalTagName
    """,
    "invoices": """
        summary items customFields active discountTotal importId exportId materialSkuId membershipId paidOn
        invoiceConfiguration id syncStatus budgetCodeId referenceNumber invoiceDate dueDate subTotal salesTax
        salesTaxCode taxZoneId total balance invoiceType customer customerAddress location locationAddress
        businessUnit termName createdBy batch depositedOn createdOn modifiedOn adjustmentToId job projectId
        royalty employeeInfo commissionEligibilityDate sentStatus reviewStatus assignedTo
    """,
    "payments": """
        active appliedTo authCode batch businessUnit checkNumber createdBy createdOn customer customFields date
        deposit generalLedgerAccount id memo modifiedOn referenceNumber refundedPaymentId syncStatus total type
        typeId unappliedAmount
    """,
    "business_units": """
        id active name officialName email currency phoneNumber invoiceHeader invoiceMessage defaultTaxRate
        authorizationParagraph acknowledgementParagraph address materialSku quickbooksClass accountCode
        franchiseId conceptCode corporateContractNumber trade division tagTypeIds tenant createdOn modifiedOn
        externalData
    """,
    "job_types": """
        id name businessUnitIds skills tagTypeIds priority duration soldThreshold class summary noCharge
        enforceRecurringServiceEventSelection invoiceSignaturesRequired modifiedOn createdOn externalData active
        isSmartDispatched
    """,
    "job_cancel_reasons": """
        id name active createdOn modifiedOn
    """,
    "campaigns": """
        id name modifiedOn createdOn active isDefaultCampaign category source otherSource businessUnit medium
        otherMedium campaignPhoneNumbers
    """,
    "technicians": """
        id userId name roleIds businessUnitId mainZoneId zoneIds createdOn modifiedOn email phoneNumber
        loginName home dailyGoal isManagedTech licenseType customFields active aadUserId burdenRate team
        jobFilter permissions accountLocked commissionRate currentValue firstName lastName hourlyRate jobId
        mobilePhone outboundCallerId payrollId payrollProfileId appoitmentId shiftStart shiftEnd soldByRate
        startDate status skills positions location bio memo
    """,
    "employees": """
        customFields permissions id userId name firstName lastName managerId role roleIds businessUnitId
        createdOn modifiedOn email phoneNumber loginName active aadUserId accountLocked home agentId startDate
        terminationDate hourlyRate overtimeProfileId
    """,
    "tag_types": """
        id name color code importance isConversionOpportunity allowToUseOnTimesheetActivity
        isVisibleOnDispatchBoard active createdOn modifiedOn
    """,
}

_PLACE: Final = "street unit city state zip country latitude longitude"
_WITHIN: Final = {
    "customers": {"address": _PLACE},
    "locations": {"address": _PLACE},
    "estimates": {"status": "value name"},
    "invoices": {"customer": "id name", "job": "id number type"},
    "payments": {"customer": "id name"},
    "campaigns": {"category": "id name active"},
}

FIELDS: Final = {
    entity: {
        within: frozenset(documented.split()) for within, documented in {"": names, **_WITHIN.get(entity, {})}.items()
    }
    for entity, names in _DOCUMENTED.items()
}
"""By entity, the fields of the record itself (under "") and of each object within it that we use something of."""
