"""Reads the customers in a process of its own, for the bench: our pull into the store, or a bare loop that counts.

`python -m st_sf_pipelines_tests.benchmarks.reader ours|bare` takes our site from the environment, and prints one JSON
object: records, wall and CPU seconds, and the process's peak memory in MB.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import orjson

from st_sf_pipelines.defs.instance import open_database
from st_sf_pipelines.settings import load
from st_sf_pipelines.sync.pull import pull
from st_sf_pipelines.systems.servicetitan.client import ServiceTitanClient
from st_sf_pipelines.systems.servicetitan.entities import ENTITY

if TYPE_CHECKING:
    from st_sf_pipelines.config import Tenant


def ours(tenant: Tenant) -> int:
    """Read, check and store every customer as a round does."""
    db, entity = open_database(load()), ENTITY["customers"]
    source = ServiceTitanClient(tenant)
    read = pull(db, source, tenant.id, entity).read
    source.close()
    return read


def bare(tenant: Tenant) -> int:
    """Ask for page after page and look at no record: what the stand-in can serve, and so the most that any can read."""
    known, read, token = tenant.servicetitan, 0, ""
    with httpx.Client(timeout=60) as http:
        form = {"client_id": known.client_id, "client_secret": known.client_secret.get_secret_value()}
        answer = http.post(str(known.auth_url), data={"grant_type": "client_credentials", **form}).json()
        http.headers["Authorization"] = f"Bearer {answer['access_token']}"
        http.headers["ST-App-Key"] = known.app_key.get_secret_value()
        url, more = f"{known.api_url}/crm/v2/tenant/{tenant.id}/export/customers", True
        while more:
            page = orjson.loads(http.get(url, params={"from": token, "includeRecentChanges": "true"}).content)
            token, more, read = page["continueFrom"], page["hasMore"], read + len(page["data"])
    return read


def peak_mb() -> float:
    """Give this process's peak of resident memory; that of getrusage would count the one that started it."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    settings = load()
    open_database(settings)
    wall, cpu = time.perf_counter(), time.process_time()
    records = {"ours": ours, "bare": bare}[sys.argv[1]](settings.site.tenants[0])
    seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    sys.stdout.write(json.dumps({"records": records, **seconds, "peak_mb": peak_mb()}))
