"""Every source of what goes out gives the columns that maps may use, and counts what it gives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from st_sf_pipelines.store import outgoing
from st_sf_pipelines.store.outgoing import SOURCES
from st_sf_pipelines.systems.targets import SYSTEMS
from st_sf_pipelines_tests.store.feeding import TENANT

if TYPE_CHECKING:
    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.store.database import Database

ADDED = {"key", "synced_at", "account_key"}
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
