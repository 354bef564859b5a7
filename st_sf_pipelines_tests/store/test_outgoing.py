"""Every source of what goes out gives the columns that maps may use, and counts what it gives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from psycopg.types.json import Jsonb

from st_sf_pipelines.store import outgoing
from st_sf_pipelines.store.outgoing import SOURCES
from st_sf_pipelines.systems.targets import SYSTEMS
from st_sf_pipelines_tests.store.feeding import TENANT

if TYPE_CHECKING:
    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.store.database import Database

ADDED = {"key", "synced_at"}
"""What planning adds to a row."""


@pytest.mark.parametrize("name", SOURCES)
def test_a_statement_gives_the_columns_that_its_source_promises(db: Database, name: str) -> None:
    values = {"campaigns": {"VIP": "701"}, "events_since": datetime(2026, 1, 1, tzinfo=UTC), "tenant": TENANT}
    with db.connect() as connection:
        connection.execute("CREATE TEMP TABLE subject (st_id bigint PRIMARY KEY) ON COMMIT DROP")
        assert list(outgoing.rows(connection, TENANT, name, values)) == []
        given = connection.execute(SOURCES[name].rows, values).description or ()
    assert set(SOURCES[name].columns) - ADDED <= {column.name for column in given}
    assert {"subject", "key_id"} <= {column.name for column in given}
    assert outgoing.count(db, TENANT, name) == 0


@pytest.mark.parametrize("target", [each for system in SYSTEMS for each in system.objects], ids=lambda each: each.asset)
def test_a_map_is_made_of_columns_that_its_source_has(target: ObjectMap) -> None:
    used = {column for field in target.fields for column in field.columns}
    assert used <= set(SOURCES[target.source].columns)


def test_what_a_column_is_said_to_be_made_of_is_there(db: Database) -> None:
    with db.connect() as connection:
        rows = connection.execute(
            "SELECT concat_ws('.', table_schema, table_name, column_name) AS name FROM information_schema.columns"
        )
        there = {row["name"] for row in rows}
    said = {made_of for source in SOURCES.values() for column in source.columns.values() for made_of in column.made_of}
    assert said <= there
    unmade = {name for source in SOURCES.values() for name, column in source.columns.items() if not column.made_of}
    assert unmade == {"synced_at", "company", "next_step", "confidence", "owner_email"}


@pytest.mark.parametrize("name", SOURCES)
def test_a_statement_gives_values_of_the_types_that_its_source_promises(db: Database, name: str) -> None:
    values = {"campaigns": Jsonb({}), "events_since": datetime(2026, 1, 1, tzinfo=UTC), "tenant": TENANT}
    with db.connect() as connection:
        connection.execute("CREATE TEMP TABLE subject (st_id bigint PRIMARY KEY) ON COMMIT DROP")
        given = connection.execute(SOURCES[name].rows, values).description or ()
        types = {row["oid"]: row["name"] for row in connection.execute("SELECT oid::int, typname AS name FROM pg_type")}
    names = {"int8": "bigint", "int4": "integer", "bool": "boolean"}
    is_of = {column.name: names.get(types[column.type_code], types[column.type_code]) for column in given}
    said = {name: column.type for name, column in SOURCES[name].columns.items()}
    keys = {*SOURCES[name].keys, *ADDED}  # written as keys are, and so as text
    assert {each: is_of[each] for each in said.keys() - keys} == {each: said[each] for each in said.keys() - keys}
    assert {said[each] for each in SOURCES[name].keys} <= {"text"}
