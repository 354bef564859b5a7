"""What faults have in common: how they are read, and how the requests that they hit are matched and counted."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import orjson


class FaultError(ValueError):
    """A fault that was described in a way that nobody understands."""


@dataclass
class Fault:
    """One fault: the requests that it hits, counted among those that match, and what it does to them."""

    MATCHES: ClassVar = {"path", "method", "nth", "every", "times"}
    DEEDS: ClassVar[set[str]]

    match: dict[str, Any]
    do: dict[str, Any]
    seen: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Refuse words that mean nothing, rather than let a test pass without its fault."""
        if unknown := set(self.match) - self.MATCHES:
            raise FaultError(f"unknown in a fault: {', '.join(sorted(unknown))}; a match has {sorted(self.MATCHES)}")
        if len(self.DEEDS & set(self.do)) != 1 or set(self.do) - self.DEEDS - {"body", "headers"}:
            raise FaultError(f"a fault does one of {sorted(self.DEEDS)}; beside a status may stand body and headers")

    @classmethod
    def read_all(cls, entries: Any) -> list[Self]:
        """Read a list of faults out of JSON, and say what is wrong with one that cannot be read."""
        if not isinstance(entries, list):
            raise FaultError("faults are a list")
        for entry in entries:
            if not isinstance(entry, dict) or not isinstance(entry.get("do"), dict) or set(entry) - {"match", "do"}:
                raise FaultError('a fault is {"match": {...}, "do": {...}}')
        return [cls(entry.get("match", {}), entry["do"]) for entry in entries]

    def hits(self, method: str, path: str) -> bool:
        """Count a request if it matches, and tell whether this one is hit."""
        if not self.matches(method, path):
            return False
        self.seen += 1
        return self.takes_turn()

    def matches(self, method: str, path: str) -> bool:
        """Tell whether a request is one of those that are counted."""
        return self.match.get("path", "") in path and (self.match.get("method") or method).upper() == method

    def takes_turn(self) -> bool:
        """Tell whether the request that was counted last is hit."""
        nth, every, times = (self.match.get(name) for name in ("nth", "every", "times"))
        if nth is not None:
            return bool(self.seen == nth)
        if every is not None:
            return bool(self.seen % every == 0)
        return times is None or bool(self.seen <= times)


def load_faults(faults: str | Path | list[Any] | None) -> Any:
    """Return the faults that a stand-in is started with as JSON tells them, out of the file if one is named."""
    return orjson.loads(Path(faults).read_bytes()) if isinstance(faults, str | Path) else faults or []
