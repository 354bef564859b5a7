"""Tells a refused request as the error of ours that says whether trying again can help."""

from __future__ import annotations

from typing import Any

from st_sf_pipelines.errors import CredentialsError, PermanentError, TransientError
from st_sf_pipelines.systems.http import TRANSIENT_STATUSES, code_in, fields_in
from st_sf_pipelines.systems.salesforce.codes import Kind, kind_of


def refusal(tenant: str, endpoint: str, status: int, content: Any) -> PermanentError | TransientError:
    """Turn a refused request into the error that says whether trying again can help; no value of the body stays."""
    first = content[0] if isinstance(content, list) and content and isinstance(content[0], dict) else {}
    code = code_in(first.get("errorCode") or (content.get("error") if isinstance(content, dict) else None))
    kind: type[PermanentError | TransientError] = PermanentError
    cause = "the request is refused"
    if status == 401 or code == "INVALID_SESSION_ID":
        kind, cause, code = CredentialsError, "the session is refused", code or "INVALID_SESSION_ID"
    elif code == "REQUEST_LIMIT_EXCEEDED":
        concurrent = "oncurrent" in str(first.get("message"))
        kind = TransientError if concurrent else PermanentError
        cause = "too many calls at once" if concurrent else "the org's daily limit of API calls is used up"
    elif status in TRANSIENT_STATUSES or status >= 500 or kind_of(code) is Kind.PASSING:
        kind, cause = TransientError, "the server is in trouble"
    elif status == 403:
        kind, cause = CredentialsError, "the integration user may not do this"
    fields = fields_in(first.get("fields"))
    return kind("salesforce", tenant, endpoint, cause, status=status, code=code, fields=fields)
