"""Dagster's storage in PostgreSQL, with its connections kept: Dagster's own opens one for every statement.

A round of 48 steps asks its storage about a thousand times; dagster.yaml names the class of this file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import pg_url_from_config
from sqlalchemy import create_engine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dagster._serdes import ConfigurableClassData


class PooledPostgresStorage(DagsterPostgresStorage):
    """The runs, events and schedules of one instance over one engine, whose kept connections are tried before use.

    Beyond the one that is kept, connections are made and closed as Dagster's own are: no thread waits for another's.
    """

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        """Make what tables are missing, as the base does, then take the engine over."""
        super().__init__(postgres_url, inst_data=inst_data)
        engine = create_engine(
            postgres_url, isolation_level="AUTOCOMMIT", pool_size=1, max_overflow=-1, pool_pre_ping=True
        )
        for part in (self._run_storage, self._event_log_storage, self._schedule_storage):
            part._engine = engine  # noqa: SLF001 Dagster offers no other way in

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> PooledPostgresStorage:
        """Make the storage from dagster.yaml's `config`, which has the fields of Dagster's own."""
        return cls(pg_url_from_config(config_value), inst_data)
