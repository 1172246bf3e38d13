"""A small device that keeps the contract, in memory; a fault is one method done wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from linli.conform.trace import Connected, Heard, Left, Sent, Subscribed, WillSeen
from linli.conform.trial import Ask, Cut, Open, Say, Trial
from linli.ids import derived_id
from linli.mqtt.fake import matches

START = datetime(2026, 3, 2, 11, tzinfo=UTC)
SITE, AREA, NODE = "c001", "b03", "c001-n09"
BASE = f"linli/v1/{SITE}/{AREA}/{NODE}"


class Wire:
    """A trial and whoever is tried, joined by a broker of a few lines, in simulated time."""

    def __init__(self, trial: Trial, tried: Any) -> None:
        self.trial, self.tried = trial, tried
        self.now = START
        self.retained: dict[str, bytes] = {}
        self.kept: list[tuple[str, bytes]] = []  # for a session that is away
        self.filters: tuple[tuple[str, int], ...] = ()
        self.connection = 0
        self.up, self.open = False, True
        tried.wire = self

    def run(self, longest: float = 400.0, turn: float = 0.1) -> None:
        end = self.now + timedelta(seconds=longest)
        while not self.trial.done and self.now < end:
            self.now += timedelta(seconds=turn)
            for action in self.trial.step(self.now):
                if isinstance(action, Say):
                    self.route(action.topic, action.payload, retain=action.retain)
                elif isinstance(action, Cut):
                    self.open = False
                    self.leave(cut=True)
                elif isinstance(action, Open):
                    self.open = True
                elif isinstance(action, Ask):
                    self.trial.answer(self.tried.tally())
                else:
                    self.leave(cut=False)
                    self.tried.restart()
            self.tried.turn()
        assert self.trial.done, self.trial.phase

    def connect(
        self,
        filters: tuple[tuple[str, int], ...],
        will: WillSeen | None,
        *,
        user: str | None,
        client: str,
        level: int = 5,
    ) -> bool:
        if not self.open:
            return False
        self.connection += 1
        self.up, self.filters = True, filters
        self.client = client
        self.tell(Connected, client_id=client, username=user, level=level, will=will)
        if filters:
            self.tell(Subscribed, filters=filters)
        for topic, payload in list(self.retained.items()):
            self.bring(topic, payload, retain=True)
        while self.kept:
            self.bring(*self.kept.pop(0), retain=False)
        return True

    def tell(self, kind: Any, **fields: Any) -> None:
        event = kind(at=self.now, connection=self.connection, **fields)
        self.trial.see(self.client, event)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        if self.up:
            self.tell(Sent, topic=topic, payload=payload, qos=qos, retain=retain)

    def route(self, topic: str, payload: bytes, *, retain: bool) -> None:
        if retain and payload:
            self.retained[topic] = payload
        elif retain:
            self.retained.pop(topic, None)
        if self.up:
            self.bring(topic, payload, retain=False)
        elif getattr(self.tried, "session", "") is True:
            self.kept.append((topic, payload))

    def bring(self, topic: str, payload: bytes, *, retain: bool) -> None:
        if any(matches(one, topic) for one, _ in self.filters):
            self.tell(Heard, topic=topic, payload=payload, retain=retain)
            self.tried.hear(topic, payload, retain)

    def leave(self, *, cut: bool, polite: bool = False) -> None:
        if self.up:
            self.up = False
            self.tell(Left, cut=cut, polite=polite)
            self.tried.lost()


class ToyDevice:
    """One lift: a telemetry fact every two seconds, an episode, door holds."""

    def __init__(self) -> None:
        self.wire: Wire
        self.streams = {"telemetry": "aaaaaaaa", "event": "bbbbbbbb"}
        self.last = {"telemetry": 0, "event": 0}
        self.held: dict[tuple[str, int], tuple[str, bytes]] = {}
        self.sent: set[tuple[str, int]] = set()
        self.ready = False
        self.session = "0badcafe"
        self.next = START
        self.report = START
        self.reconnect = START
        self.words: dict[str, str] = {}
        self.running: list[tuple[datetime, str, str, str]] = []
        self.phase = 0
        self.clock = "synced"
        self.stopped = False

    # what a fault may change

    def filters(self) -> tuple[tuple[str, int], ...]:
        own = f"linli/v1/{SITE}/_sys/{NODE}/ingest"
        status = f"linli/v1/{SITE}/_sys/all/ingest/health/status"
        commands = f"linli/v1/{SITE}/+/{NODE}/+/command/+"
        return ((f"{own}/receipt/+", 1), (f"{own}/reject/+", 1), (status, 1), (commands, 1))

    def will(self) -> WillSeen | None:
        payload = json.dumps({"state": "lost", "session": self.session}).encode()
        return WillSeen(
            topic=f"{BASE}/self/health/status", payload=payload, qos=1, retain=True, delay=10
        )

    def connect(self) -> bool:
        return self.wire.connect(self.filters(), self.will(), user=NODE, client=NODE)

    def births(self) -> list[str]:
        return ["self", "lift-1"]

    def change(self, document: dict[str, Any]) -> None:
        """Spoil an envelope before it becomes bytes."""

    def topic(self, device: str, kind: str, name: str) -> str:
        return f"{BASE}/{device}/{kind}/{name}"

    def say(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        self.wire.publish(topic, payload, qos=qos, retain=retain)

    def may_send(self) -> bool:
        return self.ready

    def number(self, lane: str) -> int:
        self.last[lane] += 1
        return self.last[lane]

    def low(self, lane: str, sequence: int) -> int:
        return min((n for s, n in self.held if s == self.streams[lane]), default=sequence)

    def again(self, payload: bytes) -> bytes:
        return payload

    def confirm(self, receipt: dict[str, Any]) -> None:
        spans = [[1, receipt["upto"]], *receipt.get("ranges", [])]
        for place in list(self.held):
            if place[0] == receipt["stream"] and any(a <= place[1] <= b for a, b in spans):
                del self.held[place]

    def reject(self, notice: dict[str, Any]) -> None:
        self.held.pop((notice["stream"], int(notice["sequence"])), None)

    def on_up(self) -> None:
        self.sent.clear()

    def goodbye(self) -> None:
        self.status("stopped")
        self.wire.leave(cut=False, polite=True)

    def command(self, topic: str, document: dict[str, Any], retain: bool) -> None:
        levels = topic.split("/")
        if retain or levels[5] != "lift-1" or levels[7] != "door-hold":
            return
        command = document["id"]
        if command in self.words:
            self.word(command, self.words[command])
        elif datetime.fromisoformat(document["expirytime"]) <= self.wire.now:
            self.word(command, "expired")
        else:
            self.word(command, "accepted")
            self.running.append((self.wire.now + timedelta(seconds=1), command, "done", "lift-1"))

    def word(self, command: str, phase: str, device: str = "lift-1") -> None:
        self.words[command] = phase
        data = {"command": command, "phase": phase, "code": "ok"}
        topic = self.topic(device, "ack", "door-hold")
        self.say(topic, self.envelope(topic, data))

    # the rest

    def restart(self) -> None: ...

    def envelope(self, topic: str, data: dict[str, Any], **more: Any) -> bytes:
        levels = topic.split("/")
        document = {
            "specversion": "1.0",
            "id": derived_id(self.wire.now, topic, json.dumps([data, more])),
            "source": f"/{levels[2]}/{levels[4]}/{levels[5]}",
            "type": f"linli.{levels[6]}.{levels[7]}",
            "time": self.wire.now.isoformat(),
            "recordedtime": self.wire.now.isoformat(),
            "datacontenttype": "application/json",
            "dataschema": f"urn:linli:schema:{levels[6]}/1.0",
            "clocksync": self.clock,
            **more,
            "data": data,
        }
        self.change(document)
        return json.dumps(document).encode()

    def status(self, state: str) -> None:
        payload = json.dumps({"state": state, "session": self.session}).encode()
        self.say(self.topic("self", "health", "status"), payload, retain=True)

    def turn(self) -> None:
        now = self.wire.now
        if not self.wire.up:
            if not self.stopped and now >= self.reconnect and self.connect():
                self.up()
            return
        if self.wire.trial.phase.startswith("stop it") and not self.stopped:
            self.stopped = True
            self.goodbye()
            return
        if now >= self.report:
            self.report = now + timedelta(seconds=60)
            data = {"agent": "toy", "uptime": 1.0, "rss": 1, "diskfree": 8 << 30}
            topic = self.topic("self", "health", "report")
            self.say(topic, self.envelope(topic, data), qos=0)
        for job in [one for one in self.running if one[0] <= now]:
            self.running.remove(job)
            self.word(job[1], job[2], job[3])
        if now >= self.next:
            self.next = now + timedelta(seconds=2)
            self.make()
        if self.may_send():
            for place, (topic, payload) in sorted(self.held.items()):
                if place not in self.sent:
                    self.sent.add(place)
                    self.say(topic, payload)

    def up(self) -> None:
        self.on_up()
        self.status("ready")
        for device in self.births():
            topic = self.topic(device, "meta", "describe")
            data = {"kind": "lift", "label": "一号梯"}
            self.say(topic, self.envelope(topic, data), retain=True)

    def make(self) -> None:
        reading = {"n": "fps", "v": 5.0, "u": "/s", "t": self.wire.now.isoformat()}
        self.fact("telemetry", "camera", {"readings": [reading]})
        self.phase = (self.phase + 1) % 6
        phases = {1: "begin", 2: "update", 3: "end"}
        if self.phase in phases:
            if self.phase == 1:
                self.since = self.wire.now
            data = {
                "phase": phases[self.phase],
                "episode": self.episode(),
                "severity": "high",
                "label": "ebike",
                "since": self.since.isoformat(),
            }
            self.fact("event", "ebike-in-elevator", data)

    def episode(self) -> str:
        return derived_id(self.since, "episode")

    def fact(self, lane: str, name: str, data: dict[str, Any]) -> None:
        sequence = self.number(lane)
        topic = self.topic("lift-1", lane, name)
        more = {
            "stream": self.streams[lane],
            "sequence": f"{sequence:020d}",
            "low": f"{self.low(lane, sequence):020d}",
        }
        self.held[self.streams[lane], sequence] = (topic, self.envelope(topic, data, **more))

    def hear(self, topic: str, payload: bytes, retain: bool) -> None:
        if not payload:
            return
        document = json.loads(payload)
        kind = topic.split("/")[6]
        if kind == "receipt":
            self.confirm(document)
        elif kind == "reject":
            self.reject(document)
        elif kind == "command":
            self.command(topic, document, retain)
        else:
            self.ready = document["state"] == "ready"

    def lost(self) -> None:
        self.ready = False
        self.reconnect = self.wire.now + timedelta(seconds=1)
