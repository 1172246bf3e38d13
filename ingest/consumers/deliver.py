"""One channel's worker: leases from the outbox, sends, writes down what came of it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

import sqlalchemy as sa

from ingest.incidents import book as incidents
from ingest.incidents.incident import Incident
from ingest.notify import climbs, outbox
from ingest.notify.bucket import Bucket, full, rest, take
from ingest.notify.channel import Channel
from ingest.notify.compose import Composer, shown, together, with_picture
from ingest.notify.contact import quiet_until
from ingest.notify.cue import still_called_for
from ingest.notify.message import Failed, Message, Outcome, Sent
from ingest.notify.note import Note
from ingest.notify.plans import in_use
from ingest.notify.retry import again_in
from ingest.store.engine import reading, writing
from linli.clock import Clock
from linli.log import get_logger

log = get_logger(__name__)

LEASE = timedelta(minutes=2)
"""Longer than any channel takes for one message; who falls while sending is waited for so long."""
LOOK = 100
DIGEST_FROM = 3
DIGEST_MOST = 20
LONG_REST = timedelta(minutes=1)
RESTS = "channel-rests"
_URGENT = frozenset({"critical", "high"})


class _Parcel(NamedTuple):
    """What is sent in one go, each with its incident."""

    notes: list[tuple[Note, Incident]]
    message: Message


class ChannelJob:
    """Sends what waits for one channel, at the channel's own pace; a dead one delays no other."""

    def __init__(
        self,
        name: str,
        channel: Channel,
        reader: sa.Engine,
        writer: sa.Engine,
        *,
        composer: Composer,
        clock: Clock,
        zone: tzinfo,
        pictures: bool = False,
        chance: random.Random | None = None,
    ) -> None:
        self._name = name
        self._channel = channel
        self._reader = reader
        self._writer = writer
        self._composer = composer
        self._clock = clock
        self._zone = zone
        self._pictures = pictures
        self._chance = chance or random.Random()  # noqa: S311 - spreads retries
        self._warned = False

    def step(self) -> bool:
        """Send one parcel; tell whether there may be more. Raises StoreError."""
        now = self._clock.now()
        with reading(self._reader) as connection:
            if not outbox.pending(connection, self._name, now):
                return False
        with writing(self._writer) as connection:
            parcel = self._lease(connection, now)
        if parcel is None:
            return False
        outcome = self._channel.send(parcel.message, _address(parcel), self._clock.now())
        with writing(self._writer) as connection:
            self._mark(connection, parcel, outcome, self._clock.now())
        self._say(outcome)
        return True

    def _lease(self, connection: sa.Connection, now: datetime) -> _Parcel | None:
        outbox.expire(connection, self._name, now)
        bucket = outbox.bucket(connection, self._name) or full(self._channel.pace, now)
        waiting = self._wanted(connection, now)
        if not waiting:
            return None
        if bucket.rests_until is not None and bucket.rests_until - now > LONG_REST:
            self._divert(connection, waiting, now)
            return None
        after, wait = take(bucket, self._channel.pace, now)
        if wait:
            return None
        notes = self._take(connection, _chosen(waiting), now)
        if not notes:
            return None
        outbox.keep_bucket(connection, self._name, after)
        return _Parcel(notes, self._compose(connection, notes, now))

    def _wanted(self, connection: sa.Connection, now: datetime) -> list[tuple[Note, Incident]]:
        """Return what is due; what nobody needs any more is suppressed on the way."""
        found: list[tuple[Note, Incident]] = []
        for note in outbox.due(connection, self._name, now, LOOK):
            incident = incidents.get(connection, note.incident)
            if incident is None or not still_called_for(incident, note.kind):
                outbox.suppress(connection, note, "overtaken", now)
            elif not in_use(connection, note.owner):
                outbox.suppress(connection, note, "left", now)
            elif (until := self._quiet_until(note, incident, now)) is not None:
                outbox.put_off(connection, note, until)
            else:
                found.append((note, incident))
        return found

    def _quiet_until(self, note: Note, incident: Incident, now: datetime) -> datetime | None:
        """Asked of each way anew: the next one, or what is told later, may come to quiet hours."""
        if note.contact is None:
            return None
        return quiet_until(note.contact, incident.severity, now, self._zone)

    def _take(
        self, connection: sa.Connection, chosen: list[tuple[Note, Incident]], now: datetime
    ) -> list[tuple[Note, Incident]]:
        leased = [(outbox.lease(connection, note, now + LEASE), of) for note, of in chosen]
        return [(note, of) for note, of in leased if note is not None]

    def _compose(
        self, connection: sa.Connection, notes: list[tuple[Note, Incident]], now: datetime
    ) -> Message:
        made = together([self._composer.message(connection, note, of, now) for note, of in notes])
        if not self._pictures or len(notes) > 1:
            return made
        incident = notes[0][1]
        made = with_picture(made, self._composer.picture(connection, incident))
        shown(connection, incident, self._name, made, now)
        return made

    def _divert(
        self, connection: sa.Connection, waiting: list[tuple[Note, Incident]], now: datetime
    ) -> None:
        """While the channel rests for long, what is urgent goes by the next contact."""
        for note, incident in waiting:
            if _has_other_way(note, incident):
                outbox.bury(connection, note, RESTS, None, now)

    def _mark(
        self, connection: sa.Connection, parcel: _Parcel, outcome: Outcome, now: datetime
    ) -> None:
        if isinstance(outcome, Sent):
            for note, _ in parcel.notes:
                outbox.sent(connection, note, outcome, now)
            return
        if outcome.advice == "pause":
            self._rest(connection, outcome, now)
        for note, incident in parcel.notes:
            other_way = _has_other_way(note, incident)
            if _long(outcome) and other_way:
                outbox.bury(connection, note, RESTS, outcome, now)
                continue
            wait = again_in(
                outcome, note.attempts, incident.severity, self._chance, other_way=other_way
            )
            if wait is not None:
                outbox.again(connection, note, outcome, now + wait)
                continue
            reason = "refused" if outcome.advice == "never" else "gave-up"
            other = outbox.bury(connection, note, reason, outcome, now)
            calls = note.kind == "call"
            if other is None and calls and not outbox.reaches(connection, note):
                climbs.hurry(connection, note.incident, note.call, now)

    def _rest(self, connection: sa.Connection, outcome: Failed, now: datetime) -> None:
        pace = self._channel.pace
        bucket = outbox.bucket(connection, self._name) or full(pace, now)
        rested: Bucket = rest(bucket, now, outcome.after or LONG_REST)
        outbox.keep_bucket(connection, self._name, rested)

    def _say(self, outcome: Outcome) -> None:
        if isinstance(outcome, Sent):
            if self._warned:
                log.warning("channel %s: works again", self._name)
            self._warned = False
        elif not self._warned:
            self._warned = True
            log.warning("channel %s: %s (%s)", self._name, outcome.words, outcome.code)


def _long(outcome: Failed) -> bool:
    return outcome.advice == "pause" and (outcome.after or LONG_REST) > LONG_REST


def _has_other_way(note: Note, incident: Incident) -> bool:
    return incident.severity in _URGENT and note.place + 1 < len(note.contacts)


def _chosen(waiting: list[tuple[Note, Incident]]) -> list[tuple[Note, Incident]]:
    """Return the most urgent alone, or with the others that wait for the same address."""
    first, incident = waiting[0]
    if incident.severity == "critical":
        return waiting[:1]
    place = _place(first)
    same = [one for one in waiting if _place(one[0]) == place and one[1].severity != "critical"]
    return same[:DIGEST_MOST] if len(same) >= DIGEST_FROM else waiting[:1]


def _place(note: Note) -> tuple[str, str | None]:
    return note.address, None if note.contact is None else note.contact.language


def _address(parcel: _Parcel) -> str:
    return parcel.notes[0][0].address
