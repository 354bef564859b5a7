"""The receiver of events at `/api/webhooks/st-automation`, and its health."""

import hashlib
import hmac
from typing import Any

import orjson

from st_sf_pipelines.simulators.crm.answers import Answer
from st_sf_pipelines.simulators.crm.rest import WEBHOOK_SECRET, Call

PATH = "/api/webhooks/st-automation"


def serve_webhook(events: list[Any], call: Call) -> Answer | None:
    """Take an event from whoever knows the secret, by header or by signature; nothing where it is another address."""
    if call.path == f"{PATH}/health" and call.method == "GET":
        return Answer(body={"status": "ok", "received": len(events)})
    if call.path != PATH or call.method != "POST":
        return None
    signature = hmac.new(WEBHOOK_SECRET.encode(), call.content, hashlib.sha256).hexdigest()
    signed = hmac.compare_digest(call.headers.get("x-webhook-signature", ""), f"sha256={signature}")
    if not (call.knows_secret or signed):
        return Answer(401, {"error": "Unauthorized"})
    try:
        events.append(orjson.loads(call.content))
    except orjson.JSONDecodeError:
        return Answer(400, {"error": "Invalid JSON"})
    return Answer(202, {"received": True})
