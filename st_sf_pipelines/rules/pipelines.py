"""The two pipelines: which business unit belongs to which, their stages, and the fact that leads to each stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from st_sf_pipelines.rules.facts import Record, Seen

    Because = tuple[Record, ...]
    Trigger = Callable[[Seen], Because]

SALES: Final = "sales"
INSTALL: Final = "install"

# fmt: off
BUSINESS_UNITS: Final = {
    "Pool - Sales":         SALES,
    "Pool - Service":       SALES,
    "Pool - Install":       INSTALL,
    "Electrical - Sales":   SALES,
    "Electrical - Service": SALES,
    "Electrical - Install": INSTALL,
}
# fmt: on


# A trigger gives the records that hold it up, none if it does not hold. Its docstring is the business's sentence.


def lead_exists(seen: Seen) -> Because:
    """A lead exists."""
    return (seen.lead,) if seen.lead else ()


def recent_job(seen: Seen) -> Because:
    """The customer is synced with a recent job."""
    return (seen.job,) if seen.job and seen.job.stands else ()


def appointment_booked(seen: Seen) -> Because:
    """The job has an appointment Scheduled or Dispatched."""
    visits = seen.job.appointments if seen.job and seen.job.stands else ()
    return tuple(visit for visit in visits if visit.status in {"scheduled", "dispatched"})


def estimate_open(seen: Seen) -> Because:
    """An open estimate with a value above 0."""
    return seen.valued("open")


def estimate_sold(seen: Seen) -> Because:
    """An estimate with a value above 0 is Sold."""
    return seen.valued("sold")


def estimates_dismissed(seen: Seen) -> Because:
    """An estimate is Dismissed, and none is open or sold."""
    return () if seen.offers("open") or seen.offers("sold") else seen.offers("dismissed")


def install_job_created(seen: Seen) -> Because:
    """An install job is created."""
    return (seen.job,) if seen.job and seen.job.stands else ()


def job_scheduled(seen: Seen) -> Because:
    """The job is Scheduled (also when its technician is dispatched already), and nobody is at work yet."""
    return _job_at(seen, "scheduled", "dispatched")


def job_in_progress(seen: Seen) -> Because:
    """The job is InProgress, or one of its appointments is Working."""
    at_work = _working(seen) if seen.job and seen.job.stands and seen.job.status != "completed" else ()
    return at_work or _job_at(seen, "inprogress")


def job_on_hold(seen: Seen) -> Because:
    """The job is on Hold, and nobody is at work."""
    return _job_at(seen, "hold")


def job_completed(seen: Seen) -> Because:
    """The job is Completed."""
    return (seen.job,) if seen.job and seen.job.status == "completed" else ()


def _job_at(seen: Seen, *statuses: str) -> Because:
    return (seen.job,) if seen.job and seen.job.status in statuses and not _working(seen) else ()


def _working(seen: Seen) -> Because:
    return tuple(visit for visit in (seen.job.appointments if seen.job else ()) if visit.status == "working")


@dataclass(frozen=True)
class Stage:
    """One row: the stage, and what leads to it (None: a person does, by hand).

    `closes` is the status that it gives; from a `protected` one nothing ever moves backward (CRM-7).
    """

    order: int
    slug: str
    name: str
    when: Trigger | None
    closes: Literal["won", "lost"] | None = None
    protected: bool = False

    @property
    def sentence(self) -> str:
        """Say what leads to it."""
        return (self.when.__doc__ or "") if self.when else "By hand."


# fmt: off
SALES_STAGES: Final = (
    #    order slug                   name                                 when (None: by hand)  closes
    Stage(1, "new-lead",              "New Lead",                          lead_exists),
    Stage(2, "contacted",             "Contacted",                         recent_job),
    Stage(3, "appointment-scheduled", "Appointment Scheduled",             appointment_booked),
    Stage(4, "proposal-sent",         "Proposal Sent",                     estimate_open),
    Stage(5, "estimate-followup",     "Estimate Follow-up",                None),
    Stage(6, "job-sold",              "Job Sold",                          estimate_sold,       "won", protected=True),
    Stage(7, "estimate-lost",         "Estimate Lost",                     estimates_dismissed, "lost", protected=True),
)
INSTALL_STAGES: Final = (
    Stage(1, "estimate-approved",     "Estimate Approved / Job Created",   install_job_created),
    Stage(2, "pre-install-planning",  "Pre-Install Planning / Permitting", None),
    Stage(3, "scheduled",             "Scheduled / Ready for Install",     job_scheduled),
    Stage(4, "in-progress",           "In Progress / On Site",             job_in_progress),
    Stage(5, "on-hold",               "On Hold / Return Visit Needed",     job_on_hold),
    Stage(6, "job-completed",         "Job Completed",                     job_completed,       "won"),
)
# fmt: on


@dataclass(frozen=True)
class Pipeline:
    """A pipeline as the CRM knows it, with its stages in their order."""

    slug: str
    name: str
    type: str
    stages: tuple[Stage, ...]


PIPELINES: Final = (
    Pipeline(SALES, "Sales", "sales", SALES_STAGES),
    Pipeline(INSTALL, "Install", "pool_construction", INSTALL_STAGES),
)
STAGE: Final = {stage.slug: stage for pipeline in PIPELINES for stage in pipeline.stages}
PIPELINE_OF_STAGE: Final = {stage.slug: pipeline.slug for pipeline in PIPELINES for stage in pipeline.stages}
ALTERNATING: Final = frozenset({"in-progress", "on-hold"})
"""The two stages between which a job goes to and fro (CRM-6)."""


def pipeline_of_unit(unit: str | None, business_units: Mapping[str, str]) -> tuple[str, bool]:
    """Give the pipeline of a business unit, and whether the table maps it; `business_units` is laid over the table.

    A unit that is not in the table: Install if its name contains 'install', else Sales.
    """
    name = _folded(unit or "")
    table = {_folded(known): pipeline for known, pipeline in (BUSINESS_UNITS | dict(business_units)).items()}
    return (table[name], True) if name in table else (INSTALL if "install" in name else SALES, False)


def trade(unit: str | None) -> str:
    """Give the trade of a business unit: its name before the dash, case and spacing aside."""
    return _folded((unit or "").partition("-")[0])


def _folded(name: str) -> str:
    return "".join(name.split()).casefold()
