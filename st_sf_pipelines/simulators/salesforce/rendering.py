"""A row as the API shows it: its attributes first, then the fields that were asked for, the empty ones too."""

from collections.abc import Iterable
from typing import Any

from st_sf_pipelines.simulators.salesforce.derived import address
from st_sf_pipelines.simulators.salesforce.schema import Field, ObjectType
from st_sf_pipelines.simulators.salesforce.tables import Row


def attributes(kind: ObjectType, row: Row, root: str) -> dict[str, str]:
    """Return what says of which object a record is, and where it stands."""
    return {"type": kind.name, "url": f"{root}/sobjects/{kind.name}/{row['Id']}"}


def render(kind: ObjectType, row: Row, root: str, columns: Iterable[Field]) -> dict[str, Any]:
    """Return a record with these fields."""
    shown = {column.name: value_of(row, column) for column in columns}
    return {"attributes": attributes(kind, row, root), **shown}


def value_of(row: Row, column: Field) -> Any:
    """Return the value of one field of a row."""
    return address(row, column.name) if column.type == "address" else row.get(column.name)
