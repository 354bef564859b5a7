"""Writes ServiceTitan records into a test's store, checked and fingerprinted as a page of a feed is."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson

from st_sf_pipelines.store import cursors, records
from st_sf_pipelines.sync.pages import check
from st_sf_pipelines.systems.servicetitan.entities import ENTITY

if TYPE_CHECKING:
    from st_sf_pipelines.ports import Reject, Row
    from st_sf_pipelines.store.database import Database
    from st_sf_pipelines.store.records import Written

TENANT = 4101
STAMP = "2026-01-01T00:00:00Z"


def customer(st_id: int, stamp: str = STAMP, **more: Any) -> dict[str, Any]:
    """Make a Residential customer; `more` goes over it."""
    return {"id": st_id, "modifiedOn": stamp, "active": True, "name": "John Smith", "type": "Residential", **more}


def contact(nr: int, customer_id: int, value: str, kind: str = "Email", **more: Any) -> dict[str, Any]:
    """Make a contact of a customer."""
    made = {"id": nr, "modifiedOn": STAMP, "createdOn": STAMP, "active": True}
    return {**made, "customerId": customer_id, "type": kind, "value": value, **more}


def job(nr: int, customer_id: int, status: str = "Completed", done: str | None = None, **more: Any) -> dict[str, Any]:
    """Make a job of a customer."""
    made = {"id": nr, "modifiedOn": STAMP, "createdOn": STAMP, "active": True, "jobNumber": str(nr)}
    return {**made, "customerId": customer_id, "jobStatus": status, "completedOn": done, **more}


def invoice(nr: int, customer_id: int | None, total: Any, **more: Any) -> dict[str, Any]:
    """Make an invoice of a customer, or of nobody."""
    owner = None if customer_id is None else {"id": customer_id, "name": "whoever"}
    return {"id": nr, "modifiedOn": STAMP, "active": True, "customer": owner, "total": total, **more}


def digest_of(record: Any) -> bytes:
    """Fingerprint a record's JSON."""
    return hashlib.blake2b(orjson.dumps(record, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def checked(entity: str, *raw: Any) -> tuple[list[Row], list[Reject]]:
    """Part what fits from what does not, in the order of the page."""
    return check(
        ENTITY[entity],
        [(record, digest_of(record), orjson.dumps(record, option=orjson.OPT_SORT_KEYS)) for record in raw],
    )


def feed(
    db: Database, entity: str, *raw: Any, tenant: int = TENANT, mark: tuple[str | None, bool] | None = None
) -> Written:
    """Write a page of an entity, with the feed's (token, complete) if `mark` gives it."""
    rows, rejects = checked(entity, *raw)
    return write_page(db, entity, rows, rejects, mark, tenant=tenant)


def write_page(
    db: Database,
    entity: str,
    rows: list[Row],
    rejects: list[Reject],
    mark: tuple[str | None, bool] | None = None,
    *,
    tenant: int = TENANT,
) -> Written:
    """Write a checked page of an entity in one transaction, with the feed's (token, complete) if `mark` gives it."""
    with db.connect() as connection:
        written = records.write(connection, tenant, ENTITY[entity].table, rows, rejects)
        if mark is not None:
            cursors.keep(connection, tenant, entity, mark[0], complete=mark[1])
    return written


def rows(db: Database, query: str, *values: Any) -> list[dict[str, Any]]:
    """Ask the database."""
    with db.connect() as connection:
        return connection.execute(query, values).fetchall()


def touched(db: Database, asset: str, tenant: int = TENANT) -> list[int]:
    """List whom an asset's changes touched, in the order in which they were noted."""
    found = rows(db, "SELECT subject FROM sync.touched WHERE tenant_id = %s AND asset = %s ORDER BY seq", tenant, asset)
    return [row["subject"] for row in found]


def somebody_waits(db: Database) -> bool:
    """Tell whether a session waits for an advisory lock of this database."""
    here = "(SELECT oid FROM pg_database WHERE datname = current_database())"
    query = f"SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = {here}"  # noqa: S608
    return bool(rows(db, query))
