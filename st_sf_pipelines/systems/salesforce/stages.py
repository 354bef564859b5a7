"""How a deal's stage, status and confidence read in Salesforce, and what of theirs is read back (SF-4)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Final, NamedTuple

INSTALL: Final = "install"
STATUSES: Final = ("open", "won", "lost")


class Image(NamedTuple):
    """What an Opportunity shows of a deal."""

    stage_name: str
    probability: int
    forecast_category: str


@dataclass(frozen=True)
class Stage:
    """One row: a stage (or how a deal ended), its image, and the other StageNames that are read back as this stage."""

    slug: str
    image: Image
    reads: tuple[str, ...] = ()


# fmt: off
WON: Final  = Image("Closed Won",  100, "Closed")
LOST: Final = Image("Closed Lost",   0, "Omitted")
ON_SITE: Final = Image("Negotiation/Review", 90, "Commit")
"""Any Install stage of a deal that is open."""

SALES: Final = (
    Stage("new-lead",              Image("Prospecting",          10, "Pipeline")),
    Stage("contacted",             Image("Qualification",        10, "Pipeline")),
    Stage("appointment-scheduled", Image("Needs Analysis",       25, "Pipeline"), ("Value Proposition", "Id. Decision Makers", "Perception Analysis")),  # noqa: E501
    Stage("proposal-sent",         Image("Proposal/Price Quote", 50, "Best Case")),
    Stage("estimate-followup",     Image("Negotiation/Review",   75, "Best Case")),
    Stage("job-sold",              WON),
    Stage("estimate-lost",         LOST),
)
TRACKER: Final = (
    Stage("discovery",             Image("Prospecting",          10, "Pipeline"), ("Qualification",)),
    Stage("demo",                  Image("Needs Analysis",       25, "Pipeline"), ("Value Proposition",)),
    Stage("validateSolution",      Image("Proposal/Price Quote", 50, "Best Case")),
    Stage("decisionMakerApproval", Image("Negotiation/Review",   75, "Best Case")),
    Stage("contracting",           Image("Negotiation/Review",   75, "Best Case")),
    Stage("closedWon",             WON),
    Stage("closedLost",            LOST),
)
INSTALL_STAGES: Final = ("estimate-approved", "pre-install-planning", "scheduled", "in-progress", "on-hold", "job-completed")  # noqa: E501
CONFIDENCES: Final = {1: 10, 2: 25, 3: 50, 4: 75, 5: 90}
# fmt: on
_STAGES: Final = {stage.slug: stage for stage in (*SALES, *TRACKER)}


def image(pipeline: str, stage: str, status: str, confidence: int | None = None) -> Image:
    """Give what Salesforce is to show: how a closed deal ended, else the image of its stage.

    In an open deal a confidence wins over the stage's probability. Raise KeyError for a stage that is not listed.
    """
    if status == "won":
        return WON
    if status == "lost":
        return LOST
    here = ON_SITE if pipeline == INSTALL else _STAGES[stage].image
    if confidence in CONFIDENCES and here not in (WON, LOST):
        return here._replace(probability=CONFIDENCES[confidence])
    return here


def stage_from(stage_name: str, pipeline: str, stage: str, status: str) -> str | None:
    """Give the stage that follows from Salesforce's: the present one where nothing moves, None for a conflict.

    Nothing moves where Salesforce shows the image of our own stage, and never in Install. A deal with a tracker's stage
    stays within the tracker's stages.
    """
    if pipeline == INSTALL or stage_name == image(pipeline, stage, status).stage_name:
        return stage
    table = TRACKER if any(row.slug == stage for row in TRACKER) else SALES
    return next((row.slug for row in table if stage_name in (row.image.stage_name, *row.reads)), None)


def confidence_from(probability: float | None, pipeline: str, stage: str, status: str) -> int | None:
    """Give the confidence nearest to a probability (the lower of two); None for 0, 100 and the stage's own default."""
    if probability is None or probability in (0, 100, image(pipeline, stage, status).probability):
        return None
    return min(CONFIDENCES, key=lambda confidence: abs(CONFIDENCES[confidence] - probability))


def images() -> dict[str, Image]:
    """Give the image of every deal there can be, under 'pipeline/stage/status' with '/confidence' where one is set."""
    places = [("sales", slug) for slug in _STAGES] + [(INSTALL, slug) for slug in INSTALL_STAGES]
    listed = {}
    for (pipeline, stage), status, confidence in product(places, STATUSES, (None, *CONFIDENCES)):
        place = f"{pipeline}/{stage}/{status}"
        listed[f"{place}/{confidence}" if confidence else place] = image(pipeline, stage, status, confidence)
    return listed
