"""The demo as a person starts it: it comes up, a round appears, and Ctrl-C leaves no process behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from st_sf_pipelines.store import local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROGRAM: Final = str(Path(sys.executable).with_name("st-sf"))
PATIENCE: Final = 180.0
STOPS_WITHIN: Final = 40.0

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")


def test_the_demo_shows_a_round_stops_on_ctrl_c_without_a_trace_and_starts_again() -> None:
    home = Path(tempfile.mkdtemp(prefix="st_sf_demo_"))
    home.chmod(0o755)  # the database's user must reach it
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            port = free_port()
            with demo(home, port) as (process, said):
                until(lambda: f"Dagster UI: http://127.0.0.1:{port}" in said(), process, said)  # noqa: B023
                assert httpx.get(f"http://127.0.0.1:{port}/server_info").json()["dagster_version"]
                assert "<html" in httpx.get(f"http://127.0.0.1:{port}/asset-groups").text
                for tenant in ("perfect-catch", "desert-air"):
                    until(lambda: re.search(rf"{tenant} [^\n]*\bsuccess\b", said()), process, said)  # noqa: B023
                assert loaded_by_dagster(port) == {"poll": "RUNNING"}
                stand_ins = re.findall(r"(http://127\.0\.0\.1:\d+)$", said(), re.MULTILINE)
                assert len(stand_ins) == 5, "ServiceTitan, and an org and a CRM for each tenant"
                env = home / "demo/env"
                assert env.stat().st_mode & 0o077 == 0
                beside = f". {env}; {PROGRAM} config --json"
                told = subprocess.run(["sh", "-c", beside], cwd=home, stdout=subprocess.PIPE, check=True)  # noqa: S607
                assert b"desert-air" in told.stdout
                process.send_signal(number)
                process.wait(STOPS_WITHIN)
            assert process.returncode == 0
            assert "Traceback" not in said()
            assert processes_of(home) == {}
            assert [url for url in (*stand_ins, f"http://127.0.0.1:{port}") if answers(url)] == []
    finally:
        for pid in processes_of(home):
            os.kill(pid, signal.SIGKILL)
        local.stop(home / "demo")
        rmtree((home / "demo/postgres").resolve(), ignore_errors=True)
        rmtree(home)


@contextmanager
def demo(home: Path, port: int) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], str]]]:
    """Start the demo in a session of its own; give it, and what it has said so far."""
    ours = ("SERVICETITAN_", "SALESFORCE_", "CRM_", "ST_SF_", "DAGSTER_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    words = home / "words"
    command = [PROGRAM, "demo", "--customers", "30", "--port", str(port)]
    with (
        words.open("wb") as out,
        subprocess.Popen(
            command,
            stdout=out,
            stderr=out,
            cwd=home,
            env={**environment, "ST_SF_HOME": str(home)},
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process, words.read_text
        finally:
            process.kill()


def until(holds: Callable[[], object], process: subprocess.Popen[bytes], said: Callable[[], str]) -> None:
    """Wait for what must come."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert process.poll() is None, said()
        assert time.monotonic() < deadline, said()
        time.sleep(0.2)


def answers(url: str) -> bool:
    """Tell whether somebody listens there."""
    try:
        httpx.get(url)
    except httpx.ConnectError:
        return False
    return True


def loaded_by_dagster(port: int) -> dict[str, str]:
    """Ask the UI's own server which sensors it shows, and whether they run."""
    query = """{ sensorsOrError(repositorySelector: {
        repositoryName: "__repository__", repositoryLocationName: "st_sf_pipelines"}) {
        ... on Sensors { results { name sensorState { status } } } } }"""
    answer: Any = httpx.post(f"http://127.0.0.1:{port}/graphql", json={"query": query}, timeout=30).json()
    return {each["name"]: each["sensorState"]["status"] for each in answer["data"]["sensorsOrError"]["results"]}


def processes_of(home: Path) -> dict[int, str]:
    """Give every process that names the home in its words or its variables; a zombie has neither."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
            told = words + (folder / "environ").read_bytes()
        except OSError:
            continue
        if str(home).encode() in told:
            found[int(folder.name)] = words.replace(b"\0", b" ").decode(errors="replace")
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
