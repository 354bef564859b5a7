"""Who the customers are: names, companies, addresses, phones and emails as people type them."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from . import words

if TYPE_CHECKING:
    from .draw import Draw

CitiesOf = tuple[tuple[str, str, int, int], ...]


def cities_for(timezone: str) -> CitiesOf:
    """Give the cities that a shop in this time zone serves."""
    return {"America/Chicago": words.TEXAS, "America/Phoenix": words.ARIZONA}.get(timezone, words.CALIFORNIA)


def person_name(draw: Draw) -> str:
    """Give a person's name in one of the many ways an office types it."""
    way = draw.pick(words.NAME_WAYS)
    return "".join([part if isinstance(part, str) else draw.pick(part) for part in way])


def name(draw: Draw, commercial: int) -> str:
    """Give a company's name or a person's."""
    return company_name(draw) if commercial else person_name(draw)


def company_name(draw: Draw) -> str:
    """Give a company's name."""
    trade, form = draw.pick(words.COMPANY_TRADES), draw.pick(words.COMPANY_FORMS)
    return f"{draw.pick(words.COMPANY_NAMES)} {trade}{form}"


def address(draw: Draw, cities: CitiesOf) -> dict[str, Any]:
    """Give a US street address in one of the cities."""
    city, state, zip_code, _area = draw.pick(cities)
    street = f"{100 + draw.below(18_900)} {draw.pick(words.STREET_NAMES)} {draw.pick(words.STREET_KINDS)}"
    return {
        "street": street,
        "unit": draw.pick(words.UNITS) if draw.below(8) == 0 else None,
        "city": city,
        "state": state,
        "zip": str(zip_code + draw.below(20)),
        "country": "USA",
        "latitude": None,
        "longitude": None,
    }


def phone(draw: Draw, cities: CitiesOf) -> str:
    """Give a phone number that rings nowhere (exchange 555), written in one of four ways."""
    area, line, way = draw.pick(cities)[3], draw.below(10_000), draw.below(10)
    if way < 6:
        return f"{area}555{line:04}"
    if way < 8:
        return f"({area}) 555-{line:04}"
    if way < 9:
        return f"+1 {area} 555 {line:04}"
    return f"{area}-555-{line:04} x{1 + draw.below(99)}"


def email(draw: Draw, name: str) -> str:
    """Give an email at a host that exists nowhere; about one in thirty is no email at all."""
    if draw.below(30) == 0:
        return draw.pick(words.BAD_MAILS)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    letters = ["".join(sign for sign in part if sign.isalpha()) for part in plain.split()]
    local = ".".join(part for part in letters if part) or "customer"
    written = f"{local}{draw.below(100_000)}@{draw.pick(words.MAIL_HOSTS)}"
    return written if draw.below(6) == 0 else written.lower()
