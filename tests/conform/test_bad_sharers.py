"""Each clause about sharing finds the community, or the district, that breaks it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bad_sharers import BAD_SHARERS, BAD_STREETS
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_device import START, Wire
from toy_sharers import ToySharer, ToyStreet

from linli.conform import district, sharing
from linli.conform.clause import Result, judge
from linli.conform.district_trial import DistrictPlan, DistrictTrial
from linli.conform.sharing_trial import SharingPlan, SharingTrial
from linli.conform.trace import Sent, Trace
from linli.conform.trial import Trial


def tried(one: Any) -> dict[str, Result]:
    trial: Trial
    if isinstance(one, ToySharer):
        trial, clauses = SharingTrial(SharingPlan(patience=100, quiet=2)), sharing.CLAUSES
    else:
        trial = DistrictTrial(DistrictPlan(patience=20, quiet=2, tally=True))
        clauses = district.CLAUSES
    Wire(trial, one).run(longest=1000)
    return {one.clause.number: one for one in judge(clauses, trial.trace)}


@pytest.mark.parametrize("good", [ToySharer, ToyStreet])
def test_a_good_one_passes_every_clause(good: type[Any]) -> None:
    found = tried(good())
    assert [one.finding for one in found.values() if one.finding.verdict != "pass"] == []


@pytest.mark.parametrize(
    "bad", [*BAD_SHARERS, *BAD_STREETS], ids=lambda one: f"{one.clause}-{one.__name__}"
)
def test_a_fault_is_found_by_its_clause(bad: type[Any]) -> None:
    finding = tried(bad())[bad.clause].finding
    assert finding.verdict == "fail", finding


def test_each_clause_has_one_that_breaks_it() -> None:
    broken: list[Any] = [*BAD_SHARERS, *BAD_STREETS]
    numbers = {one.number for one in (*sharing.CLAUSES, *district.CLAUSES)}
    assert {one.clause for one in broken} == numbers


@pytest.mark.parametrize("kind", [ToySharer, ToyStreet])
def test_who_never_comes_passes_nothing(kind: type[Any]) -> None:
    class Absent(kind):  # type: ignore[misc]
        def turn(self) -> None:
            """Stay away."""

    assert {one.finding.verdict for one in tried(Absent()).values()} == {"not seen"}


def test_a_number_that_never_changes_and_an_id_told_once_pass_nothing() -> None:
    class Once(ToySharer):
        def plan(self) -> list[tuple[str, dict[str, Any]]]:
            return super().plan()[:2]

        def later(self) -> list[tuple[str, dict[str, Any]]]:
            self.again.clear()
            return super().later()[1:]

        def turn(self) -> None:
            if self.step == 1:
                self.again.clear()
            super().turn()

    found = tried(Once())
    assert {found[number].finding.verdict for number in ("S8", "S10")} == {"not seen"}


def test_what_a_district_counts_is_not_seen_without_its_word() -> None:
    trial = DistrictTrial(DistrictPlan(patience=20, quiet=2))
    Wire(trial, ToyStreet()).run(longest=1000)
    found = {one.clause.number: one.finding for one in judge(district.CLAUSES, trial.trace)}
    assert [number for number, one in found.items() if one.verdict == "pass"] == ["U1", "U2", "U3"]
    assert {one.verdict for number, one in found.items() if int(number[1:]) > 3} == {"not seen"}


@pytest.mark.parametrize(
    "said", ["", "no JSON", "[]", '{"events": 3, "registry": {"conform-a": 1}}']
)
def test_a_tally_that_cannot_be_read_passes_nothing(said: str) -> None:
    class Odd(ToyStreet):
        def tally(self) -> str:
            return said

    found = tried(Odd())
    assert {found[f"U{number}"].finding.verdict for number in range(4, 13)} == {"fail"}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=8), one, max_size=3),
    max_leaves=5,
)
TIMES = st.datetimes().map("{:%Y-%m-%dT%H:%M:00Z}".format) | st.just("0001-01-01T00:00:00+14:00")


@settings(max_examples=200, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys((*ToySharer().head("event", "x"), "more"), ANYTHING | TIMES),
    ),
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("type", "kind", "areaclass", "count", "version"), ANYTHING)
    ),
    st.sampled_from(["event/smoke", "registry/abc"]),
)
def test_nothing_that_is_shared_makes_a_judge_fall(
    body: dict[str, Any], data: dict[str, Any], last: str
) -> None:
    trace = Trace(node="x")
    for spoiled in ({**body, "data": data}, body):
        payload = json.dumps(spoiled).encode()
        trace.add(Sent(at=START, topic=f"linli/v1/c001/_share/{last}", payload=payload))
    found = {one.clause.number: one.finding.verdict for one in judge(sharing.CLAUSES, trace)}
    assert found["S3"] == "fail"
