"""Starts each CRM once, and empties it before each test."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from st_sf_pipelines.systems.crm import writer
from st_sf_pipelines.systems.crm.client import CrmClient
from st_sf_pipelines_tests.contract.peers import PEERS, Peer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", params=PEERS)
def started(request: pytest.FixtureRequest) -> Iterator[Peer]:
    """Start one CRM for all tests."""
    with Peer.opened(request.param) as peer:
        yield peer


@pytest.fixture
def peer(started: Peer) -> Peer:
    """Give a CRM that holds nothing but its user."""
    started.reset()
    return started


@pytest.fixture
def client(peer: Peer) -> Iterator[CrmClient]:
    """Give our client of it."""
    made = CrmClient(peer.tenant())
    yield made
    made.close()


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let writes go on at once after a failure; give the seconds that each would have waited."""
    slept: list[float] = []
    monkeypatch.setattr(writer, "time", SimpleNamespace(sleep=slept.append, monotonic=time.monotonic))
    return slept
