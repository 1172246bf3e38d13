"""Floor plans: drawings of places, and where devices stand on them."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.audit import book as audit
from ingest.feed import Feed
from ingest.floors import book
from ingest.floors.book import FloorPlan, Marker
from ingest.floors.drawing import clean
from ingest.refusal import Clash, NotThere, NotUsable
from ingest.registry import book as records
from ingest.registry.records import area_of
from ingest.services.page import Page
from ingest.store.engine import reading, writing

MOST_PLANS, MOST_OF_PLACE, MOST_MARKERS = 500, 20, 300
LONGEST_LABEL = 64


class PlanPicture(NamedTuple):
    """The bytes of a plan's drawing."""

    data: bytes
    media_type: str


class FloorService:
    """Keeps floor plans. Looking needs `see`, changing them `arrange`.

    What lies outside of a viewer's areas is not there; a plan of the whole site is for those who
    see all of it.
    """

    def __init__(self, reader: sa.Engine, writer: sa.Engine, feed: Feed) -> None:
        self._reader = reader
        self._writer = writer
        self._feed = feed
        self._decoding = threading.Lock()  # a decoded plan takes up to 200 MB

    def list(
        self,
        viewer: Viewer,
        *,
        places: Collection[str] | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[FloorPlan]:
        """Return plans by id, of all places or of those named. Raises NotAllowed."""
        viewer.within("see")
        limit = max(1, min(limit, MOST_PLANS))
        with reading(self._reader) as connection:
            every = book.some(connection, places=places, after=cursor or "")
        found = [one for one in every if viewer.knows(area_of(one.place))]
        items = tuple(found[:limit])
        return Page(items, items[-1].id if len(found) > limit else None)

    def get(self, viewer: Viewer, plan: str) -> FloorPlan:
        """Return a plan with its markers. Raises NotThere, NotAllowed."""
        viewer.within("see")
        with reading(self._reader) as connection:
            return _found(viewer, book.find(connection, plan))

    def of_device(self, viewer: Viewer, node: str, device: str) -> tuple[FloorPlan, ...]:
        """Return the plans that a device stands on, with its marker alone. Raises NotAllowed."""
        viewer.within("see")
        with reading(self._reader) as connection:
            found = book.with_device(connection, node, device)
        return tuple(one for one in found if viewer.knows(area_of(one.place)))

    def picture(self, viewer: Viewer, plan: str) -> PlanPicture:
        """Return the drawing of a plan. Raises NotThere, NotAllowed."""
        self.get(viewer, plan)
        with reading(self._reader) as connection:
            found = book.picture(connection, plan)
        if found is None:
            raise NotThere("no such floor plan")
        return PlanPicture(*found)

    def put(
        self, viewer: Viewer, plan: str, data: bytes, now: datetime, *, place: str, label: str
    ) -> tuple[FloorPlan, bool]:
        """Keep a drawing of a place under an id, a UUID; return it, and whether it is new.

        One that is there gets the new drawing and keeps its markers. Raises NotAllowed, NotThere
        for a place that is not registered, Clash when there are too many, and as `clean`.
        """
        viewer.within("arrange")
        label = _label(label)
        if not _is_uuid(plan):
            raise NotUsable("not a UUID", where="plan")
        with self._decoding:
            drawing = clean(data)
        with writing(self._writer) as connection:
            found = records.one(connection, "place", place)
            if found is None or found.retired or not viewer.knows(area_of(place)):
                raise NotThere("no such place")
            known = book.find(connection, plan)
            if known is None:
                _check_room(connection, place)
            elif _found(viewer, known).place != place:
                raise Clash("this plan is of another place")
            book.put(connection, plan, place, label, drawing, actor=viewer.actor, now=now)
            audit.note(connection, now, viewer.actor, "floor-plan-drawn", plan, place=place)
            kept = _found(viewer, book.find(connection, plan))
        self._feed.tell("devices")
        return kept, known is None

    def rename(self, viewer: Viewer, plan: str, label: str, now: datetime) -> FloorPlan:
        """Call a plan something else. Raises NotThere, NotAllowed, NotUsable."""
        viewer.within("arrange")
        label = _label(label)
        with writing(self._writer) as connection:
            _found(viewer, book.find(connection, plan))
            book.touch(connection, plan, viewer.actor, now, label=label)
            audit.note(connection, now, viewer.actor, "floor-plan-renamed", plan, label=label)
            return _found(viewer, book.find(connection, plan))

    def remove(self, viewer: Viewer, plan: str, now: datetime) -> None:
        """Take a plan away, and its markers with it. Raises NotThere, NotAllowed."""
        viewer.within("arrange")
        with writing(self._writer) as connection:
            _found(viewer, book.find(connection, plan))
            book.remove(connection, plan)
            audit.note(connection, now, viewer.actor, "floor-plan-removed", plan)
        self._feed.tell("devices")

    def mark(self, viewer: Viewer, plan: str, marker: Marker, now: datetime) -> FloorPlan:
        """Put a device on a plan, or elsewhere on it.

        Raises NotThere for a plan or device that is not in use, NotAllowed, NotUsable for a
        position outside, and Clash when too many stand there.
        """
        viewer.within("arrange")
        if not (0 <= marker.x <= 1 and 0 <= marker.y <= 1):  # NaN is refused too
            raise NotUsable("x and y are between 0 and 1", where="x, y")
        with writing(self._writer) as connection:
            found = _found(viewer, book.find(connection, plan))
            here = {(one.node, one.device) for one in found.markers}
            if len(here) >= MOST_MARKERS and (marker.node, marker.device) not in here:
                raise Clash(f"at most {MOST_MARKERS} devices stand on one plan")
            home = book.area_of_device(connection, marker.node, marker.device)
            if home is None or not viewer.knows(home):
                raise NotThere("no such device in use")
            if area_of(found.place) not in {None, home}:
                raise NotUsable("this device is in another area than the plan", where="device")
            book.mark(connection, plan, marker)
            book.touch(connection, plan, viewer.actor, now)
            of = f"{marker.node}/{marker.device}"
            audit.note(connection, now, viewer.actor, "floor-plan-marked", plan, of=of)
            kept = _found(viewer, book.find(connection, plan))
        self._feed.tell("devices")
        return kept

    def unmark(self, viewer: Viewer, plan: str, node: str, device: str, now: datetime) -> None:
        """Take a device off a plan. Raises NotThere, NotAllowed."""
        viewer.within("arrange")
        with writing(self._writer) as connection:
            _found(viewer, book.find(connection, plan))
            if not book.unmark(connection, plan, node, device):
                raise NotThere("it does not stand on this plan")
            book.touch(connection, plan, viewer.actor, now)
            of = f"{node}/{device}"
            audit.note(connection, now, viewer.actor, "floor-plan-unmarked", plan, of=of)
        self._feed.tell("devices")


def _check_room(connection: sa.Connection, place: str) -> None:
    if book.count(connection, place) >= MOST_OF_PLACE:
        raise Clash(f"at most {MOST_OF_PLACE} floor plans of one place")
    if book.count(connection) >= MOST_PLANS:
        raise Clash(f"at most {MOST_PLANS} floor plans")


def _label(text: str) -> str:
    text = text.strip()
    if not text or len(text) > LONGEST_LABEL or not text.isprintable():
        raise NotUsable(f"1 to {LONGEST_LABEL} characters on one line", where="label")
    return text


def _found(viewer: Viewer, plan: FloorPlan | None) -> FloorPlan:
    if plan is None or not viewer.knows(area_of(plan.place)):
        raise NotThere("no such floor plan")
    return plan


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
