"""Clauses about what a consumer answers: receipts, rejects, and what it must bear."""

from __future__ import annotations

from functools import partial
from typing import TypeVar

import msgspec

from linli.conform.clause import Clause, Finding, unseen, weigh
from linli.conform.trace import Did, Sent, Trace
from linli.counted import counted
from linli.events import Receipt, Reject, RejectCode
from linli.topics import SYSTEM_AREA

_NOTHING = "no receipt came"
T = TypeVar("T", bound=msgspec.Struct)
CODES: tuple[RejectCode, ...] = (
    "json",
    "schema",
    "version",
    "topic-mismatch",
    "size",
    "privacy",
    "conflict",
)
"""Those that a stranger's message can provoke; the others depend on what is registered."""


def receipts(trace: Trace) -> list[tuple[Sent, Receipt]]:
    """Return each receipt that can be read, oldest first."""
    return [
        (one, found)
        for one in trace.sent("receipt")
        if (found := _read(one.payload, Receipt)) is not None
    ]


def rejects(trace: Trace) -> list[tuple[Sent, Reject]]:
    """Return each reject that can be read, oldest first."""
    return [
        (one, found)
        for one in trace.sent("reject")
        if (found := _read(one.payload, Reject)) is not None
    ]


def _read(payload: bytes, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def spans(receipt: Receipt) -> tuple[tuple[int, int], ...]:
    """Return what a receipt covers, inclusive."""
    return ((1, receipt.upto), *receipt.ranges)


def covered(trace: Trace, stream: str, sequence: int) -> bool:
    """Tell whether a receipt covers a place."""
    return any(
        first <= sequence <= last
        for _, one in receipts(trace)
        if one.stream == stream
        for first, last in spans(one)
    )


def _formed(trace: Trace) -> Finding:
    bad, good = [], 0
    for one in trace.sent("receipt"):
        found = _read(one.payload, Receipt)
        topic = one.address
        if found is None:
            bad.append(f"{one.topic}: no receipt by its schema")
        elif topic is None or (topic.area, topic.device) != (SYSTEM_AREA, "ingest"):
            bad.append(f"a receipt on {one.topic}")
        elif topic.name != found.stream:
            bad.append(f"{one.topic}: speaks of stream {found.stream}")
        elif not one.retain or one.qos != 1:
            bad.append(f"{one.topic}: retained {one.retain}, QoS {one.qos}")
        else:
            good += 1
    return weigh(bad, good, f"{counted(good, 'receipt')}", _NOTHING)


def _addressed(trace: Trace) -> Finding:
    nodes = {one.what for one in trace.did("node")}
    streams = {one.place[0] for one in trace.did("sent") if one.place}
    found = [
        one for one in receipts(trace) if one[0].address is not None and one[1].stream in streams
    ]
    bad = [
        f"{one.topic}: that is not the node it came from"
        for one, _ in found
        if one.address is not None and one.address.node not in nodes
    ]
    return weigh(bad, len(found), "each to the node that sent", _NOTHING)


def _true(trace: Trace) -> Finding:
    """Nothing is covered that was neither sent before nor given up by `low`."""
    sent, low = set[tuple[str, int]](), dict[str, int]()
    bad, good = [], 0
    for event in trace.events:
        if isinstance(event, Did) and event.name == "sent" and event.place:
            sent.add(event.place)
            low[event.place[0]] = max(low.get(event.place[0], 1), int(event.what or 1))
        elif isinstance(event, Sent) and event.kind == "receipt":
            found = _read(event.payload, Receipt)
            if found is None or found.stream not in low:
                continue
            good += 1
            known = {n for stream, n in sent if stream == found.stream}
            top = max(known)
            wrong = [
                number
                for first, last in spans(found)
                for number in range(first, min(last, top + 1) + 1)
                if number not in known and number >= low[found.stream]
            ]
            if wrong:
                bad.append(f"a receipt covers sequence {wrong[0]}, which was never sent")
    return weigh(bad, good, f"{counted(good, 'receipt')}, none for what was not sent", _NOTHING)


def _cumulative(trace: Trace) -> Finding:
    highest: dict[str, int] = {}
    bad, good = [], 0
    for _, one in receipts(trace):
        if one.upto < highest.get(one.stream, 0):
            bad.append(f"upto fell from {highest[one.stream]} to {one.upto}")
        highest[one.stream] = max(one.upto, highest.get(one.stream, 0))
        good += 1
    return weigh(bad, good, f"upto only rises, to {max(highest.values(), default=0)}", _NOTHING)


def _step(trace: Trace, name: str, seen: str) -> Finding:
    """Each place of a step has to be covered in the end."""
    tried = [one.place for one in trace.did("expect", name) if one.place]
    if not tried:
        return unseen("the trial did not come so far")
    bad = [
        f"sequence {number} has no receipt"
        for stream, number in tried
        if not covered(trace, stream, number)
    ]
    names = {one.what for one in trace.did("hash-" + name)}
    bad += [
        f"refused: {one.code} at {one.path}" for _, one in rejects(trace) if one.sha256 in names
    ]
    return weigh(bad, len(tried), seen, "")


def _refused(trace: Trace, code: RejectCode) -> Finding:
    tried = trace.did("bad-" + code)
    if not tried:
        return unseen("the trial did not come so far")
    hashes = {one.what for one in tried}
    answers = [one for _, one in rejects(trace) if one.sha256 in hashes]
    bad = [f"refused as {one.code!r}" for one in answers if one.code != code]
    if not answers:
        bad.append("no reject came that names it by its sha256")
    return weigh(bad, len(answers), f"refused as `{code}`", "")


def _notices(trace: Trace) -> Finding:
    bad, good = [], 0
    for one in trace.sent("reject"):
        found, topic = _read(one.payload, Reject), one.address
        if found is None:
            bad.append(f"{one.topic}: no reject by its schema")
        elif topic is None or (topic.area, topic.device) != (SYSTEM_AREA, "ingest"):
            bad.append(f"a reject on {one.topic}")
        elif topic.name != found.code:
            bad.append(f"{one.topic}: says {found.code!r}")
        elif one.retain or one.qos != 1:
            bad.append(f"{one.topic}: retained {one.retain}, QoS {one.qos}")
        else:
            good += 1
    return weigh(bad, good, f"{counted(good, 'reject')}", "no reject came")


def _named(trace: Trace) -> Finding:
    """Where a bad message could be read, its reject names it, and its receipt comes behind."""
    bad, good = [], 0
    events = trace.events
    for one in [did for code in CODES for did in trace.did("bad-" + code)]:
        if one.place is None:
            continue
        stream, number = one.place
        notices = [
            index
            for index, event in enumerate(events)
            if isinstance(event, Sent)
            and event.kind == "reject"
            and (found := _read(event.payload, Reject)) is not None
            and found.sha256 == one.what
            and (found.stream, found.sequence) == (stream, f"{number:020d}")
        ]
        cover = [
            index
            for index, event in enumerate(events)
            if isinstance(event, Sent)
            and event.kind == "receipt"
            and (said := _read(event.payload, Receipt)) is not None
            and said.stream == stream
            and any(first <= number <= last for first, last in spans(said))
        ]
        if not notices:
            bad.append(f"{one.name[4:]}: no reject with its stream and sequence {number}")
        elif not cover:
            bad.append(f"{one.name[4:]}: no receipt covers it")
        elif cover[0] < notices[0]:
            bad.append(f"{one.name[4:]}: the receipt came before the reject")
        else:
            good += 1
    return weigh(bad, good, f"{good} named, then covered", "nothing was refused")


def _silent(trace: Trace) -> Finding:
    found = rejects(trace)
    secret = {one.what for one in trace.did("content")}
    bad = [
        f"{one.topic} repeats what the message said"
        for one, _ in found
        if any(word and word.encode() in one.payload for word in secret)
    ]
    return weigh(bad, len(found), "no reject repeats content", "no reject came")


def _kept(trace: Trace) -> Finding:
    restarts = trace.did("restart")
    if not restarts:
        return unseen("nobody restarted it: try it with --restart")
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    for one, said in receipts(trace):
        if one.at < restarts[0].at:
            before[said.stream] = max(said.upto, before.get(said.stream, 0))
        else:
            after[said.stream] = min(said.upto, after.get(said.stream, said.upto))
    bad = [
        f"upto {upto} before, {after[stream]} after"
        for stream, upto in before.items()
        if stream in after and after[stream] < upto
    ]
    bad += [] if after else ["no receipt came after the restart"]
    return weigh(bad, len(after), "what had a receipt was still there after a restart", "")


_BORNE = (
    ("C11", "in-order", "Give each fact a receipt.", "Publish it when the fact is stored."),
    (
        "C12",
        "out-of-order",
        "Take facts in any order; what is missing is not covered until it came.",
        "Keep what you have of a stream as ranges.",
    ),
    (
        "C13",
        "duplicate",
        "Take a fact that comes again without complaint, and cover it again.",
        "Look it up by stream and sequence; the same bytes are no conflict.",
    ),
    (
        "C14",
        "given-up",
        "Move on past what a node gave up: what lies below its `low` and never came.",
        "Raise `upto` to `low` - 1, and count what never came.",
    ),
    (
        "C15",
        "unknown-fields",
        "Take a newer minor version: drop fields that you do not know.",
        "Decode without strictness about additional fields.",
    ),
    (
        "C16",
        "after-bad",
        "Go on with good facts after bad ones.",
        "Judge each message alone.",
    ),
    (
        "C17",
        "after-cut",
        "Give receipts again after your connection was lost.",
        "What was not stored is sent again by nodes: take it as any other.",
    ),
)
_MENDS: dict[RejectCode, str] = {
    "json": "what is not JSON in UTF-8",
    "schema": "what breaks the schema",
    "version": "a major version that you do not speak",
    "topic-mismatch": "a `source` or `type` that is not the topic's",
    "size": "more than 32 KiB",
    "privacy": "a field that may identify a person",
    "conflict": "another message under a sequence that you have",
}

CLAUSES = (
    Clause(
        "C7",
        "Publish receipts by their schema, retained, QoS 1, under the stream's own topic.",
        "`linli/v1/{site}/_sys/{node}/ingest/receipt/{stream}`.",
        _formed,
    ),
    Clause("C8", "Address them to the node that sent.", "Take it from the topic.", _addressed),
    Clause(
        "C9",
        "Cover nothing that did not come.",
        "Raise `upto` only over what you have stored; the rest goes into `ranges`.",
        _true,
    ),
    Clause("C10", "Never take a receipt back.", "Keep `upto` with the facts.", _cumulative),
    *(
        Clause(number, asked, mend, partial(_step, name=name, seen="covered, none refused"))
        for number, name, asked, mend in _BORNE
    ),
    *(
        Clause(
            f"C{18 + index}",
            f"Refuse {_MENDS[code]}: `{code}`.",
            f"Publish a reject with code `{code}`, naming it by sha256.",
            partial(_refused, code=code),
        )
        for index, code in enumerate(CODES)
    ),
    Clause(
        "C25",
        "Publish rejects by their schema, not retained, QoS 1, under their code's own topic.",
        "`linli/v1/{site}/_sys/{node}/ingest/reject/{code}`.",
        _notices,
    ),
    Clause(
        "C26",
        "Name what is refused by stream and sequence, and cover it by a receipt after that.",
        "Publish the reject first: a sender forgets what a receipt covers.",
        _named,
    ),
    Clause(
        "C27",
        "Never repeat content in a reject.",
        "Say path and sha256 alone: the content may name a person.",
        _silent,
    ),
    Clause(
        "C28",
        "Store before you give a receipt: it has to outlive you.",
        "Commit facts and positions in one transaction, then publish.",
        _kept,
    ),
)
