"""The custom fields that an org has once somebody set it up for ServiceTitan customers."""

from dataclasses import dataclass
from typing import Any

from st_sf_pipelines.simulators.salesforce.schema import Schema

SOAP_TYPES = {
    "boolean": "xsd:boolean", "currency": "xsd:double", "date": "xsd:date", "datetime": "xsd:dateTime",
    "double": "xsd:double", "int": "xsd:int", "percent": "xsd:double", "reference": "tns:ID",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CustomField:
    """One field that an administrator makes, in the words of the dialogue that makes it."""

    object: str
    name: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    external_id: bool = False
    unique: bool = False
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    restricted: bool = True
    reference_to: tuple[str, ...] = ()

    def describe(self) -> dict[str, Any]:
        """Return what differs from the usual in this field's describe."""
        is_boolean = self.type == "boolean"
        return {
            "name": self.name,
            "label": self.name.removesuffix("__c").replace("_", " "),
            "type": self.type,
            "custom": True,
            "permissionable": not self.required,
            "length": self.length or (255 if self.type == "picklist" else 18 if self.type == "reference" else 0),
            "byteLength": self.length * 3,
            "precision": self.precision,
            "scale": self.scale,
            "externalId": self.external_id,
            "idLookup": self.external_id,
            "unique": self.unique,
            "nillable": not self.required and not is_boolean,
            "defaultedOnCreate": is_boolean,
            "defaultValue": bool(self.default) if is_boolean else self.default,
            "filterable": self.type != "textarea" or self.length <= 255,
            "sortable": self.type != "textarea" or self.length <= 255,
            "picklistValues": list(self.choices),
            "restrictedPicklist": self.type == "picklist" and self.restricted,
            "referenceTo": list(self.reference_to),
            "relationshipName": self.name.removesuffix("__c") + "__r" if self.reference_to else None,
            "soapType": SOAP_TYPES.get(self.type, "xsd:string"),
        }


def _key(of: str, name: str) -> CustomField:
    return CustomField(object=of, name=name, type="string", length=50, external_id=True, unique=True)


SEGMENTS = ("VIP", "High Value", "Standard", "At Risk", "Churning")
OF_A_SET_UP_ORG = (
    _key("Contact", "ServiceTitan_Customer_Id__c"),
    CustomField(object="Contact", name="ServiceTitan_Tenant_Id__c", type="double", precision=18),
    CustomField(object="Contact", name="Active__c", type="boolean", default=True),
    CustomField(object="Contact", name="Do_Not_Service__c", type="boolean"),
    CustomField(object="Contact", name="Total_Jobs__c", type="double", precision=8),
    CustomField(object="Contact", name="Completed_Jobs__c", type="double", precision=8),
    CustomField(object="Contact", name="First_Service_Date__c", type="date"),
    CustomField(object="Contact", name="Last_Service_Date__c", type="date"),
    CustomField(object="Contact", name="ServiceTitan_Last_Modified__c", type="datetime"),
    CustomField(object="Contact", name="Last_Sync_DateTime__c", type="datetime"),
    _key("Account", "ServiceTitan_Account_Id__c"),
    CustomField(object="Account", name="Account_Balance__c", type="currency", precision=18, scale=2),
    CustomField(object="Account", name="Lifetime_Value__c", type="currency", precision=18, scale=2),
    CustomField(object="Account", name="Customer_Segment__c", type="picklist", choices=SEGMENTS),
    _key("Opportunity", "ServiceTitan_Opportunity_Id__c"),
    CustomField(object="Opportunity", name="ServiceTitan_Job_Id__c", type="string", length=50),
    CustomField(object="Opportunity", name="ServiceTitan_Estimate_Id__c", type="string", length=50),
    CustomField(object="Event", name="ServiceTitan_Job_Id__c", type="string", length=50),
    _key("Lead", "ServiceTitan_Lead_Id__c"),
)
EMAIL_OPT_OUT = {
    "name": "HasOptedOutOfEmail", "label": "Email Opt Out", "type": "boolean", "nillable": False,
    "permissionable": True, "defaultedOnCreate": True, "defaultValue": False, "soapType": "xsd:boolean",
}  # fmt: skip


def set_up(schema: Schema, *, fresh: bool) -> None:
    """Make the org one in which all this was set up; a fresh one only has, hidden, what Salesforce itself made."""
    contact = schema.get("Contact")
    contact.add(EMAIL_OPT_OUT)
    contact.hide("HasOptedOutOfEmail", hidden=fresh)
    if fresh:
        return
    for field in OF_A_SET_UP_ORG:
        schema.get(field.object).add(field.describe())
    _add_account_types(schema)


def _add_account_types(schema: Schema) -> None:
    account = schema.get("Account")
    kind = account.fields["Type"].describe
    account.add(kind | {"picklistValues": [*kind["picklistValues"], "Residential", "Commercial"]})
