"""How a deal is called: after its customer and what is being sold to it (CRM-1, CRM-3 to CRM-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from st_sf_pipelines.rules.facts import Estimate, Job, Seen

QUALIFYING: Final = "New Customer Qualifying"


def titled(name: str, label: str) -> str:
    """NAME - what is being sold."""
    return f"{name} - {label}"


def offered(estimate: Estimate, cents: int) -> str:
    """ESTIMATE NAME - $1,234.56; an estimate without a name is called 'Estimate'."""
    return f"{(estimate.label or '').strip() or 'Estimate'} - {money(cents)}"


def installing(job: Job, cents: int | None) -> str:
    """Install Job #NUMBER - $1,234.56."""
    return f"Install Job #{job.number or job.id} - {money(cents or 0)}"


def listing(seen: Seen) -> str | None:
    """The notes with all estimates of a deal: those that are open, sold, dismissed, a line each, the newest first."""
    lines: list[str] = []
    for status in ("open", "sold", "dismissed"):
        if offers := seen.offers(status):
            lines.append(f"{status.capitalize()} estimates:")
            lines += (f"Estimate {each.id}: {offered(each, each.value_cents)}" for each in reversed(offers))
    return "\n".join(lines) or None


def money(cents: int) -> str:
    """$1,234.56, or -$1,234.56."""
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100:,}.{abs(cents) % 100:02}"
