"""A rule document: everything that people can write, as strict types.

TOML like the other files that people write (`edge.toml`, `ingest.toml`): one way to write a thing,
no meaning in indentation. Each `[[rule]]` has a `type`; what the type does not know is an error.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from ingest.rules.spans import Span
from linli.events import Fraction, Severity, Slug
from linli.hours import Window
from linli.topics import ID_PATTERN

MOST_RULES = 500
MOST_READINGS = 64
MOST_COUNT = 100
LARGEST = 1e15

_PATH = rf"{ID_PATTERN}(/{ID_PATTERN})"
DeviceName = Annotated[
    str,
    Meta(pattern=rf"^{_PATH}$(?!\n)", max_length=65, description="node/device; node/self: the box"),
]
PlaceName = Annotated[
    str,
    Meta(
        pattern=rf"^{_PATH}{{0,3}}$(?!\n)",
        max_length=131,
        description="a building or public area, or a finer place in it: b03, b03/e1",
    ),
]
EventName = Annotated[
    str,
    Meta(
        pattern=rf"^(\*|{ID_PATTERN})$(?!\n)",
        max_length=32,
        description="as in the topic; * for any",
    ),
]
Label = Annotated[
    str, Meta(min_length=1, max_length=64, description="what people read, in any language")
]
Limit = Annotated[float, Meta(ge=-LARGEST, le=LARGEST)]
Per = Literal["device", "group", "area", "site"]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything in a document: frozen and strict."""


class Selection(Part, frozen=True, kw_only=True):
    """Which devices are meant; of each list that is given the device must be in."""

    node: Annotated[tuple[Slug, ...], Meta(max_length=1000)] = ()
    device: Annotated[tuple[DeviceName, ...], Meta(max_length=1000)] = ()
    kind: Annotated[tuple[Slug, ...], Meta(max_length=64)] = ()
    place: Annotated[tuple[PlaceName, ...], Meta(max_length=1000)] = ()


class Where(Selection, frozen=True, kw_only=True):
    """Which devices a rule is about; nothing given means all."""

    group: Annotated[tuple[Slug, ...], Meta(max_length=64)] = ()


class Group(Selection, frozen=True, kw_only=True):
    """Devices that rules call by one name."""

    id: Slug


class Rule(Part, frozen=True, kw_only=True, tag_field="type"):
    """What every rule has.

    `incident` names what it raises: rules of one name raise the same incident, the most severe
    counts; the name of the rule itself when left out. `safety`: never resolves by itself, someone
    must have seen it; others do when they have been clear for `clear_after`. The same within `flap`
    after resolving is the same incident. Heard of later than `late_after` and over by then: kept,
    nobody is called. With `enabled` false it is as if it were not there, and neither is the
    built-in rule of its name.
    """

    id: Slug
    label: Label
    where: Where = Where()
    during: Annotated[tuple[Window, ...], Meta(max_length=28)] = ()
    safety: bool = False
    clear_after: Span = "10min"
    flap: Span = "2min"
    late_after: Span = "5min"
    enabled: bool = True


class EventRule(Rule, frozen=True, kw_only=True, tag="event"):
    """An edge's event becomes an incident of the event's name, zone by zone.

    The first event rule that fits an event has it, those of the site before those built in. With
    `for` it must have gone on that long; without `raises` nothing comes of it. Without `severity`
    it is as severe as the edge said. An `outage` is part of that of what its device hangs behind.
    """

    event: Annotated[tuple[EventName, ...], Meta(min_length=1, max_length=64)]
    zone: Annotated[tuple[Slug, ...], Meta(max_length=64)] = ()
    object: Annotated[tuple[Slug, ...], Meta(max_length=64)] = ()
    confidence: Annotated[Fraction | None, Meta(description="at least")] = None
    severity: Severity | None = None
    lasting: Span | None = field(name="for", default=None)
    raises: bool = True
    outage: bool = False


class Derived(Rule, frozen=True, kw_only=True):
    """What rules have in common that make something of several facts."""

    severity: Severity = "medium"
    incident: Slug | None = None


class ThresholdRule(Derived, frozen=True, kw_only=True, tag="threshold"):
    """A reading is above (or below) a value, until it is back at `clear`.

    `hits` of the last `of` readings must be (and as many be back, to end it); then it must have
    gone on for `for`. A reading older than `stale` says nothing of now.
    """

    reading: Slug
    above: Limit | None = None
    below: Limit | None = None
    clear: Limit | None = None
    hits: Annotated[int, Meta(ge=1, le=MOST_READINGS)] = 1
    of: Annotated[int, Meta(ge=1, le=MOST_READINGS)] = 1
    lasting: Span | None = field(name="for", default=None)
    stale: Span | None = None


class RateRule(Derived, frozen=True, kw_only=True, tag="rate"):
    """At least `count` happenings began within `within`, of one device, group, area or site."""

    event: Annotated[tuple[EventName, ...], Meta(min_length=1, max_length=64)]
    zone: Annotated[tuple[Slug, ...], Meta(max_length=64)] = ()
    object: Annotated[tuple[Slug, ...], Meta(max_length=64)] = ()
    confidence: Annotated[Fraction | None, Meta(description="at least")] = None
    count: Annotated[int, Meta(ge=2, le=MOST_COUNT)]
    within: Span
    per: Per = "device"


class AbsenceRule(Derived, frozen=True, kw_only=True, tag="absence"):
    """Nothing was heard for `for` of what was heard before; time when the ingest was away is not.

    `reading` or `event` narrow what counts as being heard of.
    """

    lasting: Span = field(name="for")
    reading: Slug | None = None
    event: Slug | None = None
    per: Per = "device"


class ChangeRule(Derived, frozen=True, kw_only=True, tag="change"):
    """A reading differs from the one before it, not older than `within`, by `by` or more."""

    reading: Slug
    by: Annotated[float, Meta(gt=0, le=LARGEST)]
    direction: Literal["up", "down", "any"] = "any"
    within: Span | None = None


AnyRule = EventRule | ThresholdRule | RateRule | AbsenceRule | ChangeRule


class Document(Part, frozen=True, kw_only=True):
    """A whole file.

    `settle`: how long facts wait for others that happened before them; event rules without `for`
    never wait. The built-in rules come behind these, unless `builtin` is false; a rule of the same
    id replaces the built-in one.
    """

    settle: Span = "5s"
    builtin: bool = True
    group: Annotated[tuple[Group, ...], Meta(max_length=200)] = ()
    rule: Annotated[tuple[AnyRule, ...], Meta(max_length=MOST_RULES)] = ()
