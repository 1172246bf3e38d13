"""What a recording is played through: a camera of a configuration, or packs with one zone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import cv2
import msgspec

from edge.agent.build import taught_places
from edge.catalog.load import load_model
from edge.detect.detector import Detector
from edge.pipeline import CameraPipeline
from edge.replay.folder import FolderSource, pictures_in
from edge.replay.held import HeldDoor, held_door
from edge.replay.play import Player
from edge.settings import Camera, Model, camera_named, load_settings
from edge.source.capture import open_capture
from edge.source.file import FileSource
from edge.source.frame import FrameSource
from edge.source.mask import MaskedSource
from linli.clock import ManualClock
from linli.counted import counted
from linli.door_config import Door
from linli.edge_config import EdgeConfig
from linli.errors import InputError
from linli.packs import completed
from linli.settings import convert

Points = tuple[tuple[float, float], ...]
WHOLE: Points = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Setup:
    """One camera, as a live one would be set, and all else that it needs."""

    camera: Camera
    model: Model
    doors: tuple[Door, ...]
    timezone: str

    def player(
        self, recording: Path, every: float | None, start: datetime
    ) -> tuple[Player, Detector]:
        """Load the model and return what plays, and the model. Raises InputError."""
        cv2.setNumThreads(1)
        model = self.model
        detector = load_model(model.file, threads=model.threads, name=model.name)
        clock = ManualClock(start.astimezone(UTC))
        zone = ZoneInfo(self.timezone)
        pipeline = CameraPipeline(self.camera, detector, clock, taught_places(self.camera), zone)
        source: FrameSource = (
            FolderSource(recording, every=every or 1 / self.camera.fps, clock=clock)
            if recording.is_dir()
            else FileSource(recording, fps=self.camera.fps, speed="max", clock=clock)
        )
        source = MaskedSource(source, self.camera.mask)
        return Player(self.camera, pipeline, source, clock, self._doors()), detector

    def _doors(self) -> list[HeldDoor]:
        named = {rule.door for rule in self.camera.watched}
        return [held_door(door) for door in self.doors if door.id in named]


def of_config(config: Path, camera: str | None, model: str | None) -> Setup:
    """Return a camera of an `edge.toml`; its only one without a name. Raises InputError."""
    settings = load_settings(config)
    if camera is None and len(settings.camera) != 1:
        known = ", ".join(one.id for one in settings.camera) or "none"
        raise InputError(
            f"has {counted(len(settings.camera), 'camera')}",
            where=str(config),
            hint=f"--camera: {known}",
        )
    chosen = camera_named(settings, camera) if camera is not None else settings.camera[0]
    if chosen.guide is not None:
        raise InputError("is a guidance point, it has no scenarios", where=chosen.id)
    own = Model(file=model) if model is not None else settings.model
    return Setup(chosen, own, settings.door, settings.timezone)


def of_packs(packs: tuple[str, ...], points: Points, model: str | None) -> Setup:
    """Return a camera that watches one zone for packs. Raises InputError."""
    scenario = [{"pack": name, "zone": "zone"} for name in packs]
    zone = {"id": "zone", "points": points}
    camera: dict[str, Any] = {"id": "recording", "label": "recording", "source": "recording"}
    document = {"camera": [{**camera, "zone": [zone], "scenario": scenario}]}
    config = convert(completed(document, "--pack"), EdgeConfig, where="--pack")
    own = Model(file=model) if model is not None else config.model
    return Setup(config.camera[0], own, (), config.timezone)


def as_recorded(setup: Setup, recording: Path, fps: float | None, every: float | None) -> Setup:
    """Return it with its camera's source exchanged for the recording, else as it is live.

    Raises InputError.
    """
    camera = setup.camera
    attention = msgspec.structs.replace(camera.attention, gate=camera.gated)
    if every is not None:
        fps = min(fps or camera.fps, 1 / every)
    try:
        camera = msgspec.structs.replace(
            camera,
            source=str(recording),
            evidence_source=None,
            password_file=None,
            speed="max",
            attention=attention,
            tamper=camera.watched_over,
            fps=fps or camera.fps,
        )
    except ValueError as error:
        raise InputError(str(error), where="--fps or --every") from None
    return replace(setup, camera=camera)


def length(recording: Path, every: float | None, fps: float) -> float | None:
    """Return about how many seconds a recording has, None when it does not say. InputError."""
    if not recording.exists():
        raise InputError("no such file or folder", where=str(recording), hint="Check the path")
    if recording.is_dir():
        return len(pictures_in(recording)) * (every or 1 / fps)
    capture = open_capture(str(recording), timeout=_TIMEOUT)
    if capture is None:
        return None
    try:
        return capture.length / capture.fps if capture.fps > 0 and capture.length > 0 else None
    finally:
        capture.close()


def began(recording: Path, seconds: float | None) -> datetime:
    """Return when it was probably begun: it was last written at its end."""
    written = datetime.fromtimestamp(recording.stat().st_mtime, UTC)
    return written - timedelta(seconds=seconds or 0.0)
