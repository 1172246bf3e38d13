"""Whatever falls, one after another under load: nothing is lost, nothing doubled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from brokers import NEEDS_MOSQUITTO
from catalogue import CATALOGUE, TEN_MINUTES, Fault
from play import hold, play, quiet
from table import with_new
from verdict import Fact, Row, compare

SHORT = tuple(fault for fault in CATALOGUE if not fault.long)
REAL = [pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]


def run(folder: Path, seed: int, faults: Sequence[Fault], record: Any) -> None:
    rows = play(folder, seed, faults)
    for row in rows:
        record("fault", row.as_dict())
    hold(rows, faults, speed=quiet(1.5))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [pytest.param(1, marks=REAL)])
def test_nothing_is_lost_or_doubled_whatever_falls(
    tmp_path: Path, record_property, seed: int
) -> None:
    run(tmp_path / "stage", seed, SHORT, record_property)


@pytest.mark.timeout(2400)
@pytest.mark.parametrize(
    "seed", [pytest.param(n, marks=[*REAL, pytest.mark.full]) for n in (2, 3, 4)]
)
def test_nor_in_longer_faults_and_other_orders(tmp_path: Path, record_property, seed: int) -> None:
    run(tmp_path / "stage", seed, CATALOGUE, record_property)


@pytest.mark.full
@pytest.mark.faults
@pytest.mark.broker
@NEEDS_MOSQUITTO
@pytest.mark.timeout(3600)
def test_nor_in_ten_minutes_without_the_ingest(tmp_path: Path, record_property) -> None:
    run(tmp_path / "stage", 1, TEN_MINUTES, record_property)


def fact(number: int) -> Fact:
    return Fact(f"id-{number}", f"sha-{number}", float(number), "0000000e", number)


def test_what_is_missing_doubled_changed_or_refused_is_told_apart() -> None:
    truth = [fact(number) for number in range(6)]
    stored = [("id-0", "sha-0"), ("id-1", "sha-1"), ("id-1", "sha-1"), ("id-2", "other")]
    verdict = compare(truth, [*stored, ("of-nobody", "sha")], ["id-3"])
    assert (verdict.produced, verdict.stored, verdict.refused) == (6, 3, 1)
    assert [one.id for one in verdict.missing] == ["id-4", "id-5"]
    assert verdict.doubled == ("id-1",)
    assert verdict.changed == ("id-2",)


@pytest.mark.parametrize(
    "wrong", [{"lost": 1}, {"doubled": 1}, {"refused": 1}, {"produced": 0}, {"worked_after": 15.1}]
)
def test_a_run_that_lost_doubled_or_took_too_long_does_not_pass(wrong: dict[str, Any]) -> None:
    good = {"produced": 9, "stored": 9, "lost": 0, "doubled": 0, "worked_after": 1.0}
    name = next(fault.name for fault in CATALOGUE if fault.single_kill)
    hold([Row(fault=name, requirement="R1", seed=1, **good)], CATALOGUE, speed=True)
    with pytest.raises(AssertionError):
        hold(
            [Row(fault=name, requirement="R1", seed=1, **{**good, **wrong})], CATALOGUE, speed=True
        )


def test_names_are_told_apart() -> None:
    names = [one.name for one in CATALOGUE]
    assert len(names) == len(set(names))


def test_a_row_stays_until_the_same_is_measured_again() -> None:
    def run(machine: str, *rows: tuple[str, int]) -> dict[str, Any]:
        return {"machine": machine, "rows": [{"fault": one, "seed": seed} for one, seed in rows]}

    older = [run("a", ("cut", 1)), run("b", ("cut", 2), ("killed", 2))]
    found = with_new(older, run("c", ("cut", 1), ("cut", 2)))
    assert found == [run("b", ("killed", 2)), run("c", ("cut", 1), ("cut", 2))]
