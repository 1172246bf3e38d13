"""Each clause finds the device that breaks it, and lets a good one pass."""

from __future__ import annotations

import pytest
from bad_devices import BAD
from toy_device import ToyDevice, Wire

from linli.conform.clause import Result, judge
from linli.conform.device import CLAUSES
from linli.conform.device_trial import DevicePlan, DeviceTrial, Wish

PLAN = DevicePlan(
    facts=5, patience=130, quiet=5, commands=(Wish("door-hold", "lift-1"),), stop=True
)


def tried(device: ToyDevice) -> dict[str, Result]:
    trial = DeviceTrial(PLAN)
    Wire(trial, device).run(longest=2000)
    return {one.clause.number: one for one in judge(CLAUSES, trial.trace)}


def test_a_good_device_passes_every_clause() -> None:
    found = tried(ToyDevice())
    assert {
        number: one.finding for number, one in found.items() if one.finding.verdict != "pass"
    } == {}


@pytest.mark.parametrize("bad", BAD, ids=lambda one: f"{one.clause}-{one.__name__}")
def test_a_fault_is_found_by_its_clause(bad: type[ToyDevice]) -> None:
    finding = tried(bad())[bad.clause].finding  # type: ignore[attr-defined]
    assert finding.verdict == "fail", finding


def test_each_clause_has_a_device_that_breaks_it() -> None:
    assert {one.clause for one in BAD} == {one.number for one in CLAUSES}  # type: ignore[attr-defined]


def test_who_never_comes_passes_nothing() -> None:
    class Absent(ToyDevice):
        def connect(self) -> bool:
            return False

    assert {one.finding.verdict for one in tried(Absent()).values()} == {"not seen"}
