"""Merges and unmerges end at one keeper, whatever their shape (EXT-5)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from st_sf_pipelines.rules.merges import survivors

EVERYBODY = range(1, 100)


def test_a_merged_customer_goes_to_the_one_it_was_merged_into() -> None:
    assert survivors({2: 1}, EVERYBODY) == {2: 1}


def test_a_chain_is_followed_to_its_end() -> None:
    assert survivors({5: 4, 4: 9, 9: 2}, EVERYBODY) == {5: 2, 4: 2, 9: 2}


def test_in_a_ring_the_lowest_id_keeps_all() -> None:
    assert survivors({3: 7, 7: 5, 5: 3, 8: 7}, EVERYBODY) == {7: 3, 5: 3, 8: 3}


def test_a_customer_merged_into_itself_is_not_merged() -> None:
    assert survivors({3: 3, 4: 3}, EVERYBODY) == {4: 3}


def test_an_unknown_target_is_no_merge() -> None:
    assert survivors({3: 1000, 4: 3}, EVERYBODY) == {4: 3}


@given(st.dictionaries(st.integers(1, 12), st.integers(1, 14)))
def test_nobody_keeps_for_others_and_is_merged_away_itself(merged: dict[int, int]) -> None:
    keepers = survivors(merged, range(1, 13))
    assert not set(keepers.values()) & set(keepers)
    assert set(keepers) <= set(merged)
    for st_id, keeper in keepers.items():
        assert keepers.get(merged[st_id], merged[st_id]) == keeper
