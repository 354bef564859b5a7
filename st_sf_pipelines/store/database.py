"""Opens the PostgreSQL database: a pool of connections, the schema at its newest step, and the locks of a round."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from st_sf_pipelines.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    Connection = psycopg.Connection[dict[str, Any]]

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_SCHEME: Final = re.compile(r"^postgres(ql)?(\+\w+)?://")
_MIGRATING: Final = 7_317_001
_MUCH: Final = 1_000
_TO_THE_END: Final = "-c cursor_tuple_fraction=1"
"""We read every stream to its end; PostgreSQL would plan for the first tenth of it."""


def libpq_url(url: str) -> str:
    """Write a database URL as libpq reads it, whatever driver it names."""
    if not _SCHEME.match(url):
        raise StoreError("ST_SF_DATABASE_URL: expected postgresql://user:password@host:5432/database")
    return _SCHEME.sub("postgresql://", url)


def dagster_url(url: str) -> str:
    """Write a database URL for Dagster's storage.

    A bare postgresql:// means psycopg 3 since SQLAlchemy 2.1, with which dagster-postgres 0.29 loses run events
    (`NOTIFY run_events` is a syntax error there) although its migration passes; psycopg2 must be named.
    """
    return _SCHEME.sub("postgresql+psycopg2://", libpq_url(url))


def beside(url: str, suffix: str) -> str:
    """Name the database beside this one on the same server: …/st_sf becomes …/st_sf_dagster."""
    parts = urlsplit(libpq_url(url))
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/') or '/postgres'}_{suffix}"))


def ensure_database(url: str) -> None:
    """Create the database that the URL names if it is not there; raise StoreError with the mend if we may not."""
    try:
        with psycopg.connect(url, connect_timeout=10):
            return
    except psycopg.OperationalError as error:
        if "does not exist" not in str(error):
            raise StoreError(f"the database cannot be reached: {_without_password(error)}") from None
    except psycopg.ProgrammingError:
        raise StoreError("the database cannot be reached: its address is not one that libpq reads") from None
    parts = urlsplit(url)
    name = parts.path.lstrip("/")
    if not name:
        raise StoreError("the database's address names no database, and the role has none of its own name")
    for maintenance in (name.removesuffix("_dagster"), "postgres"):
        try:
            with psycopg.connect(urlunsplit(parts._replace(path=f"/{maintenance}")), autocommit=True) as connection:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):  # another process was faster
            return
        except psycopg.OperationalError:
            continue
        except psycopg.errors.InsufficientPrivilege:
            raise StoreError(f"the role may not create the database {name}: create it, or grant CREATEDB") from None
        return
    raise StoreError(f"the database {name} does not exist and could not be created: create it by hand")


def recreate(url: str, *, template: str = "template1") -> None:
    """Drop the database that the URL names, with all that is in it, and create it empty, or as a copy of another."""
    parts = urlsplit(libpq_url(url))
    name = sql.Identifier(parts.path.lstrip("/"))
    with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, sql.Identifier(template)))


def _without_password(error: Exception) -> str:
    return re.sub(r"://[^@\s]+@", "://…@", str(error)).strip().replace("\n", "; ")


class Database:
    """The store: `connect()` for one transaction, `pool` behind it; open it once a process, close it at the end."""

    def __init__(self, url: str, *, size: int = 16) -> None:
        """Take any PostgreSQL URL; nothing is opened yet."""
        self.url = libpq_url(url)
        self._size = size

    @cached_property
    def _pool(self) -> ConnectionPool[Connection]:
        pool = ConnectionPool[psycopg.Connection[dict[str, Any]]](
            self.url,
            min_size=0,
            max_size=self._size,
            timeout=30,
            check=ConnectionPool.check_connection,
            kwargs={"row_factory": dict_row, "options": f"-c timezone=UTC -c application_name=st_sf {_TO_THE_END}"},
            open=False,
        )
        pool.open()
        return pool

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Give a connection within one transaction: committed at the end, rolled back on an error.

        Raise StoreError if the server does not answer, or goes away in the middle.
        """
        try:
            with self._pool.connection() as connection:
                yield connection
        except psycopg.OperationalError as error:
            raise StoreError(f"the database does not answer: {_without_password(error)}") from error

    def close(self) -> None:
        """Close every connection; safe to call when none was opened."""
        if "_pool" in self.__dict__:
            self._pool.close()
            del self.__dict__["_pool"]

    def migrate(self) -> None:
        """Bring the schema to its newest step; safe when several processes do it at once. Raise StoreError."""
        ensure_database(self.url)
        engine = create_engine(_SCHEME.sub("postgresql+psycopg://", self.url), poolclass=NullPool)
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        newest = ScriptDirectory.from_config(config).get_current_head()
        with engine.connect() as connection:
            here = MigrationContext.configure(connection, opts={"version_table_schema": "sync"}).get_current_revision()
            if here == newest:
                return
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
            connection.execute(text("CREATE SCHEMA IF NOT EXISTS sync"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()

    @contextmanager
    def lock(self, name: str) -> Iterator[bool]:
        """Hold a named lock for as long as this process lives and the block lasts; say whether it was free."""
        with self.hold(name) as lock:
            yield lock is not None

    @contextmanager
    def hold(self, name: str) -> Iterator[Lock | None]:
        """Hold a named lock as `lock` does; give it, to be asked whether it still holds, or None if it was not free.

        It is PostgreSQL's own session lock, on a connection of its own: it ends with the process, however that ends.
        """
        try:
            connection = psycopg.connect(self.url, autocommit=True, application_name="st_sf lock", connect_timeout=10)
        except psycopg.OperationalError as error:
            raise StoreError(f"the database does not answer: {_without_password(error)}") from error
        with connection:
            row = connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name]).fetchone()
            yield Lock(connection) if row and row[0] else None


class Lock:
    """A lock that is held on a connection: it ends when the server does, and a pool that reconnects does not notice."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """Take the connection that holds it."""
        self._connection = connection
        self._asking = threading.Lock()

    def check(self) -> None:
        """Raise StoreError if the lock is gone: somebody else may hold it by now."""
        try:
            with self._asking:
                self._connection.execute("SELECT 1")
        except psycopg.OperationalError:
            raise StoreError("the round lost its lock, as the database was restarted; the next round goes on") from None


def grown(connection: Connection, table: str, new: int) -> None:
    """Let the planner see at once that a table has grown much; autovacuum would look at it a minute later."""
    if new >= _MUCH:
        connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(*table.split("."))))


def barrier(connection: Connection, name: str, *, exclusive: bool) -> None:
    """Wait, within this transaction, for others: writers of a log share it, its reader waits for all of them.

    After a kill, the dead process' last page may still be committing while the next round reads the log; without the
    barrier a number that becomes visible late would be skipped for good.
    """
    shared = "" if exclusive else "_shared"
    connection.execute(f"SELECT pg_advisory_xact_lock{shared}(hashtextextended(%s, 1))", [name])
