"""Works entities one after the other, so that one that is refused holds up no other."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, TypeVar

from st_sf_pipelines.errors import RemoteError, StSfError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _typeshed import DataclassInstance

    from st_sf_pipelines.ports import Entity

Came = TypeVar("Came", bound="DataclassInstance")
SILENT: Final = 2
"""So many in a row that are not answered, after all attempts: the system is down, and the rest is not asked."""


def one_by_one(
    entities: Iterable[Entity], work: Callable[[Entity], Came]
) -> Iterator[tuple[Entity, Came | RemoteError]]:
    """Give each entity with what its work came to, or with the error that it ended with."""
    silent = 0
    for entity in entities:
        try:
            came = work(entity)
        except RemoteError as error:
            silent = silent + 1 if isinstance(error, TransientError) else 0
            yield entity, error
        else:
            silent = 0
            yield entity, came
        if silent >= SILENT:
            return


def collect(worked: Iterable[tuple[Entity, Came | RemoteError]], counts: dict[str, Any]) -> dict[str, Came]:
    """Give what each entity came to, and fill `counts["entities"]` with it, a dataclass, as it comes.

    Raise StSfError that tells all that failed, when each has had its turn.
    """
    found: dict[str, Came] = {}
    errors: list[str] = []
    for entity, came in worked:
        if isinstance(came, RemoteError):
            errors.append(str(came))
            continue
        found[entity.name] = came
        counts.setdefault("entities", {})[entity.name] = asdict(came)
    if errors:
        raise StSfError("; ".join(errors))
    return found
