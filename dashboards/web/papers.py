"""Documents of duty as forms: rosters, ladders, routes, deadlines, contacts, there and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
from starlette.datastructures import FormData

from dashboards.web import fields, options
from dashboards.web.fields import Spec, Values
from dashboards.web.language import msg
from dashboards.web.options import NONE, Options
from dashboards.web.words import Words
from ingest.duty.book import Kind
from ingest.duty.deadlines import USUAL
from ingest.notify.escalation import Audience
from ingest.notify.routes import DEFAULT
from linli.events import SEVERITIES

AUDIENCES: dict[Audience, str] = {
    "on-duty": msg("Who is on duty"),
    "team": msg("The whole team"),
    "supervisor": msg("Managers"),
    "street": msg("Grid workers"),
}
_HOURS = (
    ("always", msg("at any hour")),
    ("business", msg("in office hours")),
    ("off", msg("outside office hours")),
)
_HOLIDAYS = (
    ("as-usual", msg("worked as usual")),
    ("only", msg("only on holidays")),
    ("never", msg("not on holidays")),
)
_TONGUES = (("zh", "中文"), ("en", "English"))
TITLES: dict[Kind, str] = {
    "roster": msg("Roster"),
    "ladder": msg("Ladder"),
    "routes": msg("Routes"),
    "deadlines": msg("Deadlines"),
    "contacts": msg("How they are reached"),
    "channel": msg("Channel of messages"),
}
ABOUT: dict[Kind, str] = {
    "roster": msg("Shifts that come again and again. Shifts of one day count instead."),
    "ladder": msg(
        "Who is told, and who next while nobody acts. What is under way stays as it was."
    ),
    "routes": msg("Which team an incident goes to. The first that fits wins."),
    "deadlines": msg("How soon somebody should have seen an incident, and be done with it."),
    "channel": msg("By what messages go out."),
    "contacts": msg("The first way that fits is used, the next when it fails for good."),
}


class Names(NamedTuple):
    """What these forms offer to choose from."""

    people: Options
    teams: Options
    ladders: Options
    areas: Options
    events: Options
    channels: Options


class Rows(NamedTuple):
    """Several of a kind: the path in the document, what they are called, the fields of each."""

    path: str
    title: str
    specs: tuple[Spec, ...]
    ordered: bool = False


class Sheet(NamedTuple):
    """The form of one kind of document."""

    head: tuple[Spec, ...]
    rows: tuple[Rows, ...]


def sheet(kind: Kind, names: Names, words: Words) -> Sheet:
    """Return the form of a kind of document."""
    makers = {"roster": _roster, "ladder": _ladder, "routes": _routes, "contacts": _contacts}
    return makers.get(kind, _deadlines)(names, words)


def opened(kind: Kind, value: msgspec.Struct | Mapping[str, Any] | None) -> Values:
    """Return a document's values as forms take them."""
    found: Values = msgspec.to_builtins(value) if value is not None else {}
    if kind == "deadlines":
        found["events"] = [
            {"event": name, **one} for name, one in dict(found.get("events", {})).items()
        ]
        found |= fields.flat({"severities": dict(found.pop("severities", {}))})
    made: Values = _spans(found, read=True)
    return made


def closed(
    kind: Kind, head: Values, rows: Mapping[str, Sequence[Values]], before: Values
) -> Values:
    """Return the document that a form says; what the form does not show stays as `before`."""
    made: Values = fields.nested(head)
    made |= {path: [fields.nested(_days(one)) for one in several] for path, several in rows.items()}
    if kind == "deadlines":
        made["events"] = {
            str(one.pop("event", "")): one for one in made.get("events", []) if one.get("event")
        }
    if kind == "roster":
        made |= {name: before[name] for name in ("dated", "swaps") if before.get(name)}
    done: Values = _spans(made, read=False)
    return done


def sent(form: FormData, form_of: Sheet) -> tuple[Values, dict[str, list[Values]]]:
    """Return what a browser sent: the head, and the rows by their paths."""
    head = fields.taken(form_of.head, form)
    return head, {one.path: fields.taken_rows(one.specs, form, one.path) for one in form_of.rows}


def shown(
    form_of: Sheet, values: Values, words: Words, faults: fields.Faults
) -> tuple[tuple[fields.Field, ...], list[tuple[Rows, tuple[fields.Row, ...]]]]:
    """Return the fields of the head, and the rows with one more to fill in."""
    head = fields.shown(_known(form_of.head, [values]), values, words.say, faults)
    groups = []
    for one in form_of.rows:
        several = [fields.flat(row) for row in values.get(one.path, ())]
        specs = _known(one.specs, several)
        blank = 1 if several else 2
        rows = fields.rows(specs, several, words.say, faults, one.path, blank=blank)
        groups.append((one._replace(title=words.say(one.title)), rows))
    return head, groups


def _known(specs: Sequence[Spec], several: Sequence[Mapping[str, Any]]) -> list[Spec]:
    """Return fields whose choices hold what is chosen already, though it may be gone by now."""
    found = []
    for spec in specs:
        given: list[Any] = []
        for row in several:
            value = row.get(spec.name)
            given += value if isinstance(value, list | tuple) else [value]
        listed = spec.kind == "several" or (spec.kind == "choice" and spec.choices)
        found.append(fields.with_choices(spec, spec.choices, given) if listed else spec)
    return found


def _roster(names: Names, words: Words) -> Sheet:
    days = tuple((str(at), words.say(said)) for at, (_, said) in enumerate(options.DAYS))
    shift = (
        Spec("begin", msg("From"), "clock", needed=True),
        Spec(
            "end",
            msg("Until"),
            "clock",
            needed=True,
            hint=msg("Not after the start: the next day."),
        ),
        Spec("people", msg("People"), "several", choices=names.people),
        Spec("days", msg("Days (none: all)"), "several", choices=days),
        Spec(
            "holidays",
            msg("Holidays"),
            "choice",
            choices=_said(_HOLIDAYS, words),
            default="as-usual",
            rare=True,
        ),
    )
    head = (
        Spec(
            "cycle",
            msg("It repeats after so many days"),
            "whole",
            hint=msg(
                "7 for a week; 4 or 8 for guards around the clock, counted from the first day."
            ),
            rare=True,
        ),
        Spec("anchor", msg("First day of the cycle"), "day", rare=True),
        Spec(
            "holidays",
            msg("Holidays"),
            "words",
            hint=msg("Dates such as 2026-10-01, with spaces between."),
            rare=True,
        ),
    )
    return Sheet(head, (Rows("shifts", msg("Shifts"), shift),))


def _ladder(names: Names, words: Words) -> Sheet:
    rung = (
        Spec(
            "who",
            msg("Who is told"),
            "choice",
            choices=(*NONE, *_said(tuple(AUDIENCES.items()), words)),
        ),
        Spec(
            "after",
            msg("After"),
            "span",
            hint=msg("After the step before; the first from the call on. Empty: at once."),
        ),
        Spec("people", msg("And these people"), "several", choices=names.people, rare=True),
        Spec(
            "least",
            msg("Only when at least"),
            "choice",
            choices=tuple(reversed(options.severities(words))),
            default="low",
        ),
        Spec("hours", msg("Only"), "choice", choices=_said(_HOURS, words), default="always"),
    )
    head = (
        Spec(
            "rounds",
            msg("How many times it is gone through"),
            "whole",
            hint=msg("1 to 5, while nobody acts."),
        ),
        Spec("again_after", msg("Again after"), "span"),
    )
    return Sheet(head, (Rows("rungs", msg("Steps"), rung),))


def _routes(names: Names, words: Words) -> Sheet:
    usual = (DEFAULT, words.say(msg("the usual ladder")))
    ladders = (usual, *(one for one in names.ladders if one[0] != DEFAULT))
    route = (
        Spec("team", msg("Goes to the team"), "choice", choices=(*NONE, *names.teams)),
        Spec("ladder", msg("By the ladder"), "choice", choices=ladders, default=DEFAULT),
        Spec("building", msg("Only from this place"), "choice", choices=(*NONE, *names.areas)),
        Spec("event", msg("Only this kind of incident"), choices=names.events),
        Spec("severities", msg("Only when it is"), "several", choices=options.severities(words)),
        Spec("site", msg("Only of this site"), rare=True),
    )
    return Sheet((), (Rows("routes", msg("Routes, in their order"), route, ordered=True),))


def _deadlines(names: Names, words: Words) -> Sheet:
    head: list[Spec] = []
    for one in SEVERITIES:
        usual = USUAL[one]
        for name, said, value in (
            ("acknowledge", _SEEN[one], usual.acknowledge),
            ("resolve", _DONE[one], usual.resolve),
        ):
            hint = fields.span_words(value.total_seconds(), words.say) if value else "—"
            head.append(Spec(f"severities.{one}.{name}", said, "span", hint=hint))
    row = (
        Spec("event", msg("Kind of incident"), choices=names.events, needed=True),
        Spec("acknowledge", msg("Seen within"), "span"),
        Spec("resolve", msg("Done within"), "span"),
    )
    return Sheet(tuple(head), (Rows("events", msg("For some kinds, whatever the severity"), row),))


def _contacts(names: Names, words: Words) -> Sheet:
    way = (
        Spec("channel", msg("By"), "choice", choices=(*NONE, *names.channels)),
        Spec(
            "address",
            msg("Address"),
            needed=True,
            hint=msg("A key, number or address, as the channel wants it."),
        ),
        Spec("language", msg("Language"), "choice", choices=_TONGUES, default="zh"),
        Spec(
            "least",
            msg("Only when at least"),
            "choice",
            choices=tuple(reversed(options.severities(words))),
            default="low",
        ),
        Spec(
            "quiet.begin",
            msg("Quiet from"),
            "clock",
            hint=msg("In quiet hours only what is critical comes."),
        ),
        Spec("quiet.end", msg("Quiet until"), "clock"),
    )
    return Sheet((), (Rows("ways", msg("Ways, in their order"), way, ordered=True),))


_SEEN = {
    "critical": msg("Critical: seen within"),
    "high": msg("High: seen within"),
    "medium": msg("Medium: seen within"),
    "low": msg("Low: seen within"),
}
_DONE = {
    "critical": msg("Critical: done within"),
    "high": msg("High: done within"),
    "medium": msg("Medium: done within"),
    "low": msg("Low: done within"),
}
_TIMES = frozenset({"after", "again_after", "acknowledge", "resolve"})


def _said(pairs: Sequence[tuple[str, str]], words: Words) -> Options:
    return tuple((value, words.say(said)) for value, said in pairs)


def _days(row: Values) -> Values:
    """Return a row with its days as numbers."""
    if isinstance(row.get("days"), list):
        return {**row, "days": sorted(int(one) for one in row["days"] if str(one).isdecimal())}
    return row


def _spans(value: Any, *, read: bool) -> Any:
    """Return a document whose lengths of time are those of forms, or those of the wire again."""
    if isinstance(value, Mapping):
        return {
            key: _span(one, read=read)
            if key.rpartition(".")[2] in _TIMES and isinstance(one, str)
            else _spans(one, read=read)
            for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_spans(one, read=read) for one in value]
    return value


def _span(text: str, *, read: bool) -> str:
    if read:
        try:
            return fields.span_text(msgspec.convert(text, timedelta).total_seconds())
        except msgspec.ValidationError:
            return text
    seconds = fields.span_seconds(text)
    return text if seconds is None else f"PT{seconds}S"
