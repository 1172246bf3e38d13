"""Who is told next while nobody acts: a ladder climbed by facts and time. Pure.

A ladder is frozen with the incident that it is climbed for: a change of the plan changes what comes
later, never what is under way. Whoever is told is named by their part (`on-duty`, `team`, …); who
that is now is looked up when the message is made.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from linli.events import Severity, Slug

Audience = Literal["on-duty", "team", "supervisor", "street"]
Hours = Literal["always", "business", "off"]
Ended = Literal["acknowledged", "resolved", "cleared", "held", "exhausted", "restored"]
Reason = Literal["call", "reminder"]
_ORDER: tuple[Severity, ...] = ("low", "medium", "high", "critical")
Wait = Annotated[
    timedelta, Meta(description="after the rung before; the first counts from the call")
]


class Rung(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step: after how long whom to tell; only above a severity, only in some hours."""

    who: Audience
    after: Wait = timedelta()
    people: Annotated[tuple[Slug, ...], Meta(max_length=32)] = ()
    least: Severity = "low"
    hours: Hours = "always"


class Ladder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rungs, and how many times they are climbed while nobody acts."""

    rungs: Annotated[tuple[Rung, ...], Meta(min_length=1, max_length=16)]
    rounds: Annotated[int, Meta(ge=1, le=5)] = 2
    again_after: timedelta = timedelta(minutes=15)


USUAL = Ladder(
    rungs=(
        Rung(who="on-duty"),
        Rung(who="team", after=timedelta(minutes=5)),
        Rung(who="supervisor", after=timedelta(minutes=10)),
        Rung(who="street", after=timedelta(minutes=30), least="critical"),
    )
)


class Climb(msgspec.Struct, frozen=True, kw_only=True):
    """How far one incident has come; `call` is the row of the incident that began it.

    `due` is when the rung `next` is reached; None: nobody else will be told, because of `ended`.
    """

    incident: str
    call: int
    ladder: Ladder
    severity: Severity
    next: int = 0
    round: int = 1
    due: datetime | None = None
    ended: Ended | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is to be told now: a rung of a climb. `skipped` says why not, then nobody is."""

    call: int
    round: int
    rung: int
    who: Audience
    people: tuple[str, ...]
    reason: Reason = "call"
    skipped: Literal["severity", "hours"] | None = None


def begin(incident: str, call: int, ladder: Ladder, severity: Severity, now: datetime) -> Climb:
    """Start at the bottom; a call that comes while one is climbed starts anew."""
    first = ladder.rungs[0]
    return Climb(
        incident=incident, call=call, ladder=ladder, severity=severity, due=now + first.after
    )


def end(climb: Climb, why: Ended) -> Climb:
    """Stop; what has ended stays as it ended."""
    if climb.due is None:
        return climb
    return msgspec.structs.replace(climb, due=None, ended=why)


def climb_on(climb: Climb, now: datetime, *, business: bool) -> tuple[Climb, tuple[Told, ...]]:
    """Take every rung whose time has come; `business` says whether these are business hours.

    What lay still for long takes its rungs one call at a time: the next counts from now, so that a
    server that was down does not tell everybody at once.
    """
    told: list[Told] = []
    while climb.due is not None and climb.due <= now:
        rung = climb.ladder.rungs[climb.next]
        skipped = _skipped(rung, climb.severity, business=business)
        told.append(
            Told(
                call=climb.call,
                round=climb.round,
                rung=climb.next,
                who=rung.who,
                people=rung.people,
                skipped=skipped,
            )
        )
        climb = _after(climb, climb.due if skipped else now)
    return climb, tuple(told)


def _skipped(
    rung: Rung, severity: Severity, *, business: bool
) -> Literal["severity", "hours"] | None:
    if _ORDER.index(severity) < _ORDER.index(rung.least):
        return "severity"
    if rung.hours != "always" and (rung.hours == "business") != business:
        return "hours"
    return None


def _after(climb: Climb, now: datetime) -> Climb:
    rungs, number = climb.ladder.rungs, climb.next + 1
    if number < len(rungs):
        return msgspec.structs.replace(climb, next=number, due=now + rungs[number].after)
    if climb.round < climb.ladder.rounds:
        due = now + climb.ladder.again_after + rungs[0].after
        return msgspec.structs.replace(climb, next=0, round=climb.round + 1, due=due)
    return msgspec.structs.replace(climb, next=number, due=None, ended="exhausted")
