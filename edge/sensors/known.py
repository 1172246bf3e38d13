"""A sensor of the settings with all that its mapping says of it."""

from __future__ import annotations

from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from edge.sensors.liveness import limit_of
from edge.sensors.mapping import Alarm, Mapping, load_mapping
from edge.sensors.quality import Terms
from edge.sensors.quantity import QUANTITIES
from linli.errors import InputError
from linli.events import PASSED, REFUSED, Severity
from linli.sensor_config import Sensor, SensorSource

_EVENTS = {"open": "door-open"}
_PASSAGES = {"access-granted": PASSED, "access-denied": REFUSED}
_SEVERITIES: dict[str, Severity] = {
    "smoke": "critical",
    "gas": "critical",
    "carbon-monoxide": "critical",
    "water-leak": "high",
    "forced": "high",
}


@dataclass(frozen=True, slots=True)
class KnownSensor:
    """`limit`: seconds of silence after which it is gone; `alarms` by quantity."""

    id: str
    label: str
    kind: str
    source: str
    address: str
    subject: str | None
    mapping: Mapping
    limit: float
    alarms: AbstractMapping[str, tuple[Alarm, ...]]
    terms: AbstractMapping[str, Terms]

    @property
    def worst(self) -> Severity:
        """How bad it is when it is gone: what is there to cry fire may not be silent unseen."""
        return "medium" if _SEVERITIES.get(self.kind) else "low"


def known_sensors(
    sources: Sequence[SensorSource], sensors: Sequence[Sensor]
) -> tuple[KnownSensor, ...]:
    """Read the mappings and hold each sensor against its own. Raises InputError."""
    kinds = {source.id: source.kind for source in sources}
    mappings: dict[str, Mapping] = {}
    found: list[KnownSensor] = []
    for sensor in sensors:
        kind = kinds[sensor.source]
        name = sensor.mapping or kind
        mapping = mappings.get(name) or load_mapping(name)
        mappings[name] = mapping
        if kind not in mapping.format:
            raise InputError(
                f"mapping {name!r} is for {', '.join(mapping.format)}, but source "
                f"{sensor.source!r} speaks {kind}",
                where=f"sensor {sensor.id}",
            )
        found.append(_known(sensor, mapping))
    return tuple(found)


def _known(sensor: Sensor, mapping: Mapping) -> KnownSensor:
    terms = {
        one.quantity: Terms(
            *one.span,
            timedelta(seconds=one.stuck_after) if one.stuck_after is not None else None,
        )
        for one in reversed(mapping.reading)
    }
    alarms: dict[str, tuple[Alarm, ...]] = {}
    for alarm in (*mapping.alarm, *_own_alarms(sensor, mapping), *passages(mapping)):
        alarms[alarm.quantity] = (*alarms.get(alarm.quantity, ()), alarm)
    return KnownSensor(
        id=sensor.id,
        label=sensor.label,
        kind=sensor.kind or mapping.kind,
        source=sensor.source,
        address=sensor.address,
        subject=sensor.subject,
        mapping=mapping,
        limit=limit_of(sensor, mapping.supply),
        alarms=alarms,
        terms=terms,
    )


def passages(mapping: Mapping) -> list[Alarm]:
    """Return what makes an event of each passage, whether it is an alarm too or not."""
    have = {one.quantity for one in mapping.reading}
    return [
        Alarm(quantity=quantity, event=event, severity="low")
        for quantity, event in _PASSAGES.items()
        if quantity in have
    ]


def _own_alarms(sensor: Sensor, mapping: Mapping) -> list[Alarm]:
    have = {one.quantity for one in mapping.reading}
    taken = {alarm.event for alarm in mapping.alarm}
    own: list[Alarm] = []
    for quantity in sensor.alarm:
        what, event = QUANTITIES.get(quantity), _EVENTS.get(quantity, quantity)
        if what is None or what.nature == "analog" or quantity not in have:
            raise InputError(
                f"alarm {quantity!r} is no state that its mapping reads",
                where=f"sensor {sensor.id}",
                hint=f"It reads: {', '.join(sorted(have))}",
            )
        if event in taken:
            continue  # the mapping tells of it already
        severity = _SEVERITIES.get(quantity, "medium")
        after = sensor.alarm_after
        own.append(Alarm(quantity=quantity, event=event, severity=severity, after=after))
    return own
