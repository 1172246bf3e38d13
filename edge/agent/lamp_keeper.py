"""What is known of lamps, made safe: faults and readings in the spool, sums in a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import msgspec

from edge import health, messages
from edge.agent.recorder import Recorded
from edge.agent.sensor_keeper import SensorKeeper
from edge.lighting.circuit import Circuit, LampFault
from edge.lighting.controller import Override
from edge.lighting.meter import Meter
from edge.messages import Address
from edge.sensors.happening import Happening
from edge.spool import Spool
from linli.clock import Clock
from linli.errors import PayloadError, StoreError
from linli.events import Reading, TelemetryData
from linli.ids import uuid7
from linli.lamp_config import LampGroup
from linli.log import get_logger

log = get_logger(__name__)

FILE = "lamps.json"
GROUP = "lamp"
"""The telemetry group of readings of lamps and their groups."""
EVENT = "lamp-fault"
SET = "lamp-set"
"""Staff decide on the level of a group; ends when the group decides again."""


class _Sums(msgspec.Struct, frozen=True):
    """The sums of one lamp, and the day that its light source was renewed."""

    meter: Meter
    fitted: date | None = None


class LampKeeper:
    """Belongs to the lamps' thread. `lost_readings` never reached the disk."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        *,
        address: Address,
        spool: Spool,
        recorded: Callable[[Recorded], None],
    ) -> None:
        """Read the sums that the last run left."""
        self.lost_readings = 0
        self._path = folder / FILE
        self._clock = clock
        self._address = address
        self._spool = spool
        self._events = SensorKeeper(clock, address=address, spool=spool, recorded=recorded)
        self._sums = _read(self._path)
        self._open: dict[str, Happening] = {}
        self._set: dict[str, tuple[Override, Happening]] = {}

    @property
    def lost_events(self) -> int:
        """How many events never reached the disk, or wait for it."""
        return self._events.lost_events + self._events.unsaved

    def meters_of(self, group: LampGroup) -> Mapping[str, Meter]:
        """Return the sums of a group's lamps; of a renewed one the hours begin anew."""
        found: dict[str, Meter] = {}
        for lamp in group.lamp:
            sums = self._sums.get(lamp.id)
            if sums is None:
                continue
            same = sums.fitted == lamp.fitted
            found[lamp.id] = sums.meter if same else msgspec.structs.replace(sums.meter, burned=0.0)
        return found

    def tell(self, group: LampGroup, found: LampFault) -> None:
        """Spool the begin or the end of a lamp's fault."""
        now = self._clock.now()
        lamp, change = found.lamp, found.change
        begun = self._open.pop(lamp.id, None)
        happening = Happening(
            device=lamp.id,
            event=EVENT,
            phase=change.phase,
            episode=begun.episode if begun is not None else uuid7(now),
            severity=group.severity,
            label=change.kind,
            since=begun.since if begun is not None else now,
            time=now,
            subject=lamp.subject or group.subject,
        )
        if change.phase == "begin":
            self._open[lamp.id] = happening
        self._events.tell(happening)

    def note(self, group: LampGroup, override: Override | None) -> None:
        """Spool that staff decide on a level now, and that they no longer do."""
        before = self._set.get(group.id)
        if (before[0] if before is not None else None) == override:
            return
        now = self._clock.now()
        if before is not None:
            begun = self._set.pop(group.id)[1]
            self._events.tell(replace(begun, phase="end", time=max(now, begun.since)))
        if override is not None:
            happening = Happening(
                device=group.id,
                event=SET,
                phase="begin",
                episode=uuid7(now),
                severity="low",
                label=f"level-{100 * override.level:.0f}",
                since=now,
                time=now,
                subject=group.subject,
            )
            self._set[group.id] = (override, happening)
            self._events.tell(happening)

    def measure(self, readings: Mapping[str, tuple[Reading, ...]]) -> None:
        """Spool readings by device; what the disk refuses is counted."""
        self._events.retry()
        stamp = health.stamp(self._clock)
        for device, one in readings.items():
            topic = self._address.topic(device, "telemetry", GROUP)
            make = partial(messages.telemetry, topic, stamp, TelemetryData(readings=one))
            try:
                self._spool.put("telemetry", str(topic), make)
            except (StoreError, PayloadError) as error:
                if not self.lost_readings:
                    log.warning("lamps: readings cannot be kept: %s", error)
                self.lost_readings += len(one)

    def remember(self, circuits: Iterable[Circuit]) -> None:
        """Write down the sums of all lamps."""
        for circuit in circuits:
            for lamp in circuit.config.lamp:
                self._sums[lamp.id] = _Sums(circuit.meters[lamp.id], lamp.fitted)
        try:
            _write(self._path, self._sums)
        except OSError as error:
            log.warning("lamps: %s cannot be written (%s)", self._path, error.strerror)


def _read(path: Path) -> dict[str, _Sums]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, _Sums])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        log.warning("%s: cannot be used (%s); hours and energy are counted from 0", path, error)
        return {}


def _write(path: Path, sums: Mapping[str, _Sums]) -> None:
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        file.write(msgspec.json.encode(sums))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
