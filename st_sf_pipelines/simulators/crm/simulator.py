"""The stand-in as it is started: its options and credentials, and what a test needs to arrange it and to look in."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from st_sf_pipelines.simulators.crm.documents import system_clock
from st_sf_pipelines.simulators.crm.front import Front
from st_sf_pipelines.simulators.crm.rest import API_KEY, WEBHOOK_SECRET
from st_sf_pipelines.simulators.crm.state import Options
from st_sf_pipelines.simulators.faults import load_faults
from st_sf_pipelines.simulators.served import Served


class CrmSimulator(Served):
    """A CRM behind a free loopback port, from `with` to its end: `with CrmSimulator() as crm: crm.url`."""

    def __init__(
        self,
        port: int = 0,
        *,
        text_ids: bool = False,
        pool: int = 10,
        hang_seconds: float = 3.0,
        faults: str | Path | list[Any] | None = None,
        clock: Callable[[], datetime] = system_clock,
    ) -> None:
        """`pool` and `hang_seconds` shape the lock-up of PATCHes that do not override locks."""
        self._front = Front(Options(text_ids, pool, hang_seconds, load_faults(faults), clock))
        super().__init__(self._front, port)
        self.credentials = {
            "system": "crm",
            "url": self.url,
            "api_url": self.url,
            "api_key": API_KEY,
            "webhook_secret": WEBHOOK_SECRET,
        }

    @property
    def counters(self) -> dict[str, Any]:
        """Return what has been called and written so far."""
        report: dict[str, Any] = self._control("GET", "counters")
        return report

    def count_anew(self) -> None:
        """Begin counting again at nothing."""
        self._control("DELETE", "counters")

    @property
    def events(self) -> list[Any]:
        """Return what the webhook received."""
        events: list[Any] = self._control("GET", "events")
        return events

    def records(self, slug: str) -> list[dict[str, Any]]:
        """Return the documents of a collection, in the order in which they were made."""
        documents: list[dict[str, Any]] = self._control("GET", f"records/{slug}")
        return documents

    def put_records(self, slug: str, *records: dict[str, Any]) -> list[int | str]:
        """Put documents in as a person would, or change those whose id is given; return their ids."""
        ids: list[int | str] = self._control("POST", f"records/{slug}", list(records))["ids"]
        return ids

    def delete_record(self, slug: str, document_id: int | str) -> None:
        """Delete a document as a person would."""
        self._control("DELETE", f"records/{slug}/{document_id}")

    def set_faults(self, *faults: dict[str, Any]) -> None:
        """Put these faults in the place of those in force; none clears them."""
        self._control("POST", "faults", list(faults))

    def reset(self) -> None:
        """Start again with a CRM as it was at first."""
        self._control("POST", "reset")

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        given = self._front.control(method, path, body)
        if given.status >= 400:
            raise ValueError(given.body["error"])
        return given.body
