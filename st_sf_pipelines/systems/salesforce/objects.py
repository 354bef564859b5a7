"""The objects that are written, one row a field: Account and Contact as section 5 of the specification lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from st_sf_pipelines.mapping import Field, Match, ObjectMap, Transform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from st_sf_pipelines.config import Salesforce

# fmt: off
ACCOUNT: Final = ObjectMap("salesforce/accounts", "Account", key="ServiceTitan_Account_Id__c", fields=(
    Field("Name",                  ("name", "last_name"),              Transform.FIRST_OF),
    Field("Type",                  "type"),
    Field("Phone",                 "phone"),
    Field("BillingStreet",         ("address_line1", "address_line2"), Transform.LINES),
    Field("BillingCity",           "city"),
    Field("BillingState",          "state"),
    Field("BillingPostalCode",     "zip"),
    Field("BillingCountry",        "country"),
    Field("Account_Balance__c",    "balance"),
    Field("Lifetime_Value__c",     "lifetime_value"),
    Field("Customer_Segment__c",   "segment"),
), says="One Account for each customer, by our key.", matches=(
    Match("its contact",                 (),                     ("AccountId",), through="salesforce/contacts"),
    Match("name and postal code",        ("name", "zip"),        ("Name", "BillingPostalCode")),
))

CONTACT: Final = ObjectMap("salesforce/contacts", "Contact", key="ServiceTitan_Customer_Id__c", fields=(
    Field("Account",                        "key",                              Transform.PARENT, refers_to=ACCOUNT.key),  # noqa: E501
    Field("ServiceTitan_Tenant_Id__c",      "tenant_id"),
    Field("FirstName",                      "first_name"),
    Field("LastName",                       "last_name"),
    Field("Email",                          "email"),
    Field("Phone",                          "phone"),
    Field("MailingStreet",                  ("address_line1", "address_line2"), Transform.LINES),
    Field("MailingCity",                    "city"),
    Field("MailingState",                   "state"),
    Field("MailingPostalCode",              "zip"),
    Field("MailingCountry",                 "country"),
    Field("HasOptedOutOfEmail",             "do_not_mail",                      Transform.ONLY_TRUE),
    Field("Active__c",                      "active"),
    Field("Do_Not_Service__c",              "do_not_service"),
    Field("Total_Jobs__c",                  "total_jobs"),
    Field("Completed_Jobs__c",              "completed_jobs"),
    Field("First_Service_Date__c",          "first_job_date"),
    Field("Last_Service_Date__c",           "last_job_date"),
    Field("ServiceTitan_Last_Modified__c",  "st_modified_on",                   guarded=False),
    Field("Last_Sync_DateTime__c",          "synced_at",                        volatile=True),
), says="One Contact for each customer, by our key, tied to its account.", parent=ACCOUNT.asset, matches=(
    Match("e-mail",                      ("email",),             ("Email",)),
    Match("phone and last name",         ("phone", "last_name"), ("Phone", "LastName")),
))
# fmt: on

OBJECTS: Final = (ACCOUNT, CONTACT)  # parents first


def objects_of(config: Salesforce, targets: Sequence[ObjectMap] = OBJECTS) -> tuple[ObjectMap, ...]:
    """Give the maps in force: those above (or others), with the site's rows laid over them."""
    return tuple(target.with_fields(config.fields.get(short(target), ())) for target in targets)  # type: ignore[call-overload]


def short(target: ObjectMap) -> str:
    """Name an object as the site file does: 'accounts'."""
    return target.asset.partition("/")[2]
