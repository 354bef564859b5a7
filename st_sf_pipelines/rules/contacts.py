"""Is an email valid, and what number is a phone: read once, when a changed contact is stored (SEG-2, SEG-3)."""

import re

from email_validator import EmailNotValidError, validate_email
from phonenumbers import (
    Leniency,
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberMatcher,
    ValidationResult,
    format_number,
    is_possible_number_with_reason,
    parse,
)

# The length of Salesforce's Email fields; a longer one fails there with STRING_TOO_LONG.
_EMAIL_LENGTH = 80
# email-validator lets a test environment use .test, but no other reserved name; ours are all test data.
_RESERVED = re.compile(r"\.(?:arpa|invalid|local|localhost|onion)$", re.IGNORECASE)
# A domain with a dot and a top level of two characters or more, which Salesforce asks for.
_DOMAIN = re.compile(r"@[^@]+\.[^.@]{2,}$")
# A longer text is no phone field; the library, too, reads no number of more than 250 characters.
_PHONE_LENGTH = 250


def valid_email(value: str | None) -> str | None:
    """Give the email trimmed, its case kept, or None if it is not one that Salesforce takes (SEG-3).

    Syntax only: no DNS is asked, and reserved domains (example.com, .test, .invalid) pass. Letters beyond ASCII do
    not: Salesforce takes them only where an administrator has switched on Email Address Internationalization.
    """
    email = (value or "").strip()
    if len(email) > _EMAIL_LENGTH or not email.isascii() or not _DOMAIN.search(email):
        return None
    try:
        validate_email(
            _RESERVED.sub(".test", email),
            allow_smtputf8=False,
            check_deliverability=False,
            test_environment=True,
        )
    except EmailNotValidError:
        return None
    return email


def phone_e164(value: str | None, region: str = "US") -> str | None:
    """Give the number as +14805550142 for matching, or None if the text holds no possible number (SEG-3).

    Extensions are left out. Words around the number ('480-555-0142 (cell)') are passed over, and of two numbers
    the first counts. Seven digits are no number: without an area code it is many people's.
    """
    text = (value or "").strip()
    if not text or len(text) > _PHONE_LENGTH:
        return None
    try:
        number = parse(text, region)
    except NumberParseException:
        number = None
    if number is None or not _is_possible(number):
        found = (match.number for match in PhoneNumberMatcher(text, region, leniency=Leniency.POSSIBLE))
        number = next(filter(_is_possible, found), None)
    return None if number is None else format_number(number, PhoneNumberFormat.E164)


def _is_possible(number: PhoneNumber) -> bool:
    """Tell whether it can be dialled from anywhere: is_possible_number takes a number without its area code."""
    return is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
