"""Envelopes of the SOAP API, which is called where REST has no like: made, opened, and their faults told as ours."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from st_sf_pipelines.errors import TransientError
from st_sf_pipelines.systems.salesforce.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

PARTNER: Final = "{urn:partner.soap.sforce.com}"
_ENVELOPE: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns="urn:partner.soap.sforce.com"><soapenv:Header><SessionHeader><sessionId>{token}</sessionId></SessionHeader>'
    "</soapenv:Header><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
)


def enveloped(token: str, body: str) -> str:
    """Put a call into its envelope; an OAuth access token is the session."""
    return _ENVELOPE.format(token=escape(token), body=body)


def element(name: str, content: Mapping[str, str]) -> str:
    """Write one element with a child for each value, in the order given, which is that of the WSDL."""
    children = "".join(f"<{child}>{escape(value)}</{child}>" for child, value in content.items())
    return f"<{name}>{children}</{name}>"


def opened(tenant: str, endpoint: str, status: int, content: bytes) -> ET.Element:
    """Open an answer's envelope; raise a fault as the error that says whether trying again can help."""
    try:
        envelope = ET.fromstring(content)  # noqa: S314 - the org's own answer; expat bounds what entities may grow to
    except ET.ParseError:
        if status >= 400:
            raise refusal(tenant, endpoint, status, None) from None
        cause = "the answer is not XML (cut off, or not from the API)"
        raise TransientError("salesforce", tenant, endpoint, cause) from None
    fault = envelope.findtext(".//faultcode")
    if fault is not None:
        # Every fault comes as a 500; what it means stands in its code.
        code = fault.rpartition(":")[2]
        raise refusal(tenant, endpoint, 400, [{"errorCode": code, "message": envelope.findtext(".//faultstring")}])
    if status >= 400:
        raise refusal(tenant, endpoint, status, None)
    return envelope
