"""Makes facts for tests of deals: records with ids and ages in days, and rounds over them, one after another."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from st_sf_pipelines.config import Pipelines
from st_sf_pipelines.rules.by_hand import set_by_hand
from st_sf_pipelines.rules.deals import Concluded, Deal, Held
from st_sf_pipelines.rules.facts import Appointment, AsOf, Estimate, Facts, Job, Lead
from st_sf_pipelines.rules.fold import fold

if TYPE_CHECKING:
    from datetime import date

ZONE = ZoneInfo("America/Los_Angeles")
NOW = datetime(2026, 1, 31, 20, tzinfo=UTC)  # noon in Los Angeles
SELLS, SERVES, INSTALLS = "Pool - Sales", "Pool - Service", "Pool - Install"
CABLES, WIRES = "Electrical - Sales", "Electrical - Install"


def ago(days: float) -> datetime:
    """Give the instant so many days before now."""
    return NOW - timedelta(days=days)


def job(nr: int, days: float, status: str = "scheduled", unit: str | None = SELLS, **more: Any) -> Job:
    """Make a job that was created some days ago; `visits` are the statuses of its appointments."""
    visits = more.pop("visits", ())
    fields: dict[str, Any] = {"customer_id": 7, "unit": unit, "number": f"J{nr}", "modified_at": ago(days)} | more
    visits = tuple(
        Appointment(nr * 10 + place, each, ago(days), fields["modified_at"]) for place, each in enumerate(visits)
    )
    return Job(nr, status, ago(days), appointments=visits, **fields)


def estimate(nr: int, days: float, status: str = "open", dollars: float = 1000, **more: Any) -> Estimate:
    """Make an estimate that was created some days ago; `sold` tells how many days ago it was sold."""
    sold = more.pop("sold", days if status == "sold" else None)
    fields: dict[str, Any] = {
        "modified_at": ago(days if sold is None else sold),
        "label": f"Offer {nr}",
        "job_id": 1,
    } | more
    sold_on = None if sold is None else ago(sold)
    return Estimate(nr, status, ago(days), value_cents=round(dollars * 100), sold_on=sold_on, **fields)


def lead(nr: int, days: float, status: str = "open", **more: Any) -> Lead:
    """Make a lead that was created some days ago."""
    return Lead(nr, status, ago(days), **({"modified_at": ago(days)} | more))


def facts(*records: Job | Estimate | Lead, subject: int = 7, **more: Any) -> Facts:
    """Put a customer's records together."""
    fields: dict[str, Any] = {"name": "Ann Lee"} | more
    ordered = sorted(records, key=lambda record: record.age)
    return Facts(
        subject,
        jobs=tuple(each for each in ordered if isinstance(each, Job)),
        estimates=tuple(each for each in ordered if isinstance(each, Estimate)),
        leads=tuple(each for each in ordered if isinstance(each, Lead)),
        **fields,
    )


@dataclass
class Rounds:
    """One subject's rounds: `look` works one, at the moment `days` after now, over the records as they are then."""

    rules: Pipelines = field(default_factory=Pipelines)
    deals: tuple[Deal, ...] = ()
    last: Concluded = field(default_factory=lambda: Concluded(()))
    seen: Facts = field(default_factory=facts)
    more: dict[str, Any] = field(default_factory=dict)
    hand: tuple[str, datetime] | None = None  # the stage that a person has set since the last look, and when

    def look(
        self, *records: Job | Estimate | Lead, days: float = 0, last_good: date | None = None, **more: Any
    ) -> tuple[Deal, ...]:
        """Work a round; the same again must change nothing."""
        self.seen = facts(*records, **(self.more | more))
        as_of = AsOf(ago(-days), ZONE, last_good)
        if self.hand:
            self.deals = tuple(self._placed(deal, *self.hand) for deal in self.deals)
            self.hand = None
        self.last = fold(self.seen, self.deals, as_of, self.rules)
        self.deals = self.last.deals
        again = fold(replace(self.seen, contact=self.last.wants_contact), self.deals, as_of, self.rules)
        assert (again.deals, again.moves, again.activities) == (self.deals, (), ())
        assert (again.held, again.due_on) == (self.last.held, self.last.due_on)
        return self.deals

    def by_hand(self, stage: str, days: float = 0) -> Held | None:
        """Set the only deal's stage by hand, `days` after now; the next look learns of it together with its facts."""
        (deal,) = self.deals
        done = set_by_hand(deal, stage, ago(-days), self.seen)
        if isinstance(done, Held):
            return done
        self.hand = stage, ago(-days)
        return None

    def _placed(self, deal: Deal, stage: str, at: datetime) -> Deal:
        placed = set_by_hand(deal, stage, at, self.seen)
        assert isinstance(placed, Deal)
        return placed

    def pin(self) -> None:
        """Pin every deal."""
        self.deals = tuple(replace(deal, pinned=True) for deal in self.deals)

    @property
    def places(self) -> list[tuple[str, str]]:
        """Where the deals stand: stage and status."""
        return [(deal.stage, deal.status) for deal in self.deals]

    @property
    def reasons(self) -> list[str]:
        """What is held back: rule, records, reason."""
        return [f"{held.rule} {' '.join(held.records)}: {held.reason}" for held in self.last.held]


def after(*records: Job | Estimate | Lead, **more: Any) -> Rounds:
    """Work a first round over some records."""
    rounds = Rounds(more=more)
    rounds.look(*records)
    return rounds
