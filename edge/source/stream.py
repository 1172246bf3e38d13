"""What a camera gives while it is connected, whatever it speaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from edge.source.frame import Image

TIMEOUT = 5.0
"""Seconds without an answer, or without a whole frame, after which a camera is away."""


class Connection(Protocol):
    """An open connection to a camera: `grab` steps to the next frame."""

    def grab(self) -> bool:
        """Step to the next frame; False when the connection broke. LinkError says why it did."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class Stream(Connection, Protocol):
    """A connection whose frames can be looked at.

    Decoding is apart, so that frames nobody analyses cost next to nothing.
    """

    @property
    def codec(self) -> str:
        """How frames are coded, as FFmpeg calls it; empty when unknown."""
        ...

    def picture(self) -> Image | None:
        """Return the grabbed frame as BGR [height, width, 3], None when it cannot be decoded."""
        ...


Connect = Callable[[str], Stream]
"""Opens the camera at an address within TIMEOUT; raises LinkError that holds no password."""
