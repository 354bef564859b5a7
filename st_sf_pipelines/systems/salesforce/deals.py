"""The objects of the sale, one row a field: deals, events of completed jobs, leads, members of campaigns (SF-3)."""

from __future__ import annotations

from typing import Final

from st_sf_pipelines.mapping import Field, ObjectMap, Transform
from st_sf_pipelines.systems.salesforce.objects import ACCOUNT, CONTACT
from st_sf_pipelines.systems.salesforce.stages import images

_PLACE: Final = ("pipeline", "stage", "status")
_IMAGES: Final = images()
_UNMOVED: Final = {place: image for place, image in _IMAGES.items() if place.count("/") < len(_PLACE)}  # by confidence
STAGE_NAMES: Final = {place: image.stage_name for place, image in _UNMOVED.items()}
PROBABILITIES: Final = {place: image.probability for place, image in _IMAGES.items()}
FORECASTS: Final = {place: image.forecast_category for place, image in _UNMOVED.items()}
LEAD_STATUSES: Final = {
    "Open": "Open - Not Contacted",
    "Converted": "Working - Contacted",  # until its customer appears and the lead is converted there
    "Dismissed": "Closed - Not Converted",
}

# fmt: off
OPPORTUNITY: Final = ObjectMap("salesforce/opportunities", "Opportunity", key="ServiceTitan_Opportunity_Id__c", fields=(
    Field("Account",                      "account_key",             Transform.PARENT,    refers_to=ACCOUNT.key),
    Field("ContactId",                    "contact",                 Transform.REFERENCE, refers_to=CONTACT.asset, create_only=True),  # noqa: E501
    Field("Name",                         "title",                   at_most=120),
    Field("StageName",                    _PLACE,                    Transform.LOOKUP,    values=STAGE_NAMES),
    Field("Probability",                  (*_PLACE, "confidence"),   Transform.LOOKUP,    values=PROBABILITIES, follows="StageName"),  # noqa: E501
    Field("ForecastCategoryName",         _PLACE,                    Transform.LOOKUP,    values=FORECASTS, follows="StageName"),  # noqa: E501
    Field("Amount",                       "value"),
    Field("CloseDate",                    "close_date"),
    Field("OwnerId",                      ("owner_email", "seller_email"), Transform.USER),
    Field("LeadSource",                   "campaign",                at_most=255),
    Field("NextStep",                     "next_step",               at_most=255),
    Field("Description",                  "description",             at_most=32_000),
    Field("ServiceTitan_Job_Id__c",       "job_id"),
    Field("ServiceTitan_Estimate_Id__c",  "estimate_id"),
), says="One Opportunity for each deal, by st_CUSTOMER_N.", source="customers' deals", parent=CONTACT.asset)

EVENT: Final = ObjectMap("salesforce/events", "Event", key="ServiceTitan_Job_Id__c", external_id=False, fields=(
    Field("WhoId",                        "contact",                 Transform.REFERENCE, refers_to=CONTACT.asset),
    Field("WhatId",                       "account",                 Transform.REFERENCE, refers_to=ACCOUNT.asset),
    Field("Subject",                      "subject_line",            at_most=255),
    Field("StartDateTime",                "starts_at",               Transform.UNLESS_EMPTY),
    Field("EndDateTime",                  "ends_at",                 Transform.UNLESS_EMPTY),
    Field("Description",                  "description",             at_most=32_000),
), says="One Event for each job completed since `events_since`, on its contact and account.", source="completed jobs", parent=CONTACT.asset)  # noqa: E501

LEAD: Final = ObjectMap("salesforce/leads", "Lead", key="ServiceTitan_Lead_Id__c", fields=(
    Field("FirstName",                    "first_name"),
    Field("LastName",                     "last_name"),
    Field("Company",                      ("company", "name", "last_name"),   Transform.FIRST_OF),
    Field("Email",                        "email"),
    Field("Phone",                        "phone"),
    Field("Street",                       ("address_line1", "address_line2"), Transform.LINES),
    Field("City",                         "city"),
    Field("State",                        "state"),
    Field("PostalCode",                   "zip"),
    Field("Country",                      "country"),
    Field("Status",                       "status",                  values=LEAD_STATUSES),
    Field("LeadSource",                   "lead_source",             at_most=255),
    Field("OwnerId",                      "owner_email",             Transform.USER),
), says="One Lead for each lead without a customer; converted when its customer appears.", source="leads", behind=(CONTACT.asset,))  # noqa: E501

CAMPAIGN_MEMBER: Final = ObjectMap("salesforce/campaign_members", "CampaignMember", key="", external_id=False, fields=(
    Field("CampaignId",                   "campaign_id",             create_only=True),
    Field("ContactId",                    "contact",                 Transform.REFERENCE, refers_to=CONTACT.asset, create_only=True),  # noqa: E501
), says="Each customer in the campaign of its segment, once.", source="campaign members", parent=CONTACT.asset)
# fmt: on

DEALS: Final = (LEAD, OPPORTUNITY, EVENT, CAMPAIGN_MEMBER)
