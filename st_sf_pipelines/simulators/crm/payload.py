"""Starts a real Payload CMS with the CRM's collections, from its folder in the checkout; it needs Node and npm."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

FOLDER = Path(__file__).parents[3] / "st_sf_pipelines_tests" / "payload_crm"
OLDEST_NODE = (18, 20, 2)
INSTALL_SECONDS = 600


class PayloadMissing(Exception):  # noqa: N818 - it names what is not there
    """What a real Payload needs is not there; the message says what, and how to get it."""


def install() -> None:
    """Install Payload's packages, once for each lock file; two who ask at a time do it once. Raise PayloadMissing."""
    if not (FOLDER / "package-lock.json").is_file():
        raise PayloadMissing(f"{FOLDER} is not there: a real Payload needs a checkout of the project, not its package")
    _node()
    modules = FOLDER / "node_modules"
    digest = hashlib.blake2b((FOLDER / "package-lock.json").read_bytes(), digest_size=16).hexdigest()
    mark = modules / ".installed"
    with (FOLDER / ".npmrc").open() as lock:
        flock(lock, LOCK_EX)
        if mark.is_file() and mark.read_text() == digest:
            return
        done = subprocess.run(  # noqa: S603 - npm, by its own path
            [_program("npm"), "ci"], cwd=FOLDER, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS
        )
        if done.returncode:
            raise PayloadMissing(f"`npm ci` in {FOLDER} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
        mark.write_text(digest)


def command(port: int = 0, *, text_ids: bool = False) -> list[str]:
    """Give the command that serves it: its first line on standard output is that of `st-sf simulate crm`."""
    ids = ["--ids", "text"] if text_ids else []
    return [_node(), str(FOLDER / "server.js"), str(port), *ids]


@contextmanager
def running(port: int = 0, *, text_ids: bool = False) -> Iterator[dict[str, Any]]:
    """Install it if need be, and serve on a fresh database until the end; give its address and credentials."""
    install()
    with (
        TemporaryFile("w+") as log,
        subprocess.Popen(  # noqa: S603 - node, by its own path
            command(port, text_ids=text_ids), stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                log.seek(0)
                raise PayloadMissing(f"Payload did not start: {log.read().strip()[-500:]}")
            yield json.loads(line)
        finally:
            process.terminate()


def _node() -> str:
    """Find a Node that Payload runs on."""
    node = _program("node")
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    version = tuple(int(part) for part in said.strip().removeprefix("v").split(".")[:3])
    if version < OLDEST_NODE:
        oldest = ".".join(map(str, OLDEST_NODE))
        raise PayloadMissing(f"Node {said.strip()} is too old for Payload: {oldest} or newer is needed")
    return node


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise PayloadMissing(f"{name} is not installed; on Debian: apt-get install nodejs npm")
    return found
