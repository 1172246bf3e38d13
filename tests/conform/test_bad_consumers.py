"""Each clause finds the consumer that breaks it, and lets a good one pass."""

from __future__ import annotations

import pytest
from bad_consumers import BAD
from toy_consumer import ToyConsumer
from toy_device import Wire

from linli.conform.clause import Result, judge
from linli.conform.consumer import CLAUSES
from linli.conform.consumer_trial import ConsumerPlan, ConsumerTrial

PLAN = ConsumerPlan(patience=20, quiet=2, restart=True, stop=True)


def tried(consumer: ToyConsumer) -> dict[str, Result]:
    trial = ConsumerTrial(PLAN)
    Wire(trial, consumer).run(longest=1000)
    return {one.clause.number: one for one in judge(CLAUSES, trial.trace)}


def test_a_good_consumer_passes_every_clause() -> None:
    found = tried(ToyConsumer())
    assert [one.finding for one in found.values() if one.finding.verdict != "pass"] == []


@pytest.mark.parametrize("bad", BAD, ids=lambda one: f"{one.clause}-{one.__name__}")
def test_a_fault_is_found_by_its_clause(bad: type[ToyConsumer]) -> None:
    finding = tried(bad())[bad.clause].finding  # type: ignore[attr-defined]
    assert finding.verdict == "fail", finding


def test_each_clause_has_a_consumer_that_breaks_it() -> None:
    assert {one.clause for one in BAD} == {one.number for one in CLAUSES}  # type: ignore[attr-defined]


def test_who_never_comes_passes_nothing() -> None:
    class Absent(ToyConsumer):
        def connect(self) -> bool:
            return False

    assert {one.finding.verdict for one in tried(Absent()).values()} == {"not seen"}
