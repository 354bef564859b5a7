"""The known first run (CRM-14): the default shop, a real Payload and an org, which all tell the same afterwards."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.simulators.shop import make_shop
from st_sf_pipelines_tests.acceptance import sale
from st_sf_pipelines_tests.acceptance.desk import by_key, prove
from st_sf_pipelines_tests.acceptance.sale import CRM_CONTACTS, CRM_DEALS, DEALS
from st_sf_pipelines_tests.contract.peers import Peer

if TYPE_CHECKING:
    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World

CONTACTS, DEALS_OF = 450, {"install": 16, "contacted": 37, "proposal-sent": 38}
IMAGES = {
    ("contacted", "open"): ("Qualification", 10.0, "Pipeline"),
    ("proposal-sent", "open"): ("Proposal/Price Quote", 50.0, "Best Case"),
    ("install", "open"): ("Negotiation/Review", 90.0, "Commit"),
    ("install", "won"): ("Closed Won", 100.0, "Closed"),
}
TOLD = {
    "crm_contacts": "id crm_id st_customer_id first_name last_name email phone sync_status last_synced_at",
    "crm_opportunities": (
        "id crm_id st_customer_id st_job_id st_estimate_id crm_pipeline_slug crm_stage_slug monetary_value status "
        "sync_status last_synced_at"
    ),
    "crm_sync_log": (
        "id sync_type direction status records_created records_updated records_failed duration_ms triggered_by "
        "started_at completed_at"
    ),
    "v_sync_status": "entity sync_status count last_synced_at",
    "v_recent_activity": "id sync_type direction status",
    "v_pipeline_distribution": "pipeline stage count total_value",
}


def where(pipeline: str, stage: str) -> str:
    """Name the place that a deal is counted under."""
    return pipeline if pipeline == "install" else stage


def shown(peer: Peer) -> list[dict[str, Any]]:
    """Read the opportunities back from Payload over its REST API, with the slugs of pipeline and stage."""
    stages = {each["id"]: each["slug"] for each in peer.all("pipeline-stages")}
    pipelines = {each["id"]: each["slug"] for each in peer.all("pipelines")}
    return [
        {**each, "place": where(pipelines[each["pipeline"]], stages[each["stage"]])}
        for each in peer.all("opportunities")
    ]


def test_the_first_run_gives_450_contacts_and_91_opportunities_in_a_real_payload(open_world: OpenWorld) -> None:
    with Peer.opened("payload number") as peer:
        world = open_world(make_shop())
        world.extra["crm"] = {name: peer.credentials[name] for name in ("api_url", "api_key")}
        world.write_site()
        part = sale.good_round(world)
        assert {asset: part["targets"][asset]["created"] for asset in (CRM_CONTACTS, CRM_DEALS, DEALS)} == {
            CRM_CONTACTS: CONTACTS,
            CRM_DEALS: 91,
            DEALS: 91,
        }
        contacts, deals = peer.all("contacts"), shown(peer)
        assert len({each["serviceTitanId"] for each in contacts}) == len(contacts) == CONTACTS
        assert Counter(each["place"] for each in deals) == DEALS_OF
        tied = {each["id"]: each["serviceTitanId"] for each in contacts}
        theirs = {(tied[each["contact"]], each["title"]): each for each in deals}
        assert len(theirs) == 91
        _in_salesforce(world, theirs)
        _in_the_schema(world)

        stamps = _stamps(peer)
        world.sf.count_anew()
        again = sale.good_round(world)
        assert {
            row[what] for row in again["targets"].values() for what in ("planned", "created", "updated", "calls")
        } == {0}
        assert (world.sf.counters["requests"], _stamps(peer)) == (0, stamps)
        proof = prove(world)["tenants"][0]["objects"]
        assert {asset: row["differences"] for asset, row in proof.items() if not row["ok"]} == {}
        assert {CRM_CONTACTS, CRM_DEALS, DEALS} <= set(proof)


def _in_salesforce(world: World, theirs: dict[tuple[str, str], dict[str, Any]]) -> None:
    """Compare each Opportunity with the CRM's."""
    accounts, contacts = by_key(world.sf, "Account"), by_key(world.sf, "Contact")
    for key, record in sale.sf_deals(world).items():
        customer = key.rpartition("_")[0]
        deal = theirs.pop((customer.removeprefix("st_"), record["Name"]))
        assert (record["AccountId"], record["ContactId"]) == (accounts[customer]["Id"], contacts[customer]["Id"])
        image = (record["StageName"], record["Probability"], record["ForecastCategoryName"])
        assert image == IMAGES[deal["place"], deal["status"]]
        assert record["Amount"] == deal["value"]
        assert deal["closeDate"] == f"{record['CloseDate']}T12:00:00.000Z"
    assert theirs == {}


def _in_the_schema(world: World) -> None:
    """Compare the tables and views that a seed names (CRM-13)."""
    for name, columns in TOLD.items():
        assert world.rows(f"SELECT {', '.join(columns.split())} FROM crm.{name}"), name  # noqa: S608 - both stand above
    counts = world.rows("SELECT entity, sync_status, count FROM crm.v_sync_status ORDER BY entity")
    assert counts == [
        {"entity": "contacts", "sync_status": "synced", "count": CONTACTS},
        {"entity": "opportunities", "sync_status": "synced", "count": 91},
    ]
    found: Counter[str] = Counter()
    for row in world.rows("SELECT * FROM crm.v_pipeline_distribution"):
        found[where(row["pipeline"], row["stage"])] += row["count"]
    assert found == DEALS_OF
    [log] = world.rows("SELECT * FROM crm.v_recent_activity")
    assert (log["direction"], log["status"], log["records_failed"]) == ("st_to_crm", "completed", 0)
    assert log["records_created"] >= CONTACTS + 91
    assert log["duration_ms"] > 0


def _stamps(peer: Peer) -> dict[str, str]:
    """Give when each document changed last."""
    slugs = ("contacts", "opportunities", "activities", "pipelines", "pipeline-stages")
    return {f"{slug} {each['id']}": each["updatedAt"] for slug in slugs for each in peer.all(slug)}
