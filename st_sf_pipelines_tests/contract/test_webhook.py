"""The CRM is told what happened at its own webhook; that it could not be told is told, and fails nothing (CRM-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from st_sf_pipelines.ports import Told
from st_sf_pipelines.systems.crm.webhook import Webhook

if TYPE_CHECKING:
    from st_sf_pipelines_tests.contract.peers import Peer

EVENTS = [{"event": "stage_changed", "entityType": "opportunity", "entityId": str(n), "data": {}} for n in range(3)]


def test_events_arrive_in_their_order(peer: Peer) -> None:
    webhook = Webhook(peer.tenant(webhook_secret=peer.credentials["webhook_secret"]))
    assert webhook.tell(EVENTS) == Told(3, 0)
    assert webhook.calls == 3
    webhook.close()
    assert peer.events == EVENTS


@pytest.mark.parametrize(("secret", "told"), [("wrong", (0, 3)), (None, (0, 0))])
def test_without_the_right_secret_nothing_arrives_and_nothing_fails(
    peer: Peer, secret: str | None, told: tuple[int, int]
) -> None:
    webhook = Webhook(peer.tenant(webhook_secret=secret))
    result = webhook.tell(EVENTS)
    webhook.close()
    assert (result.sent, result.failed) == told
    assert (result.cause is None) == (secret is None)
    assert "wrong" not in str(result.cause)
    assert peer.events == []
