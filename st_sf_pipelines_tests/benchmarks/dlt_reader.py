"""Reads the customers with dlt into PostgreSQL, as its own documentation tells; runs in dlt's environment, not in ours.

Takes STAND_IN (the first line of the stand-in), DATABASE_URL and PIPELINES_DIR from the environment, and prints one
JSON object: records, wall and CPU seconds, and the process's peak memory in MB.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import dlt
from dlt.sources.helpers.rest_client.auth import OAuth2ClientCredentials
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator
from dlt.sources.rest_api import rest_api_source


class Feed(JSONResponseCursorPaginator):
    """Follows `continueFrom` for as long as `hasMore` says so: the last page has a token too."""

    def __init__(self) -> None:
        super().__init__(cursor_path="continueFrom", cursor_param="from")

    def update_state(self, response: Any, data: list[Any] | None = None) -> None:
        """Take the next token, and stop at the feed's end."""
        super().update_state(response, data)
        self._has_next_page = response.json()["hasMore"]


def pipeline(st: dict[str, Any]) -> tuple[Any, Any]:
    """Give the pipeline and its source: customers, merged by id, one table without child tables."""
    credentials = OAuth2ClientCredentials(
        access_token_url=st["auth_url"], client_id=st["client_id"], client_secret=st["client_secret"]
    )
    customers = {
        "name": "customers",
        "primary_key": "id",
        "write_disposition": "merge",
        "max_table_nesting": 0,
        "endpoint": {
            "path": f"crm/v2/tenant/{st['tenant_id']}/export/customers",
            "params": {"includeRecentChanges": "true"},
            "data_selector": "data",
            "paginator": Feed(),
        },
    }
    client = {"base_url": st["api_url"], "headers": {"ST-App-Key": st["app_key"]}, "auth": credentials}
    source = rest_api_source({"client": client, "resources": [customers]})
    made = dlt.pipeline(
        "customers",
        destination=dlt.destinations.postgres(os.environ["DATABASE_URL"]),
        dataset_name="peer",
        pipelines_dir=os.environ["PIPELINES_DIR"],
    )
    return made, source


if __name__ == "__main__":
    made, source = pipeline(json.loads(os.environ["STAND_IN"]))
    wall, cpu = time.perf_counter(), time.process_time()
    made.run(source)
    seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    with made.sql_client() as sql:
        records = sql.execute_sql("SELECT count(*) FROM customers")[0][0]
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    peak = int(found[1]) / 1024 if found else 0.0
    sys.stdout.write(json.dumps({"records": records, **seconds, "peak_mb": peak}))
