"""The stand-in as it is started: its options and credentials, and what a test needs to arrange it and to look in."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from st_sf_pipelines.simulators.faults import load_faults
from st_sf_pipelines.simulators.salesforce.credentials import credentials_at
from st_sf_pipelines.simulators.salesforce.front import Front
from st_sf_pipelines.simulators.salesforce.org import Options, system_clock
from st_sf_pipelines.simulators.served import Served


class SalesforceSimulator(Served):
    """An org behind a free loopback port, from `with` to its end: `with SalesforceSimulator() as sf: sf.url`."""

    def __init__(
        self,
        port: int = 0,
        *,
        fresh: bool = False,
        daily_limit: int = 15_000,
        rotate_refresh_tokens: bool = False,
        faults: str | Path | list[Any] | None = None,
        clock: Callable[[], datetime] = system_clock,
    ) -> None:
        self._front = Front(Options(fresh, daily_limit, rotate_refresh_tokens, load_faults(faults), clock))
        super().__init__(self._front, port)
        self.credentials = credentials_at(self.url).as_dict()

    @property
    def counters(self) -> dict[str, Any]:
        """Return what has been called and written so far."""
        report: dict[str, Any] = self._control("GET", "counters")
        return report

    def count_anew(self) -> None:
        """Begin counting again at nothing; the daily limit is not touched."""
        self._control("DELETE", "counters")

    def records(self, name: str, *, deleted: bool = False) -> list[dict[str, Any]]:
        """Return the rows of an object, with all their fields."""
        rows: list[dict[str, Any]] = self._control("GET", f"records/{name}", query={"deleted": str(deleted).lower()})
        return rows

    def put_records(self, name: str, *records: dict[str, Any]) -> list[str]:
        """Put records in as somebody in the office would, or change those whose Id is given; return their ids."""
        ids: list[str] = self._control("POST", f"records/{name}", list(records))["ids"]
        return ids

    def merge(self, of: str, master: str, *losers: str) -> None:
        """Merge records of an object (Account, Contact, Lead) into another, as somebody in the office would."""
        self._control("POST", "merge", {"object": of, "master": master, "losers": list(losers)})

    def set_faults(self, *faults: dict[str, Any]) -> None:
        """Put these faults in the place of those in force; none clears them."""
        self._control("POST", "faults", list(faults))

    def change_field(self, action: str, of: str, name: str, **more: Any) -> None:
        """Add, remove, hide or show a field of an object; `more` is the rest of a CustomField."""
        self._control("POST", "fields", {"action": action, "object": of, "name": name, **more})

    def add_rule(self, rule: str, of: str, **more: Any) -> None:
        """Make a `validation` rule (when, message, field) or a `duplicate` rule (field) of an object."""
        self._control("POST", "rules", {"rule": rule, "object": of, **more})

    def expire_session(self, token: str | None = None) -> None:
        """Kill one access token, or all of them."""
        self._control("POST", "session/expire", {"token": token})

    def set_limit(self, daily_limit: int, *, used: int) -> None:
        """Say how many calls the org has in a day, and how many are used."""
        self._control("POST", "limit", {"daily_limit": daily_limit, "used": used})

    def reset(self) -> None:
        """Start again with an org as it was at first."""
        self._control("POST", "reset")

    def _control(self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None) -> Any:
        given = self._front.control(method, path, query or {}, body)
        if given.status >= 400:
            raise ValueError(given.body["error"])
        return given.body
