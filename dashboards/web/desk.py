"""What stands on each page: asked of the services, put into words, ready for a template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta, tzinfo
from typing import Any
from uuid import uuid4

from msgspec import structs

from dashboards.web import commands, device_list, device_view, duty, floors
from dashboards.web.cards import Card
from dashboards.web.charts import Span
from dashboards.web.device_list import EVERYTHING, Wanted
from dashboards.web.health import HEALTH, DeviceCard, chain, device_card, influx_card, node_card
from dashboards.web.language import Language
from dashboards.web.listing import Lister, Listing
from dashboards.web.moments import Calendar
from dashboards.web.orders import OrderCard, order_card
from dashboards.web.repairs import Trouble, trouble
from dashboards.web.sparkline import Sparkline, sparkline
from dashboards.web.wall import FITS, wall
from dashboards.web.way import path_of
from dashboards.web.whereabouts import inside, place_of
from dashboards.web.words import Words
from ingest.accounts.account import Viewer
from ingest.incidents.incident import Incident, State
from ingest.orders.order import State as OrderState
from ingest.refusal import NotThere
from ingest.services import Services
from ingest.services.estate import Glance
from ingest.services.incidents import Order, Standing
from ingest.services.lines import Match
from ingest.services.views import DeviceView
from linli.clock import Clock

FEW = 8
OPEN_SHOWN, HANDLED_SHOWN, SHELVED_SHOWN, RECENT_SHOWN, PAGE = 30, 24, 12, 12, 30
MOST_TAKEN = 200
ON_THE_WAY: tuple[OrderState, ...] = ("assigned", "accepted", "handed-over")
HISTORY_SHOWN, PAST_SHOWN = 200, 6
UNRESOLVED: tuple[State, ...] = ("open", "acknowledged", "in-progress")
HOUR, STEP = timedelta(hours=1), 120
Context = dict[str, Any]


class Desk:
    """Collects what a viewer sees in one language. The calls block."""

    def __init__(self, services: Services, zone: tzinfo, clock: Clock) -> None:
        self._services = services
        self._zone = zone
        self._clock = clock

    def calendar(self, language: Language) -> Calendar:
        """Return the calendar of this moment."""
        return Calendar(language, self._zone, self._clock.now())

    def list(self, viewer: Viewer, language: Language) -> Context:
        """Return what needs attention, what is being handled, what was resolved, and the chain."""
        lister, alone = self.lister(viewer, language), tuple[Standing, ...](("alone",))
        told = self.chain(viewer, language)
        return {
            "waiting": lister.some(("open",), OPEN_SHOWN, standing=alone),
            "handled": lister.some(("acknowledged", "in-progress"), HANDLED_SHOWN, standing=alone),
            "shelved": lister.some(UNRESOLVED, SHELVED_SHOWN, standing=("shelved",)),
            "recent": lister.some(("resolved",), RECENT_SHOWN, order="newest"),
            "open_count": told["chain"].open_incidents,
            "duty": self.duty(viewer, language),
            "trouble": self.trouble(viewer, language),
            "may_repair": viewer.may_everywhere("act"),
            **told,
        }

    def wall(self, viewer: Viewer, language: Language) -> Context:
        """Return what stands on the wall screen."""
        lister = self.lister(viewer, language)
        first = lister.some(("open",), FITS, standing=("alone",))
        found = wall(first.cards, self._services.incidents.waiting(viewer), lister.words())
        return {
            "wall": found,
            "trouble": self.trouble(_at_the_wall(viewer), language),
            # Where there is not room for all, a team without anybody is not what is cut off.
            "duty": sorted(
                self.duty(_at_the_wall(viewer), language), key=lambda team: bool(team.now)
            ),
            **self.chain(viewer, language),
        }

    def duty(self, viewer: Viewer, language: Language) -> tuple[duty.Team, ...]:
        """Return who is on duty, nothing for those who may not see names of people."""
        if not viewer.may("act"):
            return ()
        found = self._services.duty.now(viewer, self._clock.now())
        return duty.teams(found, language, self._zone)

    def trouble(self, viewer: Viewer, language: Language) -> Trouble | None:
        """Return what is seriously wrong with the system, for those who may act everywhere."""
        found = self._services.repairs.serious(viewer, self._clock.now())
        return trouble(found, Words(language, {}), self.calendar(language))

    def page(
        self, viewer: Viewer, language: Language, states: tuple[State, ...], cursor: str | None
    ) -> Listing:
        """Return one page of incidents in these states. Raises NotUsable for a bad cursor."""
        order: Order = "newest" if states == ("resolved",) else "urgent"
        return self.lister(viewer, language).some(states, PAGE, order=order, cursor=cursor)

    def pocket(self, viewer: Viewer, language: Language) -> Context:
        """Return what waits for somebody, and what this viewer has taken on or was given."""
        lister, services = self.lister(viewer, language), self._services
        taken = services.incidents.list(
            viewer, states=("acknowledged", "in-progress"), limit=MOST_TAKEN
        )
        given = services.orders.list(viewer, states=ON_THE_WAY, assignee=viewer.name, limit=PAGE)
        known = {one.id: one for one in taken.items}
        mine = {one.incident for one in given.items}
        mine |= {one.id for one in taken.items if one.acknowledged_by == viewer.actor}
        found = [
            known.get(one) or services.incidents.get(viewer, one)
            for one in sorted(mine, reverse=True)[:PAGE]
        ]
        return {
            "mine": lister.cards(one for one in found if one.state != "resolved"),
            "waiting": lister.some(("open",), PAGE, standing=("alone",)),
        }

    def incidents_in(
        self, viewer: Viewer, language: Language, place: str, devices: Sequence[Glance]
    ) -> Listing:
        """Return the first of what is not resolved in a place."""
        area = place.split("/")[1:2]
        names = [f"{one.node}/{one.device}" for one in devices if inside(place_of(one), place)]
        deep, alone = place.count("/") > 1, tuple[Standing, ...](("alone",))
        if deep and not names:
            return Listing((), None)
        found = self._services.incidents.list(
            viewer,
            states=UNRESOLVED,
            standing=alone,
            areas=area,
            devices=names[:500] if deep else (),
            limit=FEW,
        )
        return Listing(self.lister(viewer, language).lines(found.items), found.next)

    def card(self, viewer: Viewer, language: Language, incident: str) -> Card:
        """Return one incident at a glance. Raises NotThere."""
        found = self._services.incidents.get(viewer, incident)
        return self.lister(viewer, language).cards((found,))[0]

    def incident(self, viewer: Viewer, language: Language, incident: str) -> Context:
        """Return one incident in full. Raises NotThere."""
        found = self._services.incidents.get(viewer, incident)
        history = self._services.incidents.newest(viewer, incident, HISTORY_SHOWN + 1)
        lister, calendar = self.lister(viewer, language), self.calendar(language)
        words = lister.words((found,))
        head = self._services.incidents.get(viewer, found.part_of) if found.part_of else None
        place = (found.key.node, found.key.device)
        asked = self._asked(viewer, words, calendar, place, incident)
        return {
            "one": lister.detail(found, history[-HISTORY_SHOWN:]),
            "path": path_of(self._services.registry, viewer, found, words),
            "past": self._past(viewer, lister, found),
            "more_history": len(history) > HISTORY_SHOWN,
            "head": lister.cards((head,))[0] if head else None,
            "parts": lister.some((), PAGE, order="newest", part_of=incident),
            "order": self._order(viewer, words, incident),
            "people": self._services.orders.assignees(viewer) if viewer.may("act") else (),
            **asked,
            "look_now": asked["camera_of"] if viewer.may("look") and not found.key.drill else None,
        }

    def device(
        self,
        viewer: Viewer,
        language: Language,
        where: tuple[str, str],
        *,
        span: Span = "day",
        waiting_since: int | None = None,
    ) -> Context:
        """Return one device in use with all that is known of it. Raises NotThere."""
        words, calendar = self.lister(viewer, language).words(), self.calendar(language)
        found = self._asked(viewer, words, calendar, where)
        if found["device"] is None:
            raise NotThere("no such device in use")
        more = device_view.about(
            self._services,
            viewer,
            found["view"],
            words,
            calendar,
            span=span,
            waiting_since=waiting_since,
        )
        return {**found, "about": more, "now_seconds": int(calendar.now.timestamp())}

    def floor(self, viewer: Viewer, language: Language, plan: str) -> Context:
        """Return a floor plan with its devices. Raises NotThere."""
        return floors.shown(self._services, viewer, language, plan, self._clock.now())

    def devices(self, viewer: Viewer, language: Language, want: Wanted = EVERYTHING) -> Context:
        """Return the devices looked for, edge boxes, and what was discovered and waits."""
        calendar, words = self.calendar(language), Words(language, {})
        estate = self._services.devices.estate(viewer, calendar.now)
        found = device_list.chosen(estate.devices, want)
        some, pages = device_list.part(found, want.page)
        names = device_list.names(self._services, viewer, words)

        def shown(view: DeviceView) -> DeviceCard:
            where = device_list.whereabouts(view, names, words)
            return device_card(view, words, calendar, lines, where)

        lines = self._lines(viewer, some)
        new = estate.discovered if want.all else ()
        boxes = estate.boxes if want.all else ()
        nodes, box_pages = device_list.part(device_list.worst_first(boxes), want.boxes)
        return {
            "nodes": tuple(node_card(view, words, calendar) for view in estate.nodes(nodes)),
            "boxes": len(boxes),
            "box_pages": box_pages,
            "devices": tuple(shown(view) for view in estate.views(some)),
            "discovered": tuple(shown(view) for view in new[: device_list.NEW_SHOWN]),
            "more_discovered": max(0, len(new) - device_list.NEW_SHOWN),
            "places": device_list.choices(names),
            "kinds": device_list.kinds(estate.devices, words),
            "want": want,
            "found": len(found),
            "healths": [(one, words.say(HEALTH[one])) for one in device_list.HEALTHS],
            "pages": pages,
        }

    def _asked(
        self,
        viewer: Viewer,
        words: Words,
        calendar: Calendar,
        where: tuple[str, str],
        incident: str | None = None,
    ) -> Context:
        """Return a device, the commands that it may be sent and those it was sent."""
        services = self._services
        try:
            device = services.devices.get(viewer, where, calendar.now)
        except NotThere:
            return {
                "device": None,
                "camera_of": None,
                "floors_here": (),
                "on": False,
                "offers": (),
                "courses": (),
                "waits": False,
            }
        on = services.commands.on
        sent = services.commands.of_device(viewer, where)
        shown = [one for one in sent if incident in (None, one.incident)]
        made = commands.courses(shown, words, calendar)
        offered = commands.offers(device.kind, words) if on and viewer.may("command") else ()
        names = device_list.names(services, viewer, words)
        home = device_list.whereabouts(device, names, words)
        return {
            "device": device_card(device, words, calendar, {}, home),
            "view": device,
            "camera_of": "/".join(where) if device.kind == "camera" else None,
            "floors_here": floors.here(services, viewer, words.language, device),
            "on": on,
            "offers": offered,
            "courses": made,
            "waits": any(one.open for one in made),
            "once": str(uuid4()),
        }

    def influx(self, viewer: Viewer, language: Language) -> Context:
        """Return how the copy in InfluxDB does, None where there is none."""
        found = self._services.influx.status(viewer)
        if found.state == "off":
            return {"influx": None}
        calendar = self.calendar(language)
        return {"influx": influx_card(found, Words(language, {}), calendar)}

    def chain(self, viewer: Viewer, language: Language) -> Context:
        """Return the tile of the chain of delivery."""
        stats, view = self._services.journal.stats(viewer), self._services.chain.view(viewer)
        words = Words(language, {})
        return {"chain": chain(stats, view, words, self.calendar(language))}

    def alarms(self, viewer: Viewer, language: Language) -> Context:
        """Return what a page rings for: what came to wait lately, and what is critical and does."""
        found = self._services.incidents.lately(viewer)
        waiting = self._services.incidents.waiting(viewer).severities
        lines = self.lister(viewer, language).lines(one for _, one in found.waiting)
        numbers = (number for number, _ in found.waiting)
        return {
            "newest": found.newest,
            "alarms": tuple(zip(numbers, lines, strict=True)),
            "critical": waiting["critical"],
            "open_count": sum(waiting.values()),
        }

    def lister(self, viewer: Viewer, language: Language) -> Lister:
        """Return what makes the cards of one answer."""
        return Lister(self._services, viewer, self.calendar(language))

    def _past(self, viewer: Viewer, lister: Lister, one: Incident) -> tuple[Card, ...]:
        """Return what happened at the same place before, the newest first."""
        devices = (f"{one.key.node}/{one.key.device}",)
        found = self._services.incidents.list(
            viewer, devices=devices, order="newest", limit=PAST_SHOWN + 1
        )
        return lister.lines([other for other in found.items if other.id != one.id][:PAST_SHOWN])

    def _order(self, viewer: Viewer, words: Words, incident: str) -> OrderCard | None:
        """Return the newest work order of an incident, which is the open one if there is one."""
        orders = self._services.orders.of_incident(viewer, incident)
        if not orders:
            return None
        steps = self._services.orders.steps(viewer, orders[0].id)
        return order_card(orders[0], steps, words, self.calendar(words.language))

    def _lines(
        self, viewer: Viewer, devices: Iterable[Glance]
    ) -> Mapping[tuple[str, str], Sparkline | None]:
        """Return the last hour of the cameras among these."""
        shown = {(one.node, one.device) for one in devices if one.kind == "camera"}
        match = Match(
            node={node for node, _ in shown},
            device={f"{node}/{device}" for node, device in shown},
            group=("camera",),
            name=("fps",),
        )
        end = self._clock.now()
        found = self._services.series.each(viewer, match, end - HOUR, end, STEP) if shown else {}
        return {
            (key.node, key.device): sparkline([point.mean for point in points])
            for key, points in found.items()
        }


def _at_the_wall(viewer: Viewer) -> Viewer:
    """Return who may see the names of staff: screens too, which hang where staff work."""
    if viewer.kind != "screen":
        return viewer
    return structs.replace(viewer, role="duty", scopes=frozenset({"act"}))
