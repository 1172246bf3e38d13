"""One numbered rule of the contract, and what a trace says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from linli.conform.trace import Trace

Verdict = Literal["pass", "fail", "not seen"]
SHOWN = 3
_LONGEST = 220


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen, and whether that keeps the clause. What was not seen passes nothing."""

    verdict: Verdict
    seen: str


Judge = Callable[[Trace], Finding]


@dataclass(frozen=True, slots=True)
class Clause:
    """What is asked, and how to mend what breaks it."""

    number: str
    asked: str
    mend: str
    judge: Judge


@dataclass(frozen=True, slots=True)
class Result:
    """A clause after the trial."""

    clause: Clause
    finding: Finding


def judge(clauses: Sequence[Clause], trace: Trace) -> list[Result]:
    """Hold a trace against each clause, in their order."""
    return [Result(clause, clause.judge(trace)) for clause in clauses]


def passed(seen: str) -> Finding:
    """Say that it keeps the clause."""
    return Finding("pass", seen)


def unseen(why: str) -> Finding:
    """Say that nothing was seen that the clause speaks of."""
    return Finding("not seen", why)


def failed(faults: Sequence[str]) -> Finding:
    """Say what breaks it: the first few, and how many there are."""
    shown = "; ".join(one[:_LONGEST] for one in faults[:SHOWN])
    more = f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
    return Finding("fail", shown + more)


def weigh(faults: Sequence[str], good: int, seen: str, nothing: str) -> Finding:
    """Fail on any fault, pass when `good` things were seen, otherwise admit that none was."""
    if faults:
        return failed(faults)
    return passed(seen) if good else unseen(nothing)
