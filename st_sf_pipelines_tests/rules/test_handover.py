"""Deals follow merges and leads that become customers (EXT-5): each sentence of it, before and after the next round."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from st_sf_pipelines.config import Pipelines
from st_sf_pipelines.rules.deals import Place
from st_sf_pipelines.rules.facts import AsOf
from st_sf_pipelines.rules.fold import fold
from st_sf_pipelines.rules.handover import HandedOver, hand_over
from st_sf_pipelines_tests.rules.dealing import INSTALLS, NOW, ZONE, after, ago, estimate, facts, job, lead

if TYPE_CHECKING:
    from st_sf_pipelines.rules.deals import Deal
    from st_sf_pipelines.rules.facts import Estimate, Facts, Job, Lead

TODAY = AsOf(NOW, ZONE)
MERGED = {7: 8}


def of(subject: int, *records: Job | Estimate | Lead) -> tuple[Deal, ...]:
    """Give the deals of a customer's first round."""
    return after(*records, subject=subject, name=f"Customer {subject}").deals


def over(*deals: Deal, keepers: dict[int, int] | None = None) -> HandedOver:
    """Hand deals over; doing it again must change nothing."""
    keepers = MERGED if keepers is None else keepers
    done = hand_over(deals, keepers, {}, TODAY)
    again = hand_over([deal for of_one in done.deals.values() for deal in of_one], keepers, {}, TODAY)
    assert (again.deals, again.moves, again.rekeyed) == (done.deals, (), {})
    return done


def next_round(seen: Facts, deals: tuple[Deal, ...]) -> tuple[Deal, ...]:
    """Work the round that follows."""
    return fold(seen, deals, TODAY, Pipelines()).deals


def test_without_a_merge_everybody_keeps_its_own() -> None:
    deals = (*of(7, job(1, 3)), *of(8, job(2, 3)))
    assert over(*deals, keepers={}).deals == {7: deals[:1], 8: deals[1:]}


def test_closed_opportunities_stay_with_the_customer_they_were_opened_for() -> None:
    (won,) = of(7, job(1, 3), estimate(50, 2, "sold"))
    assert over(won).deals == {7: (won,)}
    assert next_round(facts(subject=7, name="Customer 7", active=False), (won,)) == (won,)


def test_open_ones_move_along_and_keep_their_key() -> None:
    (deal,) = of(7, job(1, 3))
    done = over(deal)
    assert (done.deals, done.rekeyed) == ({8: (replace(deal, subject=8),)}, {})
    (moved,) = next_round(facts(job(1, 3, customer_id=7), subject=8, name="Bo Wu"), done.deals[8])
    assert (moved.key, moved.title) == ("st_7_1", "Bo Wu - New Customer Qualifying")


def test_if_both_have_one_the_older_stays_open_and_takes_the_others_jobs_the_other_is_lost_as_merged() -> None:
    older, younger = of(7, job(1, 5))[0], of(8, job(2, 3), estimate(50, 1, job_id=2))[0]
    done = over(older, younger)
    kept, lost = sorted(done.deals[8], key=lambda deal: deal.opened_for)
    assert kept == replace(older, subject=8, job_ids=(1, 2))
    assert (lost.status, lost.stage, lost.lost_reason, lost.job_ids, lost.closed_at) == (
        ("lost", "proposal-sent", "merged", (), NOW)
    )
    (move,) = done.moves
    assert (move.deal, move.rule, move.records) == ("st_8_1", "EXT-5", ("st_7_1",))
    assert (move.before, move.after) == (
        Place("sales", "proposal-sent", "open"),
        Place("sales", "proposal-sent", "lost"),
    )
    together = facts(job(1, 5), job(2, 3), estimate(50, 1, job_id=2), subject=8)
    after_it = {deal.key: (deal.stage, deal.status) for deal in next_round(together, done.deals[8])}
    assert after_it == {"st_7_1": ("proposal-sent", "open"), "st_8_1": ("proposal-sent", "lost")}


def test_a_pinned_one_moves_along_and_is_never_closed_whichever_is_the_older() -> None:
    for days in (5, 1):
        pinned, other = replace(of(7, job(1, days))[0], pinned=True), of(8, job(2, 3))[0]
        assert over(pinned).deals == {8: (replace(pinned, subject=8),)}
        done = over(pinned, other)
        kept, lost = sorted(done.deals[8], key=lambda deal: deal.opened_for)
        assert kept == replace(pinned, subject=8, job_ids=(1, 2))
        assert (lost.key, lost.status, lost.lost_reason) == ("st_8_1", "lost", "merged")
        both = facts(job(1, days), job(2, 3), subject=8, name="Customer 7")
        assert [deal.status for deal in next_round(both, done.deals[8])] == ["open", "lost"]


def test_two_pinned_ones_both_stay_open_until_one_is_pinned_no_more() -> None:
    deals = [replace(of(subject, job(subject, 3))[0], pinned=True) for subject in (7, 8)]
    done = over(*deals)
    assert (done.deals, done.moves) == ({8: (replace(deals[0], subject=8), deals[1])}, ())
    let_go = over(done.deals[8][0], replace(deals[1], pinned=False))
    assert {deal.key: deal.status for deal in let_go.deals[8]} == {"st_7_1": "open", "st_8_1": "lost"}


def test_the_lost_one_of_a_merged_customer_stays_with_that_customer() -> None:
    younger, older = of(7, job(1, 2))[0], of(8, job(2, 5))[0]
    done = over(younger, older)
    assert [(deal.key, deal.status) for deal in done.deals[7]] == [("st_7_1", "lost")]
    assert [(deal.key, deal.job_ids) for deal in done.deals[8]] == [("st_8_1", (2, 1))]


def test_one_in_each_pipeline_stay_two() -> None:
    done = over(of(7, job(1, 3))[0], of(8, job(2, 5, "scheduled", INSTALLS))[0])
    assert [(deal.key, deal.status) for deal in done.deals[8]] == [("st_8_1", "open"), ("st_7_1", "open")]


def test_the_survivors_jobs_count_for_the_deals_that_came_with_the_merge() -> None:
    (moved,) = over(*of(7, job(1, 5))).deals[8]
    (deal,) = next_round(facts(job(1, 5), job(2, 2, "scheduled", INSTALLS), subject=8), (moved,))
    assert (deal.key, deal.pipeline, deal.job_id) == ("st_7_1", "install", 2)


def test_unmerging_gives_the_records_back_and_deals_stay() -> None:
    (moved,) = over(*of(7, job(1, 5))).deals[8]
    assert over(moved, keepers={}).deals == {8: (moved,)}
    assert next_round(facts(subject=8, name="Customer 8"), (moved,))[0].place == moved.place
    back = facts(job(1, 5), subject=7, taken=frozenset({1}), last_number=1)
    assert next_round(back, ()) == ()
    (deal,) = next_round(replace(back, jobs=(*back.jobs, job(3, 1))), ())
    assert (deal.key, deal.job_id) == ("st_7_2", 3)


def test_a_sale_that_won_an_opportunity_which_stays_with_the_merged_customer_wins_no_second_one() -> None:
    sale = estimate(52, 3, "sold", job_id=2)
    done = over(*of(7, job(2, 4), sale), *of(8, job(1, 5)))
    seen = facts(job(1, 5), job(2, 4), sale, subject=8, taken=frozenset({2}))
    (deal,) = next_round(seen, done.deals[8])
    assert (deal.key, deal.stage, deal.status, deal.value_cents) == ("st_8_1", "contacted", "open", None)


def test_a_won_opportunity_of_a_merged_customer_follows_its_install_job_to_the_end() -> None:
    done = over(*of(7, job(1, 9), estimate(50, 5, "sold"), job(70, 3, unit=INSTALLS)))
    places, deals = [], done.deals[7]
    for status in ("scheduled", "inprogress", "completed"):
        theirs = job(70, 3, status, INSTALLS, modified_at=NOW)
        seen = facts(subject=7, name="Customer 7", active=False, followed=(theirs,), contact="customer")
        concluded = fold(seen, deals, TODAY, Pipelines())
        deals = concluded.deals
        places.append([(deal.key, deal.stage, deal.status) for deal in deals])
    assert places == [[("st_7_1", stage, "won")] for stage in ("scheduled", "in-progress", "job-completed")]
    assert [each.kind for each in concluded.activities] == ["stage_changed", "job_completed"]
    assert fold(seen, deals, TODAY, Pipelines()).moves == ()
    survivor = facts(job(1, 9), estimate(50, 5, "sold"), theirs, subject=8, taken=frozenset({1, 70}))
    assert fold(survivor, (), TODAY, Pipelines()).deals == ()


def test_an_open_opportunity_whose_job_was_given_to_another_customer_goes_on_with_it() -> None:
    deals = of(7, job(1, 9))
    booked = facts(subject=7, followed=(job(1, 9, visits=["scheduled"], customer_id=9),))
    assert [deal.stage for deal in next_round(booked, deals)] == ["appointment-scheduled"]
    dismissed = replace(booked, estimates=(estimate(50, 5, "dismissed"),))
    assert [deal.place for deal in next_round(dismissed, deals)] == [Place("sales", "estimate-lost", "lost")]
    gone = facts(subject=7, followed=(job(1, 60, "canceled", customer_id=9, modified_at=ago(30)),))
    assert [deal.lost_reason for deal in next_round(gone, deals)] == ["canceled"]


def test_an_estimate_on_a_job_that_another_customer_has_now_opens_none_after_a_later_loss() -> None:
    won, other = of(7, job(1, 9), estimate(50, 8, "sold"))[0], of(7, job(2, 12))[0]
    won = replace(won, since_at=ago(40), closed_at=ago(38))
    lost = replace(other, number=2, status="lost", lost_reason="dismissed", since_at=ago(30), closed_at=ago(10))
    late = estimate(51, 20, "sold", sold=5)
    seen = facts(job(2, 30), late, subject=7, followed=(job(1, 40, customer_id=9),))
    concluded = fold(seen, (won, lost), TODAY, Pipelines())
    assert [deal.key for deal in concluded.deals] == ["st_7_1", "st_7_2"]
    assert [(held.deal, held.records, held.reason) for held in concluded.held] == [
        ("st_7_2", ("estimate 51",), "the estimate's job is another customer's now")
    ]


def test_an_estimate_sold_on_the_job_of_a_lost_opportunity_that_stayed_behind_is_listed() -> None:
    sale = estimate(51, 6, "sold", sold=1, job_id=70)
    seen = facts(job(70, 9), sale, subject=8, lapsed=frozenset({70}))
    concluded = fold(seen, (), TODAY, Pipelines())
    assert concluded.deals == ()
    why = "the estimate is of a job whose opportunity was lost, and stayed with another customer"
    assert [(held.rule, held.records, held.reason) for held in concluded.held] == [("CRM-3", ("estimate 51",), why)]
    assert fold(replace(seen, lapsed=frozenset(), taken=frozenset({70})), (), TODAY, Pipelines()).held == ()
    (own,) = next_round(seen, of(8, job(2, 12)))
    assert own.place == Place("sales", "contacted", "open")


def test_one_that_an_estimate_opened_after_a_loss_keeps_its_job_when_the_lost_one_stays_behind() -> None:
    first = replace(of(7, job(70, 9))[0], status="lost", lost_reason="dismissed", closed_at=ago(5))
    again = estimate(51, 3, job_id=70)
    done = over(*next_round(facts(job(70, 9), again, subject=7, last_number=1), (first,)))
    assert [(deal.key, deal.job_ids) for deal in done.deals[8]] == [("st_7_2", (70,))]
    sold = replace(again, status="sold", sold_on=ago(1))
    (deal,) = next_round(facts(job(70, 9), sold, subject=8, lapsed=frozenset({70})), done.deals[8])
    assert deal.place == Place("sales", "job-sold", "won")


def test_a_leads_deal_is_handed_over_not_doubled_when_its_customer_appears() -> None:
    deals = of(-9, lead(9, 3))
    done = over(*deals, keepers={-9: 7})
    assert done.rekeyed == {"lead_9": "st_7_1"}
    (deal,) = next_round(facts(lead(9, 3), job(1, 1), subject=7), done.deals[7])
    assert (deal.key, deal.stage, deal.job_id, deal.title) == (
        ("st_7_1", "contacted", 1, "Ann Lee - New Customer Qualifying")
    )


def test_a_leads_deal_joins_the_one_that_its_customer_has_already() -> None:
    done = over(*of(-9, lead(9, 5)), *of(8, job(2, 3)), keepers={-9: 7, 7: 8})
    assert {deal.key: (deal.status, deal.job_id, deal.lead_id) for deal in done.deals[8]} == {
        "st_8_1": ("lost", 2, None),
        "st_8_2": ("open", 2, 9),
    }
    assert [deal.stage for deal in next_round(facts(lead(9, 5), job(2, 3), subject=8), done.deals[8])] == (
        ["contacted", "contacted"]
    )


def test_numbers_of_a_lead_that_was_handed_over_follow_the_last_that_was_used() -> None:
    done = hand_over(of(-9, lead(9, 5)), {-9: 7}, {7: 3}, TODAY)
    assert done.deals[7][0].key == "st_7_4"
