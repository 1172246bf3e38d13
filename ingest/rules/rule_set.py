"""A rule set ready for use: checked, in order, indexed by what its rules look at."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo
from typing import Generic, Literal, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from ingest.incidents.facts import EventFact
from ingest.incidents.policy import Policy
from ingest.rules.document import (
    AbsenceRule,
    AnyRule,
    ChangeRule,
    Document,
    EventRule,
    Group,
    RateRule,
    Rule,
    Selection,
    ThresholdRule,
    Where,
)
from ingest.rules.facts import Spot
from ingest.rules.hours import Hours
from ingest.rules.spans import micros

R_co = TypeVar("R_co", bound=Rule, covariant=True)
ANY = "*"
BOX = "edge"
"""The kind of an edge box."""
Origin = Literal["site", "builtin"]


class Known(NamedTuple):
    """What the registry knows of a device. `wanted`: confirmed, and not retired."""

    kind: str
    subject: str | None = None
    wanted: bool = True


UNKNOWN = Known("unknown", wanted=False)


@dataclass(frozen=True, slots=True)
class Active(Generic[R_co]):
    """One rule with what was worked out of it; `digest` names its content."""

    rule: R_co
    origin: Origin
    digest: str
    hours: Hours
    policy: Policy
    groups: tuple[Group, ...] = ()

    @property
    def id(self) -> str:
        """The rule's own name."""
        return self.rule.id

    @property
    def asks(self) -> bool:
        """Whether the registry has to be asked which devices it is about."""
        return self.rule.where != _ANYWHERE

    @property
    def of_boxes(self) -> bool:
        """Whether it is about edge boxes alone, which are known without asking."""
        return self.rule.where.kind == (BOX,)

    @property
    def remembers(self) -> bool:
        """Whether it keeps anything of its targets."""
        return not isinstance(self.rule, EventRule) or self.rule.lasting is not None

    def fits(self, spot: Spot, known: Known) -> bool:
        """Tell whether the rule is about this device."""
        where = self.rule.where
        return selects(where, spot, known) and (
            not where.group or any(selects(group, spot, known) for group in self.groups)
        )


class RuleSet:
    """All rules that hold from one journal position to another; the site's come first."""

    def __init__(self, version: int, document: Document, builtin: Document, zone: tzinfo) -> None:
        """`zone` is the site's, for hours. Both documents must have been checked."""
        self.version = version
        self.settle = micros(document.settle)
        self.rules = tuple(_activate(document, builtin, zone))
        content = "\n".join([document.settle, *(one.digest for one in self.rules)])
        self.digest = hashlib.sha256(content.encode()).hexdigest()
        self._events = _of(self.rules, EventRule)
        self._rates = _of(self.rules, RateRule)
        self.absences = _of(self.rules, AbsenceRule)
        self._readings = _by_reading(self.rules)
        self._by_event: dict[str, tuple[Active[EventRule], ...]] = {}
        self.by_id = {one.id: one for one in self.rules}
        self.deferred = any(one.rule.lasting is not None for one in self._events)
        self.stateful = bool(self.deferred or self._rates or self._readings)
        self.remembers = self.stateful or bool(self.absences)

    @property
    def wants_readings(self) -> bool:
        """Whether telemetry has to be read at all."""
        return bool(self._readings) or any(one.rule.reading for one in self.absences)

    def of_event(self, name: str) -> tuple[Active[EventRule], ...]:
        """Return the event rules that an event of this name may belong to, the first one first."""
        found = self._by_event.get(name)
        if found is None:
            found = tuple(one for one in self._events if _named(name, one.rule.event))
            if len(self._by_event) < _MOST_NAMES:
                self._by_event[name] = found
        return found

    def rates_of(self, name: str) -> Iterable[Active[RateRule]]:
        """Return the rules that count events of this name."""
        return (one for one in self._rates if _named(name, one.rule.event))

    def of_reading(self, name: str) -> tuple[Active[ThresholdRule | ChangeRule], ...]:
        """Return the rules about a reading."""
        return self._readings.get(name, ())


_MOST_NAMES = 1000
_ANYWHERE = Where()


def fits_event(rule: EventRule | RateRule, fact: EventFact) -> bool:
    """Tell whether an event is one of those that a rule names, wherever it comes from."""
    if rule.zone and fact.key.zone not in rule.zone:
        return False
    if rule.object and fact.object_label not in rule.object:
        return False
    return rule.confidence is None or (fact.confidence or 0.0) >= rule.confidence


def _named(name: str, wanted: tuple[str, ...]) -> bool:
    return name in wanted or ANY in wanted


def _activate(document: Document, builtin: Document, zone: tzinfo) -> Iterable[Active[AnyRule]]:
    groups = {one.id: one for one in document.group}
    own = {one.id for one in document.rule}
    for rule in document.rule:
        if not rule.enabled:
            continue
        yield _active(rule, "site", tuple(groups[name] for name in rule.where.group), zone)
    if document.builtin:
        for rule in builtin.rule:
            if rule.id not in own:
                yield _active(rule, "builtin", (), zone)


def _active(
    rule: AnyRule, origin: Origin, groups: tuple[Group, ...], zone: tzinfo
) -> Active[AnyRule]:
    # What a rule is called changes nothing of what it does, and what is here is enabled: digests
    # stay those of versions that knew no such key, nor `outage`.
    said = msgspec.to_builtins(replace(rule, label="-"))
    del said["enabled"]
    if not said.get("outage"):
        said.pop("outage", None)
    content = msgspec.json.encode((said, groups, str(zone)))
    policy = Policy(
        safety=rule.safety,
        outage=_outage(rule),
        clear_after=_delta(rule.clear_after),
        flap=_delta(rule.flap),
        late_after=_delta(rule.late_after),
    )
    digest = hashlib.sha256(content).hexdigest()
    return Active(rule, origin, digest, Hours(rule.during, zone), policy, groups)


def _outage(rule: AnyRule) -> bool:
    return isinstance(rule, AbsenceRule) or (isinstance(rule, EventRule) and rule.outage)


def revive(rule: AnyRule) -> Active[AnyRule]:
    """Return a rule that is no more, for what is still to be said of it."""
    return _active(rule, "site", (), UTC)


def _delta(span: str) -> timedelta:
    return timedelta(microseconds=micros(span))


def _of(rules: Iterable[Active[AnyRule]], kind: type[R_co]) -> tuple[Active[R_co], ...]:
    return tuple(one for one in rules if isinstance(one.rule, kind))  # type: ignore[misc]


def _by_reading(
    rules: Iterable[Active[AnyRule]],
) -> dict[str, tuple[Active[ThresholdRule | ChangeRule], ...]]:
    found: dict[str, list[Active[ThresholdRule | ChangeRule]]] = {}
    for above in _of(rules, ThresholdRule):
        found.setdefault(above.rule.reading, []).append(above)
    for change in _of(rules, ChangeRule):
        found.setdefault(change.rule.reading, []).append(change)
    return {name: tuple(ones) for name, ones in found.items()}


def selects(selection: Selection, spot: Spot, known: Known) -> bool:
    """Tell whether a device is one of those that are meant."""
    if selection.node and spot.node not in selection.node:
        return False
    if selection.device and spot.name not in selection.device:
        return False
    if selection.kind and known.kind not in selection.kind:
        return False
    return not selection.place or any(
        _within(place, spot.area, spot.subject or known.subject) for place in selection.place
    )


def _within(place: str, area: str, subject: str | None) -> bool:
    if place == area:
        return True
    return subject is not None and (subject == place or subject.startswith(f"{place}/"))
