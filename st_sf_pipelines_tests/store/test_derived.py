"""The profile that SQL joins is the one that plain Python makes, and segments move when their day comes (SEG)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from st_sf_pipelines.config import Segments
from st_sf_pipelines.rules import segments
from st_sf_pipelines.store import derived, outgoing
from st_sf_pipelines.store import segments as stored
from st_sf_pipelines.store.derived import PROFILE, Derived
from st_sf_pipelines.store.log import Scope
from st_sf_pipelines.sync.derive import FOLLOWS
from st_sf_pipelines_tests.store.feeding import STAMP, TENANT, contact, customer, feed, invoice, job, rows, touched

if TYPE_CHECKING:
    from st_sf_pipelines.store.database import Database

OTHER_TENANT = 4102
CHANGED, EVERYBODY = Scope(), Scope(everybody=True)
LOS_ANGELES = "America/Los_Angeles"
TODAY = date(2026, 1, 31)
COLUMNS = [name for name, *_ in PROFILE]


def derive(
    db: Database, scope: Scope = CHANGED, *, zone: str = LOS_ANGELES, version: str = "1", tenant: int = TENANT
) -> Derived:
    """Bring the profiles up to date."""
    return derived.derive_profiles(db, tenant, zone, version, FOLLOWS["customers/profile"], scope)


def conclude(
    db: Database,
    as_of: date = TODAY,
    scope: Scope = CHANGED,
    *,
    bounds: Segments | None = None,
    version: str = "1",
    tenant: int = TENANT,
) -> Derived:
    """Bring the segments up to date."""
    rule = partial(segments.steps, as_of=as_of, bounds=bounds or Segments())
    return stored.derive_segments(db, tenant, as_of, version, scope, rule)


def profile(db: Database, st_id: int = 7, tenant: int = TENANT) -> dict[str, Any]:
    """Give one profile's columns."""
    query = f"SELECT {', '.join(COLUMNS)} FROM customers.profile WHERE tenant_id = %s AND st_id = %s"  # noqa: S608
    (row,) = rows(db, query, tenant, st_id)
    return row


def segment(db: Database, st_id: int = 7, tenant: int = TENANT) -> tuple[str, str, date | None]:
    """Give one customer's segment, its rule, and the day on which it falls due."""
    query = "SELECT segment, rule, due_on FROM customers.segment WHERE tenant_id = %s AND st_id = %s"
    (row,) = rows(db, query, tenant, st_id)
    return row["segment"], row["rule"], row["due_on"]


def test_a_profile_joins_the_customer_with_its_contacts_jobs_and_invoices(db: Database) -> None:
    address = {"street": "1 Main St", "unit": "2", "city": "San Diego", "state": "CA", "zip": "92101", "country": "USA"}
    feed(
        db,
        "customers",
        customer(7, name="Smith, John", address=address, balance=-12.5, doNotMail=True, doNotService=True),
    )
    feed(db, "customer_contacts", contact(1, 7, "John@Smith.com"), contact(2, 7, "(480) 555-0142", "Phone"))
    feed(db, "jobs", job(1, 7, done="2025-06-01T12:00:00Z"), job(2, 7, done="2026-01-15T12:00:00Z"), job(3, 7, "Hold"))
    feed(db, "invoices", invoice(1, 7, "10050.25"), invoice(2, 7, "-50.25"))
    assert derive(db) == Derived(looked=1, new=1, changed=0, total=1)
    assert profile(db) == {
        "name": "Smith, John",
        "first_name": "John",
        "last_name": "Smith",
        "type": "Residential",
        "email": "John@Smith.com",
        "phone": "(480) 555-0142",
        "address_line1": "1 Main St",
        "address_line2": "2",
        "city": "San Diego",
        "state": "CA",
        "zip": "92101",
        "country": "USA",
        "active": True,
        "do_not_mail": True,
        "do_not_service": True,
        "balance": Decimal("-12.5"),
        "lifetime_value": Decimal("10000.00"),
        "total_jobs": 3,
        "completed_jobs": 2,
        "first_job_date": date(2025, 6, 1),
        "last_job_date": date(2026, 1, 15),
        "st_modified_on": datetime(2026, 1, 1, tzinfo=UTC),
    }


def test_a_customer_with_nothing_has_a_profile_of_nothing(db: Database) -> None:
    feed(db, "customers", customer(7, name="", type=None))
    derive(db)
    made = profile(db)
    assert (made["name"], made["last_name"], made["email"], made["phone"]) == (None, "Customer st_7", None, None)
    assert (made["lifetime_value"], made["total_jobs"], made["completed_jobs"]) == (0, 0, 0)
    assert (made["first_job_date"], made["last_job_date"], made["balance"]) == (None, None, None)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("UTC", date(2026, 1, 1)),
        (LOS_ANGELES, date(2025, 12, 31)),
        ("Australia/Sydney", date(2026, 1, 1)),
        ("Pacific/Kiritimati", date(2026, 1, 1)),
    ],
)
def test_a_days_date_is_the_tenants_own(db: Database, zone: str, day: date) -> None:
    feed(db, "customers", customer(7))
    feed(db, "jobs", job(1, 7, done="2026-01-01T07:59:59.9999999Z"))
    derive(db, zone=zone)
    assert (profile(db)["first_job_date"], profile(db)["last_job_date"]) == (day, day)


def test_a_minute_later_and_in_summer_the_day_turns_where_it_should(db: Database) -> None:
    feed(db, "customers", customer(7))
    feed(db, "jobs", job(1, 7, done="2025-07-01T06:59:00Z"), job(2, 7, done="2026-01-01T08:00:00Z"))
    derive(db)
    assert (profile(db)["first_job_date"], profile(db)["last_job_date"]) == (date(2025, 6, 30), date(2026, 1, 1))


def test_statuses_are_compared_without_case_and_spaces_and_inactive_jobs_count_nowhere(db: Database) -> None:
    feed(db, "customers", customer(7))
    statuses = ["completed", " Completed ", "CANCELED", "Can celed", "In Progress", "Hold", "Scheduled"]
    feed(db, "jobs", *(job(n, 7, status, "2026-01-10T12:00:00Z") for n, status in enumerate(statuses, 1)))
    feed(db, "jobs", job(50, 7, "Completed", "2026-01-20T12:00:00Z", active=False))
    derive(db)
    made = profile(db)
    assert (made["total_jobs"], made["completed_jobs"], made["last_job_date"]) == (5, 2, date(2026, 1, 10))


def test_a_completed_job_without_a_date_counts_and_gives_none(db: Database) -> None:
    feed(db, "customers", customer(7))
    feed(db, "jobs", job(1, 7), job(2, 7, "Scheduled", "2026-01-20T12:00:00Z"))
    derive(db)
    made = profile(db)
    assert (made["total_jobs"], made["completed_jobs"]) == (2, 1)
    assert (made["first_job_date"], made["last_job_date"]) == (None, None)


def test_money_is_the_sum_of_active_invoices_to_the_cent(db: Database) -> None:
    feed(db, "customers", customer(7))
    feed(db, "invoices", *(invoice(n, 7, "0.10") for n in range(1, 4)), invoice(4, 7, None), invoice(5, 7, "-0.05"))
    feed(db, "invoices", invoice(6, 7, "99.00", active=False), invoice(7, 8, "99.00"), invoice(8, None, "99.00"))
    derive(db)
    assert profile(db)["lifetime_value"] == Decimal("0.25")


def test_the_newest_valid_contact_counts_and_a_mobile_goes_before_a_phone(db: Database) -> None:
    feed(db, "customers", customer(7))
    feed(
        db,
        "customer_contacts",
        contact(1, 7, "old@b.com", createdOn="2025-01-01T00:00:00Z"),
        contact(2, 7, "new@b.com", createdOn="2025-01-02T00:00:00Z"),
        contact(3, 7, "gone@b.com", createdOn="2025-01-03T00:00:00Z", active=False),
        contact(4, 7, "no e-mail at all", createdOn="2025-01-04T00:00:00Z"),
        contact(5, 7, "when@b.com", createdOn=None),
        contact(6, 8, "hers@b.com", createdOn="2025-01-05T00:00:00Z"),
        contact(11, 7, "480-555-0142", "Phone", createdOn="2025-01-09T00:00:00Z"),
        contact(12, 7, " (480) 555-0143 ", "MobilePhone", createdOn="2025-01-01T00:00:00Z"),
        contact(13, 7, "ask his wife", "MobilePhone", createdOn="2025-01-09T00:00:00Z"),
        contact(14, 7, "480-555-0144", "Fax", createdOn="2025-01-09T00:00:00Z"),
    )
    derive(db)
    assert (profile(db)["email"], profile(db)["phone"]) == ("new@b.com", "(480) 555-0143")
    feed(db, "customer_contacts", contact(12, 7, "480-555-0143", "MobilePhone", active=False))
    derive(db)
    assert profile(db)["phone"] == "480-555-0142"


def test_of_two_contacts_made_at_once_the_larger_id_is_the_newer(db: Database) -> None:
    feed(db, "customers", customer(7))
    feed(db, "customer_contacts", contact(10, 7, "ten@b.com"), contact(9, 7, "nine@b.com"))
    derive(db)
    assert profile(db)["email"] == "ten@b.com"


def test_a_customer_merged_away_is_not_active(db: Database) -> None:
    feed(db, "customers", customer(7, mergedToId=8), customer(8), customer(9, active=False))
    derive(db)
    assert [profile(db, st_id)["active"] for st_id in (7, 8, 9)] == [False, True, False]


def test_what_comes_later_for_a_merged_customer_counts_for_its_survivor_until_it_is_unmerged(db: Database) -> None:
    feed(db, "customers", customer(7, mergedToId=8), customer(8, mergedToId=9), customer(9), customer(10))
    feed(db, "jobs", job(1, 7))
    derive(db)
    assert [profile(db, st_id)["total_jobs"] for st_id in (7, 8, 9)] == [0, 0, 1]
    feed(db, "jobs", job(2, 7))
    feed(db, "invoices", invoice(1, 8, "5.00"))
    derive(db)
    assert [profile(db, st_id)["total_jobs"] for st_id in (7, 8, 9)] == [0, 0, 2]
    assert [profile(db, st_id)["lifetime_value"] for st_id in (7, 8, 9)] == [0, 0, 5]
    feed(db, "customers", customer(8, mergedToId=None))
    derive(db)
    assert [profile(db, st_id)["total_jobs"] for st_id in (7, 8, 9)] == [0, 2, 0]
    assert [profile(db, st_id)["active"] for st_id in (7, 8, 9)] == [False, True, True]


def test_what_does_not_change_a_profile_writes_and_touches_nothing(db: Database) -> None:
    feed(db, "customers", customer(7))
    feed(db, "jobs", job(1, 7))
    derive(db)
    feed(db, "jobs", job(1, 7, summary="another"))
    assert derive(db) == Derived(looked=1, new=0, changed=0, total=1)
    assert derive(db, EVERYBODY) == Derived(looked=1, new=0, changed=0, total=1)
    assert touched(db, "customers/profile") == [7]


def test_a_contact_that_moves_changes_both_profiles(db: Database) -> None:
    feed(db, "customers", customer(7), customer(8), customer(9))
    feed(db, "customer_contacts", contact(1, 7, "a@b.com"))
    derive(db)
    feed(db, "customer_contacts", contact(1, 8, "a@b.com", modifiedOn="2026-01-02T00:00:00Z"))
    assert derive(db) == Derived(looked=2, new=0, changed=2, total=3)
    assert [profile(db, st_id)["email"] for st_id in (7, 8)] == [None, "a@b.com"]


def test_a_job_that_comes_before_its_customer_counts_once_the_customer_is_there(db: Database) -> None:
    feed(db, "jobs", job(1, 7))
    assert derive(db) == Derived(looked=0, new=0, changed=0, total=0)
    feed(db, "jobs", job(2, 7))
    assert derive(db) == Derived(looked=1, new=0, changed=0, total=0)
    feed(db, "customers", customer(7))
    assert derive(db) == Derived(looked=1, new=1, changed=0, total=1)
    assert profile(db)["total_jobs"] == 2


def test_named_customers_are_derived_and_no_position_moves(db: Database) -> None:
    feed(db, "customers", customer(7), customer(8))
    derive(db)
    feed(db, "customers", customer(7, name="Ann Lee", leadSource=1), customer(8, name="Bob Lee", leadSource=1))
    assert derive(db, Scope(ids=(7, 99))) == Derived(looked=2, new=0, changed=1, total=2)
    assert [profile(db, st_id)["first_name"] for st_id in (7, 8)] == ["Ann", "John"]
    assert derive(db) == Derived(looked=2, new=0, changed=1, total=2)
    assert profile(db, 8)["first_name"] == "Bob"


def test_another_zone_looks_at_everybody_anew(db: Database) -> None:
    feed(db, "customers", customer(7), customer(8))
    feed(db, "jobs", job(1, 7, done="2026-01-01T07:59:00Z"))
    derive(db, version="1 Los Angeles")
    assert derive(db, version="1 UTC", zone="UTC") == Derived(looked=2, new=0, changed=1, total=2)
    assert profile(db)["last_job_date"] == date(2026, 1, 1)


def test_one_tenants_records_are_nothing_to_another(db: Database) -> None:
    feed(db, "customers", customer(7))
    feed(db, "customers", customer(7, name="Ann Lee"), tenant=OTHER_TENANT)
    feed(db, "invoices", invoice(1, 7, "5.00"), tenant=OTHER_TENANT)
    feed(db, "jobs", job(1, 7), tenant=OTHER_TENANT)
    feed(db, "customer_contacts", contact(1, 7, "a@b.com"), tenant=OTHER_TENANT)
    assert derive(db).total == 1
    assert (profile(db)["email"], profile(db)["lifetime_value"], profile(db)["total_jobs"]) == (None, 0, 0)
    assert not rows(db, "SELECT 1 FROM customers.profile WHERE tenant_id = %s", OTHER_TENANT)


# A small shop as a plain Python model: the newest version of each record, joined in the plainest way.

EMAILS = ["ann@b.com", " Bob@B.com ", "no e-mail"]
PHONES = ["480-555-0142", "(480) 555-0143", "none"]
INSTANTS = ["2025-12-31T23:30:00Z", "2026-01-01T07:59:00Z", "2026-01-01T08:00:00.5Z", "2026-06-30T14:00:00Z", None]
STAMPS = [f"2026-01-0{n}T00:00:00Z" for n in range(1, 5)]
IDS, OWNERS, FLAGS = st.integers(1, 4), st.integers(1, 3), st.booleans()
STATUSES = ["Completed", "completed", "Canceled", "In Progress", "Scheduled"]
TENANTS = count(500_000)


def made(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"modifiedOn": st.sampled_from(STAMPS), "active": FLAGS, **values})


PAGES = st.one_of(
    st.tuples(
        st.just("customers"),
        made(id=OWNERS, name=st.sampled_from(["Ann Lee", "Bob Ray"]), mergedToId=st.none() | st.integers(0, 4)),
    ),
    st.tuples(
        st.just("customer_contacts"),
        made(
            id=IDS,
            customerId=OWNERS,
            type=st.sampled_from(["Email", "Phone", "MobilePhone", "mobile phone", "Fax"]),
            value=st.sampled_from(EMAILS + PHONES),
            createdOn=st.sampled_from(INSTANTS),
        ),
    ),
    st.tuples(
        st.just("jobs"),
        made(id=IDS, customerId=OWNERS, jobStatus=st.sampled_from(STATUSES), completedOn=st.sampled_from(INSTANTS)),
    ),
    st.tuples(
        st.just("invoices"),
        made(
            id=IDS,
            customer=st.none() | OWNERS.map(lambda nr: {"id": nr}),
            total=st.none() | st.decimals(-100, 100, places=2).map(str),
        ),
    ),
)


@dataclass
class Shop:
    """The model: what is in force of each record, and the profile that follows from it."""

    zone: str
    records: dict[str, dict[int, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))

    def take(self, entity: str, record: dict[str, Any]) -> None:
        """Keep a version unless a newer one is kept."""
        kept = self.records[entity].get(record["id"])
        if kept is None or record["modifiedOn"] >= kept["modifiedOn"]:
            self.records[entity][record["id"]] = record

    def profiles(self) -> dict[int, tuple[Any, ...]]:
        """Join: (first name, active, e-mail, phone, lifetime value, jobs, completed, first day, last day)."""
        return {
            nr: (
                record["name"].split()[0],
                record["active"] and self._keeper(nr) == nr,
                self._newest(nr, EMAILS[:2], {"email"}),
                self._newest(nr, PHONES[:2], {"mobilephone"}) or self._newest(nr, PHONES[:2], {"phone"}),
                self._money(nr),
                *self._work(nr),
            )
            for nr, record in self.records["customers"].items()
        }

    def _keeper(self, nr: int) -> int:
        """Follow a customer's merges to whom its records count for; of a loop the lowest id (EXT-5)."""
        passed: list[int] = []
        while nr not in passed:
            passed.append(nr)
            target = self.records["customers"][nr]["mergedToId"]
            if target not in self.records["customers"]:
                return nr
            nr = target
        return min(passed[passed.index(nr) :])

    def _counts_for(self, owner: int | None, nr: int) -> bool:
        return owner in self.records["customers"] and self._keeper(owner) == nr

    def _newest(self, nr: int, valid: list[str], kinds: set[str]) -> str | None:
        mine = [
            each
            for each in self.records["customer_contacts"].values()
            if each["customerId"] == nr
            and each["active"]
            and each["value"] in valid
            and each["type"].replace(" ", "").lower() in kinds
        ]
        newest = max(mine, key=lambda each: (each["createdOn"] or "", each["id"]), default=None)
        return newest["value"].strip() if newest else None

    def _money(self, nr: int) -> Decimal:
        mine = [
            each
            for each in self.records["invoices"].values()
            if each["active"] and self._counts_for((each["customer"] or {}).get("id"), nr)
        ]
        return sum((Decimal(each["total"] or 0) for each in mine), Decimal(0))

    def _work(self, nr: int) -> tuple[int, int, date | None, date | None]:
        mine = [
            each
            for each in self.records["jobs"].values()
            if each["active"] and self._counts_for(each["customerId"], nr)
        ]
        done = [each for each in mine if each["jobStatus"].lower() == "completed"]
        days = [
            datetime.fromisoformat(each["completedOn"]).astimezone(ZoneInfo(self.zone)).date()
            for each in done
            if each["completedOn"]
        ]
        stands = [each for each in mine if each["jobStatus"] != "Canceled"]
        return len(stands), len(done), min(days, default=None), max(days, default=None)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(PAGES, max_size=12), min_size=1, max_size=4), st.sampled_from(["UTC", LOS_ANGELES]))
def test_after_any_rounds_the_profiles_are_those_of_the_plain_model(
    db: Database, rounds: list[list[tuple[str, dict[str, Any]]]], zone: str
) -> None:
    tenant = next(TENANTS)
    shop = Shop(zone)
    for pages in rounds:
        for entity, record in pages:
            feed(db, entity, record, tenant=tenant)
            shop.take(entity, record)
        derive(db, zone=zone, tenant=tenant)
    query = """SELECT st_id, first_name, active, email, phone, lifetime_value, total_jobs, completed_jobs,
               first_job_date, last_job_date FROM customers.profile WHERE tenant_id = %s"""
    stored = {row.pop("st_id"): tuple(row.values()) for row in rows(db, query, tenant)}
    assert stored == shop.profiles()
    again = derive(db, EVERYBODY, zone=zone, tenant=tenant)
    assert (again.new, again.changed) == (0, 0)


# Segments


@pytest.fixture
def shop(db: Database) -> Database:
    """Give a store with one customer in each segment, and one without a job, as of 31 January 2026."""
    kinds = {1: ("10000.00", 0), 2: ("5000.00", 400), 3: ("0.00", 366), 4: ("0.00", 181), 5: ("0.00", 0)}
    feed(db, "customers", *(customer(st_id) for st_id in (*kinds, 6)))
    feed(db, "invoices", *(invoice(st_id, st_id, value) for st_id, (value, _) in kinds.items()))
    done = {st_id: datetime(2026, 1, 31, 20, tzinfo=UTC) - timedelta(days=days) for st_id, (_, days) in kinds.items()}
    feed(db, "jobs", *(job(st_id, st_id, done=f"{day:%Y-%m-%dT%H:%M:%SZ}") for st_id, day in done.items()))
    derive(db)
    assert conclude(db) == Derived(looked=6, new=6, changed=0, total=6)
    return db


def test_each_customer_has_a_segment_its_rule_and_its_due_day(shop: Database) -> None:
    assert [segment(shop, st_id) for st_id in range(1, 7)] == [
        ("VIP", "vip", date(2026, 7, 30)),
        ("High Value", "high_value", None),
        ("Churning", "churning", None),
        ("At Risk", "at_risk", date(2026, 8, 4)),
        ("Standard", "standard", date(2026, 7, 31)),
        ("Standard", "standard", None),
    ]
    assert stored.segment_counts(shop, TENANT) == {
        "VIP": 1,
        "High Value": 1,
        "Churning": 1,
        "At Risk": 1,
        "Standard": 2,
    }
    assert sorted(touched(shop, "customers/segment")) == [1, 2, 3, 4, 5, 6]


def test_only_those_whose_day_has_come_are_looked_at(shop: Database) -> None:
    assert conclude(shop, date(2026, 7, 29)) == Derived(looked=0, new=0, changed=0, total=6)
    assert conclude(shop, date(2026, 7, 30)) == Derived(looked=1, new=0, changed=1, total=6)
    assert segment(shop, 1) == ("High Value", "high_value", None)
    assert conclude(shop, date(2026, 8, 4)) == Derived(looked=2, new=0, changed=2, total=6)
    assert segment(shop, 4) == ("Churning", "churning", None)
    assert segment(shop, 5) == ("At Risk", "at_risk", date(2027, 2, 1))
    assert touched(shop, "customers/segment")[6:] in ([1, 4, 5], [1, 5, 4])
    assert conclude(shop, date(2026, 8, 4)) == Derived(looked=0, new=0, changed=0, total=6)


def test_who_is_due_is_known_before_anybody_looks(shop: Database) -> None:
    with shop.connect() as connection:
        asked = [stored.has_due(connection, TENANT, date(2026, 7, day)) for day in (29, 30, 31)]
        assert not stored.has_due(connection, OTHER_TENANT, date(2036, 1, 1))
    assert asked == [False, True, True]


def test_after_days_without_a_look_a_customer_goes_straight_to_where_it_belongs(shop: Database) -> None:
    conclude(shop, date(2030, 1, 1))
    assert [segment(shop, st_id)[0] for st_id in range(1, 7)] == [
        "High Value",
        "High Value",
        "Churning",
        "Churning",
        "Churning",
        "Standard",
    ]


def test_a_changed_profile_is_looked_at_and_one_that_concludes_the_same_touches_nothing(shop: Database) -> None:
    feed(shop, "customers", customer(5, name="Ann Lee", leadSource=1))
    derive(shop)
    assert conclude(shop) == Derived(looked=1, new=0, changed=0, total=6)
    feed(shop, "invoices", invoice(50, 5, "10000.00"))
    derive(shop)
    assert conclude(shop) == Derived(looked=1, new=0, changed=1, total=6)
    assert segment(shop, 5) == ("VIP", "vip", date(2026, 7, 30))
    assert len(touched(shop, "customers/segment")) == 7


def test_a_cent_below_a_bound_is_below_it(shop: Database) -> None:
    feed(shop, "invoices", invoice(60, 6, "4999.99"))
    derive(shop)
    conclude(shop)
    assert segment(shop, 6)[0] == "Standard"
    feed(shop, "invoices", invoice(61, 6, "0.01"))
    derive(shop)
    conclude(shop)
    assert segment(shop, 6)[0] == "High Value"


def test_an_edited_threshold_looks_at_everybody_once(shop: Database) -> None:
    bounds = Segments(high_lifetime_value=Decimal(6000))
    assert conclude(shop, bounds=bounds, version="2") == Derived(looked=6, new=0, changed=1, total=6)
    assert segment(shop, 2) == ("Churning", "churning", None)
    assert conclude(shop, bounds=bounds, version="2") == Derived(looked=0, new=0, changed=0, total=6)


def test_named_customers_are_concluded_without_those_that_are_due(shop: Database) -> None:
    before = rows(shop, "SELECT * FROM sync.positions ORDER BY consumer")
    assert conclude(shop, date(2030, 1, 1), Scope(ids=(5,))) == Derived(looked=1, new=0, changed=1, total=6)
    assert [segment(shop, st_id)[0] for st_id in (1, 4, 5)] == ["VIP", "At Risk", "Churning"]
    assert rows(shop, "SELECT * FROM sync.positions ORDER BY consumer") == before


def test_the_day_of_a_change_of_segment_stays_while_just_its_due_day_moves(shop: Database) -> None:
    (before,) = rows(shop, "SELECT changed_at FROM customers.segment WHERE st_id = 5")
    feed(shop, "jobs", job(55, 5, done="2026-02-10T20:00:00Z"))
    derive(shop)
    assert conclude(shop, date(2026, 2, 10)) == Derived(looked=1, new=0, changed=1, total=6)
    assert segment(shop, 5) == ("Standard", "standard", date(2026, 8, 10))
    assert rows(shop, "SELECT changed_at FROM customers.segment WHERE st_id = 5") == [before]


def test_facts_of_a_customer_are_its_profile_and_segment_or_nothing(shop: Database) -> None:
    facts = derived.facts_of(shop, TENANT, 4)
    assert facts is not None
    assert set(facts) == {"st_id", "tenant_id", *COLUMNS, "segment", "rule", "due_on"}
    assert (facts["st_id"], facts["segment"], facts["last_job_date"]) == (4, "At Risk", date(2025, 8, 3))
    assert derived.facts_of(shop, TENANT, 99) is None
    assert derived.facts_of(shop, OTHER_TENANT, 4) is None


def test_a_customer_without_a_segment_yet_has_facts_all_the_same(db: Database) -> None:
    feed(db, "customers", customer(7))
    derive(db)
    facts = derived.facts_of(db, TENANT, 7)
    assert facts is not None
    assert (facts["last_name"], facts["segment"]) == ("Smith", None)


def test_profiles_stream_those_in_question_with_their_segment(shop: Database) -> None:
    with shop.connect() as connection:
        connection.execute("CREATE TEMP TABLE subject (st_id bigint PRIMARY KEY) ON COMMIT DROP")
        connection.execute("INSERT INTO subject VALUES (5), (1), (99)")
        streamed = list(outgoing.rows(connection, TENANT, "customers"))
    assert [(row["st_id"], row["segment"]) for row in streamed] == [(1, "VIP"), (5, "Standard")]
    assert set(streamed[0]) == {"subject", "key_id", "st_id", "tenant_id", *COLUMNS, "segment"}


def test_a_conclusion_that_fails_leaves_everything_to_the_next_look(shop: Database) -> None:
    feed(shop, "invoices", invoice(50, 5, "10000.00"))
    derive(shop)

    def broken(_: Any) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stored.derive_segments(shop, TENANT, TODAY, "1", CHANGED, broken)
    assert conclude(shop) == Derived(looked=1, new=0, changed=1, total=6)


def test_the_stamp_of_a_record_is_no_reason_by_itself_to_change_a_segment(shop: Database) -> None:
    feed(shop, "customers", customer(2, "2026-01-30T00:00:00Z"))
    assert STAMP < "2026-01-30T00:00:00Z"
    assert derive(shop).changed == 1
    assert conclude(shop) == Derived(looked=1, new=0, changed=0, total=6)
