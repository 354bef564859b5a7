"""A person names a customer or a deal by its number, or by the key that it has in Salesforce."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from st_sf_pipelines.errors import ConfigError
from st_sf_pipelines.operate.customers import explain, set_state
from st_sf_pipelines_tests.acceptance.desk import new_customer

if TYPE_CHECKING:
    from st_sf_pipelines_tests.world import World


def test_a_key_format_that_holds_a_digit_is_read_as_it_is_written(world: World) -> None:
    world.extra["salesforce"] = {"external_id": "org2_{id}_x9"}
    world.write_site()
    ann, bea = new_customer(world, "Ann Lee", id=2), new_customer(world, "Bea Lee", id=123)
    assert world.sync()["status"] == "success"
    named = {"2": ann, "st_2": ann, "org2_2_x9": ann, "org2_123_x9": bea, "org2_123_4_x9": bea, " st_123_1": bea}
    for text, customer in named.items():
        assert explain(world.settings, None, text)["customer"]["st_id"] == customer, text
    for text in ("org2_123", "org3_123_x9", "x9", "st_"):
        with pytest.raises(ConfigError, match="is no customer"):
            explain(world.settings, None, text)
    set_state(world.settings, None, "org2_123_x9", "3", "quoted by phone")
    assert world.rows("SELECT st_id FROM customers.state WHERE state = '3'") == [{"st_id": bea}]
