"""What a person reads in a terminal says in words what a number alone would hide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from st_sf_pipelines import console

if TYPE_CHECKING:
    import pytest


def test_a_feed_that_began_again_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    entities = {"customers": {"read": 9, "restarted": 1}, "jobs": {"read": 2, "restarted": 0}}
    nothing: dict[str, object] = {"derived_changed": {}, "targets": {}, "note": None, "held": [], "unmapped": []}
    each = {"name": "socal", "status": "success", "entities": entities, **nothing}
    console.rounds({"tenants": [each]})
    told = " ".join(capsys.readouterr().out.split())
    assert "socal: ServiceTitan refused the stored token of customers; read again" in told
