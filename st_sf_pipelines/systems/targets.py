"""The systems that are written to, one row each: its section of a tenant, its objects, its client, its words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.ports import Closing
from st_sf_pipelines.systems.crm import codes as crm_codes
from st_sf_pipelines.systems.crm import objects as crm
from st_sf_pipelines.systems.crm.client import CrmClient
from st_sf_pipelines.systems.salesforce import codes as salesforce_codes
from st_sf_pipelines.systems.salesforce import objects as salesforce
from st_sf_pipelines.systems.salesforce.client import SalesforceClient
from st_sf_pipelines.systems.salesforce.deals import DEALS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from st_sf_pipelines.config import Tenant
    from st_sf_pipelines.mapping import ObjectMap
    from st_sf_pipelines.ports import Destination, ReadBack, Taken

EVENTS_BEFORE: Final = timedelta(days=90)
"""Jobs that were completed so long before the first round still become events (SF-3)."""

SALES: Final = (*salesforce.OBJECTS, *DEALS)


@dataclass(frozen=True)
class System:
    """One row: a system that records are materialized into, and what its destination needs.

    `objects` are the maps as they are in code, parents first; `objects_of` gives those in force for a section of the
    site file, and `closing` the fields by which a record there is over, and whose it is (CRM-15). `mend_for` says what
    a person can do about a refusal's code, and `gone_codes` which of them mean that the record was deleted there;
    `values` are what the statements of store/outgoing.py ask of the section, at a round's moment; `read_back` what its
    people set there.
    """

    name: str
    says: str
    objects: tuple[ObjectMap, ...]
    objects_of: Callable[[Any], tuple[ObjectMap, ...]]
    key_format: Callable[[Any], str]
    connect: Callable[[Tenant, Taken], Destination]
    closing: Callable[[Any], Closing]
    mend_for: Callable[[str | None], str]
    gone_codes: tuple[str, ...]
    values: Callable[[Any, datetime], dict[str, Any]] = lambda *_: {}
    read_back: Callable[[Any], ReadBack] | None = None

    def section(self, tenant: Tenant) -> Any:
        """Give the tenant's section of this system; None if it has no such target."""
        return getattr(tenant, self.name)

    def maps(self, tenant: Tenant) -> tuple[ObjectMap, ...]:
        """Give the maps in force for a tenant, parents first; none if it has no such target."""
        section = self.section(tenant)
        return () if section is None else self.objects_of(section)

    def key(self, tenant: Tenant) -> str:
        """Give the format of the keys that a tenant's records carry there."""
        return self.key_format(self.section(tenant))


SYSTEMS: Final = (
    System(
        "salesforce",
        "Salesforce itself: the org that sales people work in.",
        objects=SALES,
        objects_of=lambda section: salesforce.objects_of(section, SALES),
        key_format=lambda section: str(section.external_id),
        connect=lambda tenant, _: SalesforceClient(tenant),
        mend_for=salesforce_codes.mend_for,
        gone_codes=salesforce_codes.GONE_CODES,
        closing=lambda _: Closing(("StageName",), ("Closed Won", "Closed Lost"), ("OwnerId",)),
        values=lambda section, as_of: {
            "campaigns": section.campaigns,
            "events_since": section.events_since or as_of - EVENTS_BEFORE,
        },
    ),
    System(
        "crm",
        "The CRM itself: the Payload CMS in which deals are worked.",
        objects=crm.OBJECTS,
        objects_of=crm.objects_of,
        key_format=lambda _: "{id}",
        connect=CrmClient,
        mend_for=crm_codes.mend_for,
        gone_codes=crm_codes.GONE_CODES,
        closing=crm.closing,
        read_back=crm.read_back,
    ),
)

SYSTEM: Final = {system.name: system for system in SYSTEMS}


def system_of(asset: str) -> System:
    """Give the system that an asset is written to: its name stands before the slash."""
    return SYSTEM[asset.partition("/")[0]]
