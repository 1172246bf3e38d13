"""Two days of a small community, made up but the same each time, told as its edges would tell it.

Everything behind the journal is real: the consumers make incidents, series, and points for
InfluxDB of it, and staff answer, judge and resolve through the services.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from house import NOON, SITE, STAFF, Folder

from ingest import registry
from ingest.consumers.incidents import IncidentEffect
from ingest.consumers.influx import InfluxJob, Sources
from ingest.consumers.rules import RuleWork
from ingest.consumers.series import SeriesJob
from ingest.consumers.work import Cursor
from ingest.feed import Feed
from ingest.incidents.flow import Surroundings
from ingest.influx.endpoint import Endpoint
from ingest.series.embedded import EmbeddedTimeseries
from ingest.services.chain import ChainService
from ingest.services.incidents import IncidentService
from ingest.store import journal, state
from ingest.store.chain import probe
from ingest.store.engine import reading, to_micros, writing
from ingest.store.incidents import incident
from ingest.store.registry import place
from linli.codec import encode
from linli.events import (
    CameraReport,
    ConfigReport,
    EventData,
    EventMessage,
    LaneReport,
    ProbeData,
    ProbeMessage,
    Reading,
    ReportData,
    ReportMessage,
    Severity,
    Status,
    TelemetryData,
    TelemetryMessage,
    schema_uri,
    sequence_text,
)
from linli.ids import derived_id
from linli.topics import PROBE, Topic, probe_topic

HOURS = 48
TICK = timedelta(minutes=20)
START = NOON - timedelta(hours=HOURS)
BUILDINGS = {"b01": "1 号楼", "b02": "2 号楼", "b03": "3 号楼"}
LAMPS = ("lamp-1", "lamp-2", "lamp-3")
BINS = ("bin-dry", "bin-wet")
AWAY = ("b02", range(30, 33))
"""Building whose box is off the net, and in which hours."""


STILL_OPEN: dict[tuple[str, int], tuple[tuple[str, str, str, Severity], ...]] = {
    ("b01", 1): (("cam-e1", "ebike-in-elevator", "ebike", "critical"),),
    ("b03", 2): (("cam-e1", "ebike-in-elevator", "ebike", "critical"),),
    ("b02", 2): (
        ("cam-yard", "lamp-fault", "off", "medium"),
        ("cam-yard", "bin-full", "overflowing", "high"),
    ),
}
"""By building and hours before the end: what nobody has resolved yet."""


class Community:
    """Turns the clock of a data folder through the days; `end` is its last moment."""

    def __init__(self, path: Path) -> None:
        self.folder = Folder(path, fresh=True)
        self.folder.clock.jump(-HOURS * 3600)
        self._dice = random.Random(20260302)
        self._numbers: dict[tuple[str, str], int] = {}
        self._fill = {
            (area, name): self._dice.random() * 0.5 for area in BUILDINGS for name in BINS
        }
        self._energy = dict.fromkeys(BUILDINGS, 120_000.0)
        self._rows: list[tuple[int, dict[str, Any]]] = []
        self._counted: Counter[str] = Counter()
        self._probes = 0
        with writing(self.folder.state) as connection:
            self._enroll(connection)

    @property
    def end(self) -> datetime:
        return NOON

    def unresolved(self) -> dict[int, str]:
        """Return the number of each incident that is not resolved, and its severity."""
        table = incident.c
        wanted = sa.select(table.number, table.severity).where(table.state != "resolved")
        with reading(self.folder.reader("state")) as connection:
            return {number: severity for number, severity in connection.execute(wanted)}  # noqa: C416 - typed

    def live(self, endpoint: Endpoint | None = None) -> None:
        """Let all hours pass; with an endpoint InfluxDB is told of each."""
        around = Surroundings()
        feed = Feed()
        folder = self.folder
        journal_reader, reader = folder.reader("journal"), folder.reader("state")
        rules = RuleWork(journal_reader, around.zone)
        effect = IncidentEffect(feed, rules, around)
        cursor = Cursor(journal_reader, folder.state, state.cursor, effect)
        series_reader = folder.reader("series")
        store = EmbeddedTimeseries(series_reader, folder.series)
        readings = SeriesJob(journal_reader, store, feed)
        people = IncidentService(reader, folder.state, feed, around)
        sources = Sources(journal_reader, reader, series_reader, folder.state)
        chain = ChainService(reader, folder.state, journal_reader, feed, folder.clock)
        influx = endpoint and InfluxJob(
            sources, lambda: endpoint, SITE, folder.clock, chain=lambda: chain.view(STAFF)
        )
        for hour in range(HOURS):
            self._hour(hour)
            folder.clock.advance(3600)
            for job in (cursor, readings):
                while job.step():
                    pass
            self._staff(people, hour)
            self._shown()
            while influx and influx.step():
                pass

    def _shown(self) -> None:
        """Say of each probe when the live feed had it."""
        with writing(self.folder.state) as connection:
            for row in connection.execute(probe.select().where(probe.c.shown.is_(None))).all():
                took = timedelta(seconds=0.04 + 0.2 * self._dice.random() ** 4)
                shown = probe.update().where(probe.c.id == row.id)
                connection.execute(shown.values(shown=row.made + took))

    def _enroll(self, connection: sa.Connection) -> None:
        registry.make_site(connection, SITE, "春晖社区", START)
        for area, label in BUILDINGS.items():
            node = _node(area)
            registry.add_node(
                connection, site=SITE, area=area, name=node, label=f"{label}边缘盒子", now=START
            )
            for name, kind, said in (
                ("cam-e1", "camera", "1 号电梯"),
                ("cam-yard", "camera", "楼前"),
                ("meter-1", "meter", "公共电表"),
                ("lux-1", "sensor", "照度计"),
            ):
                registry.add_device(
                    connection,
                    node_name=node,
                    name=name,
                    kind=kind,
                    label=f"{label} {said}",
                    now=START,
                )

            said = {"label": label, "label_en": f"Building {area[1:]}"}
            here = place.update().where(place.c.place == f"{SITE}/{area}")
            connection.execute(here.values(**said))

    def _streams(self, hour: int) -> None:
        """Note how far each stream has come; one box has lost a little while it was away."""
        values = {"ranges": "[]", "low": 1, "duplicates": 0, "updated": 0}
        with writing(self.folder.journal) as connection:
            connection.execute(journal.stream.delete())
            for (area, kind), number in self._numbers.items():
                lost = 3 if area == AWAY[0] and kind == "telemetry" and hour > AWAY[1].stop else 0
                row = {"node": _node(area), "stream": _stream(area, kind), "upto": number}
                connection.execute(journal.stream.insert(), {**values, **row, "evicted": lost})

    def _hour(self, hour: int) -> None:
        """Put everything of one hour into the journal, in the order in which it came."""
        begin = START + timedelta(hours=hour)
        if hour == 0:
            for area in BUILDINGS:
                self._status(area, "ready", begin)
        for area in BUILDINGS:
            away = area == AWAY[0] and hour in AWAY[1]
            if away and hour == AWAY[1].start:
                self._status(area, "lost", begin + timedelta(minutes=1))
            if area == AWAY[0] and hour == AWAY[1].stop:
                self._status(area, "ready", begin + timedelta(minutes=1))
            for tick in range(int(timedelta(hours=1) / TICK)):
                self._tick(area, hour, begin + tick * TICK, away=away)
            self._events(area, hour, begin)
        for minute in range(60):
            self._probe(begin + timedelta(minutes=minute, seconds=50))
        self._commit(begin + timedelta(hours=1))
        self._streams(hour)

    def _tick(self, area: str, hour: int, at: datetime, *, away: bool) -> None:
        day = _day(at)
        lit = day < 0.15
        people = round(4 * _busy(at) * self._dice.random() + 2 * day)
        self._telemetry(
            area, "cam-e1", "camera", at, ("fps", 4.6 + self._dice.random() * 0.6, "/s"),
            ("people", people, "1"), ("inference-time", 21 + self._dice.random() * 4, "ms"),
        )  # fmt: skip
        for name in LAMPS:
            broken = name == "lamp-2" and area == "b03"
            flicker = broken and lit and self._dice.random() < 0.6
            dark = area == "b01" and name == "lamp-3" and hour > 40
            on = (lit or (area == "b02" and name == "lamp-1")) and not flicker and not dark
            values = [("on", on, "1"), ("off", not on and not flicker, "1")]
            values += [("flickering", flicker, "1"), ("known", 0.9 + self._dice.random() / 10, "1")]
            if flicker:
                values.append(("switching-rate", 3 + self._dice.random() * 4, "Hz"))
            self._telemetry(area, "cam-yard", name, at, *values)
        for name in BINS:
            level = self._level(area, name, at)
            full = level >= 1
            values = [("fill-level", min(level, 1.0), "1"), ("overflowing", full, "1")]
            known = 0.6 if area == "b03" and name == "bin-wet" else 0.95
            values.append(("known", known + self._dice.random() * 0.05, "1"))
            self._telemetry(area, "cam-yard", name, at, *values)
        watts = 180 + 900 * lit + 700 * _busy(at) + self._dice.random() * 60
        self._energy[area] += watts * TICK / timedelta(hours=1)
        self._telemetry(
            area,
            "meter-1",
            "power",
            at,
            ("power", watts, "W"),
            ("energy", self._energy[area], "Wh"),
        )
        lux = 20 + 9000 * day**1.5 * (0.8 + self._dice.random() * 0.2)
        self._telemetry(area, "lux-1", "light", at, ("illuminance", lux, "lx"))
        if not away:
            for minute in range(0, 20, 5):
                self._report(area, hour, at + timedelta(minutes=minute))

    def _level(self, area: str, name: str, at: datetime) -> float:
        """Fill a bin a little; it is emptied at seven in the morning and when long full."""
        speed = 0.6 + 0.25 * int(area[1:]) * (1 + ("wet" in name))
        grown = self._fill[area, name] + 0.012 * (0.4 + _busy(at)) * speed
        emptied = (at.hour + 8) % 24 == 7 and at.minute < 20
        self._fill[area, name] = 0.05 if emptied or grown > 1.25 else grown
        return self._fill[area, name]

    def _events(self, area: str, hour: int, begin: datetime) -> None:
        if self._dice.random() < 0.35 * _busy(begin):
            self._happening(area, "cam-e1", "ebike-in-elevator", "ebike", "high", begin)
        if self._dice.random() < 0.06:
            self._happening(area, "cam-yard", "zone-dwell", "person", "low", begin)
        if area == "b03" and hour in (9, 33):
            self._happening(area, "cam-yard", "lamp-fault", "flickering", "medium", begin, hours=6)
        for name in BINS:
            if 1 <= self._fill[area, name] < 1.05:
                self._happening(area, "cam-yard", "bin-full", "full", "medium", begin, hours=4)
        for device, name, label, severity in STILL_OPEN.get((area, HOURS - hour), ()):
            self._happening(area, device, name, label, severity, begin, hours=9)

    def _happening(
        self,
        area: str,
        device: str,
        name: str,
        label: str,
        severity: Severity,
        begin: datetime,
        *,
        hours: float = 0.0,
    ) -> None:
        at = begin + timedelta(seconds=self._dice.randrange(60, 3000))
        lasts = timedelta(hours=hours) or timedelta(seconds=self._dice.randrange(15, 200))
        episode = derived_id(at, area, device, name)
        for phase, when in (("begin", at), ("end", at + lasts)):
            if when >= NOON:
                continue
            message = EventMessage(
                **self._fact("event", name, area, device, when),
                data=EventData(
                    phase=phase,  # type: ignore[arg-type]
                    episode=episode,
                    severity=severity,
                    label=label,
                    since=at,
                    zone="door" if device == "cam-e1" else None,
                    confidence=0.6 + self._dice.random() * 0.39,
                    dwell=lasts.total_seconds() if phase == "end" else 5.0,
                ),
            )
            self._put(area, device, "event", name, when, message)

    def _telemetry(
        self, area: str, device: str, group: str, at: datetime, *values: tuple[str, float, str]
    ) -> None:
        readings = tuple(
            Reading(n=name, v=float(value), u=unit, t=at) for name, value, unit in values
        )
        message = TelemetryMessage(
            **self._fact("telemetry", group, area, device, at),
            data=TelemetryData(readings=readings),
        )
        self._put(area, device, "telemetry", group, at, message)

    def _report(self, area: str, hour: int, at: datetime) -> None:
        number = list(BUILDINGS).index(area)
        waiting = 900 if area == AWAY[0] and hour == AWAY[1].stop else self._dice.randrange(12)
        stalled = area == "b01" and hour in (20, 21)
        lanes = (
            LaneReport(lane="events", pending=waiting // 9, evicted=0, dead=0),
            LaneReport(
                lane="telemetry",
                pending=waiting,
                evicted=3 if area == "b02" and hour > 33 else 0,
                dead=0,
                oldest=at - timedelta(seconds=waiting * 12 + 1),
            ),
        )
        cameras = tuple(
            CameraReport(
                device=name,
                state="stalled" if stalled and name == "cam-e1" else "streaming",
                fps=0.0 if stalled and name == "cam-e1" else 4.7 + self._dice.random() * 0.5,
                dropped=self._dice.randrange(3),
            )
            for name in ("cam-e1", "cam-yard")
        )
        message = ReportMessage(
            **_envelope("health", "report", area, "self", at),
            data=ReportData(
                agent="0.1.0",
                uptime=(at - START).total_seconds() + 86_400 * number,
                rss=150_000_000 + number * 9_000_000 + self._dice.randrange(2_000_000),
                diskfree=(4 + 9 * number) * 1024**3 - hour * 12_000_000,
                lanes=lanes,
                cameras=cameras,
                config=ConfigReport(version=3, refused=4 if area == "b03" and hour > 44 else None),
            ),
        )
        self._put(area, "self", "health", "report", at, message)

    def _status(self, area: str, said: str, at: datetime) -> None:
        self._put(
            area,
            "self",
            "health",
            "status",
            at,
            Status(state=said, session="00000001"),  # type: ignore[arg-type]
        )

    def _probe(self, at: datetime) -> None:
        self._probes += 1
        topic = probe_topic(SITE)
        message = ProbeMessage(
            specversion="1.0",
            id=derived_id(at, "probe"),
            source=topic.source,
            type=f"linli.{PROBE}.{topic.name}",
            time=at,
            datacontenttype="application/json",
            dataschema=schema_uri(PROBE),
            clocksync="synced",
            stream="70726f62",
            sequence=sequence_text(self._probes),
            low=sequence_text(self._probes),
            data=ProbeData(number=self._probes),
        )
        row = self._row(topic, at, at + timedelta(seconds=0.05), message)
        self._rows.append((row["received"], row))

    def _fact(self, kind: str, name: str, area: str, device: str, at: datetime) -> dict[str, Any]:
        lane = (area, kind)
        self._numbers[lane] = number = self._numbers.get(lane, 0) + 1
        return {
            **_envelope(kind, name, area, device, at),
            "stream": _stream(area, kind),
            "sequence": sequence_text(number),
            "low": sequence_text(1),
        }

    def _put(
        self, area: str, device: str, kind: str, name: str, at: datetime, message: msgspec.Struct
    ) -> None:
        topic = Topic(SITE, area, _node(area), device, kind, name)
        hour = (at - START) // timedelta(hours=1)
        cut = area == AWAY[0] and hour in AWAY[1] and kind != "health"
        back = START + timedelta(hours=AWAY[1].stop, minutes=1)
        came = back if cut else at + timedelta(seconds=0.1 + self._dice.random() * 0.5)
        row = self._row(topic, at, came, message)
        self._rows.append((row["received"], row))

    def _row(
        self, topic: Topic, at: datetime, came: datetime, message: msgspec.Struct
    ) -> dict[str, Any]:
        numbered = hasattr(message, "sequence")
        return {
            "received": to_micros(came),
            "site": topic.site,
            "area": topic.area,
            "node": topic.node,
            "device": topic.device,
            "kind": topic.kind,
            "name": topic.name,
            "source": topic.source,
            "time": to_micros(at),
            "flags": 0,
            "payload": encode(message),
            "event_id": getattr(message, "id", None) if numbered else None,
            "stream": getattr(message, "stream", None),
            "sequence": int(message.sequence) if numbered else None,
        }

    def _commit(self, until: datetime) -> None:
        """Write what had come by then; what comes later waits."""
        limit = to_micros(until)
        due = sorted((one for one in self._rows if one[0] < limit), key=lambda one: one[0])
        self._rows = [one for one in self._rows if one[0] >= limit]
        with writing(self.folder.journal) as connection:
            connection.execute(journal.message.insert(), [row for _, row in due])
            self._counted.update({journal.PROBE_COUNTER: 60, "duplicates": len(due) // 40})
            self._counted["rejected.schema"] += self._dice.random() < 0.1
            connection.execute(journal.counter.delete())
            rows = [{"name": name, "value": value} for name, value in self._counted.items()]
            connection.execute(journal.counter.insert(), rows)

    def _staff(self, people: IncidentService, hour: int) -> None:
        """Answer most of what is open, resolve some, judge a few."""
        now = self.folder.clock.now()
        if hour >= HOURS - 2:
            if hour == HOURS - 1:
                yard = people.list(STAFF, states=("open",), device="c001-n02/cam-yard").items
                lamp = next(one for one in yard if one.key.event == "lamp-fault")
                people.acknowledge(STAFF, lamp.id, now - timedelta(minutes=10), "电工下午去看")
            return
        for one in people.list(STAFF, states=("open", "acknowledged", "in-progress")).items:
            luck = self._dice.random()
            delay = timedelta(seconds=60 + 900 * luck**3)
            at = max(one.updated, min(now, one.opened + delay))
            if one.state == "open" and luck < 0.85:
                people.acknowledge(STAFF, one.id, at)
            elif one.state == "acknowledged" and luck < 0.4:
                people.start(STAFF, one.id, at)
            if luck < 0.6 and (hour % 3 == 0 or one.state != "open"):
                people.resolve(STAFF, one.id, now)
                people.label(STAFF, one.id, "false-alarm" if luck < 0.08 else "true-alarm", now)


@contextmanager
def lived(path: Path, endpoint: Endpoint | None = None) -> Iterator[Community]:
    """Return a community whose days are over."""
    made = Community(path)
    try:
        made.live(endpoint)
        yield made
    finally:
        made.folder.close()


def _stream(area: str, kind: str) -> str:
    return f"0000{'e' if kind == 'event' else 'f'}{area}"


def _node(area: str) -> str:
    return f"{SITE}-n{area[1:]}"


def _envelope(kind: str, name: str, area: str, device: str, at: datetime) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": derived_id(at, kind, name, area, device),
        "source": f"/{SITE}/{_node(area)}/{device}",
        "type": f"linli.{kind}.{name}",
        "time": at,
        "datacontenttype": "application/json",
        "dataschema": schema_uri(kind),
        "clocksync": "synced",
    }


def _local(at: datetime) -> float:
    return (at.hour + at.minute / 60 + 8) % 24


def _day(at: datetime) -> float:
    """Return how light it is, 0..1, on the clocks of Shanghai."""
    return max(0.0, math.sin((_local(at) - 6) / 12 * math.pi))


def _busy(at: datetime) -> float:
    """Return how many people come and go, 0..1: mornings and evenings."""
    hour = _local(at)
    return math.exp(-((hour - 8) ** 2) / 4) + math.exp(-((hour - 18.5) ** 2) / 5) + 0.1
