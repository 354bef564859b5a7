"""The fields that Salesforce works out itself: full names, the money and outcome of a deal, the span of an event."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from st_sf_pipelines.simulators.salesforce.instants import read_datetime, written
from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.tables import Row


class Stage(NamedTuple):
    """What a stage of an opportunity stands for where the record does not say otherwise."""

    probability: float
    forecast: str
    closed: bool = False
    won: bool = False


STAGES = {
    "Prospecting": Stage(10, "Pipeline"),
    "Qualification": Stage(10, "Pipeline"),
    "Needs Analysis": Stage(20, "Pipeline"),
    "Value Proposition": Stage(50, "Pipeline"),
    "Id. Decision Makers": Stage(60, "Pipeline"),
    "Perception Analysis": Stage(70, "Pipeline"),
    "Proposal/Price Quote": Stage(75, "Pipeline"),
    "Negotiation/Review": Stage(90, "Pipeline"),
    "Closed Won": Stage(100, "Closed", closed=True, won=True),
    "Closed Lost": Stage(0, "Omitted", closed=True),
}
LONGEST_EVENT_MINUTES = 14 * 24 * 60
FORECASTS = {"Best Case": "BestCase", "Commit": "Forecast"}


def derive(kind: str, row: Row, given: Row, now: str) -> None:
    """Fill in what follows from a new row's other fields; `given` is what the request itself said."""
    rule = _RULES.get(kind)
    if rule:
        rule(row, given, now)


def address(row: Row, field: str) -> dict[str, Any] | None:
    """Return a compound address out of its parts (`MailingAddress` out of MailingStreet and so on)."""
    start = field.removesuffix("Address")
    parts = {
        "city": row.get(f"{start}City"),
        "country": row.get(f"{start}Country"),
        "geocodeAccuracy": row.get(f"{start}GeocodeAccuracy"),
        "latitude": row.get(f"{start}Latitude"),
        "longitude": row.get(f"{start}Longitude"),
        "postalCode": row.get(f"{start}PostalCode"),
        "state": row.get(f"{start}State"),
        "street": row.get(f"{start}Street"),
    }
    return parts if any(value is not None for value in parts.values()) else None


def _full_name(row: Row, _given: Row, _now: str) -> None:
    row["Name"] = " ".join(part for part in (row.get("FirstName"), row.get("LastName")) if part)


def _deal(row: Row, given: Row, now: str) -> None:
    stage = STAGES.get(row["StageName"], Stage(0, "Pipeline"))
    if "StageName" in given:
        row["LastStageChangeDate"] = now
        if given.get("Probability") is None:
            row["Probability"] = stage.probability
        if given.get("ForecastCategoryName") is None:
            row["ForecastCategoryName"] = stage.forecast
    forecast = row.get("ForecastCategoryName") or stage.forecast
    row["ForecastCategory"] = FORECASTS.get(forecast, forecast)
    row["IsClosed"], row["IsWon"] = stage.closed, stage.won
    amount, probability = row.get("Amount"), row.get("Probability")
    if amount is not None and probability is not None:
        row["ExpectedRevenue"] = round(amount * probability / 100, 2)
    year, month = int(row["CloseDate"][:4]), int(row["CloseDate"][5:7])
    row["FiscalYear"], row["FiscalQuarter"] = year, (month + 2) // 3
    row["Fiscal"] = f"{year} {row['FiscalQuarter']}"


def _event(row: Row, given: Row, _now: str) -> None:
    start = given.get("StartDateTime") or given.get("ActivityDateTime") or row.get("StartDateTime")
    if row.get("IsAllDayEvent") and row.get("ActivityDate"):
        start = read_datetime(f"{row['ActivityDate']}T00:00:00Z")
    end = given.get("EndDateTime")
    minutes = row.get("DurationInMinutes")
    if start and end and "DurationInMinutes" not in given:
        minutes = int((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() // 60)
    if minutes is None and row.get("IsAllDayEvent"):
        minutes = 1440
    if start is None or minutes is None:
        missing = [
            *(["ActivityDateTime"] if start is None else []),
            *(["DurationInMinutes"] if minutes is None else []),
        ]
        raise Refusal("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", missing)
    if minutes < 0:
        raise Refusal("FIELD_INTEGRITY_EXCEPTION", "An event can't end before it starts.", ["EndDateTime"])
    if minutes > LONGEST_EVENT_MINUTES:
        raise Refusal("FIELD_INTEGRITY_EXCEPTION", "An event can't last longer than 14 days.", ["EndDateTime"])
    stop = written(datetime.fromisoformat(start) + timedelta(minutes=minutes))
    row["StartDateTime"] = row["ActivityDateTime"] = start
    row["DurationInMinutes"], row["EndDateTime"] = minutes, stop
    row["ActivityDate"], row["EndDate"] = start[:10], stop[:10]


_RULES: dict[str, Callable[[Row, Row, str], None]] = {
    "Contact": _full_name,
    "Lead": _full_name,
    "User": _full_name,
    "Opportunity": _deal,
    "Event": _event,
}
