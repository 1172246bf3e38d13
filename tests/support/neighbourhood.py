"""A small made-up community behind the service signatures, for tests of the pages."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta

import quick_apps
from fastapi import FastAPI, Response
from ordinary_day import drawn_picture

from dashboards.web import mount
from ingest.accounts.account import Session, SignedIn, Viewer
from ingest.api.middleware import SecurityHeaders
from ingest.chain.judge import ChainState, Why
from ingest.commands.command import Command
from ingest.duty.deadlines import Deadlines
from ingest.feed import Feed
from ingest.floors.book import FloorPlan
from ingest.incidents.arrivals import MOST, STEPS, Arrivals, of
from ingest.incidents.fold import fold
from ingest.incidents.incident import Incident, Key, Label, Picture, State, Transition
from ingest.incidents.silence import Silence
from ingest.incidents.undo import before, last_step
from ingest.influx.book import InfluxStatus
from ingest.orders.order import Order as WorkOrder
from ingest.orders.order import OrderStep
from ingest.orders.order import fold as fold_order
from ingest.refusal import Gone, NotThere, SignInNeeded
from ingest.registry.records import Place, Record, RecordType
from ingest.series.timeseries import Point, SeriesKey
from ingest.services import Services
from ingest.services.access import AccessService
from ingest.services.accounts import AccountService
from ingest.services.availability import AvailabilityService, AvailabilityView
from ingest.services.called import Called, Lang
from ingest.services.chain import ChainService
from ingest.services.commands import CommandService
from ingest.services.configs import ConfigService
from ingest.services.devices import DeviceService
from ingest.services.duty import DutyService
from ingest.services.duty_views import DutyView, TeamDuty
from ingest.services.estate import BoxGlance, Glance
from ingest.services.estate import Estate as EstateView
from ingest.services.evidence import EvidenceService, Purpose
from ingest.services.floors import FloorService
from ingest.services.incidents import IncidentService, Order, Standing, Waiting
from ingest.services.influx import InfluxService
from ingest.services.joining import JoiningService
from ingest.services.journal import JournalService
from ingest.services.lines import LatestRow, Match
from ingest.services.links import LinkService
from ingest.services.orders import OrderService
from ingest.services.page import Page
from ingest.services.registry import RegistryService
from ingest.services.repairs import FindingList, RepairService
from ingest.services.rules import RuleService
from ingest.services.series import SeriesService
from ingest.services.silences import SilenceService
from ingest.services.tour import TourService
from ingest.services.views import ChainView, DeviceView, NodeView, SeriesInfo, Stats
from linli.clock import Clock, SystemClock
from linli.events import SEVERITIES, Action, ModelRef, Severity
from linli.ids import uuid7

quick_apps.use()
PASSWORD = "a long and quiet evening"
MODEL = ModelRef(name="yolox-nano", version="0.1.1", sha256="e8" * 32)
SITE = "春晖社区"


class Book(IncidentService):
    """Incidents as lists of transitions, folded by the real fold."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.rows: dict[str, list[Transition]] = {}
        self.lock = threading.Lock()
        self.last = 0

    def add(self, row: Transition) -> None:
        with self.lock:
            self.last += 1
            numbered = Transition(**{**_fields(row), "id": self.last})
            self.rows.setdefault(row.incident, []).append(numbered)
        self.feed.tell("incidents")

    def list(
        self,
        viewer: Viewer,
        *,
        states: Collection[State] = (),
        severities: Collection[Severity] = (),
        device: str | None = None,
        devices: Collection[str] = (),
        standing: Collection[Standing] = (),
        part_of: str | None = None,
        order: Order = "urgent",
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Incident]:
        with self.lock:
            found = [fold(rows) for rows in self.rows.values()]
        found = [one for one in found if not states or one.state in states]
        found = [one for one in found if not standing or (one.aside or "alone") in standing]
        found = [one for one in found if part_of in (None, one.part_of)]
        if devices:
            found = [one for one in found if f"{one.key.node}/{one.key.device}" in devices]
        found.sort(key=lambda one: one.last, reverse=True)
        if order == "urgent":
            found.sort(key=lambda one: SEVERITIES.index(one.severity))
        start = int(cursor or 0)
        more = str(start + limit) if len(found) > start + limit else None
        return Page(tuple(found[start : start + limit]), more)

    def waiting(self, viewer: Viewer) -> Waiting:
        with self.lock:
            found = [fold(rows) for rows in self.rows.values()]
        alone = [one for one in found if one.aside is None]
        levels = Counter(one.severity for one in alone if one.state == "open")
        return Waiting(
            severities={level: levels[level] for level in SEVERITIES},
            handled=sum(one.state in {"acknowledged", "in-progress"} for one in alone),
        )

    def lately(self, viewer: Viewer) -> Arrivals:
        with self.lock:
            steps = [row for rows in self.rows.values() for row in rows if row.step in STEPS]
            newest = sorted(steps, key=lambda row: -row.id)[:MOST]
            return of([(row.id, fold(self.rows[row.incident])) for row in newest])

    def get(self, viewer: Viewer, incident: str) -> Incident:
        return fold(self.transitions(viewer, incident))

    def transitions(self, viewer: Viewer, incident: str) -> tuple[Transition, ...]:
        with self.lock:
            if incident not in self.rows:
                raise NotThere("no such incident")
            return tuple(self.rows[incident])

    def newest(self, viewer: Viewer, incident: str, limit: int) -> tuple[Transition, ...]:
        return self.transitions(viewer, incident)[-limit:]

    def acknowledge(
        self, viewer: Viewer, incident: str, now: datetime, note: str | None = None
    ) -> Incident:
        viewer.require("act")
        if self.get(viewer, incident).state == "open":
            self._step(viewer, incident, "acknowledged", now)
        return self.get(viewer, incident)

    def resolve(
        self, viewer: Viewer, incident: str, now: datetime, note: str | None = None
    ) -> Incident:
        viewer.require("act")
        if self.get(viewer, incident).state != "resolved":
            self._step(viewer, incident, "resolved", now)
        return self.get(viewer, incident)

    def label(
        self, viewer: Viewer, incident: str, label: Label, now: datetime, note: str | None = None
    ) -> Incident:
        viewer.require("act")
        self._step(viewer, incident, "labelled", now, label=label)
        if label != "false-alarm":
            return self.get(viewer, incident)
        return self.resolve(viewer, incident, now)

    def undoable(self, viewer: Viewer, incident: str, now: datetime) -> int | None:
        found = last_step(self.transitions(viewer, incident), viewer.actor, now)
        return found[0].id if found else None

    def undo(
        self, viewer: Viewer, incident: str, now: datetime, note: str | None = None
    ) -> Incident:
        viewer.require("act")
        rows = self.transitions(viewer, incident)
        first = last_step(rows, viewer.actor, now)[0].id
        self._step(viewer, incident, "undone", now, undoes=first, back=before(rows, first))
        return self.get(viewer, incident)

    def _step(
        self, viewer: Viewer, incident: str, step: str, now: datetime, **more: object
    ) -> None:
        fields = {"incident": incident, "step": step, "at": now, "recorded": now}
        self.add(Transition(**fields, actor=viewer.actor, **more))  # type: ignore[arg-type]


class Hush(SilenceService):
    """No silences yet."""

    def __init__(self) -> None:
        self.silences: list[Silence] = []


class Chores(OrderService):
    """Work orders, folded by the real fold."""

    def __init__(self) -> None:
        self.rows: dict[str, list[OrderStep]] = {}

    def of_incident(self, viewer: Viewer, incident: str) -> tuple[WorkOrder, ...]:
        found = [fold_order(rows) for rows in self.rows.values()]
        return tuple(one for one in found if one.incident == incident)

    def assignees(self, viewer: Viewer) -> tuple[str, ...]:
        return ("王芳", "admin")


class People(AccountService):
    """One password for three people of different roles."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}

    def login(
        self, name: str, password: str, address: str, now: datetime, replaces: str | None = None
    ) -> SignedIn:
        roles = {"王芳": "duty", "admin": "admin", "guest": "street"}
        if name not in roles or password != PASSWORD:
            raise SignInNeeded("name or password is wrong")
        viewer = Viewer(account=name, name=name, role=roles[name])  # type: ignore[arg-type]
        token = f"token-{len(self.sessions)}"
        session = Session(viewer=viewer, csrf=f"csrf-{token}", expires=now + timedelta(hours=12))
        self.sessions[token] = session
        return SignedIn(token=token, session=session)

    def logout(self, token: str, now: datetime) -> None:
        self.sessions.pop(token, None)

    def session(self, token: str | None, now: datetime) -> Session | None:
        return self.sessions.get(token or "")

    def csrf_ok(self, session: Session, given: str | None) -> bool:
        return given == session.csrf


class Album(EvidenceService):
    """Pictures drawn by code; `missing` have not arrived, `deleted` are over."""

    def __init__(self) -> None:
        self.missing: set[str] = set()
        self.deleted: set[str] = set()

    def link(
        self, viewer: Viewer, evidence: str, now: datetime, purpose: Purpose = "incident"
    ) -> str:
        if evidence in self.deleted:
            raise Gone("deleted")
        if evidence in self.missing:
            raise NotThere("not arrived")
        return f"/api/v1/evidence/{evidence}"

    def known(self, evidence: Collection[str]) -> dict[str, bool]:
        there = set(evidence) - self.missing
        return {one: one not in self.deleted for one in there}


class Seen(EstateView):
    """A look at lists."""

    def __init__(self, devices: Sequence[DeviceView], boxes: Sequence[NodeView]) -> None:
        self._known = {(one.node, one.device): one for one in devices}
        self._homes = {one.node: one for one in boxes}
        self.discovered = tuple(one for one in devices if one.standing == "discovered")
        self.devices = tuple(
            Glance(*(getattr(one, name) for name in Glance.__struct_fields__))
            for one in devices
            if one.standing == "confirmed"
        )
        self.boxes = tuple(
            BoxGlance(*(getattr(one, name) for name in BoxGlance.__struct_fields__))
            for one in boxes
        )

    def views(self, some: Iterable[Glance]) -> tuple[DeviceView, ...]:
        return tuple(self._known[one.node, one.device] for one in some)

    def nodes(self, some: Iterable[BoxGlance]) -> tuple[NodeView, ...]:
        return tuple(self._homes[one.node] for one in some)


class Estate(DeviceService):
    """Devices and boxes as lists that tests change."""

    def __init__(self) -> None:
        self.devices: list[DeviceView] = []
        self.boxes: list[NodeView] = []

    def list(
        self, viewer: Viewer, now: datetime, area: str | None = None
    ) -> tuple[DeviceView, ...]:
        return tuple(one for one in self.devices if area in {None, one.area})

    def estate(self, viewer: Viewer, now: datetime, area: str | None = None) -> Seen:
        return Seen(self.list(viewer, now, area), self.boxes)

    def get(self, viewer: Viewer, where: tuple[str, str], now: datetime) -> DeviceView:
        for one in self.devices:
            if (one.node, one.device, one.standing) == (*where, "confirmed"):
                return one
        raise NotThere("no such device in use")

    def labels(
        self, viewer: Viewer, of: Collection[tuple[str, str]] | None = None
    ) -> dict[tuple[str, str], str]:
        known = {(one.node, one.device): one.label for one in self.devices}
        return known if of is None else {place: known[place] for place in of if place in known}

    def nodes(
        self, viewer: Viewer, now: datetime, only: Collection[str] | None = None
    ) -> tuple[NodeView, ...]:
        return tuple(one for one in self.boxes if only is None or one.node in only)

    def confirm(
        self,
        viewer: Viewer,
        node: str,
        device: str,
        now: datetime,
        *,
        label: str | None = None,
        subject: str | None = None,
    ) -> DeviceView:
        viewer.require("act")
        for index, view in enumerate(self.devices):
            if (view.node, view.device) == (node, device):
                fields = {**_fields(view), "standing": "confirmed", "parked": 0}
                self.devices[index] = DeviceView(**{**fields, "label": label or view.label})
                return self.devices[index]
        raise NotThere("no such device")


class Hours(SeriesService):
    """Frame rates of the last hour; the one camera whose rate fell has a gap too."""

    def __init__(self) -> None:
        self.cameras = ("cam-e1", "cam-gate", "cam-yard")

    def list(self, viewer: Viewer, match: Match | None = None) -> tuple[SeriesInfo, ...]:
        common = {"site": "c001", "node": "c001-n07", "group": "camera", "unit": "/s"}
        keys = [SeriesKey(**common, device=device, name="fps") for device in self.cameras]
        shown = [one for one in keys if match is None or match.fits(one, Called())]
        return tuple(SeriesInfo(series=str(one), **_fields(one)) for one in shown)

    def latest(
        self, viewer: Viewer, match: Match, start: int, end: int, *, lang: Lang = "zh"
    ) -> tuple[LatestRow, ...]:
        return ()

    def each(
        self, viewer: Viewer, match: Match, start: datetime, end: datetime, step: int
    ) -> dict[SeriesKey, tuple[Point, ...]]:
        return {
            SeriesKey.parse(one.series): self.query(viewer, one.series, start, end, step)
            for one in self.list(viewer, match)
        }

    def query(
        self, viewer: Viewer, series: str, start: datetime, end: datetime, step: int
    ) -> tuple[Point, ...]:
        points: list[Point] = []
        if SeriesKey.parse(series).device not in self.cameras:
            return ()
        for at in range(int((end - start).total_seconds() // step)):
            broken = "cam-gate" in series
            value = 4.7 + 0.15 * ((at * 7) % 3) - (2.9 if broken and at > 20 else 0)
            mean = None if broken and 11 <= at < 16 else value
            points.append(Point(time=start + timedelta(seconds=step * at), mean=mean))
        return tuple(points)


class Copy(InfluxService):
    """The copy in InfluxDB."""

    def __init__(self) -> None:
        self.found = InfluxStatus(state="off")

    def status(self, viewer: Viewer) -> InfluxStatus:
        return self.found


class Probes(ChainService):
    """Each minute's trial of the chain."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.why: Why = "works"

    def view(self, viewer: Viewer) -> ChainView:
        states: dict[Why, ChainState] = {"works": "green", "starting": "unknown"}
        return ChainView(
            state=states.get(self.why, "red"),
            why=self.why,
            words="",
            since=self._now() - timedelta(minutes=13),
            produced=1440,
            stored=1440,
            waiting=0,
            lost=0,
            last=self._now(),
            p50=0.02,
            p95=0.05,
        )


class Chain(JournalService):
    """Figures of delivery."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.rejected = self.parked_dropped = 0

    def stats(self, viewer: Viewer) -> Stats:
        waiting = self.book.list(viewer, states=("open",), limit=10_000).items
        return Stats(
            produced=1284,
            events_stored=1284,
            telemetry_stored=52_310,
            duplicates=37,
            rejected=self.rejected,
            parked=0,
            parked_dropped=self.parked_dropped,
            quarantine_dropped=0,
            dropped=0,
            turned_away=0,
            evicted=0,
            future=0,
            unknown_fields=0,
            poisoned=0,
            incidents=len(self.book.rows),
            open_incidents=len(waiting),
            behind={},
        )


class Sound(RepairService):
    """All is well, unless a test says otherwise."""

    def __init__(self) -> None:
        self.found = FindingList(looked=None, current=False)

    def list(self, viewer: Viewer, now: datetime) -> FindingList:
        viewer.require("act")
        return self.found


class Configs(ConfigService):
    """No page shows configurations."""

    def __init__(self) -> None:
        pass


class Joins(JoiningService):
    """Nobody joins."""

    def __init__(self) -> None:
        pass


class Rules(RuleService):
    """No page shows rules."""

    def __init__(self) -> None:
        pass


class Links(LinkService):
    """Nobody has a link."""

    def __init__(self) -> None:
        pass

    def names(self, viewer: Viewer) -> dict[str, str]:
        return {}


class Silent(CommandService):
    """Commands are off, and none were sent."""

    def __init__(self) -> None:
        self._submit = None

    def of_device(self, viewer: Viewer, where: tuple[str, str]) -> tuple[Command, ...]:
        return ()


class Guards(DutyService):
    """Who is on duty as a test puts it."""

    def __init__(self) -> None:
        self.teams: tuple[TeamDuty, ...] = ()

    def now(self, viewer: Viewer, now: datetime) -> DutyView:
        viewer.require("act")
        return DutyView(at=now, teams=self.teams)

    def limits(self, viewer: Viewer) -> Deadlines:
        return Deadlines()


class Lists(RegistryService):
    """A registry without anything in it."""

    def __init__(self) -> None:
        pass

    def labels(self, viewer: Viewer, most: int) -> dict[str, str]:
        viewer.require("see")
        return {}

    def kinds(self, viewer: Viewer) -> tuple[str, ...]:
        return ()

    def things(self, viewer: Viewer) -> tuple[Record, ...]:
        viewer.require("see")
        return ()

    def get(self, viewer: Viewer, what: RecordType, name: str) -> Record:
        raise NotThere(f"no such {what}")

    def places(self, viewer: Viewer) -> tuple[Place, ...]:
        return ()


class Walls(FloorService):
    """No floor plans."""

    def __init__(self) -> None:
        pass

    def of_device(self, viewer: Viewer, node: str, device: str) -> tuple[FloorPlan, ...]:
        return ()


class Presence(AvailabilityService):
    """Knows nothing of how long anything was there."""

    def __init__(self) -> None:
        pass

    def of(self, viewer: Viewer, view: DeviceView, now: datetime) -> AvailabilityView:
        return AvailabilityView(of="box")


class Doorman(AccessService):
    """Writes down who was refused what."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, str]] = []

    def refused(self, viewer: Viewer, what: str, now: datetime) -> None:
        self.noted.append((viewer.name, what))


class Neighbourhood:
    """All of it together, and the application that serves its pages."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.feed = Feed()
        self.book = Book(self.feed)
        self.people, self.album, self.estate = People(), Album(), Estate()
        self.chain, self.copy = Chain(self.book), Copy()
        self.guards, self.doorman = Guards(), Doorman()
        self.sound = Sound()
        self.probes = Probes(self.clock.now)
        self.numbers: defaultdict[str, int] = defaultdict(lambda: 200)

    def services(self) -> Services:
        return Services(
            incidents=self.book,
            devices=self.estate,
            availability=Presence(),
            registry=Lists(),
            configs=Configs(),
            duty=self.guards,
            floors=Walls(),
            foresight=None,  # type: ignore[arg-type]  # no page asks for it
            statistics=None,  # type: ignore[arg-type]  # tests of reports have a real ingest
            evidence=self.album,
            access=self.doorman,
            accounts=self.people,
            joining=Joins(),
            series=Hours(),
            silences=Hush(),
            tours=TourService(),
            drills=None,  # type: ignore[arg-type]  # tests of drills have a real ingest
            orders=Chores(),
            rules=Rules(),
            journal=self.chain,
            influx=self.copy,
            chain=self.probes,
            repairs=self.sound,
            counts=None,  # type: ignore[arg-type]  # no page asks for it
            trends=None,  # type: ignore[arg-type]  # tests of reports have a real ingest
            history=None,  # type: ignore[arg-type]  # tests of reports have a real ingest
            metrics=None,  # type: ignore[arg-type]  # no page asks for it
            links=Links(),
            push=None,  # type: ignore[arg-type]  # no page asks for it
            cards=None,  # type: ignore[arg-type]  # no page asks for it
            waste=None,  # type: ignore[arg-type]  # no page asks for it
            commands=Silent(),
            notice=None,  # type: ignore[arg-type]  # its pages are tested with a real ingest
            notes=None,  # type: ignore[arg-type]  # tests of notes have the real one
            live=None,  # type: ignore[arg-type]  # its page is tested with a real ingest
            notify=None,  # type: ignore[arg-type]  # no page asks for it
            channels=None,  # type: ignore[arg-type]  # no page asks for it
            feed=self.feed,
        )

    def app(self) -> FastAPI:
        app = FastAPI()

        app.add_middleware(SecurityHeaders)

        @app.get("/api/v1/evidence/{evidence}")
        def evidence(evidence: str) -> Response:
            return Response(drawn_picture(), media_type="image/jpeg")

        mount(app, self.services(), site=SITE, zone="Asia/Shanghai", clock=self.clock)
        return app

    def happen(
        self,
        *,
        device: str = "cam-e1",
        severity: Severity = "medium",
        label: str = "person",
        event: str = "zone-dwell",
        zone: str | None = "doorway",
        minutes: float = 0.0,
        picture: str = "shown",
        area: str = "b03",
        late: bool = False,
        actions: tuple[Action, ...] = (),
    ) -> str:
        """Open an incident that happened `minutes` ago; return its id."""
        now = self.clock.now()
        at = now - timedelta(minutes=minutes)
        incident, evidence = uuid7(now), uuid7(now)
        self.numbers["incident"] += 1
        common = {"incident": incident, "at": at, "recorded": at, "actor": "rule:edge"}
        self.book.add(
            Transition(
                **common,
                step="opened",
                number=self.numbers["incident"],
                key=Key(site="c001", node="c001-n07", device=device, event=event, zone=zone),
                area=area,
                severity=severity,
                object_label=label,
                confidence=0.87,
                dwell=2.4,
                model=MODEL,
                late=late,
                actions=actions,
                episode=uuid7(now),
            )
        )
        if picture != "none":
            shot = Picture(redaction="withheld")
            if picture != "withheld":
                shot = Picture(redaction="heads", id=evidence, bbox=(0.29, 0.3, 0.43, 0.88))
            if picture == "coming":
                self.album.missing.add(evidence)
            if picture == "gone":
                self.album.deleted.add(evidence)
            self.book.add(Transition(**common, step="pictured", picture=shot))
        return incident

    def step(
        self, incident: str, step: str, *, minutes: float = 0.0, actor: str = "rule:clear"
    ) -> None:
        """Append a transition that happened `minutes` ago."""
        at = self.clock.now() - timedelta(minutes=minutes)
        row = Transition(incident=incident, step=step, at=at, recorded=at, actor=actor)  # type: ignore[arg-type]
        self.book.add(row)


def _fields(struct: object) -> dict[str, object]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}  # type: ignore[attr-defined]
