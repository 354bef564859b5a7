"""Leads converted into a contact of an account, and into a deal unless the caller says not."""

from collections.abc import Mapping
from dataclasses import dataclass

from st_sf_pipelines.simulators.salesforce.ids import normalise
from st_sf_pipelines.simulators.salesforce.incoming import Incoming
from st_sf_pipelines.simulators.salesforce.org import Org
from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.related import converted_lead, fill, memberships
from st_sf_pipelines.simulators.salesforce.tables import Row
from st_sf_pipelines.simulators.salesforce.writer import Writer

# What goes from a lead into the empty fields of its contact.
HANDED_ON = {
    "FirstName": "FirstName", "LastName": "LastName", "Email": "Email", "Phone": "Phone", "MobilePhone": "MobilePhone",
    "Title": "Title", "LeadSource": "LeadSource", "Street": "MailingStreet", "City": "MailingCity",
    "State": "MailingState", "PostalCode": "MailingPostalCode", "Country": "MailingCountry",
}  # fmt: skip


@dataclass(frozen=True)
class Converted:
    """The ids of the lead and of what became of it."""

    lead_id: str
    account_id: str
    contact_id: str
    opportunity_id: str | None


def convert(org: Org, writer: Writer, asked: Mapping[str, str]) -> Converted:
    """Convert one lead, as the fields of a LeadConvert say."""
    lead = _living(org, "Lead", asked.get("leadId"))
    if lead.get("IsConverted"):
        raise converted_lead()
    status = asked.get("convertedStatus", "")
    if not any(row["ApiName"] == status and row["IsConverted"] for row in org.tables.of["LeadStatus"].living()):
        raise Refusal("INVALID_STATUS", f"invalid convertedStatus: {status}")
    account, contact = _company(org, writer, lead, asked), _person(org, writer, lead, asked)
    if contact.get("AccountId") not in (None, account["Id"]) or (asked.get("contactId") and not asked.get("accountId")):
        raise Refusal("INVALID_ID_FIELD", "contactId: the contact must belong to the account that is named beside it")
    given = {"AccountId": account["Id"]}
    given |= {theirs: lead[ours] for ours, theirs in HANDED_ON.items() if lead.get(ours) and not contact.get(theirs)}
    writer.update(org.schema.get("Contact"), contact["Id"], Incoming(given))
    deal = None if asked.get("doNotCreateOpportunity") == "true" else _deal(org, writer, lead, account, asked)
    _close(org, writer, lead, {"Status": status, "account": account["Id"], "contact": contact["Id"], "deal": deal})
    return Converted(lead["Id"], account["Id"], contact["Id"], deal)


def _living(org: Org, name: str, record_id: str | None) -> Row:
    row = org.tables.of[name].rows.get(normalise(record_id or "") or "")
    if row is None:
        raise Refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    if row["IsDeleted"]:
        raise Refusal("ENTITY_IS_DELETED", "entity is deleted")
    return row


def _company(org: Org, writer: Writer, lead: Row, asked: Mapping[str, str]) -> Row:
    if asked.get("accountId"):
        return _living(org, "Account", asked["accountId"])
    return writer.create(org.schema.get("Account"), Incoming({"Name": lead["Company"]}))


def _person(org: Org, writer: Writer, lead: Row, asked: Mapping[str, str]) -> Row:
    if asked.get("contactId"):
        return _living(org, "Contact", asked["contactId"])
    return writer.create(org.schema.get("Contact"), Incoming({"LastName": lead["LastName"]}))


def _deal(org: Org, writer: Writer, lead: Row, account: Row, asked: Mapping[str, str]) -> str:
    given = {
        "Name": asked.get("opportunityName") or f"{lead['Company']}-",
        "AccountId": account["Id"],
        "StageName": "Prospecting",
        "CloseDate": org.now()[:10],
    }
    deal_id: str = writer.create(org.schema.get("Opportunity"), Incoming(given))["Id"]
    return deal_id


def _close(org: Org, writer: Writer, lead: Row, became: dict[str, str | None]) -> None:
    """Mark the lead, and hand its events and its places in campaigns to the contact."""
    stamps = {"LastModifiedDate": writer.now, "SystemModstamp": writer.now, "LastModifiedById": writer.user_id}
    marks = {
        "Status": became["Status"],
        "IsConverted": True,
        "ConvertedDate": writer.now[:10],
        "ConvertedAccountId": became["account"],
        "ConvertedContactId": became["contact"],
        "ConvertedOpportunityId": became["deal"],
    }
    org.tables.write(org.tables.of["Lead"], {**lead, **marks, **stamps}, "updated")
    events = org.tables.of["Event"]
    for row in [row for row in events.find("WhoId", lead["Id"]) if row["WhoId"] == lead["Id"]]:
        moved = {**row, "WhoId": became["contact"], **stamps}
        fill(org.tables, "Event", moved)
        org.tables.write(events, moved, "updated")
    for row in memberships(org.tables, "LeadId", lead["Id"]):
        moved = {**row, "ContactId": became["contact"], **stamps}
        fill(org.tables, "CampaignMember", moved)
        org.tables.write(org.tables.of["CampaignMember"], moved, "updated")
