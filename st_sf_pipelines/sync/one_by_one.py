"""Works entities one after the other, so that one that is refused holds up no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from st_sf_pipelines.errors import RemoteError, StSfError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from st_sf_pipelines.ports import Entity

Came = TypeVar("Came")
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


def tell(errors: Sequence[RemoteError]) -> None:
    """Raise StSfError that tells all of them, at the end of the work; nothing if there are none."""
    if errors:
        raise StSfError("; ".join(map(str, errors)))
