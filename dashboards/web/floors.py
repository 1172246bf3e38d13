"""Floor plans as pages show them: the drawing, and each device's marker with how it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from dashboards.web.health import HEALTH
from dashboards.web.language import Language
from dashboards.web.registry_words import kind_word
from dashboards.web.whereabouts import inside, place_of
from dashboards.web.words import Words
from ingest.accounts.account import Viewer
from ingest.floors.book import FloorPlan, Marker
from ingest.refusal import NotThere
from ingest.services import Services
from ingest.services.estate import Glance
from ingest.services.views import DeviceView, Health

FEW = 24
"""Devices whose names stand beside their markers; of more, names would cover each other."""
Views = Mapping[tuple[str, str], DeviceView | Glance]


@dataclass(frozen=True, slots=True)
class Mark:
    """A device on a plan; `left` and `top` in percent of the drawing."""

    node: str
    device: str
    label: str
    kind: str
    health: Health
    health_word: str
    left: str
    top: str


@dataclass(frozen=True, slots=True)
class Floor:
    """A plan with its markers, ready to be drawn."""

    id: str
    label: str
    place: str
    picture: str
    width: int
    height: int
    marks: tuple[Mark, ...]

    @property
    def named(self) -> bool:
        """Whether names have room beside the markers."""
        return len(self.marks) <= FEW

    @property
    def version(self) -> str:
        """What the markers look like, for keeping them while nothing changed."""
        return ".".join(f"{one.label}{one.health}{one.left}-{one.top}" for one in self.marks)


def floor(plan: FloorPlan, views: Views, words: Words, called: str = "") -> Floor:
    """Put a plan into words; devices that are not in use any more are left out."""
    marks = []
    for one in plan.markers:
        view = views.get((one.node, one.device))
        if view is None:
            continue
        marks.append(
            Mark(
                node=one.node,
                device=one.device,
                label=view.label or one.device,
                kind=kind_word(view.kind, words),
                health=view.health,
                health_word=words.say(HEALTH[view.health]),
                left=_percent(one.x),
                top=_percent(one.y),
            )
        )
    return Floor(
        id=plan.id,
        label=plan.label,
        place=called or plan.place,
        picture=f"/api/v1/floor-plans/{plan.id}/picture?v={plan.sha256[:12]}",
        width=plan.width,
        height=plan.height,
        marks=tuple(sorted(marks, key=lambda mark: mark.label)),
    )


def _percent(part: float) -> str:
    return f"{part * 100:.1f}".removesuffix(".0")


def shown(
    services: Services, viewer: Viewer, language: Language, plan: str, now: datetime
) -> dict[str, Any]:
    """Return what the page of a plan shows. Raises NotThere."""
    found = services.floors.get(viewer, plan)
    words = Words(language, {})
    known = services.devices.estate(viewer, now).devices
    views = {(one.node, one.device): one for one in known}
    return {
        "floor": floor(found, views, words, _called(services, viewer, found.place)),
        "place": found.place,
        "may_arrange": viewer.may("arrange"),
    }


def candidates(
    services: Services, viewer: Viewer, language: Language, plan: str, now: datetime
) -> tuple[Mark, ...]:
    """Return the devices in the place of a plan that do not stand on it yet, by name."""
    found = services.floors.get(viewer, plan)
    there = {(one.node, one.device) for one in found.markers}
    views = {
        (one.node, one.device): one
        for one in services.devices.estate(viewer, now).devices
        if (one.node, one.device) not in there and inside(place_of(one), found.place)
    }
    every = tuple(Marker(node=node, device=device, x=0.5, y=0.5) for node, device in views)
    made = floor(replace(found, markers=every), views, Words(language, {}))
    return made.marks


def here(
    services: Services, viewer: Viewer, language: Language, view: DeviceView
) -> tuple[Floor, ...]:
    """Return the plans that a device stands on, with its marker alone."""
    views = {(view.node, view.device): view}
    words = Words(language, {})
    return tuple(
        floor(one, views, words, _called(services, viewer, one.place))
        for one in services.floors.of_device(viewer, view.node, view.device)
    )


def _called(services: Services, viewer: Viewer, place: str) -> str:
    try:
        return services.registry.get(viewer, "place", place).label
    except NotThere:
        return place
