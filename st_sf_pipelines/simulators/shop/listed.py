"""The short lists of a shop's settings: what jobs are called, who works there, where customers come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import people, words
from .draw import Draw
from .rows import ListedRow
from .shapes_of_settings import (
    BUSINESS_UNIT,
    CAMPAIGN,
    EMPLOYEE,
    JOB_CANCEL_REASON,
    JOB_TYPE,
    TAG_TYPE,
    TECHNICIAN,
)
from .stamps import TICKS_A_DAY, written

if TYPE_CHECKING:
    from .calendar import Calendar
    from .columns import Rows
    from .records import Records
    from .table import Record

UNITS = tuple(words.WORK)
JOB_TYPES = tuple((place, name) for place, unit in enumerate(UNITS) for name in words.WORK[unit])
FIRST_TYPE = tuple(next(i for i, (place, _) in enumerate(JOB_TYPES) if place == unit) for unit in range(len(UNITS)))

# fmt: off
LENGTHS = {
    "business_units": len(UNITS), "job_types": len(JOB_TYPES), "job_cancel_reasons": len(words.CANCEL_REASONS),
    "campaigns": len(words.CAMPAIGNS), "technicians": words.TECHNICIANS, "employees": len(words.ROLES),
    "tag_types": len(words.TAGS),
}
GONE = {"campaigns": -1, "technicians": -1, "employees": -1, "job_types": -1}
"""The last of each of these lists is no longer in use."""
# fmt: on


def fill(records: Records, calendar: Calendar) -> None:
    """Write the short lists; all of them are older than the first customer but one."""
    for entity, length in LENGTHS.items():
        rows: Rows[ListedRow] = records.listed[entity]
        for place in range(length):
            day = calendar.bulk_edits[0] - (length - place) * TICKS_A_DAY
            gone = entity in GONE and place == length - 1
            rows.append(ListedRow(place, day, calendar.bulk_edits[1] if gone else day, int(not gone)))


def _base(records: Records, entity: str, number: int) -> tuple[ListedRow, Record]:
    row = records.listed[entity][number]
    return row, {
        "id": records.id_of(entity, number),
        "active": bool(row.active),
        "createdOn": written(row.created),
        "modifiedOn": written(row.modified),
    }


def business_unit(records: Records, number: int) -> Record:
    """Give a business unit."""
    row, base = _base(records, "business_units", number)
    name = UNITS[row.place]
    return {
        **BUSINESS_UNIT,
        **base,
        "name": name,
        "officialName": f"{records.tenant_name} {name}",
        "trade": {"id": 700 + number // 3, "name": name.split(" - ")[0]},
        "tenant": {"id": records.tenant_id, "name": records.tenant_name, "modifiedOn": base["modifiedOn"]},
    }


def job_type(records: Records, number: int) -> Record:
    """Give a job type; each belongs to one business unit."""
    row, base = _base(records, "job_types", number)
    unit, name = JOB_TYPES[row.place]
    sells = "Sales" in UNITS[unit]
    return {
        **JOB_TYPE,
        **base,
        "name": name,
        "businessUnitIds": [records.id_of("business_units", unit)],
        "duration": 14_400 if "Install" in UNITS[unit] else 5_400,
        "class": UNITS[unit].split(" - ")[1],
        "noCharge": sells,
    }


def job_cancel_reason(records: Records, number: int) -> Record:
    """Give a reason to cancel a job."""
    row, base = _base(records, "job_cancel_reasons", number)
    return {**JOB_CANCEL_REASON, **base, "name": words.CANCEL_REASONS[row.place]}


def campaign(records: Records, number: int) -> Record:
    """Give a campaign."""
    row, base = _base(records, "campaigns", number)
    name, category = words.CAMPAIGNS[row.place]
    return {
        **CAMPAIGN,
        **base,
        "name": name,
        "category": {"id": 900 + words.CATEGORIES.index(category), "name": category, "active": True},
        "isDefaultCampaign": row.place == 0,
        "campaignPhoneNumbers": [f"800555{number:04}"],
    }


def technician_name(number: int) -> tuple[str, str]:
    """Give a technician's first and last name."""
    draw = Draw(1_000 + number)
    return draw.pick(words.FIRST_NAMES), draw.pick(words.LAST_NAMES)


def technician(records: Records, number: int) -> Record:
    """Give a technician."""
    row, base = _base(records, "technicians", number)
    first, last = technician_name(number + 100 * records.place)
    login = f"{first}.{last}".lower().replace(" ", "").replace("'", "")
    return {
        **TECHNICIAN,
        **base,
        "userId": base["id"] + 1,
        "name": f"{first} {last}",
        "firstName": first,
        "lastName": last,
        "email": f"{login}@{records.tenant_name}.example.com",
        "loginName": login,
        "businessUnitId": records.id_of("business_units", row.place % len(UNITS)),
        "dailyGoal": 1_500.0,
        "phoneNumber": people.phone(Draw(number), records.cities),
    }


def employee(records: Records, number: int) -> Record:
    """Give somebody of the office."""
    row, base = _base(records, "employees", number)
    first, last = technician_name(50 + number + 100 * records.place)
    login = f"{first}.{last}".lower().replace(" ", "").replace("'", "")
    return {
        **EMPLOYEE,
        **base,
        "userId": base["id"] + 1,
        "name": f"{first} {last}",
        "firstName": first,
        "lastName": last,
        "role": words.ROLES[row.place],
        "email": f"{login}@{records.tenant_name}.example.com",
        "loginName": login,
        "phoneNumber": people.phone(Draw(50 + number), records.cities),
    }


def tag_type(records: Records, number: int) -> Record:
    """Give a tag type."""
    row, base = _base(records, "tag_types", number)
    name = words.TAGS[row.place]
    return {**TAG_TYPE, **base, "name": name, "code": name[:2].upper()}
