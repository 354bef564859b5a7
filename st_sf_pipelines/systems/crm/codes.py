"""What a refusal of the CRM means: what becomes of the record, and what can a person do (SF-7).

Payload answers no codes. Ours are made of the status, of the paths of the refused fields, and of what was sent there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from st_sf_pipelines.ports import Outcome


@dataclass(frozen=True)
class Refusal:
    """One row: our code, what becomes of the record, and the mend in one sentence."""

    code: str
    outcome: Outcome
    mend: str


# fmt: off
REFUSALS: Final = (
    Refusal("SERVER_ERROR",       Outcome.PASSING, "It is tried again; if it stays, a hook of the CRM fails on this record, or it points to one that was deleted: look into the CRM's log."),  # noqa: E501
    Refusal("NO_ANSWER",          Outcome.PASSING, "Nothing to do: it is looked for, and tried again."),
    Refusal("NOT_FOUND",          Outcome.GONE,    "Somebody deleted it there: `st-sf parked retry KEY` makes it anew."),  # noqa: E501
    Refusal("REQUIRED_FIELD",     Outcome.REFUSED, "Fill the named field in ServiceTitan, map a constant to it, or give it a default in the CRM."),  # noqa: E501
    Refusal("INVALID_VALUE",      Outcome.REFUSED, "The CRM does not take the value of the named field: correct it in ServiceTitan, map it to a choice that is there, or, where the field is unique, free it in the record that has it."),  # noqa: E501
    Refusal("INVALID_REFERENCE",  Outcome.REFUSED, "The record that the named field points to is not in the CRM (any longer): run `st-sf setup --apply` for a pipeline or stage, `st-sf parked retry KEY` for a contact, then for this one."),  # noqa: E501
    Refusal("KEY_TAKEN",          Outcome.REFUSED, "Another record there carries our key: clear it there, or delete that record, then `st-sf parked retry KEY`."),  # noqa: E501
    Refusal("TWO_CANDIDATES",     Outcome.REFUSED, "Several records there could be this one: set our key on the right one, or correct the e-mail address, then `st-sf parked retry KEY`."),  # noqa: E501
    Refusal("HANDED_OVER",        Outcome.REFUSED, "The lead became a customer that has a contact of its own there: merge the two by hand and delete this one, then `st-sf parked retry KEY` takes it off the list."),  # noqa: E501
    Refusal("BAD_REQUEST",        Outcome.REFUSED, "The CRM does not take the record, and names no field: look into its log, mend the record or the map, then `st-sf parked retry KEY`."),  # noqa: E501
)
# fmt: on

GONE_CODES: Final = tuple(refusal.code for refusal in REFUSALS if refusal.outcome is Outcome.GONE)
STRAY_CODES: Final = ("INVALID_REFERENCE", "SERVER_ERROR")
"""The codes behind which may stand that a record pointed to was deleted; a Payload of numeric ids just fails then."""
_BY_CODE: Final = {refusal.code: refusal for refusal in REFUSALS}


def outcome_of(code: str) -> Outcome:
    """Say what becomes of a record that is refused with this code."""
    return _BY_CODE[code].outcome


def mend_for(code: str | None) -> str:
    """Say what a person can do."""
    if code in _BY_CODE:
        return _BY_CODE[code].mend
    return "Look into the CRM's log, mend the record or the map, then `st-sf parked retry KEY`."
