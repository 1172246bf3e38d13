"""What the edges of the made-up community say: readings, events, reports, as rows of a journal."""

import math
import random
from datetime import datetime, timedelta
from typing import Any

import msgspec
from house import NOON, SITE

from ingest.store.engine import to_micros
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


class Edges:
    """Makes the rows of what each box would have sent, and when it would have come."""

    def __init__(self) -> None:
        self._dice = random.Random(20260302)
        self._numbers: dict[tuple[str, str], int] = {}
        self._fill = {
            (area, name): self._dice.random() * 0.5 for area in BUILDINGS for name in BINS
        }
        self._energy = dict.fromkeys(BUILDINGS, 120_000.0)
        self._rows: list[tuple[int, dict[str, Any]]] = []
        self._probes = 0

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
            "stream": stream_of(area, kind),
            "sequence": sequence_text(number),
            "low": sequence_text(1),
        }

    def _put(
        self, area: str, device: str, kind: str, name: str, at: datetime, message: msgspec.Struct
    ) -> None:
        topic = Topic(SITE, area, node_of(area), device, kind, name)
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


def stream_of(area: str, kind: str) -> str:
    return f"0000{'e' if kind == 'event' else 'f'}{area}"


def node_of(area: str) -> str:
    return f"{SITE}-n{area[1:]}"


def _envelope(kind: str, name: str, area: str, device: str, at: datetime) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": derived_id(at, kind, name, area, device),
        "source": f"/{SITE}/{node_of(area)}/{device}",
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
