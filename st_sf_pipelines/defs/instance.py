"""Opens what a process needs: our database, and Dagster's own beside it, embedded or by URL."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from st_sf_pipelines.settings import load
from st_sf_pipelines.store import local
from st_sf_pipelines.store.database import Database, beside, dagster_url, ensure_database

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from st_sf_pipelines.settings import Settings

ROOT: Final = Path(__file__).parents[2]
"""The checkout: dagster.yaml and workspace.yaml lie here."""


def database_url(settings: Settings) -> str:
    """Give the URL of our database, starting the embedded server if none is named. Raise StoreError."""
    return settings.database_url or local.start(settings.home)


@cache
def _database(url: str) -> Database:
    database = Database(url)
    database.migrate()
    return database


def open_database(settings: Settings) -> Database:
    """Give our database with its schema at the newest step, one for each process."""
    return _database(database_url(settings))


def prepare_dagster(settings: Settings) -> None:
    """Set the two variables that dagster.yaml reads, unless they are set, and make Dagster's database and folder."""
    if "ST_SF_DAGSTER_URL" not in os.environ:
        url = beside(database_url(settings), "dagster")
        ensure_database(url)
        os.environ["ST_SF_DAGSTER_URL"] = dagster_url(url)
    state = Path(os.environ.setdefault("ST_SF_DAGSTER_STATE", str(settings.home / "dagster")))
    state.mkdir(parents=True, exist_ok=True)


def open_instance(settings: Settings) -> DagsterInstance:
    """Open the Dagster instance that dagster.yaml describes, the one that the UI shows."""
    from dagster import DagsterInstance
    from dagster._core.instance.ref import InstanceRef

    prepare_dagster(settings)
    home = os.environ.get("DAGSTER_HOME")
    if home:
        return DagsterInstance.from_config(home)
    return DagsterInstance.from_ref(InstanceRef.from_dir(os.environ["ST_SF_DAGSTER_STATE"], config_dir=str(ROOT)))


def current_settings() -> Settings:
    """Read the settings of this process; definitions call it when they run, never when they load."""
    return load()
