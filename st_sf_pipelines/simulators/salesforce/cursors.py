"""Result sets that are too long for one answer, kept so that their next pages can be asked for."""

from collections import OrderedDict
from typing import NamedTuple

from st_sf_pipelines.simulators.salesforce.ids import make
from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.soql_run import Result

MOST_KEPT = 50


class Cursor(NamedTuple):
    """A result set and how much of it goes into a page."""

    result: Result
    page_size: int


class Cursors:
    """The result sets that were not read to their end, the oldest forgotten first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Cursor] = OrderedDict()
        self._made = 0

    def keep(self, result: Result, page_size: int) -> str:
        """Keep a result set and return its locator."""
        self._made += 1
        locator = make("01g", self._made)
        self._kept[locator] = Cursor(result, page_size)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return locator

    def find(self, locator: str) -> Cursor:
        """Return a result set that was kept."""
        if locator not in self._kept:
            raise Refusal("INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._kept[locator]
