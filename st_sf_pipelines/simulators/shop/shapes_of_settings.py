"""What a new business unit, technician, campaign and their like look like: every field of the API's own schema."""

from __future__ import annotations

from typing import Any

Record = dict[str, Any]

BUSINESS_UNIT: Record = {
    "id": 0, "active": True, "name": "", "officialName": None, "email": None, "currency": "USD", "phoneNumber": None,
    "invoiceHeader": None, "invoiceMessage": None, "defaultTaxRate": None, "authorizationParagraph": None,
    "acknowledgementParagraph": None, "address": None, "materialSku": None, "quickbooksClass": None,
    "accountCode": None, "franchiseId": None, "conceptCode": None, "corporateContractNumber": None, "trade": None,
    "division": None, "tagTypeIds": [], "tenant": None, "createdOn": "", "modifiedOn": "", "externalData": [],
}  # fmt: skip
JOB_TYPE: Record = {
    "id": 0, "name": "", "businessUnitIds": [], "skills": [], "tagTypeIds": [], "priority": "Normal", "duration": 3600,
    "soldThreshold": None, "class": "Service", "summary": "", "noCharge": False,
    "enforceRecurringServiceEventSelection": False, "invoiceSignaturesRequired": False, "modifiedOn": "",
    "createdOn": "", "externalData": [], "active": True, "isSmartDispatched": False,
}  # fmt: skip
JOB_CANCEL_REASON: Record = {"id": 0, "name": "", "active": True, "createdOn": "", "modifiedOn": ""}
CAMPAIGN: Record = {
    "id": 0, "name": "", "modifiedOn": "", "createdOn": "", "active": True, "isDefaultCampaign": False,
    "category": None, "source": None, "otherSource": None, "businessUnit": None, "medium": None, "otherMedium": None,
    "campaignPhoneNumbers": [],
}  # fmt: skip
# The API itself spells appoitmentId.
TECHNICIAN: Record = {
    "id": 0, "userId": 0, "name": "", "roleIds": [], "businessUnitId": None, "mainZoneId": None, "zoneIds": [],
    "createdOn": "", "modifiedOn": "", "email": None, "phoneNumber": None, "loginName": None, "home": None,
    "dailyGoal": 0.0, "isManagedTech": True, "licenseType": "ManagedTech", "customFields": [], "active": True,
    "aadUserId": None, "burdenRate": 0.0, "team": None, "jobFilter": None, "permissions": [], "accountLocked": False,
    "commissionRate": 0.0, "currentValue": None, "firstName": None, "lastName": None, "hourlyRate": 0.0,
    "jobId": None, "mobilePhone": None, "outboundCallerId": None, "payrollId": None, "payrollProfileId": None,
    "appoitmentId": None, "shiftStart": None, "shiftEnd": None, "soldByRate": 0.0, "startDate": None,
    "status": "Idle", "skills": [], "positions": [], "location": None, "bio": None, "memo": None,
}  # fmt: skip
EMPLOYEE: Record = {
    "customFields": [], "permissions": [], "id": 0, "userId": 0, "name": "", "firstName": None, "lastName": None,
    "managerId": None, "role": "GeneralOffice", "roleIds": [], "businessUnitId": None, "createdOn": "",
    "modifiedOn": "", "email": None, "phoneNumber": None, "loginName": None, "active": True, "aadUserId": None,
    "accountLocked": False, "home": None, "agentId": 0, "startDate": None, "terminationDate": None,
    "hourlyRate": 0.0, "overtimeProfileId": None,
}  # fmt: skip
TAG_TYPE: Record = {
    "id": 0, "name": "", "color": "#3b7ddd", "code": "", "importance": "Medium", "isConversionOpportunity": False,
    "allowToUseOnTimesheetActivity": False, "isVisibleOnDispatchBoard": True, "active": True, "createdOn": "",
    "modifiedOn": "",
}  # fmt: skip

NEW = {
    "business_units": BUSINESS_UNIT,
    "job_types": JOB_TYPE,
    "job_cancel_reasons": JOB_CANCEL_REASON,
    "campaigns": CAMPAIGN,
    "technicians": TECHNICIAN,
    "employees": EMPLOYEE,
    "tag_types": TAG_TYPE,
}
