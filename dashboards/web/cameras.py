"""Cameras and their live picture in words: what for, how it goes on, and why nothing is to see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dashboards.web import device_list
from dashboards.web.device_list import Wanted
from dashboards.web.health import DeviceCard, device_card
from dashboards.web.language import Language, msg
from dashboards.web.moments import Calendar, Moment
from dashboards.web.words import OBJECTS, Words
from ingest.accounts.account import Viewer
from ingest.live.desk import Why
from ingest.live.look import LiveLook, Purpose
from ingest.refusal import NotThere
from ingest.services import Services
from ingest.services.live import LiveView

CAMERA = "camera"
LOOKS_SHOWN = 20
PURPOSES: dict[Purpose, str] = {
    "incident": msg("Look into an incident"),
    "round": msg("An agreed round of looking"),
    "fault": msg("See whether the camera works"),
    "setup": msg("Set up the camera and its zones"),
}
_WHY: dict[Why, str] = {
    "showing": msg("This is what the camera sees now."),
    "asking": msg("Asking the edge box …"),
    "waiting": msg("The first picture is on its way …"),
    "withheld": msg("The edge box cannot hide heads surely, so it sends no picture."),
    "no-answer": msg("The edge box does not answer. It may be switched off or without network."),
    "refused": msg("The edge box sends no picture."),
    "silent": msg("No picture comes. The camera may be away."),
}
_CODES = {
    "withheld-dark": msg("Too dark to hide heads surely, so no picture is sent."),
    "withheld-late": msg("The edge box is too busy to hide heads in time, so no picture is sent."),
    "refused-off": msg("Nobody is to see this camera: the settings of its edge box say so."),
    "refused-blind": msg("The model of the edge box knows no people, so it cannot hide heads."),
    "refused-no-ingest": msg("The edge box has no way to send pictures: [ingest] is not set."),
    "refused-no-broker": msg("The way to the edge boxes is down."),
    "refused-unknown-device": msg("The edge box does not know this camera."),
}


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a camera, for administrators."""

    who: str
    purpose: str
    began: Moment
    until: Moment


@dataclass(frozen=True, slots=True)
class Live:
    """A look of one's own that goes on."""

    purpose: str
    number: int
    said: str
    left: int
    showing: bool
    seen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cameras:
    """Some of the cameras that were looked for, and how many there are of them."""

    cards: tuple[DeviceCard, ...]
    found: int
    pages: int


def cameras(
    services: Services, viewer: Viewer, words: Words, calendar: Calendar, want: Wanted
) -> Cameras:
    """Return a page of the cameras in use, those first that somebody must see to."""
    names = device_list.names(services, viewer, words)
    estate = services.devices.estate(viewer, calendar.now)
    found = device_list.chosen(estate.devices, want._replace(kind=CAMERA))
    some, pages = device_list.part(found, want.page)
    cards = (
        device_card(view, words, calendar, {}, device_list.whereabouts(view, names, words))
        for view in estate.views(some)
    )
    return Cameras(tuple(cards), len(found), pages)


def camera(
    services: Services, viewer: Viewer, words: Words, calendar: Calendar, where: tuple[str, str]
) -> DeviceCard:
    """Return one camera in use. Raises NotThere."""
    view = services.devices.get(viewer, where, calendar.now)
    if view.kind != CAMERA or view.standing != "confirmed":
        raise NotThere("no such camera in use")
    names = device_list.names(services, viewer, words)
    return device_card(view, words, calendar, {}, device_list.whereabouts(view, names, words))


def live(view: LiveView, words: Words) -> Live:
    """Put a look that goes on into words."""
    seen = (f"{words.object(box.label)} {box.confidence:.0%}" for box in view.boxes)
    return Live(
        purpose=words.say(PURPOSES[view.purpose]),
        number=view.number,
        said=words.say(_CODES.get(f"{view.why}-{view.code}", _WHY[view.why])),
        left=round(view.left),
        showing=view.why == "showing",
        seen=tuple(seen),
    )


def sayings(language: Language) -> dict[str, str]:
    """Return all words that the script may have to say, by `why`, `why-code` and class."""
    words = Words(language, {})
    said: dict[str, str] = {str(why): text for why, text in _WHY.items()}
    said |= _CODES | {f"class-{name}": text for name, text in OBJECTS.items()}
    return {name: words.say(text) for name, text in said.items()}


def looks(found: Iterable[LiveLook], words: Words, calendar: Calendar) -> tuple[Look, ...]:
    """Put who looked into words."""
    return tuple(
        Look(
            who=words.actor(one.actor),
            purpose=words.say(PURPOSES[one.purpose]),
            began=calendar.moment(one.began),
            until=calendar.moment(one.until),
        )
        for one in found
    )
