"""Silences in words: what is covered, until when, why, and what is hidden by each now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from dashboards.web import options
from dashboards.web.fields import Spec
from dashboards.web.language import msg
from dashboards.web.moments import Calendar, Moment
from dashboards.web.options import Options
from dashboards.web.words import Words
from ingest.incidents.incident import Incident
from ingest.incidents.preview import SilencePreview
from ingest.incidents.silence import Matchers, Silence, window
from ingest.incidents.staff import SILENCE

LASTING = (
    ("1h", msg("for 1 hour")),
    ("2h", msg("for 2 hours")),
    ("4h", msg("for 4 hours")),
    ("8h", msg("for 8 hours")),
    ("1d", msg("for 1 day")),
    ("3d", msg("for 3 days")),
    ("7d", msg("for 7 days")),
    ("", msg("until the time below")),
)
SPANS = {
    text: timedelta(hours=int(text[:-1])) if text.endswith("h") else timedelta(days=int(text[:-1]))
    for text, _ in LASTING
    if text
}


@dataclass(frozen=True, slots=True)
class Names:
    """What places, devices and kinds of incidents are called."""

    areas: Options
    devices: Options
    events: Options


@dataclass(frozen=True, slots=True)
class SilenceCard:
    """One silence at a glance; `hidden` are the incidents that nobody is called for by it."""

    id: str
    covers: tuple[str, ...]
    why: str
    who: str
    starts: Moment
    ends: Moment
    weekly: str
    holds: bool
    over: bool
    hidden: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """What a silence would have kept quiet; `rows` are when, where to look, and what and where."""

    calls: int
    incidents: int
    complete: bool
    rows: tuple[tuple[str, str, str], ...]


def specs(names: Names, words: Words) -> tuple[Spec, ...]:
    """Return the fields of a new silence."""
    return (
        Spec(
            "matchers.areas",
            msg("Places"),
            "several",
            choices=names.areas,
            hint=msg("Nothing ticked in a list means that all of it is covered."),
        ),
        Spec("matchers.events", msg("What"), "several", choices=names.events, rare=True),
        Spec(
            "matchers.severities",
            msg("How severe"),
            "several",
            choices=options.severities(words),
            rare=True,
        ),
        Spec(
            "matchers.devices",
            msg("Devices"),
            "several" if names.devices else "words",
            choices=names.devices,
            rare=True,
        ),
        Spec(
            "lasting",
            msg("How long"),
            "choice",
            choices=tuple((value, words.say(said)) for value, said in LASTING),
        ),
        Spec(
            "ends", msg("Until"), "moment", hint=msg("31 days at most, a year with weekly hours.")
        ),
        Spec("starts", msg("From"), "moment", hint=msg("Empty: from now on.")),
        Spec(
            "why",
            msg("Why"),
            "text",
            needed=True,
            hint=msg("Such as: lift maintenance by its maker until noon"),
        ),
        Spec(
            "weekly.days",
            msg("Only on these days"),
            "several",
            choices=options.days(words),
            rare=True,
        ),
        Spec("weekly.start", msg("Each time from"), "clock", rare=True),
        Spec("weekly.end", msg("Each time until"), "clock", rare=True),
    )


def card(
    one: Silence, hidden: Iterable[Incident], names: Names, words: Words, calendar: Calendar
) -> SilenceCard:
    """Put one silence into words."""
    mine = [found for found in hidden if found.shelved_by == f"{SILENCE}{one.id}"]
    return SilenceCard(
        id=one.id,
        covers=covered(one.matchers, names, words),
        why=one.why,
        who=words.actor(one.created_by),
        starts=calendar.moment(one.starts),
        ends=calendar.moment(one.ended or one.ends),
        weekly=_weekly(one, words),
        holds=window(one, calendar.now, calendar.zone) is not None,
        over=min(one.ends, one.ended or one.ends) <= calendar.now,
        hidden=tuple(
            (found.id, f"{words.what(found)} · {words.where(found.key)}") for found in mine
        ),
    )


def tried(found: SilencePreview, words: Words, calendar: Calendar) -> Tried:
    """Put into words what a silence would have kept quiet."""
    return Tried(
        calls=found.calls,
        incidents=found.incidents,
        complete=found.complete,
        rows=tuple(
            (
                calendar.clock(one.at),
                one.incident.id,
                f"{words.what(one.incident)} · {words.where(one.incident.key)}",
            )
            for one in found.newest
        ),
    )


def covered(matchers: Matchers, names: Names, words: Words) -> tuple[str, ...]:
    """Return what is covered, a line for each sort of it."""
    known: Mapping[str, tuple[str, Options]] = {
        "areas": (msg("Places"), names.areas),
        "devices": (msg("Devices"), names.devices),
        "events": (msg("What"), names.events),
        "severities": (msg("How severe"), options.severities(words)),
    }
    lines = [words.say(msg("the whole site"))] if matchers.sites else []
    for field, (title, choices) in known.items():
        chosen = getattr(matchers, field)
        if chosen:
            lines.append(f"{words.say(title)}: {options.names(choices, chosen, words)}")
    return tuple(lines)


def _weekly(one: Silence, words: Words) -> str:
    if one.weekly is None:
        return ""
    days = options.names(options.days(words), one.weekly.days, words)
    return f"{days} {one.weekly.start}–{one.weekly.end}"
