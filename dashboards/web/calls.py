"""Who is called, in words: routes, ladders, deadlines, and what would happen at some time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from dashboards.web import fields, options
from dashboards.web.language import msg
from dashboards.web.moments import Calendar
from dashboards.web.papers import AUDIENCES, Names
from dashboards.web.words import Words
from ingest.duty.deadlines import USUAL, Deadline, Deadlines
from ingest.notify.escalation import Ladder, Rung
from ingest.notify.routes import DEFAULT, Route
from ingest.services.foresight import Foresight, RungView
from linli.events import SEVERITIES

_SKIPPED = {
    "severity": msg("left out: only for worse incidents"),
    "hours": msg("left out: not at this hour"),
}
_MISSING = {
    "nobody-on-duty": msg("nobody is on duty, so the whole team is told"),
    "no-such-people": msg("there is nobody of this sort"),
    "no-contact": msg("cannot be reached: nothing is written down"),
    "below-severity": msg("wants to hear of worse incidents only"),
}


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One step of what would happen: when, who is meant, who is told, who cannot be."""

    at: str
    who: str
    left_out: str
    told: tuple[str, ...]
    missing: tuple[str, ...]


def route_words(one: Route, names: Names, words: Words) -> str:
    """Return what a route takes."""
    parts = []
    if one.site and not one.building:
        parts.append(one.site)
    if one.building:
        parts.append(options.names(names.areas, [one.building], words))
    if one.event:
        parts.append(options.names(names.events, [one.event], words))
    if one.severities:
        parts.append(options.names(options.severities(words), one.severities, words))
    return " · ".join(parts) or words.say(msg("everything else"))


def ladder_word(name: str, words: Words) -> str:
    """Return what a ladder is called."""
    return words.say(msg("the usual ladder")) if name == DEFAULT else name


def steps(ladder: Ladder, names: Names, words: Words) -> list[str]:
    """Return the steps of a ladder, each with the time that has passed since the call."""
    passed, found = timedelta(), []
    for one in ladder.rungs:
        passed += one.after
        found.append(f"{_time(passed, words)}: {_rung(one, names, words)}")
    return found


def deadline_rows(value: Deadlines, names: Names, words: Words) -> list[tuple[str, str, str]]:
    """Return for each severity, and each kind that has its own, when it is to be seen and done."""
    rows = []
    for one in SEVERITIES:
        found = value.severities.get(one) or USUAL[one]
        rows.append((words.severity(one), *_deadline(found, words)))
    for event, found in value.events.items():
        rows.append((options.names(names.events, [event], words), *_deadline(found, words)))
    return rows


def foreseen(
    found: Foresight, people: Mapping[str, str], words: Words, calendar: Calendar
) -> list[Foreseen]:
    """Return what would happen, step by step."""
    return [_foreseen(one, people, words, calendar) for one in found.rungs]


def _foreseen(
    one: RungView, people: Mapping[str, str], words: Words, calendar: Calendar
) -> Foreseen:
    later = words.say(msg("%(who)s by %(channel)s, after quiet hours, at %(time)s"))
    plain = words.say(msg("%(who)s by %(channel)s"))
    return Foreseen(
        at=calendar.clock(one.at),
        who=words.say(AUDIENCES[one.who]),
        left_out=words.say(_SKIPPED[one.skipped]) if one.skipped else "",
        told=tuple(
            (later if reached.at > one.at else plain)
            % {
                "who": people.get(reached.owner, reached.owner),
                "channel": reached.channel,
                "time": calendar.clock(reached.at),
            }
            for reached in one.reached
        ),
        missing=tuple(
            f"{people.get(gone.owner, gone.owner)}: {words.say(_MISSING.get(gone.why, gone.why))}"
            for gone in one.missing
        ),
    )


def _rung(one: Rung, names: Names, words: Words) -> str:
    parts = [words.say(AUDIENCES[one.who])]
    if one.people:
        parts.append(options.names(names.people, one.people, words))
    if one.least != "low":
        least = words.say(msg("only from %(severity)s on"))
        parts.append(least % {"severity": words.severity(one.least)})
    if one.hours != "always":
        inside = one.hours == "business"
        parts.append(words.say(msg("in office hours") if inside else msg("outside office hours")))
    return " · ".join(parts)


def _deadline(one: Deadline, words: Words) -> tuple[str, str]:
    seen, done = one.acknowledge, one.resolve
    return _time(seen, words) if seen else "—", _time(done, words) if done else "—"


def _time(span: timedelta, words: Words) -> str:
    seconds = int(span.total_seconds())
    return fields.span_words(seconds, words.say) if seconds else words.say(msg("at once"))
