"""One camera's facts, made safe: the picture on disk first, then event or readings in the spool."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, Protocol, get_args

from edge import health, messages
from edge.agent.readings import group_of, heard_of, telemetry_of
from edge.facts import (
    Act,
    CountFact,
    DoorFact,
    EpisodeFact,
    Fact,
    PromptFact,
    StateFact,
    TrialFact,
)
from edge.messages import Address
from edge.pictures import EvidenceStore, Picture
from edge.redact import RedactedPicture, Withheld
from edge.sensors.reading import Readings
from edge.settings import Camera, Scenario
from edge.spool import Row, Spool
from linli.clock import Clock
from linli.errors import PayloadError, StoreError
from linli.events import Action, EventData, Phase, Snapshot
from linli.ids import uuid7
from linli.log import get_logger
from linli.topics import Topic

log = get_logger(__name__)

MAX_UNSAVED = 256
TRIAL_DAYS = 7
"""How long a picture of a trial may be kept; those of events have `evidence_days`."""
Reason = Literal[Withheld, "disk"]
"""Why an event has no picture; `disk`: the disk refused it."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event that is safe in the spool; `captured` is when its frame was."""

    event_id: str
    event: str
    row: Row
    phase: Phase
    episode: str
    time: datetime
    captured: datetime


@dataclass(slots=True)
class RecorderCounts:
    """What was recorded since the start; `lost` ones never reached the disk.

    `withheld` are events and trials that began without a picture, by why there is none.
    """

    events: int = 0
    pictures: int = 0
    withheld: dict[Reason, int] = field(default_factory=lambda: dict.fromkeys(get_args(Reason), 0))
    readings: int = 0
    lost: int = 0
    lost_readings: int = 0


@dataclass(frozen=True, slots=True)
class _Unsaved:
    event_id: str
    topic: Topic
    data: EventData
    fact: EpisodeFact


class ActWatch(Protocol):
    """Who acts on what is seen, and says what was done about a scenario just now."""

    def see(self, fact: Act) -> None:
        """Take what a camera shows; never waits."""
        ...

    def acted(self, rule: Scenario) -> tuple[Action, ...]:
        """Return what was done just now by what a scenario names."""
        ...


class Recorder:
    """Belongs to one camera's thread. While the disk refuses, a bounded number of events waits."""

    def __init__(
        self,
        camera: Camera,
        clock: Clock,
        *,
        address: Address,
        spool: Spool,
        pictures: EvidenceStore,
        recorded: Callable[[Recorded], None],
        waits: Callable[[], None] = lambda: None,
        listeners: Sequence[Readings] = (),
        acts: ActWatch | None = None,
    ) -> None:
        """`recorded` is told of each event after its commit, `listeners` of places' states.

        `waits` is told that a picture waits to be sent of which no event speaks.
        `acts` are told of what is to be acted on.
        """
        self.counts = RecorderCounts()
        self._camera = camera
        self._address = address
        self._spool = spool
        self._pictures = pictures
        self._clock = clock
        self._recorded = recorded
        self._waits = waits
        self._listeners = listeners
        self._acts = acts
        self._unsaved: deque[_Unsaved] = deque()

    def change(self, camera: Camera) -> None:
        """Go by other settings of the same camera."""
        self._camera = camera

    @property
    def unsaved(self) -> int:
        """How many events wait for the disk."""
        return len(self._unsaved)

    def record(self, fact: Fact) -> None:
        """Keep a fact; an event is safe unless `unsaved` says otherwise."""
        if isinstance(fact, DoorFact | PromptFact):
            if self._acts is not None:
                self._acts.see(fact)
        elif isinstance(fact, EpisodeFact):
            self._record_episode(fact)
        elif isinstance(fact, TrialFact):
            trial = f"{fact.event}/{fact.zone}"
            days = min(TRIAL_DAYS, self._camera.evidence_days)
            self._keep(fact.picture, days, trial=trial)
            self._waits()
        else:
            self._record_readings(fact)
        if isinstance(fact, StateFact):
            heard = heard_of(self._camera.id, fact)
            for listener in self._listeners:
                listener.take(heard)

    def _record_episode(self, fact: EpisodeFact) -> None:
        fact, rule = fact.on_set_clock(), fact.scenario
        data = EventData(
            phase=fact.phase,
            episode=fact.episode,
            severity=rule.severity,
            label=fact.label,
            since=messages.milliseconds(fact.since),
            confidence=fact.confidence,
            zone=fact.zone,
            dwell=fact.dwell,
            track=fact.track,
            model=fact.model,
            action=self._acts.acted(rule) if self._acts is not None else (),
            snapshot=self._keep_picture(fact),
        )
        topic = self._address.topic(self._camera.id, "event", rule.event)
        if len(self._unsaved) >= MAX_UNSAVED:
            self._unsaved.popleft()
            self.counts.lost += 1
        self._unsaved.append(_Unsaved(uuid7(self._clock.now()), topic, data, fact))
        self.flush()

    def _record_readings(self, fact: StateFact | CountFact) -> None:
        """Spool readings; what the disk refuses is counted, a state is said again by the next."""
        topic = self._address.topic(self._camera.id, "telemetry", group_of(fact))
        stamp = health.stamp(self._clock)
        make = partial(messages.telemetry, topic, stamp, telemetry_of(fact))
        try:
            self._spool.put("telemetry", str(topic), make)
        except StoreError as error:
            self.counts.lost_readings += 1
            if self.counts.lost_readings == 1:
                log.warning("agent: readings cannot be kept: %s", error)
            return
        self.counts.readings += 1

    def flush(self) -> None:
        """Put what waits into the spool, in order, as far as the disk takes it."""
        while self._unsaved:
            try:
                self._put(self._unsaved[0])
            except StoreError as error:
                log.warning("agent: %s; %d events wait for the disk", error, len(self._unsaved))
                return
            except PayloadError as error:
                log.error("agent: event breaks the contract: %s", error)  # noqa: TRY400
                self.counts.lost += 1
            self._unsaved.popleft()

    def _put(self, unsaved: _Unsaved) -> None:
        topic, fact = unsaved.topic, unsaved.fact
        row = self._spool.put(
            "events",
            str(topic),
            lambda place: messages.event(
                topic,
                health.stamp(self._clock),
                place,
                unsaved.data,
                event_id=unsaved.event_id,
                time=fact.time,
                subject=self._camera.subject,
            ),
            opens=fact.episode if fact.phase == "begin" else None,
            closes=fact.episode if fact.phase == "end" else None,
        )
        self.counts.events += 1
        self._recorded(
            Recorded(
                event_id=unsaved.event_id,
                event=topic.name,
                row=row,
                phase=fact.phase,
                episode=fact.episode,
                time=fact.time,
                captured=fact.captured,
            )
        )

    def _keep_picture(self, fact: EpisodeFact) -> Snapshot | None:
        if fact.phase != "begin":
            return None
        return self._keep(fact.picture, self._camera.evidence_days, episode=fact.episode)

    def _keep(
        self,
        made: RedactedPicture | Withheld | None,
        days: int,
        *,
        episode: str | None = None,
        trial: str | None = None,
    ) -> Snapshot | None:
        if made is None:
            return None
        if not isinstance(made, RedactedPicture):
            return self._withheld(made)
        jpeg = made.jpeg
        now = self._clock.now()
        picture = Picture(
            id=uuid7(now),
            sha256=hashlib.sha256(jpeg).hexdigest(),
            bytes=len(jpeg),
            redaction=made.redaction,
            expires=messages.milliseconds(now + timedelta(days=days)),
            device=self._camera.id,
            episode=episode,
            trial=trial,
        )
        try:
            self._pictures.put(picture, jpeg)
        except StoreError as error:
            log.warning("agent: %s; it goes without a picture", error)
            return self._withheld("disk")
        self.counts.pictures += 1
        return Snapshot(
            redaction=picture.redaction,
            id=picture.id,
            sha256=picture.sha256,
            bytes=picture.bytes,
            expires=picture.expires,
        )

    def _withheld(self, reason: Reason) -> Snapshot:
        self.counts.withheld[reason] += 1
        return Snapshot(redaction="withheld")
