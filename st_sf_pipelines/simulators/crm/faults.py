"""The faults of the CRM: documents refused by what they hold, beside those that any server may have."""

from typing import Any, ClassVar

import orjson

from st_sf_pipelines.simulators.faults import Fault, FaultError


class CrmFault(Fault):
    """A fault whose `row_error` names the `path` of the field refused, and hits only bodies with what `when` says."""

    DEEDS: ClassVar = {
        "status", "reset", "truncate", "garbage", "silence", "commit_then_silence", "commit_then_reset",
        "commit_then_status", "row_error",
    }  # fmt: skip

    def __post_init__(self) -> None:
        """Refuse also a row error that names no field."""
        super().__post_init__()
        if "row_error" in self.do and "path" not in self.do["row_error"]:
            raise FaultError("a row_error names the path of the field that is refused")

    def concerns(self, content: bytes) -> bool:
        """Tell whether a body is one of those that are hit."""
        if "row_error" not in self.do:
            return True
        try:
            body = orjson.loads(content)
        except orjson.JSONDecodeError:
            return False
        when = self.do["row_error"].get("when", {})
        return isinstance(body, dict) and all(body.get(name) == value for name, value in when.items())


def strike(faults: list[CrmFault], method: str, path: str, content: bytes) -> dict[str, Any]:
    """Return what hits this request: the first fault that does."""
    hit = [fault.do for fault in faults if fault.concerns(content) and fault.hits(method, path)]
    return hit[0] if hit else {}
