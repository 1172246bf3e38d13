"""What the demo plays and with which model, or what exactly to pass."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge.catalog.book import find_file, open_book
from linli.errors import InputError
from linli.topics import is_id

_SHARED = Path(__file__).resolve().parents[4] / "shared"
_VIDEO = _SHARED / "media" / "one-by-one-person.mp4"
_MODEL = _SHARED / "models" / "yolox_nano.onnx"
_ADDRESSES = ("rtsp://", "rtsps://")


@dataclass(frozen=True, slots=True)
class DemoInputs:
    """A video file or rtsp:// address, and a detection model: ONNX file or catalogue's name."""

    video: str
    model: str


def is_camera(video: str) -> bool:
    """Tell whether a video is a camera's address and not a file."""
    return video.startswith(_ADDRESSES)


def find_inputs(video: str | None, model: str | None) -> DemoInputs:
    """Fill in what was not passed. Raises InputError that says what to pass."""
    if video is None and _VIDEO.is_file():
        video = str(_VIDEO)
    if model is None and _MODEL.is_file():
        model = str(_MODEL)
    if video is None or model is None:
        missing = [
            text
            for text, value in (
                ("--video FILE (people walking, any format) or rtsp://…", video),
                ("--model FILE (a YOLOX model in ONNX) or a name of linli models list", model),
            )
            if value is None
        ]
        raise InputError(
            "nothing to play", where="linli demo", hint=f"Pass {' and '.join(missing)}"
        )
    if not is_camera(video):
        path = Path(video)
        if not path.is_file():
            raise InputError("no such video file", where=video, hint="Check --video")
        video = str(path.resolve())
    return DemoInputs(video, _checked(model))


def _checked(model: str) -> str:
    path, _ = find_file(model, open_book())
    if not path.is_file():
        raise InputError("no such model file", where=model, hint="Check --model")
    return model if is_id(model) else str(path.resolve())
