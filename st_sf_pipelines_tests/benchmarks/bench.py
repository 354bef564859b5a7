"""What the topics of the bench share: stand-ins in processes of their own, and a home with a database."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from st_sf_pipelines.store import local

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def stand_in(system: str, *options: str) -> Iterator[dict[str, Any]]:
    """Run a stand-in in a process of its own; give its address and credentials."""
    program = str(Path(sys.executable).with_name("st-sf"))
    command = [program, "simulate", system, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline() if process.stdout else "")
        finally:
            process.terminate()


@contextmanager
def home() -> Iterator[Path]:
    """Give a folder where the embedded server runs with an empty database; the environment names both."""
    place = Path(tempfile.mkdtemp(prefix="st_sf_bench_"))
    place.chmod(0o755)  # the database's user must reach it
    try:
        os.environ |= {
            "ST_SF_HOME": str(place),
            "ST_SF_DATABASE_URL": local.start(place),
            "ST_SF_CONFIG": str(place / "site.yaml"),
        }
        yield place
    finally:
        local.stop(place)
        shutil.rmtree(place, ignore_errors=True)


def write_site(place: Path, st: dict[str, Any], sf: dict[str, Any] | None = None) -> None:
    """Tell our program of the stand-ins by a site file."""
    names = ("api_url", "auth_url", "client_id", "client_secret", "app_key")
    tenant = {
        "name": f"shop-{st['tenant_id']}",
        "id": st["tenant_id"],
        "timezone": st["timezone"],
        "servicetitan": {name: st[name] for name in names},
    }
    if sf:
        tenant["salesforce"] = {name: sf[name] for name in ("instance_url", "access_token")}
    (place / "site.yaml").write_text(yaml.safe_dump({"tenants": [tenant]}))
