"""The form of a rule: a field for every key of its kind, and the way to a document and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.datastructures import FormData

from dashboards.web import fields, options
from dashboards.web.fields import Spec, Values, taken, taken_rows
from dashboards.web.language import msg
from dashboards.web.options import NONE, Options
from dashboards.web.words import OBJECTS, Words

KINDS = {
    "event": (
        msg("What an edge reports"),
        msg("What an edge reports becomes an incident, at once or after a time."),
    ),
    "threshold": (
        msg("A reading too high or too low"),
        msg("A value passes a limit, until it is back."),
    ),
    "rate": (msg("Too often"), msg("The same happens so many times within a span of time.")),
    "absence": (
        msg("Nothing is heard"),
        msg("A device that spoke before has been silent for a time."),
    ),
    "change": (msg("A jump"), msg("A reading differs much from the one before it.")),
}
_PER = (
    ("device", msg("each device")),
    ("group", msg("each group")),
    ("area", msg("each building or public area")),
    ("site", msg("the whole site")),
)
_WAYS = (("any", msg("up or down")), ("up", msg("up")), ("down", msg("down")))
DURING = "during"


@dataclass(frozen=True, slots=True)
class Names:
    """What a form offers to choose from."""

    areas: Options = ()
    devices: Options = ()
    kinds: Options = ()
    groups: Options = ()
    events: Options = ()
    readings: Options = ()


def kinds(words: Words) -> tuple[tuple[str, str, str], ...]:
    """Return the kinds of rules, what each is called and what it does."""
    return tuple((kind, words.say(name), words.say(about)) for kind, (name, about) in KINDS.items())


def specs(kind: str, names: Names, words: Words) -> tuple[Spec, ...]:
    """Return the fields of a kind of rule, in the order in which people think of them."""
    return (*_head(words, own=kind == "event"), *_middle(kind, names, words), *_tail(names))


def hours(words: Words) -> tuple[Spec, ...]:
    """Return the fields of a window of hours."""
    return (
        Spec("from", msg("From"), "clock"),
        Spec("to", msg("Until"), "clock"),
        Spec("days", msg("Days on which it begins"), "several", choices=options.days(words)),
    )


def read(kind: str, name: str, form: FormData, words: Words) -> Values:
    """Return the rule that a browser sent, as a document holds it; nothing is checked here."""
    given = taken(specs(kind, Names(), words), form)
    given["severity"] = given["severity"] or None
    made = {"type": kind, "id": name, **fields.nested(given)}
    windows = [fields.nested(one) for one in taken_rows(hours(words), form, DURING)]
    return {**made, DURING: windows} if windows else made


def shown(
    kind: str, values: Mapping[str, Any], names: Names, words: Words, faults: fields.Faults
) -> tuple[tuple[fields.Field, ...], tuple[fields.Row, ...]]:
    """Return the fields of a rule and those of its hours, with what is wrong beside each."""
    own = fields.flat({key: value for key, value in values.items() if key != DURING})
    wanted = [
        fields.with_choices(one, one.choices, own.get(one.name) or ())
        if one.kind == "several"
        else one
        for one in specs(kind, names, words)
    ]
    windows = [dict(one) for one in values.get(DURING, ())]
    return (
        fields.shown(wanted, own, words.say, faults),
        fields.rows(hours(words), windows, words.say, faults, DURING),
    )


def fresh(kind: str) -> Values:
    """Return what a new rule starts from."""
    spans = {"clear_after": "10min", "flap": "2min", "late_after": "5min"}
    more: dict[str, Values] = {
        "event": {"raises": True},
        "threshold": {"severity": "medium", "hits": 1, "of": 1},
        "rate": {"severity": "medium", "count": 3, "within": "1h", "per": "device"},
        "absence": {"severity": "medium", "for": "10min", "per": "device"},
        "change": {"severity": "medium", "direction": "any"},
    }
    return {"type": kind, "enabled": True, **spans, **more[kind]}


def _head(words: Words, *, own: bool) -> tuple[Spec, ...]:
    as_said = (("", words.say(msg("as the edge says"))),) if own else ()
    return (
        Spec(
            "label",
            msg("What people read"),
            needed=True,
            hint=msg("Such as: Bin full for two hours"),
        ),
        Spec(
            "severity", msg("How severe"), "choice", choices=(*as_said, *options.severities(words))
        ),
        Spec("enabled", msg("It is on"), "check"),
    )


def _middle(kind: str, names: Names, words: Words) -> tuple[Spec, ...]:
    makers = {"event": _event, "threshold": _threshold, "rate": _rate, "absence": _absence}
    return makers.get(kind, _change)(names, words)


def _happening(names: Names, words: Words) -> tuple[Spec, ...]:
    every = (("*", words.say(msg("anything"))), *names.events)
    objects = tuple((one, words.object(one)) for one in OBJECTS)
    return (
        Spec("event", msg("What happens"), "several", choices=every),
        Spec("zone", msg("Only in these zones"), "words", rare=True),
        Spec("object", msg("Only of these"), "several", choices=objects, rare=True),
        Spec(
            "confidence",
            msg("Only when the camera is at least so sure"),
            "number",
            hint=msg("0 to 1, such as 0.6"),
            rare=True,
        ),
    )


def _event(names: Names, words: Words) -> tuple[Spec, ...]:
    return (
        *_happening(names, words),
        Spec("for", msg("When it has gone on for"), "span", hint=msg("Empty: at once.")),
        Spec(
            "raises",
            msg("Somebody has to act on it"),
            "check",
            hint=msg("Otherwise it is only kept."),
        ),
        Spec(
            "outage",
            msg("It means that the device cannot be heard"),
            "check",
            hint=msg("Then it belongs to the outage of what the device hangs behind."),
            rare=True,
        ),
    )


def _threshold(names: Names, words: Words) -> tuple[Spec, ...]:
    del words
    return (
        Spec("reading", msg("Which reading"), needed=True, choices=names.readings),
        Spec("above", msg("When it is above"), "number", hint=msg("Fill in one: above or below.")),
        Spec("below", msg("When it is below"), "number"),
        Spec(
            "clear",
            msg("Over when it is back at"),
            "number",
            hint=msg("Keeps a value at the limit from calling again and again."),
        ),
        Spec("for", msg("When it has gone on for"), "span", hint=msg("Empty: at once.")),
        Spec("hits", msg("So many readings must be so"), "whole"),
        Spec("of", msg("of the last so many"), "whole"),
        Spec("stale", msg("A reading older than this says nothing"), "span", rare=True),
        _incident(),
    )


def _rate(names: Names, words: Words) -> tuple[Spec, ...]:
    return (
        *_happening(names, words),
        Spec("count", msg("So many times"), "whole", needed=True),
        Spec("within", msg("within"), "span", needed=True),
        _per(words),
        _incident(),
    )


def _absence(names: Names, words: Words) -> tuple[Spec, ...]:
    return (
        Spec("for", msg("Nothing heard for"), "span", needed=True, hint=msg("One minute or more.")),
        _per(words),
        Spec("reading", msg("Only this reading counts"), choices=names.readings, rare=True),
        Spec("event", msg("Only this event counts"), choices=names.events, rare=True),
        _incident(),
    )


def _change(names: Names, words: Words) -> tuple[Spec, ...]:
    ways = tuple((value, words.say(said)) for value, said in _WAYS)
    return (
        Spec("reading", msg("Which reading"), needed=True, choices=names.readings),
        Spec("by", msg("When it changes by"), "number", needed=True),
        Spec("direction", msg("Which way"), "choice", choices=ways),
        Spec("within", msg("Only from a reading not older than"), "span"),
        _incident(),
    )


def _per(words: Words) -> Spec:
    choices = tuple((value, words.say(said)) for value, said in _PER)
    return Spec("per", msg("Counted for"), "choice", choices=choices)


def _incident() -> Spec:
    return Spec(
        "incident",
        msg("Short name of the incident"),
        hint=msg("Rules of one name raise the same incident. Empty: the short name of the rule."),
        rare=True,
    )


def _tail(names: Names) -> tuple[Spec, ...]:
    devices: fields.Kind = "several" if names.devices else "words"
    tail: Sequence[Spec] = (
        Spec(
            "where.place",
            msg("Places"),
            "several",
            choices=names.areas,
            hint=msg("Nothing ticked means everywhere."),
        ),
        Spec("where.kind", msg("Kinds of devices"), "several", choices=names.kinds),
        Spec("where.device", msg("Devices"), devices, choices=names.devices, rare=True),
        Spec("where.node", msg("Edge boxes"), "words", rare=True),
        Spec(
            "where.group",
            msg("Groups of devices"),
            "several" if names.groups else "words",
            choices=names.groups,
            rare=True,
        ),
        Spec("safety", msg("Safety: stays in the list until a person has seen it"), "check"),
        Spec("clear_after", msg("Resolves by itself when over for"), "span", rare=True),
        Spec("flap", msg("The same again this soon is the same incident"), "span", rare=True),
        Spec(
            "late_after",
            msg("Heard of later than this and over: nobody is called"),
            "span",
            rare=True,
        ),
    )
    return tuple(replace(one, choices=one.choices or NONE[:0]) for one in tail)
