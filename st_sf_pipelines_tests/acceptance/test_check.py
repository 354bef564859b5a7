"""`st-sf check`: each system is asked one question, and what wants a person's hand is listed with its mend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from st_sf_pipelines.operate.checking import check

if TYPE_CHECKING:
    from st_sf_pipelines_tests.acceptance.conftest import OpenWorld
    from st_sf_pipelines_tests.world import World


def found(world: World) -> list[tuple[str, str]]:
    [tenant] = check(world.settings, None)["tenants"]
    return [(each["level"], each["where"]) for each in tenant["findings"]]


def test_a_site_is_looked_over_and_each_finding_has_its_mend(open_world: OpenWorld, naps: list[float]) -> None:
    world = open_world(crm=True)
    assert set(found(world)) == {("warning", "crm")}  # its stages are made before the first write
    assert len(world.rows("SELECT FROM sync.pace")) == 1  # it keeps to the rate that all processes share
    world.st.put("business_units", [{"name": "Spa - Crew"}, {"name": "pool -  install"}])
    world.st.put("customers", [{"name": "Ann Lee"}, {"id": 7, "name": None}], raw=True)
    world.sync()
    report: dict[str, Any] = check(world.settings, None)
    assert report["ok"]
    says = {each["where"]: each["says"] for each in report["tenants"][0]["findings"]}
    assert says["pipelines.business_units"].startswith("the business unit 'Spa - Crew' is in no pipeline's table;")
    assert "stand in quarantine" in says["servicetitan/customers"]
    assert all(each["mend"] for each in report["tenants"][0]["findings"])
    world.extra["pipelines"] = {"business_units": {"Spa - Crew": "install"}}
    world.extra["salesforce"] = {"access_token": "an old one"}
    world.write_site()
    assert ("error", "salesforce") in found(world)
    assert ("warning", "pipelines.business_units") not in found(world)
    assert naps == []
