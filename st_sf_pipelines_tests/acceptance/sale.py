"""What the people around a sale do: the shop's office sells and installs, the CRM's people work their deals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from st_sf_pipelines_tests.world import small_shop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from st_sf_pipelines.simulators.crm.simulator import CrmSimulator
    from st_sf_pipelines_tests.world import World

SALES_UNIT, INSTALL_UNIT = 901, 902
SELLER = 801
SELLERS_EMAIL = "sam.seller@example.com"
DEALS, EVENTS, LEADS, MEMBERS = (
    f"salesforce/{name}" for name in ("opportunities", "events", "leads", "campaign_members")
)
CRM_CONTACTS, CRM_DEALS, ACTIVITIES = (f"crm/{name}" for name in ("contacts", "opportunities", "activities"))
OPPORTUNITY_KEY = "ServiceTitan_Opportunity_Id__c"


def sales_shop() -> dict[str, Any]:
    """Describe a shop with a unit that sells, one that installs, and a seller; it has no customers yet."""
    return small_shop(
        business_units=[{"id": SALES_UNIT, "name": "Pool - Sales"}, {"id": INSTALL_UNIT, "name": "Pool - Install"}],
        employees=[{"id": SELLER, "name": "Sam Seller", "email": SELLERS_EMAIL}],
    )


def a_lead(world: World, name: str | None = None, **fields: Any) -> int:
    """Let somebody ask for work."""
    [lead] = world.st.put("leads", [{"leadCustomerName": name, "businessUnitId": SALES_UNIT, **fields}])
    return lead


def a_job(world: World, customer: int, unit: int = SALES_UNIT, **fields: Any) -> int:
    """Let a job be booked."""
    [job] = world.st.put("jobs", [{"customerId": customer, "businessUnitId": unit, **fields}])
    return job


def a_visit(world: World, job: int, **fields: Any) -> int:
    """Let a job be given a visit."""
    [visit] = world.st.put("appointments", [{"jobId": job, **fields}])
    return visit


def an_estimate(world: World, customer: int, job: int | None, name: str, subtotal: float, **fields: Any) -> int:
    """Let somebody be offered something."""
    offer = {"customerId": customer, "jobId": job, "name": name, "subtotal": subtotal, **fields}
    [estimate] = world.st.put("estimates", [offer])
    return estimate


def sell(world: World, estimate: int, by: int | None = None) -> None:
    """Let an estimate be sold."""
    world.st.put("estimates", [{"id": estimate, "status": "Sold", "soldOn": now(), "soldBy": by}])


def dismiss(world: World, *estimates: int) -> None:
    """Let estimates be dismissed."""
    world.st.put("estimates", [{"id": estimate, "status": "Dismissed"} for estimate in estimates])


def now(days: float = 0) -> str:
    """Write this moment, or one so many days later, as the API does."""
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def crm_of(world: World) -> CrmSimulator:
    """Give the world's CRM."""
    assert world.crm is not None
    return world.crm


def good_round(world: World, status: str = "success", **options: Any) -> dict[str, Any]:
    """Run a round that ends well."""
    part = world.sync(**options)
    assert (part["status"], part["error"]) == (status, None)
    return part


def writes(world: World) -> dict[str, int]:
    """Count the records written in the CRM and the org since the last `count_anew`, where there are any."""
    counted = {**crm_of(world).counters["rows"], **world.sf.counters["rows"]}
    sums = {name: sum(each for each in row.values() if isinstance(each, int)) for name, row in counted.items()}
    return {name: count for name, count in sums.items() if count}


def count_anew(world: World) -> None:
    """Begin counting again at nothing."""
    crm_of(world).count_anew()
    world.sf.count_anew()


def deals(world: World) -> list[dict[str, Any]]:
    """Give our deals, the first opened first."""
    return world.rows("SELECT * FROM pipeline.opportunities ORDER BY id")


def place(deal: dict[str, Any]) -> tuple[str, str, str]:
    """Say where a deal of ours stands."""
    return deal["pipeline"], deal["stage"], deal["status"]


def stages(world: World) -> dict[Any, str]:
    """Give the slugs of the CRM's stages by id."""
    return {stage["id"]: stage["slug"] for stage in crm_of(world).records("pipeline-stages")}


def stage_id(world: World, slug: str) -> Any:
    """Give the CRM's id of a stage."""
    return next(stage_id for stage_id, each in stages(world).items() if each == slug)


def crm_deals(world: World) -> list[dict[str, Any]]:
    """Give the CRM's opportunities, with the slugs of stage and pipeline, in the order of ours."""
    slugs = stages(world)
    pipelines = {each["id"]: each["slug"] for each in crm_of(world).records("pipelines")}
    return [
        {**each, "stage": slugs.get(each["stage"], each["stage"]), "pipeline": pipelines[each["pipeline"]]}
        for each in sorted(crm_of(world).records("opportunities"), key=lambda each: str(each.get("serviceTitanId")))
    ]


def crm_place(deal: dict[str, Any]) -> tuple[str, str, str]:
    """Say where an opportunity of the CRM stands."""
    return deal["pipeline"], deal["stage"], deal["status"]


def sf_deals(world: World) -> dict[str, dict[str, Any]]:
    """Give the org's opportunities by our key."""
    return {row[OPPORTUNITY_KEY]: row for row in world.sf.records("Opportunity")}


def held(world: World) -> list[tuple[str | None, str, str]]:
    """List what is held back: opportunity, rule, reason."""
    rows = world.rows("SELECT opportunity, rule, reason FROM pipeline.held ORDER BY opportunity, rule, reason")
    return [(row["opportunity"], row["rule"], row["reason"]) for row in rows]


def move_by_hand(world: World, deal: dict[str, Any], stage: Any, **fields: Any) -> None:
    """Let a person move an opportunity in the CRM, to a stage by slug or by its id."""
    chosen = stage_id(world, stage) if isinstance(stage, str) else stage
    crm_of(world).put_records("opportunities", {"id": deal["id"], "stage": chosen, **fields})


def chain(told: dict[str, Any]) -> list[tuple[str | None, str, str]]:
    """Give the moves of a story's one opportunity: from, to, rule."""
    [deal] = told["opportunities"]
    moves: Sequence[dict[str, Any]] = deal["history"]
    return [(move["from_stage"], move["to_stage"], move["rule"]) for move in moves]
