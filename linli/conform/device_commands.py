"""Clauses about what a device does with commands, and what it says of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from linli.conform.clause import Clause, Finding, passed, unseen, weigh
from linli.conform.trace import Commanded, Heard, Sent, Trace, seconds
from linli.counted import counted

ACCEPTED_WITHIN = timedelta(seconds=3)
FINISHED_WITHIN = timedelta(seconds=5)
_FINAL = frozenset({"done", "failed", "expired"})
_RAN = frozenset({"accepted", "done"})
_NONE = "no command was tried: name one with --command"


def _tried(trace: Trace, variant: str) -> list[Commanded]:
    return [one for one in trace.all(Commanded) if one.variant == variant]


def _words(
    trace: Trace, command: str, since: datetime | None = None
) -> list[tuple[datetime, str, Sent]]:
    return [
        (one.at, str(one.data.get("phase")), one)
        for one in trace.sent("ack")
        if one.data.get("command") == command and (since is None or one.at >= since)
    ]


def _accepted(trace: Trace) -> Finding:
    bad, good = [], 0
    for one in _tried(trace, "ordinary"):
        words = _words(trace, one.command)
        if not words:
            bad.append(f"{one.name}: no word within {seconds(ACCEPTED_WITHIN)}")
        elif words[0][1] != "accepted":
            bad.append(f"{one.name}: the first word is {words[0][1]!r}")
        elif words[0][0] - one.at > ACCEPTED_WITHIN:
            bad.append(f"{one.name}: accepted after {seconds(words[0][0] - one.at)}")
        else:
            good += 1
    return weigh(bad, good, f"{good} accepted in time", _NONE)


def _finished(trace: Trace) -> Finding:
    bad, good = [], 0
    for one in _tried(trace, "ordinary"):
        ends = [at for at, phase, _ in _words(trace, one.command) if phase in _FINAL]
        if not ends:
            bad.append(f"{one.name}: never done, failed or expired")
        elif ends[0] > one.expires + FINISHED_WITHIN:
            bad.append(f"{one.name}: {seconds(ends[0] - one.expires)} after expirytime")
        else:
            good += 1
    return weigh(bad, good, f"{good} finished in time", _NONE)


def _in_place(trace: Trace) -> Finding:
    bad, good = [], 0
    for one in _tried(trace, "ordinary"):
        for _, _, word in _words(trace, one.command):
            address = word.address
            if address is None or (address.device, address.name) != (one.device, one.name):
                bad.append(f"a word on {one.name} of {one.device} under {word.topic}")
            else:
                good += 1
    return weigh(
        bad, good, f"{counted(good, 'word')} under the command's own device and name", _NONE
    )


def _duplicate(trace: Trace) -> Finding:
    bad, good = [], 0
    for one in _tried(trace, "duplicate"):
        before = [phase for at, phase, _ in _words(trace, one.command) if at < one.at]
        after = [phase for _, phase, _ in _words(trace, one.command, one.at)]
        if not before or before[-1] not in _FINAL:
            continue
        if not after:
            bad.append(f"{one.name}: the second time nothing was said")
        elif any(phase != before[-1] for phase in after):
            bad.append(f"{one.name}: {before[-1]} at first, then {', '.join(after)}")
        else:
            good += 1
    return weigh(bad, good, "the first answer again, nothing else", _NONE)


def _expired(trace: Trace) -> Finding:
    return _never(trace, "expired", "came after its time and was not run")


def _elsewhere(trace: Trace) -> Finding:
    return _never(trace, "elsewhere", "for a device that it does not have was not run")


def _unknown(trace: Trace) -> Finding:
    return _never(trace, "unknown", "of a name that nobody knows was not run")


def _never(trace: Trace, variant: str, seen: str) -> Finding:
    tried = _tried(trace, variant)
    bad = [
        f"{one.name}: {phase}"
        for one in tried
        for _, phase, _ in _words(trace, one.command, one.at)
        if phase in _RAN
    ]
    return weigh(bad, len(tried), f"what {seen}", _NONE)


def _retained(trace: Trace) -> Finding:
    tried = _tried(trace, "retained")
    if not tried:
        return unseen(_NONE)
    marked = {one.text("id") for one in trace.all(Heard) if one.kind == "command" and one.retain}
    ran = [
        f"{one.name}: {phase}"
        for one in tried
        if one.command in marked
        for _, phase, _ in _words(trace, one.command)
        if phase in _RAN
    ]
    if ran:
        return weigh(ran, 0, "", "")
    if not marked:
        return unseen("the broker brought no retained command")
    return passed("what the broker marked as retained was not run")


CLAUSES = (
    Clause(
        "D31",
        "Say `accepted` within 3 s.",
        "Acknowledge before you begin; the first word is `accepted`.",
        _accepted,
    ),
    Clause(
        "D32",
        "Then `done`, `failed` or `expired`, at most 5 s after `expirytime`.",
        "Watch the time by your own clock from when it came.",
        _finished,
    ),
    Clause(
        "D33",
        "Say it under `…/{device}/ack/{name}` of the command, with its id in `command`.",
        "Take device and name from the command's topic.",
        _in_place,
    ),
    Clause(
        "D34",
        "Do a command once: answer the same id with what you answered before.",
        "Keep ids and last words for 24 h.",
        _duplicate,
    ),
    Clause(
        "D35",
        "Never run a command after its `expirytime`.",
        "Compare it with your clock; say `expired` or nothing.",
        _expired,
    ),
    Clause(
        "D36",
        "Never run a command that the broker marks as retained.",
        "Look at the retain flag of the PUBLISH.",
        _retained,
    ),
    Clause(
        "D37",
        "Never run a command for a device that you do not have.",
        "Compare the topic with your devices; say `failed` or nothing.",
        _elsewhere,
    ),
    Clause(
        "D38",
        "Never run a command that you do not know.",
        "Compare the name with what you can do; say `failed` or nothing.",
        _unknown,
    ),
)
