"""What became of a document of duty from one version to the next, and what one would change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from itertools import accumulate
from typing import Any

import msgspec

from dashboards.web import channel_form, fields, options, papers
from dashboards.web.fields import Spec, Values
from dashboards.web.language import msg
from dashboards.web.moments import Calendar
from dashboards.web.papers import Names
from dashboards.web.words import Words
from ingest.duty.book import Kind
from ingest.duty.figures import Kept
from ingest.duty.roster import Dated, Swap
from ingest.notify.escalation import Ladder
from ingest.services.outlook import Outlook
from ingest.services.roster_sheet import Span

MOST = 12
_AT = "%Y-%m-%d %H:%M"


def differences(
    kind: Kind,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    names: Names,
    words: Words,
    *,
    zone: tzinfo,
) -> list[str]:
    """Return in words, and times of this zone, what differs between two versions, None for none."""
    if after is None:
        return [words.say(msg("taken away"))]
    if kind == "channel":
        return channel_form.differences(before, after, words)
    old, new = papers.opened(kind, before), papers.opened(kind, after)
    form_of, found = papers.sheet(kind, names, words), []
    for spec in form_of.head:
        left, right = (_value(spec, fields.flat(one).get(spec.name), words) for one in (old, new))
        if left != right:
            found.append(f"{_title(spec, words)}{left or '—'} → {right or '—'}")
    for group in form_of.rows:
        left_rows, right_rows = (
            [_row(group.specs, row, words) for row in one.get(group.path, ())] for one in (old, new)
        )
        found += _lines(left_rows, right_rows, words)
    if kind == "roster":
        found += _lines(_dated(old, names, words), _dated(new, names, words), words)
        left_swaps, right_swaps = (_swaps(one, names, words, zone) for one in (old, new))
        found += _lines(left_swaps, right_swaps, words)
    return found


def outlook_words(
    found: Outlook, wanted: msgspec.Struct | None, names: Names, words: Words, calendar: Calendar
) -> list[str]:
    """Return what a document would change, tried on what happened lately and on days to come."""
    said = _teams(found, names, words)
    if isinstance(wanted, Ladder):
        said += _reached(found, wanted, words)
    for title, old, new in (
        (msg("Seen in time: %(before)s → %(after)s"), found.seen_before, found.seen_after),
        (msg("Done in time: %(before)s → %(after)s"), found.done_before, found.done_after),
    ):
        if old is not None and new is not None:
            said.append(words.say(title) % {"before": _kept(old), "after": _kept(new)})
    return said + _gaps(found.gaps_before, found.gaps_after, words, calendar)


def _teams(found: Outlook, names: Names, words: Words) -> list[str]:
    teams, nobody = dict(names.teams), words.say(msg("nobody"))
    text = words.say(msg("%(who)s: incidents %(before)s → %(after)s"))
    return [
        text
        % {
            "who": teams.get(one.team, one.team) if one.team else nobody,
            "before": one.before,
            "after": one.after,
        }
        for one in found.teams
    ]


def _reached(found: Outlook, wanted: Ladder, words: Words) -> list[str]:
    text = words.say(msg("%(who)s after %(time)s: incidents %(count)s of %(all)s"))
    passed = accumulate(one.after for one in wanted.rungs)
    return [
        text
        % {
            "who": words.say(papers.AUDIENCES[rung.who]),
            "time": fields.span_words(after.total_seconds(), words.say),
            "count": count,
            "all": found.incidents,
        }
        for rung, after, count in zip(wanted.rungs, passed, found.reached, strict=True)
    ]


def _gaps(
    before: Sequence[Span], after: Sequence[Span], words: Words, calendar: Calendar
) -> list[str]:
    new = [one for one in after if one not in before]
    text = words.say(msg("Nobody would be on duty: %(start)s – %(end)s"))
    said = [
        text % {"start": calendar.clock(one.begin), "end": calendar.clock(one.end)}
        for one in new[:MOST]
    ]
    if len(new) > MOST:
        said.append(words.say(msg("further times: %(num)s")) % {"num": len(new) - MOST})
    return said


def _kept(one: Kept) -> str:
    return f"{one.kept} / {one.kept + one.missed}" if one.kept + one.missed else "–"


def _lines(before: Sequence[str], after: Sequence[str], words: Words) -> list[str]:
    """Return what came and went; the same in another order is said once."""
    old, new = Counter(before), Counter(after)
    gone, came = list((old - new).elements()), list((new - old).elements())
    if not gone and not came and list(before) != list(after):
        return [words.say(msg("In another order"))]
    return [
        *(words.say(msg("Taken out: %(rule)s")) % {"rule": one} for one in gone),
        *(words.say(msg("New: %(rule)s")) % {"rule": one} for one in came),
    ]


def _row(specs: Sequence[Spec], row: Mapping[str, Any], words: Words) -> str:
    values = fields.flat(row)
    parts = []
    for spec in specs:
        value = values.get(spec.name)
        if value in (None, "", [], False) or str(value) == spec.default:
            continue
        parts.append(f"{_title(spec, words)}{_value(spec, value, words)}")
    return " · ".join(parts) or "—"


def _title(spec: Spec, words: Words) -> str:
    return f"{words.say(spec.label)}{words.say(msg(': '))}"


def _value(spec: Spec, value: Any, words: Words) -> str:
    if value in (None, "", []):
        return ""
    if isinstance(value, bool):
        return words.say(msg("yes") if value else msg("no"))
    if spec.kind == "span":
        seconds = fields.span_seconds(str(value))
        return str(value) if seconds is None else fields.span_words(seconds, words.say)
    several = value if isinstance(value, list | tuple) else [value]
    return options.names(spec.choices, [str(one) for one in several], words)


def _dated(values: Values, names: Names, words: Words) -> list[str]:
    found = msgspec.convert(values.get("dated", ()), tuple[Dated, ...])
    return [dated_words(one, names.people, words) for one in found]


def dated_words(one: Dated, people: options.Options, words: Words) -> str:
    """Return a shift of one day."""
    return f"{one.day} {one.begin}–{one.end} {options.names(people, one.people, words)}"


def _swaps(values: Values, names: Names, words: Words, zone: tzinfo) -> list[str]:
    people = dict(names.people)
    instead = words.say(msg("%(by)s instead of %(person)s"))
    away = words.say(msg("%(person)s is away"))
    said = []
    for one in msgspec.convert(values.get("swaps", ()), tuple[Swap, ...]):
        who = {"person": people.get(one.person, one.person)}
        text = instead % {**who, "by": people.get(one.by, one.by)} if one.by else away % who
        begin, end = (at.astimezone(zone).strftime(_AT) for at in (one.begin, one.end))
        said.append(f"{text} · {begin} – {end}")
    return said
