"""Fields that nobody documented are kept, and told once for each tenant, entity and field, never with a value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import pytest
from msgspec import structs

from st_sf_pipelines.store import quarantine
from st_sf_pipelines.sync.pages import Desk
from st_sf_pipelines.sync.pull import pull
from st_sf_pipelines.systems.servicetitan.entities import ENTITIES, ENTITY
from st_sf_pipelines.systems.servicetitan.records.record import Shape
from st_sf_pipelines_tests.store.feeding import STAMP, customer, invoice, job, rows
from st_sf_pipelines_tests.world import TENANT

if TYPE_CHECKING:
    from st_sf_pipelines.simulators.servicetitan.simulator import ServiceTitanSimulator
    from st_sf_pipelines.store.database import Database
    from st_sf_pipelines.systems.servicetitan.client import ServiceTitanClient

CUSTOMERS = ENTITY["customers"]


def drift(db: Database, tenant: int = TENANT) -> list[tuple[str, str, str]]:
    return [(row["entity"], row["field"], row["kind"]) for row in quarantine.drift(db, tenant)]


def test_an_unknown_field_is_kept_and_told_once(
    db: Database, st: ServiceTitanSimulator, source: ServiceTitanClient
) -> None:
    [st_id] = st.put("customers", [{"name": "Ann Lee", "favouriteColour": "secret green", "shoeSize": None}])
    first = pull(db, source, TENANT, CUSTOMERS)
    assert {"favouriteColour", "shoeSize"} <= set(first.drift)
    st.put("customers", [{"name": "Ben Ray", "favouriteColour": "blue"}])
    assert pull(db, source, TENANT, CUSTOMERS).drift == (), "once"
    found = drift(db)
    assert {("customers", "favouriteColour", "string"), ("customers", "shoeSize", "null")} <= set(found)
    assert "secret green" not in json.dumps(quarantine.drift(db, TENANT), default=str)
    [row] = rows(db, "SELECT record FROM servicetitan.customers WHERE id = %s", st_id)
    assert row["record"]["favouriteColour"] == "secret green"


@pytest.mark.parametrize(
    ("value", "kind"),
    [("x", "string"), (1, "number"), (1.5, "number"), (True, "boolean"), ([], "array"), ({}, "object")],
)
def test_its_json_type_is_told(db: Database, value: Any, kind: str) -> None:
    Desk(db, TENANT, CUSTOMERS).keep([customer(1), customer(2, brandNew=None), customer(3, brandNew=value)])
    assert drift(db) == [("customers", "brandNew", kind)]


def test_each_tenant_and_entity_is_told_its_own(db: Database) -> None:
    for tenant in (TENANT, TENANT + 1):
        assert Desk(db, tenant, CUSTOMERS).keep([customer(1, brandNew=1)]).drift == ("brandNew",)
    assert Desk(db, TENANT, ENTITY["jobs"]).keep([job(1, 1, brandNew=1)]).drift == ("brandNew",)
    assert drift(db) == [("customers", "brandNew", "number"), ("jobs", "brandNew", "number")]


def test_a_page_with_things_that_are_no_records_has_no_drift_of_them(db: Database) -> None:
    odd: list[Any] = [None, [1], "text", customer(1)]
    assert Desk(db, TENANT, CUSTOMERS).keep(odd).drift == ()


def test_an_unknown_field_of_an_object_within_a_record_is_told_once_with_its_place(db: Database) -> None:
    desk = Desk(db, TENANT, CUSTOMERS)
    page = [
        customer(1, address=None),
        customer(2, address={"planet": "Earth", "latitude": 1.5}),
        customer(3, address=[1]),
    ]
    assert desk.keep(page).drift == ("address.planet",)
    assert desk.keep([customer(4, address={"planet": "Mars"}, customFields=[{"odd": 1}])]).drift == ()
    assert Desk(db, TENANT, CUSTOMERS).keep([customer(5, address={"planet": "Venus"})]).drift == (), "once"
    odd = {"customer": {"id": 7, "name": "x", "tier": 1}, "job": {"id": 8, "type": None, "crew": []}}
    assert Desk(db, TENANT, ENTITY["invoices"]).keep([invoice(1, 7, "1.00", **odd)]).drift == (
        "customer.tier",
        "job.crew",
    )
    assert drift(db) == [
        ("customers", "address.planet", "string"),
        ("invoices", "customer.tier", "number"),
        ("invoices", "job.crew", "array"),
    ]


def test_a_field_named_beyond_measure_is_cut(db: Database) -> None:
    Desk(db, TENANT, CUSTOMERS).keep([{**customer(1), "x" * 5000: 1, "a\x00b": 2}])
    assert sorted(len(field) for _, field, _ in drift(db)) == [3, 200]


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
def test_every_field_that_we_use_is_documented(entity: Any) -> None:
    assert set(entity.record.__struct_encode_fields__) - {"modifiedOn"} <= entity.fields[""]
    assert entity.modified({name: STAMP for name in ("modifiedOn", "createdOn") if name in entity.fields[""]})
    used = {
        field.name: set(shape.__struct_encode_fields__)
        for field in structs.fields(entity.record)
        for shape in [get_args(field.type)[0] if get_args(field.type) else field.type]
        if isinstance(shape, type) and issubclass(shape, Shape)
    }
    assert {"", *used} == entity.fields.keys(), "what we use nothing of is looked at no further"
    assert all(names <= entity.fields[within] for within, names in used.items())
