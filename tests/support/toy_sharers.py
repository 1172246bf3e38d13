"""A small community that shares, and one that counts in a district; a fault is one method wrong."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from toy_device import SITE, START, Wire

from linli.conform.district import PATH
from linli.events import schema_uri
from linli.ids import derived_id

MINUTE = timedelta(minutes=1)


class ToySharer:
    """Ends two things, takes the first back, and counts a camera, each once its minute is over."""

    def __init__(self) -> None:
        self.wire: Wire
        self.reconnect = START
        self.step = 0
        self.again: list[tuple[str, bytes]] = []

    # what a fault may change

    def filters(self) -> tuple[tuple[str, int], ...]:
        return ()

    def wait(self) -> timedelta:
        """How long after something began a minute it is told."""
        return MINUTE

    def id_time(self) -> datetime:
        return START

    def version(self, number: int) -> int:
        return number

    def name(self, thing: str) -> str:
        return derived_id(self.id_time(), "salt", thing)

    def head(self, kind: str, thing: str) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": self.name(thing),
            "source": f"/{SITE}",
            "type": f"linli.share.{kind}",
            "time": f"{START:%Y-%m-%dT%H:%M:00Z}",
            "datacontenttype": "application/json",
            "dataschema": schema_uri(f"share-{kind}"),
        }

    def event(self, thing: str, count: int, version: int) -> dict[str, Any]:
        data = {
            "phase": "end",
            "type": "smoke",
            "severity": "high",
            "areaclass": "building",
            "since": f"{START:%Y-%m-%dT%H:%M:00Z}",
            "count": count,
            "version": self.version(version),
        }
        return {**self.head("event", thing), "data": data}

    def number(self, count: int, version: int) -> dict[str, Any]:
        data = {"kind": "camera", "areaclass": "building", "count": count, "version": version}
        return {**self.head("registry", f"camera-{count}"), "data": data}

    def say(self, kind: str, body: dict[str, Any]) -> None:
        last = "smoke" if kind == "event" else body["id"].replace("-", "")
        self.send(f"linli/v1/{SITE}/_share/{kind}/{last}", json.dumps(body).encode())

    def send(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        self.again.append((topic, payload))
        self.wire.publish(topic, payload, qos=qos, retain=retain)

    def repeated(self, payload: bytes) -> bytes:
        return payload

    def plan(self) -> list[tuple[str, dict[str, Any]]]:
        return [
            ("registry", self.number(12, 1)),
            ("event", self.event("one", 2, 3)),
            ("event", self.event("one", 0, 4)),
        ]

    def later(self) -> list[tuple[str, dict[str, Any]]]:
        return [("registry", self.number(13, 2)), ("event", self.event("two", 1, 3))]

    # the rest

    def turn(self) -> None:
        if not self.wire.up:
            if self.wire.now >= self.reconnect:
                self.wire.connect(self.filters(), None, user="svc-share", client="svc-share")
        elif self.step == 0 and self.wire.now >= START + self.wait():
            self.step = 1
            for one in self.plan():
                self.say(*one)
        elif self.step == 1 and self.wire.trial.phase.startswith("let something else"):
            self.step = 2
            for topic, payload in list(self.again):  # what the broker may have lost
                self.wire.publish(topic, self.repeated(payload))
            for one in self.later():
                self.say(*one)

    def hear(self, topic: str, payload: bytes, retain: bool) -> None:
        """Nothing is asked for."""

    def lost(self) -> None:
        self.reconnect = self.wire.now + timedelta(seconds=1)


class ToyStreet:
    """Counts what communities share, in memory."""

    session: object = True

    def __init__(self) -> None:
        self.wire: Wire
        self.reconnect = START
        self.events: dict[object, tuple[int, str, str, int]] = {}
        self.rows: dict[tuple[str, str], tuple[int, int]] = {}

    # what a fault may change

    def filters(self) -> tuple[tuple[str, int], ...]:
        return ((f"linli/v1/up/{PATH}/#", 1),)

    def read(self, payload: bytes) -> dict[str, Any] | None:
        """Return a message without what a newer version has more; None for a bad one."""
        try:
            body: dict[str, Any] = json.loads(payload)
            data = body["data"]
            good = isinstance(data["count"], int) and isinstance(data["version"], int)
            return body if good and isinstance(data.get("type", ""), str) else None
        except (ValueError, TypeError, KeyError):
            return None

    def key(self, body: dict[str, Any]) -> object:
        return body["id"]

    def newer(self, version: int, known: int) -> bool:
        return version > known

    def site(self, body: dict[str, Any]) -> str:
        return str(body["source"]).removeprefix("/")

    def worth(self, count: int) -> int:
        return count

    def row(self, body: dict[str, Any]) -> tuple[str, str]:
        return self.site(body), f"{body['data']['kind']}/{body['data']['areaclass']}"

    def tally(self) -> str:
        events: dict[str, Counter[str]] = {}
        for _, site, kind, count in self.events.values():
            events.setdefault(site, Counter())[kind] += self.worth(count)
        registry: dict[str, dict[str, int]] = {}
        for (site, name), (_, count) in self.rows.items():
            registry.setdefault(site, {})[name] = count
        return json.dumps({"events": events, "registry": registry})

    # the rest

    def turn(self) -> None:
        if not self.wire.up and self.wire.now >= self.reconnect:
            self.wire.connect(self.filters(), None, user="street", client="street")

    def hear(self, topic: str, payload: bytes, retain: bool) -> None:
        body = self.read(payload)
        if body is None:
            return
        data = body["data"]
        version = data["version"]
        if "/registry/" in topic:
            if self.newer(version, self.rows.get(self.row(body), (-1, 0))[0]):
                self.rows[self.row(body)] = (version, data["count"])
            return
        known = self.events.get(self.key(body))
        if known is None or self.newer(version, known[0]):
            self.events[self.key(body)] = (version, self.site(body), data["type"], data["count"])

    def lost(self) -> None:
        self.reconnect = self.wire.now + timedelta(seconds=1)
