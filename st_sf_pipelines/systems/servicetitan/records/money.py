"""What work costs: estimates, invoices with their adjustments, and payments."""

from __future__ import annotations

from typing import Any

from st_sf_pipelines.rules.stamps import instant
from st_sf_pipelines.systems.servicetitan.records.record import (
    Day,
    Id,
    Moment,
    Money,
    Named,
    Record,
    Reference,
    Text,
    folded,
)


class Estimate(Record):
    """An offer for a job; it has no total of its own: that is subtotal and tax together."""

    COLUMNS = (
        *("job_id", "customer_id", "name", "status", "subtotal", "tax", "sold_on", "sold_by", "business_unit_id"),
        *("is_change_order", "created_on", "modified_on"),
    )
    status: Named
    jobId: Id | None = None
    customerId: Id | None = None
    name: Text = None
    subtotal: Money | None = None
    tax: Money | None = None
    soldOn: Moment | None = None
    soldBy: Id | None = None
    businessUnitId: Id | None = None
    isChangeOrder: bool = False

    def columns(self) -> tuple[Any, ...]:
        """Give the columns."""
        return (
            *(self.jobId or None, self.customerId or None, self.name, folded(self.status.name)),
            *(self.subtotal, self.tax, self.soldOn, self.soldBy, self.businessUnitId),
            *(self.isChangeOrder, self.createdOn, instant(self.modifiedOn)),
        )


class Invoice(Record):
    """An invoice or an adjustment of one; money comes as text with two decimals."""

    COLUMNS = ("customer_id", "job_id", "adjustment_to_id", "total", "invoice_date", "created_on")
    STAMPED_AT_CREATION = True
    customer: Reference | None = None
    job: Reference | None = None
    adjustmentToId: Id | None = None
    total: Money | None = None
    invoiceDate: Day | None = None

    def columns(self) -> tuple[Any, ...]:
        """Give the columns."""
        return (
            *(self.customer.id if self.customer else None, self.job.id if self.job else None),
            *(self.adjustmentToId, self.total, self.invoiceDate, self.createdOn),
        )


class Payment(Record):
    """Money that a customer paid."""

    COLUMNS = ("customer_id", "total", "paid_on", "type", "created_on")
    customer: Reference | None = None
    total: Money | None = None
    date: Day | None = None
    type: Text = None

    def columns(self) -> tuple[Any, ...]:
        """Give the columns."""
        return self.customer.id if self.customer else None, self.total, self.date, self.type, self.createdOn
