"""The stand-in as a program: its first line on standard output is all that a client needs, then it serves."""

import sys
from pathlib import Path
from typing import Any

import orjson

from st_sf_pipelines.simulators.salesforce.simulator import SalesforceSimulator


def serve(
    port: int,
    faults: str | Path | list[Any] | None = None,
    *,
    fresh: bool = False,
    daily_limit: int = 15_000,
    rotate_refresh_tokens: bool = False,
) -> None:
    """Serve an org on a loopback port (0 means any free one) until SIGTERM or SIGINT."""
    simulator = SalesforceSimulator(
        port, fresh=fresh, daily_limit=daily_limit, rotate_refresh_tokens=rotate_refresh_tokens, faults=faults
    )
    sys.stdout.write(orjson.dumps(simulator.credentials).decode() + "\n")
    sys.stdout.flush()
    simulator.run()
