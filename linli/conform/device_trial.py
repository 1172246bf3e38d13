"""Plays the ingest to a device: withholds receipts, cuts the line, refuses a fact, commands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta

from linli.codec import encode, sha256
from linli.commands import CommandData, CommandMessage
from linli.conform.trace import Commanded, Connected, Event, Left, Sent, Subscribed
from linli.conform.trial import Cut, Open, Say, Script, Trial, Wait, never
from linli.errors import InputError
from linli.events import NodeState, Receipt, Reject, Status, schema_uri
from linli.ids import short_id, uuid7
from linli.topics import Topic, ingest_status_topic, is_id, receipt_topic, reject_topic

_BACK = 70.0
_TTL = 10.0
_AWAY = 0.5
_FINAL = frozenset({"done", "failed", "expired"})
_WISH = re.compile(r"([a-z0-9-]+)@([a-z0-9-]+)(?:=([a-z0-9-]+))?", re.ASCII)
_OPERATOR = "op-00000000"


@dataclass(frozen=True, slots=True)
class Wish:
    """A command to try: its name, the device, and the prompt where it speaks one."""

    name: str
    device: str
    prompt: str | None = None

    @classmethod
    def parse(cls, text: str) -> Wish:
        """Read NAME@DEVICE or NAME@DEVICE=PROMPT. Raises InputError."""
        found = _WISH.fullmatch(text)
        if found is None or not (is_id(found[1]) and is_id(found[2])):
            raise InputError(
                f"must be NAME@DEVICE, not {text!r}",
                where="--command",
                hint="Such as door-hold@lift-1, or voice-prompt@speaker-1=no-ebikes",
            )
        return cls(*found.groups())

    @property
    def data(self) -> CommandData:
        """What the command says: the least that its name needs."""
        if self.name == "door-hold":
            return CommandData(operator=_OPERATOR, holds=5)
        if self.name == "lamp-set":
            return CommandData(operator=_OPERATOR, level=0.5, lasts=60)
        return CommandData(operator=_OPERATOR, prompt=self.prompt)


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """How long to wait, in seconds: `patience` for what a device does in its own time, `quiet`
    for what it must not do. `stop` waits at the end until somebody stops it.
    """

    node: str = ""
    facts: int = 2
    patience: float = 120.0
    quiet: float = 5.0
    commands: tuple[Wish, ...] = ()
    stop: bool = False


@dataclass
class _Stream:
    """What of a stream has an answer."""

    upto: int
    beyond: set[int] = field(default_factory=set)

    def take(self, sequence: int) -> None:
        """Cover a sequence."""
        if sequence > self.upto:
            self.beyond.add(sequence)
        while self.upto + 1 in self.beyond:
            self.upto += 1
            self.beyond.remove(self.upto)


class DeviceTrial(Trial):
    """The first client to connect is the one that is tried, or the one that the plan names."""

    def __init__(self, plan: DevicePlan) -> None:
        super().__init__()
        self._plan = plan
        self.trace.node = plan.node
        self._site = self._area = ""
        self._streams: dict[str, _Stream] = {}
        self._waiting: dict[tuple[str, int], Sent] = {}
        self._answering = False
        self._session = short_id()
        self._connections = 0
        self._up = False

    def see(self, client: str, event: Event) -> None:
        """Take what passed the relay; answer facts while that is due."""
        if not self.trace.node and isinstance(event, Connected):
            self.trace.node = client
        if client != self.trace.node:
            return
        self.trace.add(event)
        if isinstance(event, Connected):
            self._connections += 1
            self._up = True
        elif isinstance(event, Left):
            self._up = False
        elif isinstance(event, Subscribed):
            self._learn(event.filters[0][0] if event.filters else "")
        elif isinstance(event, Sent):
            self._learn(event.topic)
            self._take(event)

    def _learn(self, topic: str) -> None:
        levels = topic.split("/")
        if len(levels) > 3 and not self._site and is_id(levels[2]):
            self._site = levels[2]
        if len(levels) > 4 and levels[4] == self.trace.node and is_id(levels[3]):
            self._area = self._area or levels[3]

    def _take(self, sent: Sent) -> None:
        if sent.kind not in {"event", "telemetry"} or sent.place is None:
            return
        stream, sequence = sent.place
        low = sent.text("low")
        start = int(low) - 1 if low.isdigit() else sequence - 1
        known = self._streams.setdefault(stream, _Stream(max(0, min(start, sequence - 1))))
        if sequence <= known.upto or sequence in known.beyond:
            if self._answering:
                self._receipt(stream)
            return
        self._waiting.setdefault(sent.place, sent)
        if self._answering:
            self._cover(sent.place)
            self._receipt(stream)

    def _cover(self, place: tuple[str, int]) -> None:
        self._waiting.pop(place, None)
        self._streams[place[0]].take(place[1])
        self._note("receipt", place=place)

    def _receipt(self, stream: str) -> None:
        one = self._streams[stream]
        ranges = tuple((number, number) for number in sorted(one.beyond)[:256])
        said = Receipt(stream=stream, upto=one.upto, ranges=ranges)
        topic = receipt_topic(self._site, self.trace.node, stream)
        self._do(Say(str(topic), encode(said), retain=True))

    def script(self) -> Script:
        """Let it connect, number, come back, hold, send again, forget, obey and leave."""
        plan = self._plan
        yield Wait(lambda: bool(self._site and self._area), plan.patience)
        if not self._site:
            return
        self._ingest("ready")
        self.phase = f"waiting for {plan.facts} facts, without receipts"
        yield Wait(lambda: len(self._waiting) >= plan.facts, plan.patience)
        yield Wait(never, _AWAY)  # for PUBACK: clients send again by themselves what has none
        yield from self._lose("init")
        self.phase = "the ingest is not ready: facts have to wait"
        yield Wait(never, plan.quiet)
        yield from self._resend()
        for wish in plan.commands:
            yield from self._command(wish)
        yield from self._lose("ready")
        self.phase = "waiting for a new fact and a report"
        yield Wait(never, plan.quiet)
        self._clear()
        cut = self.trace.did("cut")[-1].at
        yield Wait(
            lambda: (
                any(one.at > cut for one in self.trace.first_facts().values())
                and bool(self.trace.sent("health", "report"))
            ),
            plan.patience,
        )
        if plan.stop:
            self._note("stop")
            self.phase = "stop it now, politely"
            yield Wait(lambda: not self._up, plan.patience)

    def _resend(self) -> Script:
        before = dict(self._waiting)
        opened = self._now
        self._ingest("ready")
        self.phase = "waiting for all to be sent again"
        yield Wait(
            lambda: before.keys() <= {one.place for one in self.trace.facts() if one.at >= opened},
            self._plan.patience,
        )
        self.phase = "one fact is refused, the others have their receipts"
        places = sorted(self._waiting, key=lambda place: self._waiting[place].kind != "telemetry")
        if places:
            self._refuse(places[0])
        for place in places[1:]:
            self._cover(place)
        for stream in self._streams:
            self._receipt(stream)
        self._answering = True
        yield Wait(never, self._plan.quiet)

    def _refuse(self, place: tuple[str, int]) -> None:
        sent = self._waiting.pop(place)
        reject = Reject(
            code="schema",
            path="$",
            sha256=sha256(sent.payload),
            topic=sent.topic,
            id=sent.text("id")[:64],
            stream=place[0],
            sequence=sent.text("sequence"),
        )
        topic = reject_topic(self._site, self.trace.node, "schema")
        self._do(Say(str(topic), encode(reject)))
        self._streams[place[0]].take(place[1])
        self._note("reject", place=place)

    def _lose(self, state: NodeState) -> Script:
        """Cut the line; what is retained meanwhile is the first that it hears again."""
        self.phase = "its connection is cut"
        self._note("cut")
        self._do(Cut())
        self._ingest(state)
        for wish in self._plan.commands if self._answering else ():
            self._say_command(wish, "retained", retain=True, ttl=3600)
        connections = self._connections
        yield Wait(never, _AWAY)
        self._note("open")
        self._do(Open())
        self.phase = "waiting for it to come back"
        yield Wait(lambda: self._connections > connections, _BACK)

    def _ingest(self, state: NodeState) -> None:
        if state == "init":
            self._session = short_id()
        status = Status(state=state, session=self._session, agent="conform", since=self._now)
        self._note(state)
        self._do(Say(str(ingest_status_topic(self._site)), encode(status), retain=True))

    def _command(self, wish: Wish) -> Script:
        self.phase = f"trying {wish.name} on {wish.device}"
        command = self._say_command(wish, "ordinary")
        yield Wait(lambda: self._finished(command), _TTL + 6)
        self._say_command(wish, "duplicate", again=command)
        self._say_command(wish, "expired", ttl=-60)
        self._say_command(Wish(wish.name, "nobody-here", wish.prompt), "elsewhere")
        self._say_command(Wish("make-tea", wish.device), "unknown")
        yield Wait(never, self._plan.quiet)

    def _finished(self, command: CommandMessage) -> bool:
        return any(
            one.data.get("command") == command.id and one.data.get("phase") in _FINAL
            for one in self.trace.sent("ack")
        )

    def _say_command(
        self,
        wish: Wish,
        variant: str,
        *,
        ttl: float = _TTL,
        retain: bool = False,
        again: CommandMessage | None = None,
    ) -> CommandMessage:
        topic = self._topic(wish)
        command = again or CommandMessage(
            specversion="1.0",
            id=uuid7(self._now),
            source=f"/{self._site}/svc-command",
            type=topic.type,
            time=self._now,
            datacontenttype="application/json",
            dataschema=schema_uri("command"),
            clocksync="synced",
            expirytime=self._now + timedelta(seconds=ttl),
            data=wish.data,
        )
        self.trace.add(
            Commanded(
                at=self._now,
                variant=variant,
                command=command.id,
                device=wish.device,
                name=wish.name,
                expires=command.expirytime,
            )
        )
        self._do(Say(str(topic), encode(command), retain=retain))
        return command

    def _clear(self) -> None:
        """Leave no retained command behind."""
        for wish in self._plan.commands:
            self._do(Say(str(self._topic(wish)), b"", retain=True))

    def _topic(self, wish: Wish) -> Topic:
        return Topic(self._site, self._area, self.trace.node, wish.device, "command", wish.name)
