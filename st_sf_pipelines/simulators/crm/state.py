"""All that the stand-in holds: documents, events, faults, what was counted, and the pool that may lock up."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from st_sf_pipelines.simulators.crm.collections import COLLECTIONS
from st_sf_pipelines.simulators.crm.documents import Documents, system_clock
from st_sf_pipelines.simulators.crm.faults import CrmFault


@dataclass(frozen=True)
class Options:
    """How the stand-in was started; `pool` is how many database connections the CRM has."""

    text_ids: bool = False
    pool: int = 10
    hang_seconds: float = 3.0
    faults: list[Any] = field(default_factory=list)
    clock: Callable[[], datetime] = system_clock


class State:
    """A CRM as it stands at first: one user, and nothing else."""

    def __init__(self, options: Options) -> None:
        """Start with the user whose key the clients have."""
        self.options = options
        self.documents = Documents(text_ids=options.text_ids, clock=options.clock)
        self.documents.create(COLLECTIONS["users"], {"name": "Sync", "email": "sync@example.com"})
        self.events: list[Any] = []
        self.faults = CrmFault.read_all(options.faults)
        self.calls: Counter[tuple[str, str, str]] = Counter()
        self.in_flight = self.most_in_flight = self.locking = self.lock_ups = 0

    def report(self) -> dict[str, Any]:
        """Tell what was called and written so far; no value of any document is in it."""
        calls = [
            {"method": method, "path": path, "status": status, "count": count}
            for (method, path, status), count in sorted(self.calls.items())
        ]
        return {
            "requests": self.calls.total(),
            "calls": calls,
            "rows": {slug: dict(counts) for slug, counts in self.documents.written.items() if counts},
            "most_in_flight": self.most_in_flight,
            "lock_ups": self.lock_ups,
        }

    def count_anew(self) -> None:
        """Begin counting again at nothing."""
        self.calls.clear()
        for counts in self.documents.written.values():
            counts.clear()
        self.most_in_flight = self.lock_ups = 0
