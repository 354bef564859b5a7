"""Every error that the project raises on purpose, and whether trying again can help.

StSfError
├── ConfigError            the site file or a variable is wrong; all faults at once, nothing starts
├── StoreError             the database is not there, or not ours
├── RoundRunning           another round of this tenant is at work
├── TargetStopped          a target must not be written until a person has decided
│   ├── BudgetSpent        … or until the day's API calls are there again
│   └── MassChangeHeld     … or until a person allows a change of so many records
└── RemoteError            another system answered badly, or not at all
    ├── TransientError     try again: a limit, a lock, a timeout, a server that is down
    └── PermanentError     never try again as it is: refused, not found, not allowed
        └── CredentialsError   the other system does not know us, or no longer
"""

from __future__ import annotations

from dataclasses import dataclass, field


class StSfError(Exception):
    """The root: whatever is caught as this was foreseen and says how to mend it."""


class ConfigError(StSfError):
    """The configuration is wrong: `faults` holds a sentence for each fault, with file and line."""

    def __init__(self, faults: list[str]) -> None:
        """Take one sentence for each fault."""
        super().__init__("\n".join(faults))
        self.faults = faults


class StoreError(StSfError):
    """The database cannot be reached, started or migrated."""


class RoundRunning(StSfError):  # noqa: N818 - it names a state of affairs, not a fault
    """Another round of the same tenant holds its lock."""


class TargetStopped(StSfError):  # noqa: N818 - it names a state of affairs, not a fault
    """A target waits for a person, for example for `adopt` (SF-13)."""


class BudgetSpent(TargetStopped):
    """A target's API calls of the day are used up to the reserve (SF-8); what waits goes on by itself."""


class MassChangeHeld(TargetStopped):
    """A round would change more of a target's records than the guard lets pass unseen (CRM-15)."""


@dataclass
class RemoteError(StSfError):
    """What went wrong at another system: whose call, which path, what came back; never a secret or a value (EXT-7)."""

    system: str
    tenant: str
    endpoint: str
    cause: str
    status: int | None = None
    code: str | None = None
    trace_id: str | None = None
    fields: tuple[str, ...] = ()
    retry_after: float | None = field(default=None, compare=False)
    exhausted: bool = field(default=False, compare=False)
    """A whole series of attempts ended so: who made it on the way to another call begins no series of their own."""

    def __str__(self) -> str:
        """Say it in one line: 'servicetitan: socal: GET /crm/v2/...: the server is busy (503, trace 00-ab)'."""
        details = [str(part) for part in (self.status, self.code, self.trace_id and f"trace {self.trace_id}") if part]
        return f"{self.system}: {self.tenant}: {self.endpoint}: {self.cause}" + (
            f" ({', '.join(details)})" if details else ""
        )


class TransientError(RemoteError):
    """The same call may go through later."""


class PermanentError(RemoteError):
    """The same call will be refused again."""


class CredentialsError(PermanentError):
    """The other system refuses our credentials."""
