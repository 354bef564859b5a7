"""What comes after a close: an estimate or a lead opens the next deal once, and no sale counts twice (CRM-8)."""

from __future__ import annotations

from st_sf_pipelines_tests.rules.dealing import Rounds, after, ago, estimate, job, lead

CANCELED = job(1, 60, "canceled", modified_at=ago(40))


def without_job() -> Rounds:
    """Give an opportunity whose job was canceled 40 days ago, as it was 45 days ago."""
    rounds = Rounds()
    rounds.look(job(1, 60), days=-50)
    return rounds


def test_an_estimate_made_before_the_days_without_a_job_were_over_opens_no_other_one() -> None:
    rounds = without_job()
    (deal,) = rounds.look(CANCELED, estimate(52, 20))
    assert (deal.stage, deal.status, deal.closed_at) == ("contacted", "lost", ago(40))
    assert "CRM-8 estimate 52: the opportunity was lost since, and a lost one stays lost" in rounds.reasons


def test_an_estimate_made_after_a_loss_has_30_days_of_its_own_where_its_job_was_canceled() -> None:
    rounds = without_job()
    rounds.look(CANCELED, estimate(52, 2))
    assert rounds.places == [("contacted", "lost"), ("proposal-sent", "open")]
    rounds.look(CANCELED, estimate(52, 2), days=27)
    assert rounds.places == [("contacted", "lost"), ("proposal-sent", "open")]
    rounds.look(CANCELED, estimate(52, 2), days=28)
    assert rounds.places == [("contacted", "lost"), ("proposal-sent", "lost")]
    assert rounds.deals[1].closed_at == ago(2)


def test_a_sale_seen_only_after_the_days_without_a_job_opens_one_straight_in_job_sold() -> None:
    rounds = without_job()
    rounds.look(CANCELED, estimate(52, 50, "sold", sold=20))
    assert rounds.places == [("contacted", "lost"), ("job-sold", "won")]


def test_a_lead_that_waited_for_a_close_opens_one_that_has_nothing_of_what_was_closed() -> None:
    sale = estimate(52, 8, "sold", sold=3, job_id=99)
    rounds = after(job(1, 12), lead(9, 10), job(2, 11, "canceled"))
    rounds.look(job(1, 12), lead(9, 10), sale)
    assert [(deal.stage, deal.status, deal.value_cents) for deal in rounds.deals] == [
        ("job-sold", "won", 100_000),
        ("new-lead", "open", None),
    ]


def test_the_close_date_follows_the_day_on_which_the_job_was_completed() -> None:
    def done(days: float) -> int:
        rounds.look(job(1, 12, "completed", "Pool - Install", completed_at=ago(days)))
        (deal,) = rounds.deals
        assert deal.closed_at == ago(5)
        return (rounds.seen.jobs[0].created_at.date() - deal.close_on).days

    rounds = Rounds()
    assert (done(5), done(3)) == (-7, -9)
