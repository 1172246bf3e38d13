"""The list of rules and its change log, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from dashboards.web import rule_words
from dashboards.web.language import msg
from dashboards.web.moments import Moment
from dashboards.web.rule_fields import KINDS, Names
from dashboards.web.visit import Visit
from dashboards.web.words import Words
from ingest.rules.document import AnyRule, EventRule
from ingest.rules.editing import rules_of
from ingest.rules.loading import builtin
from ingest.services.rules import RulesView
from linli.events import Severity

LOOKED_BACK = 20
BUILTIN = {
    "ebike-in-elevator": msg("E-bike in the lift"),
    "fire": msg("Smoke, gas or fire"),
    "passages": msg("Somebody at a gate"),
    "door-hold": msg("Door held open"),
    "voice-prompt": msg("Sentence said"),
    "lamp-set": msg("Lamps set by staff"),
    "camera-away": msg("No picture comes"),
    "sensor-offline": msg("Sensor silent"),
    "edge-silent": msg("Edge box silent"),
    "edge": msg("Everything else that an edge reports"),
}
"""What the built-in rules are called; one of the site's own is called as people wrote it."""
LATELY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule at a glance; `since` is the version in which it became as it is, 0 of old."""

    id: str
    label: str
    kind: str
    severity: Severity | None
    severity_word: str
    pairs: tuple[tuple[str, str], ...]
    own: bool
    on: bool
    acts: bool
    fired: int
    since: int


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version: who, when, why, and what it changed."""

    version: int
    who: str
    at: Moment | None
    note: str
    changes: tuple[str, ...]
    holds: bool


def listed(visit: Visit, view: RulesView, names: Names, words: Words) -> list[RuleLine]:
    """Return the rules, the site's own first."""
    services, now = visit.house.services, visit.house.clock.now()
    fired = services.rules.fired(visit.viewer, now - LATELY).rules
    own = rules_of(view.text)
    since = _since(visit, own) if visit.viewer.may("act") else {}
    known = {one.id: one for one in builtin().rule} | dict(own)
    return [
        replace(
            _line(known[one.id], names, words),
            own=one.origin == "site",
            label=called(one.id, one.label, words) if one.origin == "builtin" else one.label,
            fired=fired.get(one.id, 0),
            since=since.get(one.id, 0),
        )
        for one in view.rules
        if one.id in known
    ]


def log(
    visit: Visit, names: Names, words: Words, cursor: str | None
) -> tuple[list[VersionLine], str | None]:
    """Return one page of the change log, the newest first, and the cursor of the next."""
    rules = visit.house.services.rules
    page = rules.history(visit.viewer, cursor=cursor, limit=LOOKED_BACK)
    newest = rules.get(visit.viewer).version
    lines = []
    for one in page.items:
        after = rules_of(rules.version(visit.viewer, one.version).text)
        before = rules_of(rules.version(visit.viewer, one.version - 1).text)
        lines.append(
            VersionLine(
                version=one.version,
                who=words.actor(one.actor),
                at=visit.calendar.optional(one.at),
                note=one.note or "",
                changes=tuple(rule_words.changes(before, after, names, words)),
                holds=one.version == newest,
            )
        )
    return lines, page.next


def called(name: str, label: str, words: Words) -> str:
    """Return what a built-in rule is called, else its label."""
    known = BUILTIN.get(name)
    return words.say(known) if known else label


def _line(rule: AnyRule, names: Names, words: Words) -> RuleLine:
    kind = str(rule.__struct_config__.tag)
    return RuleLine(
        id=rule.id,
        label=rule.label,
        kind=words.say(KINDS[kind][0]),
        severity=rule.severity,
        severity_word=rule_words.severity(rule, words),
        pairs=tuple(rule_words.pairs(rule, names, words)),
        own=False,
        on=rule.enabled,
        acts=not isinstance(rule, EventRule) or rule.raises,
        fired=0,
        since=0,
    )


def _since(visit: Visit, current: Mapping[str, AnyRule]) -> dict[str, int]:
    """Return in which version each rule became as it is, as far as the newest ones tell."""
    rules = visit.house.services.rules
    found: dict[str, int] = {}
    open_ones = set(current)
    for one in rules.history(visit.viewer, limit=LOOKED_BACK).items:
        before = rules_of(rules.version(visit.viewer, one.version - 1).text)
        changed = {name for name in open_ones if before.get(name) != current[name]}
        found |= dict.fromkeys(changed, one.version)
        open_ones -= changed
        if not open_ones:
            break
    return found


def totals(trials: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return what would have been raised, the most first, nothing left out."""
    return sorted(trials, key=lambda one: -one[1])
