"""The tables of SF-4: what Salesforce shows of a deal, and what of Salesforce is read back."""

from __future__ import annotations

import pytest

from st_sf_pipelines.systems.salesforce.deals import FORECASTS, PROBABILITIES, STAGE_NAMES
from st_sf_pipelines.systems.salesforce.stages import INSTALL_STAGES, confidence_from, image, images, stage_from

SALES = [
    ("new-lead", "Prospecting", 10, "Pipeline"),
    ("contacted", "Qualification", 10, "Pipeline"),
    ("appointment-scheduled", "Needs Analysis", 25, "Pipeline"),
    ("proposal-sent", "Proposal/Price Quote", 50, "Best Case"),
    ("estimate-followup", "Negotiation/Review", 75, "Best Case"),
    ("job-sold", "Closed Won", 100, "Closed"),
    ("estimate-lost", "Closed Lost", 0, "Omitted"),
    ("discovery", "Prospecting", 10, "Pipeline"),
    ("demo", "Needs Analysis", 25, "Pipeline"),
    ("validateSolution", "Proposal/Price Quote", 50, "Best Case"),
    ("decisionMakerApproval", "Negotiation/Review", 75, "Best Case"),
    ("contracting", "Negotiation/Review", 75, "Best Case"),
    ("closedWon", "Closed Won", 100, "Closed"),
    ("closedLost", "Closed Lost", 0, "Omitted"),
]


@pytest.mark.parametrize(("stage", "name", "probability", "forecast"), SALES)
def test_an_open_deal_shows_its_stage_and_a_closed_one_how_it_ended(
    stage: str, name: str, probability: int, forecast: str
) -> None:
    assert image("sales", stage, "open") == (name, probability, forecast)
    assert image("sales", stage, "won") == ("Closed Won", 100, "Closed")
    assert image("sales", stage, "lost") == ("Closed Lost", 0, "Omitted")


@pytest.mark.parametrize("stage", INSTALL_STAGES)
def test_an_install_is_closed_won_if_it_was_sold_else_in_negotiation(stage: str) -> None:
    assert image("install", stage, "won") == ("Closed Won", 100, "Closed")
    assert image("install", stage, "open") == ("Negotiation/Review", 90, "Commit")
    assert image("install", stage, "lost") == ("Closed Lost", 0, "Omitted")


def test_a_stage_that_is_not_listed_has_no_image() -> None:
    with pytest.raises(KeyError, match="someday"):
        image("sales", "someday", "open")


@pytest.mark.parametrize(("confidence", "probability"), [(1, 10), (2, 25), (3, 50), (4, 75), (5, 90)])
def test_a_confidence_wins_in_an_open_deal_alone(confidence: int, probability: int) -> None:
    assert image("sales", "proposal-sent", "open", confidence) == ("Proposal/Price Quote", probability, "Best Case")
    assert image("install", "on-hold", "open", confidence).probability == probability
    assert image("sales", "proposal-sent", "won", confidence).probability == 100
    assert image("sales", "proposal-sent", "lost", confidence).probability == 0
    assert image("sales", "job-sold", "open", confidence).probability == 100
    assert image("sales", "estimate-lost", "open", confidence).probability == 0


@pytest.mark.parametrize(
    ("probability", "confidence"),
    [
        (None, None), (0, None), (100, None), (50, None), (50.0, None), (1, 1), (10, 1), (17, 1), (17.5, 1), (18, 2),
        (25, 2), (37, 2), (37.5, 2), (38, 3), (62, 3), (62.5, 3), (63, 4), (75, 4), (82, 4), (82.5, 4), (83, 5),
        (90, 5), (99, 5),
    ],
)  # fmt: skip
def test_a_probability_is_read_as_the_nearest_confidence(probability: float | None, confidence: int | None) -> None:
    assert confidence_from(probability, "sales", "proposal-sent", "open") == confidence


def test_a_stages_own_probability_is_no_confidence() -> None:
    assert confidence_from(25, "sales", "appointment-scheduled", "open") is None
    assert confidence_from(25, "sales", "contacted", "open") == 2
    assert confidence_from(90, "install", "on-hold", "open") is None
    assert confidence_from(75, "install", "on-hold", "open") == 4


READ = [
    ("Prospecting", "new-lead", "discovery"),
    ("Qualification", "contacted", "discovery"),
    ("Needs Analysis", "appointment-scheduled", "demo"),
    ("Value Proposition", "appointment-scheduled", "demo"),
    ("Id. Decision Makers", "appointment-scheduled", None),
    ("Perception Analysis", "appointment-scheduled", None),
    ("Proposal/Price Quote", "proposal-sent", "validateSolution"),
    ("Negotiation/Review", "estimate-followup", "decisionMakerApproval"),
    ("Closed Won", "job-sold", "closedWon"),
    ("Closed Lost", "estimate-lost", "closedLost"),
    ("Measuring", None, None),
]


@pytest.mark.parametrize(("name", "ours", "trackers"), READ)
def test_another_stage_of_theirs_is_adopted_where_it_has_one_of_ours(
    name: str, ours: str | None, trackers: str | None
) -> None:
    for stage in ("new-lead", "proposal-sent", "estimate-followup"):
        assert stage_from(name, "sales", stage, "open") == ours
    for stage in ("discovery", "demo", "validateSolution"):
        assert stage_from(name, "sales", stage, "open") == trackers
    assert stage_from(name, "install", "on-hold", "open") == "on-hold"
    assert stage_from(name, "install", "on-hold", "won") == "on-hold"


@pytest.mark.parametrize(("stage", "name", "_probability", "_forecast"), SALES)
def test_the_image_of_our_own_stage_moves_nothing(stage: str, name: str, _probability: int, _forecast: str) -> None:
    assert stage_from(name, "sales", stage, "open") == stage
    assert stage_from("Closed Won", "sales", stage, "won") == stage
    assert stage_from("Closed Lost", "sales", stage, "lost") == stage


def test_the_maps_list_the_image_of_every_deal() -> None:
    assert (len(STAGE_NAMES), len(PROBABILITIES)) == ((14 + 6) * 3, (14 + 6) * 3 * 6)
    for place, shown in images().items():
        pipeline, stage, status, *confidence = place.split("/")
        assert shown == image(pipeline, stage, status, int(confidence[0]) if confidence else None)
        unmoved = f"{pipeline}/{stage}/{status}"
        assert (STAGE_NAMES[unmoved], PROBABILITIES[place], FORECASTS[unmoved]) == shown
