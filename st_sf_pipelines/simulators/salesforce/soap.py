"""The one call of the SOAP API that has no like in REST: convertLead, with an OAuth token for its session."""

import re
from html import escape
from xml.etree import ElementTree as ET

from st_sf_pipelines.simulators.salesforce.conversion import Converted, convert
from st_sf_pipelines.simulators.salesforce.exchange import Answer
from st_sf_pipelines.simulators.salesforce.faults import RowError
from st_sf_pipelines.simulators.salesforce.org import INTEGRATION_USER, Org
from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.writer import Writer

PATH = re.compile(r"/services/Soap/u/\d\d\.0(/\w+)?")
MOST_LEADS = 100
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
PARTNER = "urn:partner.soap.sforce.com"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
NAMES = {"s": SOAP, "p": PARTNER}


class SoapFault(Exception):  # noqa: N818 - an answer, not a fault of ours
    """A request that is refused whole."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def serve_soap(org: Org, method: str, headers: dict[str, str], content: bytes, row_faults: list[RowError]) -> Answer:
    """Answer one request to `/services/Soap/u/62.0`."""
    try:
        results = _convert_leads(org, _envelope(method, headers, content), row_faults)
    except SoapFault as fault:
        told = f"<faultcode>{escape(fault.code)}</faultcode><faultstring>{escape(fault.message)}</faultstring>"
        return _answer(500, 'xmlns:sf="urn:fault.partner.soap.sforce.com"', f"<soapenv:Fault>{told}</soapenv:Fault>")
    finally:
        org.tables.settle()
    return _answer(200, f'xmlns="{PARTNER}"', f"<convertLeadResponse>{''.join(results)}</convertLeadResponse>")


def _envelope(method: str, headers: dict[str, str], content: bytes) -> ET.Element:
    if method != "POST" or "text/xml" not in headers.get("content-type", ""):
        raise SoapFault("soapenv:Client", "a SOAP request is a POST of text/xml")
    if "soapaction" not in headers:
        raise SoapFault("soapenv:Client", "SOAPAction HTTP header missing")
    try:
        return ET.fromstring(content)  # noqa: S314 - what a client on this machine sends to a stand-in
    except ET.ParseError as error:
        raise SoapFault("soapenv:Client", f"the request is no XML: {error}") from None


def _convert_leads(org: Org, envelope: ET.Element, row_faults: list[RowError]) -> list[str]:
    token = envelope.findtext("s:Header/p:SessionHeader/p:sessionId", "", NAMES)
    if org.sessions.bearer(f"Bearer {token}") is None:
        message = "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader: Illegal Session"
        raise SoapFault("sf:INVALID_SESSION_ID", message)
    if org.api_calls >= org.daily_limit:
        raise SoapFault("sf:REQUEST_LIMIT_EXCEEDED", "REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.")
    org.api_calls += 1
    call = envelope.find("s:Body/p:convertLead", NAMES)
    if call is None:
        raise SoapFault("soapenv:Client", "No operation available for request; this stand-in knows convertLead")
    asked = [
        {field.tag.removeprefix(f"{{{PARTNER}}}"): field.text or "" for field in lead}
        for lead in call.findall("p:leadConverts", NAMES)
    ]
    if len(asked) > MOST_LEADS:
        message = f"EXCEEDED_ID_LIMIT: record limit reached. cannot convert more than {MOST_LEADS} records"
        raise SoapFault("sf:EXCEEDED_ID_LIMIT", message)
    return [_converted(org, lead, row_faults) for lead in asked]


def _converted(org: Org, asked: dict[str, str], row_faults: list[RowError]) -> str:
    """Convert one lead; a refused one leaves nothing behind, and the others go on."""
    writer = Writer(org.schema, org.tables, org.rules, INTEGRATION_USER, org.now())
    mark = org.tables.mark()
    try:
        for refuse in row_faults:
            refuse({"Id": asked.get("leadId")})
        return _success(convert(org, writer, asked))
    except Refusal as refusal:
        org.tables.undo(mark)
        org.counters.refused["Lead"] += 1
        return _failure(refusal)


def _success(made: Converted) -> str:
    ids = {"accountId": made.account_id, "contactId": made.contact_id, "leadId": made.lead_id}
    shown = "".join(f"<{name}>{record_id}</{name}>" for name, record_id in ids.items())
    deal = f"<opportunityId>{made.opportunity_id}</opportunityId>" if made.opportunity_id else _nil("opportunityId")
    return f"<result>{shown}{deal}<success>true</success></result>"


def _failure(refusal: Refusal) -> str:
    fields = "".join(f"<fields>{escape(name)}</fields>" for name in refusal.fields)
    told = f"<message>{escape(refusal.message)}</message><statusCode>{refusal.code}</statusCode>"
    ids = "".join(map(_nil, ("leadId", "opportunityId")))
    before = "".join(map(_nil, ("accountId", "contactId")))
    return f"<result>{before}<errors>{fields}{told}</errors>{ids}<success>false</success></result>"


def _nil(name: str) -> str:
    return f'<{name} xsi:nil="true"/>'


def _answer(status: int, names: str, body: str) -> Answer:
    envelope = (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{SOAP}" {names} xmlns:xsi="{XSI}">'
        f"<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )
    return Answer(status, envelope, {"content-type": "text/xml; charset=UTF-8"})
