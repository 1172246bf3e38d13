"""What a page says after somebody did something, and for how long it may be undone."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from dashboards.web.language import msg
from dashboards.web.visit import Visit
from dashboards.web.words import STATES, Words
from ingest.incidents.incident import Incident
from ingest.incidents.undo import OFFERED

EVENT = "linli-did"
"""By this name the page's script hears of it, see src/pages/desk.js."""
TAKEN_BACK = msg("Taken back")


@dataclass(frozen=True, slots=True)
class Did:
    """What was done, in words; `undo` is where it is taken back, None when it cannot be."""

    text: str
    undo: str | None
    seconds: int = int(OFFERED.total_seconds())

    @property
    def header(self) -> str:
        """The same for the page's script; headers are ASCII."""
        return json.dumps({EVENT: asdict(self)})


def did(visit: Visit, after: Incident, text: str = "") -> Did:
    """Say what became of a step of this viewer, or who was faster.

    `text` is what is said when it is not simply the state that the incident is in now.
    """
    services, now = visit.house.services, visit.house.clock.now()
    words = Words(visit.language, {}, services.links.names(visit.viewer))
    number = words.say(msg("No. %(number)s")) % {"number": after.number}
    mine = services.incidents.undoable(visit.viewer, after.id, now)
    path = f"/incidents/{after.id}/undo" if mine is not None else None
    said = words.say(text or STATES[after.state])
    other = after.resolved_by or after.acknowledged_by
    if path is None and not text and other is not None and other != visit.viewer.actor:
        faster = words.say(msg("%(who)s was faster: %(state)s"))
        said = faster % {"who": words.actor(other), "state": said}
    return Did(f"{number} · {said}", path and visit.frame.url(path))


def undoable(visit: Visit, incident: str) -> Did | None:
    """Return what may still be undone of an incident by this viewer, for pages without script."""
    services = visit.house.services.incidents
    if services.undoable(visit.viewer, incident, visit.house.clock.now()) is None:
        return None
    return did(visit, services.get(visit.viewer, incident))
