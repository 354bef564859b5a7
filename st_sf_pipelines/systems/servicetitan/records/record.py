"""What every ServiceTitan record has, and the types of the fields that we use: a wrong one is told by name (EXT-6)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from st_sf_pipelines.rules.stamps import instant, ticks

EARLIEST, LATEST = ticks("1900-01-01T00:00:00Z"), ticks("2200-01-01T00:00:00Z")


def _stamp(value: object) -> int:
    if not isinstance(value, str):
        msg = "is not a time stamp"
        raise ValueError(msg)  # noqa: TRY004 - pydantic turns a ValueError into a fault of this field
    count = ticks(value)
    if not EARLIEST <= count <= LATEST:
        msg = "lies outside of 1900 to 2200"
        raise ValueError(msg)
    return count


def _moment(value: object) -> object:
    return None if value is None else instant(_stamp(value))


def _day(value: object) -> object:
    return None if value is None else instant(_stamp(value)).date()


def _money(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        msg = "is not an amount"
        raise ValueError(msg)  # noqa: TRY004 - as above
    return str(value)


Ticks = Annotated[int, BeforeValidator(_stamp)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]
"""A business date: it comes as midnight Z, and is not shifted into a zone."""
Id = Annotated[StrictInt, Field(ge=0, lt=2**63)]
Money = Annotated[Decimal, BeforeValidator(_money)]
Text = StrictStr | None


def folded(word: str) -> str:
    """Write a status or type without case and spaces, to compare it (SEG-1)."""
    return "".join(word.split()).lower()


def stamped_at_creation(raw: Any) -> Any:
    """Take the stamp of its creation for a record that tells no `modifiedOn`: a log, or an invoice never changed."""
    if isinstance(raw, dict) and raw.get("modifiedOn") is None and "createdOn" in raw:
        return {**raw, "modifiedOn": raw["createdOn"]}
    return raw


class Record(BaseModel):
    """What every record has: an id, the stamp of its last change, whether it is active, and when it was created."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    COLUMNS: ClassVar[tuple[str, ...]] = ()
    STAMP: ClassVar[str] = "modifiedOn"

    id: Id
    modifiedOn: Ticks
    active: StrictBool = True
    createdOn: Moment | None = None

    def columns(self) -> tuple[Any, ...]:
        """Give the values of COLUMNS, in their order."""
        return ()


class Reference(BaseModel):
    """Another record that this one names, by its id."""

    id: Id


class Named(BaseModel):
    """A status or category that comes as an object; its name is what we use."""

    name: StrictStr


class Address(BaseModel):
    """A place; nothing in it is required of us."""

    street: Text = None
    unit: Text = None
    city: Text = None
    state: Text = None
    zip: Text = None
    country: Text = None

    COLUMNS: ClassVar[tuple[str, ...]] = ("street", "unit", "city", "state", "zip", "country")

    def columns(self) -> tuple[Text, ...]:
        """Give the values of COLUMNS, in their order."""
        return self.street, self.unit, self.city, self.state, self.zip, self.country
