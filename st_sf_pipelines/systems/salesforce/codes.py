"""What Salesforce's refusals mean: may the record be tried again, and what can a person do (SF-7)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What follows from a refusal."""

    PASSING = "passing"  # the same record may go through later
    PARKED = "parked"  # not before the record or the mapping changes, or a person asks
    FOUND = "found"  # the record is there already: find it, link it, update it
    GONE = "gone"  # a person deleted it there: listed, not made again


@dataclass(frozen=True)
class Refusal:
    """One row: Salesforce's code, what follows from it, and the mend in one sentence."""

    code: str
    kind: Kind
    mend: str


# fmt: off
REFUSALS: Final = (
    Refusal("UNABLE_TO_LOCK_ROW",                       Kind.PASSING, "Nothing to do: it is tried again."),
    Refusal("SERVER_UNAVAILABLE",                       Kind.PASSING, "Nothing to do: it is tried again."),
    Refusal("REQUEST_LIMIT_EXCEEDED",                   Kind.PASSING, "Nothing to do: it goes on when the org's daily limit allows."),  # noqa: E501
    Refusal("REQUEST_RUNNING_TOO_LONG",                 Kind.PASSING, "Nothing to do: it is tried again."),
    Refusal("QUERY_TIMEOUT",                            Kind.PASSING, "Nothing to do: it is tried again."),
    Refusal("UNKNOWN_EXCEPTION",                        Kind.PASSING, "If it stays, look for an Apex trigger or flow that fails on this record."),  # noqa: E501
    Refusal("STORAGE_LIMIT_EXCEEDED",                   Kind.PASSING, "Free data storage in the org, or buy more."),
    Refusal("DUPLICATE_VALUE",                          Kind.FOUND,   "Two records there claim the same unique value: correct one of them."),  # noqa: E501
    Refusal("DUPLICATES_DETECTED",                      Kind.FOUND,   "A duplicate rule of the org found a similar record: merge them, or set our key on the right one."),  # noqa: E501
    Refusal("TWO_CANDIDATES",                           Kind.PARKED,  "Several records there could be this customer: set our key on the right one, then `st-sf adopt --apply`; or `st-sf parked retry KEY` to make a new one."),  # noqa: E501
    Refusal("MERGED_THERE",                             Kind.PARKED,  "Salesforce merged it into another customer's record: merge the two in ServiceTitan, or restore it there and `st-sf parked retry KEY`."),  # noqa: E501
    Refusal("ENTITY_IS_DELETED",                        Kind.GONE,    "Somebody deleted it there: restore it, or `st-sf parked retry KEY` to make it anew."),  # noqa: E501
    Refusal("NOT_FOUND",                                Kind.GONE,    "It is no longer there: restore it, or `st-sf parked retry KEY` to make it anew."),  # noqa: E501
    Refusal("INVALID_CROSS_REFERENCE_KEY",              Kind.GONE,    "The record, or one it points to, is no longer there: restore it, or `st-sf parked retry KEY`."),  # noqa: E501
    Refusal("CANNOT_UPDATE_CONVERTED_LEAD",             Kind.PARKED,  "The lead was converted there: nothing goes to it any more, its contact goes on."),  # noqa: E501
    Refusal("INVALID_STATUS",                           Kind.PARKED,  "The org has no such status of a converted lead: name one in `salesforce.converted_status`."),  # noqa: E501
    Refusal("INVALID_ID_FIELD",                         Kind.PARKED,  "The contact belongs to another account there: set it right, then `st-sf parked retry`."),  # noqa: E501
    Refusal("INACTIVE_OWNER_OR_USER",                   Kind.PARKED,  "The owner is no active user: give the record another one in the org, or name one in `salesforce.owner`."),  # noqa: E501
    Refusal("TRANSFER_REQUIRES_READ",                   Kind.PARKED,  "The owner may not read this object: give him the right, or name another in `salesforce.owner`."),  # noqa: E501
    Refusal("DUPLICATE_EXTERNAL_ID",                    Kind.PARKED,  "Several records there carry this key: keep it on one of them."),  # noqa: E501
    Refusal("MALFORMED_ID",                             Kind.PARKED,  "An id is mistyped: correct it (a campaign's stands in `salesforce.campaigns`)."),  # noqa: E501
    Refusal("INVALID_TYPE_FOR_OPERATION",               Kind.PARKED,  "The org does not let the integration user make such records: grant it, or leave the object out."),  # noqa: E501
    Refusal("INVALID_TYPE",                             Kind.PARKED,  "The org has no such object, or hides it: grant it to the integration user, or leave it out."),  # noqa: E501
    Refusal("REQUIRED_FIELD_MISSING",                   Kind.PARKED,  "Fill the named field in ServiceTitan, give it a default in the org, or map a constant to it."),  # noqa: E501
    Refusal("STRING_TOO_LONG",                          Kind.PARKED,  "Shorten the value in ServiceTitan, or widen the field in the org."),  # noqa: E501
    Refusal("INVALID_EMAIL_ADDRESS",                    Kind.PARKED,  "Correct the e-mail address in ServiceTitan."),
    Refusal("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",  Kind.PARKED,  "Add the value to the picklist in the org, or map it to one that is there."),  # noqa: E501
    Refusal("FIELD_INTEGRITY_EXCEPTION",                Kind.PARKED,  "The org does not take this value (with state and country picklists: a name it does not know): correct it, or map it."),  # noqa: E501
    Refusal("FIELD_CUSTOM_VALIDATION_EXCEPTION",        Kind.PARKED,  "A validation rule of the org refuses the record: fill what it asks for, or except the integration user."),  # noqa: E501
    Refusal("NUMBER_OUTSIDE_VALID_RANGE",               Kind.PARKED,  "Widen the number field in the org."),
    Refusal("INVALID_FIELD",                            Kind.PARKED,  "The org has no such field, or hides it: create the field and grant it to the integration user, then `st-sf parked retry`."),  # noqa: E501
    Refusal("INVALID_FIELD_FOR_INSERT_UPDATE",          Kind.PARKED,  "Grant the integration user the right to edit the named field, or take it out of the map."),  # noqa: E501
    Refusal("INVALID_TYPE_ON_FIELD_IN_RECORD",          Kind.PARKED,  "The field has another type in the org than the map expects: correct one of them."),  # noqa: E501
    Refusal("JSON_PARSER_ERROR",                        Kind.PARKED,  "The field has another type in the org than the map expects: correct one of them."),  # noqa: E501
    Refusal("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",     Kind.PARKED,  "An Apex trigger of the org refuses the record: ask its administrator."),  # noqa: E501
    Refusal("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", Kind.PARKED, "Grant the integration user access to the record that this one points to."),  # noqa: E501
    Refusal("INSUFFICIENT_ACCESS_OR_READONLY",          Kind.PARKED,  "Grant the integration user the right to edit this record."),  # noqa: E501
)
# fmt: on

STRAY_CODES: Final = ("INVALID_CROSS_REFERENCE_KEY", "ENTITY_IS_DELETED", "INVALID_FIELD")
"""The codes behind which may stand that a record pointed to was deleted; the last, where it is named by its key."""
_BY_CODE: Final = {refusal.code: refusal for refusal in REFUSALS}
GONE_CODES: Final = tuple(refusal.code for refusal in REFUSALS if refusal.kind is Kind.GONE)


def kind_of(code: str | None) -> Kind:
    """Say what follows from a code; one that we do not know is parked, so that a person sees it."""
    return _BY_CODE[code].kind if code in _BY_CODE else Kind.PARKED


def mend_for(code: str | None) -> str:
    """Say what a person can do."""
    if code in _BY_CODE:
        return _BY_CODE[code].mend
    return "Look the code up in Salesforce's documentation, mend the record or the org, then `st-sf parked retry KEY`."
