"""Clauses about a device's facts on their way: numbered, held, sent again, forgotten."""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import datetime, timedelta

from linli.conform.clause import Clause, Finding, unseen, weigh
from linli.conform.trace import Did, Sent, Trace, seconds
from linli.counted import counted

MOST_OPEN = 999
"""`Some hundred` facts without a receipt, read generously."""
RATE, BURST = 50.0, 500.0
GRACE = timedelta(seconds=2)
"""What is on its way when a receipt comes may still arrive."""
_NOTHING = "no fact came"
Place = tuple[str, int]


def _held(trace: Trace) -> Finding:
    """Facts only while the ingest is ready; `init` and `ready` are our words to the device."""
    ready, windows = False, []
    start: datetime | None = None
    for one in trace.all(Did):
        if one.name == "init":
            ready, start = False, one.at
        elif one.name == "ready" and not ready:
            if start is not None:
                windows.append((start, one.at))
            ready = True
    bad = [
        f"{one.topic} {seconds(one.at - begin)} after the ingest was not ready"
        for one in trace.facts()
        for begin, end in windows
        if begin <= one.at < end and not one.dup  # MQTT's own repeat of what was sent before
    ]
    waited = [
        one
        for begin, end in windows
        for one in trace.facts()
        if one.at >= end and (one.instant("recordedtime") or one.instant("time") or end) < end
    ]
    return weigh(
        bad,
        len(waited),
        f"{counted(len(waited), 'fact')} waited for `ready`",
        "no fact had to wait",
    )


def _numbered(trace: Trace) -> Finding:
    bad: list[str] = [
        f"{one.topic}: no stream and sequence" for one in trace.facts() if one.place is None
    ]
    streams: dict[str, list[int]] = defaultdict(list)
    for stream, sequence in trace.first_facts():
        streams[stream].append(sequence)
    for stream, numbers in streams.items():
        numbers.sort()
        if numbers[0] < 1:
            bad.append(f"stream {stream}: sequence {numbers[0]}")
        bad += [
            f"stream {stream}: {b} comes after {a}"
            for a, b in itertools.pairwise(numbers)
            if b != a + 1
        ]
    total = sum(len(one) for one in streams.values())
    return weigh(
        bad,
        total,
        f"{counted(total, 'fact')} in {counted(len(streams), 'stream')}, no gap",
        _NOTHING,
    )


def _in_order(trace: Trace) -> Finding:
    highest: dict[str, int] = {}
    bad, count = [], 0
    known = set[Place]()
    for one in trace.facts():
        if one.place is None or one.place in known:
            continue
        known.add(one.place)
        count += 1
        stream, sequence = one.place
        if sequence < highest.get(stream, 0):
            bad.append(f"stream {stream}: {sequence} after {highest[stream]}")
        highest[stream] = max(sequence, highest.get(stream, 0))
    return weigh(bad, count, f"{counted(count, 'fact')} in the order of their numbers", _NOTHING)


def _lowest(trace: Trace) -> Finding:
    bad, count = [], 0
    for one in trace.facts():
        low = one.text("low")
        if one.place is None or not low.isdigit():
            continue
        count += 1
        if not 1 <= int(low) <= one.place[1]:
            bad.append(f"sequence {one.place[1]} with low {int(low)}")
    # What is said to be given up and is then sent was not given up.
    given: dict[str, int] = {}
    firsts = trace.first_facts()
    for one in trace.facts():
        if one.place is None:
            continue
        stream, sequence = one.place
        if sequence < given.get(stream, 0):
            bad.append(f"sequence {sequence} after a low of {given[stream]}")
        low = one.text("low")
        if low.isdigit() and firsts[one.place] is one:
            given[stream] = max(given.get(stream, 0), int(low))
    return weigh(bad, count, "low is never above what is held", _NOTHING)


def _once(trace: Trace) -> Finding:
    """Same place, same bytes; another fact, another id."""
    first, bad, again = trace.first_facts(), [], 0
    for one in trace.facts():
        if one.place is None or first[one.place] is one:
            continue
        again += 1
        if one.payload != first[one.place].payload:
            bad.append(f"sequence {one.place[1]} came again with other bytes")
    owners: dict[str, Place] = {}
    for place, one in first.items():
        other = owners.setdefault(one.text("id"), place)
        if other != place:
            bad.append(f"sequences {other[1]} and {place[1]} have one id")
    if not bad and not again:
        return unseen("nothing was sent a second time")
    return weigh(bad, again, f"{counted(again, 'repeat')} of the same bytes", _NOTHING)


def _open_at(trace: Trace, name: str) -> list[tuple[Did, set[Place]]]:
    """Return each time our side did something with the places without an answer then."""
    found, waiting = [], set[Place]()
    for one in trace.events:
        if isinstance(one, Sent) and one.place is not None:
            waiting.add(one.place)
        elif isinstance(one, Did):
            if one.name == name:
                found.append((one, set(waiting)))
            if one.name in {"receipt", "reject"} and one.place is not None:
                waiting.discard(one.place)
    return found


def _again(trace: Trace) -> Finding:
    bad, good = [], 0
    for cut, waiting in _open_at(trace, "cut"):
        later = {one.place for one in trace.facts() if one.at > cut.at}
        for place in sorted(waiting):
            if place in later:
                good += 1
            else:
                bad.append(f"sequence {place[1]} of {place[0]} was never sent again")
    return weigh(
        bad, good, f"{counted(good, 'fact')} without a receipt came again", "nothing had to"
    )


def _answered(trace: Trace, name: str) -> tuple[list[str], int]:
    when = {one.place: one.at for one in trace.did(name) if one.place is not None}
    bad = [
        f"sequence {one.place[1]} came {seconds(one.at - when[one.place])} after its {name}"
        for one in trace.facts()
        if one.place is not None and one.place in when and one.at > when[one.place] + GRACE
    ]
    return bad, len(when)


def _forgotten(trace: Trace) -> Finding:
    bad, count = _answered(trace, "receipt")
    ends = trace.did("receipt")
    settled = bool(ends) and any(one.at > ends[0].at for one in trace.did("cut"))
    if not settled and not bad:
        return unseen("the connection was never lost after a receipt")
    return weigh(
        bad, count, f"let go with a receipt: {counted(count, 'fact')}", "no receipt was given"
    )


def _final(trace: Trace) -> Finding:
    bad, count = _answered(trace, "reject")
    return weigh(bad, count, "what was refused did not come again", "nothing was refused")


def _bounded(trace: Trace) -> Finding:
    waiting, most = set[Place](), 0
    for one in trace.events:
        if isinstance(one, Sent) and one.place is not None:
            waiting.add(one.place)
            most = max(most, len(waiting))
        elif isinstance(one, Did) and one.name in {"receipt", "reject"} and one.place is not None:
            waiting.discard(one.place)
    bad = [f"{counted(most, 'fact')} without a receipt"] if most > MOST_OPEN else []
    return weigh(bad, most, f"at most {most} without a receipt", _NOTHING)


def _paced(trace: Trace) -> Finding:
    tokens, last = BURST, None
    bad, count = [], 0
    for one in trace.facts():
        gone = (one.at - last).total_seconds() if last is not None else 0.0
        last = one.at
        tokens = min(BURST, tokens + gone * RATE) - 1
        count += 1
        if tokens < 0:
            bad.append(f"{counted(count, 'fact')} by then: above {RATE:.0f} a second for long")
            break
    return weigh(bad, count, f"{counted(count, 'fact')}, never faster than it may", _NOTHING)


def _goes_on(trace: Trace) -> Finding:
    cuts = trace.did("cut")
    if not cuts:
        return unseen("its connection was never cut")
    before = {place[0] for place, one in trace.first_facts().items() if one.at < cuts[0].at}
    after = {place[0] for place, one in trace.first_facts().items() if one.at > cuts[0].at}
    bad = [f"stream {one} is new after a mere reconnection" for one in sorted(after - before)]
    # A stream whose first fact came late says nothing yet.
    bad = bad if after and not after & before else []
    return weigh(bad, len(after & before), "the streams went on", "no new fact after the cut")


CLAUSES = (
    Clause(
        "D20",
        "Hold facts while the ingest's status is not `ready`.",
        "Keep facts in your store until the retained status says `ready`.",
        _held,
    ),
    Clause(
        "D21",
        "Number facts: `stream`, and `sequence` from 1 without a gap.",
        "Take the number in the transaction that stores the fact.",
        _numbered,
    ),
    Clause(
        "D22",
        "Send new facts in the order of their numbers.",
        "Send from the lowest that is held; repeats may come at any time.",
        _in_order,
    ),
    Clause(
        "D23",
        "Say with `low` the lowest sequence that you still hold.",
        "Take it from your store when you make the fact: at most its own sequence.",
        _lowest,
    ),
    Clause(
        "D24",
        "Make a fact once: its bytes, `id` among them, never change when it is sent again.",
        "Store the bytes and send those.",
        _once,
    ),
    Clause(
        "D25",
        "Send again what has no receipt. PUBACK is none.",
        "Delete from your store on a receipt or a reject alone; after a connection begin anew.",
        _again,
    ),
    Clause(
        "D26",
        "Forget what a receipt covers: up to `upto`, and inside `ranges`.",
        "Delete all that it covers when a receipt comes, also one that is retained.",
        _forgotten,
    ),
    Clause(
        "D27",
        "Never send again what was refused.",
        "Set aside the fact that a reject names by stream and sequence.",
        _final,
    ),
    Clause(
        "D28",
        "Keep at most some hundred facts on their way without a receipt.",
        "Bound what is on its way, such as 64 of each stream.",
        _bounded,
    ),
    Clause(
        "D29",
        "Send no more than 50 facts a second for long; 500 at once are fine.",
        "Wait for receipts before you send more.",
        _paced,
    ),
    Clause(
        "D30",
        "Go on with the same stream after a reconnection.",
        "Keep stream and last sequence on disk; a new stream is for a new store.",
        _goes_on,
    ),
)
