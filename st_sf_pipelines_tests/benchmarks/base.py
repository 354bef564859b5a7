"""A base of any size, made by SQL in the tables themselves: customers with a past, and a few who are dealt with now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from st_sf_pipelines.config import ServiceTitan, Tenant

if TYPE_CHECKING:
    from st_sf_pipelines.store.database import Database

TENANT: Final = 4101
DEALT: Final = 50
"""Of so many customers one has a job of the last days: 2 %."""

# A customer has two jobs, years and months ago (the second of every tenth was an install), with two visits in all, an
# estimate and two invoices; one in fifty has a job of the last days too, with a visit and, each second of those,
# an estimate.
# Ids count through: n customers, jobs n, N + n and 2N + n.
_BASE: Final = (
    """INSERT INTO servicetitan.business_units (tenant_id, id, name, modified, digest, active, record)
        VALUES (%(tenant)s, 1, 'Pool - Sales', 0, '', true, '{}'), (%(tenant)s, 2, 'Pool - Install', 0, '', true, '{}')
    """,
    """INSERT INTO servicetitan.customers (tenant_id, id, name, first_name, last_name, type, street, city, state, zip,
            balance, do_not_mail, do_not_service, created_on, modified_on, modified, digest, active, record)
        SELECT %(tenant)s, n, 'Ann Person' || n, 'Ann', 'Person' || n, 'Residential', n || ' Oak St', 'Irvine', 'CA',
            '92602', 0, false, false, now() - interval '3 years', now() - interval '1 year', 0, '', true, '{}'
        FROM generate_series(1, %(count)s) n""",
    """INSERT INTO servicetitan.customer_contacts (tenant_id, id, customer_id, type, value, email, created_on,
            modified, digest, active, record)
        SELECT %(tenant)s, n, n, 'email', 'ann' || n || '@example.com', 'ann' || n || '@example.com',
            now() - interval '3 years', 0, '', true, '{}'
        FROM generate_series(1, %(count)s) n""",
    """INSERT INTO servicetitan.jobs (tenant_id, id, customer_id, job_number, status, business_unit_id, total,
            created_on, completed_on, modified_on, modified, digest, active, record)
        SELECT %(tenant)s, n + k * %(count)s, n, n::text, CASE k WHEN 2 THEN 'scheduled' ELSE 'completed' END,
            CASE WHEN k = 1 AND n %% 10 = 0 THEN 2 ELSE 1 END, 100, since, CASE WHEN k < 2 THEN since + '1 day' END,
            since + '1 day', 0, '', true, '{}'
        FROM generate_series(0, 2) k, generate_series(1, %(count)s) n, LATERAL (
            SELECT now() - CASE k WHEN 0 THEN interval '900 days' WHEN 1 THEN n %% 700 * interval '1 day' + '100 days'
                           ELSE n %% 9 * interval '1 day' + '1 hour' END AS since) begun
        WHERE k < 2 OR n %% %(dealt)s = 0""",
    """INSERT INTO servicetitan.appointments (tenant_id, id, job_id, customer_id, status, created_on, modified_on,
            modified, digest, active, record)
        SELECT tenant_id, id, id, customer_id, CASE status WHEN 'completed' THEN 'done' ELSE 'scheduled' END,
            created_on, modified_on, 0, '', true, '{}'
        FROM servicetitan.jobs WHERE tenant_id = %(tenant)s""",
    """INSERT INTO servicetitan.estimates (tenant_id, id, job_id, customer_id, name, status, subtotal, tax, sold_on,
            is_change_order, created_on, modified_on, modified, digest, active, record)
        SELECT tenant_id, id, id, customer_id, 'Heater', CASE WHEN status = 'scheduled' THEN 'open'
            WHEN id %% 3 = 0 THEN 'sold' ELSE 'dismissed' END, 900, 72, CASE WHEN id %% 3 = 0 THEN modified_on END,
            false, created_on, modified_on, 0, '', true, '{}'
        FROM servicetitan.jobs
        WHERE tenant_id = %(tenant)s AND id > %(count)s AND (status = 'completed' OR customer_id %% (2 * %(dealt)s) = 0)
    """,
    """INSERT INTO servicetitan.invoices (tenant_id, id, customer_id, job_id, total, invoice_date, created_on,
            modified, digest, active, record)
        SELECT tenant_id, id, customer_id, id, id %% 97 * 100, completed_on::date, completed_on, 0, '', true, '{}'
        FROM servicetitan.jobs WHERE tenant_id = %(tenant)s AND status = 'completed'""",
    """ANALYZE servicetitan.customers, servicetitan.customer_contacts, servicetitan.jobs, servicetitan.appointments,
        servicetitan.estimates, servicetitan.invoices""",
)
# A job that was booked today, with its visit; the log tells whose.
_NEWS: Final = (
    """INSERT INTO servicetitan.jobs (tenant_id, id, customer_id, job_number, status, business_unit_id, created_on,
            modified_on, modified, digest, active, record)
        SELECT %(tenant)s, 10 * %(count)s + n, n, n::text, 'scheduled', 1, now(), now(), 0, '', true, '{}'
        FROM generate_series(1, %(count)s, 100) n""",
    """INSERT INTO servicetitan.appointments (tenant_id, id, job_id, customer_id, status, created_on, modified_on,
            modified, digest, active, record)
        SELECT tenant_id, id, id, customer_id, 'scheduled', created_on, modified_on, 0, '', true, '{}'
        FROM servicetitan.jobs WHERE tenant_id = %(tenant)s AND id > 10 * %(count)s""",
    """INSERT INTO sync.touched (tenant_id, asset, subject)
       SELECT tenant_id, 'servicetitan/jobs', customer_id FROM servicetitan.jobs
       WHERE tenant_id = %(tenant)s AND id > 10 * %(count)s""",
)


def tenant_of_base() -> Tenant:
    """Give the tenant whose base it is; nobody is asked for it."""
    access = ServiceTitan.model_validate({"client_id": "c", "client_secret": "s", "app_key": "k"})
    return Tenant(name="base", id=TENANT, timezone="America/Los_Angeles", servicetitan=access)


def make(db: Database, count: int, dealt: int = DEALT) -> None:
    """Fill the tables of an empty database with so many customers, of whom one in `dealt` has a job of these days."""
    _run(db, _BASE, count, dealt)


def book(db: Database, count: int) -> None:
    """Let 1 % of so many customers book a job today."""
    _run(db, _NEWS, count, 0)


def _run(db: Database, statements: tuple[str, ...], count: int, dealt: int) -> None:
    with db.connect() as connection:
        for statement in statements:
            connection.execute(statement, {"tenant": TENANT, "count": count, "dealt": dealt})
