"""What the people around the software do: the shop's office, the org's users, and who asks for something by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from st_sf_pipelines.operate import targets
from st_sf_pipelines_tests.world import TENANT, small_shop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from st_sf_pipelines.simulators.salesforce.simulator import SalesforceSimulator
    from st_sf_pipelines_tests.world import World

ACCOUNT_KEY, CONTACT_KEY = "ServiceTitan_Account_Id__c", "ServiceTitan_Customer_Id__c"
KEYS = {"Account": ACCOUNT_KEY, "Contact": CONTACT_KEY}
ACCOUNTS, CONTACTS = "salesforce/accounts", "salesforce/contacts"
ADDRESS = {"street": "12 Oak St", "unit": None, "city": "Irvine", "state": "CA", "zip": "92602", "country": "USA"}

DALLAS = 4202


def two_shops(*, socal: int = 0, dallas: int = 0) -> dict[str, Any]:
    """Describe a shop of two tenants, `socal` and `dallas`, with so many generated customers each."""
    shop = small_shop()
    [first] = shop["tenants"]
    second = {"id": DALLAS, "name": "dallas", "timezone": "America/Chicago", "records": {}}
    return {**shop, "tenants": [{**first, "customers": socal}, {**second, "customers": dallas}]}


def dallas_of(world: World, **sections: Any) -> dict[str, Any]:
    """Give the site file's second tenant, in the same org with a key format of its own."""
    [_, st] = world.st.credentials["tenants"]
    access = {name: world.st.credentials[name] for name in ("api_url", "auth_url")}
    tenant = {
        "name": "dallas",
        "id": st["id"],
        "timezone": st["timezone"],
        "servicetitan": {**access, **{name: st[name] for name in ("client_id", "client_secret", "app_key")}},
        "salesforce": {
            **{name: world.sf.credentials[name] for name in ("instance_url", "access_token")},
            "external_id": "dal_{id}",
        },
    }
    for section, values in sections.items():
        tenant[section] = {**tenant.get(section, {}), **values}
    return tenant


def new_customer(
    world: World, name: str = "John Smith", *, email: str | None = None, phone: str | None = None, **fields: Any
) -> int:
    """Let a customer call for the first time; a tenant other than the first is named by `tenant`."""
    tenant = fields.pop("tenant", None)
    [st_id] = world.st.put("customers", [{"name": name, "address": ADDRESS, **fields}], tenant)
    contacts = [("Email", email), ("MobilePhone", phone)]
    told = [{"customerId": st_id, "type": kind, "value": value} for kind, value in contacts if value]
    world.st.put("customer_contacts", told, tenant)
    return st_id


def many_customers(world: World, count: int) -> list[int]:
    """Let many customers come at once."""
    records = [{"name": f"Ann Person{n}", "address": ADDRESS} for n in range(count)]
    return world.st.put("customers", records)


def completed_job(world: World, customer: int, completed_on: str, total: str = "0.00") -> int:
    """Let a job be done and billed; give the job's id."""
    [job] = world.st.put("jobs", [{"customerId": customer, "jobStatus": "Completed", "completedOn": completed_on}])
    bill = {"customer": {"id": customer, "name": "x"}, "job": {"id": job}, "subTotal": total, "total": total}
    world.st.put("invoices", [bill])
    return job


def contact_of(world: World, customer: int, kind: str) -> int:
    """Find the id of a customer's newest phone or e-mail record in the shop."""
    table = world.st.shop.tenant(TENANT).tables["customer_contacts"]
    records = [table.get(key) for key in table.keys()]  # noqa: SIM118 - a table's keys are walked in order
    return int(next(r["id"] for r in records if r["customerId"] == customer and r["type"] == kind))


def by_key(sf: SalesforceSimulator, name: str) -> dict[str, dict[str, Any]]:
    """Give the org's records of an object that carry our key, by it."""
    return {row[KEYS[name]]: row for row in sf.records(name) if row[KEYS[name]]}


def written(sf: SalesforceSimulator, name: str) -> int:
    """Count the rows of an object that were written since the last `count_anew`."""
    return int(sf.counters["rows"][name]["written"])


def calls(sf: SalesforceSimulator, *, queries: bool = True) -> int:
    """Count the calls since the last `count_anew`."""
    told = sf.counters["calls"]
    return sum(call["count"] for call in told if queries or not call["path"].startswith("/query"))


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """Name the fields of a record that differ, stamps of the org aside."""
    stamps = {"LastModifiedDate", "SystemModstamp", "LastModifiedById"}
    return {name for name in before if before[name] != after[name]} - stamps


def one(world: World, name: str) -> dict[str, Any]:
    """Give the only record of an object."""
    [row] = world.sf.records(name)
    return row


def adopt(world: World, *, apply: bool = False) -> dict[str, Any]:
    """Recognise our customers in the org; give the first tenant's part."""
    part = targets.adopt(world.settings, None, apply=apply)["tenants"][0]
    assert part["error"] is None
    objects: dict[str, Any] = part["objects"]
    return objects


def prove(world: World, *, sample: int | None = None, repair: bool = False) -> dict[str, Any]:
    """Reconcile all; give the whole report."""
    return targets.prove(world.settings, None, sample=sample, repair=repair)


def parked(world: World) -> list[dict[str, Any]]:
    """List what is parked for the first tenant."""
    rows: list[dict[str, Any]] = targets.list_parked(world.settings, None)["tenants"][0]["parked"]
    return rows


def retry(world: World, key: str | None = None) -> int:
    """Let parked records be sent again."""
    return targets.retry_parked(world.settings, None, key)


def fields_sent(world: World, act: Callable[[], Any]) -> dict[tuple[str, str], set[str]]:
    """Tell by object and key which fields an action writes: all hold marks of a hand first, and lose them if sent.

    A checkbox, an e-mail address and a date hold no mark: they are told only if their value moves.
    """
    marked: dict[tuple[str, str], dict[str, Any]] = {}
    for name in KEYS:
        for row in by_key(world.sf, name).values():
            marks = {**{field: f"~{field}"[:20] for field in TEXTS[name]}, **dict.fromkeys(NUMBERS[name], -7)}
            world.sf.put_records(name, {"Id": row["Id"], **marks})
        marked |= {(name, key): row for key, row in by_key(world.sf, name).items()}
    act()
    return {
        (name, key): fields
        for name in KEYS
        for key, row in by_key(world.sf, name).items()
        if (name, key) in marked and (fields := changed(marked[name, key], row))
    }


TEXTS = {
    "Account": ("Name", "Phone", "BillingStreet", "BillingCity", "BillingState", "BillingPostalCode", "BillingCountry"),
    "Contact": (
        *("FirstName", "LastName", "Phone"),
        *("MailingStreet", "MailingCity", "MailingState", "MailingPostalCode", "MailingCountry"),
    ),
}
NUMBERS = {
    "Account": ("Account_Balance__c", "Lifetime_Value__c"),
    "Contact": ("ServiceTitan_Tenant_Id__c", "Total_Jobs__c", "Completed_Jobs__c"),
}
