"""A real Payload is started from the checkout, and what is missing for it is named."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from st_sf_pipelines.simulators.crm import payload

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = "from st_sf_pipelines.simulators.crm import CrmSimulator; CrmSimulator().serve()"


def tool(folder: Path, name: str, script: str) -> None:
    """Put a program into a folder that is to be the whole path."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def first_line(command: list[str], end: signal.Signals) -> dict[str, str]:
    """Start a program, read its first line, ask it something, and end it."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        told: dict[str, str] = json.loads(program.stdout.readline())
        health = httpx.get(f"{told['url']}/api/webhooks/st-automation/health")
        program.send_signal(end)
        out, _ = program.communicate(timeout=30)
    assert (health.status_code, program.returncode, out) == (200, 0, "")
    return told


def test_the_stand_in_and_a_real_payload_tell_the_same_first_line_at_each_start() -> None:
    payload.install()
    stand_in = [sys.executable, "-c", PROGRAM]
    lines = [
        first_line(command, end) for command in (stand_in, payload.command()) for end in (signal.SIGTERM, signal.SIGINT)
    ]
    assert list(lines[0]) == ["system", "url", "api_url", "api_key", "webhook_secret"]
    for line in lines:
        assert line.pop("url") == line.pop("api_url")
    assert [line for line in lines if line != lines[0]] == []


def test_a_package_without_its_checkout_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "FOLDER", tmp_path / "nowhere")
    with pytest.raises(payload.PayloadMissing, match="needs a checkout"):
        payload.install()


def test_a_machine_without_node_or_with_an_old_one_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(payload.PayloadMissing, match="node is not installed; on Debian: apt-get install nodejs npm"):
        payload.command()
    tool(tmp_path, "node", "echo v18.19.0")
    with pytest.raises(payload.PayloadMissing, match=r"Node v18\.19\.0 is too old for Payload: 18\.20\.2 or newer"):
        payload.command()
    tool(tmp_path, "node", "echo v18.20.4")
    assert payload.command(5, text_ids=True)[-3:] == ["5", "--ids", "text"]


def test_packages_are_installed_once_for_each_lock_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, tools = tmp_path / "payload", tmp_path / "bin"
    (folder / "node_modules").mkdir(parents=True)
    tools.mkdir()
    for name in (".npmrc", "package-lock.json"):
        (folder / name).write_text("1")
    monkeypatch.setattr(payload, "FOLDER", folder)
    monkeypatch.setenv("PATH", str(tools))
    tool(tools, "node", "echo v20.1.0")
    tool(tools, "npm", 'echo "$@" >> calls')
    for _ in range(2):
        payload.install()
    (folder / "package-lock.json").write_text("2")
    payload.install()
    assert (folder / "calls").read_text() == "ci\nci\n"
    (folder / "package-lock.json").write_text("3")
    tool(tools, "npm", "echo 'no network' >&2; exit 1")
    with pytest.raises(payload.PayloadMissing, match=r"`npm ci` in .* ended with 1: no network"):
        payload.install()


def test_a_server_that_ends_at_once_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    payload.install()
    monkeypatch.setenv("PATH", str(tmp_path))
    tool(tmp_path, "node", 'if [ "$1" = --version ]; then echo v20.1.0; else echo broken >&2; fi')
    with pytest.raises(payload.PayloadMissing, match="Payload did not start: broken"), payload.running():
        pass
