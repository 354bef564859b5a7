"""The stand-in's clock: it can be shifted, set and stopped, so that no test waits for time to pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from st_sf_pipelines.simulators.shop import stamps

if TYPE_CHECKING:
    from collections.abc import Callable


def wall_clock() -> datetime:
    """Give the real time."""
    return datetime.now(tz=UTC)


class Clock:
    """A clock that runs as another one does, some way before or behind it."""

    def __init__(self, source: Callable[[], datetime] = wall_clock) -> None:
        self._source = source
        self._ahead = timedelta(0)
        self._stopped_at: datetime | None = None

    def now(self) -> datetime:
        """Give the stand-in's time."""
        return self._stopped_at or self._source() + self._ahead

    def ticks(self) -> int:
        """Give the stand-in's time in ticks."""
        return stamps.ticks(self.now())

    @property
    def is_stopped(self) -> bool:
        """Tell whether the clock stands still."""
        return self._stopped_at is not None

    def shift(self, seconds: float) -> None:
        """Go forward by some seconds, or back by a negative number of them."""
        self.set(self.now() + timedelta(seconds=seconds))

    def set(self, moment: datetime) -> None:
        """Go on from another moment."""
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if self._stopped_at is not None:
            self._stopped_at = moment
        self._ahead = moment - self._source()

    def stop(self) -> None:
        """Stand still."""
        self._stopped_at = self.now()

    def run(self) -> None:
        """Go on from where the clock stands."""
        if self._stopped_at is not None:
            self._ahead = self._stopped_at - self._source()
            self._stopped_at = None
