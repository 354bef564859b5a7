"""The entities that are pulled, one row each: name, export feed, the record's check, and whom a change touches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from st_sf_pipelines.ports import Json, Row, Table
from st_sf_pipelines.systems.servicetitan.records import BusinessUnit, Customer, CustomerContact, Invoice, Job, Record


@dataclass(frozen=True)
class Entity:
    """One row: our name everywhere (EXT-1), the feed's path, its record, the column that names the customer touched."""

    name: str
    feed: str
    record: type[Record]
    touches: str | None
    says: str

    @property
    def table(self) -> Table:
        """Where its records lie in the store."""
        return Table(self.name, self.record.COLUMNS, self.touches)

    def check(self, raw: Json, digest: bytes, body: bytes) -> Row:
        """Check what we use of a record; raise ValueError naming each field that does not fit, and why (EXT-6)."""
        try:
            record = self.record.model_validate(raw)
        except ValidationError as error:
            raise ValueError("; ".join(_reason(fault) for fault in error.errors(include_url=False))) from None
        return Row(record.id, record.modifiedOn, digest, record.active, body, record.columns())

    @property
    def asset(self) -> str:
        """Its asset key as text."""
        return f"servicetitan/{self.name}"


def _reason(fault: Any) -> str:
    field = ".".join(str(step) for step in fault["loc"])
    return f"{field}: {str(fault['msg']).removeprefix('Value error, ')}"


# fmt: off
ENTITIES: Final = (
    Entity("customers",         "/crm/v2/tenant/{tenant}/export/customers",           Customer,        "id",          "Who is served: name, type, billing address, balance."),  # noqa: E501
    Entity("customer_contacts", "/crm/v2/tenant/{tenant}/export/customers/contacts",  CustomerContact, "customer_id", "Phone numbers and e-mail addresses; their changes do not move the customer's own stamp."),  # noqa: E501
    Entity("jobs",              "/jpm/v2/tenant/{tenant}/export/jobs",                Job,             "customer_id", "The work: status, business unit, when it was completed."),  # noqa: E501
    Entity("invoices",          "/accounting/v2/tenant/{tenant}/export/invoices",     Invoice,         "customer_id", "Invoices and adjustments: what a customer has been worth."),  # noqa: E501
    Entity("business_units",    "/settings/v2/tenant/{tenant}/export/business-units", BusinessUnit,    None,          "The units that jobs belong to; their names tell the pipeline."),  # noqa: E501
)
# fmt: on

ENTITY: Final = {entity.name: entity for entity in ENTITIES}
