"""Readings and happenings of sensors, made safe in the spool."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from edge import health, messages
from edge.agent.recorder import Recorded
from edge.messages import Address, Stamp
from edge.sensors.happening import Happening
from edge.sensors.reading import Reading
from edge.spool import Spool
from linli.clock import Clock
from linli.errors import PayloadError, StoreError
from linli.events import EventData, TelemetryData
from linli.events import Reading as WireReading
from linli.ids import uuid7
from linli.log import get_logger
from linli.topics import SELF

log = get_logger(__name__)

GROUP = "sensor"
"""The telemetry group of readings of sensors."""
MAX_UNSAVED = 256
_AT_ONCE = 100  # readings in one message: far below what may be in it, in number and bytes


class SensorKeeper:
    """Belongs to the desk, under its lock; while the disk refuses, up to MAX_UNSAVED events wait.

    `events` were put into the spool since the start; `lost_readings` and `lost_events` never
    reached the disk.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        address: Address,
        spool: Spool,
        recorded: Callable[[Recorded], None],
        group: str = GROUP,
    ) -> None:
        """`group` is what its readings are called together."""
        self.events = 0
        self.lost_readings = 0
        self.lost_events = 0
        self._clock = clock
        self._address = address
        self._spool = spool
        self._recorded = recorded
        self._group = group
        self._unsaved: deque[tuple[str, Happening]] = deque()

    @property
    def unsaved(self) -> int:
        """How many events wait for the disk."""
        return len(self._unsaved)

    def keep(self, readings: Mapping[str, Sequence[Reading]]) -> None:
        """Spool the readings of each device, all in one commit; on failure they are counted."""
        self.retry()
        stamp = health.stamp(self._clock)
        wanted = [
            self._telemetry(device, self._group, stamp, one[at : at + _AT_ONCE])
            for device, one in readings.items()
            for at in range(0, len(one), _AT_ONCE)
        ]
        self._put(wanted, sum(len(one) for one in readings.values()))

    def tally(self, values: Mapping[str, float]) -> None:
        """Spool how the sensors of this box do as a whole, as readings of the box itself."""
        now = self._clock.now()
        readings = [Reading(SELF, name, value, "1", now) for name, value in values.items()]
        stamp = health.stamp(self._clock)
        self._put([self._telemetry(SELF, "sensors", stamp, readings)], len(readings))

    def tell(self, happening: Happening) -> None:
        """Put an event into the spool, after those that wait."""
        if len(self._unsaved) >= MAX_UNSAVED:
            self._unsaved.popleft()
            self.lost_events += 1
        self._unsaved.append((uuid7(self._clock.now()), happening))
        self.retry()

    def retry(self) -> None:
        """Put what waits, in order, as far as the disk takes it."""
        while self._unsaved:
            try:
                self._put_event(*self._unsaved[0])
            except StoreError as error:
                log.warning("sensors: %s; %d events wait for the disk", error, self.unsaved)
                return
            except PayloadError as error:
                log.error("sensors: event breaks the contract: %s", error)  # noqa: TRY400
                self.lost_events += 1
            self._unsaved.popleft()

    def _put(
        self, wanted: Sequence[tuple[str, Callable[[messages.Place], bytes]]], count: int
    ) -> None:
        try:
            self._spool.put_all("telemetry", wanted)
        except (StoreError, PayloadError) as error:
            if not self.lost_readings:
                log.warning("sensors: readings cannot be kept: %s", error)
            self.lost_readings += count

    def _telemetry(
        self, device: str, group: str, stamp: Stamp, readings: Sequence[Reading]
    ) -> tuple[str, Callable[[messages.Place], bytes]]:
        topic = self._address.topic(device, "telemetry", group)
        data = TelemetryData(readings=tuple(_on_wire(one) for one in readings))
        return str(topic), partial(messages.telemetry, topic, stamp, data)

    def _put_event(self, event_id: str, happening: Happening) -> None:
        topic = self._address.topic(happening.device, "event", happening.event)
        data = EventData(
            phase=happening.phase,
            episode=happening.episode,
            severity=happening.severity,
            label=happening.label,
            since=messages.milliseconds(happening.since),
            zone=happening.zone,
        )
        phase = happening.phase
        row = self._spool.put(
            "events",
            str(topic),
            lambda place: messages.event(
                topic,
                health.stamp(self._clock),
                place,
                data,
                event_id=event_id,
                time=happening.time,
                subject=happening.subject,
            ),
            opens=happening.episode if phase == "begin" else None,
            closes=happening.episode if phase == "end" else None,
        )
        self.events += 1
        self._recorded(
            Recorded(
                event_id=event_id,
                event=happening.event,
                row=row,
                phase=happening.phase,
                episode=happening.episode,
                time=happening.time,
                captured=happening.time,
            )
        )


def _on_wire(reading: Reading) -> WireReading:
    return WireReading(
        n=reading.quantity,
        v=reading.value,
        u=reading.unit,
        t=messages.milliseconds(reading.time),
        q=reading.quality,
    )
