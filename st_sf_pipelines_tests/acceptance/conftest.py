"""What acceptance tests ask for: worlds of their own making, and retries whose pauses are noted, not waited for."""

from __future__ import annotations

import os
from contextlib import ExitStack
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

import pytest
import tenacity.nap

from st_sf_pipelines.store.database import dagster_url, ensure_database, recreate
from st_sf_pipelines.systems.salesforce import writer
from st_sf_pipelines_tests.world import World

pytest.register_assert_rewrite("st_sf_pipelines_tests.acceptance.sale")

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class OpenWorld(Protocol):
    """Opens a world with a shop of the test's own; `options` go to the ServiceTitan stand-in."""

    def __call__(self, shop: Any = None, **options: Any) -> World:
        """Open it."""
        ...


@pytest.fixture
def open_world(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenWorld]:
    """Open one world of the test's own making; it is closed at the end."""
    with ExitStack() as stack:

        def opened(shop: Any = None, **options: Any) -> World:
            return stack.enter_context(World.opened(database_url, tmp_path, monkeypatch, shop, **options))

        yield opened


@pytest.fixture
def another_database_url(server: str, template: str) -> str:
    """Give the URL of a second empty database."""
    url = f"{server.rpartition('/')[0]}/test_{uuid4().hex[:12]}"
    recreate(url, template=template.rpartition("/")[2])
    return url


@pytest.fixture(scope="session")
def dagster_storage(server: str) -> str:
    """Give the URL of a storage for Dagster, for what is asked for by hand."""
    url = f"{server.rpartition('/')[0]}/dagster_{uuid4().hex[:12]}"
    ensure_database(url)
    return dagster_url(url)


@pytest.fixture(autouse=True)
def _storage_apart(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep Dagster's state of a test out of every other's."""
    for name in [name for name in os.environ if name.startswith(("SERVICETITAN_", "SALESFORCE_", "CRM_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ST_SF_DAGSTER_URL", request.getfixturevalue("dagster_storage"))
    monkeypatch.setenv("ST_SF_DAGSTER_STATE", str(tmp_path / "dagster"))


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let retries go on at once; give the seconds that each would have waited."""
    slept: list[float] = []
    clock = SimpleNamespace(sleep=slept.append)
    monkeypatch.setattr(tenacity.nap, "time", clock)
    monkeypatch.setattr(writer, "time", clock)
    return slept
