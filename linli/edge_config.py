"""What an edge watches and with which model: the part of its settings that the ingest keeps too.

A configuration document is one `EdgeConfig` as JSON. The ingest keeps every version of it; the edge
takes it over HTTPS and lays its own file over it, so that this file pins what it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from msgspec import Meta

from linli.door_config import Door, check_doors
from linli.events import Severity, Slug
from linli.hours import Window
from linli.lamp_config import LampGroup, Position, check_lamps
from linli.log import redact
from linli.sensor_config import Sensor, SensorSource, check_sensors
from linli.settings import Settings, read_secret
from linli.speaker_config import PROMPTS, Prompt, Speaker, check_speakers
from linli.topics import SELF
from linli.waste_config import Bin, Guide, check_bins
from linli.zone_config import CAMERA_GROUP, SHADOW_GROUP, Line, Mask, Share, Zone

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Place = Annotated[str, Meta(min_length=1, max_length=128)]
Address = Annotated[str, Meta(min_length=1, max_length=1024)]
Score = Annotated[float, Meta(ge=0.1, le=1)]
Speed = Annotated[float, Meta(ge=0.1, le=100)] | Literal["max"]
SourceKind = Literal["file", "rtsp", "http", "usb", "pattern"]

PATTERN = "pattern:"
PATTERNS = ("square", "empty")
_GONE_FRAMES = 2
_RTSP = ("rtsp://", "rtsps://")
_HTTP = ("http://", "https://")
_NETWORK: tuple[SourceKind, ...] = ("rtsp", "http")
_DEVICES = "/dev/"
_PASSWORD = "{password}"  # noqa: S105, the place for one


class Model(Settings, frozen=True, kw_only=True):
    """Which detection model runs: a file, or a name of the catalogue without dot and slash.

    `builtin` is the one that Linli brings. `name` is what events say; when not given, the
    catalogue's name or the file's.
    """

    file: Annotated[str, Meta(min_length=1)] = "builtin"
    threads: Annotated[int, Meta(ge=1, le=64)] = 1
    name: Slug | None = None


class Scenario(Settings, frozen=True, kw_only=True):
    """What makes an event: one of `labels` stays in `zone` for `dwell` seconds.

    With `at_least` above 1 it is so many of them at once. `pack` names the scenario of Linli's that
    the settings not given are taken from. In `shadow` it decides and is counted, and does nothing;
    `off` keeps its settings and does not even look. `door` is held from the first suspicion on,
    `say` is said by `speaker` once confirmed.
    """

    event: Slug
    labels: Annotated[tuple[Slug, ...], Meta(min_length=1, max_length=32)]
    zone: Slug
    pack: Slug | None = None
    at_least: Annotated[int, Meta(ge=1, le=100)] = 1
    during: Annotated[tuple[Window, ...], Meta(max_length=28)] = ()
    shadow: bool = False
    off: bool = False
    door: Slug | None = None
    say: Prompt | None = None
    speaker: Slug | None = None
    dwell: Annotated[float, Meta(ge=0, le=3600)] = 2.0
    severity: Severity = "medium"
    score: Score | None = None
    votes: Annotated[int, Meta(ge=1, le=50)] = 3
    of: Annotated[int, Meta(ge=1, le=50)] = 5
    gone_after: Annotated[float, Meta(ge=0.1, le=600)] = 2.0
    cooldown: Annotated[float, Meta(ge=0, le=86400)] = 10.0
    doubt: Annotated[float, Meta(ge=0, le=60)] = 0.0

    def __post_init__(self) -> None:
        if self.votes > self.of:
            raise ValueError(f"votes must be at most of ({self.of}), not {self.votes}")
        if self.speaker is not None and self.say is None:
            raise ValueError(f"speaker {self.speaker!r} needs say: {', '.join(PROMPTS)}")


class State(Settings, frozen=True, kw_only=True):
    """A place whose state was taught: `file` is what `linli states teach` wrote.

    Or `taught` is its content, so that what was taught on a page travels with the document.

    `crop` (left, top, right, bottom in 0..1) is given when it is not where it was taught.
    """

    id: Slug
    file: Annotated[str, Meta(min_length=1)] | None = None
    taught: dict[str, Any] | None = None
    crop: tuple[Share, Share, Share, Share] | None = None
    every: Annotated[float, Meta(ge=0.5, le=3600)] = 10.0
    dwell: Annotated[float, Meta(ge=0, le=86400)] = 30.0
    alarm: Annotated[tuple[Slug, ...], Meta(max_length=12)] = ()
    event: Slug | None = None
    severity: Severity = "low"

    def __post_init__(self) -> None:
        if self.id in (CAMERA_GROUP, SHADOW_GROUP):
            raise ValueError(f"a state may not be called {self.id!r}: its readings are others")
        if (self.file is None) == (self.taught is None):
            raise ValueError(f"state {self.id!r} needs file or taught, one of them")
        if (self.event is None) == bool(self.alarm):
            raise ValueError("alarm and event go together: the states, and what they are called")
        if self.crop is not None and not (
            self.crop[0] < self.crop[2] and self.crop[1] < self.crop[3]
        ):
            raise ValueError("crop is left, top, right, bottom in 0..1, left < right, top < bottom")


class Attention(Settings, frozen=True, kw_only=True):
    """How much is looked at in a camera's pictures; each bound has a counter in its health.

    With `gate` a frame in which less than a share `motion` of the picture changed since the last
    look is not looked at, for at most `redetect` seconds. `regions` are closer looks at one frame,
    `tracks` the objects followed at once, `track_life` seconds that one outlives its last sight.
    """

    gate: bool | None = None
    motion: Annotated[float, Meta(ge=0.0001, le=0.5)] = 0.0005
    redetect: Annotated[float, Meta(ge=0.2, le=60)] = 2.0
    regions: Annotated[int, Meta(ge=0, le=16)] = 2
    tracks: Annotated[int, Meta(ge=1, le=500)] = 64
    track_life: Annotated[float, Meta(ge=0.2, le=60)] = 2.0


class Camera(Settings, frozen=True, kw_only=True):
    """One camera, and what is looked for in its picture.

    Without `live` nobody is shown its picture, whoever asks for it.
    """

    id: Slug
    label: Name
    source: Address
    evidence_source: Address | None = None
    password_file: str | None = None
    subject: Place | None = None
    fps: Annotated[float, Meta(ge=0.2, le=30)] = 5.0
    speed: Speed = 1.0
    evidence_days: Annotated[int, Meta(ge=1, le=3650)] = 30
    redact_within: Annotated[float, Meta(ge=0.1, le=60)] = 2.0
    live: bool = True
    mask: Annotated[tuple[Mask, ...], Meta(max_length=16)] = ()
    zone: Annotated[tuple[Zone, ...], Meta(max_length=32)] = ()
    tamper: bool | None = None
    attention: Attention = Attention()
    line: Annotated[tuple[Line, ...], Meta(max_length=8)] = ()
    scenario: Annotated[tuple[Scenario, ...], Meta(max_length=32)] = ()
    state: Annotated[tuple[State, ...], Meta(max_length=32)] = ()
    guide: Guide | None = None

    def __post_init__(self) -> None:
        if self.guide is not None and (self.zone or self.line or self.scenario or self.state):
            raise ValueError(f"camera {self.id!r} is a guidance point: it watches nothing else")
        if self.id == SELF:
            raise ValueError(f"a camera may not be called {SELF!r}: that is the edge itself")
        _check_source(self.source)
        place = any(f":{_PASSWORD}@" in address for address in self.addresses)
        if place != (self.password_file is not None):
            raise ValueError(
                f"password_file and {_PASSWORD} in source go together: rtsp://USER:{_PASSWORD}@HOST"
            )
        if self.speed != 1.0 and self.is_live:
            raise ValueError(f"speed is for files, a camera cannot be played at {self.speed}")
        if self.evidence_source is not None:
            _check_evidence(self)
        _unique("zone id", (zone.id for zone in self.zone))
        groups = [line.id for line in self.line] + [state.id for state in self.state]
        _unique("line or state id", groups)
        _unique("scenario", (f"{rule.event} in {rule.zone}" for rule in self.scenario))
        known = [zone.id for zone in self.zone]
        for rule in self.scenario:
            if rule.zone not in known:
                raise ValueError(
                    f"scenario {rule.event!r} names zone {rule.zone!r}, which camera {self.id!r} "
                    f"does not have; it has: {', '.join(known) or 'none'}"
                )
            if rule.gone_after * self.fps < _GONE_FRAMES:
                raise ValueError(
                    f"gone_after must be at least two analysed frames ({_GONE_FRAMES / self.fps:g} "
                    f"s at {self.fps:g} fps), not {rule.gone_after:g}"
                )

    @property
    def watched(self) -> tuple[Scenario, ...]:
        """The scenarios that are not off."""
        return tuple(rule for rule in self.scenario if not rule.off)

    @property
    def source_kind(self) -> SourceKind:
        """Which kind of source `source` names."""
        if self.source.startswith(_RTSP):
            return "rtsp"
        if self.source.startswith(_HTTP):
            return "http"
        if self.source.startswith(_DEVICES):
            return "usb"
        return "pattern" if self.source.startswith(PATTERN) else "file"

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where on the network it is read, with the place of its password instead of that."""
        own = (self.source,) if self.source_kind in _NETWORK else ()
        return own if self.evidence_source is None else (*own, self.evidence_source)

    @property
    def is_live(self) -> bool:
        """Whether it is a camera, that shows what is now."""
        return self.source_kind in (*_NETWORK, "usb")

    @property
    def gated(self) -> bool:
        """Whether a frame in which nothing moved is not looked at."""
        return self.is_live if self.attention.gate is None else self.attention.gate

    @property
    def watched_over(self) -> bool:
        """Whether it is noticed that it is away, black, covered, frozen or of another place."""
        return self.is_live if self.tamper is None else self.tamper

    def address(self) -> str:
        """Return `source` with its password, for nobody to see. Raises InputError."""
        return self._opened(self.source)

    def evidence_address(self) -> str | None:
        """Return `evidence_source` with its password, for nobody to see. Raises InputError."""
        return None if self.evidence_source is None else self._opened(self.evidence_source)

    def _opened(self, address: str) -> str:
        if self.password_file is None:
            return address
        secret = read_secret(Path(self.password_file))
        return address.replace(_PASSWORD, quote(secret, safe=""))

    def zone_of(self, rule: Scenario) -> Zone:
        """Return the zone that a scenario of this camera watches."""
        return next(zone for zone in self.zone if zone.id == rule.zone)


class EdgeConfig(Settings, frozen=True, kw_only=True):
    """What an edge watches and controls: cameras with a model, sensors, lamps."""

    model: Model = Model()
    timezone: Annotated[str, Meta(max_length=64)] = "Asia/Shanghai"
    camera: Annotated[tuple[Camera, ...], Meta(max_length=64)] = ()
    sensor_source: Annotated[tuple[SensorSource, ...], Meta(max_length=64)] = ()
    sensor: Annotated[tuple[Sensor, ...], Meta(max_length=4000)] = ()
    position: Position | None = None
    lamp_group: Annotated[tuple[LampGroup, ...], Meta(max_length=64)] = ()
    bin: Annotated[tuple[Bin, ...], Meta(max_length=500)] = ()
    door: Annotated[tuple[Door, ...], Meta(max_length=16)] = ()
    speaker: Annotated[tuple[Speaker, ...], Meta(max_length=16)] = ()

    def __post_init__(self) -> None:
        if not (self.camera or self.sensor or self.lamp_group):
            raise ValueError("neither [[camera]] nor [[sensor]]: there is nothing to watch")
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError):
            raise ValueError(
                f"there is no time zone {self.timezone!r}; one is Asia/Shanghai"
            ) from None
        _unique("camera id", (camera.id for camera in self.camera))
        devices = [camera.id for camera in self.camera] + [sensor.id for sensor in self.sensor]
        devices += [one.id for one in self.bin]
        _unique("device id", devices)
        _unique("sensor source id", (source.id for source in self.sensor_source))
        check_sensors(self.sensor_source, self.sensor)
        sources = {source.id: source.kind for source in self.sensor_source}
        check_lamps(
            self.lamp_group,
            position=self.position,
            devices=devices,
            places={f"{camera.id}/{one.id}" for camera in self.camera for one in camera.state},
            sources=sources,
        )
        views = [f"{camera.id}/{state.id}" for camera in self.camera for state in camera.state]
        self._check_actuators([*devices, *(group.id for group in self.lamp_group)], sources)
        check_bins(self.bin, [sensor.id for sensor in self.sensor], views)

    def _check_actuators(self, devices: list[str], sources: Mapping[str, str]) -> None:
        lamps = [lamp.id for group in self.lamp_group for lamp in group.lamp]
        sensors = [sensor.id for sensor in self.sensor]
        check_doors(self.door, devices=[*devices, *lamps], sensors=sensors, sources=sources)
        check_speakers(self.speaker, [*devices, *lamps, *(door.id for door in self.door)])
        for camera in self.camera:
            for rule in camera.scenario:
                _check_named(camera, rule, "door", rule.door, [one.id for one in self.door])
                speakers = [one.id for one in self.speaker]
                _check_named(camera, rule, "speaker", rule.speaker, speakers)


def _check_named(
    camera: Camera, rule: Scenario, what: str, name: str | None, known: list[str]
) -> None:
    if name is not None and name not in known:
        raise ValueError(
            f"scenario {rule.event!r} of camera {camera.id!r} names {what} {name!r}; "
            f"there is: {', '.join(known) or 'none'}"
        )


def _check_source(source: str) -> None:
    if source.startswith(PATTERN):
        if source.removeprefix(PATTERN) not in PATTERNS:
            raise ValueError(f"source {source!r} is no pattern; there is: {', '.join(PATTERNS)}")
    elif "://" in source and not source.startswith(_RTSP + _HTTP):
        raise ValueError(
            f"source must be a file, rtsp(s)://…, http(s)://…, {_DEVICES}… or {PATTERN}NAME, "
            f"not {redact(source)!r}"
        )


def _check_evidence(camera: Camera) -> None:
    if camera.guide is not None:
        raise ValueError("evidence_source is for events, a guidance point keeps no picture")
    if not camera.is_live:
        raise ValueError("evidence_source is the main stream of a camera, a file has none")
    if not str(camera.evidence_source).startswith(_RTSP):
        shown = redact(str(camera.evidence_source))
        raise ValueError(f"evidence_source must be rtsp(s)://…, not {shown!r}")


def _unique(what: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{what} {value!r} is there twice; each must be unique")
        seen.add(value)
