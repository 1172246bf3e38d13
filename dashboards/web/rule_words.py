"""Rules in words: what each is about, what a version changed, what it would raise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from dashboards.web import fields, options, rule_fields
from dashboards.web.language import msg
from dashboards.web.rule_fields import Names
from dashboards.web.words import Words
from ingest.rules.document import AnyRule
from ingest.rules.editing import values_of
from ingest.rules.trial import RuleTrial, Trial

_SAID_ELSEWHERE = {"label", "severity", "enabled"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of a preview: how often, and how high of the highest."""

    day: str
    count: int
    height: float


@dataclass(frozen=True, slots=True)
class TrialView:
    """What a rule would have raised."""

    days: int
    complete: bool
    rows: int
    raised: int
    lasting: int
    bars: tuple[Bar, ...]
    devices: tuple[tuple[str, int], ...]
    trial: RuleTrial


def pairs(rule: AnyRule, names: Names, words: Words) -> list[tuple[str, str]]:
    """Return what a rule says beside its name and severity: each key in words, and its value."""
    values = values_of(rule)
    kind = str(values["type"])
    flat = fields.flat({key: one for key, one in values.items() if key != rule_fields.DURING})
    usual = fields.flat(rule_fields.fresh(kind))
    found = []
    for spec in rule_fields.specs(kind, names, words):
        value = flat.get(spec.name)
        if spec.name in _SAID_ELSEWHERE or value in (None, [], (), usual.get(spec.name, False)):
            continue
        found.append((words.say(spec.label), _value(spec, value, words)))
    windows = [_window(one, words) for one in values[rule_fields.DURING]]
    if windows:
        found.append((words.say(msg("Hours")), "; ".join(windows)))
    return found


def severity(rule: AnyRule, words: Words) -> str:
    """Return how severe a rule is."""
    return words.severity(rule.severity) if rule.severity else words.say(msg("as the edge says"))


def changes(
    before: Mapping[str, AnyRule], after: Mapping[str, AnyRule], names: Names, words: Words
) -> list[str]:
    """Return in words what became of the rules from one version to the next."""
    found = []
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if old is None and new is not None:
            found.append(words.say(msg("New: %(rule)s")) % {"rule": new.label})
        elif new is None and old is not None:
            found.append(words.say(msg("Taken out: %(rule)s")) % {"rule": old.label})
        elif old is not None and new is not None and old != new:
            said = "; ".join(_differences(old, new, names, words))
            found.append(f"{new.label}: {said}" if said else new.label)
    return found


def trial_view(trial: Trial, name: str, devices: Mapping[str, str]) -> TrialView | None:
    """Return what one rule would have raised, day by day; None when it is off."""
    mine = next((one for one in trial.rules if one.rule == name), None)
    if mine is None:
        return None
    by_day: dict[date, int] = {}
    by_device: dict[str, int] = {}
    for one in mine.counts:
        by_day[one.day] = by_day.get(one.day, 0) + one.raised
        by_device[one.device] = by_device.get(one.device, 0) + one.raised
    days = (trial.end - trial.start).days
    last = max([*by_day, trial.end.date()])
    span = [last - timedelta(days=number) for number in reversed(range(days + 1))]
    most = max(by_day.values(), default=1)
    return TrialView(
        days=days,
        complete=trial.complete,
        rows=trial.rows,
        raised=mine.raised,
        lasting=mine.lasting,
        bars=tuple(
            Bar(day.isoformat(), by_day.get(day, 0), by_day.get(day, 0) / most) for day in span
        ),
        devices=tuple(
            (devices.get(device, device), count)
            for device, count in sorted(by_device.items(), key=lambda one: -one[1])[:20]
        ),
        trial=mine,
    )


def _differences(old: AnyRule, new: AnyRule, names: Names, words: Words) -> Iterable[str]:
    if old.label != new.label:
        yield words.say(msg("was called %(old)s")) % {"old": old.label}
    if old.enabled != new.enabled:
        yield words.say(msg("switched on") if new.enabled else msg("switched off"))
    if type(old) is type(new) and old.severity != new.severity:
        yield f"{severity(old, words)} → {severity(new, words)}"
    before, after = dict(pairs(old, names, words)), dict(pairs(new, names, words))
    for title in dict.fromkeys([*before, *after]):
        left, right = before.get(title, "—"), after.get(title, "—")
        if left != right:
            yield f"{title}: {left} → {right}"


def _value(spec: fields.Spec, value: object, words: Words) -> str:
    if isinstance(value, bool):
        return words.say(msg("yes") if value else msg("no"))
    if spec.kind == "span":
        seconds = fields.span_seconds(str(value))
        return str(value) if seconds is None else fields.span_words(seconds, words.say)
    several = value if isinstance(value, list | tuple) else [value]
    texts = [f"{one:g}" if isinstance(one, float) else str(one) for one in several]
    return options.names(spec.choices, texts, words)


def _window(one: Mapping[str, object], words: Words) -> str:
    days = one["days"]
    chosen = list(days) if isinstance(days, list | tuple) else []
    every = len(chosen) == len(options.DAYS)
    said = "" if every else f" {options.names(options.days(words), chosen, words)}"
    return f"{one['from']}–{one['to']}{said}"
