"""Clauses about who counts, in a district, what communities share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from linli.conform.clause import Clause, Finding, failed, passed, unseen, weigh
from linli.conform.device_link import back, covers
from linli.conform.trace import Sent, Subscribed, Trace
from linli.topics import district_prefix

ONE, OTHER = "conform-a", "conform-b"
"""The communities that the trial plays."""
PATH = "conform/conform"
"""The district and the street that it plays them in, unless the plan says others."""
_NOBODY = "nobody subscribed to what communities share"
Counts = Mapping[str, Mapping[str, int]]
EVENTS: Counts = {
    ONE: {
        "smoke": 3,
        "gas": 3,
        "forced": 4,
        "tamper": 1,
        "crowding": 5,
        "vibration": 1,
        "loitering": 0,
        "tilted": 0,
        "water-leak": 1,
    },
    OTHER: {"tamper": 2},
}
"""How often each thing happened, after all that the trial tells."""
REGISTRY: Counts = {
    ONE: {"camera/building": 9, "lamp/public": 3},
    OTHER: {"camera/building": 4},
}


def wishes(trace: Trace) -> list[tuple[str, int]]:
    """Return what it subscribed to, without the name of a group that shares it."""
    asked = [item for one in trace.all(Subscribed) for item in one.filters]
    return [
        (text.split("/", 2)[2] if text.startswith("$share/") else text, qos) for text, qos in asked
    ]


def hears(text: str, kind: str, path: str) -> bool:
    """Tell whether a filter takes in what the communities of a street tell of a kind."""
    return covers(text, district_prefix(path, "+") + f"{kind}/+")


def answer(trace: Trace) -> dict[str, Any] | None:
    """Return what its command printed last, None when that is no JSON object."""
    said = trace.did("answer")
    try:
        found = json.loads(said[-1].what) if said else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def wrong(found: dict[str, Any], part: str, wanted: Counts) -> list[str]:
    """Return which of these numbers it has otherwise; one that it does not have is 0."""
    bad = []
    for site, numbers in wanted.items():
        sites = found.get(part)
        has = sites.get(site) if isinstance(sites, dict) else None
        for name, number in numbers.items():
            said = has.get(name, 0) if isinstance(has, dict) else 0
            if said != number:
                bad.append(f"{part} {site} {name}: {said!r}, not {number}")
    return bad


def _counted(part: str, wanted: Counts) -> Callable[[Trace], Finding]:
    def judge(trace: Trace) -> Finding:
        if not trace.did("answer"):
            return unseen("nobody said what it counts: name a command with --tally")
        found = answer(trace)
        if found is None:
            return failed(["--tally printed no JSON object"])
        if not isinstance(found.get(part), dict) or not found[part]:
            return failed([f"--tally printed no {part}"])
        bad = wrong(found, part, wanted)
        return failed(bad) if bad else passed("as it was told")

    return judge


def _events(*names: str) -> Callable[[Trace], Finding]:
    of = {
        site: {name: numbers[name] for name in names if name in numbers}
        for site, numbers in EVENTS.items()
    }
    return _counted("events", of)


def _hears(trace: Trace) -> Finding:
    asked = wishes(trace)
    path = next((one.what for one in trace.did("path")), PATH)
    bad = []
    for kind in ("event", "registry"):
        qos = [one for text, one in asked if hears(text, kind, path)]
        if not qos:
            bad.append(f"no subscription to what communities tell of {kind}")
        elif max(qos) < 1:
            bad.append(f"QoS 0 for {kind}")
    if not asked:
        return unseen(_NOBODY)
    return failed(bad) if bad else passed("events and numbers of all communities, at QoS 1")


def _writes(trace: Trace) -> Finding:
    bad = [f"publishes on {one.topic}" for one in trace.all(Sent)]
    return weigh(bad, len(wishes(trace)), "it wrote nothing", _NOBODY)


CLAUSES = (
    Clause(
        "U1",
        "Subscribe to events and numbers of all communities at QoS 1.",
        "Subscribe to `linli/v1/up/#`, or to a street's part of it.",
        _hears,
    ),
    Clause("U2", "Write nothing there.", "Publish elsewhere: nothing goes down.", _writes),
    Clause(
        "U3",
        "Come back by yourself when the connection was lost, within a minute.",
        "Reconnect with growing pauses that end at 60 s.",
        back,
    ),
    Clause(
        "U4",
        "Miss nothing that is told while you are away.",
        "Keep your session: no clean start, and an expiry longer than you may be away.",
        _events("water-leak"),
    ),
    Clause(
        "U5",
        "Count each `id` once, also when it comes again.",
        "Keep what you count by `id`.",
        _events("smoke"),
    ),
    Clause(
        "U6",
        "Take a greater `version` of an `id` in the place of what you had.",
        "Replace the row of that `id`.",
        _events("gas"),
    ),
    Clause(
        "U7",
        "Let a smaller `version` that comes later change nothing.",
        "Compare versions before you replace.",
        _events("forced"),
    ),
    Clause(
        "U8",
        "With `count` 0 there was none, whether you had its `id` or not.",
        "Add up `count`; do not count messages.",
        _events("loitering", "tilted"),
    ),
    Clause(
        "U9",
        "Keep communities apart.",
        "Take the community from `source`, or the topic.",
        _events("tamper"),
    ),
    Clause(
        "U10",
        "Take a newer minor version: drop fields that you do not know.",
        "Decode without strictness about additional fields.",
        _events("crowding"),
    ),
    Clause(
        "U11",
        "Go on with good messages after bad ones.",
        "Judge each message alone.",
        _events("vibration"),
    ),
    Clause(
        "U12",
        "Of the numbers of a community keep one for each kind and class of areas: that of the "
        "greatest `version`.",
        "Each has an `id` of its own; compare versions within the row.",
        _counted("registry", REGISTRY),
    ),
)
