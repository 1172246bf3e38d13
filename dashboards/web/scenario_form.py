"""One scenario as fields of a form: what is usual, what was chosen, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal

import msgspec

from dashboards.web.language import msg
from dashboards.web.words import Words
from ingest.registry.watched import event_of
from linli.edge_config import Scenario
from linli.hours import DAYS
from linli.packs import packs

Mode = Literal["on", "shadow", "off", "gone"]
MODES: dict[Mode, str] = {
    "on": msg("On: people are told"),
    "shadow": msg("On trial: counted, with a picture now and then; nobody is told"),
    "off": msg("Off: it does not look"),
}
NUMBERS: dict[str, tuple[str, str]] = {
    "dwell": (
        msg("How long it must stay (seconds)"),
        msg("Longer: who only passes is no alarm, but help is called later."),
    ),
    "at_least": (
        msg("How many at once"),
        msg("1: each one counts. More: only so many together are an alarm."),
    ),
    "votes": (
        msg("Seen in so many pictures"),
        msg("One wrong picture must be no alarm. More: surer, and a little later."),
    ),
    "of": (
        msg("of the last pictures"),
        msg("At least as many as the number before."),
    ),
    "gone_after": (
        msg("Over when not seen for (seconds)"),
        msg("People hide things for a moment; shorter makes two alarms of one."),
    ),
    "cooldown": (
        msg("Quiet afterwards for (seconds)"),
        msg("Back within this time it is the same happening, not a new alarm."),
    ),
    "doubt": (
        msg("Doubt before the door is held (seconds)"),
        msg(
            "In so many seconds half of what a thing was taken for is forgotten. While that was "
            "mostly something else, such as a bicycle, a mere suspicion holds no door; alarms come "
            "all the same. Longer: fewer doors are held for nothing, some later. 0: no doubt."
        ),
    ),
}
WHOLE = {"at_least", "votes", "of"}
DAY_WORDS = {
    "mon": msg("Mon"),
    "tue": msg("Tue"),
    "wed": msg("Wed"),
    "thu": msg("Thu"),
    "fri": msg("Fri"),
    "sat": msg("Sat"),
    "sun": msg("Sun"),
}
_DEFAULTS: dict[str, Any] = {
    one.name: one.default for one in msgspec.structs.fields(Scenario) if not one.required
}


@dataclass(frozen=True, slots=True)
class Field:
    """One number with what is usual, in the words of a page."""

    name: str
    label: str
    why: str
    value: str
    usual: str
    wrong: str | None = None


@dataclass(frozen=True, slots=True)
class ScenarioForm:
    """A scenario to be shown; `number` is its place in the camera, `new` for one to be added."""

    number: str
    title: str
    means: str
    picture: str | None
    mode: Mode
    zone: str
    severity: str
    fields: tuple[Field, ...]
    begin: str
    end: str
    days: tuple[str, ...]
    hours_fixed: bool
    """It has several spans of hours, which this form leaves as they are."""
    pack: str | None
    event: str
    faults: tuple[str, ...] = field(default=())

    @property
    def differs(self) -> tuple[Field, ...]:
        """The numbers that are not what is usual."""
        return tuple(one for one in self.fields if one.value != one.usual)


def form_of(
    rule: Mapping[str, Any],
    number: str,
    words: Words,
    *,
    typed: Mapping[str, str] | None = None,
    faults: Mapping[str, str] | None = None,
) -> ScenarioForm:
    """Return a scenario as it is kept, or as it was `typed`, with `faults` by field."""
    usual, said = usual_of(rule), typed or {}
    whole, wrong = {**usual, **rule}, faults or {}
    pack = packs().get(str(rule.get("pack")))
    chinese = words.language == "zh-CN"
    title = (pack.title.zh if chinese else pack.title.en) if pack else words.event(event_of(rule))
    means = (pack.means.zh if chinese else pack.means.en) if pack else ""
    windows = whole.get("during", ())
    window = windows[0] if len(windows) == 1 else {}
    mode: Mode = "off" if rule.get("off") else "shadow" if rule.get("shadow") else "on"
    return ScenarioForm(
        number=number,
        title=title,
        means=means,
        picture=str(rule["pack"]) if pack else None,
        mode=_mode(said.get("mode"), mode),
        zone=said.get("zone", str(whole.get("zone", ""))),
        severity=said.get("severity", str(whole.get("severity", "medium"))),
        fields=tuple(
            Field(
                name=name,
                label=words.say(label),
                why=words.say(why),
                value=said.get(name, f"{whole.get(name, _DEFAULTS[name]):g}"),
                usual=f"{usual.get(name, _DEFAULTS[name]):g}",
                wrong=wrong.get(name),
            )
            for name, (label, why) in _numbers(whole).items()
        ),
        begin=said.get("begin", str(window.get("from", ""))),
        end=said.get("end", str(window.get("to", ""))),
        days=tuple(day for day in DAYS if day in window.get("days", DAYS)),
        hours_fixed=len(windows) > 1,
        pack=str(rule["pack"]) if pack else None,
        event=str(whole.get("event", "")),
        faults=tuple(text for name, text in wrong.items() if name not in _numbers(whole)),
    )


def _numbers(whole: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return the numbers that matter to a scenario: there is doubt only where a door is held."""
    doubts = whole.get("door") is not None or "doubt" in whole
    return {name: texts for name, texts in NUMBERS.items() if name != "doubt" or doubts}


def _mode(typed: str | None, kept: Mode) -> Mode:
    return next((mode for mode in MODES if mode == typed), kept)


def usual_of(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the pack of a scenario says, as plain data; nothing without a pack."""
    pack = packs().get(str(rule.get("pack")))
    return dict(msgspec.to_builtins(pack.scenario)) if pack else {}


def read_form(
    form: Mapping[str, str], days: frozenset[str], rule: Mapping[str, Any], words: Words
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the scenario that a form makes of `rule`, and what is wrong with it by field.

    What is usual is not written down, so that a better usual value reaches it one day.
    """
    made, wrong = dict(rule), dict[str, str]()
    usual = usual_of(rule)
    mode = form.get("mode", "on")
    for flag in ("off", "shadow"):
        _set(made, usual, flag, mode == flag)
    _set(made, {}, "zone", form.get("zone", ""))
    _set(made, usual, "severity", form.get("severity", "medium"))
    for name in _numbers({**usual, **rule}):
        text = form.get(name, "").strip()
        try:
            value = int(text) if name in WHOLE else _finite(text)
        except ValueError:
            whole = words.say(msg("A whole number is needed, such as 3"))
            wrong[name] = whole if name in WHOLE else words.say(msg("A number is needed"))
            continue
        _set(made, usual, name, value)
    if "hours" in form:
        wrong |= _hours(form, days, made, usual, words)
    return made, wrong


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(text)
    return value


def _hours(
    form: Mapping[str, str],
    days: frozenset[str],
    made: dict[str, Any],
    usual: Mapping[str, Any],
    words: Words,
) -> dict[str, str]:
    begin, end = form.get("begin", "").strip(), form.get("end", "").strip()
    if not begin and not end:
        _set(made, usual, "during", [])
        return {}
    if not begin or not end or not days:
        return {"during": words.say(msg("Hours need a beginning, an end and a day"))}
    window: dict[str, Any] = {"from": begin, "to": end}
    if days != frozenset(DAYS):
        window["days"] = [day for day in DAYS if day in days]
    _set(made, usual, "during", [window])
    return {}


def _set(made: dict[str, Any], usual: Mapping[str, Any], name: str, value: Any) -> None:
    """Write a value down, unless it is what would be taken without it."""
    default = [] if name == "during" else _DEFAULTS.get(name)
    if value == usual.get(name, default):
        made.pop(name, None)
    else:
        made[name] = value
