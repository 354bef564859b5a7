"""What holds for deals whatever happens: worlds drawn at random, and the same facts in any grouping of rounds."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from st_sf_pipelines.rules.facts import Estimate, Job, Lead
from st_sf_pipelines.rules.pipelines import ALTERNATING, STAGE
from st_sf_pipelines_tests.rules.dealing import CABLES, INSTALLS, SELLS, Rounds, ago, estimate, job, lead

if TYPE_CHECKING:
    from st_sf_pipelines.rules.deals import Deal, Place

Records = tuple[Job | Estimate | Lead, ...]

JOB_STATUSES = ("scheduled", "dispatched", "inprogress", "hold", "completed", "canceled")
VISITS = ("scheduled", "dispatched", "working", "hold", "done", "canceled")


@st.composite
def worlds(draw: st.DrawFn) -> list[Records]:
    """Draw how a customer's records stand at each of some rounds: they come in any order, and change at will."""
    days = st.floats(0, 40)
    jobs = {nr: (draw(days), draw(st.sampled_from([SELLS, CABLES, INSTALLS, "Roof"]))) for nr in range(1, 6)}
    offers = {nr: (draw(days), draw(st.sampled_from([None, *jobs])), draw(st.integers(-1, 3))) for nr in range(50, 55)}
    rounds = []
    for _ in range(draw(st.integers(1, 4))):
        records: list[Job | Estimate | Lead] = []
        for nr, (age, unit) in jobs.items():
            if draw(st.booleans()):
                status, visit = draw(st.sampled_from(JOB_STATUSES)), draw(st.sampled_from(VISITS))
                touched = ago(draw(st.floats(0, age)))
                records.append(job(nr, age, status, unit, visits=[visit], modified_at=touched))
        for nr, (age, job_id, dollars) in offers.items():
            if draw(st.booleans()):
                status, since = draw(st.sampled_from(["open", "sold", "dismissed"])), draw(st.floats(0, age))
                sold = since if status == "sold" else None
                records.append(estimate(nr, age, status, dollars, job_id=job_id, sold=sold, modified_at=ago(since)))
        if draw(st.booleans()):
            records.append(lead(9, 3, draw(st.sampled_from(["open", "dismissed", "converted"]))))
        rounds.append(tuple(records))
    return rounds


def is_forward(before: Place, now: Place) -> bool:
    """Tell whether a move is one that CRM-7 allows."""
    here, there = STAGE[before.stage], STAGE[now.stage]
    if before.pipeline != now.pipeline:
        return (before.pipeline, before.status) in {("sales", "open"), ("sales", "won")}
    return (
        here == there or (not here.protected and (there.order > here.order)) or {here.slug, there.slug} <= ALTERNATING
    )


@given(worlds(), st.sampled_from([0, 1, 40]))
@settings(max_examples=300, deadline=None)
def test_never_backward_one_open_in_a_pipeline_closed_stays_closed_and_n_rounds_are_one(
    rounds: list[Records], pause: int
) -> None:
    looked = Rounds()
    before: dict[str, Deal] = {}
    for nr, records in enumerate(rounds):
        looked.look(*records, days=nr * pause)  # which looks twice, and expects no change
        for pipeline in ("sales", "install"):
            assert sum(deal.is_open and deal.pipeline == pipeline for deal in looked.deals) <= 1
        for move in looked.last.moves:
            assert move.records
            assert move.before is None or is_forward(move.before, move.after)
        now = {deal.key: deal for deal in looked.deals}
        for key, deal in before.items():
            assert not (deal.status == "lost" and now[key] != deal)
            assert not (deal.status == "won" and now[key].status != "won")
            assert deal.is_open or now[key].closed_at == deal.closed_at
        assert [deal.number for deal in looked.deals] == list(range(1, len(looked.deals) + 1))
        opened = [move for move in looked.last.moves if move.before is None and move.rule in {"CRM-1", "Leads"}]
        taken = {f"job {nr}" for deal in before.values() for nr in deal.job_ids}
        assert not taken & {name for move in opened for name in move.records}
        before = now


@given(worlds(), st.sampled_from(["contacted", "estimate-followup"]))
@settings(max_examples=100, deadline=None)
def test_a_stage_set_by_hand_stays_until_a_later_fact(rounds: list[Records], stage: str) -> None:
    looked = Rounds()
    looked.look(*rounds[0])
    looked.deals = tuple(deal for deal in looked.deals if deal.is_open and deal.pipeline == "sales")
    if not looked.deals:
        return
    looked.by_hand(stage)
    old_jobs = tuple(record for record in rounds[0] if not isinstance(record, Lead))
    looked.look(*old_jobs)
    assert looked.deals[0].stage == stage


@given(worlds())
@settings(max_examples=100, deadline=None)
def test_a_pinned_one_is_left_alone(rounds: list[Records]) -> None:
    looked = Rounds()
    looked.look(*rounds[0])
    looked.pin()
    pinned = looked.deals
    for records in rounds[1:]:
        looked.look(*records)
        assert looked.deals[: len(pinned)] == pinned


@st.composite
def histories(draw: st.DrawFn) -> list[Records]:
    """Draw the days of a customer whose facts only move forward: each step is all that is there by then.

    A second job comes only after a sale on the first (but see `begun`): of two that are seen at once, CRM-1 takes the
    newest by its own sentence. A visit stays scheduled: one that is seen when it is done leads nowhere, by CRM-2's.
    """
    steps: list[Records] = [()]
    records: dict[str, Job | Estimate | Lead] = {}

    def step(name: str, record: Job | Estimate | Lead) -> None:
        records[name] = record
        steps.append(tuple(records.values()))

    if draw(st.booleans()):
        step("lead", lead(9, 13))
    visits = draw(st.sampled_from([(), ("scheduled",)]))
    for status in draw(st.sampled_from([["scheduled"], ["scheduled", "completed"]])):
        step("first", job(1, 12, status, visits=visits))
    for nr, offer in draw(offers()):
        step(f"offer {nr}", offer)
    for install in draw(st.one_of(st.just([]), installs())):
        step("install", install)
    estimates = [record for record in records.values() if isinstance(record, Estimate)]
    if any(each.status == "sold" and each.job_id == 1 for each in estimates) and draw(st.booleans()):
        step("second", job(3, 3))
    return steps


@st.composite
def offers(draw: st.DrawFn) -> list[tuple[int, Estimate]]:
    """Draw estimates that are made, and then all sold or all dismissed."""
    made = [
        (nr, estimate(nr, 61 - nr, dollars=nr, job_id=draw(st.sampled_from([1, None]))))
        for nr in range(50, 50 + draw(st.integers(0, 2)))
    ]
    status = draw(st.sampled_from(["open", "sold", "dismissed"]))
    ended = []
    for place, (nr, each) in enumerate(made if status != "open" else ()):
        day = 8 - place / 2
        sold_on = ago(day) if status == "sold" else None
        ended.append((nr, replace(each, status=status, modified_at=ago(day), sold_on=sold_on)))
    return made + ended


@st.composite
def installs(draw: st.DrawFn) -> list[Job]:
    """Draw how an install job goes on, as far as it has come."""
    total = draw(st.sampled_from([None, 500]))
    seen = [status for status in ("dispatched", "inprogress", "hold", "completed") if draw(st.booleans())]
    made = [job(2, 6, status, INSTALLS, total_cents=total) for status in ("scheduled", *seen)]
    return [replace(each, completed_at=ago(4) if each.status == "completed" else None) for each in made]


@st.composite
def begun(draw: st.DrawFn) -> list[Records]:
    """Draw how it goes on with a deal that is open in Sales, and perhaps one beside it in Install, day after day.

    The first step is what was there two weeks ago, and was looked at then. A second job comes with a sale before it,
    or a loss, or neither; so does an install job or a lead: of both, a lead opens one only if it is seen first.
    """
    beside = draw(st.sampled_from([None, 19, 17]))  # older than the deal in Sales, or its own install job
    first: dict[str, Job | Estimate | Lead] = {"first": job(1, 18), "offer": estimate(50, 16)}
    if beside:
        first["install"] = job(2, beside, "scheduled", INSTALLS, modified_at=ago(16))
    ended = draw(st.sampled_from(["open", "sold", "dismissed"]))
    day = draw(st.sampled_from([10, 4]))
    late: tuple[float, str, Job | Estimate | Lead]
    late = (3, "third", job(4, 3, "scheduled", INSTALLS)) if draw(st.booleans()) else (6, "lead", lead(9, 6))
    news: list[tuple[float, str, Job | Estimate | Lead]] = [
        late,
        (day, "offer", estimate(50, 16, ended, modified_at=ago(day), sold=day if ended == "sold" else None)),
        (5, "second", job(3, 5)),
    ]
    if beside:
        done = job(2, beside, "completed", INSTALLS, modified_at=ago(2), completed_at=ago(2))
        news.append((2, "install", done))
    records = dict(first)
    steps: list[Records] = [tuple(records.values())]
    for _, name, record in sorted(news, key=lambda each: -each[0]):
        if draw(st.booleans()):
            records[name] = record
            steps.append(tuple(records.values()))
    return steps


def end(steps: list[Records], begin: Records = ()) -> list[tuple[object, ...]]:
    """Give where the deals stand after rounds over these steps, all at one moment; `begin` was seen two weeks before.

    The title and the value of a lost deal stay what they were, by CRM-4: they tell what was seen before the loss.
    """
    looked = Rounds()
    looked.look(*begin, days=-15)
    for records in steps:
        looked.look(*records)
    return [
        (deal.key, deal.place, deal.job_id, deal.closed_at, deal.close_on)
        if deal.status == "lost"
        else (deal.key, deal.place, deal.title, deal.value_cents, deal.job_id, deal.estimate_id, deal.closed_at)
        for deal in looked.deals
    ]


@given(histories(), st.data())
@settings(max_examples=400, deadline=None)
def test_facts_that_only_move_forward_give_the_same_end_in_any_grouping_of_rounds(
    steps: list[Records], data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(steps) - 1))) | {len(steps) - 1})
    assert end([steps[cut] for cut in cuts]) == end(steps[-1:])
    assert all(earlier != later for earlier, later in pairwise(cuts))


@given(begun())
@settings(max_examples=400, deadline=None)
def test_so_do_they_where_deals_are_under_way_in_both_pipelines(steps: list[Records]) -> None:
    assert end(steps, steps[0]) == end(steps[-1:], steps[0])
