"""The newest kept picture of a camera, to draw on or to look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from dashboards.web import cameras
from dashboards.web.moments import Calendar, Moment
from dashboards.web.words import Words
from ingest.accounts.account import Viewer
from ingest.incidents.incident import Incident
from ingest.refusal import Clash, Gone, NotThere
from ingest.services import Services

_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class Still:
    """A picture: its id, its path for the next 60 s, and when it was taken."""

    id: str
    path: str
    at: Moment
    live: bool = False


@dataclass(frozen=True, slots=True)
class Looking:
    """How the live picture is had to draw on; `said` while it is on its way, or why it is not."""

    api: str
    said: str | None


def looking(
    services: Services, viewer: Viewer, where: tuple[str, str], calendar: Calendar, words: Words
) -> Looking | None:
    """Return how a viewer has the live picture to draw on, None for who cannot."""
    if not (services.live.on and viewer.may("look")):
        return None
    api = f"/api/v1/devices/{where[0]}/{where[1]}/live"
    try:
        view = services.live.view(viewer, where, calendar.now)
    except NotThere:
        return Looking(api, None)
    return Looking(api, None if view.why == "showing" else cameras.live(view, words).said)


def still(
    services: Services, viewer: Viewer, where: tuple[str, str], calendar: Calendar
) -> Still | None:
    """Return the live picture while this viewer looks at it, else the newest that is kept."""
    return _live(services, viewer, where, calendar) or next(
        iter(stills(services, viewer, where, calendar, 1)), None
    )


def _live(
    services: Services, viewer: Viewer, where: tuple[str, str], calendar: Calendar
) -> Still | None:
    if not viewer.may("look"):
        return None
    try:
        found = services.live.view(viewer, where, calendar.now)
    except (NotThere, Clash):
        return None
    if found.why != "showing" or found.age is None:
        return None
    taken = calendar.moment(calendar.now - timedelta(seconds=found.age))
    path = f"/api/v1/devices/{where[0]}/{where[1]}/live/picture?n={found.number}"
    return Still("", path, taken, live=True)


def stills(
    services: Services, viewer: Viewer, where: tuple[str, str], calendar: Calendar, most: int
) -> tuple[Still, ...]:
    """Return the newest such pictures, newest first."""
    limit = max(_LOOKED_AT, 2 * most)
    found = services.incidents.list(viewer, device="/".join(where), order="newest", limit=limit)
    made = (of(services, viewer, one, calendar) for one in found.items)
    return tuple(islice((one for one in made if one is not None), most))


def of(services: Services, viewer: Viewer, one: Incident, calendar: Calendar) -> Still | None:
    """Return the picture of an incident, None when there is none to be seen."""
    if one.picture is None or one.picture.id is None:
        return None
    taken: datetime = one.pictured or one.last
    try:
        path = services.evidence.link(viewer, one.picture.id, calendar.now)
    except (NotThere, Gone):
        return None
    return Still(one.picture.id, path, calendar.moment(taken))
