"""Serves the ServiceTitan stand-in from the command line until it is told to stop."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import orjson

from .clock import Clock
from .simulator import ServiceTitanSimulator

if TYPE_CHECKING:
    from datetime import datetime

    from st_sf_pipelines.simulators.shop import Shop


def serve(
    port: int = 0,
    shop: Shop | str | None = None,
    customers: int | None = None,
    page_size: int | None = None,
    faults: str | Path | None = None,
    live: float | None = None,
    now: datetime | None = None,
    token_seconds: int = 900,
    rate_limit: float | None = 60,
) -> None:
    """Serve until SIGTERM or SIGINT; the first line on standard output is one JSON object with all credentials.

    Port 0 is any free port; `faults` is a JSON file with a list of rules; `now` is where the clock starts.
    """
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    clock = Clock()
    if now is not None:
        clock.set(now)
    simulator = ServiceTitanSimulator(
        shop,
        customers=customers,
        page_size=page_size,
        faults=read_faults(faults) if faults else (),
        live=live,
        clock=clock.now,
        token_seconds=token_seconds,
        rate_limit=rate_limit,
        port=port,
    )
    with simulator:
        sys.stdout.write(orjson.dumps(simulator.credentials).decode() + "\n")
        sys.stdout.flush()
        stopped.wait()


def read_faults(path: str | Path) -> list[dict[str, Any]]:
    """Read the rules of a faults file: a list, or an object with `rules`."""
    told = orjson.loads(Path(path).read_bytes())
    rules = told.get("rules") if isinstance(told, dict) else told
    if not isinstance(rules, list):
        raise TypeError(f"{path} must hold a list of fault rules")
    return rules
