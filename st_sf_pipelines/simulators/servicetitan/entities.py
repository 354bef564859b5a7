"""The entities that the stand-in serves, one row each: where they are, and what their lists can do."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entity:
    """Where an entity's feed and list are, and how the list filters.

    `active_filter` is the list's parameter for active records; an entity without one never lists inactive records.
    `fields` tells which field of a record a filter compares; `needs_one_of` are filters of which one must be given.
    `feed_only` are fields that the list form lacks.
    """

    name: str
    module: str
    feed: str
    listed: str | None
    active_filter: str | None = None
    feed_only: tuple[str, ...] = ()
    sorts: tuple[str, ...] = ()
    needs_one_of: tuple[str, ...] = ()
    fields: dict[str, str] = field(default_factory=dict)


BY_AGE = ("Id", "ModifiedOn", "CreatedOn")
ADDRESS = {part: f"address.{part}" for part in ("street", "unit", "city", "state", "zip", "country")}
JOB_FIELDS = (
    "jobStatus",
    "priority",
    "customerId",
    "locationId",
    "businessUnitId",
    "jobTypeId",
    "campaignId",
)
MODIFIED_OR_OWNED = ("customerIds", "modifiedOnOrAfter", "modifiedBefore")

# fmt: off
ENTITIES = (
    Entity("customers", "crm", "export/customers", "customers",
           active_filter="active", sorts=BY_AGE, fields={"name": "name", **ADDRESS}),
    Entity("customer_contacts", "crm", "export/customers/contacts", "customers/contacts",
           feed_only=("active",), needs_one_of=MODIFIED_OR_OWNED, fields={"customerIds": "customerId"}),
    Entity("jobs", "jpm", "export/jobs", "jobs",
           feed_only=("active",), sorts=(*BY_AGE, "Priority"),
           fields={"number": "jobNumber", "invoiceId": "invoiceId", **{name: name for name in JOB_FIELDS}}),
    Entity("invoices", "accounting", "export/invoices", "invoices",
           active_filter="activeState", sorts=BY_AGE,
           fields={"jobId": "job.id", "customerId": "customer.id", "businessUnitId": "businessUnit.id",
                   "number": "referenceNumber", "adjustmentToId": "adjustmentToId"}),
    Entity("business_units", "settings", "export/business-units", "business-units",
           active_filter="active", fields={"name": "name"}),
)
# fmt: on

BY_NAME = {entity.name: entity for entity in ENTITIES}
PLACES: dict[tuple[str, str], tuple[Entity, str]] = {
    **{(entity.module, entity.feed): (entity, "feed") for entity in ENTITIES},
    **{(entity.module, entity.listed): (entity, "list") for entity in ENTITIES if entity.listed},
}


def at(path: str) -> tuple[Entity, str] | None:
    """Give the entity behind a path, and whether the path is its feed or its list."""
    parts = path.strip("/").split("/", 4)
    if len(parts) != 5 or parts[1] != "v2" or parts[2] != "tenant":
        return None
    return PLACES.get((parts[0], parts[4]))
