"""One Salesforce org: its objects, its records, its rules, its users and what of its daily calls is left."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from st_sf_pipelines.simulators.salesforce import custom_fields
from st_sf_pipelines.simulators.salesforce.counters import Counters
from st_sf_pipelines.simulators.salesforce.credentials import OFFICE_USERNAME, USERNAME
from st_sf_pipelines.simulators.salesforce.cursors import Cursors
from st_sf_pipelines.simulators.salesforce.faults import Faults, read_faults
from st_sf_pipelines.simulators.salesforce.ids import make
from st_sf_pipelines.simulators.salesforce.instants import written
from st_sf_pipelines.simulators.salesforce.rules import Rules
from st_sf_pipelines.simulators.salesforce.schema import Schema
from st_sf_pipelines.simulators.salesforce.sessions import Sessions
from st_sf_pipelines.simulators.salesforce.tables import Tables

INTEGRATION_USER = make("005", 1)
OFFICE_USER = make("005", 2)


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
        self.faults = Faults(read_faults(options.faults))
        self.cursors = Cursors()
        self.counters = Counters()
        self.daily_limit = options.daily_limit
        self.api_calls = 0
        self._employ(INTEGRATION_USER, USERNAME, "Integration", "User")
        self._employ(OFFICE_USER, OFFICE_USERNAME, "Olive", "Office")

    def now(self) -> str:
        """Return the time now as the API writes it."""
        return written(self._clock())

    def _employ(self, user_id: str, username: str, first: str, last: str) -> None:
        now = self.now()
        users = self.tables.of["User"]
        users.made += 1
        users.put(
            {
                "Id": user_id,
                "Username": username,
                "Email": username,
                "FirstName": first,
                "LastName": last,
                "Name": f"{first} {last}",
                "Alias": last.lower()[:8],
                "UserType": "Standard",
                "IsActive": True,
                "IsDeleted": False,
                "CreatedDate": now,
                "LastModifiedDate": now,
                "SystemModstamp": now,
                "CreatedById": user_id,
                "LastModifiedById": user_id,
            }
        )
