"""What is made to go wrong: which requests are hit, and what happens to them instead of an answer."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import orjson

from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.tables import Row

MATCH_KEYS = {"path", "method", "nth", "every", "times"}
ACTIONS = {
    "status", "reset", "truncate", "garbage", "silence", "commit_then_silence", "commit_then_reset", "row_error",
    "expire_session",
}  # fmt: skip


class FaultError(ValueError):
    """A fault that was described in a way that nobody understands."""


@dataclass
class RowError:
    """Refuses rows of a request, those with certain values if it says so, a number of times if it says so."""

    code: str
    message: str
    fields: list[str]
    when: dict[str, Any]
    times: int | None

    def __call__(self, values: Row) -> None:
        """Refuse the row with these values, if it is one of those meant."""
        if self.times == 0 or any(values.get(name) != value for name, value in self.when.items()):
            return
        if self.times is not None:
            self.times -= 1
        raise Refusal(self.code, self.message, self.fields)


@dataclass
class Fault:
    """One fault: the requests that it hits, counted among those that match, and what it does to them."""

    do: dict[str, Any]
    path: str = ""
    method: str = ""
    nth: int | None = None
    every: int | None = None
    times: int | None = None
    seen: int = 0
    row_error: RowError | None = None

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
            raise FaultError(f"a fault does one of {sorted(ACTIONS)}; beside status may stand body and headers")
        return cls(do=do, row_error=_row_error(do.get("row_error")), **match)

    def hits(self, method: str, path: str) -> bool:
        """Count a request if it matches, and tell whether this one is hit."""
        if self.path not in path or (self.method and self.method.upper() != method):
            return False
        self.seen += 1
        if self.nth is not None:
            return self.seen == self.nth
        if self.every is not None:
            return self.seen % self.every == 0
        return self.times is None or self.seen <= self.times


@dataclass
class Struck:
    """What hits one request: at most one fault of the whole request, and any number that refuse rows of it."""

    whole: dict[str, Any] | None = None
    rows: list[RowError] = field(default_factory=list)


@dataclass
class Faults:
    """The faults in force, in the order in which they were given."""

    faults: list[Fault] = field(default_factory=list)

    def strike(self, method: str, path: str) -> Struck:
        """Return what hits this request; the first fault of the whole request wins."""
        struck = Struck()
        for fault in self.faults:
            if not fault.hits(method, path):
                continue
            if fault.row_error is not None:
                struck.rows.append(fault.row_error)
            elif struck.whole is None:
                struck.whole = fault.do
        return struck

    def strike_rows(self, method: str, path: str) -> list[RowError]:
        """Return the faults that refuse rows of a request inside a composite one."""
        row_faults = (fault for fault in self.faults if fault.row_error is not None)
        return [fault.row_error for fault in row_faults if fault.row_error and fault.hits(method, path)]


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


def _row_error(do: Any) -> RowError | None:
    if do is None:
        return None
    if not isinstance(do, dict) or "statusCode" not in do:
        raise FaultError("a row_error names its statusCode")
    message = do.get("message", "refused by a fault of the stand-in")
    return RowError(do["statusCode"], message, do.get("fields", []), do.get("when", {}), do.get("times"))
