"""Each sentence of CRM-1 to CRM-4, CRM-7, CRM-8 and of the leads, told over one customer's rounds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from st_sf_pipelines.config import Pipelines
from st_sf_pipelines.rules.deals import Held, Move, Place
from st_sf_pipelines.rules.facts import AsOf
from st_sf_pipelines.rules.fold import STEPS, fold
from st_sf_pipelines_tests.rules.dealing import (
    INSTALLS,
    NOW,
    SERVES,
    ZONE,
    Rounds,
    after,
    ago,
    estimate,
    facts,
    job,
    lead,
)


def contact_of(*records: object, **more: object) -> str | None:
    """Give the type of contact that a first look wants."""
    return after(*records, **more).last.wants_contact  # type: ignore[arg-type]


def test_the_steps_stand_in_the_order_of_the_specification() -> None:
    assert [step.rule for step in STEPS] == (
        ["CRM-7", "CRM-1", "Leads", "CRM-2", "CRM-3", "CRM-4", "CRM-5", "CRM-6", "CRM-8", "CRM-1"]
    )
    assert all(step.work.__doc__ for step in STEPS)


# CRM-1


@pytest.mark.parametrize(("days", "wanted"), [(0, "customer"), (90, "customer"), (91, None)])
def test_an_active_customer_with_a_job_of_the_last_90_days_has_a_contact(days: int, wanted: str | None) -> None:
    assert contact_of(job(1, days)) == wanted
    assert contact_of(job(1, days), active=False) is None
    assert contact_of(job(1, days, "canceled")) is None


def test_the_contact_window_may_be_all() -> None:
    rounds = Rounds(Pipelines(contact_window_days="all"))
    rounds.look(job(1, 4000))
    assert rounds.last.wants_contact == "customer"
    rounds.look()
    assert rounds.last.wants_contact is None


def test_a_contact_is_kept_also_when_the_customer_turns_inactive_or_its_job_grows_old() -> None:
    assert after(job(1, 91), contact="customer").last.wants_contact == "customer"
    assert after(job(1, 1), contact="customer", active=False).last.wants_contact == "customer"
    assert after(contact="lead").last.wants_contact == "lead"


@pytest.mark.parametrize(("days", "places"), [(0, [("contacted", "open")]), (14, [("contacted", "open")]), (15, [])])
def test_a_job_of_the_last_14_days_opens_an_opportunity_in_contacted(days: int, places: list[tuple[str, str]]) -> None:
    rounds = after(job(1, days))
    assert rounds.places == places
    if places:
        (deal,) = rounds.deals
        assert (deal.title, deal.key, deal.job_id) == ("Ann Lee - New Customer Qualifying", "st_7_1", 1)
        assert (deal.value_cents, deal.close_on) == (None, (ago(-30)).date())
        assert rounds.last.moves == (
            Move("st_7_1", None, Place("sales", "contacted", "open"), "CRM-1", ("job 1",), NOW),
        )


def test_the_age_is_counted_in_local_calendar_days() -> None:
    early = datetime(2026, 1, 17, 8, 30, tzinfo=UTC)  # half past midnight in Los Angeles, 14 calendar days before
    assert after(replace(job(1, 0), created_at=early)).places == [("contacted", "open")]
    assert after(replace(job(1, 0), created_at=early - timedelta(hours=1))).places == []


def test_after_an_outage_the_windows_reach_back_to_the_last_good_round() -> None:
    rounds = Rounds()
    rounds.look(job(1, 20), last_good=ago(19).date())
    assert rounds.places == []
    rounds.look(job(1, 20), last_good=ago(20).date())
    assert rounds.places == [("contacted", "open")]
    assert after(job(1, 3)).places == [("contacted", "open")]


def test_it_is_tied_to_the_oldest_job_with_an_estimate_open_or_sold_else_to_the_newest() -> None:
    two = (job(1, 3), job(2, 2), job(3, 1))
    assert after(*two).deals[0].job_id == 3
    assert after(*two, estimate(50, 1, job_id=2)).deals[0].job_id == 2
    assert after(*two, estimate(50, 1, "sold", job_id=1), estimate(51, 1, job_id=2)).deals[0].job_id == 1
    assert after(*two, estimate(50, 1, "dismissed", job_id=1)).deals[0].job_id == 3


def test_two_open_jobs_have_one_opportunity() -> None:
    rounds = after(job(1, 3))
    rounds.look(job(1, 3), job(2, 2, unit=SERVES))
    assert [deal.job_id for deal in rounds.deals] == [1]


def test_an_install_job_opens_in_install_at_estimate_approved_titled_after_it() -> None:
    rounds = after(job(2, 3, "", INSTALLS, total_cents=123456))
    (deal,) = rounds.deals
    assert (deal.place, deal.title) == (
        ("install", "estimate-approved", "open"),
        "Ann Lee - Install Job #J2 - $1,234.56",
    )
    assert deal.value_cents == 123456


def test_where_both_kinds_qualify_the_sales_job_opens_and_the_install_job_is_claimed() -> None:
    rounds = after(job(1, 3), job(2, 2, "", INSTALLS))
    assert [(deal.pipeline, deal.job_id, deal.job_ids) for deal in rounds.deals] == [("install", 2, (1, 2))]
    assert [move.rule for move in rounds.last.moves] == ["CRM-1", "CRM-5"]


def test_an_install_job_that_is_not_claimed_opens_its_own() -> None:
    rounds = after(job(1, 2), job(2, 3, "", INSTALLS))
    assert [(deal.number, deal.pipeline, deal.job_id) for deal in rounds.deals] == [(1, "sales", 1), (2, "install", 2)]


def test_canceled_jobs_make_nothing() -> None:
    rounds = after(job(1, 3, "canceled"))
    assert (rounds.deals, rounds.last.wants_contact) == ((), None)


def test_a_job_that_has_an_opportunity_opens_no_other_whoever_its_customer_is_now() -> None:
    assert after(job(1, 3), taken=frozenset({1})).deals == ()
    assert after(job(2, 3, unit=INSTALLS), taken=frozenset({2})).deals == ()


def test_inactive_customers_open_nothing_but_their_opportunities_keep_moving() -> None:
    assert after(job(1, 3), active=False).deals == ()
    rounds = after(job(1, 3))
    rounds.look(job(1, 3), estimate(50, 1), active=False)
    assert rounds.places == [("proposal-sent", "open")]


def test_numbers_go_on_from_the_highest_that_was_ever_used() -> None:
    assert after(job(1, 3), last_number=4).deals[0].key == "st_7_5"


def test_a_customer_without_a_name_is_called_by_its_id() -> None:
    assert after(job(1, 3), name="  ").deals[0].title == "Customer st_7 - New Customer Qualifying"


# Leads


@pytest.mark.parametrize(("days", "places"), [(14, [("new-lead", "open")]), (15, [])])
def test_an_open_lead_of_the_last_14_days_is_an_opportunity_in_new_lead(
    days: int, places: list[tuple[str, str]]
) -> None:
    rounds = after(lead(9, days))
    assert rounds.places == places
    if places:
        (deal,) = rounds.deals
        assert (deal.title, deal.lead_id, deal.job_id) == ("Ann Lee - New Customer Qualifying", 9, None)
        assert rounds.last.wants_contact == "lead"


@pytest.mark.parametrize("status", ["dismissed", "converted"])
def test_a_lead_that_is_not_open_opens_nothing(status: str) -> None:
    assert after(lead(9, 1, status)).deals == ()


def test_a_lead_whose_customer_has_a_job_since_opens_nothing() -> None:
    assert after(lead(9, 3), job(1, 2)).deals[0].lead_id is None
    assert after(lead(9, 3), job(1, 2, "completed"), taken=frozenset({1})).deals == ()
    assert [deal.lead_id for deal in after(lead(9, 3), job(1, 20)).deals] == [9]
    assert [deal.lead_id for deal in after(lead(9, 3), job(1, 2, "canceled")).deals] == [9]


def test_a_lead_beside_an_open_opportunity_opens_none() -> None:
    assert [deal.lead_id for deal in after(job(1, 3), lead(9, 2)).deals] == [None]
    assert [deal.lead_id for deal in after(lead(8, 3), lead(9, 2)).deals] == [8]


def test_a_lead_without_a_customer_is_keyed_by_the_lead() -> None:
    rounds = after(lead(9, 3), subject=-9, name="Bo Web")
    (deal,) = rounds.deals
    assert (deal.key, deal.title) == ("lead_9", "Bo Web - New Customer Qualifying")
    assert rounds.last.wants_contact == "lead"
    assert after(lead(9, 3), subject=-9, name=None).deals[0].title == "Lead lead_9 - New Customer Qualifying"


def test_the_customers_first_job_since_takes_a_lead_over_in_contacted() -> None:
    rounds = after(lead(9, 3))
    rounds.look(lead(9, 3, "converted"), job(1, 1), job(2, 0.5))
    (deal,) = rounds.deals
    assert (deal.stage, deal.job_id, deal.lead_id, deal.since_at) == ("contacted", 1, 9, ago(3))
    assert rounds.last.wants_contact == "customer"
    assert [move.rule for move in rounds.last.moves] == ["Leads"]


def test_a_lead_dismissed_and_still_no_job_is_lost_in_new_lead() -> None:
    rounds = after(lead(9, 3))
    rounds.look(lead(9, 3, "dismissed", modified_at=ago(1)))
    (deal,) = rounds.deals
    assert (rounds.places, deal.closed_at, deal.lost_reason) == ([("new-lead", "lost")], ago(1), "lead dismissed")
    rounds.look(lead(9, 3, "open", modified_at=ago(0.5)))
    assert rounds.places == [("new-lead", "lost")]


def test_a_lead_that_grows_old_stays_in_new_lead() -> None:
    rounds = after(lead(9, 3))
    rounds.look(lead(9, 3), days=100)
    assert rounds.places == [("new-lead", "open")]


def test_an_install_job_since_takes_a_lead_straight_to_install() -> None:
    rounds = after(lead(9, 3))
    rounds.look(lead(9, 3), job(2, 1, "scheduled", INSTALLS))
    assert rounds.places == [("scheduled", "open")]


# CRM-2


@pytest.mark.parametrize(
    ("visits", "stage"),
    [
        (["scheduled"], "appointment-scheduled"),
        (["done", "dispatched"], "appointment-scheduled"),
        (["working"], "contacted"),
        (["hold"], "contacted"),
        (["done"], "contacted"),
        (["canceled"], "contacted"),
        ([], "contacted"),
    ],
)
def test_an_appointment_scheduled_or_dispatched_moves_on(visits: list[str], stage: str) -> None:
    assert after(job(1, 3, visits=visits)).places == [(stage, "open")]


def test_another_jobs_appointment_moves_nothing() -> None:
    rounds = after(job(1, 3))
    rounds.look(job(1, 3), job(2, 2, visits=["scheduled"]))
    assert rounds.places == [("contacted", "open")]


def test_a_canceled_job_gives_its_opportunity_to_the_next_job_that_stands() -> None:
    rounds = after(job(1, 3))
    rounds.look(job(1, 3, "canceled"), job(2, 2, "canceled"), job(3, 1), job(4, 0.5))
    assert [(deal.job_id, deal.job_ids, deal.status) for deal in rounds.deals] == [(3, (1, 3), "open")]


def test_none_for_30_days_loses_it_in_its_stage() -> None:
    rounds = after(job(1, 3, visits=["scheduled"]))
    canceled = job(1, 3, "canceled", modified_at=ago(1))
    rounds.look(canceled)
    assert rounds.places == [("appointment-scheduled", "open")]
    assert rounds.last.due_on == ago(1 - 30).date()
    rounds.look(replace(canceled, modified_at=ago(-5)), days=28)
    assert rounds.places == [("appointment-scheduled", "open")]
    rounds.look(replace(canceled, modified_at=ago(-5)), days=29)
    (deal,) = rounds.deals
    assert rounds.places == [("appointment-scheduled", "lost")]
    assert (deal.closed_at, deal.close_on, deal.lost_reason) == (ago(1), ago(1).date(), "canceled")
    assert rounds.last.due_on is None


def test_a_job_that_stands_again_stops_the_30_days() -> None:
    rounds = after(job(1, 3))
    rounds.look(job(1, 3, "canceled", modified_at=ago(2)))
    rounds.look(job(1, 3))
    assert (rounds.deals[0].canceled_at, rounds.last.due_on) == (None, None)
    rounds.look(job(1, 3, "canceled", modified_at=ago(-20)), days=40)
    assert rounds.places == [("contacted", "open")]


# CRM-3


def test_an_open_estimate_with_a_value_moves_it_and_writes_title_and_value() -> None:
    rounds = after(job(1, 3), estimate(52, 2, dollars=1234.56, label="Pool heater"))
    (deal,) = rounds.deals
    assert (deal.stage, deal.title, deal.value_cents, deal.estimate_id) == (
        ("proposal-sent", "Ann Lee - Pool heater - $1,234.56", 123456, 52)
    )


@pytest.mark.parametrize("dollars", [0, -5])
def test_an_open_estimate_without_a_value_above_0_moves_nothing_and_is_listed(dollars: float) -> None:
    rounds = after(job(1, 3), estimate(52, 2, dollars=dollars))
    assert rounds.places == [("contacted", "open")]
    assert rounds.reasons == ["CRM-3 estimate 52: the estimate has no value above 0"]


def test_of_several_open_estimates_the_newest_gives_name_and_value_and_all_are_listed() -> None:
    rounds = after(job(1, 5), estimate(50, 4), estimate(52, 2, dollars=3), estimate(51, 3))
    (deal,) = rounds.deals
    assert (deal.title, deal.estimate_id) == ("Ann Lee - Offer 52 - $3.00", 52)
    assert deal.notes == (
        "Open estimates:\nEstimate 52: Offer 52 - $3.00\nEstimate 51: Offer 51 - $1,000.00\n"
        "Estimate 50: Offer 50 - $1,000.00"
    )
    rounds.look(job(1, 5), estimate(50, 4), estimate(52, 2, "dismissed"), estimate(51, 3, "dismissed"))
    assert rounds.deals[0].title == "Ann Lee - Offer 50 - $1,000.00"


def test_the_notes_list_its_estimates_as_they_stand() -> None:
    rounds = after(job(1, 5))
    assert rounds.deals[0].notes is None
    rounds.look(job(1, 5), estimate(50, 4))
    assert rounds.deals[0].notes == "Open estimates:\nEstimate 50: Offer 50 - $1,000.00"
    sold = "Sold estimates:\nEstimate 51: Offer 51 - $3.00\nEstimate 50: Offer 50 - $1,000.00"
    both = (estimate(50, 4, "sold"), estimate(51, 3, "sold", 3))
    rounds.look(job(1, 5), *both)
    assert rounds.deals[0].notes == sold
    rounds.look(job(1, 5), *both, estimate(52, 2, "dismissed"), job(2, 1, unit=INSTALLS))
    assert rounds.deals[0].notes == f"{sold}\nDismissed estimates:\nEstimate 52: Offer 52 - $1,000.00"


def test_the_notes_of_a_lost_one_tell_what_was_dismissed_and_stay() -> None:
    rounds = after(job(1, 5), estimate(50, 4))
    rounds.look(job(1, 5), estimate(50, 4, "dismissed"))
    gone = "Dismissed estimates:\nEstimate 50: Offer 50 - $1,000.00"
    assert (rounds.places, rounds.deals[0].notes) == ([("estimate-lost", "lost")], gone)
    rounds.look(job(1, 5), estimate(50, 4, "open"))
    assert rounds.deals[0].notes == gone


def test_its_estimates_are_those_of_its_jobs_whenever_they_were_made() -> None:
    assert after(job(1, 3), estimate(52, 20)).places == [("proposal-sent", "open")]


def test_its_estimates_are_the_customers_others_made_since_its_first_job() -> None:
    assert after(job(1, 3), estimate(52, 2, job_id=99)).places == [("proposal-sent", "open")]
    rounds = after(job(1, 3), estimate(52, 4, job_id=99))
    assert rounds.places == [("contacted", "open")]
    assert len(rounds.last.held) == 1


@pytest.mark.parametrize("status", ["open", "sold"])
def test_an_estimate_without_a_job_moves_nothing_and_is_listed(status: str) -> None:
    rounds = after(job(1, 3), estimate(52, 2, status, job_id=None, sold=1 if status == "sold" else None))
    assert rounds.places == [("contacted", "open")]
    assert rounds.deals[0].value_cents is None
    assert rounds.reasons == ["CRM-3 estimate 52: the estimate names no job"]


def test_an_estimate_counts_before_the_next_opportunity_only() -> None:
    rounds = after(job(1, 9), estimate(50, 8, "sold", sold=7))
    rounds.look(job(1, 9), estimate(50, 8, "sold", sold=7), job(2, 5), estimate(51, 4, job_id=99))
    assert rounds.places == [("job-sold", "won"), ("proposal-sent", "open")]


def test_an_estimate_without_a_name_is_called_estimate() -> None:
    assert after(job(1, 3), estimate(52, 2, label=" ")).deals[0].title == "Ann Lee - Estimate - $1,000.00"


def test_title_and_value_are_written_also_in_a_stage_set_by_hand() -> None:
    rounds = after(job(1, 3), estimate(50, 2))
    rounds.by_hand("estimate-followup")
    rounds.look(job(1, 3), estimate(50, 2), estimate(51, 1, dollars=7))
    (deal,) = rounds.deals
    assert (deal.stage, deal.title, deal.value_cents) == ("estimate-followup", "Ann Lee - Offer 51 - $7.00", 700)


def test_a_renamed_customers_title_follows_in_the_same_round() -> None:
    rounds = after(job(1, 3), estimate(50, 2))
    rounds.look(job(1, 3), estimate(50, 2), name="Ann Wu")
    assert rounds.deals[0].title == "Ann Wu - Offer 50 - $1,000.00"
    rounds.look(job(1, 3), estimate(50, 2, "sold"), name="Ann Li")
    assert rounds.deals[0].title == "Ann Li - Offer 50 - $1,000.00"


# CRM-4


def test_a_sale_wins_it_with_the_sum_of_its_sold_estimates_named_after_the_newest() -> None:
    sold = (estimate(50, 4, "sold", 100, sold=2, sold_by=31), estimate(51, 3, "sold", 20, sold=1, sold_by=32))
    rounds = after(job(1, 5), *sold, estimate(52, 1))
    (deal,) = rounds.deals
    assert (deal.place, deal.title) == (("sales", "job-sold", "won"), "Ann Lee - Offer 51 - $120.00")
    assert (deal.value_cents, deal.estimate_id, deal.seller_id) == (12000, 51, 32)
    assert (deal.closed_at, deal.close_on) == (ago(2), ago(1).date())


@pytest.mark.parametrize("dollars", [0, -50])
def test_a_sold_estimate_without_a_value_above_0_moves_nothing_and_is_listed(dollars: float) -> None:
    rounds = after(job(1, 5), estimate(50, 4, "sold", dollars))
    assert rounds.places == [("contacted", "open")]
    assert rounds.reasons == ["CRM-4 estimate 50: the estimate has no value above 0"]
    rounds.look(job(1, 5), estimate(50, 4, "sold", dollars), estimate(51, 3, "dismissed"))
    assert rounds.places == [("contacted", "open")]


def test_beside_one_without_a_value_another_sold_one_wins_it_with_its_own_value() -> None:
    rounds = after(job(1, 5), estimate(50, 4, "sold", 700), estimate(51, 3, "sold", -50), estimate(52, 2, "sold", 0))
    (deal,) = rounds.deals
    assert (rounds.places, deal.title, deal.value_cents) == (
        [("job-sold", "won")],
        "Ann Lee - Offer 50 - $700.00",
        70000,
    )
    assert (deal.estimate_id, deal.closed_at, deal.close_on) == (50, ago(4), ago(4).date())
    assert len(rounds.reasons) == 2


def test_unselling_does_not_take_it_back_and_is_listed() -> None:
    rounds = after(job(1, 5), estimate(50, 4, "sold"))
    for status in ("open", "dismissed"):
        rounds.look(job(1, 5), estimate(50, 4, status))
        assert rounds.places == [("job-sold", "won")]
        assert rounds.deals[0].value_cents == 100_000
        assert rounds.reasons == ["CRM-4 estimate 50: it was sold and is no more; a won opportunity stays won"]


def test_a_sale_when_already_in_install_keeps_the_stage_wins_it_and_sets_the_value() -> None:
    rounds = after(job(1, 5), job(2, 3, "scheduled", INSTALLS))
    assert rounds.places == [("scheduled", "open")]
    rounds.look(job(1, 5), job(2, 3, "scheduled", INSTALLS), estimate(50, 2, "sold", 500))
    (deal,) = rounds.deals
    assert (rounds.places, deal.value_cents, deal.closed_at) == ([("scheduled", "won")], 50_000, ago(2))
    assert deal.title == "Ann Lee - Install Job #J2 - $500.00"


def test_an_estimate_made_or_sold_while_the_next_is_open_counts_as_that_ones() -> None:
    first = (job(1, 20), estimate(50, 19, "sold", 100, sold=18))
    rounds = Rounds()
    rounds.look(*first, days=-18)
    rounds.look(*first, job(2, 5), estimate(51, 19, dollars=7), days=-4)
    assert rounds.places == [("job-sold", "won"), ("contacted", "open")]
    rounds.look(*first, job(2, 5), estimate(51, 19, "sold", 7, sold=3))
    assert rounds.places == [("job-sold", "won"), ("job-sold", "won")]
    assert [deal.value_cents for deal in rounds.deals] == [10_000, 700]
    rounds.deals = rounds.deals[:1]
    rounds.look(*first, job(2, 5), estimate(52, 2, dollars=8))
    assert [deal.stage for deal in rounds.deals] == ["job-sold", "proposal-sent"]


def test_all_dismissed_none_open_or_sold_is_estimate_lost() -> None:
    rounds = after(job(1, 5), estimate(50, 4), estimate(51, 3, dollars=0))
    rounds.look(job(1, 5), estimate(50, 4, "dismissed"), estimate(51, 3, dollars=0))
    assert rounds.places == [("proposal-sent", "open")]
    gone = (estimate(50, 4, "dismissed", modified_at=ago(1)), estimate(51, 3, "dismissed", modified_at=ago(2)))
    rounds.look(job(1, 5), *gone)
    (deal,) = rounds.deals
    assert (rounds.places, deal.lost_reason) == ([("estimate-lost", "lost")], "dismissed")
    assert (deal.closed_at, deal.close_on) == (ago(1), ago(1).date())
    assert (deal.title, deal.value_cents) == ("Ann Lee - Offer 50 - $1,000.00", 100_000)
    rounds.look(job(1, 5), *(replace(each, modified_at=ago(0)) for each in gone), name="Ann Wu")
    assert rounds.deals == (deal,)


# CRM-7


def test_a_pinned_opportunity_is_left_alone_and_listed() -> None:
    rounds = after(job(1, 5), name="Ann Lee")
    rounds.pin()
    pinned = rounds.deals
    rounds.look(job(1, 5, visits=["scheduled"]), estimate(50, 2, "sold"), job(2, 1, unit=INSTALLS), name="Ann Wu")
    assert rounds.deals == pinned
    assert "CRM-4 estimate 50: a person has pinned it" in rounds.reasons


def test_a_stage_set_by_hand_stays_until_a_new_fact_leads_to_a_later_stage() -> None:
    rounds = after(job(1, 5), estimate(50, 2))
    rounds.by_hand("contacted")
    rounds.look(job(1, 5), estimate(50, 2))
    assert rounds.places == [("contacted", "open")]
    assert rounds.reasons == [
        "CRM-3 estimate 50: a person set Contacted, and nothing that leads to Proposal Sent is new since"
    ]
    rounds.look(job(1, 5), estimate(50, 2), estimate(51, 1))
    assert rounds.places == [("proposal-sent", "open")]
    assert (rounds.deals[0].hand_stage, rounds.deals[0].hand_facts) == (None, ())


def test_what_came_after_a_persons_move_is_new_though_the_same_round_reads_both() -> None:
    rounds = after(job(1, 5))
    rounds.by_hand("appointment-scheduled", days=1)
    rounds.look(job(1, 5), estimate(50, -1.002), days=1.004)
    assert rounds.places == [("proposal-sent", "open")]


def test_what_was_there_when_a_person_moved_it_is_not_new_though_it_is_read_later() -> None:
    rounds = after(job(1, 5))
    rounds.by_hand("appointment-scheduled", days=1)
    rounds.look(job(1, 5), estimate(50, -0.5), days=1.004)
    assert rounds.places == [("appointment-scheduled", "open")]
    rounds.look(job(1, 5), estimate(50, -0.5, "sold", sold=-2), days=2.1)
    assert rounds.places == [("job-sold", "won")]


def test_a_stage_set_by_hand_is_not_left_for_an_earlier_one() -> None:
    rounds = after(job(1, 5))
    rounds.by_hand("estimate-followup")
    rounds.look(job(1, 5, visits=["scheduled"]), estimate(50, 2))
    assert rounds.places == [("estimate-followup", "open")]
    rounds.look(job(1, 5), estimate(50, 2, "sold"))
    assert rounds.places == [("job-sold", "won")]


@pytest.mark.parametrize(("stage", "status"), [("job-sold", "won"), ("estimate-lost", "lost")])
def test_set_by_hand_to_job_sold_or_estimate_lost_it_is_closed_on_the_crms_day(stage: str, status: str) -> None:
    rounds = after(job(1, 5), estimate(50, 2))
    rounds.by_hand(stage, days=1)
    rounds.look(job(1, 5), estimate(50, 2), days=3)
    (deal,) = rounds.deals
    assert (rounds.places, deal.closed_at, deal.close_on) == ([(stage, status)], ago(-1), ago(-1).date())


@pytest.mark.parametrize(("stage", "status"), [("job-sold", "won"), ("estimate-lost", "lost")])
def test_one_that_a_person_pins_and_closes_in_one_go_is_closed_and_the_next_job_opens_the_next_one(
    stage: str, status: str
) -> None:
    rounds = after(job(1, 5))
    rounds.by_hand(stage, days=1)
    rounds.pin()
    rounds.look(job(1, 5), job(2, -2), days=3, name="Ann Wu")
    assert rounds.places == [(stage, status), ("contacted", "open")]
    assert (rounds.deals[0].closed_at, rounds.deals[0].title) == (ago(-1), "Ann Lee - New Customer Qualifying")


@pytest.mark.parametrize("status", ["sold", "dismissed"])
def test_nothing_moves_backward_from_job_sold_or_estimate_lost_not_even_by_hand(status: str) -> None:
    rounds = after(job(1, 5), estimate(50, 2, status))
    closed = rounds.deals
    assert isinstance(rounds.by_hand("contacted"), Held)
    assert rounds.deals == closed


def test_a_stage_of_another_pipeline_set_by_hand_is_listed() -> None:
    rounds = after(job(1, 5))
    assert isinstance(rounds.by_hand("scheduled"), Held)
    assert isinstance(rounds.by_hand("nowhere"), Held)


# CRM-8


def test_a_job_of_the_sales_pipeline_created_after_the_close_opens_the_next_one() -> None:
    sold = estimate(50, 6, "sold", sold=4)
    rounds = after(job(1, 7), job(2, 5), sold)
    assert [deal.job_id for deal in rounds.deals] == [1]
    rounds.look(job(1, 7), job(2, 5), sold, job(3, 3))
    assert [(deal.key, deal.job_id, deal.stage) for deal in rounds.deals] == [
        ("st_7_1", 1, "job-sold"),
        ("st_7_2", 3, "contacted"),
    ]


@pytest.mark.parametrize(("status", "place"), [("open", ("proposal-sent", "open")), ("sold", ("job-sold", "won"))])
def test_an_estimate_made_after_a_loss_opens_one_straight(status: str, place: tuple[str, str]) -> None:
    lost = (job(1, 30), estimate(50, 25, "dismissed", modified_at=ago(20)))
    rounds = Rounds()
    rounds.look(*lost, days=-19)
    rounds.look(*lost, estimate(51, 2, status, 70))
    assert rounds.places == [("estimate-lost", "lost"), place]
    deal = rounds.deals[1]
    assert (deal.title, deal.job_id, deal.value_cents, deal.estimate_id) == ("Ann Lee - Offer 51 - $70.00", 1, 7000, 51)


def test_an_estimate_sold_after_the_deal_was_lost_opens_one_in_job_sold() -> None:
    rounds = after(job(1, 30))
    rounds.look(job(1, 9), estimate(50, 8, "dismissed", modified_at=ago(6)))
    rounds.look(job(1, 9), estimate(50, 8, "sold", sold=3))
    assert rounds.places == [("estimate-lost", "lost"), ("job-sold", "won")]
    assert (rounds.deals[1].closed_at, rounds.deals[1].close_on) == (ago(3), ago(3).date())
    assert rounds.deals[0].closed_at == ago(6)


def test_an_estimate_whose_job_is_another_customers_now_opens_one_and_no_more() -> None:
    rounds = after(job(1, 9), estimate(50, 8, "dismissed", modified_at=ago(6)))
    rounds.look(estimate(50, 10, "sold", sold=3))
    assert rounds.places == [("estimate-lost", "lost"), ("job-sold", "won")]


def test_an_estimate_without_a_value_or_from_before_the_loss_opens_none_and_is_listed() -> None:
    rounds = after(job(1, 9), estimate(50, 8, "dismissed", modified_at=ago(6)))
    rounds.look(job(1, 9), estimate(50, 8, "open", modified_at=ago(2)), estimate(51, 1, dollars=0))
    assert rounds.places == [("estimate-lost", "lost")]
    assert rounds.reasons == [
        "CRM-8 estimate 50: the opportunity was lost since, and a lost one stays lost",
        "CRM-8 estimate 51: the estimate has no value above 0",
    ]


def test_facts_of_the_future_are_cut_by_before() -> None:
    from st_sf_pipelines.rules.facts import before

    all_of_it = facts(job(1, 5, visits=["scheduled"]), job(2, 1), estimate(50, 4), estimate(51, 1), lead(9, 1))
    then = before(all_of_it, ago(3))
    assert [record.name for record in (*then.jobs, *then.estimates, *then.leads)] == ["job 1", "estimate 50"]
    assert then.jobs[0].appointments
    assert before(all_of_it, ago(6)).jobs == ()
    concluded = fold(then, (), AsOf(ago(3), ZONE), Pipelines())
    assert [deal.stage for deal in concluded.deals] == ["proposal-sent"]


def test_what_was_completed_or_sold_later_was_not_yet_before_that() -> None:
    from st_sf_pipelines.rules.facts import before

    done = replace(job(1, 5), status="completed", completed_at=ago(2))
    sold = replace(estimate(50, 4), status="sold", sold_on=ago(2), sold_by=7)
    for day, statuses in ((3, ("scheduled", "open")), (2, ("completed", "sold"))):
        then = before(facts(done, sold), ago(day))
        assert (then.jobs[0].status, then.estimates[0].status) == statuses
        assert (then.jobs[0].completed_at is None) is (then.estimates[0].sold_on is None) is (day == 3)
