"""What a field takes: first whether JSON of this kind can be read into it at all, then whether its rules allow it."""

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from st_sf_pipelines.simulators.salesforce.ids import normalise
from st_sf_pipelines.simulators.salesforce.instants import read_date, read_datetime
from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.schema import Field

EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
)
TOKENS = {str: "STRING", bool: "TRUE", int: "NUMBER_INT", float: "NUMBER_FLOAT", dict: "OBJECT", list: "ARRAY"}


def deserialise(field: Field, raw: Any) -> Any:
    """Return the stored form of a JSON value; one of the wrong kind refuses the whole request that carries it."""
    if raw is None:
        return None
    value = _READERS.get(field.type, _text)(raw)
    if value is _MISFIT:
        kind = "VALUE_FALSE" if raw is False else f"VALUE_{TOKENS[type(raw)]}"
        shown = f" value {raw}" if isinstance(raw, str | int | float) else ""
        raise Refusal(
            "JSON_PARSER_ERROR",
            f"Cannot deserialize instance of {field.type} from {kind}{shown} "
            "or request may be missing a required field at [line:1, column:1]",
        )
    return value


def check(field: Field, value: Any) -> Any:
    """Return the value as it is kept; one that the field's own rules forbid refuses its row."""
    if value is None:
        if field.type == "boolean":
            raise Refusal(
                "INVALID_TYPE_ON_FIELD_IN_RECORD", f"{field.label}: value not of required type: ", [field.name]
            )
        return None
    rule = _RULES.get(field.type)
    return rule(field, value) if rule else value


_MISFIT = object()


def _text(raw: Any) -> Any:
    # Salesforce trims what it stores, and an empty text is no value.
    return (raw.strip() or None) if isinstance(raw, str) else _MISFIT


def _boolean(raw: Any) -> Any:
    return raw if isinstance(raw, bool) else _MISFIT


def _integer(raw: Any) -> Any:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or raw != int(raw):
        return _MISFIT
    return int(raw)


def _decimal(raw: Any) -> Any:
    return _MISFIT if isinstance(raw, bool) or not isinstance(raw, int | float) else float(raw)


def _date(raw: Any) -> Any:
    return (read_date(raw) or _MISFIT) if isinstance(raw, str) else _MISFIT


def _datetime(raw: Any) -> Any:
    return (read_datetime(raw) or _MISFIT) if isinstance(raw, str) else _MISFIT


_READERS: dict[str, Callable[[Any], Any]] = {
    "boolean": _boolean,
    "int": _integer,
    "double": _decimal,
    "currency": _decimal,
    "percent": _decimal,
    "date": _date,
    "datetime": _datetime,
}


def _check_text(field: Field, value: str) -> str:
    if len(value) > field.length > 0:
        message = f"{field.label}: data value too large: {value} (max length={field.length})"
        raise Refusal("STRING_TOO_LONG", message, [field.name])
    return value


def _check_email(field: Field, value: str) -> str:
    if not EMAIL.fullmatch(value):
        message = f"{field.label}: invalid email address: {value}"
        raise Refusal("INVALID_EMAIL_ADDRESS", message, [field.name])
    return _check_text(field, value)


def _check_choice(field: Field, value: str) -> str:
    if field.choices is not None and value not in field.choices:
        message = f"{field.label}: bad value for restricted picklist field: {value}"
        raise Refusal("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [field.name])
    return _check_text(field, value)


def _check_number(field: Field, value: float) -> float:
    """Round to the field's decimals, half away from zero, as a save does; too many digits before the point refuse."""
    whole_digits = field.precision - field.scale if field.precision else 18
    if abs(value) >= 10**whole_digits:
        _refuse_number(field, value)
    if value == int(value):
        return value
    step = Decimal(1).scaleb(-field.scale)
    return float(Decimal(repr(value)).quantize(step, rounding=ROUND_HALF_UP))


def _check_integer(field: Field, value: int) -> int:
    if abs(value) >= 10 ** (field.digits or 9):
        _refuse_number(field, value)
    return value


def _refuse_number(field: Field, value: float) -> None:
    message = f"{field.label}: value outside of valid range on numeric field: {value}"
    raise Refusal("NUMBER_OUTSIDE_VALID_RANGE", message, [field.name])


def _check_id(field: Field, value: str) -> str:
    full = normalise(value)
    if full is None:
        raise Refusal("MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", [field.name])
    return full


_RULES: dict[str, Callable[[Field, Any], Any]] = {
    "string": _check_text,
    "textarea": _check_text,
    "phone": _check_text,
    "url": _check_text,
    "combobox": _check_text,
    "email": _check_email,
    "picklist": _check_choice,
    "double": _check_number,
    "currency": _check_number,
    "percent": _check_number,
    "int": _check_integer,
    "reference": _check_id,
}
