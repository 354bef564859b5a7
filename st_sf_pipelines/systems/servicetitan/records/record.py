"""What every ServiceTitan record has, and the types of the fields that we use: a wrong one is told by name (EXT-6)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from msgspec import Meta, Struct, ValidationError, convert
from msgspec.structs import fields

from st_sf_pipelines.rules.stamps import instant, ticks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

EARLIEST, LATEST = ticks("1900-01-01T00:00:00Z"), ticks("2200-01-01T00:00:00Z")
LARGEST_AMOUNT: Final = 15
"""An amount has no more digits before its point: so the cents of many add up within eight bytes."""

LONGEST_AMOUNT: Final = 100
"""Nor has it more signs, or zeros behind its point: what goes on beyond is no number to the database."""


class Ticks(int):
    """A time stamp, in ticks of 100 ns since 1970."""

    @classmethod
    def read(cls, value: object) -> Self:
        """Read an ISO stamp; raise ValueError if it is none, or no year of ours."""
        return cls(_count(value))


class Moment(datetime):
    """An instant, cut to the microsecond."""

    @classmethod
    def read(cls, value: object) -> Moment:
        """Read an ISO stamp; raise ValueError if it is none, or no year of ours."""
        return _EPOCH + timedelta(0, 0, _count(value) // 10)


_EPOCH: Final = Moment(1970, 1, 1, tzinfo=UTC)


class Day(date):
    """A business date: it comes as midnight Z, and is not shifted into a zone."""

    @classmethod
    def read(cls, value: object) -> Self:
        """Read the day of an ISO stamp; raise ValueError if it is none, or no year of ours."""
        return cls.fromordinal(instant(_count(value)).toordinal())


class Money(Decimal):
    """An amount, as a number or as text."""

    @classmethod
    def read(cls, value: object) -> Self:
        """Read an amount without a detour by binary fractions; raise ValueError if it is none, or too large."""
        text = str(value)
        if isinstance(value, int | float | str) and not isinstance(value, bool) and len(text) < LONGEST_AMOUNT:
            try:
                amount = cls(text)
            except InvalidOperation:
                pass
            else:
                if amount.is_finite() and -LONGEST_AMOUNT < amount.adjusted() < LARGEST_AMOUNT:
                    return amount
        raise ValueError("is not an amount of less than 1e15")


Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Text = str | None


def folded(word: str) -> str:
    """Write a status or type without case and spaces, to compare it (SEG-1)."""
    return "".join(word.split()).lower()


class Shape(Struct, gc=False):
    """An object of the API: strict in the fields that are named, blind to all others."""


class Record(Shape, kw_only=True):
    """What every record has: an id, the stamp of its last change, whether it is active, and when it was created.

    One `STAMPED_AT_CREATION` takes that stamp if it tells no `modifiedOn`: a log, or an invoice that never changed.
    """

    COLUMNS: ClassVar[tuple[str, ...]] = ()
    STAMPED_AT_CREATION: ClassVar[bool] = False

    id: Id
    modifiedOn: Ticks
    active: bool = True
    createdOn: Moment | None = None

    @classmethod
    def read(cls, raw: dict[str, Any]) -> Self:
        """Take what we use of a record; raise ValueError naming each field that does not fit, and why."""
        raw = cls._stamped(raw)
        try:
            return convert(raw, cls, dec_hook=_read)
        except ValidationError:
            raise ValueError("; ".join(_faults(cls, raw))) from None

    @classmethod
    def stamp(cls, raw: dict[str, Any]) -> int | None:
        """Read the stamp of a record that may not fit, in ticks; None if it cannot be read."""
        try:
            return Ticks.read(cls._stamped(raw).get("modifiedOn"))
        except ValueError:
            return None

    @classmethod
    def _stamped(cls, raw: dict[str, Any]) -> dict[str, Any]:
        if cls.STAMPED_AT_CREATION and raw.get("modifiedOn") is None and "createdOn" in raw:
            return {**raw, "modifiedOn": raw["createdOn"]}
        return raw

    def columns(self) -> tuple[Any, ...]:
        """Give the values of COLUMNS, in their order."""
        return ()


class Reference(Shape):
    """Another record that this one names, by its id."""

    id: Id


class Named(Shape):
    """A status or category that comes as an object; its name is what we use."""

    name: str


class Address(Shape):
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


def _read(kind: Any, value: object) -> Any:
    """Read a value of a type that JSON does not have."""
    return kind.read(value)


def _count(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError("is not a time stamp")  # noqa: TRY004 - a ValueError becomes a fault of its field
    count = ticks(value)
    if not EARLIEST <= count <= LATEST:
        raise ValueError("lies outside of 1900 to 2200")
    return count


def _faults(record: type[Record], raw: dict[str, Any]) -> Iterator[str]:
    """Tell each field of a record that does not fit, and what was expected of it; never its value (AUTH-2)."""
    for field in fields(record):
        if field.name not in raw:
            if field.required:
                yield f"{field.name}: is missing"
            continue
        try:
            convert(raw[field.name], field.type, dec_hook=_read)
        except ValidationError as error:
            fault, _, within = str(error).replace("`", "").partition(" - at $")
            yield f"{field.name}{within}: {fault[0].lower()}{fault[1:]}"
