"""Runs rounds that a test may kill: each in a process of its own, forked from one that has imported everything.

A line on standard input is an order: {"environment": {...}, "options": {...}}. Three lines answer it: the child's
process id, what came of its round (left out if it was killed), and its exit code.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any

import dagster as dg

from st_sf_pipelines.definitions import defs
from st_sf_pipelines.operate.rounds import run_rounds
from st_sf_pipelines.settings import load


def main() -> None:
    """Serve orders until standard input ends."""
    logging.disable(logging.CRITICAL)
    defs().get_repository_def()  # what is slow is done once, before the first fork
    _say({"ready": True})
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _round(order["environment"], order["options"])
        _say({"pid": child})
        _, status = os.waitpid(child, 0)
        _say({"exit": os.waitstatus_to_exitcode(status)})


def _round(environment: dict[str, str], options: dict[str, Any]) -> None:
    """Run a round of every tenant as `st-sf sync` does, say what came of it, and end without a word to the parent."""
    os.environ.clear()
    os.environ.update(environment)
    code = 1
    try:
        settings = load()
        with dg.DagsterInstance.ephemeral() as instance:
            _say({"report": run_rounds(instance, settings, settings.site.tenants, **options)})
        code = 0
    except Exception as error:  # noqa: BLE001 - the test decides what it may be
        _say({"error": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(code)


def _say(what: dict[str, Any]) -> None:
    os.write(1, json.dumps(what, default=str).encode() + b"\n")


if __name__ == "__main__":
    main()
