"""Calls that write estimates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from st_sf_pipelines.simulators.shop.shapes_of_money import ESTIMATE_ITEM

from .answers import invalid
from .calls import Call, conflict

if TYPE_CHECKING:
    from collections.abc import Callable

    from st_sf_pipelines.simulators.shop.table import Record


def create_estimate(call: Call) -> Any:
    """Create an estimate; its items give its subtotal."""
    call.must_be("jobs", "jobId")
    owner: Record = {}
    if call.body.get("jobId"):
        job = call.found("jobs", call.body["jobId"])
        owner = {name: job[name] for name in ("jobNumber", "customerId", "locationId", "businessUnitId")}
    estimate = call.put("estimates", {**owner, **_offer(call)})
    if owner:
        job = call.found("jobs", call.body["jobId"])
        call.put("jobs", {"id": job["id"], "estimateIds": [*job["estimateIds"], estimate["id"]]})
    return estimate


def update_estimate(call: Call) -> Any:
    """Change an estimate."""
    return call.put("estimates", {"id": call.found("estimates")["id"], **_offer(call)})


def _offer(call: Call) -> Record:
    told = {name: value for name, value in call.body.items() if value is not None}
    told.pop("useDefaultProjectLabels", None)
    if told.get("status") == "Sold":
        told["soldOn"] = call.moment
    if "items" in told:
        told["items"] = [_item(call, each) for each in told["items"]]
        told["subtotal"] = round(sum(each["total"] for each in told["items"]), 2)
    return told


def _item(call: Call, told: Record) -> Record:
    quantity, price = told.get("quantity") or 1, told.get("unitPrice") or 0
    name = told.get("skuName") or "Item"
    sku = {"id": told.get("skuId") or 1, "name": name, "displayName": name, "type": "Service", "soldHours": 0.0,
           "generalLedgerAccountId": 4_000, "generalLedgerAccountName": "Sales", "modifiedOn": call.moment}  # fmt: skip
    return {
        **ESTIMATE_ITEM,
        "id": told.get("id") or call.papers.new_id(),
        "sku": sku,
        "description": told.get("description") or "",
        "qty": quantity,
        "unitRate": price,
        "total": round(quantity * price, 2),
        "createdOn": call.moment,
        "modifiedOn": call.moment,
    }


def sell(call: Call) -> Any:
    """Sell an estimate."""
    estimate = call.found("estimates")
    if estimate["status"]["name"] == "Sold":
        raise conflict("The estimate is sold already.")
    seller = call.body["soldBy"]
    if not any(seller in call.tenant.tables[name] for name in ("technicians", "employees")):
        raise invalid("soldBy", f"The record with id {seller} was not found.")
    return call.put("estimates", {"id": estimate["id"], "status": "Sold", "soldOn": call.moment, "soldBy": seller})


def unsell(call: Call) -> None:
    """Take a sale back."""
    estimate = call.found("estimates")
    if estimate["status"]["name"] != "Sold":
        raise conflict("The estimate is not sold.")
    call.put("estimates", {"id": estimate["id"], "status": "Open", "soldOn": None, "soldBy": None})


def dismiss(call: Call) -> None:
    """Dismiss an estimate that is open."""
    estimate = call.found("estimates")
    if estimate["status"]["name"] != "Open":
        raise conflict("Only an open estimate can be dismissed.")
    call.put("estimates", {"id": estimate["id"], "status": "Dismissed"})


CALLS: dict[str, Callable[[Call], Any]] = {
    "POST sales/estimates": create_estimate,
    "PUT sales/estimates/{}": update_estimate,
    "PUT sales/estimates/{}/sell": sell,
    "PUT sales/estimates/{}/unsell": unsell,
    "PUT sales/estimates/{}/dismiss": dismiss,
}
