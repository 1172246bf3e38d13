"""Plays a node to a consumer: facts in and out of order, twice, given up, and bad ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from linli.codec import sha256
from linli.conform.consumer_link import STATUS
from linli.conform.consumer_receipts import covered, rejects
from linli.conform.trace import Connected, Did, Event, Left, Sent
from linli.conform.trial import Cut, Open, Restart, Say, Script, Trial, Wait, never
from linli.events import MAX_PAYLOAD, RejectCode, sequence_text
from linli.ids import derived_id, short_id
from linli.topics import SELF, Topic, is_id

AREA, NODE, DEVICE = "conform", "conform-node", "lift-1"
_BACK = 70.0
_AWAY = 0.5
_PHONE = "13800138000"


@dataclass(frozen=True, slots=True)
class ConsumerPlan:
    """How long to wait, in seconds, and what else to try."""

    patience: float = 60.0
    quiet: float = 3.0
    restart: bool = False
    stop: bool = False


class ConsumerTrial(Trial):
    """The client that speaks as the ingest is the one that is tried."""

    def __init__(self, plan: ConsumerPlan) -> None:
        super().__init__()
        self._plan = plan
        self._before: list[tuple[str, Event]] = []
        self._site = ""
        self._stream = short_id()
        self._session = short_id()
        self._connections = 0
        self._ready = 0
        self._low = 1
        self._facts: dict[int, tuple[str, bytes]] = {}

    def see(self, client: str, event: Event) -> None:
        """Take what passed the relay; until it is known who is tried, of everybody."""
        if not self.trace.node:
            self._before.append((client, event))
            if not (isinstance(event, Sent) and event.topic.endswith(STATUS)):
                return
            site = event.topic.split("/")[2]
            if not is_id(site):
                return
            self._site, self.trace.node = site, client
            early, self._before = self._before, []
            for who, one in early:
                self._take(who, one)
            return
        self._take(client, event)

    def _take(self, client: str, event: Event) -> None:
        if client != self.trace.node:
            return
        self.trace.add(event)
        if isinstance(event, Connected):
            self._connections += 1
        elif isinstance(event, Sent) and event.topic.endswith(STATUS):
            self._ready += event.document.get("state") == "ready"

    def script(self) -> Script:
        """Do what nodes do, then what they must not, and look at each answer."""
        self.phase = "waiting for its status `ready`"
        yield Wait(lambda: self._ready > 0, self._plan.patience)
        if not self._ready:
            return
        self._birth()
        yield from self._ordinary()
        yield from self._odd()
        yield from self._bad()
        yield from self._lost()
        if self._plan.restart:
            yield from self._restarted()
        if self._plan.stop:
            self._note("stop")
            self.phase = "stop it now, politely"
            count = len(self.trace.events)
            yield Wait(
                lambda: any(isinstance(one, Left) for one in self.trace.events[count:]),
                self._plan.patience,
            )

    def _ordinary(self) -> Script:
        self.phase = "facts in their order"
        for sequence in (1, 2, 3):
            self._expect("in-order", sequence)
            self._send(sequence)
        yield self._covered(3)
        self.phase = "facts out of order"
        self._expect("out-of-order", 5)
        self._send(5)
        yield Wait(never, self._plan.quiet)
        self._expect("out-of-order", 4)
        self._send(4)
        yield self._covered(5)

    def _odd(self) -> Script:
        self.phase = "a fact twice"
        self._expect("duplicate", 2)
        self._send(2)
        self._expect("duplicate", 6)
        self._send(6)
        yield self._covered(6)
        self.phase = "a fact that was given up"
        self._low = 8  # 7 never comes
        self._expect("given-up", 8)
        self._send(8)
        self._note("expect", "given-up", (self._stream, 7))
        yield self._covered(8)
        self.phase = "a field of a newer minor version"
        self._low = 9
        more = {"dataschema": "urn:linli:schema:event/1.99", "tomorrow": "x"}
        self._expect("unknown-fields", 9)
        self._send(9, more, {"mood": "calm"})
        yield self._covered(9)

    def _bad(self) -> Script:
        """Each under a number of its own; what cannot be read is given up afterwards."""
        self.phase = "messages that have to be refused"
        self._note("content", _PHONE)
        self._note("sent", str(self._low), (self._stream, 10))
        self._refuse("json", 0, self._made(10)[:-1])
        plans: tuple[tuple[RejectCode, dict[str, Any], dict[str, Any]], ...] = (
            ("schema", {}, {"severity": "enormous"}),
            ("version", {"dataschema": "urn:linli:schema:event/9.0"}, {}),
            ("topic-mismatch", {"source": f"/{self._site}/{NODE}/other"}, {}),
            ("privacy", {}, {"phone": _PHONE}),
        )
        for sequence, (code, more, data) in enumerate(plans, start=11):
            self._refuse(code, sequence, self._made(sequence, more, data))
        whole = self._made(15, {"subject": "x"})
        self._refuse("size", 15, whole + b" " * (MAX_PAYLOAD - len(whole) + 1))
        self._refuse("conflict", 3, self._made(3, {"subject": "other"}))
        wanted = {one.what for one in self.trace.all(Did) if one.name.startswith("bad-")}
        yield Wait(
            lambda: wanted <= {one.sha256 for _, one in rejects(self.trace)}, self._plan.patience
        )
        self.phase = "a good fact after them"
        self._low = 11
        self._expect("after-bad", 16)
        self._send(16)
        yield self._covered(16)

    def _lost(self) -> Script:
        self.phase = "its connection is cut"
        self._note("cut")
        self._do(Cut())
        ready = self._ready
        yield Wait(never, _AWAY)
        self._note("open")
        self._do(Open())
        self.phase = "waiting for it to come back"
        yield Wait(lambda: self._ready > ready, _BACK)
        self._low = 17
        self._expect("after-cut", 17)
        self._send(17)
        yield self._covered(17)

    def _restarted(self) -> Script:
        self.phase = "it is restarted"
        self._note("restart")
        ready = self._ready
        self._do(Restart())
        yield Wait(lambda: self._ready > ready, self._plan.patience)
        self._low = 1  # had it forgotten all, this would move nothing
        self._send(18)
        yield self._covered(18)

    def _covered(self, sequence: int) -> Wait:
        until: Callable[[], bool] = lambda: covered(self.trace, self._stream, sequence)  # noqa: E731
        return Wait(until, self._plan.patience)

    def _expect(self, step: str, sequence: int) -> None:
        self._note("expect", step, (self._stream, sequence))

    def _send(
        self, sequence: int, more: dict[str, Any] | None = None, data: dict[str, Any] | None = None
    ) -> None:
        """Send a fact; one that was sent before goes again with the same bytes."""
        payload = self._facts.get(sequence, ("", b""))[1] or self._made(sequence, more, data)
        self._facts[sequence] = (str(self._topic("event", "ebike-in-elevator")), payload)
        self._note("sent", str(self._low), (self._stream, sequence))
        for one in self.trace.did("expect"):
            if one.place == (self._stream, sequence):
                self._note("hash-" + one.what, sha256(payload))
        self._do(Say(self._facts[sequence][0], payload))

    def _refuse(self, code: RejectCode, sequence: int, payload: bytes) -> None:
        place = (self._stream, sequence) if sequence > 3 else None
        if place:
            self._note("sent", str(self._low), place)
        self._note("bad-" + code, sha256(payload), place)
        self._do(Say(str(self._topic("event", "ebike-in-elevator")), payload))

    def _made(
        self, sequence: int, more: dict[str, Any] | None = None, data: dict[str, Any] | None = None
    ) -> bytes:
        phases = ("begin", "update", "end")
        episode = (sequence - 1) // 3
        document = {
            **self._head("event", "ebike-in-elevator", DEVICE),
            "stream": self._stream,
            "sequence": sequence_text(sequence),
            "low": sequence_text(min(self._low, sequence)),
            **(more or {}),
            "data": {
                "phase": phases[(sequence - 1) % 3],
                "episode": derived_id(self._now, self._stream, str(episode)),
                "severity": "low",
                "label": "conform",
                "since": self._now.isoformat(),
                **(data or {}),
            },
        }
        return json.dumps(document, separators=(",", ":")).encode()

    def _birth(self) -> None:
        self._note("node", NODE)
        status = {"state": "ready", "session": self._session}
        topic = Topic(self._site, AREA, NODE, SELF, "health", "status")
        self._do(Say(str(topic), json.dumps(status).encode()))
        for device, kind in ((SELF, "edge"), (DEVICE, "lift")):
            document = {
                **self._head("meta", "describe", device),
                "data": {"kind": kind, "label": "conform"},
            }
            topic = Topic(self._site, AREA, NODE, device, "meta", "describe")
            self._do(Say(str(topic), json.dumps(document).encode()))

    def _topic(self, kind: str, name: str) -> Topic:
        return Topic(self._site, AREA, NODE, DEVICE, kind, name)

    def _head(self, kind: str, name: str, device: str) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": derived_id(self._now, self._stream, device, kind, short_id()),
            "source": f"/{self._site}/{NODE}/{device}",
            "type": f"linli.{kind}.{name}",
            "time": self._now.isoformat(),
            "datacontenttype": "application/json",
            "dataschema": f"urn:linli:schema:{kind}/1.0",
            "clocksync": "synced",
        }
