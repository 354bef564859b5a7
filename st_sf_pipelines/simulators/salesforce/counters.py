"""What the stand-in has been asked and what came of it, for tests that count calls and writes."""

from collections import Counter
from typing import Any


class Counters:
    """Counts of calls, by method, resource and status; no value of any record is in them."""

    def __init__(self) -> None:
        self._calls: Counter[tuple[str, str, str]] = Counter()
        self.auto_assign: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def called(self, method: str, resource: str, status: int | str) -> None:
        """Count one request and its status, or the word for what a fault made of it."""
        self._calls[method, resource, str(status)] += 1

    def report(self, api_calls: int, written: dict[str, Counter[str]]) -> dict[str, Any]:
        """Return everything counted so far as JSON; `updated` includes the writes that changed nothing."""
        calls = [
            {"method": method, "path": resource, "status": status, "count": count}
            for (method, resource, status), count in sorted(self._calls.items())
        ]
        return {
            "requests": self._calls.total(),
            "api_calls": api_calls,
            "calls": calls,
            "rows": {name: self._rows(name, outcomes) for name, outcomes in written.items()},
            "auto_assign": dict(self.auto_assign),
        }

    def _rows(self, name: str, outcomes: Counter[str]) -> dict[str, int]:
        updated = outcomes["updated"] + outcomes["unchanged"]
        return {
            "written": outcomes["created"] + updated + outcomes["deleted"],
            "created": outcomes["created"],
            "updated": updated,
            "unchanged": outcomes["unchanged"],
            "deleted": outcomes["deleted"],
            "refused": self.refused[name],
        }
