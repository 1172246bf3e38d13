"""The registry as a page: places, what stands in them and how it is; a list before it counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dashboards.web.device_list import called
from dashboards.web.health import HEALTH
from dashboards.web.registry_words import PLACES, fault_words, field_word, kind_word, value_word
from dashboards.web.words import Words
from ingest.registry.plan import Change, Plan, Preview
from ingest.registry.records import Device, Edge, Place, Record
from ingest.services.views import Health

SHOWN = 200
"""Lines of a preview that a page shows; an old phone could not show ten thousand."""
_WORST: dict[Health, int] = {"down": 0, "degraded": 1, "unknown": 2, "ok": 3}
HealthOf = Mapping[str, Health]


@dataclass(frozen=True, slots=True)
class Thing:
    """An edge box or device, as a line under its place."""

    id: str
    label: str
    kind: str
    make: str
    behind: str
    health: Health
    health_word: str


@dataclass(slots=True)
class Branch:
    """A place with what stands in it; the counts are of what stands below it too."""

    id: str
    label: str
    kind: str
    depth: int
    things: list[Thing] = field(default_factory=list)
    total: int = 0
    ailing: int = 0
    silent: int = 0

    @property
    def health(self) -> Health:
        """How it is as a whole: what was never heard of is not well."""
        if self.ailing:
            return "degraded"
        return "unknown" if self.silent or not self.total else "ok"


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a preview: what happens to a record, in words."""

    row: int | None
    mark: str
    what: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """One refused row: where, why, what to do."""

    row: int | None
    column: str
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class Look:
    """A list as it was read, and what it would do."""

    preview: Preview
    tag: str
    text: str
    lines: tuple[Line, ...]
    refused: tuple[Refused, ...]


def tree(records: Iterable[Record], health: HealthOf, words: Words) -> list[Branch]:
    """Return all places in use, depth first, with what stands in them."""
    records = list(records)
    branches = {
        one.id: Branch(one.id, called(one, words), words.say(PLACES[one.kind]), one.id.count("/"))
        for one in records
        if isinstance(one, Place)
    }
    homes = {one.id: one.place for one in records if isinstance(one, Edge)}
    names = {one.id: one.label for one in records}
    for one in records:
        if isinstance(one, Edge | Device):
            where = one.place or homes.get(one.id.partition("/")[0], "")
            _hang(branches, where, _thing(one, names, health.get(one.id, "unknown"), words))
    for branch in branches.values():
        branch.things.sort(key=lambda one: (_WORST[one.health], one.id))
    return [branches[name] for name in sorted(branches, key=lambda name: name.split("/"))]


def look(made: Plan, text: str, words: Words) -> Look:
    """Put what a list would do into words, as far as a page shows it."""
    found = made.preview
    return Look(
        preview=found,
        tag=made.tag,
        text=text,
        lines=tuple(_line(one, words) for one in found.changes[:SHOWN]),
        refused=tuple(
            Refused(
                row=one.row,
                column=field_word(one.column, words),
                value=one.value,
                why=fault_words(one.rule, one.hint, words),
            )
            for one in found.faults[:SHOWN]
        ),
    )


def _hang(branches: Mapping[str, Branch], where: str, thing: Thing) -> None:
    """Put a thing where it stands, or as deep as its place is known."""
    levels = where.split("/")
    known = ["/".join(levels[:depth]) for depth in range(1, len(levels) + 1)]
    above = [branches[name] for name in known if name in branches]
    for branch in above:
        branch.total += 1
        branch.ailing += thing.health in ("down", "degraded")
        branch.silent += thing.health == "unknown"
    if above:
        above[-1].things.append(thing)


def _thing(one: Edge | Device, names: Mapping[str, str], health: Health, words: Words) -> Thing:
    kind = one.kind if isinstance(one, Device) else "edge"
    behind = dict.fromkeys(names.get(ref, ref) for ref in (one.network, one.power) if ref)
    return Thing(
        id=one.id,
        label=one.label,
        kind=kind_word(kind, words),
        make=" ".join(part for part in (one.vendor, one.model) if part),
        behind=" · ".join(behind),
        health=health,
        health_word=words.say(HEALTH[health]),
    )


def _line(change: Change, words: Words) -> Line:
    said = []
    for one in change.fields:
        name = field_word(one.field, words)
        after = value_word(one.field, one.after, words)
        if change.action == "created":
            said.append(f"{name}: {after}")
        else:
            said.append(f"{name}: {value_word(one.field, one.before, words)} → {after}")
    marks = {"created": "+", "changed": "~", "removed": "−"}
    return Line(change.row, marks[change.action], change.id, tuple(said))
