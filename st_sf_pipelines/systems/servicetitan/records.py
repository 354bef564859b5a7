"""What we use of each ServiceTitan record: strict in these fields, blind to all others, which stay in the raw JSON."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from st_sf_pipelines.rules.contacts import phone_e164, valid_email
from st_sf_pipelines.rules.names import split_name
from st_sf_pipelines.rules.stamps import instant, ticks

EARLIEST, LATEST = ticks("1900-01-01T00:00:00Z"), ticks("2200-01-01T00:00:00Z")


def _stamp(value: object) -> object:
    if not isinstance(value, str):
        msg = "is not a time stamp"
        raise ValueError(msg)  # noqa: TRY004 - pydantic turns a ValueError into a fault of this field
    count = ticks(value)
    if not EARLIEST <= count <= LATEST:
        msg = "lies outside of 1900 to 2200"
        raise ValueError(msg)
    return count


def _moment(value: object) -> object:
    return None if value is None else instant(int(str(_stamp(value))))


def _money(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        msg = "is not an amount"
        raise ValueError(msg)  # noqa: TRY004 - as above
    return str(value)


Ticks = Annotated[int, BeforeValidator(_stamp)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Id = Annotated[StrictInt, Field(ge=0, lt=2**63)]
Money = Annotated[Decimal, BeforeValidator(_money)]


def folded(word: str) -> str:
    """Write a status or type without case and spaces, to compare it (SEG-1)."""
    return "".join(word.split()).lower()


class Record(BaseModel):
    """What every record has: an id, the stamp of its last change, and whether it is active."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    COLUMNS: ClassVar[tuple[str, ...]] = ()

    id: Id
    modifiedOn: Ticks
    active: StrictBool = True

    def columns(self) -> tuple[Any, ...]:
        """Give the values of COLUMNS, in their order."""
        return ()


class Address(BaseModel):
    """A billing address; nothing in it is required of us."""

    street: StrictStr | None = None
    unit: StrictStr | None = None
    city: StrictStr | None = None
    state: StrictStr | None = None
    zip: StrictStr | None = None
    country: StrictStr | None = None


class Customer(Record):
    """A customer; its one name is split here, when a changed record is stored (SEG-2)."""

    COLUMNS = (
        *("name", "type", "first_name", "last_name", "street", "unit", "city", "state", "zip", "country"),
        *("balance", "do_not_mail", "do_not_service", "merged_to_id", "modified_on"),
    )
    name: StrictStr
    type: StrictStr | None = None
    address: Address | None = None
    balance: Money | None = None
    doNotMail: StrictBool = False
    doNotService: StrictBool = False
    mergedToId: Id | None = None

    def columns(self) -> tuple[Any, ...]:
        """Give the columns, the name parsed."""
        person = split_name(self.name, self.type, self.id)
        at = self.address or Address()
        return (
            *(self.name.strip() or None, self.type, person.first, person.last),
            *(at.street, at.unit, at.city, at.state, at.zip, at.country),
            *(self.balance, self.doNotMail, self.doNotService, self.mergedToId or None, instant(self.modifiedOn)),
        )


class CustomerContact(Record):
    """A phone number or e-mail address of a customer, checked here, when a changed record is stored (SEG-3)."""

    COLUMNS = ("customer_id", "type", "value", "email", "phone", "e164", "created_on")
    customerId: Id
    type: StrictStr
    value: StrictStr | None = None
    createdOn: Moment | None = None

    def columns(self) -> tuple[Any, ...]:
        """Give the columns: `email` only if valid, `phone` as written and `e164` only if it is a possible number."""
        kind = folded(self.type)
        e164 = phone_e164(self.value) if kind in ("phone", "mobilephone") else None
        return (
            *(self.customerId, kind, self.value),
            valid_email(self.value) if kind == "email" else None,
            self.value.strip() if e164 and self.value else None,
            *(e164, self.createdOn),
        )


class Job(Record):
    """A job; its status is kept without case and spaces (SEG-1)."""

    COLUMNS = ("customer_id", "job_number", "status", "business_unit_id", "created_on", "completed_on")
    customerId: Id
    jobNumber: StrictStr | None = None
    jobStatus: StrictStr
    businessUnitId: Id | None = None
    createdOn: Moment | None = None
    completedOn: Moment | None = None

    def columns(self) -> tuple[Any, ...]:
        """Give the columns."""
        return (
            *(self.customerId, self.jobNumber, folded(self.jobStatus)),
            *(self.businessUnitId, self.createdOn, self.completedOn),
        )


class _Reference(BaseModel):
    id: Id


class Invoice(Record):
    """An invoice or an adjustment of one; money comes as text with two decimals."""

    COLUMNS = ("customer_id", "job_id", "adjustment_to_id", "total")
    customer: _Reference | None = None
    job: _Reference | None = None
    adjustmentToId: Id | None = None
    total: Money | None = None

    def columns(self) -> tuple[Any, ...]:
        """Give the columns."""
        return (
            self.customer.id if self.customer else None,
            self.job.id if self.job else None,
            self.adjustmentToId,
            self.total,
        )


class BusinessUnit(Record):
    """A business unit: its name tells the pipeline of its jobs."""

    COLUMNS = ("name",)
    name: StrictStr | None = None

    def columns(self) -> tuple[Any, ...]:
        """Give the columns."""
        return (self.name,)
