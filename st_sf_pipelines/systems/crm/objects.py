"""The objects that are written to the CRM, one row a field: contacts, their opportunities, and their activities."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from st_sf_pipelines.mapping import Field, Match, ObjectMap, Transform
from st_sf_pipelines.ports import Closing, ReadBack

if TYPE_CHECKING:
    from st_sf_pipelines.config import Crm

PIPELINES: Final = "crm/pipelines"
STAGES: Final = "crm/stages"

# fmt: off
CONTACT: Final = ObjectMap("crm/contacts", "contacts", key="serviceTitanId", fields=(
    Field("firstName",               "first_name"),
    Field("lastName",                "last_name"),
    Field("email",                   "email"),
    Field("phone",                   "phone"),
    Field("type",                    "contact_type"),
    Field("customerType",            "customer_type"),
    Field("source",                  constant="servicetitan"),
    Field("address.street",          ("address_line1", "address_line2"), Transform.LINES),
    Field("address.city",            "city"),
    Field("address.state",           "state"),
    Field("address.zip",             "zip"),
), says="One contact for each customer with a recent job, and for each lead with a deal.", source="contacts", matches=(
    Match("e-mail",                  ("email",),             ("email",)),
    Match("phone and last name",     ("phone", "last_name"), ("phone", "lastName")),
))

OPPORTUNITY: Final = ObjectMap("crm/opportunities", "opportunities", key="serviceTitanId", fields=(
    Field("title",                   "title"),
    Field("contact",                 "contact",              Transform.REFERENCE, refers_to=CONTACT.asset),
    Field("pipeline",                "pipeline_slug",        Transform.REFERENCE, refers_to=PIPELINES),
    Field("stage",                   "stage_slug",           Transform.REFERENCE, refers_to=STAGES),
    Field("status",                  "status"),
    Field("value",                   "value"),
    Field("serviceTitanId",          "job_key"),
    Field("serviceTitanJobNumber",   "job_number"),
    Field("serviceTitanEstimateId",  "estimate_id"),
    Field("estimateName",            "estimate_name"),
    Field("businessUnit",            "business_unit_slug"),
    Field("closeDate",               "close_date",           Transform.NOON),
    Field("notes",                   "notes"),
), says="One opportunity for each deal.", source="deals", parent=CONTACT.asset, external_id=False, within="contact", people=("assignedTo",))  # noqa: E501

ACTIVITY: Final = ObjectMap("crm/activities", "activities", key="data.key", fields=(
    Field("type",                    "type"),
    Field("title",                   "title"),
    Field("body",                    "body"),
    Field("contact",                 "contact",              Transform.REFERENCE, refers_to=CONTACT.asset),
    Field("opportunity",             "opportunity",          Transform.REFERENCE, refers_to=OPPORTUNITY.asset),
    Field("data",                    "data"),
), says="One activity for each thing that happened, written once.", source="activities", external_id=False)
# fmt: on
"""An activity's key may hold letters, digits and _ - + . : @ only: Payload asks no database for other text in JSON."""

OBJECTS: Final = (CONTACT, OPPORTUNITY, ACTIVITY)  # parents first

COLLECTIONS: Final = {
    CONTACT.asset: "contacts",
    OPPORTUNITY.asset: "opportunities",
    ACTIVITY.asset: "activities",
    PIPELINES: "pipelines",
    STAGES: "pipeline-stages",
    "crm/users": "users",
}


def read_back(config: Crm) -> ReadBack:
    """Say which fields of an opportunity its people set, under the CRM's own names (CRM-7)."""
    names = config.names.get("opportunities", {})
    stage, pinned, owner = (names.get(name, name) for name in ("stage", "pinned", "assignedTo"))
    return ReadBack(OPPORTUNITY.asset, stage, pinned, owner, STAGES)


def closing(config: Crm) -> Closing:
    """Say by which fields a record is over, and whose it is, under the CRM's own names (CRM-15)."""
    names = config.names.get("opportunities", {})
    return Closing((names.get("status", "status"),), ("won", "lost"), (names.get("assignedTo", "assignedTo"),))


def collections_of(config: Crm) -> dict[str, str]:
    """Give the slug of each asset's collection there."""
    return {asset: config.collections.get(_short(asset), slug) for asset, slug in COLLECTIONS.items()}  # type: ignore[call-overload]


def objects_of(config: Crm) -> tuple[ObjectMap, ...]:
    """Give the maps in force: those above under the CRM's own names, with the site's rows laid over them."""
    slugs = collections_of(config)
    return tuple(
        replace(target, remote=slugs[target.asset])
        .renamed(config.names.get(_short(target.asset), {}))  # type: ignore[call-overload]
        .with_fields(config.fields.get(_short(target.asset), ()))  # type: ignore[call-overload]
        for target in OBJECTS
    )


def _short(asset: str) -> str:
    """Name an asset as the site file does: 'contacts'."""
    return asset.partition("/")[2]
