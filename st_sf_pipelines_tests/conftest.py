"""What every test may ask for: a real PostgreSQL, a database of its own, and a world of two stand-ins."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest

from st_sf_pipelines.store import local
from st_sf_pipelines.store.database import Database, libpq_url, recreate
from st_sf_pipelines.systems.servicetitan import auth
from st_sf_pipelines_tests.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Give the URL of a server: the one that ST_SF_TEST_DATABASE_URL names, else an embedded one for this session."""
    if named := os.environ.get("ST_SF_TEST_DATABASE_URL"):
        yield libpq_url(named)
        return
    around = Path(tempfile.mkdtemp(prefix="st_sf_tests_"))
    around.chmod(0o755)  # the server runs as nobody when we are root, and must reach its data
    try:
        url = local.start(around)
        with psycopg.connect(url, autocommit=True) as connection:  # what tests lose with the machine, nobody misses
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield url
        local.stop(around)
    finally:
        shutil.rmtree(around)


@pytest.fixture(scope="session")
def template(server: str) -> str:
    """Make a database with the newest schema, which every test's own is a copy of."""
    url = _named(server, f"template_{uuid4().hex[:12]}")
    recreate(url)
    database = Database(url)
    database.migrate()
    database.close()
    return url


@pytest.fixture(autouse=True)
def _no_tokens() -> None:
    """Begin without the tokens of stand-ins that are gone: their addresses may come again."""
    auth._KEEPERS.clear()


@pytest.fixture
def database_url(server: str, template: str) -> Iterator[str]:
    """Give the URL of an empty database with the newest schema, which goes with the test."""
    name = f"test_{uuid4().hex[:12]}"
    recreate(_named(server, name), template=template.rpartition("/")[2])
    yield _named(server, name)
    with psycopg.connect(_named(server, "postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """Give an empty database, opened."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def world(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Give a small shop behind a ServiceTitan stand-in, an empty Salesforce org, and a site that joins them."""
    with World.opened(database_url, tmp_path, monkeypatch) as opened:
        yield opened


def _named(server: str, name: str) -> str:
    return f"{server.rpartition('/')[0]}/{name}"
