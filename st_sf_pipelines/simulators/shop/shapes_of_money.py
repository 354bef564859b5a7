"""What a new estimate, invoice and payment look like: every field of the API's own schema."""

from __future__ import annotations

from typing import Any

Record = dict[str, Any]

ESTIMATE: Record = {
    "id": 0, "jobId": None, "projectId": None, "locationId": None, "customerId": None, "name": None,
    "jobNumber": None, "status": {"value": 0, "name": "Open"}, "reviewStatus": "None", "summary": None,
    "createdOn": "", "modifiedOn": "", "soldOn": None, "soldBy": None, "active": True, "items": [],
    "externalLinks": [], "subtotal": 0.0, "tax": 0.0, "businessUnitId": None, "businessUnitName": None,
    "isRecommended": False, "budgetCodeId": None, "isChangeOrder": False, "proposalTagName": None,
}  # fmt: skip
ESTIMATE_ITEM: Record = {
    "id": 0, "sku": None, "skuAccount": "Sales", "description": "", "membershipTypeId": None, "qty": 1.0,
    "unitRate": 0.0, "total": 0.0, "unitCost": 0.0, "totalCost": 0.0, "itemGroupName": "", "itemGroupRootId": None,
    "createdOn": "", "modifiedOn": "", "chargeable": True, "invoiceItemId": None, "budgetCodeId": None,
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
PAYMENT: Record = {
    "active": True, "appliedTo": [], "authCode": None, "batch": None, "businessUnit": None, "checkNumber": None,
    "createdBy": "office", "createdOn": "", "customer": None, "customFields": [], "date": None, "deposit": None,
    "generalLedgerAccount": None, "id": 0, "memo": None, "modifiedOn": "", "referenceNumber": None,
    "refundedPaymentId": None, "syncStatus": "Posted", "total": "0.00", "type": "Credit Card", "typeId": "1",
    "unappliedAmount": "0.00",
}  # fmt: skip

NEW = {"estimates": ESTIMATE, "invoices": INVOICE, "payments": PAYMENT}
