"""A name whose pattern is remembered is split as one that is parsed: word for word, whatever stands in it (SEG-2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from st_sf_pipelines.rules import name_patterns
from st_sf_pipelines.rules.name_patterns import split
from st_sf_pipelines.rules.names import PersonName, split_name

ORDINARY = ["Ann", "Robert", "Lee", "Okafor", "Nguyen", "McDonald", "Schröder", "Müller", "Adalwin", "Brunold"]
SPANISH = ["Garza", "García", "Garcia", "López", "Hernández", "Núñez", "Montoya"]
TELLING = ["Dr.", "Rev.", "Jr.", "III", "MD", "St.", "de la", "del", "van der", "née", "King", "María", "José", "Ángel"]
SIGNS = ["&", "and", "/", "(Bob)", '"Bud"', "- rental", "#2", "O'Brien", "Smith-Jones", "LEE", "garza", "J.", "🏠"]


@given(st.lists(st.sampled_from([*ORDINARY, *SPANISH, *TELLING, *SIGNS, ","]), min_size=1, max_size=6))
def test_a_name_comes_out_as_the_parser_splits_it(words: list[str]) -> None:
    name = " ".join(words).replace(" ,", ",")
    assert split(name, "Residential", 7) == split_name(name, "Residential", 7)
    assert split(name, "Residential", 7) == split_name(name, "Residential", 7), "also when it is remembered"


@pytest.mark.parametrize("name", [None, "", "  ", "\u200b", "x" * 2000, "Ann " * 12])
@pytest.mark.parametrize("kind", ["Residential", "Commercial", None])
def test_a_name_without_a_pattern_is_parsed_as_ever(name: str | None, kind: str | None) -> None:
    assert split(name, kind, 7) == split_name(name, kind, 7)


def test_a_commercial_name_stays_whole() -> None:
    assert split("Ann Lee", "Commercial", 7) == PersonName(None, "Ann Lee")


def test_names_of_one_pattern_are_parsed_once() -> None:
    split("Rob Okafor Jr.", "Residential", 1)
    before = name_patterns._split_pattern.cache_info().misses
    assert split("Olivia Nelson Jr.", "Residential", 2) == PersonName("Olivia", "Nelson Jr.")
    assert name_patterns._split_pattern.cache_info().misses == before
