"""Each sentence of CRM-5, CRM-6 and CRM-11, told over one customer's rounds."""

from __future__ import annotations

from typing import Any

import pytest

from st_sf_pipelines.config import Pipelines
from st_sf_pipelines_tests.rules.dealing import CABLES, INSTALLS, WIRES, Rounds, after, ago, estimate, job

# CRM-5


def test_a_won_opportunity_without_an_install_job_moves_to_install_and_stays_won() -> None:
    rounds = after(job(1, 5), estimate(50, 4, "sold", 1234.56))
    rounds.look(job(1, 5), estimate(50, 4, "sold", 1234.56), job(2, 1, "", INSTALLS, total_cents=99))
    (deal,) = rounds.deals
    assert (deal.place, deal.job_id) == (("install", "estimate-approved", "won"), 2)
    assert (deal.title, deal.value_cents) == ("Ann Lee - Install Job #J2 - $1,234.56", 123456)
    assert deal.close_on == ago(4).date()


def test_with_none_won_the_open_one_moves_and_stays_open_until_job_completed_which_wins_it() -> None:
    rounds = after(job(1, 5), job(2, 3, "scheduled", INSTALLS))
    assert rounds.places == [("scheduled", "open")]
    rounds.look(job(1, 5), job(2, 3, "completed", INSTALLS, completed_at=ago(1)))
    (deal,) = rounds.deals
    assert (rounds.places, deal.closed_at, deal.close_on) == ([("job-completed", "won")], ago(1), ago(1).date())


def two_won(*more: Any, second_unit: str = CABLES) -> Rounds:
    """Sell two jobs of a customer, one after the other, and then see more."""
    records: list[Any] = [
        job(1, 12),
        estimate(50, 11, "sold", 100, sold=10),
        job(3, 9, unit=second_unit),
        estimate(53, 8, "sold", 200, sold=7, job_id=3),
    ]
    rounds = after(*records)
    assert rounds.places == [("job-sold", "won"), ("job-sold", "won")]
    rounds.look(*records, *more)
    return rounds


def test_an_install_job_goes_to_the_won_one_whose_estimate_made_it() -> None:
    rounds = two_won(job(4, 1, "", INSTALLS, created_from_estimate_id=53))
    assert [deal.job_id for deal in rounds.deals] == [1, 4]


def test_else_to_one_of_the_same_trade() -> None:
    assert [deal.job_id for deal in two_won(job(4, 1, "", WIRES)).deals] == [1, 4]
    assert [deal.job_id for deal in two_won(job(4, 1, "", INSTALLS)).deals] == [4, 3]


def test_else_to_the_oldest() -> None:
    assert [deal.job_id for deal in two_won(job(4, 1, "", "Roof - Install")).deals] == [4, 3]


def test_each_won_one_takes_one_install_job() -> None:
    rounds = two_won(job(4, 2, "", INSTALLS), job(5, 1, "", INSTALLS))
    assert [(deal.job_id, deal.pipeline) for deal in rounds.deals] == [(4, "install"), (5, "install")]


def test_a_job_made_before_the_opportunitys_first_job_is_not_its_own() -> None:
    rounds = after(job(2, 20, "scheduled", INSTALLS), job(1, 5))
    assert [(deal.pipeline, deal.job_id) for deal in rounds.deals] == [("sales", 1)]


def test_a_canceled_install_job_claims_nothing() -> None:
    assert after(job(1, 5), job(2, 3, "canceled", INSTALLS)).places == [("contacted", "open")]


def test_with_one_open_in_install_already_the_job_is_listed() -> None:
    rounds = after(job(2, 6, "scheduled", INSTALLS), job(1, 5))
    rounds.look(job(2, 6, "scheduled", INSTALLS), job(1, 5), job(3, 1, "scheduled", INSTALLS))
    assert [(deal.pipeline, deal.job_id) for deal in rounds.deals] == [("sales", 1), ("install", 2)]
    assert rounds.reasons == ["CRM-5 job 3: another install job has the open opportunity"]


@pytest.mark.parametrize(("status", "stage"), [("scheduled", "scheduled"), ("completed", "job-completed")])
def test_one_whose_own_jobs_unit_became_an_install_unit_moves_to_install(status: str, stage: str) -> None:
    rounds = after(job(1, 5, status, "Pool - Crew", completed_at=ago(1)))
    assert rounds.places == [("contacted", "open")]
    rounds.rules = Pipelines(business_units={"Pool - Crew": "install"})
    rounds.look(job(1, 5, status, "Pool - Crew", completed_at=ago(1)))
    (deal,) = rounds.deals
    assert (deal.pipeline, deal.stage, deal.job_ids) == ("install", stage, (1,))
    assert deal.title == "Ann Lee - Install Job #J1 - $0.00"


def test_one_whose_own_job_became_an_install_job_stays_while_another_is_open_in_install() -> None:
    rounds = after(job(1, 12, "scheduled", INSTALLS), job(3, 5, "scheduled", "Pool - Crew"))
    assert rounds.places == [("contacted", "open"), ("scheduled", "open")]
    rounds.look(job(1, 12, "scheduled", INSTALLS), job(3, 5, "scheduled", INSTALLS))
    assert rounds.places == [("contacted", "open"), ("scheduled", "open")]


def test_a_second_install_job_after_the_sale_opens_its_own() -> None:
    rounds = after(job(1, 9), estimate(50, 8, "sold", sold=7))
    rounds.look(job(1, 9), estimate(50, 8, "sold", sold=7), job(2, 3, "", INSTALLS), job(3, 2, "", INSTALLS))
    assert [(deal.job_id, deal.place) for deal in rounds.deals] == [
        (2, ("install", "estimate-approved", "won")),
        (3, ("install", "estimate-approved", "open")),
    ]


def test_an_install_job_of_an_inactive_customer_opens_none_and_is_listed() -> None:
    rounds = after(job(2, 3, "scheduled", INSTALLS), active=False)
    assert (rounds.places, rounds.reasons) == (
        ([], ["CRM-8 job 2: the install job opens no opportunity: the customer is inactive"])
    )


def test_the_title_is_written_again_when_number_or_value_changes() -> None:
    rounds = after(job(2, 3, "scheduled", INSTALLS))
    assert rounds.deals[0].title == "Ann Lee - Install Job #J2 - $0.00"
    rounds.look(job(2, 3, "scheduled", INSTALLS, number="77", total_cents=500))
    assert (rounds.deals[0].title, rounds.deals[0].value_cents) == ("Ann Lee - Install Job #77 - $5.00", 500)
    rounds.look(job(2, 3, "scheduled", INSTALLS, number=None, total_cents=700))
    assert (rounds.deals[0].title, rounds.deals[0].value_cents) == ("Ann Lee - Install Job #2 - $7.00", 700)


@pytest.mark.parametrize("total", [0, None, -500])
def test_a_value_that_was_the_jobs_total_goes_with_it(total: int | None) -> None:
    rounds = after(job(2, 3, "scheduled", INSTALLS, total_cents=50_000))
    assert rounds.deals[0].value_cents == 50_000
    rounds.look(job(2, 3, "scheduled", INSTALLS, total_cents=total))
    (deal,) = rounds.deals
    assert (deal.title, deal.value_cents, deal.valued_by) == ("Ann Lee - Install Job #J2 - $0.00", None, None)


def test_a_value_from_an_estimate_goes_before_the_jobs_total() -> None:
    rounds = after(job(1, 5), estimate(50, 4, dollars=90), job(2, 3, "", INSTALLS, total_cents=500))
    assert (rounds.places, rounds.deals[0].value_cents) == ([("estimate-approved", "open")], 9000)


def test_one_set_to_job_sold_by_hand_waits_for_its_install_job_too() -> None:
    rounds = after(job(1, 5))
    rounds.by_hand("job-sold")
    rounds.look(job(1, 5), job(2, -1, "scheduled", INSTALLS), days=2)
    assert rounds.places == [("scheduled", "won")]


# CRM-6


@pytest.mark.parametrize(
    ("status", "visits", "stage"),
    [
        ("scheduled", ["scheduled"], "scheduled"),
        ("dispatched", ["dispatched"], "scheduled"),
        ("dispatched", ["working"], "in-progress"),
        ("scheduled", ["done", "working"], "in-progress"),
        ("inprogress", [], "in-progress"),
        ("hold", ["hold"], "on-hold"),
        ("hold", ["working"], "in-progress"),
        ("completed", ["working"], "job-completed"),
        ("unheardof", [], "estimate-approved"),
    ],
)
def test_the_install_jobs_status_sets_the_stage_in_the_same_round(status: str, visits: list[str], stage: str) -> None:
    assert [place for place, _ in after(job(2, 3, status, INSTALLS, visits=visits)).places] == [stage]


def test_in_progress_and_on_hold_may_alternate_and_nothing_else_moves_back() -> None:
    rounds = after(job(2, 3, "hold", INSTALLS))
    stages = []
    for status in ("inprogress", "hold", "inprogress", "scheduled", "completed", "inprogress"):
        rounds.look(job(2, 3, status, INSTALLS))
        stages.append(rounds.deals[0].stage)
    assert stages == ["in-progress", "on-hold", "in-progress", "in-progress", "job-completed", "job-completed"]


def test_a_job_reopened_is_listed() -> None:
    rounds = after(job(2, 3, "completed", INSTALLS))
    rounds.look(job(2, 3, "inprogress", INSTALLS))
    assert rounds.places == [("job-completed", "won")]
    assert rounds.reasons == ["CRM-6 job 2: it stands in Job Completed, and In Progress / On Site is an earlier stage"]


def test_a_canceled_install_job_moves_nothing_and_an_activity_says_so() -> None:
    rounds = after(job(2, 3, "inprogress", INSTALLS), contact="customer")
    rounds.look(job(2, 3, "canceled", INSTALLS))
    assert rounds.places == [("in-progress", "open")]
    assert [(each.key, each.kind, each.records) for each in rounds.last.activities] == [
        ("job_canceled:2", "job_canceled", ("job 2",))
    ]


def test_the_next_install_job_that_stands_takes_its_place_and_goes_forward_only() -> None:
    rounds = after(job(2, 3, "inprogress", INSTALLS))
    rounds.look(job(2, 3, "canceled", INSTALLS), job(3, 1, "scheduled", INSTALLS))
    (deal,) = rounds.deals
    assert (deal.stage, deal.job_id, deal.job_ids) == ("in-progress", 3, (2, 3))
    assert deal.title == "Ann Lee - Install Job #J3 - $0.00"
    rounds.look(job(2, 3, "canceled", INSTALLS), job(3, 1, "completed", INSTALLS))
    assert rounds.places == [("job-completed", "won")]


def test_a_won_one_whose_install_job_was_canceled_takes_the_next_before_an_open_one() -> None:
    sale = (job(1, 12), estimate(50, 11, "sold", sold=10))
    rounds = after(*sale, job(2, 9, "scheduled", INSTALLS))
    rounds.look(*sale, job(2, 9, "canceled", INSTALLS), job(3, 5), job(4, 2, "inprogress", INSTALLS))
    assert [(deal.job_id, deal.stage) for deal in rounds.deals] == [(4, "in-progress"), (3, "contacted")]


def test_no_next_install_job_for_30_days_loses_an_open_one_and_never_a_won_one() -> None:
    canceled = job(2, 3, "canceled", INSTALLS, modified_at=ago(1))
    rounds = after(job(2, 3, "scheduled", INSTALLS))
    rounds.look(canceled)
    rounds.look(canceled, days=29)
    assert rounds.places == [("scheduled", "lost")]
    rounds = after(job(1, 4), estimate(50, 3, "sold"), job(2, 3, "scheduled", INSTALLS))
    rounds.look(job(1, 4), estimate(50, 3, "sold"), canceled, days=99)
    assert rounds.places == [("scheduled", "won")]


def test_a_planning_stage_set_by_hand_stays_until_the_job_goes_on() -> None:
    rounds = after(job(2, 3, "scheduled", INSTALLS))
    rounds.by_hand("pre-install-planning")
    rounds.look(job(2, 3, "scheduled", INSTALLS))
    assert rounds.places == [("pre-install-planning", "open")]
    rounds.look(job(2, 3, "inprogress", INSTALLS))
    assert rounds.places == [("in-progress", "open")]


def test_on_hold_set_by_hand_is_not_left_for_in_progress_and_is_left_for_job_completed() -> None:
    rounds = after(job(2, 3, "scheduled", INSTALLS))
    rounds.by_hand("on-hold")
    rounds.look(job(2, 3, "inprogress", INSTALLS, modified_at=ago(-1)), days=2)
    assert rounds.places == [("on-hold", "open")]
    assert rounds.reasons == [
        "CRM-6 job 2: it stands in On Hold / Return Visit Needed, and In Progress / On Site is an earlier stage"
    ]
    rounds.look(job(2, 3, "completed", INSTALLS, completed_at=ago(-3)), days=4)
    assert rounds.places == [("job-completed", "won")]


def test_an_install_job_after_a_close_opens_at_once_when_nobody_waits_for_it() -> None:
    gone = (job(1, 12), estimate(50, 11, "dismissed", modified_at=ago(10)))
    rounds = after(*gone)
    rounds.look(*gone, job(2, 11.5, "scheduled", INSTALLS))
    assert rounds.places == [("estimate-lost", "lost")]
    assert rounds.reasons == ["CRM-8 job 2: the install job opens no opportunity: it was created before the last close"]
    rounds.look(*gone, job(2, 11.5, "scheduled", INSTALLS), job(3, 2, "scheduled", INSTALLS))
    assert rounds.places == [("estimate-lost", "lost"), ("scheduled", "open")]


def test_a_close_in_install_does_not_keep_a_job_of_the_sales_pipeline_from_opening_the_next_one() -> None:
    def at(*records: Any) -> list[tuple[str, str]]:
        rounds = Rounds()
        rounds.look(job(2, 20, "scheduled", INSTALLS), job(1, 18), estimate(50, 16), days=-15)
        assert rounds.places == [("proposal-sent", "open"), ("scheduled", "open")]
        for install in records:
            rounds.look(job(1, 18), estimate(50, 16, "dismissed", modified_at=ago(10)), job(3, 5), install)
        return rounds.places

    going = job(2, 20, "inprogress", INSTALLS)
    done = job(2, 20, "completed", INSTALLS, completed_at=ago(2))
    assert at(going, done) == at(done) == [("estimate-lost", "lost"), ("job-completed", "won"), ("contacted", "open")]


def test_a_loss_in_sales_does_not_keep_an_install_job_from_before_the_lost_one_from_opening_its_own() -> None:
    rounds = after(job(2, 13, "scheduled", INSTALLS), job(1, 12), estimate(50, 11, "dismissed", modified_at=ago(10)))
    assert rounds.places == [("estimate-lost", "lost"), ("scheduled", "open")]


def test_a_job_from_before_the_sale_opens_none_also_when_the_sold_one_is_in_install() -> None:
    sale = (job(1, 12), job(3, 10), estimate(50, 11, "sold", sold=8))
    rounds = after(*sale)
    rounds.look(*sale, job(2, 6, "scheduled", INSTALLS))
    assert rounds.places == [("scheduled", "won")]


# CRM-11


def test_an_activity_is_written_for_each_of_the_five_things_with_a_key_of_its_own() -> None:
    first = job(1, 5, "completed", visits=["done"])
    rounds = after(first)
    assert [each.key for each in rounds.last.activities] == ["contact_created:7", "job_completed:1"]
    keys = [each.key for each in rounds.last.activities]
    steps = (
        (first, estimate(50, 4)),
        (job(1, 5, "completed", technicians=(3,)), estimate(50, 4, "sold", sold_by=8)),
        (job(1, 5, "completed", technicians=(3,)), estimate(50, 4, "sold", sold_by=8), job(2, 1, "hold", INSTALLS)),
        (job(1, 5, "completed"), estimate(50, 4, "sold", sold_by=8), job(2, 1, "inprogress", INSTALLS)),
        (job(1, 5, "completed"), estimate(50, 4, "sold", sold_by=8), job(2, 1, "hold", INSTALLS)),
    )
    for records in steps:
        rounds.look(*records, contact="customer")
        keys += [each.key for each in rounds.last.activities]
    assert keys == [
        "contact_created:7",
        "job_completed:1",
        "stage_changed:st_7_1:1",
        "stage_changed:st_7_1:2",
        "assignment_changed:st_7_1:3",
        "estimate_sold:50",
        "stage_changed:st_7_1:4",
        "stage_changed:st_7_1:5",
        "assignment_changed:st_7_1:6",
        "stage_changed:st_7_1:7",
        "stage_changed:st_7_1:8",
    ]
    assert len(set(keys)) == len(keys)
    assert {each.title for each in rounds.last.activities} == {
        "Ann Lee - Install Job #J2 - $1,000.00: On Hold / Return Visit Needed"
    }


def test_a_deal_is_assigned_to_the_jobs_technician_and_to_who_sold_its_estimate_else_the_job() -> None:
    rounds = after(job(1, 5, technicians=(4, 3), sold_by=6, campaign_id=80))
    deal = rounds.deals[0]
    assert (deal.technician_id, deal.seller_id, deal.campaign_id) == (4, 6, 80)
    rounds.look(job(1, 5, campaign_id=None), estimate(50, 2, "sold", sold_by=9))
    deal = rounds.deals[0]
    assert (deal.technician_id, deal.seller_id, deal.campaign_id) == (None, 9, 80)


# Business units


def test_a_unit_that_is_not_in_the_table_is_reported_as_unmapped_and_goes_by_its_name() -> None:
    rounds = after(job(1, 3, unit="Lawn care"))
    assert rounds.places == [("contacted", "open")]
    assert rounds.reasons == ["CRM-1 job 1: nobody mapped the business unit 'Lawn care'; it counts as sales"]
    assert after(job(1, 3, "", "Solar Installation")).places == [("estimate-approved", "open")]
    assert after(job(1, 3, unit=None)).reasons == ["CRM-1 job 1: it has no business unit; it counts as sales"]
    assert after(job(1, 3, unit="Lawn care")).last.due_on == ago(3 - 15).date()
    mapped = Rounds(Pipelines(business_units={"LAWN  CARE": "install", "pool-sales": "install"}))
    mapped.look(job(1, 3, "", "Lawn care"))
    assert (mapped.places, mapped.reasons) == ([("estimate-approved", "open")], [])
    mapped.look(job(1, 3, "", "Lawn care"), job(2, 2, "", "Pool - Sales"))
    assert mapped.reasons == ["CRM-5 job 2: another install job has the open opportunity"]
