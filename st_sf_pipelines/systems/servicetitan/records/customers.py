"""Customers and those who ask to become one: their contacts, places, leads and bookings."""

from __future__ import annotations

from typing import Any

from st_sf_pipelines.rules.contacts import phone_e164, valid_email
from st_sf_pipelines.rules.name_patterns import split
from st_sf_pipelines.rules.names import PersonName
from st_sf_pipelines.rules.stamps import instant
from st_sf_pipelines.systems.servicetitan.records.record import Address, Id, Moment, Money, Record, Text, folded


class Customer(Record):
    """A customer; its one name is split here, when a changed record is stored (SEG-2)."""

    COLUMNS = (
        *("name", "type", "first_name", "last_name", *Address.COLUMNS, "balance", "do_not_mail", "do_not_service"),
        *("merged_to_id", "created_on", "modified_on"),
    )
    name: str
    type: Text = None
    address: Address | None = None
    balance: Money | None = None
    doNotMail: bool = False
    doNotService: bool = False
    mergedToId: Id | None = None

    def columns(self) -> tuple[Any, ...]:
        """Give the columns, the name parsed."""
        person = split(self.name, self.type, self.id)
        at = self.address or Address()
        return (
            *(self.name.strip() or None, self.type, person.first, person.last, *at.columns()),
            *(self.balance, self.doNotMail, self.doNotService),
            *(self.mergedToId or None, self.createdOn, instant(self.modifiedOn)),
        )


class CustomerContact(Record):
    """A phone number or e-mail address of a customer, checked here, when a changed record is stored (SEG-3)."""

    COLUMNS = ("customer_id", "type", "value", "email", "phone", "e164", "created_on")
    customerId: Id
    type: str
    value: Text = None

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


class Location(Record):
    """A place where work is done for a customer."""

    COLUMNS = ("customer_id", "name", *Address.COLUMNS, "merged_to_id", "created_on")
    customerId: Id
    name: Text = None
    address: Address | None = None
    mergedToId: Id | None = None

    def columns(self) -> tuple[Any, ...]:
        """Give the columns."""
        at = self.address or Address()
        return self.customerId, self.name, *at.columns(), self.mergedToId or None, self.createdOn


class Lead(Record):
    """Somebody who asked for work; what is known of a person who is no customer yet stands in its lead… fields."""

    COLUMNS = (
        *("customer_id", "status", "campaign_id", "business_unit_id", "job_type_id", "booking_id"),
        *("name", "first_name", "last_name", "phone", "e164", "email", *Address.COLUMNS, "created_on", "modified_on"),
    )
    status: str
    customerId: Id | None = None
    campaignId: Id | None = None
    businessUnitId: Id | None = None
    jobTypeId: Id | None = None
    bookingId: Id | None = None
    leadCustomerName: Text = None
    leadPhone: Text = None
    leadEmail: Text = None
    leadStreet: Text = None
    leadUnit: Text = None
    leadCity: Text = None
    leadState: Text = None
    leadZip: Text = None
    leadCountry: Text = None

    def columns(self) -> tuple[Any, ...]:
        """Give the columns: the name split as a person's, `phone` as written, `email` only if valid."""
        name = (self.leadCustomerName or "").strip()
        person = split(name, "Residential", self.id) if name else PersonName(None, f"Lead lead_{self.id}")
        return (
            *(self.customerId or None, folded(self.status), self.campaignId, self.businessUnitId),
            *(self.jobTypeId, self.bookingId, name or None, person.first, person.last),
            *((self.leadPhone or "").strip() or None, phone_e164(self.leadPhone), valid_email(self.leadEmail)),
            *(self.leadStreet, self.leadUnit, self.leadCity, self.leadState, self.leadZip, self.leadCountry),
            *(self.createdOn, instant(self.modifiedOn)),
        )


class Booking(Record):
    """A request from a web form or a call centre; it becomes a job, or is dismissed."""

    COLUMNS = (
        *("status", "source", "name", "job_id", "campaign_id", "business_unit_id", "job_type_id", "external_id"),
        *("starts_at", "created_on", "modified_on"),
    )
    status: str
    source: Text = None
    name: Text = None
    jobId: Id | None = None
    campaignId: Id | None = None
    businessUnitId: Id | None = None
    jobTypeId: Id | None = None
    externalId: Text = None
    start: Moment | None = None

    def columns(self) -> tuple[Any, ...]:
        """Give the columns."""
        return (
            *(folded(self.status), self.source, self.name, self.jobId or None),
            *(self.campaignId, self.businessUnitId, self.jobTypeId, self.externalId),
            *(self.start, self.createdOn, instant(self.modifiedOn)),
        )
