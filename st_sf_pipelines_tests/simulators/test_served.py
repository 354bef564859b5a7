"""What the stand-ins have in common: one that is given faults that nobody understands does not even listen."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from st_sf_pipelines.simulators.crm import CrmSimulator
from st_sf_pipelines.simulators.faults import FaultError
from st_sf_pipelines.simulators.salesforce import SalesforceSimulator
from st_sf_pipelines.simulators.servicetitan import ServiceTitanSimulator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from st_sf_pipelines.simulators.served import Served


@pytest.mark.parametrize("simulator", [CrmSimulator, SalesforceSimulator, ServiceTitanSimulator])
@pytest.mark.parametrize("told", ['{"not": "a list"}', '["reset"]', '[{"do": {"explode": true}}]'])
def test_a_bad_file_of_faults_is_told_before_the_port_is_asked_for(
    tmp_path: Path, simulator: Callable[..., Served], told: str
) -> None:
    (tmp_path / "faults.json").write_text(told)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(FaultError):
        simulator(port=taken.getsockname()[1], faults=tmp_path / "faults.json")
