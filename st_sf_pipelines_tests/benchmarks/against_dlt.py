"""Reading customers beside dlt: the same feed of the same stand-in into the same database server, one after the other.

Each reader is a process of its own, and is timed from its first call to its last row; starting Python, importing and
making tables of its own are left out for both. dlt is installed once into an environment beside ours.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx

from st_sf_pipelines.store.database import beside, ensure_database

from .bench import home, stand_in, write_site
from .table import Row

if TYPE_CHECKING:
    from .table import Measured

HERE: Final = Path(__file__).parent
CONSTRAINTS: Final = HERE / "constraints-dlt.txt"
ENVIRONMENT: Final = Path(sys.prefix) / "peers" / "dlt"
OURS: Final = f"{__package__}.reader"


def measure(rows: Measured, customers: int) -> None:
    """Measure the stand-in's own limit, our pull, and dlt's; and how many times faster ours is."""
    python = install_dlt()
    with home() as place, stand_in("servicetitan", "--customers", str(customers)) as st:
        write_site(place, st)
        peer = beside(os.environ["ST_SF_DATABASE_URL"], "peer")
        ensure_database(peer)
        told = {
            "STAND_IN": json.dumps(st),
            "DATABASE_URL": peer,
            "PIPELINES_DIR": str(place / "dlt"),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
        }
        what = f"{customers:,} customers"
        _read(rows, f"{what}: the stand-in's limit, a loop that only counts", st, [sys.executable, "-m", OURS, "bare"])
        ours = _read(rows, f"{what}: our pull, checked and stored", st, [sys.executable, "-m", OURS, "ours"])
        dlt = _read(rows, f"{what}: dlt {version()}, merged by id", st, [python, str(HERE / "dlt_reader.py")], told)
    if ours.records != dlt.records != customers:
        raise SystemExit(f"the readers do not agree: {ours.records} records of ours, {dlt.records} of dlt's")
    wall, cpu = (ours.rate or 0) / (dlt.rate or 1), (dlt.cpu or 0) / (ours.cpu or 1)
    rows.append(Row("our pull against dlt", [f"{wall:.1f} times the records a second, 1/{cpu:.1f} of the CPU time"]))


def _read(rows: Measured, what: str, st: dict[str, Any], command: list[str], told: dict[str, str] | None = None) -> Row:
    """Run a reader; the stand-in counts its calls."""
    counters = f"{st['url']}/_sim/counters"
    httpx.delete(counters).raise_for_status()
    done = subprocess.run(command, env={**os.environ, **(told or {})}, stdout=subprocess.PIPE, text=True, check=True)
    figures = json.loads(done.stdout)
    row = Row(what, wall=figures["wall"], cpu=figures["cpu"], records=figures["records"], peak_mb=figures["peak_mb"])
    row.told.append(f"{row.records} records in {httpx.get(counters).json()['calls']} calls")
    rows.append(row)
    return row


def version() -> str:
    """Give the version of dlt that is pinned."""
    return next(line for line in CONSTRAINTS.read_text().splitlines() if line.startswith("dlt==")).partition("==")[2]


def install_dlt() -> str:
    """Install dlt into its own environment unless it is there as pinned; give its Python."""
    python, note = ENVIRONMENT / "bin" / "python", ENVIRONMENT / CONSTRAINTS.name
    pinned = CONSTRAINTS.read_text()
    if not note.exists() or note.read_text() != pinned:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
        quiet = {"PIP_CONSTRAINT": str(CONSTRAINTS), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        command = [str(python), "-m", "pip", "install", "--quiet", "dlt[postgres]"]
        subprocess.run(command, env={**os.environ, **quiet}, check=True)
        note.write_text(pinned)
    return str(python)
