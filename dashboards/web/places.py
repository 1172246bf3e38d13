"""Places as a tree with what is open and what ails in each; and one place in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dashboards.web.device_list import called
from dashboards.web.health import HEALTH
from dashboards.web.moments import Calendar
from dashboards.web.registry_words import PLACES, kind_word
from dashboards.web.whereabouts import inside, place_of
from dashboards.web.words import Words
from ingest.accounts.account import Viewer
from ingest.registry.records import Device, Edge, Place, Record, area_of
from ingest.services import Services
from ingest.services.counts import Filter
from ingest.services.estate import BoxGlance, Glance
from ingest.services.views import Health

WEEK = timedelta(days=7)
SHOWN = 60
"""Devices that the page of a place names; the rest is in the list of devices."""
MOST_BRANCHES = 150
"""Places of a tree that one page shows, except that the next level is always there."""
_WORST: dict[Health, int] = {"down": 0, "degraded": 1, "unknown": 2, "ok": 3}
Open = Mapping[str, int]
"""Unresolved incidents by place, below the site."""


@dataclass(slots=True)
class Branch:
    """A place; the counts are of all that is in it, however deep."""

    id: str
    label: str
    kind: str
    children: list[Branch] = field(default_factory=list)
    total: int = 0
    ailing: int = 0
    silent: int = 0
    open: int = 0

    @property
    def depth(self) -> int:
        """How deep it lies; 0 is the site."""
        return self.id.count("/")

    @property
    def health(self) -> Health:
        """How it is as a whole: what was never heard of is not well."""
        if self.ailing:
            return "degraded"
        return "unknown" if self.silent or not self.total else "ok"


@dataclass(frozen=True, slots=True)
class Thing:
    """An edge box or device, as a line under its place; `place` names where below the page's."""

    id: str
    label: str
    kind: str
    make: str
    behind: str
    place: str
    health: Health
    health_word: str
    device: bool


@dataclass(frozen=True, slots=True)
class Day:
    """How many incidents began on a day; None where it is not known."""

    name: str
    number: int | None


def tree(
    places: Iterable[Place],
    devices: Iterable[Glance],
    boxes: Iterable[BoxGlance],
    open_: Open,
    words: Words,
) -> dict[str, Branch]:
    """Return all places by path, each with its children in order of their names."""
    found = {
        one.id: Branch(one.id, called(one, words), words.say(PLACES[one.kind])) for one in places
    }
    # Many stand in the same place and are alike, so they are counted before paths are walked.
    alike = Counter((one.site, one.subject or one.area, one.health) for one in devices)
    alike += Counter(
        (one.site, one.area, one.health) for one in boxes if one.standing == "confirmed"
    )
    for (site, below, health), number in alike.items():
        _count(_nearest(found, f"{site}/{below}"), health, number)
    root = next((path for path in found if "/" not in path), "")
    for below, number in open_.items():
        home = _nearest(found, f"{root}/{below}")
        if home is not None:
            home.open += number
    for branch in sorted(found.values(), key=_depth, reverse=True):
        _pass_on(branch, _nearest(found, branch.id.rpartition("/")[0]))
    for path, branch in found.items():
        above = found.get(path.rpartition("/")[0])
        if above is not None:
            above.children.append(branch)
    for branch in found.values():
        branch.children.sort(key=lambda one: (len(one.label), one.label))
    return found


def depth_shown(top: Branch) -> int:
    """Return how deep a tree below `top` is shown whole: the next level, more if it is small.

    What lies deeper is shown on the pages of its places.
    """
    level, number, depth = top.children, 0, top.depth
    while level and (number := number + len(level)) <= MOST_BRANCHES:
        depth += 1
        level = [below for one in level for below in one.children]
    return max(depth, top.depth + 1)


def _above(found: Mapping[str, Branch], path: str) -> list[Branch]:
    """Return the known places of a path, from the site down."""
    levels = path.split("/")
    known = ("/".join(levels[:depth]) for depth in range(1, len(levels) + 1))
    return [found[name] for name in known if name in found]


def _nearest(found: Mapping[str, Branch], path: str) -> Branch | None:
    """Return the deepest known place of a path."""
    while path and path not in found:
        path = path.rpartition("/")[0]
    return found.get(path)


def _depth(branch: Branch) -> int:
    return branch.depth


def _count(home: Branch | None, health: Health, number: int) -> None:
    if home is not None:
        home.total += number
        home.ailing += number * (health in {"down", "degraded"})
        home.silent += number * (health == "unknown")


def _pass_on(branch: Branch, above: Branch | None) -> None:
    """Count what is in a place in the one around it too."""
    if above is not None:
        above.total += branch.total
        above.ailing += branch.ailing
        above.silent += branch.silent
        above.open += branch.open


def things(
    place: str,
    records: Iterable[Record],
    health: Mapping[str, Health],
    branches: Mapping[str, Branch],
    words: Words,
) -> list[Thing]:
    """Return what stands in a place, the worst first."""
    records = list(records)
    names = {one.id: one.label for one in records}
    homes = {one.id: one.place for one in records if isinstance(one, Edge)}
    made = []
    for one in records:
        if not isinstance(one, Edge | Device):
            continue
        where = one.place or homes.get(one.id.partition("/")[0], "")
        if inside(where, place):
            state = health.get(one.id, "unknown")
            made.append(_thing(one, state, names, _below(place, where, branches), words))
    return sorted(made, key=lambda one: (_WORST[one.health], one.id))


def _below(place: str, where: str, branches: Mapping[str, Branch]) -> str:
    return " · ".join(one.label for one in _above(branches, where) if one.depth > place.count("/"))


def _thing(
    one: Edge | Device, health: Health, names: Mapping[str, str], where: str, words: Words
) -> Thing:
    kind = one.kind if isinstance(one, Device) else "edge"
    behind = dict.fromkeys(names.get(ref, ref) for ref in (one.network, one.power) if ref)
    return Thing(
        id=one.id,
        label=one.label,
        kind=kind_word(kind, words),
        make=" ".join(part for part in (one.vendor, one.model) if part),
        behind=" · ".join(behind),
        place=where,
        health=health,
        health_word=words.say(HEALTH[health]),
        device=isinstance(one, Device),
    )


def week(
    services: Services,
    viewer: Viewer,
    place: str,
    devices: Iterable[Glance],
    calendar: Calendar,
) -> list[Day]:
    """Return how many incidents began there on each of the last seven days of the site's clock."""
    area = area_of(place)
    names = [f"{one.node}/{one.device}" for one in devices if inside(place_of(one), place)]
    if place.count("/") > 1 and not names:
        return []
    only = Filter(areas=[area] if area else [], devices=names if place.count("/") > 1 else [])
    midnight = calendar.now.astimezone(calendar.zone).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    start = midnight - timedelta(days=6)
    view = services.counts.counts(
        viewer,
        start,
        calendar.now,
        calendar.now,
        what="opened",
        by=None,
        step=timedelta(hours=1),
        only=only,
    )
    known: Counter[str] = Counter()
    missing = set()
    for row in view.rows:
        day = _day(row.time, calendar)
        known[day] += row.count or 0
        if row.count is None:
            missing.add(day)
    days = [_day(start + timedelta(days=ago, hours=12), calendar) for ago in range(7)]
    return [Day(day, None if day in missing else known[day]) for day in days]


def _day(at: datetime, calendar: Calendar) -> str:
    local = at.astimezone(calendar.zone)
    return f"{local.month}/{local.day}"
