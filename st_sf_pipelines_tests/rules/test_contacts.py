"""An email is valid if Salesforce would take it, and a phone is one number however it is written (SEG-3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from st_sf_pipelines.rules.contacts import phone_e164, valid_email


@pytest.mark.parametrize(
    ("value", "email"),
    [
        ("john@smith.com", "john@smith.com"),
        ("  John.Smith@Example.COM\n", "John.Smith@Example.COM"),
        ("john+pool@mail.smith.co.uk", "john+pool@mail.smith.co.uk"),
        ("pat.o'brien@smith.org", "pat.o'brien@smith.org"),
        ("john@shop.test", "john@shop.test"),
        ("john@customers.invalid", "john@customers.invalid"),
        ("john@xn--bcher-kva.de", "john@xn--bcher-kva.de"),
        (f"{'j' * 64}@{'s' * 11}.com", f"{'j' * 64}@{'s' * 11}.com"),
    ],
)
def test_a_valid_email_is_trimmed_and_keeps_its_case(value: str, email: str) -> None:
    assert valid_email(value) == email


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "  ",
        "none",
        "john",
        "john@",
        "@smith.com",
        "john@smith",
        "john@localhost",
        "john@test",
        "john@smith.c",
        "john@smith..com",
        "john@smith.com.",
        "john@-smith.com",
        "john@smi_th.com",
        "john@10.0.0.1",
        "john@[10.0.0.1]",
        "john smith@smith.com",
        "john..smith@smith.com",
        ".john@smith.com",
        '"john smith"@smith.com',
        "John <john@smith.com>",
        "john@smith.com; mary@smith.com",
        "josé@smith.com",
        "john@bücher.de",
        f"{'j' * 64}@{'s' * 12}.com",
    ],
)
def test_what_salesforce_would_refuse_is_no_email(value: str | None) -> None:
    assert valid_email(value) is None


@given(st.text() | st.emails() | st.from_regex(r"[^@]{0,5}@[^@]{0,9}\.[^@]{0,5}"))
def test_any_text_is_an_email_as_written_or_none(value: str) -> None:
    assert valid_email(value) in {None, value.strip()}


@pytest.mark.parametrize(
    "value",
    [
        "4805550142",
        "14805550142",
        "(480) 555-0142",
        "480.555.0142 x12",
        "480-555-0142 ext. 3",
        "+1 480 555 0142",
        "tel:+1-480-555-0142",
        " 480-555-0142 (cell)",
        "cell: 480-555-0142",
        "call 480-555-0142 after 5",
        "480-555-0142 / 480-555-0143",
        "480-555-0142 or Mary 480-555-0143",
        "555-0142, 480-555-0142",
    ],
)
def test_one_number_is_one_number_however_it_is_written(value: str) -> None:
    assert phone_e164(value) == "+14805550142"


@pytest.mark.parametrize("value", [None, "", " ", "n/a", "none", "123", "911", "555-0142", "480-555-01422", "1" * 300])
def test_what_cannot_be_dialled_is_no_number(value: str | None) -> None:
    assert phone_e164(value) is None


def test_letters_and_other_countries_are_understood() -> None:
    assert phone_e164("1-800-FLOWERS") == "+18003569377"
    assert phone_e164("+44 20 7946 0958") == "+442079460958"
    assert phone_e164("020 7946 0958", "GB") == "+442079460958"
    assert phone_e164("480-555-0142", "nowhere") is None


@given(
    st.text() | st.text("0123456789-+()x. /ext#;,", max_size=40),
    st.sampled_from(["US", "GB", "MX", ""]),
)
def test_any_text_is_a_number_or_none(value: str, region: str) -> None:
    number = phone_e164(value, region)
    assert number is None or (number[0] == "+" and number[1:].isascii() and number[1:].isdigit())


@given(st.integers(2_000_000_000, 9_999_999_999).map(str))
def test_a_number_is_the_same_with_and_without_dress(digits: str) -> None:
    dressed = f"({digits[:3]}) {digits[3:6]}-{digits[6:]} x5"
    assert phone_e164(digits) == phone_e164(dressed) == phone_e164(f"+1{digits}") == f"+1{digits}"
