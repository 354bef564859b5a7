"""Converts leads into the contacts that their customers have become, by SOAP: REST has no such call (SF-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from st_sf_pipelines.errors import PermanentError, TransientError
from st_sf_pipelines.ports import Outcome, Receipt
from st_sf_pipelines.systems.http import code_in, fields_in
from st_sf_pipelines.systems.salesforce.codes import Kind, kind_of
from st_sf_pipelines.systems.salesforce.collection import chunks, listed
from st_sf_pipelines.systems.salesforce.soap import PARTNER, element

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree import ElementTree as ET

    from st_sf_pipelines.ports import Conversion
    from st_sf_pipelines.systems.salesforce.session import SalesforceSession

LEADS: Final = 100  # of a call
_CONVERTED: Final = "CANNOT_UPDATE_CONVERTED_LEAD"


class Converter:
    """Converts the leads of one org; asked twice for the same lead, it finds it converted and is content."""

    def __init__(self, tenant: str, session: SalesforceSession, status: str | None) -> None:
        """Take the tenant's name for errors, the session, and the status of a converted lead, if one is configured."""
        self._tenant = tenant
        self._session = session
        self._status = status

    def convert(self, conversions: Sequence[Conversion]) -> Iterator[list[Receipt]]:
        """Convert leads, a hundred a call; yield the receipts of each call, under the leads' ids. Raise RemoteError."""
        for some in chunks(conversions, LEADS):
            status = self._status = self._status or self._asked()
            body = "".join(_wanted(conversion, status) for conversion in some)
            results = self._session.soap(f"<convertLead>{body}</convertLead>").findall(f".//{PARTNER}result")
            if len(results) != len(some):
                cause = "the answer does not match the request"
                raise TransientError("salesforce", self._tenant, "POST soap", cause)
            yield self._settled(some, [_receipt(c, result) for c, result in zip(some, results, strict=True)])

    def _asked(self) -> str:
        soql = "SELECT ApiName FROM LeadStatus WHERE IsConverted = true ORDER BY SortOrder LIMIT 1"
        statuses = list(self._session.records(soql))
        if not statuses:
            cause = "the org has no status for a converted lead: mark one in Setup, Lead Status"
            raise PermanentError("salesforce", self._tenant, "GET query", cause)
        return str(statuses[0]["ApiName"])

    def _settled(self, conversions: Sequence[Conversion], receipts: list[Receipt]) -> list[Receipt]:
        """Be content with leads that were converted into the same contact before: an answer of ours was lost."""
        doubtful = {receipt.key for receipt in receipts if receipt.code == _CONVERTED}
        if not doubtful:
            return receipts
        soql = f"SELECT Id, ConvertedContactId FROM Lead WHERE Id IN ({listed(sorted(doubtful))})"
        became = {r["Id"]: r["ConvertedContactId"] for r in self._session.records(soql)}
        done = {c.lead_id for c in conversions if c.lead_id in doubtful and became.get(c.lead_id) == c.contact_id}
        return [Receipt(r.key, Outcome.UPDATED, r.remote_id) if r.key in done else r for r in receipts]


def _wanted(conversion: Conversion, status: str) -> str:
    return element(
        "leadConverts",
        {
            "accountId": conversion.account_id,
            "contactId": conversion.contact_id,
            "convertedStatus": status,
            "doNotCreateOpportunity": "true",
            "leadId": conversion.lead_id,
            "overwriteLeadSource": "false",
            "sendNotificationEmail": "false",
        },
    )


def _receipt(conversion: Conversion, result: ET.Element) -> Receipt:
    if result.findtext(f"{PARTNER}success") == "true":
        return Receipt(conversion.lead_id, Outcome.UPDATED, conversion.lead_id)
    code = code_in(result.findtext(f"{PARTNER}errors/{PARTNER}statusCode"))
    outcome = Outcome.PASSING if kind_of(code) is Kind.PASSING else Outcome.REFUSED
    fields = fields_in([field.text for field in result.findall(f"{PARTNER}errors/{PARTNER}fields")])
    return Receipt(conversion.lead_id, outcome, conversion.lead_id, code, None, fields)
