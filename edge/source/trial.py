"""What a camera gives, found out by looking at it for a moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge.source.stream import Connect, Stream
from linli.errors import LinkError

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Trial:
    """Size in pixels, frames per second as they came, and seconds until the first picture."""

    width: int
    height: int
    fps: float
    codec: str
    first: float


def try_camera(connect: Connect, address: str, monotonic: Clock, *, seconds: float) -> Trial:
    """Look at a camera for `seconds` from its first picture on. Raises LinkError that says why not.

    Nothing of what it shows is kept.
    """
    began = monotonic()
    stream = connect(address)
    try:
        height, width = _first_size(stream, monotonic, until=began + seconds)
        first = last = monotonic()
        frames = 0
        while last - first < seconds:
            if not stream.grab():
                raise LinkError("the connection broke")
            frames, last = frames + 1, monotonic()
        return Trial(width, height, frames / (last - first), stream.codec, first - began)
    finally:
        stream.close()


def _first_size(stream: Stream, monotonic: Clock, *, until: float) -> tuple[int, int]:
    while stream.grab():
        picture = stream.picture()
        if picture is not None:
            return picture.shape[0], picture.shape[1]
        if monotonic() > until:
            raise LinkError(f"what comes ({stream.codec or 'of no known kind'}) cannot be decoded")
    raise LinkError("the connection broke")
