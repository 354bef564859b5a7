"""What wants a person's eye is listed with each round: what is held back, and business units that nobody mapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from st_sf_pipelines.console import rounds
from st_sf_pipelines_tests.acceptance import sale
from st_sf_pipelines_tests.acceptance.desk import new_customer

if TYPE_CHECKING:
    import pytest

    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld


def test_a_round_lists_what_is_held_back_and_the_units_that_nobody_mapped(
    open_world: OpenWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world = open_world(sale.sales_shop())
    first = world.sync_all()
    assert [first["tenants"][0][name] for name in ("held", "unmapped")] == [[], []]
    rounds(first)
    assert "held back" not in capsys.readouterr().out

    world.st.put("business_units", [{"id": 903, "name": "Lawn [care]"}])
    job = sale.a_job(world, new_customer(world, "Ann Lee"), 903)
    report = world.sync_all()
    [tenant] = report["tenants"]
    [held] = tenant["held"]
    assert held == {
        "rule": "CRM-1",
        "reason": "nobody mapped the business unit 'Lawn [care]'; it counts as sales",
        "count": 1,
        "examples": f"job {job}",
    }
    assert tenant["unmapped"] == ["Lawn [care]"]
    rounds(report)
    told = capsys.readouterr().out
    assert "socal: 1 held back or without a deal; --json lists them by reason" in told
    assert "socal: business units that nobody mapped: Lawn [care]" in told
    assert "Ann" not in told


def test_a_round_that_goes_back_in_time_says_that_it_sends_nothing(
    open_world: OpenWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world = open_world(sale.sales_shop())
    new_customer(world, "Ann Lee")
    rounds(world.sync_all())
    assert "nothing was sent" not in capsys.readouterr().out
    rounds(world.sync_all(as_of="2026-03-01T00:00:00Z"))
    told = " ".join(capsys.readouterr().out.split())
    assert "a moment before the last one's: the rules were evaluated for it, and nothing was sent to any target" in told
