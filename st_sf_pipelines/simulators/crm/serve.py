"""The stand-in as a program: its first line on standard output is all that a client needs, then it serves."""

import sys
from pathlib import Path
from typing import Any

import orjson

from st_sf_pipelines.simulators.crm.simulator import CrmSimulator


def serve(port: int, faults: str | Path | list[Any] | None = None, *, text_ids: bool = False) -> None:
    """Serve a CRM on a loopback port (0 means any free one) until SIGTERM or SIGINT."""
    simulator = CrmSimulator(port, faults=faults, text_ids=text_ids)
    sys.stdout.write(orjson.dumps(simulator.credentials).decode() + "\n")
    sys.stdout.flush()
    simulator.run()
