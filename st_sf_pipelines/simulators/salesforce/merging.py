"""Merges by hand: what hung on the record that lost hangs on the one that won, and the loser says who that is."""

from st_sf_pipelines.simulators.salesforce.ids import normalise
from st_sf_pipelines.simulators.salesforce.org import OFFICE_USER, Org
from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.related import memberships
from st_sf_pipelines.simulators.salesforce.tables import Row
from st_sf_pipelines.simulators.salesforce.writer import find_living

MERGEABLE = ("Account", "Contact", "Lead")
MOST_LOSERS = 2


def merge(org: Org, name: str, master_id: str, loser_ids: list[str]) -> None:
    """Merge up to two records of an object into another, as somebody of the office does."""
    kind = org.schema.get(name)
    if kind.name not in MERGEABLE or not 1 <= len(loser_ids) <= MOST_LOSERS:
        raise Refusal("INVALID_OPERATION", f"one or two records of {', '.join(MERGEABLE)} are merged into another")
    table = org.tables.of[kind.name]
    stamps = {"LastModifiedDate": org.now(), "SystemModstamp": org.now(), "LastModifiedById": OFFICE_USER}
    master = find_living(table, normalise(master_id) or master_id)
    for loser_id in loser_ids:
        loser = find_living(table, normalise(loser_id) or loser_id)
        if loser["Id"] == master["Id"]:
            raise Refusal("INVALID_OPERATION", "a record is not merged into itself")
        _hand_over(org, loser, master, stamps)
        table.put({**loser, **stamps, "IsDeleted": True, "MasterRecordId": master["Id"]})
    table.put({**master, **stamps})


def _hand_over(org: Org, loser: Row, master: Row, stamps: Row) -> None:
    kind = org.schema.of_id(master["Id"])
    for child in org.tables.of.values():
        lookups = [
            field.name
            for field in child.kind.fields.values()
            if kind and kind.name in field.reference_to and field.name != "MasterRecordId"
        ]
        for row in list(child.living()):
            moved = {name: master["Id"] for name in lookups if row.get(name) == loser["Id"]}
            if moved:
                twice = child.kind.name == "CampaignMember" and _is_member(org, row, moved)
                child.put({**row, **stamps, "IsDeleted": True} if twice else {**row, **moved, **stamps})


def _is_member(org: Org, row: Row, moved: Row) -> bool:
    """Tell whether the master is a member of this campaign already: then the loser's membership ends."""
    lookup = "ContactId" if "ContactId" in moved else "LeadId"
    return any(twin["CampaignId"] == row["CampaignId"] for twin in memberships(org.tables, lookup, moved[lookup]))
