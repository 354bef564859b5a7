"""What follows once an object's records are written: leads become contacts, and the CRM is told what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.ports import Conversion
from st_sf_pipelines.store import conversions, notices

if TYPE_CHECKING:
    from st_sf_pipelines.ports import Converts, Hears
    from st_sf_pipelines.store.database import Database

NOTICES: Final = 1_000  # of a round


def convert_leads(db: Database, converts: Converts, tenant_id: int, run_id: str) -> int:
    """Convert the leads whose customers have appeared, each with a receipt; say how many (SF-3). Raise RemoteError."""
    due = {row["lead"]: row for row in conversions.due(db, tenant_id)}
    wanted = [Conversion(row["lead"], row["account"], row["contact"]) for row in due.values()]
    converted = 0
    for receipts in converts.convert(wanted) if wanted else ():
        conversions.keep(db, run_id, tenant_id, [(due[receipt.key]["lead_id"], receipt) for receipt in receipts])
        converted += sum(receipt.code is None for receipt in receipts)
    return converted


def tell(db: Database, hears: Hears, tenant_id: int) -> dict[str, Any]:
    """Post the events that stand in the CRM's log and were not told yet, the oldest first (CRM-11).

    A webhook that does not answer is told in the counts, and tried again at the next round.
    """
    events = notices.untold(db, tenant_id, NOTICES)
    told = hears.tell([event for _, event in events])
    notices.keep(db, tenant_id, [activity_id for activity_id, _ in events[: told.sent]])
    return {"told": told.sent, "untold": told.failed, **({"webhook": told.cause} if told.cause else {})}
