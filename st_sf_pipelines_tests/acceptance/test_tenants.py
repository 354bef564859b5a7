"""Several tenants: each fails alone, says what is wrong without a secret, and leaves another's records in peace."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from st_sf_pipelines.errors import ConfigError
from st_sf_pipelines.simulators.shop import make_shop
from st_sf_pipelines_tests.acceptance.desk import (
    ACCOUNTS,
    CONTACTS,
    DALLAS,
    by_key,
    dallas_of,
    new_customer,
    prove,
    two_shops,
)
from st_sf_pipelines_tests.acceptance.model import expected
from st_sf_pipelines_tests.world import TENANT

if TYPE_CHECKING:
    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World

NOON = "2026-01-31T20:00:00Z"


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["status"] for each in report["tenants"]}


def error_of(report: dict[str, Any], name: str) -> str:
    return str(next(each["error"] for each in report["tenants"] if each["name"] == name))


def opened(open_world: OpenWorld, *, socal: int = 8, dallas: int = 6, **sections: Any) -> World:
    shop = make_shop(two_shops(socal=socal, dallas=dallas), anchor=datetime(2026, 1, 31, tzinfo=UTC))
    world = open_world(shop)
    world.write_site(dallas_of(world, **sections))
    return world


def test_two_tenants_in_one_org_do_not_touch_each_other(open_world: OpenWorld) -> None:
    world = opened(open_world)
    assert statuses(world.sync_all(as_of=NOON)) == {"socal": "success", "dallas": "success"}
    wanted = {
        **expected(world.st.shop.tenant(TENANT), datetime.fromisoformat(NOON)),
        **expected(world.st.shop.tenant(DALLAS), datetime.fromisoformat(NOON), key="dal_{}"),
    }
    contacts = by_key(world.sf, "Contact")
    assert {key: {n: row[n] for n in wanted[key].contact} for key, row in contacts.items()} == {
        key: each.contact for key, each in wanted.items()
    }
    accounts = by_key(world.sf, "Account")
    assert all(row["AccountId"] == accounts[key]["Id"] for key, row in contacts.items())
    report = prove(world)
    compared = [t["objects"][asset]["compared"] for t in report["tenants"] for asset in (ACCOUNTS, CONTACTS)]
    assert (report["ok"], compared) == (True, [8, 8, 6, 6])


def test_two_tenants_whose_customers_share_an_id_stay_two(open_world: OpenWorld) -> None:
    world = opened(open_world, socal=0, dallas=0)
    for tenant, name in (("socal", "Ann Lee"), ("dallas", "Bob Ray")):
        new_customer(world, name, id=77, tenant=tenant)
    world.sync_all()
    assert {key: row["LastName"] for key, row in by_key(world.sf, "Contact").items()} == {
        "st_77": "Lee",
        "dal_77": "Ray",
    }
    world.st.put("customers", [{"id": 77, "name": "Ann Lee-Jones"}], "socal")
    world.sync_all()
    assert {row["LastName"] for row in world.sf.records("Contact")} == {"Lee-Jones", "Ray"}


def test_two_tenants_of_one_org_and_one_key_format_are_refused(open_world: OpenWorld) -> None:
    world = opened(open_world)
    world.write_site(dallas_of(world, salesforce={"external_id": "st_{id}"}))
    with pytest.raises(ConfigError, match="socal and dallas share a Salesforce org and the key format"):
        world.sync_all()
    world.write_site()


WRONG = {
    "client_secret": ("POST /connect/token", "the client id or secret is refused (400, invalid_client)"),
    "client_id": ("POST /connect/token", "the client id or secret is refused (400, invalid_client)"),
    "app_key": (
        "GET /crm/v2/tenant/4202/export/customers",
        "the credentials are refused (token or app key) (401, trace",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_credentials_fail_one_tenant_in_words_and_the_other_goes_on(open_world: OpenWorld, what: str) -> None:
    world = opened(open_world, servicetitan={what: "wrong.secret.of.dallas"})
    report = world.sync_all()
    assert statuses(report) == {"socal": "success", "dallas": "failed"}
    error = error_of(report, "dallas")
    endpoint, cause = WRONG[what]
    assert f"servicetitan: dallas: {endpoint}: {cause}" in error
    secrets = [*world.st.credentials["tenants"][1].values(), "wrong.secret.of.dallas"]
    assert not [secret for secret in secrets if str(secret) in error and str(secret) not in ("dallas", str(DALLAS))]
    assert len(by_key(world.sf, "Contact")) == 8
    tables = ("customers", "customer_contacts", "jobs", "invoices", "business_units", "quarantine", "feeds")
    for table in tables:
        schema = "sync" if table == "feeds" else "servicetitan"
        assert world.rows(f"SELECT 1 FROM {schema}.{table} WHERE tenant_id = {DALLAS}") == []  # noqa: S608 - our names
    world.write_site(dallas_of(world))
    assert statuses(world.sync_all()) == {"socal": "success", "dallas": "success"}
    assert len(by_key(world.sf, "Contact")) == 14


def test_a_wrong_tenant_id_is_forbidden_and_said_so(open_world: OpenWorld) -> None:
    world = opened(open_world)
    world.write_site({**dallas_of(world), "id": 999})
    report = world.sync_all()
    assert statuses(report) == {"socal": "success", "dallas": "failed"}
    assert "access is forbidden" in error_of(report, "dallas")


def test_one_tenants_trouble_in_salesforce_is_its_own(open_world: OpenWorld) -> None:
    world = opened(open_world, salesforce={"access_token": "00D!expired"})
    report = world.sync_all()
    assert statuses(report) == {"socal": "success", "dallas": "failed"}
    assert "salesforce: dallas:" in error_of(report, "dallas")
    assert world.rows("SELECT count(*) AS n FROM servicetitan.customers WHERE tenant_id = %s", DALLAS) == [{"n": 6}]


def test_a_tenant_without_salesforce_is_read_and_derived(open_world: OpenWorld) -> None:
    world = opened(open_world)
    dallas = dallas_of(world)
    del dallas["salesforce"]
    world.write_site(dallas)
    report = world.sync_all()
    assert statuses(report) == {"socal": "success", "dallas": "success"}
    derived = report["tenants"][1]["derived"]
    assert (derived["profiles"], derived["segments"]) == (6, 6)
    assert len(by_key(world.sf, "Contact")) == 8
