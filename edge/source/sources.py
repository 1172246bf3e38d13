"""Which source a camera's settings ask for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.settings import PATTERN, Camera
from edge.source.file import FileSource
from edge.source.frame import FrameSource
from edge.source.pattern import PatternSource
from edge.source.rtsp import RtspSource
from linli.clock import Clock


def source_of(camera: Camera, clock: Clock, random: Callable[[], float]) -> FrameSource:
    """Return the source of a camera, not yet opened; `random` gives 0..1 for reconnecting.

    Raises InputError when the camera's password cannot be read.
    """
    match camera.source_kind:
        case "rtsp":
            return RtspSource(camera.address(), fps=camera.fps, clock=clock, random=random)
        case "pattern":
            name = camera.source.removeprefix(PATTERN)
            return PatternSource(name, fps=camera.fps, speed=camera.speed, clock=clock)
        case "file":
            path = Path(camera.source)
            return FileSource(path, fps=camera.fps, speed=camera.speed, clock=clock)
