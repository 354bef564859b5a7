"""One Salesforce org: its objects, its records, its rules, its users and what of its daily calls is left."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from st_sf_pipelines.simulators.salesforce import custom_fields
from st_sf_pipelines.simulators.salesforce.counters import Counters
from st_sf_pipelines.simulators.salesforce.credentials import OFFICE_USERNAME, USERNAME
from st_sf_pipelines.simulators.salesforce.cursors import Cursors
from st_sf_pipelines.simulators.salesforce.faults import Faults, SalesforceFault
from st_sf_pipelines.simulators.salesforce.ids import make
from st_sf_pipelines.simulators.salesforce.instants import written
from st_sf_pipelines.simulators.salesforce.rules import Rules
from st_sf_pipelines.simulators.salesforce.schema import Schema
from st_sf_pipelines.simulators.salesforce.sessions import Sessions
from st_sf_pipelines.simulators.salesforce.tables import Tables

INTEGRATION_USER = make("005", 1)
OFFICE_USER = make("005", 2)
PEOPLE = (
    (INTEGRATION_USER, USERNAME, "Integration", "User"),
    (OFFICE_USER, OFFICE_USERNAME, "Olive", "Office"),
    (make("005", 3), "sam.seller@stand-in.example", "Sam", "Seller"),
    (make("005", 4), "sue.seller@stand-in.example", "Sue", "Seller"),
)
LEAD_STATUSES = {
    "Open - Not Contacted": False,
    "Working - Contacted": False,
    "Closed - Converted": True,
    "Closed - Not Converted": False,
}


def system_clock() -> datetime:
    """Return the time now."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Options:
    """How an org is at its start."""

    fresh: bool = False
    daily_limit: int = 15_000
    rotate_refresh_tokens: bool = False
    faults: list[Any] = field(default_factory=list)
    clock: Callable[[], datetime] = system_clock


class Org:
    """All that the org remembers between two requests."""

    def __init__(self, options: Options) -> None:
        self._clock = options.clock
        self.schema = Schema()
        custom_fields.set_up(self.schema, fresh=options.fresh)
        self.tables = Tables(self.schema)
        self.rules = Rules()
        self.sessions = Sessions(INTEGRATION_USER, rotates=options.rotate_refresh_tokens)
        self.faults = Faults(SalesforceFault.read_all(options.faults))
        self.cursors = Cursors()
        self.counters = Counters()
        self.daily_limit = options.daily_limit
        self.api_calls = 0
        for user_id, username, first, last in PEOPLE:
            self._employ(user_id, username, first, last)
        for number, (label, is_converted) in enumerate(LEAD_STATUSES.items(), 1):
            self._offer(number, label, is_converted=is_converted)

    def now(self) -> str:
        """Return the time now as the API writes it."""
        return written(self._clock())

    def _employ(self, user_id: str, username: str, first: str, last: str) -> None:
        user = {
            "Username": username,
            "Email": username,
            "FirstName": first,
            "LastName": last,
            "Name": f"{first} {last}",
            "Alias": last.lower()[:8],
            "UserType": "Standard",
            "IsActive": True,
        }
        self._found("User", user_id, user, by=user_id)

    def _offer(self, number: int, label: str, *, is_converted: bool) -> None:
        """Offer a status for leads; the first is that of a new one."""
        status = {"MasterLabel": label, "ApiName": label, "SortOrder": number, "IsConverted": is_converted}
        self._found("LeadStatus", make("01J", number), status | {"IsDefault": number == 1}, by=INTEGRATION_USER)

    def _found(self, name: str, record_id: str, values: dict[str, Any], *, by: str) -> None:
        """Put in a record that the org has from its first day."""
        table = self.tables.of[name]
        table.made += 1
        stamps = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), self.now())
        table.put({"Id": record_id, **values, "IsDeleted": False, **stamps, "CreatedById": by, "LastModifiedById": by})
