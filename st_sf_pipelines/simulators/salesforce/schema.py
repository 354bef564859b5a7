"""The objects of the org and their fields, as the describes beside this module tell them."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import orjson

from st_sf_pipelines.simulators.salesforce.refusals import Refusal, not_found

SIMULATED = (
    "Account", "Contact", "Lead", "Opportunity", "Event", "Campaign", "CampaignMember", "User", "LeadStatus",
)  # fmt: skip
OF_A_PERSON = ("WhoId", "ContactId", "LeadId")  # lookups by which the org finds at once what belongs to a person
GLOBAL_KEYS = (
    "createable", "custom", "deletable", "keyPrefix", "label", "labelPlural", "layoutable", "mergeable", "name",
    "queryable", "replicateable", "retrieveable", "searchable", "triggerable", "undeletable", "updateable",
)  # fmt: skip


class Field:
    """One field of an object: its describe, with what every write and query asks for read out of it once."""

    def __init__(self, describe: dict[str, Any]) -> None:
        self.describe = describe
        self.hidden = False
        self.name: str = describe["name"]
        self.label: str = describe["label"]
        self.type: str = describe["type"]
        self.length: int = describe["length"]
        self.precision: int = describe["precision"]
        self.scale: int = describe["scale"]
        self.digits: int = describe["digits"]
        self.nillable: bool = describe["nillable"]
        self.createable: bool = describe["createable"]
        self.updateable: bool = describe["updateable"]
        self.default: Any = describe["defaultValue"]
        self.unique: bool = describe["unique"]
        self.external_id: bool = describe["externalId"]
        self.filterable: bool = describe["filterable"]
        self.sortable: bool = describe["sortable"]
        self.reference_to: tuple[str, ...] = tuple(describe["referenceTo"])
        self.relationship: str | None = describe["relationshipName"]
        self.choices: frozenset[str] | None = None
        if describe["restrictedPicklist"]:
            self.choices = frozenset(value["value"] for value in describe["picklistValues"] if value["active"])
        self.required = (
            not self.nillable and self.createable and not describe["defaultedOnCreate"] and self.type != "boolean"
        )
        self.is_key = self.external_id or (describe["idLookup"] and self.type != "id")
        self.is_indexed = self.is_key or self.unique or self.name in OF_A_PERSON


class ObjectType:
    """One object of the org: Account, Contact and so on."""

    def __init__(self, describe: dict[str, Any]) -> None:
        self._describe = describe
        self.name: str = describe["name"]
        self.prefix: str = describe["keyPrefix"]
        self.label: str = describe["label"]
        self.createable: bool = describe["createable"]
        self.cascades: list[tuple[str, str]] = [
            (relation["childSObject"], relation["field"])
            for relation in describe["childRelationships"]
            if relation["cascadeDelete"]
        ]
        self.fields: dict[str, Field] = {}
        self._visible: dict[str, Field] = {}
        for field in describe.pop("fields"):
            self.fields[field["name"]] = Field(_complete(field))
        self._look_again()

    def add(self, describe: dict[str, Any]) -> None:
        """Add a field, or put another in the place of the one that has its name."""
        self.fields[describe["name"]] = Field(_complete(describe))
        self._look_again()

    def remove(self, name: str) -> None:
        """Take a field away, as deleting a custom field does."""
        del self.fields[name]
        self._look_again()

    def hide(self, name: str, *, hidden: bool) -> None:
        """Take a field out of the sight of the API's user, or grant it, as field-level security does."""
        self.fields[name].hidden = hidden
        self._look_again()

    def field(self, name: str) -> Field | None:
        """Return the field that the API's user sees by this name, in any case of its letters."""
        return self._visible.get(name) or self._visible.get(name.lower())

    def lookup(self, relationship: str) -> Field | None:
        """Return the reference field behind a relationship's name (`Account` for AccountId)."""
        return self._lookups.get(relationship.lower())

    def visible(self) -> Iterator[Field]:
        """Return the fields that the API's user sees, in the describe's order."""
        return (field for field in self.fields.values() if not field.hidden)

    def describe(self, version: str) -> dict[str, Any]:
        """Return the whole describe, with the addresses of the API version that was asked."""
        fields = [field.describe for field in self.visible()]
        return {**self._describe, "urls": self._urls(version), "fields": fields}

    def summary(self, version: str) -> dict[str, Any]:
        """Return the object's entry in the list of all objects."""
        known = {key: self._describe.get(key, False) for key in GLOBAL_KEYS}
        return {**known, "urls": self._urls(version)}

    def _urls(self, version: str) -> dict[str, str]:
        root = f"/services/data/{version}/sobjects/{self.name}"
        return {"sobject": root, "describe": f"{root}/describe", "rowTemplate": f"{root}/{{ID}}"}

    def _look_again(self) -> None:
        visible = list(self.visible())
        self._visible = {field.name.lower(): field for field in visible} | {field.name: field for field in visible}
        self._lookups = {field.relationship.lower(): field for field in visible if field.relationship}
        self.required = [field for field in self.fields.values() if field.required]
        self.defaults = {field.name: field.default for field in self.fields.values() if field.default is not None}
        self.indexed = [field for field in self.fields.values() if field.is_indexed]


class Schema:
    """All objects of the org, as they come out of the box: custom fields are added by who makes the org."""

    def __init__(self) -> None:
        kinds = [ObjectType(_load(name)) for name in SIMULATED]
        self.objects = {kind.name: kind for kind in kinds}
        self._by_lower_name = {kind.name.lower(): kind for kind in kinds}
        self._by_prefix = {kind.prefix: kind for kind in kinds}

    def find(self, name: str) -> ObjectType | None:
        """Return the object of this name, if the org has it."""
        return self.objects.get(name) or self._by_lower_name.get(name.lower())

    def get(self, name: str) -> ObjectType:
        """Return the object of this name, as an address asks for it: 404 where there is none."""
        kind = self.find(name)
        if kind is None:
            raise not_found()
        return kind

    def of_id(self, record_id: str) -> ObjectType | None:
        """Return the object whose prefix an id has."""
        return self._by_prefix.get(record_id[:3])


def no_such_column(name: str, kind: ObjectType) -> Refusal:
    """Return the refusal of a request that names a column which the API's user does not see."""
    return Refusal("INVALID_FIELD", f"No such column '{name}' on sobject of type {kind.name}")


def _load(name: str) -> dict[str, Any]:
    describe: dict[str, Any] = orjson.loads(files(__package__).joinpath("describe", f"{name}.json").read_bytes())
    return describe


_FIELD_DEFAULTS = orjson.loads(files(__package__).joinpath("describe", "field_defaults.json").read_bytes())


def _complete(field: dict[str, Any]) -> dict[str, Any]:
    """Return all 57 keys of a field's describe, out of those that differ from the usual."""
    values = [value if isinstance(value, dict) else {"value": value} for value in field.get("picklistValues", [])]
    full = [
        {"active": True, "defaultValue": False, "label": value["value"], "validFor": None, **value} for value in values
    ]
    return {**_FIELD_DEFAULTS, **field, "picklistValues": full}
