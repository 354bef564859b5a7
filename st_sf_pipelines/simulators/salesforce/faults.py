"""The faults of Salesforce: rows refused and sessions ended, beside those that any server may have."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from st_sf_pipelines.simulators.faults import Fault, FaultError
from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.tables import Row


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


class SalesforceFault(Fault):
    """A fault that may refuse rows, and let the rest of a request be done."""

    DEEDS: ClassVar = {
        "status", "reset", "truncate", "garbage", "silence", "commit_then_silence", "commit_then_reset", "row_error",
        "expire_session",
    }  # fmt: skip

    def __post_init__(self) -> None:
        """Read also which rows are refused."""
        super().__post_init__()
        self.row_error = _row_error(self.do.get("row_error"))


@dataclass
class Struck:
    """What hits one request: at most one fault of the whole request, and any number that refuse rows of it."""

    whole: dict[str, Any] | None = None
    rows: list[RowError] = field(default_factory=list)


@dataclass
class Faults:
    """The faults in force, in the order in which they were given."""

    faults: list[SalesforceFault] = field(default_factory=list)

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


def _row_error(do: Any) -> RowError | None:
    if do is None:
        return None
    if not isinstance(do, dict) or "statusCode" not in do:
        raise FaultError("a row_error names its statusCode")
    message = do.get("message", "refused by a fault of the stand-in")
    return RowError(do["statusCode"], message, do.get("fields", []), do.get("when", {}), do.get("times"))
