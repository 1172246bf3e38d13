"""Incidents as cards, many at once: what all cards of one answer need is asked once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from dashboards.web.cards import Album, Card, Detail, PictureState, card, detail
from dashboards.web.moments import Calendar
from dashboards.web.words import Words
from ingest.accounts.account import Viewer
from ingest.duty.deadlines import Deadlines
from ingest.incidents.incident import Incident, State, Transition
from ingest.services import Services
from ingest.services.incidents import Order, Standing


@dataclass(frozen=True, slots=True)
class Listing:
    """Some cards, and the cursor of the next ones."""

    cards: tuple[Card, ...]
    next: str | None


class Lister:
    """Makes the cards of one answer. The calls block."""

    def __init__(self, services: Services, viewer: Viewer, calendar: Calendar) -> None:
        self._services = services
        self._viewer = viewer
        self._calendar = calendar

    def some(
        self,
        states: tuple[State, ...],
        limit: int,
        *,
        order: Order = "urgent",
        standing: tuple[Standing, ...] = (),
        part_of: str | None = None,
        cursor: str | None = None,
    ) -> Listing:
        """Return a page of incidents. Raises NotUsable for a bad cursor."""
        found = self._services.incidents.list(
            self._viewer,
            states=states,
            standing=standing,
            part_of=part_of,
            order=order,
            cursor=cursor,
            limit=limit,
        )
        return Listing(self.cards(found.items), found.next)

    def cards(self, incidents: Iterable[Incident]) -> tuple[Card, ...]:
        """Return these incidents at a glance."""
        shown = tuple(incidents)
        if not shown:
            return ()
        words, album = self.words(shown), self.album(_pictures(shown))
        return tuple(card(one, words, self._calendar, album, limits=self._limits) for one in shown)

    def lines(self, incidents: Iterable[Incident]) -> tuple[Card, ...]:
        """Return them likewise for lists without pictures and deadlines."""
        shown = tuple(incidents)
        words = self.words(shown)
        return tuple(card(one, words, self._calendar, _unseen) for one in shown)

    def detail(self, incident: Incident, history: tuple[Transition, ...]) -> Detail:
        """Return one in full."""
        names = {row.picture.id for row in history if row.picture} | {row.photo for row in history}
        album = self.album(_pictures((incident,)) | {name for name in names if name})
        words = self.words((incident,))
        return detail(incident, history, words, self._calendar, album, limits=self._limits)

    def words(self, incidents: Iterable[Incident] = ()) -> Words:
        """Return words that know what the devices of these incidents are called, and people."""
        of = {(one.key.node, one.key.device) for one in incidents}
        return replace(self._words, devices=self._services.devices.labels(self._viewer, of))

    def album(self, pictures: set[str]) -> Album:
        """Return what tells of these pictures whether they can be shown."""
        looks = self._viewer.may("look")
        known = self._services.evidence.known(pictures) if looks and pictures else {}

        def state(picture: str) -> PictureState:
            if not looks:
                return "hidden"
            if picture not in known:
                return "coming"
            return "shown" if known[picture] else "gone"

        return state

    @cached_property
    def _limits(self) -> Deadlines:
        return self._services.duty.limits(self._viewer)

    @cached_property
    def _words(self) -> Words:
        return Words(self._calendar.language, {}, self._services.links.names(self._viewer))


def _pictures(incidents: Iterable[Incident]) -> set[str]:
    return {one.picture.id for one in incidents if one.picture and one.picture.id}


def _unseen(picture: str) -> PictureState:
    """A line of a list shows no picture, so nobody asks for it."""
    del picture
    return "none"
