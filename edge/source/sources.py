"""Which source a camera's settings ask for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from edge.settings import PATTERN, Camera
from edge.source.file import FileSource
from edge.source.frame import FrameSource
from edge.source.http import connect_http
from edge.source.live import LiveSource
from edge.source.main_stream import MainStream
from edge.source.mask import MaskedSource
from edge.source.pattern import PatternSource
from edge.source.rtsp import connect_rtsp
from edge.source.stream import Connect
from edge.source.usb import connect_usb
from linli.clock import Clock


def source_of(camera: Camera, clock: Clock, random: Callable[[], float]) -> FrameSource:
    """Return the source of a camera, not yet opened; `random` gives 0..1 for reconnecting.

    What its settings mask is masked in every frame. Raises InputError when the camera's password
    cannot be read.
    """
    source = _bare(camera, clock, random)
    return MaskedSource(source, camera.mask) if camera.mask else source


def _bare(camera: Camera, clock: Clock, random: Callable[[], float]) -> FrameSource:
    match camera.source_kind:
        case "rtsp" | "http" | "usb":
            address, connect = camera.address(), connect_of(camera)
            finer = camera.evidence_address()
            main = MainStream(finer, clock=clock, random=random) if finer is not None else None
            return LiveSource(
                address, connect, fps=camera.fps, clock=clock, random=random, main=main
            )
        case "pattern":
            name = camera.source.removeprefix(PATTERN)
            return PatternSource(name, fps=camera.fps, speed=camera.speed, clock=clock)
        case "file":
            path = Path(camera.source)
            return FileSource(path, fps=camera.fps, speed=camera.speed, clock=clock)


def connect_of(camera: Camera) -> Connect:
    """Return how to connect to a live camera."""
    match camera.source_kind:
        case "http":
            return partial(connect_http, every=1 / camera.fps)
        case "usb":
            return connect_usb
        case _:
            return connect_rtsp
