"""SOQL over HTTP: `/query` and `/queryAll`, a page at a time."""

import re
from typing import Any

from st_sf_pipelines.simulators.salesforce.exchange import Answer, Call
from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.soql_run import Result, run

BATCH_SIZE = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)
SMALLEST_PAGE = 200
LARGEST_PAGE = 2_000


def query(call: Call) -> Answer:
    """GET `/query?q=`: records that are not deleted."""
    return _first_page(call, deleted=False)


def query_all(call: Call) -> Answer:
    """GET `/queryAll?q=`: records in the recycle bin too."""
    return _first_page(call, deleted=True)


def next_page(call: Call) -> Answer:
    """GET `/query/01g...-2000`: the page that starts there."""
    locator, _, start = call.args["locator"].partition("-")
    if not start.isdigit():
        raise Refusal("INVALID_QUERY_LOCATOR", "invalid query locator")
    cursor = call.org.cursors.find(locator)
    return _page(call, cursor.result, int(start), cursor.page_size, locator)


def _first_page(call: Call, *, deleted: bool) -> Answer:
    text = call.query.get("q")
    if not text:
        raise Refusal("MALFORMED_QUERY", "SOQL statement cannot be empty")
    result = run(call.org.schema, call.org.tables, text, deleted=deleted)
    size = _page_size(call.headers.get("sforce-query-options", ""))
    locator = call.org.cursors.keep(result, size) if len(result.rows) > size else ""
    return _page(call, result, 0, size, locator)


def _page(call: Call, result: Result, start: int, size: int, locator: str) -> Answer:
    end = start + size
    body: dict[str, Any] = {"totalSize": result.total, "done": end >= len(result.rows)}
    if not body["done"]:
        body["nextRecordsUrl"] = f"{call.root}/query/{locator}-{end}"
    return Answer(body=body | {"records": result.page(start, size, call.root)})


def _page_size(options: str) -> int:
    match = BATCH_SIZE.search(options)
    asked = int(match.group(1)) if match else LARGEST_PAGE
    return min(max(asked, SMALLEST_PAGE), LARGEST_PAGE)
