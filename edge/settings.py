"""`edge.toml`: what a box is told by its own file, over what the ingest wants it to watch.

Every time is in seconds of clock time; docs/reference/edge-settings.md gives the reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from edge.kept import Wanted, read_kept
from linli.edge_config import (
    PATTERN,
    Attention,
    Camera,
    EdgeConfig,
    Model,
    Scenario,
    State,
)
from linli.errors import InputError
from linli.events import Slug
from linli.packs import completed
from linli.sensor_config import Sensor, SensorSource
from linli.settings import Settings, convert, read, read_secret
from linli.tls import TlsFiles
from linli.topics import is_id
from linli.waste_config import Bin, Guide
from linli.zone_config import CAMERA_GROUP, SHADOW_GROUP, Anchor, Line, Mask, Zone

__all__ = [
    "CAMERA_GROUP",
    "PATTERN",
    "SHADOW_GROUP",
    "Anchor",
    "Attention",
    "Bin",
    "Camera",
    "EdgeSettings",
    "Guide",
    "Ingest",
    "Line",
    "Mask",
    "Model",
    "Mqtt",
    "Node",
    "Scenario",
    "Sensor",
    "SensorSource",
    "State",
    "StatusAt",
    "Zone",
    "camera_named",
    "load_settings",
]

Port = Annotated[int, Meta(ge=1, le=65535)]


class Node(Settings, frozen=True, kw_only=True):
    """Which box this is: the first levels of every topic it speaks on."""

    site: Slug
    area: Slug
    id: Slug


class Mqtt(TlsFiles, frozen=True, kw_only=True):
    """How this edge reaches the broker; without `ca_file` nothing is encrypted."""

    host: str = "127.0.0.1"
    port: Port = 1883
    username: str | None = None
    password_file: str | None = None
    protocol: Literal["5", "3.1.1"] = "5"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file without username; set username as well")


class Ingest(Settings, frozen=True, kw_only=True):
    """Where redacted pictures are sent; without this section none is ever written."""

    url: Annotated[str, Meta(pattern=r"^https?://[^\s/]+", max_length=256)]
    key_file: str


class StatusAt(Settings, frozen=True, kw_only=True):
    """Where `/status` and `/metrics` are answered, without asking who asks; port 0: nowhere."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8475


class SpoolCaps(Settings, frozen=True, kw_only=True):
    """How much and for how long facts are kept that the ingest does not have yet."""

    megabytes: Annotated[int, Meta(ge=16, le=65_536)] = 512
    reading_days: Annotated[float, Meta(gt=0, le=366)] = 7
    event_days: Annotated[float, Meta(gt=0, le=366)] = 30

    def __post_init__(self) -> None:
        if self.reading_days > self.event_days:
            raise ValueError("reading_days above event_days; readings go before events")


class Box(Settings, frozen=True, kw_only=True):
    """What a box must know of itself before it can ask the ingest what to watch."""

    data: Annotated[str, Meta(min_length=1)] = "data"
    node: Node
    ingest: Ingest | None = None
    status: StatusAt = StatusAt()

    @property
    def folder(self) -> Path:
        """The folder of everything that is kept here."""
        return Path(self.data)


class EdgeSettings(EdgeConfig, frozen=True, kw_only=True):
    """The whole file; `load_settings` has made its paths whole."""

    data: Annotated[str, Meta(min_length=1)] = "data"
    node: Node
    mqtt: Mqtt = Mqtt()
    ingest: Ingest | None = None
    status: StatusAt = StatusAt()
    spool: SpoolCaps = SpoolCaps()

    @property
    def folder(self) -> Path:
        """The folder that holds the spool and the pictures waiting to be sent."""
        return Path(self.data)

    def mqtt_password(self) -> str | None:
        """Return the broker password, None when there is none. Raises InputError."""
        name = self.mqtt.password_file
        return read_secret(Path(name)) if name is not None else None

    def ingest_key(self) -> str | None:
        """Return the key for sending pictures, None without `[ingest]`. Raises InputError."""
        return read_secret(Path(self.ingest.key_file)) if self.ingest is not None else None


def load_box(path: Path) -> Box:
    """Read what `edge.toml` says of the box itself. Raises InputError."""
    own = read(path)
    known = {name: own[name] for name in Box.__struct_fields__ if name in own}
    box = convert(known, Box, where=str(path), file=path)
    return msgspec.structs.replace(
        box, data=_beside(path, box.data), ingest=_ingest_beside(path, box.ingest)
    )


def load_settings(path: Path) -> EdgeSettings:
    """Read `edge.toml`, laid over the ingest's configuration that last worked here, if any.

    Relative paths are taken from the folder that the file is in. Raises InputError that says where,
    which rule and which value.
    """
    return settings_over(path, read_kept(load_box(path).folder).good)


def settings_over(path: Path, wanted: Wanted | None) -> EdgeSettings:
    """Read `edge.toml`, laid over a configuration: what the file says is pinned. InputError."""
    document, where = read(path), str(path)
    if wanted is not None:
        # First alone: who a box is and whom it trusts is never told from outside.
        alone = f"version {wanted.version}"
        convert(completed(wanted.document, alone), EdgeConfig, where=alone)
        document, where = laid_over(wanted.document, document), f"{path} over {wanted.version}"
    settings = convert(completed(document, where), EdgeSettings, where=where, file=path)
    replace = msgspec.structs.replace
    mqtt = settings.mqtt
    for name in ("password_file", "ca_file", "cert_file", "key_file"):
        if (file := getattr(mqtt, name)) is not None:
            mqtt = replace(mqtt, **{name: _beside(path, file)})
    return replace(
        settings,
        data=_beside(path, settings.data),
        mqtt=mqtt,
        ingest=_ingest_beside(path, settings.ingest),
        model=replace(settings.model, file=_model_beside(path, settings.model.file)),
        camera=tuple(_camera_beside(path, camera) for camera in settings.camera),
        sensor_source=tuple(_source_beside(path, source) for source in settings.sensor_source),
        sensor=tuple(_sensor_beside(path, sensor) for sensor in settings.sensor),
    )


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return `below` with every key of `above` in its place; tables key by key, lists whole."""
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            result[key] = laid_over(under, value)
        else:
            result[key] = value
    return result


def camera_named(settings: EdgeSettings, camera: str) -> Camera:
    """Return a camera by its id. Raises InputError that lists those there are."""
    for candidate in settings.camera:
        if candidate.id == camera:
            return candidate
    known = ", ".join(candidate.id for candidate in settings.camera)
    raise InputError(f"there is no camera {camera!r}", where="camera", hint=f"There is: {known}")


def _ingest_beside(path: Path, ingest: Ingest | None) -> Ingest | None:
    if ingest is None:
        return None
    return msgspec.structs.replace(ingest, key_file=_beside(path, ingest.key_file))


def _camera_beside(path: Path, camera: Camera) -> Camera:
    replace = msgspec.structs.replace
    states = tuple(replace(one, file=one.file and _beside(path, one.file)) for one in camera.state)
    camera = replace(camera, state=states)
    if camera.guide is not None:
        file = _model_beside(path, camera.guide.model)
        camera = replace(camera, guide=replace(camera.guide, model=file))
    if camera.source_kind == "file":
        return replace(camera, source=_beside(path, camera.source))
    if camera.password_file is not None:
        return replace(camera, password_file=_beside(path, camera.password_file))
    return camera


def _source_beside(path: Path, source: SensorSource) -> SensorSource:
    if source.password_file is None:
        return source
    return msgspec.structs.replace(source, password_file=_beside(path, source.password_file))


def _sensor_beside(path: Path, sensor: Sensor) -> Sensor:
    if sensor.mapping is None or not sensor.mapping_is_file:
        return sensor
    return msgspec.structs.replace(sensor, mapping=_beside(path, sensor.mapping))


def _model_beside(path: Path, file: str) -> str:
    return file if is_id(file) else _beside(path, file)


def _beside(path: Path, name: str) -> str:
    return str(path.resolve().parent / Path(name).expanduser())
