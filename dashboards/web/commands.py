"""Commands out to devices in words: what may be asked of which kind, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dashboards.web.language import msg
from dashboards.web.moments import Calendar, Moment
from dashboards.web.words import Words
from ingest.commands.command import OPEN, Command, CommandState
from ingest.services.views import Health
from linli.commands import CommandName
from linli.speaker_config import Prompt

NAMES: dict[CommandName, str] = {
    "door-hold": msg("Hold the door open"),
    "door-release": msg("Let the door go"),
    "voice-prompt": msg("Speak there"),
    "lamp-set": msg("Set the lamp"),
    "lamp-release": msg("Let the lamp go by itself again"),
}
_LAMP: tuple[CommandName, ...] = ("lamp-set", "lamp-release")
_LIFT: tuple[CommandName, ...] = ("door-hold", "door-release", "voice-prompt")
OFFERS: dict[str, tuple[CommandName, ...]] = {
    "camera": _LIFT,
    "lift": _LIFT,
    "lift-door": ("door-hold", "door-release"),
    "speaker": ("voice-prompt",),
    "lamp": _LAMP,
    "lamp-group": _LAMP,
}
"""What is offered for a kind of device; whether one can do it is for its edge box to say."""
SECONDS = (10, 30, 60)
LEVELS = (0.0, 0.3, 0.7, 1.0)
LASTS = (120, 30, 480, 1440)
"""Minutes that a level is kept; the first is what is offered."""
PROMPTS: dict[Prompt, str] = {
    "ebike-out": msg("Please take the e-bike out of the lift"),
    "keep-clear": msg("Please keep this way clear"),
    "help-is-coming": msg("Somebody is on the way"),
    "closed-now": msg("This place is closed now, please leave"),
    "no-dumping": msg("Please leave no bulky waste here"),
}
"""Sentences by the ids that edge boxes know them by."""
_STATES: dict[CommandState, tuple[Health, str]] = {
    "sent": ("unknown", msg("Sent, no answer yet")),
    "accepted": ("degraded", msg("Accepted, being done")),
    "done": ("ok", msg("Done")),
    "failed": ("down", msg("Not done")),
    "timeout": ("degraded", msg("No answer. It may have been done; look before you ask again")),
}
_CODES = {
    "no-broker": msg("The way to the devices is down"),
    "refused": msg("The broker refused it"),
    "expired": msg("It came too late"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that may be sent, and its words."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class Pick:
    """One thing that a command needs: its field, what it is, and what to choose from."""

    field: str
    words: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """One command that may be asked of a device."""

    name: CommandName
    words: str
    picks: tuple[Pick, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """One command and what came of it."""

    words: str
    health: Health
    state: str
    code: str
    who: str
    why: str
    issued: Moment
    open: bool


def offers(kind: str, words: Words) -> tuple[Offer, ...]:
    """Return what may be asked of a kind of device."""
    return tuple(_offer(name, words) for name in OFFERS.get(kind, ()))


def courses(found: Iterable[Command], words: Words, calendar: Calendar) -> tuple[Course, ...]:
    """Put commands into words, in their order."""
    return tuple(_course(one, words, calendar) for one in found)


def _offer(name: CommandName, words: Words) -> Offer:
    what = words.say(msg("What exactly"))
    picks: tuple[Pick, ...] = ()
    if name == "door-hold":
        picks = (Pick("seconds", what, tuple(Choice(str(s), _seconds(s, words)) for s in SECONDS)),)
    elif name == "lamp-set":
        lasts = tuple(Choice(str(60 * one), _minutes(one, words)) for one in LASTS)
        picks = (
            Pick("level", what, tuple(Choice(str(one), f"{one:.0%}") for one in LEVELS)),
            Pick("lasts", words.say(msg("For how long")), lasts),
        )
    elif name == "voice-prompt":
        said = tuple(Choice(one, words.say(text)) for one, text in PROMPTS.items())
        picks = (Pick("prompt", what, said),)
    return Offer(name, words.say(NAMES[name]), picks)


def _seconds(seconds: int, words: Words) -> str:
    return words.say(msg("%(seconds)s s")) % {"seconds": seconds}


def _minutes(minutes: int, words: Words) -> str:
    if minutes % 60:
        return words.say(msg("%(count)s min")) % {"count": minutes}
    return words.say(msg("%(count)s h")) % {"count": minutes // 60}


def _course(one: Command, words: Words, calendar: Calendar) -> Course:
    health, state = _STATES[one.state]
    code = ""
    if one.state == "failed" and one.code is not None:
        code = words.say(_CODES[one.code]) if one.code in _CODES else one.code
    return Course(
        words=words.say(NAMES[one.name]) + _detail(one, words),
        health=health,
        state=words.say(state),
        code=code,
        who=words.actor(one.actor),
        why=one.reason,
        issued=calendar.moment(one.issued),
        open=one.state in OPEN,
    )


def _detail(one: Command, words: Words) -> str:
    data = one.data
    if data.holds is not None:
        return " · " + _seconds(data.holds, words)
    if data.level is not None:
        lasts = f" · {_minutes(data.lasts // 60, words)}" if data.lasts is not None else ""
        return f" · {data.level:.0%}{lasts}"
    if data.prompt is not None:
        known = {str(name): text for name, text in PROMPTS.items()}.get(data.prompt)
        return " · " + (words.say(known) if known else data.prompt)
    return ""
