"""What the org says of itself: its resources, its objects, their describes, and what is left of its limits."""

from typing import Any

from st_sf_pipelines.simulators.salesforce.exchange import Answer, Call
from st_sf_pipelines.simulators.salesforce.org import INTEGRATION_USER

RELEASES = {60: "Spring '24", 61: "Summer '24", 62: "Winter '25", 63: "Spring '25", 64: "Summer '25", 65: "Winter '26",
            66: "Spring '26", 67: "Summer '26"}  # fmt: skip
RESOURCES = ("sobjects", "composite", "query", "queryAll", "limits")


def versions() -> list[dict[str, str]]:
    """Return the API versions, which anybody may ask for."""
    return [
        {"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        for number, label in RELEASES.items()
    ]


def resources(call: Call) -> Answer:
    """GET `/services/data/vXX.0/`."""
    return Answer(body={name: f"{call.root}/{name}" for name in RESOURCES})


def list_objects(call: Call) -> Answer:
    """GET `/sobjects`."""
    summaries = [kind.summary(call.version) for kind in call.org.schema.objects.values()]
    return Answer(body={"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": summaries})


def object_summary(call: Call) -> Answer:
    """GET `/sobjects/Account`."""
    return Answer(body={"objectDescribe": call.kind.summary(call.version), "recentItems": []})


def describe(call: Call) -> Answer:
    """GET `/sobjects/Account/describe`."""
    return Answer(body=call.kind.describe(call.version))


def limits(call: Call) -> Answer:
    """GET `/limits`."""
    most = call.org.daily_limit
    untouched = {
        "DailyAsyncApexExecutions": 250_000,
        "DailyBulkApiBatches": 15_000,
        "DailyBulkV2QueryFileStorageMB": 976_562,
        "DailyBulkV2QueryJobs": 10_000,
        "DataStorageMB": 1_024,
        "FileStorageMB": 1_024,
    }
    body: dict[str, Any] = {"DailyApiRequests": {"Max": most, "Remaining": max(0, most - call.org.api_calls)}}
    return Answer(body=body | {name: {"Max": value, "Remaining": value} for name, value in untouched.items()})


def record_counts(call: Call) -> Answer:
    """GET `/limits/recordCount?sObjects=A,B`: objects without records are left out."""
    asked = [name for name in call.query.get("sObjects", "").split(",") if name]
    names = [kind.name for name in asked if (kind := call.org.schema.find(name))] if asked else call.org.tables.of
    counts = {name: sum(1 for _ in call.org.tables.of[name].living()) for name in names}
    return Answer(body={"sObjects": [{"count": count, "name": name} for name, count in counts.items() if count]})


def whoami(url: str, org_id: str, username: str) -> dict[str, Any]:
    """Return what the identity and userinfo addresses tell of the user behind a token."""
    identity = f"{url}/id/{org_id}/{INTEGRATION_USER}"
    return {
        "id": identity,
        "sub": identity,
        "asserted_user": True,
        "active": True,
        "user_id": INTEGRATION_USER,
        "organization_id": org_id,
        "username": username,
        "preferred_username": username,
        "display_name": "Integration User",
        "name": "Integration User",
        "email": username,
        "user_type": "STANDARD",
        "language": "en_US",
        "locale": "en_US",
        "zoneinfo": "UTC",
        "urls": {
            "rest": f"{url}/services/data/v{{version}}/",
            "sobjects": f"{url}/services/data/v{{version}}/sobjects/",
            "query": f"{url}/services/data/v{{version}}/query/",
        },
    }
