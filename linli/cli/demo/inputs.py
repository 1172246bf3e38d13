"""What the demo plays and with which model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge.catalog.book import find_file, open_book
from linli.cli.demo.scene import EBIKE, Scene
from linli.errors import InputError
from linli.resources import resource
from linli.topics import is_id

BUILTIN = "builtin"
_CLIP = ("models", "demo", "elevator.mp4")
_CAMERAS = ("rtsp://", "rtsps://", "http://", "https://", "/dev/")


@dataclass(frozen=True, slots=True)
class DemoInputs:
    """A video file or a camera's address, a model (ONNX file or name), what to look for."""

    video: str
    model: str
    scene: Scene


def is_camera(video: str) -> bool:
    """Tell whether a video is a camera's address and not a file."""
    return video.startswith(_CAMERAS)


def find_inputs(video: str | None, model: str | None) -> DemoInputs:
    """Fill in Linli's own clip and model where none was passed. Raises InputError."""
    model = model or BUILTIN
    path, entry = find_file(model, open_book())
    if not path.is_file():
        raise InputError("no such model file", where=model, hint="Check --model")
    return DemoInputs(
        video=str(resource(*_CLIP)) if video is None else _checked(video),
        model=model if is_id(model) else str(path.resolve()),
        scene=Scene(own_clip=video is None, ebikes=entry is not None and EBIKE in entry.names),
    )


def _checked(video: str) -> str:
    if is_camera(video):
        return video
    path = Path(video)
    if not path.is_file():
        raise InputError("no such video file", where=video, hint="Check --video")
    return str(path.resolve())
