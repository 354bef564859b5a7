"""The CRM's collections, one row a field, as the CRM itself has them."""

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "email", "number", "checkbox", "select", "date", "json", "relationship", "group", "array"]


@dataclass(frozen=True)
class Field:
    """One field: its name and kind, the marks that a write is checked by, and what it is made of."""

    name: str
    kind: Kind = "text"
    required: bool = False
    unique: bool = False
    options: tuple[str, ...] = ()
    to: str = ""
    fields: tuple["Field", ...] = ()
    default: Any = None
    bounds: tuple[int, int] | None = None

    @property
    def label(self) -> str:
        """Name the field as the CRM's pages do: 'lastName' is 'Last Name'."""
        words = "".join(f" {letter}" if letter.isupper() else letter for letter in self.name)
        return " ".join(word[:1].upper() + word[1:] for word in words.split())


@dataclass(frozen=True)
class Collection:
    """One collection: its slug, what one and several of its documents are called, and its fields."""

    slug: str
    singular: str
    plural: str
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field | None:
        """Find a field by its name, those that every document has among them."""
        return next((field for field in (*self.fields, *EVERYWHERE) if field.name == name), None)


def checkbox(name: str) -> Field:
    """Describe a box that is empty until somebody ticks it."""
    return Field(name, "checkbox", default=False)


EVERYWHERE = (Field("updatedAt", "date"), Field("createdAt", "date"))

# fmt: off
COLLECTIONS = {collection.slug: collection for collection in (
    Collection("users", "User", "Users", (
        Field("name"),
        Field("email",                  "email", required=True, unique=True),
    )),
    Collection("contacts", "Contact", "Contacts", (
        Field("firstName"),
        Field("lastName",               required=True),
        Field("email",                  "email"),
        Field("phone"),
        Field("type",                   "select", options=("lead", "customer", "past_customer", "vendor")),
        Field("customerType",           "select", options=("residential", "commercial")),
        Field("source",                 "select", options=("website", "referral", "google_ads", "servicetitan")),
        Field("serviceTitanId",         unique=True),
        Field("address",                "group", fields=(Field("street"), Field("city"), Field("state"), Field("zip"))),
        Field("tags",                   "array", fields=(Field("tag", required=True),)),
        Field("customFields",           "json"),
    )),
    Collection("pipelines", "Pipeline", "Pipelines", (
        Field("name",                   required=True),
        Field("slug",                   required=True, unique=True),
        Field("type",                   "select", options=("sales", "pool_construction")),
    )),
    Collection("pipeline-stages", "Pipeline Stage", "Pipeline Stages", (
        Field("name",                   required=True),
        Field("slug",                   required=True),
        Field("order",                  "number", required=True),
        Field("pipeline",               "relationship", required=True, to="pipelines"),
        checkbox("isWon"),
        checkbox("isLost"),
    )),
    Collection("opportunities", "Opportunity", "Opportunities", (
        Field("title",                  required=True),
        Field("contact",                "relationship", required=True, to="contacts"),
        Field("pipeline",               "relationship", required=True, to="pipelines"),
        Field("stage",                  "relationship", required=True, to="pipeline-stages"),
        Field("value",                  "number"),
        Field("status",                 "select", required=True, options=("open", "won", "lost", "on_hold"), default="open"),  # noqa: E501
        Field("serviceTitanId"),
        Field("serviceTitanJobNumber"),
        Field("serviceTitanEstimateId"),
        Field("estimateName"),
        Field("businessUnit"),
        Field("assignedTo",             "relationship", to="users"),
        Field("closeDate",              "date"),
        Field("confidenceLevel",        "number", bounds=(1, 5)),
        Field("forecastCategory",       "select", options=("pipeline", "best_case", "commit", "closed", "omitted")),
        Field("nextStep"),
        Field("notes"),
        checkbox("pinned"),
    )),
    Collection("activities", "Activity", "Activities", (
        Field("type",                   "select", required=True, options=("contact_created", "stage_changed", "assignment_changed", "estimate_sold", "job_completed", "note")),  # noqa: E501
        Field("title"),
        Field("body"),
        Field("contact",                "relationship", to="contacts"),
        Field("opportunity",            "relationship", to="opportunities"),
        Field("data",                   "json"),
    )),
)}
# fmt: on
