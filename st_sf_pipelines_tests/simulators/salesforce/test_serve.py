"""The program tells everything in its first line, serves, and ends without a word when it is told to."""

import json
import signal
import subprocess
import sys
from typing import Any

import httpx
import pytest

from st_sf_pipelines.simulators.salesforce import SalesforceSimulator

PROGRAM = "from st_sf_pipelines.simulators.salesforce import SalesforceSimulator; SalesforceSimulator().serve()"
KEYS = [
    "system",
    "url",
    "instance_url",
    "login_url",
    "access_token",
    "client_id",
    "client_secret",
    "refresh_token",
    "username",
    "private_key",
    "api_version",
]


def serve_once(end: signal.Signals) -> dict[str, Any]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        credentials: dict[str, Any] = json.loads(program.stdout.readline())
        headers = {"Authorization": f"Bearer {credentials['access_token']}"}
        answer = httpx.get(f"{credentials['url']}/services/data/v62.0/sobjects", headers=headers)
        program.send_signal(end)
        out, err = program.communicate(timeout=20)
    assert answer.status_code == 200
    assert (program.returncode, out, err) == (0, "", "")
    return credentials


def test_the_first_line_has_the_same_credentials_at_each_start() -> None:
    first, second = serve_once(signal.SIGTERM), serve_once(signal.SIGINT)
    assert list(first) == KEYS
    assert first["system"] == "salesforce"
    for moving in ("url", "instance_url", "login_url"):
        assert first.pop(moving).startswith("http://127.0.0.1:")
        second.pop(moving)
    assert first == second


def test_the_stand_in_is_stopped_while_a_client_waits() -> None:
    with SalesforceSimulator(faults=[{"do": {"silence": 60}}]) as sf, pytest.raises(httpx.TimeoutException):
        httpx.get(sf.url, timeout=0.05)
    with pytest.raises(httpx.ConnectError):
        httpx.get(sf.url)
