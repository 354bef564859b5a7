"""The entities that are pulled, one row each: name, feed or list, the record's check, and whom a change touches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from st_sf_pipelines.ports import Json, Row, Table, Touches
from st_sf_pipelines.systems.servicetitan.fields import FIELDS
from st_sf_pipelines.systems.servicetitan.records.customers import Booking, Customer, CustomerContact, Lead, Location
from st_sf_pipelines.systems.servicetitan.records.jobs import Appointment, AppointmentAssignment, Job, JobCanceledLog
from st_sf_pipelines.systems.servicetitan.records.money import Estimate, Invoice, Payment
from st_sf_pipelines.systems.servicetitan.records.settings import (
    BusinessUnit,
    Campaign,
    Employee,
    JobCancelReason,
    JobType,
    TagType,
    Technician,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from st_sf_pipelines.systems.servicetitan.records.record import Record


@dataclass(frozen=True)
class Entity:
    """One row: our name everywhere (EXT-1), where it is read, its record, and whom a change concerns.

    `feed` and `list` are paths below the module's; an entity without a feed is read by its list. `inactive` makes a
    list show inactive records too (`active=Any`, `activeState=All`); a list without it shows no deleted ones, and its
    records lack `active`, which only the feed tells. `order` is the parameter that a list is sorted by, `picks` the
    one that asks for some records by an id, and the column that holds that id.
    """

    name: str
    module: str
    feed: str
    list: str
    inactive: str
    order: str
    picks: tuple[str, str] | None
    record: type[Record]
    touches: Touches
    says: str

    @property
    def table(self) -> Table:
        """Where its records lie in the store."""
        return Table(self.name, self.record.COLUMNS, self.touches)

    @property
    def fields(self) -> Mapping[str, frozenset[str]]:
        """The fields that the API documents, of the record ("") and of objects in it; any other is drift (EXT-6)."""
        return FIELDS[self.name]

    @property
    def asset(self) -> str:
        """Its asset key as text."""
        return f"servicetitan/{self.name}"

    @property
    def is_fed(self) -> bool:
        """Whether it has an export feed; one without is read by its list, hourly."""
        return bool(self.feed)

    @property
    def is_listed(self) -> bool:
        """Whether it has a list; canceled logs are listed job by job only."""
        return bool(self.list)

    @property
    def lists_inactive(self) -> bool:
        """Whether its list shows inactive records too, each with its `active`."""
        return bool(self.inactive)

    @property
    def needs_a_bound(self) -> bool:
        """Whether its list refuses to be asked for everything: contacts must be given a customer or a stamp."""
        return self.name == "customer_contacts"

    def path(self, tenant: int | str, *, listed: bool = False) -> str:
        """Write the path of its feed, or of its list."""
        return f"/{self.module}/v2/tenant/{tenant}/{self.list if listed else f'export/{self.feed}'}"

    def modified(self, raw: Json) -> int | None:
        """Read when a record changed last, in ticks; None if its stamp cannot be read."""
        return self.record.stamp(raw)

    def check(self, raw: Json, digest: bytes, body: bytes) -> Row:
        """Check what we use of a record; raise ValueError naming each field that does not fit, and why (EXT-6)."""
        record = self.record.read(raw)
        return Row(record.id, record.modifiedOn, digest, record.active, body, record.columns())


_ANY, _ALL = "active=Any", "activeState=All"
_IDS = ("ids", "id")
_ITS = Touches

# fmt: off
ENTITIES: Final = (
    #      name                    module        feed                       list                       inactive order      picks                           record                 touches                  says  # noqa: E501
    Entity("customers",               "crm",        "customers",               "customers",               _ANY,    "sort",    _IDS,                           Customer,              _ITS.SELF,               "Who is served: name, type, billing address, balance."),  # noqa: E501
    Entity("customer_contacts",       "crm",        "customers/contacts",      "customers/contacts",      "",      "",        ("customerIds", "customer_id"), CustomerContact,       _ITS.CUSTOMER,           "Phone numbers and e-mail addresses; their changes do not move the customer's own stamp."),  # noqa: E501
    Entity("locations",               "crm",        "locations",               "locations",               _ANY,    "sort",    _IDS,                           Location,              _ITS.CUSTOMER,           "The places where a customer is served."),  # noqa: E501
    Entity("leads",                   "crm",        "leads",                   "leads",                   "",      "sort",    _IDS,                           Lead,                  _ITS.CUSTOMER_OR_LEAD,   "Who asked for work, a customer or not yet one."),  # noqa: E501
    Entity("bookings",                "crm",        "bookings",                "bookings",                "",      "sort",    _IDS,                           Booking,               _ITS.JOBS_CUSTOMER,      "Requests from web forms and call centres, before they become a job."),  # noqa: E501
    Entity("jobs",                    "jpm",        "jobs",                    "jobs",                    "",      "sort",    _IDS,                           Job,                   _ITS.CUSTOMER_AND_DEALS, "The work: status, business unit, when it was completed."),  # noqa: E501
    Entity("job_canceled_logs",       "jpm",        "job-canceled-logs",       "",                        "",      "",        None,                           JobCanceledLog,        _ITS.JOBS_CUSTOMER,      "That a job was canceled, and the reason."),  # noqa: E501
    Entity("appointments",            "jpm",        "appointments",            "appointments",            _ANY,    "sort",    _IDS,                           Appointment,           _ITS.CUSTOMER_OR_JOBS,   "The visits of a job: when, and how far they are."),  # noqa: E501
    Entity("appointment_assignments", "dispatch",   "appointment-assignments", "appointment-assignments", _ANY,    "sort",    _IDS,                           AppointmentAssignment, _ITS.JOBS_CUSTOMER,      "The technicians who were given an appointment."),  # noqa: E501
    Entity("estimates",               "sales",      "estimates",               "estimates",               _ANY,    "sort",    _IDS,                           Estimate,              _ITS.CUSTOMER_OR_JOBS,   "Offers: open, sold or dismissed, with subtotal and tax."),  # noqa: E501
    Entity("invoices",                "accounting", "invoices",                "invoices",                _ALL,    "sort",    _IDS,                           Invoice,               _ITS.CUSTOMER_OR_JOBS,   "Invoices and adjustments: what a customer has been worth."),  # noqa: E501
    Entity("payments",                "accounting", "payments",                "payments",                _ALL,    "sort",    _IDS,                           Payment,               _ITS.CUSTOMER,           "What customers have paid, and when."),  # noqa: E501
    Entity("business_units",          "settings",   "business-units",          "business-units",          _ANY,    "",        _IDS,                           BusinessUnit,          _ITS.CUSTOMERS_OF_UNIT,  "The units that jobs belong to; their names tell the pipeline."),  # noqa: E501
    Entity("job_types",               "jpm",        "",                        "job-types",               _ANY,    "orderBy", _IDS,                           JobType,               _ITS.NOBODY,             "The kinds of jobs."),  # noqa: E501
    Entity("job_cancel_reasons",      "jpm",        "",                        "job-cancel-reasons",      _ANY,    "sort",    None,                           JobCancelReason,       _ITS.NOBODY,             "The reasons for which jobs are canceled."),  # noqa: E501
    Entity("campaigns",               "marketing",  "",                        "campaigns",               _ANY,    "sort",    _IDS,                           Campaign,              _ITS.CUSTOMERS_OF_CAMPAIGN, "What brings jobs and leads in; their names are the lead sources."),  # noqa: E501
    Entity("technicians",             "settings",   "technicians",             "technicians",             _ANY,    "",        _IDS,                           Technician,            _ITS.CUSTOMERS_OF_SELLER, "Who does the work."),  # noqa: E501
    Entity("employees",               "settings",   "employees",               "employees",               _ANY,    "",        _IDS,                           Employee,              _ITS.CUSTOMERS_OF_SELLER, "Who sells and dispatches it."),  # noqa: E501
    Entity("tag_types",               "settings",   "tag-types",               "tag-types",               _ANY,    "sort",    None,                           TagType,               _ITS.NOBODY,             "The tags of customers and jobs."),  # noqa: E501
)
# fmt: on

ENTITY: Final = {entity.name: entity for entity in ENTITIES}
