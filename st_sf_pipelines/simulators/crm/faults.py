"""What is made to go wrong: which requests are hit, and what happens to them instead of an answer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

MATCH_KEYS = {"path", "method", "nth", "every", "times"}
ACTIONS = {
    "status", "reset", "truncate", "garbage", "silence", "commit_then_silence", "commit_then_reset",
    "commit_then_status", "row_error",
}  # fmt: skip


class FaultError(ValueError):
    """A fault that was described in a way that nobody understands."""


@dataclass
class Fault:
    """One fault: the requests that it hits, counted among those that match, and what it does to them.

    A `row_error` names the `path` of the field that is refused, and hits just the bodies that hold what `when` says.
    """

    do: dict[str, Any]
    path: str = ""
    method: str = ""
    nth: int | None = None
    every: int | None = None
    times: int | None = None
    seen: int = 0

    @classmethod
    def read(cls, entry: Any) -> Self:
        """Read a fault out of JSON, and say what is wrong with one that cannot be read."""
        if not isinstance(entry, dict) or not isinstance(entry.get("do"), dict):
            raise FaultError('a fault is {"match": {...}, "do": {...}}')
        match, do = entry.get("match", {}), entry["do"]
        unknown = (set(match) - MATCH_KEYS) | (set(entry) - {"match", "do"})
        if unknown:
            raise FaultError(f"unknown in a fault: {', '.join(sorted(unknown))}; a match has {sorted(MATCH_KEYS)}")
        if len(ACTIONS & set(do)) != 1 or set(do) - ACTIONS - {"body", "headers"}:
            raise FaultError(f"a fault does one of {sorted(ACTIONS)}; beside a status may stand body and headers")
        if "row_error" in do and "path" not in do["row_error"]:
            raise FaultError("a row_error names the path of the field that is refused")
        return cls(do=do, **match)

    def hits(self, method: str, path: str, content: bytes) -> bool:
        """Count a request if it matches, and tell whether this one is hit."""
        if self.path not in path or (self.method and self.method.upper() != method):
            return False
        if "row_error" in self.do and not _holds(content, self.do["row_error"].get("when", {})):
            return False
        self.seen += 1
        if self.nth is not None:
            return self.seen == self.nth
        if self.every is not None:
            return self.seen % self.every == 0
        return self.times is None or self.seen <= self.times


def _holds(content: bytes, when: dict[str, Any]) -> bool:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    return isinstance(body, dict) and all(body.get(name) == value for name, value in when.items())


def read_faults(entries: Any) -> list[Fault]:
    """Read a list of faults out of JSON."""
    if not isinstance(entries, list):
        raise FaultError("faults are a list")
    return [Fault.read(entry) for entry in entries]


def load_faults(path: str | Path) -> list[Any]:
    """Return the faults of a file, once they are known to be readable."""
    entries: list[Any] = orjson.loads(Path(path).read_bytes())
    read_faults(entries)
    return entries


def strike(faults: list[Fault], method: str, path: str, content: bytes) -> dict[str, Any]:
    """Return what hits this request: the first fault that does."""
    hit = [fault.do for fault in faults if fault.hits(method, path, content)]
    return hit[0] if hit else {}
