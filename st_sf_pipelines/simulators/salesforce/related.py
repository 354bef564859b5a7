"""What a record has to do with others: who is a member of a campaign, an event's account, a lead that was converted."""

from collections.abc import Callable

from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.tables import Row, Tables

OF_OBJECT = {"001": "Account", "003": "Contact", "00Q": "Lead", "006": "Opportunity"}
COPIED = ("Salutation", "FirstName", "LastName", "Name", "Title", "Phone", "Email", "LeadSource")
RESPONDED = "Responded"


def judge(tables: Tables, kind: str, row: Row) -> None:
    """Refuse a row that the records around it forbid."""
    rule = _JUDGES.get(kind)
    if rule:
        rule(tables, row)


def fill(tables: Tables, kind: str, row: Row) -> None:
    """Fill in what Salesforce copies from the records around a row."""
    rule = _FILLS.get(kind)
    if rule:
        rule(tables, row)


def converted_lead() -> Refusal:
    """Return the refusal of a write to a lead that was converted, or of one that points to it."""
    return Refusal("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")


def find(tables: Tables, record_id: str | None) -> Row | None:
    """Return the row of a person, a company or a deal."""
    kind = OF_OBJECT.get((record_id or "")[:3])
    return tables.of[kind].rows.get(record_id or "") if kind else None


def memberships(tables: Tables, lookup: str, record_id: str) -> list[Row]:
    """Return what makes a contact (ContactId) or a lead (LeadId) a member of campaigns."""
    # The index folds case, in which the ids of two records may differ.
    return [row for row in tables.of["CampaignMember"].find(lookup, record_id) if row[lookup] == record_id]


def _judge_member(tables: Tables, row: Row) -> None:
    lookup = "ContactId" if row.get("ContactId") else "LeadId"
    if not row.get(lookup):
        raise Refusal("REQUIRED_FIELD_MISSING", "Required fields are missing: [LeadId, ContactId]", ["LeadId"])
    if lookup == "LeadId":
        _judge_lead(tables, row["LeadId"])
    twins = [twin for twin in memberships(tables, lookup, row[lookup]) if twin["CampaignId"] == row["CampaignId"]]
    if any(twin["Id"] != row["Id"] for twin in twins):
        raise Refusal("DUPLICATE_VALUE", "Already a campaign member.")


def _judge_event(tables: Tables, row: Row) -> None:
    who = row.get("WhoId") or ""
    if who.startswith("00Q"):
        _judge_lead(tables, who)
        if row.get("WhatId"):
            message = "Related To ID: an activity of a lead can not be related to anything else"
            raise Refusal("FIELD_INTEGRITY_EXCEPTION", message, ["WhatId"])


def _judge_lead(tables: Tables, lead_id: str) -> None:
    if tables.of["Lead"].rows[lead_id].get("IsConverted"):
        raise converted_lead()


def _fill_member(tables: Tables, row: Row) -> None:
    if row.get("ContactId"):
        row.pop("LeadId", None)  # of both only the contact is kept
    person = find(tables, row.get("ContactId") or row.get("LeadId")) or {}
    row |= {name: person[name] for name in COPIED if person.get(name) is not None}
    row["LeadOrContactId"] = person.get("Id")
    row["Type"] = "Contact" if row.get("ContactId") else "Lead"
    row["HasResponded"] = row.get("Status") == RESPONDED


def _fill_event(tables: Tables, row: Row) -> None:
    """Give an event the account that it is about: named itself, or that of its deal, or that of its contact."""
    row.pop("AccountId", None)
    what, who = row.get("WhatId") or "", row.get("WhoId")
    about = find(tables, what) if what else find(tables, who)
    account = what if what.startswith("001") else (about or {}).get("AccountId")
    if account:
        row["AccountId"] = account


_JUDGES: dict[str, Callable[[Tables, Row], None]] = {"CampaignMember": _judge_member, "Event": _judge_event}
_FILLS: dict[str, Callable[[Tables, Row], None]] = {"CampaignMember": _fill_member, "Event": _fill_event}
