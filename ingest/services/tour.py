"""The guided tour: a drill of one's own, by the same rules as a real incident, and kept nowhere.

It is in no list and in no figure, calls nobody and knows no device, because it never reaches the
store: who begins again after a restart begins at the beginning.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime
from typing import Literal

import msgspec

from ingest.accounts.account import Viewer
from ingest.incidents.drill import Drill, beginning
from ingest.incidents.facts import Case, StaffFact, Wish
from ingest.incidents.fold import fold
from ingest.incidents.incident import Incident, Transition
from ingest.incidents.machine import decide
from ingest.refusal import NotThere
from linli.ids import uuid7

Lesson = Literal["acknowledge", "assign", "resolve"]
LESSONS: tuple[Lesson, ...] = ("acknowledge", "assign", "resolve")
PLACE = ("practice", "lift")
"""Node and device of a place that there is not."""
MOST = 500
"""Tours at once; the one that nobody touched for longest goes."""
_WISHES: dict[Lesson, Wish] = {"acknowledge": "acknowledge", "resolve": "resolve"}


class Tour(msgspec.Struct, frozen=True, kw_only=True):
    """How far somebody is: the rows of their drill, whom they gave it to, when each was done.

    `wrong` is what was tried last and is not what is to be learned now.
    """

    rows: tuple[Transition, ...]
    begun: datetime
    done: tuple[datetime, ...] = ()
    given_to: str | None = None
    wrong: str | None = None
    tries: int = 0

    @property
    def incident(self) -> Incident:
        """The drill as it stands."""
        return fold(self.rows)

    @property
    def lesson(self) -> Lesson | None:
        """What is to be done next, None when all is done."""
        return LESSONS[len(self.done)] if len(self.done) < len(LESSONS) else None


def begun(viewer: Viewer, now: datetime) -> Tour:
    """Return a tour at its beginning."""
    wish = Drill(node=PLACE[0], device=PLACE[1])
    fact = beginning(wish, ("practice", "b03"), uuid7(now), viewer.actor, now)
    return Tour(rows=decide(Case(fresh_id=uuid7(now), fresh_number=1), fact, now), begun=now)


def taken(tour: Tour, tried: str, viewer: Viewer, now: datetime, to: str | None = None) -> Tour:
    """Return the tour after a try; what is not the lesson changes nothing in the drill."""
    lesson = tour.lesson
    if lesson is None:
        return tour
    if tried != lesson or (lesson == "assign" and not to):
        return msgspec.structs.replace(tour, wrong=tried, tries=tour.tries + 1)
    rows = tour.rows
    if lesson in _WISHES:
        fact = StaffFact(wish=_WISHES[lesson], actor=viewer.actor)
        rows += decide(Case(incident=tour.incident), fact, now)
    given = to if lesson == "assign" else tour.given_to
    return msgspec.structs.replace(
        tour, rows=rows, done=(*tour.done, now), given_to=given, wrong=None
    )


class TourService:
    """Holds the tour of each account, in memory alone."""

    def __init__(self) -> None:
        self._tours: OrderedDict[str, Tour] = OrderedDict()
        self._lock = threading.Lock()
        self.dropped = 0

    def get(self, viewer: Viewer) -> Tour | None:
        """Return this viewer's own tour. Raises NotAllowed."""
        viewer.within("act")
        with self._lock:
            return self._tours.get(viewer.account)

    def begin(self, viewer: Viewer, now: datetime) -> Tour:
        """Begin at the beginning. Raises NotAllowed."""
        viewer.within("act")
        return self._keep(viewer, begun(viewer, now))

    def act(self, viewer: Viewer, tried: str, now: datetime, to: str | None = None) -> Tour:
        """Try something on one's own drill. Raises NotAllowed, NotThere before it was begun."""
        found = self.get(viewer)
        if found is None:
            raise NotThere("no tour was begun", hint="Begin it")
        return self._keep(viewer, taken(found, tried, viewer, now, to))

    def _keep(self, viewer: Viewer, tour: Tour) -> Tour:
        with self._lock:
            self._tours[viewer.account] = tour
            self._tours.move_to_end(viewer.account)
            while len(self._tours) > MOST:
                self._tours.popitem(last=False)
                self.dropped += 1
        return tour
