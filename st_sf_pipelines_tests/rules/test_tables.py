"""The tables of stages, business units and states, as people read them, are those of the specification."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from st_sf_pipelines.config import Pipelines, Site, States
from st_sf_pipelines.rules.pipelines import BUSINESS_UNITS, PIPELINES, STAGE, pipeline_of_unit, trade
from st_sf_pipelines.rules.states import STATE_RULES

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


def test_the_stages(snapshot: SnapshotAssertion) -> None:
    lines = [
        f"{pipeline.name} ({pipeline.type}) | {stage.order} | {stage.name} | {stage.slug} | {stage.sentence}"
        f"{f' → {stage.closes}' if stage.closes else ''}{' (protected)' if stage.protected else ''}"
        for pipeline in PIPELINES
        for stage in pipeline.stages
    ]
    assert "\n".join(lines) == snapshot
    assert len(STAGE) == len(lines)


def test_the_states(snapshot: SnapshotAssertion) -> None:
    lines = [f"{rule.state} | {rule.meaning} | {rule.sentence} | {rule.flow or 'none'}" for rule in STATE_RULES]
    assert "\n".join(lines) == snapshot


@pytest.mark.parametrize(
    ("unit", "found"),
    [
        *((unit, (pipeline, True)) for unit, pipeline in BUSINESS_UNITS.items()),
        (" pool-SALES ", ("sales", True)),
        ("POOL  -  install", ("install", True)),
        ("Electrical -Service", ("sales", True)),
        ("Hot Tub Installations", ("install", False)),
        ("Lawn", ("sales", False)),
        ("", ("sales", False)),
        (None, ("sales", False)),
    ],
)
def test_a_unit_is_matched_by_name_case_and_spacing_aside(unit: str | None, found: tuple[str, bool]) -> None:
    assert pipeline_of_unit(unit, {}) == found


def test_the_table_of_units_is_configurable() -> None:
    units = Pipelines(business_units={"lawn": "install", "POOL-INSTALL": " Sales "}).business_units
    assert pipeline_of_unit("Lawn", units) == ("install", True)
    assert pipeline_of_unit("Pool - Install", units) == ("sales", True)


def test_a_trade_is_the_units_name_before_the_dash() -> None:
    assert trade("Pool - Sales") == trade("POOL-Install") != trade("Electrical - Install")
    assert (trade("Lawn"), trade(None)) == ("lawn", "")


def test_a_tenants_own_windows_and_days_go_before_the_sites() -> None:
    access = {"client_id": "a", "client_secret": "b", "app_key": "c"}
    tenant = {"name": "one", "id": 1, "servicetitan": access}
    own = tenant | {"name": "two", "id": 2, "pipelines": {"canceled_days": 3}, "states": {"reset_after_days": 4}}
    site = Site.model_validate(
        {"tenants": [tenant, own], "pipelines": {"contact_window_days": "all"}, "states": {"stale_after": {2.5: 9}}}
    )
    one, two = site.tenants
    assert site.pipelines_of(one) == Pipelines(contact_window_days="all")
    assert site.states_of(one) == States(stale_after={"2.5": 9})
    assert site.pipelines_of(two) == Pipelines(canceled_days=3)
    assert site.states_of(two) == States(reset_after_days=4)


@pytest.mark.parametrize(
    "wrong",
    [
        {"contact_window_days": "some"},
        {"contact_window_days": -1},
        {"canceled_days": 0},
        {"business_units": {"Lawn": "garden"}},
        {"unheard": 1},
    ],
)
def test_wrong_windows_and_pipelines_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Pipelines.model_validate(wrong)


@pytest.mark.parametrize("wrong", [{"stale_after": {"6": 9}}, {"stale_after": {"3": 0}}, {"reset_after_days": 0}])
def test_wrong_days_of_states_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        States.model_validate(wrong)
