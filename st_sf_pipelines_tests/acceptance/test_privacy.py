"""No name, address, phone, e-mail or secret stands in a log, an error, the audit, or anything that Dagster keeps."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from dagster._serdes import serialize_value

from st_sf_pipelines_tests.acceptance.desk import dallas_of, new_customer, prove, two_shops

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World

STREET = {"street": "77 Xanadu Parkway", "unit": "Apt 9Q", "city": "Zzyzx", "state": "CA", "zip": "92309-7788"}
VALUES = (
    "Zebulon",
    "Quagmire",
    "zeb.quagmire@example.com",
    "480-555-0177",
    "5550177",
    *(part for part in STREET.values() if len(part) > 3),
    "twin.mail",
)


def telling(world: World) -> Iterator[tuple[str, str]]:
    """Give everything that tells of rounds outside our tables of values, and where it stands."""
    for table in ("sync.rounds", "sync.operations", "sync.looks", "sync.feeds", "sync.positions"):
        yield table, str(world.rows(f"SELECT * FROM {table}"))  # noqa: S608 - names of ours
    for run in world.dagster.get_runs():
        yield "run", serialize_value(run)
        for entry in world.dagster.all_logs(run.run_id):
            yield "event", serialize_value(entry)


def secrets_of(world: World) -> set[str]:
    st, sf = world.st.credentials, world.sf.credentials
    tenants = [tenant[name] for tenant in st["tenants"] for name in ("client_secret", "app_key", "client_id")]
    tokens = list(world.st.world.tokens._grants) + list(world.sf._front.org.sessions.access)
    named = [sf[name] for name in ("access_token", "client_secret", "refresh_token")]
    return {*tenants, *tokens, *named, "wrong.secret", "00D!expired.token"}


def found(text: str, values: set[str]) -> set[str]:
    return {value for value in values if any(way(value) in text for way in (str, quote, quote_plus))}


def test_nothing_personal_and_no_secret_is_told_anywhere(
    open_world: OpenWorld,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    naps: list[float],
) -> None:
    caplog.set_level(logging.DEBUG)
    world = open_world(two_shops(socal=25))
    world.sf.add_rule("duplicate", "Contact", field="Email")
    world.sf.put_records("Contact", {"LastName": "Quagmire", "Email": "zeb.quagmire@example.com"})
    for _ in range(2):
        world.sf.put_records("Contact", {"LastName": "Quagmire", "Email": "twin.mail@example.com"})
    world.extra = {"salesforce": {"adopt": "skip"}}
    world.write_site(dallas_of(world, servicetitan={"client_secret": "wrong.secret"}))
    reports: list[dict[str, Any]] = []

    def round_of_all() -> None:
        reports.append(world.sync_all())

    long = "Zebulon " + "Quagmire" * 12
    customer = new_customer(world, "Zebulon Quagmire", email="zeb.quagmire@example.com", address=STREET)
    new_customer(world, "Zebulon Quagmire", email="twin.mail@example.com", phone="480-555-0177")
    new_customer(world, long, address=STREET)  # refused, with the value in Salesforce's own words
    bad = {"id": 5, "name": "Zebulon Quagmire", "balance": "Zebulon", "modifiedOn": "Quagmire"}
    world.st.put("customers", [bad], raw=True)
    round_of_all()
    reports.append(prove(world))
    assert {each["name"]: each["status"] for each in reports[0]["tenants"]} == {"socal": "parked", "dallas": "failed"}
    assert len(world.rows("SELECT FROM sync.deliveries WHERE state = 'parked'")) >= 2

    world.st.put("customers", [{"id": customer, "name": "Zebulon Quagmire-Poe"}])
    refusal = {"message": "Zebulon Quagmire at 77 Xanadu Parkway", "errorCode": "JSON_PARSER_ERROR"}
    world.sf.set_faults({"match": {"path": "/composite"}, "do": {"status": 400, "body": [refusal]}})
    round_of_all()
    world.st.put("customers", [{"id": customer, "name": "Zebulon Quagmire-Roe"}])
    world.sf.set_faults({"match": {"path": "/composite"}, "do": {"status": 503, "body": [refusal]}})
    round_of_all()
    world.sf.set_faults()
    world.extra = {"salesforce": {"access_token": "00D!expired.token"}}
    world.write_site()
    round_of_all()
    huge = {"id": 6, "customerId": 2**63, "type": "Phone", "value": "480-555-0177", "active": True}
    world.st.put("customer_contacts", [{**huge, "modifiedOn": "2026-01-01T00:00:00Z"}], raw=True)
    round_of_all()
    assert naps

    names = {record["name"] for record in _records(world, "customers") if len(record["name"]) > 8}
    values = {record["value"] for record in _records(world, "customer_contacts") if len(record["value"]) > 8}
    streets = {record["address"]["street"] for record in _records(world, "customers") if record.get("address")}
    private = {*VALUES, *names, *values, *streets, *secrets_of(world)}
    errors = [str(each.get("error")) for report in reports for each in report["tenants"]]
    outside = capfd.readouterr()
    logged = "\n".join(f"{record.name} {record.getMessage()} {record.exc_text or ''}" for record in caplog.records)
    told = [("an error", "\n".join(errors)), ("a log", logged), ("the console", outside.out + outside.err)]
    leaks = {(where, value) for where, text in [*told, *telling(world)] for value in found(text, private)}
    assert leaks == set()


def _records(world: World, entity: str) -> list[dict[str, Any]]:
    table = world.st.shop.tenant().tables[entity]
    return [table.get(key) for key in table.keys() if isinstance(table.get(key).get("id"), int)]  # noqa: SIM118
