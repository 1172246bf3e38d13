"""A house whose incidents are told of: real tables, channels of the memory, a clock by hand."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec
from house import ADMIN, CAMERA, NODE, NOON, SITE, STAFF, Folder

from ingest.consumers.audit import AuditJob
from ingest.consumers.deliver import ChannelJob
from ingest.consumers.incidents import IncidentEffect, TickJob
from ingest.consumers.notify import NotifyJob
from ingest.consumers.rules import RuleWork
from ingest.consumers.work import Cursor
from ingest.evidence.shelf import MemoryStore
from ingest.feed import Feed
from ingest.incidents.book import get
from ingest.incidents.incident import Incident
from ingest.incidents.lists import unresolved
from ingest.notify import audit, outbox
from ingest.notify.audit import Audit
from ingest.notify.bucket import take
from ingest.notify.channel import Channel, MemoryChannel, Pace
from ingest.notify.compose import Composer
from ingest.notify.cue import still_called_for
from ingest.notify.message import Failed, Message, Outcome, Sent
from ingest.notify.plans import StoredPlans
from ingest.notify.texts import Kind
from ingest.notify.wording import Links, PageLinks, PlainWording
from ingest.notify_settings import Business, Notify, WecomBotSettings
from ingest.registry.records import RecordType
from ingest.services.incidents import IncidentService
from ingest.services.people_file import PeopleFile, plan, write
from ingest.services.registry import NOTHING_YET, RegistryService
from ingest.store import state
from ingest.store.engine import reading, writing
from linli.events import EventMessage

PEOPLE: dict[str, Any] = {
    "routes": [
        {"team": "gate", "event": "zone-dwell"},
        {"team": "gate", "event": "ebike-in-elevator"},
    ],
    "rosters": [{"team": "gate", "shifts": [{"begin": "00:00", "end": "00:00", "people": ["li"]}]}],
    "contacts": [
        {
            "owner_type": "person",
            "owner": "li",
            "channel": "bot",
            "address": "li-key",
            "quiet": {"begin": "22:00", "end": "06:00"},
        },
        {"owner_type": "person", "owner": "li", "channel": "mail", "address": "li@linli.test"},
        {"owner_type": "team", "owner": "gate", "channel": "bot", "address": "group-key"},
        {"owner_type": "person", "owner": "chen", "channel": "mail", "address": "boss@linli.test"},
    ],
}
REGISTRY: tuple[tuple[RecordType, str, dict[str, object]], ...] = (
    ("team", "gate", {"label": "门岗"}),
    ("person", "li", {"label": "李", "role": "security", "account": "wang"}),
    ("person", "chen", {"label": "陈", "role": "manager"}),
)
_KINDS: dict[str, Kind] = {
    "已有人": "seen",
    "现场已": "ended",
    "已解决": "resolved",
    "仍未处": "reminder",
}


class Fallen(BaseException):
    """The process is gone."""


class Falling(MemoryChannel):
    """Sends, and then falls, as often as it is told."""

    falls = 0
    rate: Pace | None = None
    """How fast it may go; None is as fast as the fake can."""

    @property
    def pace(self) -> Pace:
        return self.rate or super().pace

    def __init__(self, leased: Callable[[str], set[tuple[str, int]]]) -> None:
        super().__init__()
        self.told: set[tuple[str, int]] = set()
        self._leased = leased

    def send(self, message: Message, address: str, now: datetime) -> Outcome:
        outcome = super().send(message, address, now)
        if isinstance(outcome, Sent):
            self.told |= self._leased(address)
        if self.falls:
            self.falls -= 1
            raise Fallen
        return outcome

    def answer(self, *failures: Failed) -> None:
        self._failures += failures

    def answers_now(self) -> None:
        """Forget the failures that were still to come."""
        self._failures.clear()


class Office:
    """`work` lets everything run for some minutes, a step each fifteen seconds."""

    def __init__(self, path: Path, *, started: bool = True) -> None:
        self.folder = Folder(path)
        self.clock = self.folder.clock
        self.feed = Feed()
        self.reader = self.folder.reader("state")
        self.channels = {name: Falling(partial(self._leased, name)) for name in ("bot", "mail")}
        self.addresses: dict[str, str] = {}
        self.others: dict[str, Channel] = {}
        self.shelf = MemoryStore()
        self.links: Links = PageLinks("https://linli.test")
        self.pictures = False
        self.pings: list[datetime] = []
        journal = self.folder.reader("journal")
        effect = IncidentEffect(self.feed, RuleWork(journal, UTC))
        self.incidents = Cursor(journal, self.folder.state, state.cursor, effect)
        self.tick = TickJob(journal, self.reader, self.folder.state, self.feed, self.clock)
        self.staff = IncidentService(self.reader, self.folder.state, self.feed)
        self._people()
        self.fresh()
        if started:
            self.notify.step()

    def _people(self) -> None:
        registry = RegistryService(self.reader, self.folder.state, self.feed, SITE)
        for what, name, values in REGISTRY:
            registry.put(ADMIN, what, name, values, seen=NOTHING_YET, now=NOON)

    def fresh(self) -> None:
        """The process was killed and started again: nothing is left in memory."""
        self.written_down(msgspec.convert(self._people_file(), PeopleFile))
        plans = StoredPlans(UTC)
        self.notify = NotifyJob(
            self.reader, self.folder.state, plans, self.clock, zone=UTC, business=Business()
        )
        self.jobs = {name: self.job(name) for name in self.channels}

    def written_down(self, file: PeopleFile) -> None:
        """Bring in who is told of what, as the command line does."""
        names = Notify(channels=tuple(WecomBotSettings(name=name) for name in self.channels))
        with writing(self.folder.state) as connection:
            made = plan(connection, file, names)
            assert not made.faults, made.faults
            write(connection, made, "cli", self.clock.now())

    def _people_file(self) -> dict[str, Any]:
        contacts = [
            {**one, "address": self.addresses.get(one["channel"], one["address"])}
            for one in PEOPLE["contacts"]
        ]
        return {**PEOPLE, "contacts": contacts}

    def job(self, name: str) -> ChannelJob:
        composer = Composer(PlainWording(), self.links, self.shelf, UTC)
        return ChannelJob(
            name,
            self.others.get(name, self.channels[name]),
            self.reader,
            self.folder.state,
            composer=composer,
            clock=self.clock,
            zone=UTC,
            pictures=self.pictures,
            chance=random.Random(1),
        )

    def audit(self, channels: tuple[str, ...] = ("bot", "mail"), *, hears: bool = True) -> AuditJob:
        def ping() -> bool:
            self.pings.append(self.clock.now())
            return True

        return AuditJob(
            self.reader,
            self.folder.state,
            lambda _: channels,
            self.clock,
            hears=lambda: hears,
            ping=ping,
        )

    def begin(self, **data: Any) -> EventMessage:
        message = self.folder.event(**{"severity": "high", **data})
        self.folder.put_event(message)
        return message

    def end(self, began: EventMessage, time: datetime | None = None) -> None:
        at = time or self.clock.now()
        message = self.folder.event(
            name=began.type.split(".")[2],
            time=at,
            phase="end",
            episode=began.data.episode,
            severity=began.data.severity,
            since=began.data.since,
            zone=began.data.zone,
        )
        self.folder.put_event(message)

    def act(self, verb: Literal["acknowledge", "resolve"], by: str = "boss") -> None:
        viewer = ADMIN if by == "boss" else STAFF
        for one in self.open():
            getattr(self.staff, verb)(viewer, one.id, self.clock.now())

    def open(self) -> list[Incident]:
        with reading(self.reader) as connection:
            return unresolved(connection)

    def incident(self) -> Incident:
        return self.open()[0]

    def deliver(self) -> None:
        for job in self.jobs.values():
            while job.step():
                pass

    def once(self) -> None:
        while self.incidents.step():
            pass
        self.tick.step()
        for _ in range(4):  # a fallback or a hurried rung wants another round
            while self.notify.step():
                pass
            self.deliver()

    def keep_picture(self, name: str, data: bytes) -> None:
        """Let a redacted picture be there, as an edge would have sent it."""
        self.shelf.put(name, data)
        row = {
            "id": name,
            "site": SITE,
            "node": NODE,
            "device": CAMERA,
            "redaction": "heads",
            "received": NOON,
            "expires": NOON + timedelta(days=7),
            "bytes": len(data),
            "sent_sha256": "0",
            "sha256": "0",
            "width": 64,
            "height": 48,
        }
        with writing(self.folder.state) as connection:
            connection.execute(state.evidence.insert(), row)

    def work(self, minutes: int = 0) -> None:
        self.once()
        for _ in range(minutes * 4):
            self.clock.advance(15)
            self.once()

    def answer(self, channel: str, *failures: Failed) -> None:
        self.channels[channel].answer(*failures)

    def fall_after_sending(self, channel: str) -> None:
        self.channels[channel].falls = 1
        try:
            self.jobs[channel].step()
        except Fallen:
            return
        raise AssertionError("nothing was sent")

    def said(self, channel: str) -> list[tuple[str, Kind]]:
        return [(address, kind_of(one)) for one, address in self.channels[channel].sent]

    def waits(self, channel: str) -> bool:
        """Tell whether a worker would send something now."""
        now = self.clock.now()
        with reading(self.reader) as connection:
            due = outbox.due(connection, channel, now, 100)
            bucket = outbox.bucket(connection, channel)
            found = [(one, get(connection, one.incident)) for one in due]
        pace = self.channels[channel].pace
        if bucket is not None and take(bucket, pace, now)[1]:
            return False
        return any(still_called_for(of, one.kind) for one, of in found)

    def keys_told(self) -> list[str]:
        """Return the key of each row that a channel took, those of a digest too."""
        return [key for channel in self.channels.values() for key, _ in channel.told]

    def _leased(self, channel: str, address: str) -> set[tuple[str, int]]:
        """Return what is just being sent there: each lease is a key and how many were before."""
        with reading(self.reader) as connection:
            notes = outbox.notes(connection, state="leased", limit=10_000)
        return {
            (one.key, one.attempts)
            for one in notes
            if (one.channel, one.address) == (channel, address)
        }

    def replace(self, name: str, channel: Channel, address: str) -> None:
        """Put another channel into the place of a fake, with one address for all."""
        self.addresses[name] = address
        self.others[name] = channel
        self.fresh()

    def tally(self) -> dict[str, int]:
        with reading(self.reader) as connection:
            counts = outbox.counts(connection)
        found: Counter[str] = Counter()
        for one in counts:
            found[f"{one.state} {one.reason}" if one.reason else one.state] += one.number
        return dict(found)

    def doubts(self) -> int:
        with reading(self.reader) as connection:
            return sum(one.doubts for one in outbox.counts(connection))

    def status(self) -> Audit:
        with reading(self.reader) as connection:
            found = audit.get(connection)
        assert found is not None
        return found

    def close(self) -> None:
        self.folder.close()


def kind_of(message: Message) -> Kind:
    return next((kind for word, kind in _KINDS.items() if word in message.title), "call")
